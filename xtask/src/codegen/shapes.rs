//! Messages as tables of shapes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, bail, ensure};
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::Protos;

/// The messages of pipeline files that others do not contain.
const ROOTS: [&str; 4] = [
    "kfp_kubernetes.KubernetesExecutorConfig",
    "ml_pipelines.PipelineDeploymentConfig",
    "ml_pipelines.PipelineSpec",
    "ml_pipelines.PlatformSpec",
];

/// The table for pipeline files.
pub(super) fn pipeline_files(protos: &Protos) -> anyhow::Result<String> {
    let mut tables = Tables::default();
    let mut text = String::from("use crate::shape::{EnumShape, Kind, Label, MessageShape, field};\n\n");
    for name in ROOTS {
        let root = protos.pool.get_message_by_name(name).with_context(|| format!("no message `{name}`"))?;
        tables.message(&root)?;
    }
    text.push_str(&tables.text());
    Ok(text)
}

/// Tables of messages and enums by the names of their statics.
#[derive(Default)]
pub(super) struct Tables(BTreeMap<String, Table>);

struct Table {
    /// Full name of the message or enum.
    owner: String,
    text: String,
}

impl Tables {
    /// Adds the table of a message and of all that it contains; answers with the name of its static.
    pub(super) fn message(&mut self, message: &MessageDescriptor) -> anyhow::Result<String> {
        let (name, is_new) = self.reserve(message.full_name(), message.package_name())?;
        if is_new {
            let mut text = format!(
                "pub(crate) static {name}: MessageShape = MessageShape {{ name: {:?}, fields: &[",
                message.full_name()
            );
            for field in message.fields() {
                text.push_str(&self.field(&field)?);
            }
            text.push_str("] };\n\n");
            self.fill(&name, text);
        }
        Ok(name)
    }

    /// All tables as Rust.
    pub(super) fn text(self) -> String {
        self.0.into_values().map(|table| table.text).collect()
    }

    fn field(&mut self, field: &FieldDescriptor) -> anyhow::Result<String> {
        let (label, kind) = match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let key = entry.map_entry_key_field().kind();
                ensure!(
                    key == Kind::String,
                    "`{}`: only maps with strings as keys are known",
                    field.full_name()
                );
                ("Map", self.kind(&entry.map_entry_value_field())?)
            }
            _ if field.is_list() => ("Repeated", self.kind(field)?),
            _ => ("Single", self.kind(field)?),
        };
        let oneof = match field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
            Some(oneof) => format!(".in_oneof({:?})", oneof.name()),
            None => String::new(),
        };
        let (json, proto) = (field.json_name(), field.name());
        Ok(format!("field({json:?}, {proto:?}, Kind::{kind}, Label::{label}){oneof},"))
    }

    fn kind(&mut self, field: &FieldDescriptor) -> anyhow::Result<String> {
        Ok(match field.kind() {
            Kind::Bool => "Bool".to_owned(),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "Int32".to_owned(),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "Int64".to_owned(),
            Kind::Uint32 | Kind::Fixed32 => "Uint32".to_owned(),
            Kind::Uint64 | Kind::Fixed64 => "Uint64".to_owned(),
            Kind::Float => "Float".to_owned(),
            Kind::Double => "Double".to_owned(),
            Kind::String => "String".to_owned(),
            Kind::Bytes => "Bytes".to_owned(),
            Kind::Enum(values) => format!("Enum(&{})", self.enumeration(&values)?),
            Kind::Message(message) => match message.full_name() {
                "google.protobuf.Any" | "google.protobuf.Struct" => "Struct".to_owned(),
                "google.protobuf.Value" => "Value".to_owned(),
                "google.protobuf.ListValue" => "ListValue".to_owned(),
                "google.protobuf.Duration" => "Duration".to_owned(),
                "google.protobuf.Timestamp" => "Timestamp".to_owned(),
                name if name.starts_with("google.protobuf.") => bail!("`{name}` has no kind of its own yet"),
                _ => format!("Message(&{})", self.message(&message)?),
            },
        })
    }

    fn enumeration(&mut self, values: &EnumDescriptor) -> anyhow::Result<String> {
        let (name, is_new) = self.reserve(values.full_name(), values.package_name())?;
        if is_new {
            let mut text =
                format!("static {name}: EnumShape = EnumShape {{ name: {:?}, values: &[", values.full_name());
            for value in values.values() {
                write!(text, "({:?}, {}),", value.name(), value.number())?;
            }
            text.push_str("] };\n\n");
            self.fill(&name, text);
        }
        Ok(name)
    }

    /// The name of the static, and whether its table is still to be filled. Reserved before filling: messages may
    /// contain themselves.
    fn reserve(&mut self, full_name: &str, package: &str) -> anyhow::Result<(String, bool)> {
        let name = static_name(full_name.strip_prefix(package).unwrap_or(full_name));
        if let Some(table) = self.0.get(&name) {
            ensure!(table.owner == full_name, "`{full_name}` and `{}` would share a table", table.owner);
            return Ok((name, false));
        }
        self.0.insert(name.clone(), Table { owner: full_name.to_owned(), text: String::new() });
        Ok((name, true))
    }

    fn fill(&mut self, name: &str, text: String) {
        if let Some(table) = self.0.get_mut(name) {
            table.text = text;
        }
    }
}

/// `.PipelineTaskSpec.RetryPolicy` becomes `PIPELINE_TASK_SPEC_RETRY_POLICY`.
fn static_name(path: &str) -> String {
    let mut name = String::new();
    let mut before = '.';
    for character in path.trim_start_matches('.').chars() {
        if character == '.' || (character.is_uppercase() && before.is_lowercase()) {
            name.push('_');
        }
        if character != '.' {
            name.push(character.to_ascii_uppercase());
        }
        before = character;
    }
    name
}
