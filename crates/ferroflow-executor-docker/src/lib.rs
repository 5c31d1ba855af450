//! Tasks in containers of a Docker daemon.
//!
//! What the container of a task is to be is decided by `ferroflow-executor-local`, which writes it down as an order and
//! starts `ferroflow contain FILE` as the task's process. That process is [`contain`]: it fetches the image, makes the
//! environment with the packages, runs the container, passes on what it says, and ends as it ended. [`DockerExecutor`]
//! lives in the server: it removes what such processes leave behind when they are killed. [`Daemon`] is the way to the
//! daemon, for them and for `ferroflow doctor`. Nothing here knows pipelines.

mod contain;
mod copies;
mod credentials;
mod daemon;
mod executor;
mod image;
mod packages;
mod problem;
mod request;

pub use contain::contain;
pub use daemon::{Daemon, DaemonFacts};
pub use executor::DockerExecutor;
pub use problem::{DaemonError, Problem};
