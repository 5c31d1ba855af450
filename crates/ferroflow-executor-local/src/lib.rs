//! Tasks as operating-system processes under one supervisor.
//!
//! [`LocalExecutor`] lives in the server; [`run_supervisor`] is a process of its own, one per data directory, that
//! starts user code and outlives the server. Begin with `executor`, then `process` (from an attempt to words, folders
//! and variables) and `supervisor`. What only Linux can do stands in `linux`. Nothing here knows of pipelines or
//! decides about retries. `platform` gives Kubernetes settings a meaning here, `entry` is what some tasks begin with.
//! `container` says what the containers of tasks are to be, for whoever can run them.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "only Linux is supported so far: another platform needs a file beside `linux.rs` with the same functions"
);

mod attempts;
pub mod container;
mod copies;
pub mod entry;
pub mod environment;
mod executor;
mod layout;
mod link;
mod linux;
mod log_stream;
mod mirror;
mod outcome;
mod platform;
mod process;
pub mod python;
mod scratch;
mod supervisor;
mod wire;

pub use executor::{LocalExecutor, LocalOptions};
pub use layout::log_file;
pub use link::SupervisorCommand;
pub use platform::Platform;
pub use python::PythonOptions;
pub use supervisor::{SupervisorError, is_running as is_supervisor_running, run as run_supervisor};
