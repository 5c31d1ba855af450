//! Types of nodes: those of runs, which nobody has to register, and those that clients did.
//!
//! The number of a type of runs follows from its kind and name, so that it is the same before and after a client
//! registers it. Other types are numbered in the order of their registration.

use std::collections::HashMap;

use ferroflow_ports::PortError;
use ferroflow_ports::metadata::{FIRST_WRITTEN_ID, MetadataTables, NodeKind, WrittenType};
use ferroflow_proto::ml_metadata::{ArtifactType, ContextType, ExecutionType};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::node::Properties;

/// Types of the tasks of runs.
pub(crate) const EXECUTION_TYPES: [&str; 3] =
    ["system.DAGExecution", "system.ContainerExecution", "system.ImporterExecution"];

/// Type of a pipeline.
pub(crate) const PIPELINE: &str = "system.Pipeline";

/// Type of a run.
pub(crate) const PIPELINE_RUN: &str = "system.PipelineRun";

/// Type of artifacts that were declared by a schema without a title.
pub(crate) const ARTIFACT: &str = "system.Artifact";

/// The number of a type of runs: beyond those of written types, and small enough for browsers, which lose digits of
/// numbers beyond 2^53.
pub(crate) fn row_type_id(kind: NodeKind, name: &str) -> i64 {
    let kind = match kind {
        NodeKind::Artifact => "artifact",
        NodeKind::Execution => "execution",
        NodeKind::Context => "context",
    };
    let digest = Sha256::digest([kind, name].join("\0"));
    let number = digest.iter().take(5).fold(0, |number, byte| number << 8 | i64::from(*byte));
    FIRST_WRITTEN_ID | number
}

/// A message that is a type.
pub(crate) trait NodeType: Message + Default + Clone + 'static {
    const KIND: NodeKind;
    fn parts(&self) -> TypeParts<'_>;
    fn parts_mut(&mut self) -> TypePartsMut<'_>;
    /// A type without declared properties.
    fn named(name: &str) -> Self;
    /// Takes over base type and what else only this kind has, where given.
    fn take_own(&mut self, from: &Self);
}

/// Fields that all types have.
pub(crate) struct TypeParts<'a> {
    pub(crate) id: Option<i64>,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) external_id: Option<&'a str>,
    pub(crate) properties: &'a std::collections::BTreeMap<String, i32>,
}

/// The same, to change.
pub(crate) struct TypePartsMut<'a> {
    pub(crate) id: &'a mut Option<i64>,
    pub(crate) version: &'a mut Option<String>,
    pub(crate) description: &'a mut Option<String>,
    pub(crate) external_id: &'a mut Option<String>,
    pub(crate) properties: &'a mut std::collections::BTreeMap<String, i32>,
}

macro_rules! node_type {
    ($type:ident, $kind:ident, |$to:ident, $from:ident| $own:block) => {
        impl NodeType for $type {
            const KIND: NodeKind = NodeKind::$kind;

            fn parts(&self) -> TypeParts<'_> {
                TypeParts {
                    id: self.id,
                    name: self.name.as_deref().unwrap_or_default(),
                    version: self.version.as_deref().unwrap_or_default(),
                    external_id: self.external_id.as_deref(),
                    properties: &self.properties,
                }
            }

            fn parts_mut(&mut self) -> TypePartsMut<'_> {
                TypePartsMut {
                    id: &mut self.id,
                    version: &mut self.version,
                    description: &mut self.description,
                    external_id: &mut self.external_id,
                    properties: &mut self.properties,
                }
            }

            fn named(name: &str) -> Self {
                Self {
                    id: Some(row_type_id(Self::KIND, name)),
                    name: Some(name.to_owned()),
                    ..Self::default()
                }
            }

            fn take_own(&mut self, $from: &Self) {
                let $to = self;
                $own
            }
        }
    };
}

node_type!(ArtifactType, Artifact, |to, from| {
    to.base_type = from.base_type.or(to.base_type);
});
node_type!(ExecutionType, Execution, |to, from| {
    to.base_type = from.base_type.or(to.base_type);
    if from.input_type.is_some() {
        to.input_type.clone_from(&from.input_type);
    }
    if from.output_type.is_some() {
        to.output_type.clone_from(&from.output_type);
    }
});
node_type!(ContextType, Context, |to, from| {
    to.base_type = from.base_type.or(to.base_type);
});

/// Reads a stored type.
pub(crate) fn decode<T: NodeType>(row: &WrittenType) -> Result<T, PortError> {
    let mut decoded = T::decode(row.body.as_slice()).map_err(|error| damaged("type", row.id, error))?;
    *decoded.parts_mut().id = Some(row.id);
    Ok(decoded)
}

/// Something stored is not what was stored.
pub(crate) fn damaged(what: &str, id: i64, error: prost::DecodeError) -> PortError {
    PortError::new(ferroflow_ports::ErrorKind::Internal, format!("{what} {id} is damaged")).caused_by(error)
}

/// Whether runs have nodes of this type.
pub(crate) fn is_of_runs(tables: &dyn MetadataTables, kind: NodeKind, name: &str) -> Result<bool, PortError> {
    // Types of KFP count as such before the first artifact of the type.
    Ok(name.starts_with("system.") || row_names(tables, kind)?.iter().any(|found| found == name))
}

/// Names of the types of runs.
fn row_names(tables: &dyn MetadataTables, kind: NodeKind) -> Result<Vec<String>, PortError> {
    Ok(match kind {
        NodeKind::Artifact => {
            let titles = tables.schema_titles()?;
            titles
                .into_iter()
                .map(|title| if title.is_empty() { ARTIFACT.to_owned() } else { title })
                .collect()
        }
        NodeKind::Execution => EXECUTION_TYPES.map(str::to_owned).to_vec(),
        NodeKind::Context => vec![PIPELINE.to_owned(), PIPELINE_RUN.to_owned()],
    })
}

/// All types of a kind, in order of number.
pub(crate) fn all<T: NodeType>(tables: &dyn MetadataTables) -> Result<Vec<T>, PortError> {
    let mut found = std::collections::BTreeMap::new();
    for name in row_names(tables, T::KIND)? {
        let row_type = T::named(&name);
        found.insert(row_type.parts().id, row_type);
    }
    for row in tables.types(T::KIND)? {
        found.insert(Some(row.id), decode(&row)?);
    }
    Ok(found.into_values().collect())
}

/// Types by number; unknown numbers are left out.
pub(crate) fn by_id<T: NodeType>(tables: &dyn MetadataTables, ids: &[i64]) -> Result<Vec<T>, PortError> {
    let mut found = HashMap::new();
    for row in tables.types_by_id(T::KIND, ids)? {
        found.insert(row.id, decode::<T>(&row)?);
    }
    if ids.iter().any(|id| !found.contains_key(id)) {
        for name in row_names(tables, T::KIND)? {
            let row_type = T::named(&name);
            if let Some(id) = row_type.parts().id {
                found.entry(id).or_insert(row_type);
            }
        }
    }
    let mut chosen: Vec<T> = Vec::new();
    for id in ids {
        if let Some(found) = found.remove(id) {
            chosen.push(found);
        }
    }
    Ok(chosen)
}

/// The type of this name and version.
pub(crate) fn by_name<T: NodeType>(
    tables: &dyn MetadataTables,
    name: &str,
    version: &str,
) -> Result<Option<T>, PortError> {
    if let Some(row) = tables.type_by_name(T::KIND, name, version)? {
        return decode(&row).map(Some);
    }
    let is_known = version.is_empty() && row_names(tables, T::KIND)?.iter().any(|found| found == name);
    Ok(is_known.then(|| T::named(name)))
}

/// The number of the type of this name and version; where nobody registered it, that which a type of runs would have.
pub(crate) fn id_of(
    tables: &dyn MetadataTables,
    kind: NodeKind,
    name: &str,
    version: &str,
) -> Result<i64, PortError> {
    let written = tables.type_by_name(kind, name, version)?;
    Ok(written.map_or_else(|| row_type_id(kind, name), |row| row.id))
}

/// Names and numbers of types, each looked up once.
#[derive(Default)]
pub(crate) struct TypeNames {
    names: HashMap<i64, String>,
    ids: HashMap<String, i64>,
}

impl TypeNames {
    pub(crate) fn name(
        &mut self,
        tables: &dyn MetadataTables,
        kind: NodeKind,
        id: i64,
    ) -> Result<Option<String>, PortError> {
        if let Some(name) = self.names.get(&id) {
            return Ok(Some(name.clone()));
        }
        let mut name = tables.types_by_id(kind, &[id])?.pop().map(|row| row.name);
        if name.is_none() {
            name = row_names(tables, kind)?.into_iter().find(|name| row_type_id(kind, name) == id);
        }
        if let Some(name) = &name {
            self.names.insert(id, name.clone());
        }
        Ok(name)
    }

    /// The number of the type of a row.
    pub(crate) fn id(
        &mut self,
        tables: &dyn MetadataTables,
        kind: NodeKind,
        name: &str,
    ) -> Result<i64, PortError> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        let id = id_of(tables, kind, name, "")?;
        self.ids.insert(name.to_owned(), id);
        Ok(id)
    }
}

/// Clients look for the second half.
fn unmatched(name: &str) -> String {
    format!("holds another type of value than its type declares. Found unmatched property type: {name}")
}

/// Whether properties are declared, and hold what was declared.
pub(crate) fn check_properties(
    declared: &std::collections::BTreeMap<String, i32>,
    given: &Properties,
    word: &str,
) -> Result<(), PortError> {
    use ferroflow_proto::ml_metadata::PropertyType;
    use ferroflow_proto::ml_metadata::value::Value;
    for (name, value) in given {
        let refuse = |why: &str| {
            let message = format!("`properties.{name}` of the {word} {why}");
            Err(PortError::new(ferroflow_ports::ErrorKind::InvalidArgument, message))
        };
        let Some(declared) = declared.get(name) else {
            return refuse("is not declared by its type; use custom_properties, or declare it");
        };
        let held = match &value.value {
            None => return refuse(&unmatched(name)),
            Some(Value::IntValue(_)) => PropertyType::Int,
            Some(Value::DoubleValue(_)) => PropertyType::Double,
            Some(Value::StringValue(_)) => PropertyType::String,
            Some(Value::StructValue(_)) => PropertyType::Struct,
            Some(Value::ProtoValue(_)) => PropertyType::Proto,
            Some(Value::BoolValue(_)) => PropertyType::Boolean,
        };
        if *declared != i32::from(held) {
            return refuse(&unmatched(name));
        }
    }
    Ok(())
}
