//! Contracts between the loop, the services and the outside world. Traits only; no bodies with logic.
//!
//! [`store`] keeps records, [`executor`] runs attempts, [`artifact`] holds bytes, [`package`] fetches pipelines of the web, [`control`] lets services steer runs, [`retention`] finds old ones, [`garbage`] what they have left, [`clock`] tells the time.
//! [`metadata`] keeps what clients of ML Metadata write, [`view`] answers what screens ask, [`change`] tells what was committed, [`system`] what the installation is made of.

pub mod artifact;
pub mod change;
pub mod clock;
pub mod control;
pub mod error;
pub mod executor;
pub mod garbage;
pub mod metadata;
pub mod package;
pub mod recurring;
pub mod retention;
pub mod store;
pub mod system;
pub mod view;

pub use artifact::ArtifactStore;
pub use change::{Change, ChangeFeed, Happening};
pub use clock::Clock;
pub use control::{RunControl, SubmitRun};
pub use error::{ErrorKind, PortError};
pub use executor::Executor;
pub use metadata::MetadataStore;
pub use package::PackageFetcher;
pub use recurring::{RecurringRunStore, ScheduleControl};
pub use store::Store;
pub use system::{Fact, SystemFacts};
pub use view::Views;
