//! States of runs and tasks.

use serde::{Deserialize, Serialize};

macro_rules! named_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// The name on the wire and in the store.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The state of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

named_enum! {
    /// State of a run: KFP's `RuntimeState`.
    RunStatus {
        /// Accepted, nothing started.
        Pending = "PENDING",
        /// At work.
        Running = "RUNNING",
        /// Ended well.
        Succeeded = "SUCCEEDED",
        /// Never needed to run.
        Skipped = "SKIPPED",
        /// Ended badly, or was terminated.
        Failed = "FAILED",
        /// Asked to end; tasks are being stopped.
        Canceling = "CANCELING",
        /// Unused by default: clients of KFP wait for ever on it.
        Canceled = "CANCELED",
        /// Unused so far.
        Paused = "PAUSED",
    }
}

impl RunStatus {
    /// Whether nothing more will happen without a request.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Skipped | Self::Failed | Self::Canceled)
    }
}

named_enum! {
    /// State of a task instance.
    TaskStatus {
        /// Waits for upstream tasks, a free slot or the next retry.
        Pending = "PENDING",
        /// At work, or (for groups) some task in it may be.
        Running = "RUNNING",
        /// Ended well.
        Succeeded = "SUCCEEDED",
        /// Results were taken over from an earlier execution.
        Cached = "CACHED",
        /// Not run: its condition was false or an upstream task did not succeed.
        Skipped = "SKIPPED",
        /// Ended badly.
        Failed = "FAILED",
        /// Stopped, or never started, since the run was terminated.
        Canceled = "CANCELED",
    }
}

impl TaskStatus {
    /// Whether the task has ended, however.
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    /// Whether its outputs may be used.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Cached)
    }
}

named_enum! {
    /// What a task instance is.
    TaskKind {
        /// The pipeline itself.
        Root = "ROOT",
        /// A group or sub-pipeline.
        Dag = "DAG",
        /// A loop: its children are iterations.
        Loop = "LOOP",
        /// One pass of a loop.
        Iteration = "ITERATION",
        /// User code.
        Container = "CONTAINER",
        /// Brings in an artifact.
        Importer = "IMPORTER",
    }
}

named_enum! {
    /// Whether a run or experiment is in the archive.
    StorageState {
        /// In the normal lists.
        Available = "AVAILABLE",
        /// Put away.
        Archived = "ARCHIVED",
    }
}
