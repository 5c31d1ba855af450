//! Tests of the spec crate through its public face.

mod reference;
