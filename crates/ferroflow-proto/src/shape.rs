//! The shapes of messages as tables: names, kinds and numbers of values, for checks that need no Rust type.
//!
//! Four of them are the roots of everything in pipeline files; [`crate::rest`] has those of requests. Begin with [`PIPELINE_SPEC`].

use std::fmt;

use crate::generated::ir_shape;

/// A pipeline: the first document of a file.
pub static PIPELINE_SPEC: &MessageShape = &ir_shape::PIPELINE_SPEC;
/// What the field `deploymentSpec` of a pipeline holds, though that is a [`Kind::Struct`] there.
pub static PIPELINE_DEPLOYMENT_CONFIG: &MessageShape = &ir_shape::PIPELINE_DEPLOYMENT_CONFIG;
/// Settings for platforms: the second document of a file.
pub static PLATFORM_SPEC: &MessageShape = &ir_shape::PLATFORM_SPEC;
/// What each executor of the platform `kubernetes` holds, though that is a [`Kind::Struct`] there.
pub static KUBERNETES_EXECUTOR_CONFIG: &MessageShape = &ir_shape::KUBERNETES_EXECUTOR_CONFIG;

/// A message with its fields.
pub struct MessageShape {
    /// Full name, for example `ml_pipelines.PipelineSpec`.
    pub name: &'static str,
    /// In the order of their numbers.
    pub fields: &'static [FieldShape],
}

/// A field of a message. JSON knows it by both names.
#[derive(Debug, Clone, Copy)]
pub struct FieldShape {
    /// In lowerCamelCase.
    pub json_name: &'static str,
    /// As in the proto file, in most cases snake case.
    pub proto_name: &'static str,
    /// What the field holds; for lists what an item is, for maps what a value is.
    pub kind: Kind,
    /// How many of it.
    pub label: Label,
    /// The oneof that the field belongs to. At most one field of a oneof may be set.
    pub oneof: Option<&'static str>,
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// 32 bits with a sign.
    Int32,
    /// 64 bits with a sign; a string in JSON, a number is accepted.
    Int64,
    /// 32 bits without a sign.
    Uint32,
    /// 64 bits without a sign; a string in JSON, a number is accepted.
    Uint64,
    /// A number of single precision.
    Float,
    /// A number of double precision.
    Double,
    /// Text.
    String,
    /// Bytes; in JSON a string in base64.
    Bytes,
    /// One of some names.
    Enum(&'static EnumShape),
    /// A message.
    Message(&'static MessageShape),
    /// Any JSON object: `google.protobuf.Struct`, or `Any`.
    Struct,
    /// Any JSON: `google.protobuf.Value`.
    Value,
    /// Any JSON array: `google.protobuf.ListValue`.
    ListValue,
    /// Seconds with an `s` behind them, for example `1.5s`.
    Duration,
    /// A time as in RFC 3339.
    Timestamp,
}

/// How many values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// One or none.
    Single,
    /// A list.
    Repeated,
    /// A map. Keys are always strings.
    Map,
}

/// An enum with its values.
pub struct EnumShape {
    /// Full name, for example `ml_pipelines.ParameterType.ParameterTypeEnum`.
    pub name: &'static str,
    /// Names with their numbers.
    pub values: &'static [(&'static str, i32)],
}

/// Only the name: shapes may contain themselves.
impl fmt::Debug for MessageShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl fmt::Debug for EnumShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl MessageShape {
    /// The field of this name, in either spelling.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static FieldShape> {
        self.fields.iter().find(|field| field.json_name == name || field.proto_name == name)
    }
}

/// For the tables: a field outside of oneofs.
pub(crate) const fn field(
    json_name: &'static str,
    proto_name: &'static str,
    kind: Kind,
    label: Label,
) -> FieldShape {
    FieldShape { json_name, proto_name, kind, label, oneof: None }
}

impl FieldShape {
    /// For the tables: the same field inside of a oneof.
    pub(crate) const fn in_oneof(self, name: &'static str) -> Self {
        Self { oneof: Some(name), ..self }
    }
}
