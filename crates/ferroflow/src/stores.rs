//! How artifact stores elsewhere are reached: by the variables of this process, and by KFP's settings.

use std::path::PathBuf;

use anyhow::Context as _;
use ferroflow_artifacts::{Access, Providers};
use ferroflow_executor_local::Platform;

use crate::data_folder::DataFolder;
use crate::environment;

/// KFP's config map with settings of stores.
const CONFIG_MAP: &str = "kfp-launcher";

/// What KFP's settings say, and the root that they give to runs that say nothing.
pub(crate) struct StoreSettings {
    pub(crate) access: Access,
    pub(crate) default_root: Option<String>,
}

/// Reads both. The folders are those of secrets and of config maps, if they are not in the data directory.
pub(crate) fn settings(
    folder: &DataFolder,
    secrets: Option<PathBuf>,
    config_maps: Option<PathBuf>,
) -> anyhow::Result<StoreSettings> {
    let access = Access::new(environment::all());
    let platform = Platform::new(folder.path(), secrets, config_maps, &environment::all());
    let setting = |key: &str| platform.config_map(CONFIG_MAP, key).map_err(anyhow::Error::msg);
    let default_root = setting("defaultPipelineRoot")?.map(|root| root.trim().to_owned());
    let providers = setting("providers")?.unwrap_or_default();
    let providers = ferroflow_spec::document::plain_value(&providers)
        .map_err(|problems| anyhow::anyhow!("{problems}"))
        .with_context(|| format!("`providers` of the config map `{CONFIG_MAP}` cannot be read"))?;
    let secret = |name: &str, key: &str| {
        let missing = || format!("there is no key `{key}` of a secret `{name}`");
        platform.secret(name, key)?.ok_or_else(missing)
    };
    let access = access.with_providers(Providers::read(&providers, secret)?);
    Ok(StoreSettings { access, default_root: default_root.filter(|root| !root.is_empty()) })
}
