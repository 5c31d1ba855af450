//! Parameter values and artifacts as tasks exchange them.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferroflow_spec::ir::ArtifactType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::ArtifactId;

/// Parameter values by name. Integral numbers are stored as integers at every depth.
/// Shared, since every iteration of a loop sees the same ones.
pub type Parameters = BTreeMap<String, Arc<Value>>;

/// A stored artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its number.
    pub id: ArtifactId,
    /// Schema title such as `system.Model`, empty if the type was given as a schema.
    pub schema_title: String,
    /// Schema version such as `0.0.1`.
    pub schema_version: String,
    /// Schema text where there is no title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instance_schema: String,
    /// Where the bytes are.
    pub uri: String,
    /// As user code wrote it.
    pub metadata: Map<String, Value>,
    /// Local path chosen by user code instead of the one that follows from the URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_path: Option<String>,
}

impl Artifact {
    /// The declared type.
    pub fn artifact_type(&self) -> ArtifactType {
        ArtifactType {
            schema_title: self.schema_title.clone(),
            instance_schema: self.instance_schema.clone(),
            schema_version: self.schema_version.clone(),
        }
    }
}

/// What a task is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Parameter values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: Parameters,
    /// Artifacts; most inputs hold exactly one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<String, Vec<Arc<Artifact>>>,
}

/// What a task has made; the same shape as what it is given.
pub type Outputs = Inputs;
