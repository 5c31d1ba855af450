//! Tests against texts that kfp SDKs compiled.

mod installer;
