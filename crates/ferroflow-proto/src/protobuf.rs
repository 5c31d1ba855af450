//! Google's well-known types, as far as the API uses them, with their JSON.
//!
//! Our own, because KFP writes times with `Z` and whole numbers without a fraction, which the ready-made crate does
//! not; it would also build a code generator with every cold build.

mod any;
mod field_mask;
mod timestamp;
pub mod value;

pub use any::Any;
pub use field_mask::FieldMask;
pub use timestamp::Timestamp;
pub use value::{ListValue, Struct, Value};
