//! Contracts between the loop, the services and the outside world. Traits only; no bodies with logic.
//!
//! [`store`] keeps records, [`executor`] runs attempts, [`artifact`] holds bytes, [`control`] lets services steer runs, [`clock`] tells the time.

pub mod artifact;
pub mod clock;
pub mod control;
pub mod error;
pub mod executor;
pub mod store;

pub use artifact::ArtifactStore;
pub use clock::Clock;
pub use control::{RunControl, SubmitRun};
pub use error::{ErrorKind, PortError};
pub use executor::Executor;
pub use store::Store;
