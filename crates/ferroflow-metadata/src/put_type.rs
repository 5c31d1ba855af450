//! Registers types. A type grows only where the caller says so.

use ferroflow_ports::metadata::{MetadataTables, WrittenType};
use ferroflow_ports::{ErrorKind, PortError};
use ferroflow_proto::ml_metadata::PropertyType;

use crate::types::{self, NodeType};

/// What may differ from a stored type.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowed {
    /// More properties.
    pub(crate) add: bool,
    /// Fewer properties; the stored ones stay.
    pub(crate) omit: bool,
}

fn invalid(message: impl Into<String>) -> PortError {
    PortError::new(ErrorKind::InvalidArgument, message)
}

/// Adds a type, or what it has more than the stored one of its name and version. Returns its number.
/// `AlreadyExists` if the two differ in what may not differ.
pub(crate) fn put<T: NodeType>(
    tables: &mut dyn MetadataTables,
    given: &T,
    allowed: Allowed,
) -> Result<i64, PortError> {
    let parts = given.parts();
    if parts.name.is_empty() {
        return Err(invalid("`name` of the type is empty"));
    }
    if let Some((name, _)) =
        parts.properties.iter().find(|(_, held)| **held == i32::from(PropertyType::Unknown))
    {
        return Err(invalid(format!("property `{name}` has the type UNKNOWN; say which it holds")));
    }
    let stored = tables.type_by_name(T::KIND, parts.name, parts.version)?;
    let mut merged = match &stored {
        None => {
            let mut fresh = given.clone();
            if fresh.parts().version.is_empty() {
                *fresh.parts_mut().version = None;
            }
            fresh
        }
        Some(row) => merge(types::decode(row)?, given, allowed)?,
    };
    let id = match &stored {
        Some(row) => row.id,
        None if parts.version.is_empty() && types::is_of_runs(tables, T::KIND, parts.name)? => {
            types::row_type_id(T::KIND, parts.name)
        }
        None => tables.next_type_id()?,
    };
    *merged.parts_mut().id = Some(id);
    let merged_parts = merged.parts();
    let row = WrittenType {
        id,
        name: merged_parts.name.to_owned(),
        version: merged_parts.version.to_owned(),
        external_id: merged_parts.external_id.map(str::to_owned),
        body: merged.encode_to_vec(),
    };
    if stored.as_ref() != Some(&row) {
        tables.put_type(T::KIND, &row)?;
    }
    Ok(id)
}

fn merge<T: NodeType>(mut stored: T, given: &T, allowed: Allowed) -> Result<T, PortError> {
    let differs = |name: &str, why: &str| {
        let message = format!("the type exists already with other properties: `{name}` {why}");
        Err(PortError::new(ErrorKind::AlreadyExists, message))
    };
    let parts = given.parts();
    for (name, held) in stored.parts().properties {
        match parts.properties.get(name) {
            Some(now) if now != held => return differs(name, "holds another type of value"),
            None if !allowed.omit => return differs(name, "is left out, and can_omit_fields is false"),
            _ => {}
        }
    }
    for (name, held) in parts.properties {
        if stored.parts().properties.contains_key(name) {
            continue;
        }
        if !allowed.add {
            return differs(name, "is new, and can_add_fields is false");
        }
        stored.parts_mut().properties.insert(name.clone(), *held);
    }
    let mut given = given.clone();
    stored.take_own(&given);
    let (to, from) = (stored.parts_mut(), given.parts_mut());
    if from.description.is_some() {
        *to.description = from.description.take();
    }
    if from.external_id.is_some() {
        *to.external_id = from.external_id.take();
    }
    Ok(stored)
}

/// Adds several types; their numbers in order.
pub(crate) fn put_all<T: NodeType>(
    tables: &mut dyn MetadataTables,
    given: &[T],
    allowed: Allowed,
) -> Result<Vec<i64>, PortError> {
    given.iter().map(|given| put(tables, given, allowed)).collect()
}
