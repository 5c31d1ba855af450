//! Identities. UUIDs name things to clients; int64 ids name them to ML Metadata, cache keys and `execution_id`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id!(
    /// A run.
    RunId
);
uuid_id!(
    /// A task instance in a run; derived from run and path, so it needs no randomness and survives retries.
    TaskId
);
uuid_id!(
    /// A pipeline.
    PipelineId
);
uuid_id!(
    /// A version of a pipeline.
    PipelineVersionId
);
uuid_id!(
    /// An experiment.
    ExperimentId
);
uuid_id!(
    /// A recurring run.
    RecurringRunId
);

macro_rules! integer_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

integer_id!(
    /// Number of a task instance (DAG, loop, iteration or container) among all executions.
    ExecutionId
);
integer_id!(
    /// Number of an artifact.
    ArtifactId
);

/// Task names and iteration indexes from the root down, joined by `/`: `for-loop-2/3/train`. The root is empty.
///
/// A task key never contains `/`, so the text is unambiguous given the pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskPath(String);

impl TaskPath {
    /// From its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts from the root down; none for the root.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }
}

impl fmt::Display for TaskPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RunId {
    /// The run of this name that a client adds to a recurring run: however often it asks, it is one run.
    pub fn added_to(recurring_run: RecurringRunId, name: &str) -> Self {
        Self(Uuid::new_v5(&recurring_run.0, name.as_bytes()))
    }
}

impl TaskId {
    /// The id of the task at `path` in `run`.
    pub fn derive(run: RunId, path: &TaskPath) -> Self {
        Self(Uuid::new_v5(&run.0, path.as_str().as_bytes()))
    }
}

/// One try of one task: repeating a command under the same id is harmless.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId {
    /// The run.
    pub run: RunId,
    /// The task in the run.
    pub path: TaskPath,
    /// 1 for the first try.
    pub attempt: u32,
}

impl AttemptId {
    /// The task's id.
    pub fn task_id(&self) -> TaskId {
        TaskId::derive(self.run, &self.path)
    }

    /// Name of the folder for this attempt's outputs: no attempt ever writes over what another has written.
    pub fn outputs_id(&self) -> Uuid {
        let task = self.task_id().0;
        if self.attempt <= 1 { task } else { Uuid::new_v5(&task, &self.attempt.to_be_bytes()) }
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.run, self.path, self.attempt)
    }
}

impl FromStr for AttemptId {
    type Err = ParseAttemptIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (run, rest) = text.split_once('/').ok_or(ParseAttemptIdError)?;
        let (path, attempt) = rest.rsplit_once('#').ok_or(ParseAttemptIdError)?;
        Ok(Self {
            run: run.parse().map_err(|_| ParseAttemptIdError)?,
            path: TaskPath::new(path),
            attempt: attempt.parse().map_err(|_| ParseAttemptIdError)?,
        })
    }
}

/// The text is not `<run id>/<task path>#<number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an attempt id: expected `<run id>/<task path>#<number>`")]
pub struct ParseAttemptIdError;
