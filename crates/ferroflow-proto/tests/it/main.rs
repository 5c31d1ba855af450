//! The generated types and tables against the descriptors, with prost-reflect as the judge of proto JSON.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fuzz;
mod json;
mod oracle;
mod sample;
mod tables;

use prost_reflect::DescriptorPool;

/// Package of the API.
const API: &str = "kubeflow.pipelines.backend.api.v2beta1";

/// Everything in `proto/`.
fn pool() -> DescriptorPool {
    DescriptorPool::decode(include_bytes!("../../src/generated/descriptors.bin").as_slice()).unwrap()
}
