//! Recurring runs: their records, and whoever makes them run.

use async_trait::async_trait;
use ferroflow_model::list::{ListQuery, Page};
use ferroflow_model::record::Failure;
use ferroflow_model::recurring::{RecurringRun, Trigger};
use ferroflow_model::{ExperimentId, RecurringRunId, RunId, Timestamp};

use crate::error::PortError;

type Result<T> = std::result::Result<T, PortError>;

/// Records of recurring runs. That a run was made is noted by [`crate::store::RunStore::create_run`].
#[async_trait]
pub trait RecurringRunStore: Send + Sync {
    /// Adds one. `NotFound` without its experiment, `AlreadyExists` if the id is taken.
    async fn create_recurring_run(&self, recurring_run: RecurringRun) -> Result<()>;
    /// `NotFound` if there is none.
    async fn recurring_run(&self, id: RecurringRunId) -> Result<RecurringRun>;
    /// A page, of one experiment if given. `InvalidArgument` for an unknown key.
    async fn list_recurring_runs(
        &self,
        experiment: Option<ExperimentId>,
        query: ListQuery,
    ) -> Result<Page<RecurringRun>>;
    /// All that are enabled.
    async fn enabled_recurring_runs(&self) -> Result<Vec<RecurringRunId>>;
    /// Runs of it that have not ended.
    async fn unfinished_runs_of(&self, id: RecurringRunId) -> Result<Vec<RunId>>;
    /// Enables or disables it; a change is noted with its time. Idempotent. `NotFound`.
    async fn set_recurring_run_enabled(
        &self,
        id: RecurringRunId,
        is_enabled: bool,
        now: Timestamp,
    ) -> Result<()>;
    /// Stores name, description, arguments, pipeline root, concurrency, trigger, catching up and time of the update as
    /// they are here, and with `is_retimed` the last slot; everything else stays, also what was fired meanwhile. Its
    /// error is forgotten. `NotFound`.
    async fn update_recurring_run(&self, recurring_run: RecurringRun, is_retimed: bool) -> Result<()>;
    /// Notes why the run that is due cannot be made. Not an error if it is gone.
    async fn note_recurring_run_error(&self, id: RecurringRunId, error: Failure) -> Result<()>;
    /// Removes it; its runs stay and keep its id. `NotFound`.
    async fn delete_recurring_run(&self, id: RecurringRunId) -> Result<()>;
}

/// Makes recurring runs run.
pub trait ScheduleControl: Send + Sync {
    /// Whether this can be understood. `InvalidArgument` with all that is wrong.
    fn check(&self, trigger: &Trigger) -> Result<()>;
    /// The record of this one was created, changed or removed: it is to be looked at again. Never waits.
    fn look_at(&self, id: RecurringRunId);
}
