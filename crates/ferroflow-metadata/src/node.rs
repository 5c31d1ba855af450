//! What artifacts, executions and contexts have in common.

use std::collections::BTreeMap;

use ferroflow_model::Timestamp;
use ferroflow_ports::PortError;
use ferroflow_ports::metadata::{MetadataTables, NodeKind};
use ferroflow_proto::ml_metadata::{self as wire, Artifact, Context, Execution, Value};
use prost::Message;

use crate::row;

/// Properties by name.
pub(crate) type Properties = BTreeMap<String, Value>;

/// A message that is a node.
pub(crate) trait Node: Message + Default + Clone + 'static {
    /// Which kind.
    const KIND: NodeKind;
    /// What it is called in errors.
    const WORD: &'static str;

    fn common(&self) -> Common<'_>;
    fn common_mut(&mut self) -> CommonMut<'_>;
    /// Takes over what only this kind has, as far as the mask says.
    fn take_own(&mut self, from: &Self, mask: &Mask);
    /// State by its name in filters.
    fn state(&self) -> Option<&'static str>;
    /// Rows of runs by number, as this kind of node.
    fn rows(tables: &dyn MetadataTables, ids: &[i64]) -> Result<Vec<Self>, PortError>;
}

/// Fields that all nodes have.
pub(crate) struct Common<'a> {
    pub(crate) id: Option<i64>,
    pub(crate) type_id: Option<i64>,
    pub(crate) type_name: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) external_id: Option<&'a str>,
    pub(crate) uri: Option<&'a str>,
    pub(crate) properties: &'a Properties,
    pub(crate) custom_properties: &'a Properties,
    pub(crate) created_ms: Option<i64>,
    pub(crate) updated_ms: Option<i64>,
}

/// The same, to change.
pub(crate) struct CommonMut<'a> {
    pub(crate) id: &'a mut Option<i64>,
    pub(crate) type_id: &'a mut Option<i64>,
    pub(crate) type_name: &'a mut Option<String>,
    pub(crate) name: &'a mut Option<String>,
    pub(crate) external_id: &'a mut Option<String>,
    pub(crate) properties: &'a mut Properties,
    pub(crate) custom_properties: &'a mut Properties,
    pub(crate) created_ms: &'a mut Option<i64>,
    pub(crate) updated_ms: &'a mut Option<i64>,
}

/// Which fields a change is about; everything without paths.
#[derive(Debug, Default)]
pub(crate) struct Mask(Vec<String>);

impl Mask {
    pub(crate) fn new(mask: Option<&ferroflow_proto::protobuf::FieldMask>) -> Self {
        Self(mask.map(|mask| mask.paths.clone()).unwrap_or_default())
    }

    /// Whether the field is meant as a whole.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|path| path == field)
    }

    /// Changes properties: those that are meant, and if all are, those that `from` lacks go.
    pub(crate) fn apply(&self, field: &str, to: &mut Properties, from: &Properties) {
        if self.has(field) {
            to.clone_from(from);
            return;
        }
        let named = self.0.iter().filter_map(|path| path.strip_prefix(field)?.strip_prefix('.'));
        for name in named.map(|name| name.trim_matches('`')) {
            match from.get(name) {
                Some(value) => to.insert(name.to_owned(), value.clone()),
                None => to.remove(name),
            };
        }
    }
}

macro_rules! common {
    ($uri:ident) => {
        fn common(&self) -> Common<'_> {
            Common {
                id: self.id,
                type_id: self.type_id,
                type_name: self.r#type.as_deref(),
                name: self.name.as_deref(),
                external_id: self.external_id.as_deref(),
                uri: $uri(self),
                properties: &self.properties,
                custom_properties: &self.custom_properties,
                created_ms: self.create_time_since_epoch,
                updated_ms: self.last_update_time_since_epoch,
            }
        }

        fn common_mut(&mut self) -> CommonMut<'_> {
            CommonMut {
                id: &mut self.id,
                type_id: &mut self.type_id,
                type_name: &mut self.r#type,
                name: &mut self.name,
                external_id: &mut self.external_id,
                properties: &mut self.properties,
                custom_properties: &mut self.custom_properties,
                created_ms: &mut self.create_time_since_epoch,
                updated_ms: &mut self.last_update_time_since_epoch,
            }
        }
    };
}

fn uri_of(artifact: &Artifact) -> Option<&str> {
    artifact.uri.as_deref()
}

fn no_uri<N>(_: &N) -> Option<&str> {
    None
}

impl Node for Artifact {
    const KIND: NodeKind = NodeKind::Artifact;
    const WORD: &'static str = "artifact";

    common!(uri_of);

    fn take_own(&mut self, from: &Self, mask: &Mask) {
        if mask.has("uri") {
            self.uri.clone_from(&from.uri);
        }
        if mask.has("state") {
            self.state = from.state;
        }
    }

    fn state(&self) -> Option<&'static str> {
        let state = wire::artifact::State::try_from(self.state?).ok()?;
        Some(state.as_str_name())
    }

    fn rows(tables: &dyn MetadataTables, ids: &[i64]) -> Result<Vec<Self>, PortError> {
        Ok(tables.artifacts(ids)?.iter().map(row::artifact).collect())
    }
}

impl Node for Execution {
    const KIND: NodeKind = NodeKind::Execution;
    const WORD: &'static str = "execution";

    common!(no_uri);

    fn take_own(&mut self, from: &Self, mask: &Mask) {
        if mask.has("last_known_state") {
            self.last_known_state = from.last_known_state;
        }
    }

    fn state(&self) -> Option<&'static str> {
        let state = wire::execution::State::try_from(self.last_known_state?).ok()?;
        Some(state.as_str_name())
    }

    fn rows(tables: &dyn MetadataTables, ids: &[i64]) -> Result<Vec<Self>, PortError> {
        Ok(tables.tasks(ids)?.iter().map(row::execution).collect())
    }
}

impl Node for Context {
    const KIND: NodeKind = NodeKind::Context;
    const WORD: &'static str = "context";

    common!(no_uri);

    fn take_own(&mut self, from: &Self, mask: &Mask) {
        // Contexts alone may be renamed.
        if mask.has("name") && from.name.is_some() {
            self.name.clone_from(&from.name);
        }
    }

    fn state(&self) -> Option<&'static str> {
        None
    }

    fn rows(tables: &dyn MetadataTables, ids: &[i64]) -> Result<Vec<Self>, PortError> {
        Ok(tables.contexts(ids)?.iter().map(row::context).collect())
    }
}

/// Milliseconds, as this API counts.
pub(crate) fn millis(time: Timestamp) -> i64 {
    time.as_micros().div_euclid(1000)
}
