//! What `cargo xtask codegen` writes. Edit the files in `proto/` instead.

pub(crate) mod ir_shape;
pub(crate) mod rest;

/// ML Metadata: package `ml_metadata`.
#[expect(missing_docs, clippy::pedantic, clippy::large_enum_variant, reason = "generated")]
pub mod ml_metadata;

/// Errors as values: package `google.rpc`.
#[expect(clippy::allow_attributes, reason = "generated")]
pub mod rpc;

/// The API: package `kubeflow.pipelines.backend.api.v2beta1`.
#[expect(missing_docs, clippy::allow_attributes, clippy::pedantic, reason = "generated")]
pub mod v2beta1;
