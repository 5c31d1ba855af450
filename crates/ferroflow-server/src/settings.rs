//! What platform teams set for a KFP server and this one heeds.

/// Settings of the services. The defaults are KFP's.
#[derive(Debug, Clone)]
pub struct ServiceSettings {
    /// The namespace that answers show where a request named none (`POD_NAMESPACE`).
    pub namespace: String,
    /// The service account that answers show where a request named none (`DEFAULTPIPELINERUNNERSERVICEACCOUNT`).
    pub service_account: String,
    /// What may be sent for plugins.
    pub plugins: PluginLimits,
}

/// Bounds of `plugins_input`.
#[derive(Debug, Clone, Copy)]
pub struct PluginLimits {
    /// Most plugins (`PLUGIN_MAX_KEYS`).
    pub keys: usize,
    /// Most bytes of JSON for one plugin (`PLUGIN_MAX_PAYLOAD_BYTES`).
    pub entry_bytes: usize,
    /// Most bytes of JSON for all (`PLUGIN_MAX_TOTAL_PAYLOAD_BYTES`).
    pub total_bytes: usize,
    /// Most levels of objects and lists inside one another (`PLUGIN_MAX_NESTING_DEPTH`).
    pub depth: usize,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self {
            namespace: "kubeflow".to_owned(),
            service_account: "pipeline-runner".to_owned(),
            plugins: PluginLimits { keys: 16, entry_bytes: 65_536, total_bytes: 262_144, depth: 10 },
        }
    }
}
