//! `google.protobuf.FieldMask`: which fields a request is about.

/// Names of fields.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct FieldMask {
    /// Dotted paths, such as `properties.owner`.
    #[prost(string, repeated, tag = "1")]
    pub paths: Vec<String>,
}
