//! Tasks as operating-system processes under one supervisor.

#[cfg(not(target_os = "linux"))]
compile_error!("only Linux is supported so far: another platform needs a file beside `linux.rs` with the same functions");

mod linux;
pub mod supervisor;
mod wire;
