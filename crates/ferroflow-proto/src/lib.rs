//! The wire: KFP's messages as Rust types and tables, generated from the files in `proto/`.
//!
//! - [`v2beta1`] has the messages of the API with the JSON that KFP's REST speaks: proto names out, both spellings in,
//!   no defaults, 64-bit integers as strings, enums by name; unknown fields are errors.
//! - [`ml_metadata`] has the messages of ML Metadata, which is spoken over gRPC alone.
//! - [`protobuf`] and [`rpc`] have the few types of Google that those messages contain.
//! - [`shape`] describes the messages of pipeline files as tables: which fields exist and what they hold.
//! - [`rest`] lists every call of the API with its HTTP form.
//!
//! Nothing here knows what a message means. Pipeline files are read by `ferroflow-spec`, which has typed forms of its
//! own, so there are no Rust types for their messages. Begin with `proto/v2beta1/run.proto`; after a change there,
//! `cargo xtask codegen` writes `src/generated` anew.

mod generated;
pub mod protobuf;
pub mod rest;
pub mod shape;

pub use generated::{ml_metadata, rpc, v2beta1};

/// The HTTP form of the API as an OpenAPI 3.0 document.
pub const OPENAPI: &str = include_str!("generated/openapi.json");

/// Everything in `proto/` as an encoded `google.protobuf.FileDescriptorSet`, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");
