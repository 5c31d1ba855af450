//! Uploads: a file and a few words about it become a pipeline or a version. KFP has no proto for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use ferroflow_proto::v2beta1 as wire;

use super::pipeline::{WantedPipeline, new_pipeline};
use super::version::{WantedVersion, new_version};
use super::{or_name_taken, parse_id, pipeline, version};
use crate::Services;
use crate::status::{ApiError, Code};

/// A file with what the client says about it. Empty means not given.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    pub(crate) file_name: String,
    pub(crate) file: Bytes,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) code_source_url: String,
    /// JSON object of strings.
    pub(crate) tags: String,
    /// Only for versions.
    pub(crate) pipeline_id: String,
}

impl Upload {
    /// Name and display name: each falls back on the other, at last on the name of the file.
    fn names(&self) -> (String, String) {
        let given =
            [&self.name, &self.display_name, &self.file_name].into_iter().find(|name| !name.is_empty());
        let name = given.cloned().unwrap_or_default();
        let display_name =
            if self.display_name.is_empty() { name.clone() } else { self.display_name.clone() };
        (name, display_name)
    }

    fn tags(&self) -> Result<BTreeMap<String, String>, ApiError> {
        if self.tags.is_empty() {
            return Ok(BTreeMap::new());
        }
        serde_json::from_str(&self.tags)
            .map_err(|error| ApiError::invalid(format!("the tags must be a JSON object of strings: {error}")))
    }
}

/// The bytes of the document itself, unpacked if need be; they are kept as they came. Reading a large file takes a
/// while, so it must not hold up other requests.
pub(super) async fn checked_source(name: &str, file: &Bytes) -> Result<Arc<[u8]>, ApiError> {
    let (name, file) = (name.to_owned(), file.clone());
    let read = tokio::task::spawn_blocking(move || ferroflow_spec::document::read(&name, &file));
    let document =
        read.await.map_err(ApiError::internal)?.map_err(|error| ApiError::invalid(error.to_string()))?;
    Ok(document.original.into())
}

/// Makes a pipeline with its first version. The tags go to the pipeline only.
pub(crate) async fn upload_pipeline(services: &Services, upload: Upload) -> Result<wire::Pipeline, ApiError> {
    let (name, display_name) = upload.names();
    let tags = upload.tags()?;
    let description = upload.description.clone();
    let wanted = WantedPipeline { name: name.clone(), display_name: display_name.clone(), description, tags };
    let made = new_pipeline(services, wanted)?;
    let version = new_version(
        services,
        WantedVersion {
            pipeline_id: made.id,
            name: name.clone(),
            display_name,
            source: checked_source(&upload.file_name, &upload.file).await?,
            description: upload.description,
            code_source_url: upload.code_source_url,
            tags: BTreeMap::new(),
        },
    )?;
    let stored = services.store.create_pipeline(made.clone(), Some(version)).await;
    stored.map_err(|error| or_name_taken(error, pipeline::WHAT, &name))?;
    Ok(pipeline::to_wire(made))
}

/// Makes a version of a pipeline. The tags go to the version.
pub(crate) async fn upload_version(
    services: &Services,
    upload: Upload,
) -> Result<wire::PipelineVersion, ApiError> {
    // KFP answers 400 here, not 404; the upload page of its own UI relies on the payload only.
    let unknown = |error: ApiError| match error.code {
        Code::NotFound => ApiError::invalid(error.public_text()),
        _ => error,
    };
    let pipeline_id = parse_id(pipeline::WHAT, &upload.pipeline_id).map_err(unknown)?;
    services.store.pipeline(pipeline_id).await.map_err(|error| unknown(error.into()))?;
    let (name, display_name) = upload.names();
    let wanted = WantedVersion {
        pipeline_id,
        name: name.clone(),
        display_name,
        source: checked_source(&upload.file_name, &upload.file).await?,
        tags: upload.tags()?,
        description: upload.description,
        code_source_url: upload.code_source_url,
    };
    let made = new_version(services, wanted)?;
    let stored = services.store.create_pipeline_version(made.clone()).await;
    stored.map_err(|error| or_name_taken(error, version::WHAT, &name))?;
    Ok(version::to_wire(made))
}
