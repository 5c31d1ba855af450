//! Pipelines that a server offers from its first start on: KFP's sample configuration.

use std::path::Path;

use anyhow::Context;
use ferroflow_server::{Sample, Services, load_sample};
use serde::Deserialize;

/// Says in the data directory that samples were loaded: people may have removed them since.
const MARK: &str = "samples.loaded";

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Config {
    Whole {
        #[serde(rename = "loadSamplesOnRestart", default)]
        on_restart: bool,
        #[serde(default)]
        pipelines: Vec<Entry>,
    },
    /// As KFP wrote it at first.
    List(Vec<Entry>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    file: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    version_name: String,
    #[serde(default)]
    version_display_name: String,
    #[serde(default)]
    version_description: String,
}

/// Loads what the configuration names: once in the life of a data directory, or what is missing at each start if the
/// configuration says so. Files are relative to the configuration.
pub(crate) async fn load(services: &Services, config: &Path, data_dir: &Path) -> anyhow::Result<()> {
    let name = config.display();
    let text = std::fs::read_to_string(config).with_context(|| format!("cannot read `{name}`"))?;
    let read: Config = serde_json::from_str(&text).with_context(|| {
        format!(
            "`{name}` is not a sample configuration: an object with `pipelines`, each with `name` and `file`"
        )
    })?;
    let (on_restart, entries) = match read {
        Config::Whole { on_restart, pipelines } => (on_restart, pipelines),
        Config::List(entries) => (false, entries),
    };
    let mark = data_dir.join(MARK);
    if mark.exists() && !on_restart {
        return Ok(());
    }
    let folder = config.parent().unwrap_or_else(|| Path::new("."));
    for entry in entries {
        let path = folder.join(&entry.file);
        let file = std::fs::read(&path)
            .with_context(|| format!("sample `{}`: cannot read `{}`", entry.name, path.display()))?;
        let sample = Sample {
            name: entry.name,
            file_name: entry.file,
            file: file.into(),
            display_name: entry.display_name,
            description: entry.description,
            version_name: entry.version_name,
            version_display_name: entry.version_display_name,
            version_description: entry.version_description,
        };
        load_sample(services, sample).await?;
    }
    std::fs::write(&mark, "").with_context(|| format!("cannot write `{}`", mark.display()))
}
