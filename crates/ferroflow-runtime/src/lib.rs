//! The loop that moves runs: load, plan, commit, perform, observe. It knows only the traits of `ferroflow-ports`.
//!
//! One task owns every run that has not ended, so nothing here is locked. The story of a run, in the order of files:
//!
//! 1. `submission`: a checked request becomes a row and a state; its macros are filled in, `id_block` gives it its
//!    first numbers. The client is answered once the row is durable; work begins after.
//! 2. `event_loop`: waits for whatever comes first (a request, a report, an answer, a time), gathers all else that is
//!    at hand, and only then settles: admits, commits, sleeps.
//! 3. `active`: a run in memory. `feed` gives it an event and does what the engine commands in return.
//! 4. `slots` and `admission`: who may start next, fair between runs.
//! 5. `step` and `commit`: everything that happened to a run since its last commit goes into one. At most one commit
//!    of a run is under way; meanwhile attempts start and the next step fills. Reports are acknowledged and clients
//!    answered when the commit that holds them is durable.
//! 6. `perform`: calls to the executor and the store, as futures that end in something `observe` understands; `cache`
//!    says whether an earlier result may be taken over.
//! 7. `observe`: reports become events.
//! 8. `control`: terminate, retry, delete, watch.
//! 9. `recovery`: after a restart a run is its snapshot, the events since, and the commands that were not done.
//! 10. `schedule`: beside the loop, makes runs when it is time for them.
//! 11. `retention`: beside the loop, archives and removes old runs; `garbage`: what removed runs have left.
//!
//! Starting an attempt may be ahead of its commit: after a crash the same attempt is asked for again under the same id,
//! and the executor knows it. A report that arrives before its attempt is known again waits for it (see `observe`).

mod active;
mod admission;
mod cache;
mod commit;
mod control;
mod event_loop;
mod feed;
pub mod garbage;
mod handle;
mod id_block;
mod observe;
mod options;
mod perform;
mod recovery;
mod request;
pub mod retention;
mod schedule;
mod slots;
mod step;
mod submission;

pub use garbage::{Collected, GarbageCollector, GarbageOptions, GarbagePorts, collect};
pub use handle::Runtime;
pub use options::{RuntimeOptions, RuntimePorts};
pub use retention::{Retention, RetentionOptions, RetentionPorts};
pub use schedule::{Scheduler, SchedulerOptions, SchedulerPorts};

pub use ferroflow_engine::schedule::{UnknownZone, Zone, parse_go_duration};
pub use ferroflow_engine::{Semantics, Switch, UnknownSwitch};
