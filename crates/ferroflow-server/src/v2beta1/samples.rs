//! Pipelines that an installation brings with it.

use std::collections::BTreeMap;

use bytes::Bytes;
use ferroflow_ports::ErrorKind;

use super::pipeline::{WantedPipeline, new_pipeline};
use super::upload::checked_source;
use super::version::{WantedVersion, new_version};
use crate::Services;
use crate::status::ApiError;

/// A pipeline and one version of it. Empty means not given, except for the first three.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Name of the pipeline.
    pub name: String,
    /// Name of the file, which says how to read it.
    pub file_name: String,
    /// The file: YAML, JSON, or an archive of one.
    pub file: Bytes,
    /// Else the name.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// Name of the version, else the pipeline's.
    pub version_name: String,
    /// Else the version's name, if it has its own, else the pipeline's display name.
    pub version_display_name: String,
    /// Else the pipeline's.
    pub version_description: String,
}

/// A sample that cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[error("sample `{name}`: {text}")]
pub struct SampleError {
    name: String,
    text: String,
}

/// Makes the pipeline, and the version, unless they are there.
pub async fn load_sample(services: &Services, sample: Sample) -> Result<(), SampleError> {
    let name = sample.name.clone();
    load(services, sample).await.map_err(|error| SampleError { name, text: error.public_text().to_owned() })
}

async fn load(services: &Services, sample: Sample) -> Result<(), ApiError> {
    let or = |given: &str, other: &str| if given.is_empty() { other.to_owned() } else { given.to_owned() };
    let source = checked_source(&sample.file_name, &sample.file).await?;
    let known = services.store.pipeline_by_name(&sample.name).await?;
    let is_new = known.is_none();
    let pipeline = if let Some(known) = known {
        known
    } else {
        let wanted = WantedPipeline {
            name: sample.name.clone(),
            display_name: sample.display_name,
            description: sample.description.clone(),
            tags: BTreeMap::new(),
        };
        new_pipeline(services, wanted)?
    };
    let display_name = or(&sample.version_display_name, &or(&sample.version_name, &pipeline.display_name));
    let version = new_version(
        services,
        WantedVersion {
            pipeline_id: pipeline.id,
            name: or(&sample.version_name, &sample.name),
            display_name,
            description: or(&sample.version_description, &sample.description),
            code_source_url: String::new(),
            tags: BTreeMap::new(),
            source,
        },
    )?;
    let stored = if is_new {
        services.store.create_pipeline(pipeline, Some(version)).await
    } else {
        services.store.create_pipeline_version(version).await
    };
    match stored {
        Err(error) if error.kind == ErrorKind::AlreadyExists => Ok(()),
        stored => Ok(stored?),
    }
}
