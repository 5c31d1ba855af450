//! What runs around user code: KFP's task protocol, shared by all executors.
//!
//! `protocol` turns a task attempt into ExecutorInput, command words and expected output files, and reads back
//! what user code wrote. `installer` recognises the installer texts that the kfp SDK emits.
//! Pure: reading and writing files is the executor's part.

pub mod installer;
pub mod protocol;
