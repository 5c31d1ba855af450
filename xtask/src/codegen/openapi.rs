//! The API as an OpenAPI document: every call of v2beta1 in its HTTP form, and the uploads that no proto knows.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use prost_reflect::prost_types::FileDescriptorProto;
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use serde_json::{Map, Value, json};

use super::routes::{self, Rule};
use super::{Protos, messages};

/// The document as JSON text.
pub(super) fn document(protos: &Protos) -> anyhow::Result<String> {
    let http = protos.pool.get_extension_by_name("google.api.http").context("no annotations")?;
    let mut writer = Writer { comments: comments(&protos.files.file), ..Writer::default() };
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for service in protos.pool.services().filter(|service| service.package_name() == messages::API) {
        for method in service.methods() {
            let mut rule = routes::rule(&method, &http)?;
            rule.path = plain(&rule.path);
            let operation = writer.operation(service.name(), &method, &rule)?;
            paths.entry(rule.path.clone()).or_default().insert(rule.verb.to_ascii_lowercase(), operation);
        }
    }
    for (path, operation) in [
        ("/apis/v2beta1/pipelines/upload", upload("Pipeline", &[])),
        ("/apis/v2beta1/pipelines/upload_version", upload("PipelineVersion", &["pipelineid"])),
    ] {
        paths.entry(path.to_owned()).or_default().insert("post".to_owned(), operation);
    }
    for name in ["Pipeline", "PipelineVersion"] {
        let full = format!("{}.{name}", messages::API);
        let message = protos.pool.get_message_by_name(&full).with_context(|| format!("no `{full}`"))?;
        writer.reference(&message);
    }
    writer.finish(&protos.pool);
    let whole = json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Kubeflow Pipelines API, served by Ferroflow",
            "version": "v2beta1",
            "license": { "name": "Apache-2.0" },
        },
        "paths": paths,
        "components": { "schemas": writer.schemas },
    });
    Ok(format!("{whole:#}\n"))
}

/// The path with the last names of its fields: `{pipeline.pipeline_id}` is the same place as `{pipeline_id}`.
fn plain(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.split_once('.') {
        Some((_, field)) if segment.starts_with('{') => format!("{{{field}"),
        _ => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

fn upload(answer: &str, required: &[&str]) -> Value {
    let mut names = vec!["name", "display_name", "description", "tags", "code_source_url"];
    names.splice(0..0, required.iter().copied());
    let parameters: Vec<Value> = names
        .into_iter()
        .map(|name| {
            let is_required = required.contains(&name);
            json!({ "name": name, "in": "query", "required": is_required, "schema": { "type": "string" } })
        })
        .collect();
    let file = json!({ "type": "string", "format": "binary", "description": "YAML, JSON, zip or tar.gz" });
    json!({
        "operationId": format!("Upload{answer}"),
        "tags": ["PipelineUploadService"],
        "parameters": parameters,
        "requestBody": { "required": true, "content": { "multipart/form-data": { "schema": {
            "type": "object",
            "required": ["uploadfile"],
            "properties": { "uploadfile": file },
        } } } },
        "responses": {
            "200": {
                "description": "what was made",
                "content": { "application/json": { "schema": reference_to(answer) } },
            },
            "default": {
                "description": "why it was refused",
                "content": { "application/json": { "schema": {
                    "type": "object",
                    "properties": {
                        "error_message": { "type": "string" },
                        "error_details": { "type": "string" },
                    },
                } } },
            },
        },
    })
}

fn reference_to(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Comments by the full name of what they stand before.
fn comments(files: &[FileDescriptorProto]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for file in files {
        for place in file.source_code_info.iter().flat_map(|info| &info.location) {
            let text = place.leading_comments().trim();
            if let (false, Some(name)) = (text.is_empty(), name_at(file, &place.path)) {
                found.insert(name, text.lines().map(str::trim).collect::<Vec<_>>().join(" "));
            }
        }
    }
    found
}

/// The full name at a path of field numbers: messages are 4, services 6, fields and calls 2, enums within messages 4.
fn name_at(file: &FileDescriptorProto, path: &[i32]) -> Option<String> {
    let at = |index: i32| usize::try_from(index).ok();
    match path {
        [4, message, rest @ ..] => {
            let message = file.message_type.get(at(*message)?)?;
            let name = format!("{}.{}", file.package(), message.name());
            match rest {
                [] => Some(name),
                [2, field] => Some(format!("{name}.{}", message.field.get(at(*field)?)?.name())),
                _ => None,
            }
        }
        [6, service, 2, call] => {
            let service = file.service.get(at(*service)?)?;
            let call = service.method.get(at(*call)?)?;
            Some(format!("{}.{}.{}", file.package(), service.name(), call.name()))
        }
        _ => None,
    }
}

#[derive(Default)]
struct Writer {
    comments: BTreeMap<String, String>,
    schemas: BTreeMap<String, Value>,
    /// Full names of messages that are referred to and have no schema yet.
    wanted: BTreeSet<String>,
}

impl Writer {
    fn operation(&mut self, service: &str, method: &MethodDescriptor, rule: &Rule) -> anyhow::Result<Value> {
        let request = method.input();
        let in_path: Vec<&str> =
            rule.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.split('}').next()).collect();
        let mut parameters: Vec<Value> = in_path
            .iter()
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        for field in request.fields() {
            let is_body = rule.body.as_deref().is_some_and(|body| body == "*" || body == field.name());
            let is_plain = !field.is_list() && !field.is_map() && field.kind().as_message().is_none();
            if is_plain && !is_body && !in_path.contains(&field.name()) {
                let schema = self.field(&field);
                parameters.push(json!({ "name": field.name(), "in": "query", "schema": schema }));
            }
        }
        let mut operation = json!({
            "operationId": format!("{service}_{}", method.name()),
            "tags": [service],
            "parameters": parameters,
            "responses": {
                "200": {
                    "description": "the answer",
                    "content": { "application/json": { "schema": self.reference(&method.output()) } },
                },
                "default": {
                    "description": "why it was refused",
                    "content": { "application/json": { "schema": status() } },
                },
            },
        });
        let fields = operation.as_object_mut().context("an operation is an object")?;
        if let Some(text) = self.comments.get(method.full_name()) {
            fields.insert("summary".to_owned(), text.as_str().into());
        }
        if let Some(body) = &rule.body {
            let schema = match body.as_str() {
                "*" => self.reference(&request),
                name => self.field(&request.get_field_by_name(name).context("the body is no field")?),
            };
            let content =
                json!({ "required": true, "content": { "application/json": { "schema": schema } } });
            fields.insert("requestBody".to_owned(), content);
        }
        Ok(operation)
    }

    /// A reference to a message's schema, or the schema of one that JSON has a form of its own for.
    fn reference(&mut self, message: &MessageDescriptor) -> Value {
        match message.full_name() {
            "google.protobuf.Empty" | "google.protobuf.Struct" => json!({ "type": "object" }),
            "google.protobuf.Any" => {
                json!({ "type": "object", "properties": { "@type": { "type": "string" } } })
            }
            "google.protobuf.Value" => json!({}),
            "google.protobuf.ListValue" => json!({ "type": "array", "items": {} }),
            "google.protobuf.Timestamp" => json!({ "type": "string", "format": "date-time" }),
            "google.protobuf.Duration" => json!({ "type": "string" }),
            "google.rpc.Status" => status(),
            full => {
                self.wanted.insert(full.to_owned());
                reference_to(schema_name(full))
            }
        }
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        let kind = field.kind();
        if let (true, Kind::Message(entry)) = (field.is_map(), &kind) {
            let value = self.kind(&entry.map_entry_value_field().kind());
            return json!({ "type": "object", "additionalProperties": value });
        }
        let schema = self.kind(&kind);
        if field.is_list() { json!({ "type": "array", "items": schema }) } else { schema }
    }

    fn kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => {
                json!({ "type": "integer", "format": "int32" })
            }
            // JavaScript would lose digits of a number.
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => {
                json!({ "type": "string", "format": "int64" })
            }
            Kind::Float | Kind::Double => json!({ "type": "number" }),
            Kind::String => json!({ "type": "string" }),
            Kind::Bytes => json!({ "type": "string", "format": "byte" }),
            Kind::Enum(values) => enumeration(values),
            Kind::Message(message) => self.reference(message),
        }
    }

    /// Writes the schemas of all messages that are referred to.
    fn finish(&mut self, pool: &prost_reflect::DescriptorPool) {
        while let Some(full) = self.wanted.pop_first() {
            let name = schema_name(&full).to_owned();
            if self.schemas.contains_key(&name) {
                continue;
            }
            let Some(message) = pool.get_message_by_name(&full) else { continue };
            // Reserved first: messages may contain themselves.
            self.schemas.insert(name.clone(), Value::Null);
            let mut properties = Map::new();
            for field in message.fields() {
                let mut schema = self.field(&field);
                let comment = self.comments.get(field.full_name());
                if let (Some(comment), Some(fields)) = (comment, schema.as_object_mut())
                    && !fields.contains_key("$ref")
                {
                    fields.insert("description".to_owned(), comment.as_str().into());
                }
                properties.insert(field.name().to_owned(), schema);
            }
            let mut schema = json!({ "type": "object", "properties": properties });
            if let (Some(comment), Some(fields)) = (self.comments.get(&full), schema.as_object_mut()) {
                fields.insert("description".to_owned(), comment.as_str().into());
            }
            self.schemas.insert(name, schema);
        }
    }
}

/// The name without its package.
fn schema_name(full: &str) -> &str {
    full.strip_prefix(messages::API).map_or(full, |rest| rest.trim_start_matches('.'))
}

fn enumeration(values: &EnumDescriptor) -> Value {
    json!({ "type": "string", "enum": values.values().map(|value| value.name().to_owned()).collect::<Vec<_>>() })
}

fn status() -> Value {
    json!({
        "type": "object",
        "properties": {
            "code": { "type": "integer", "format": "int32" },
            "message": { "type": "string" },
            "details": { "type": "array", "items": {
                "type": "object",
                "properties": { "@type": { "type": "string" } },
            } },
        },
    })
}
