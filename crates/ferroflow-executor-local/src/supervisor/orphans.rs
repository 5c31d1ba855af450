//! What user code leaves behind: processes in other groups and sessions, whose parent has ended.
//!
//! They become children of the supervisor (the kernel sees to it) and carry their attempt's mark. As in a container,
//! the end of the main process is the end of everything.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, Signal, WaitOptions, waitpid};

use super::MARK_ATTEMPT;
use crate::linux::{self, Children};

/// A process that was told to die.
#[derive(Debug)]
pub(super) struct Orphan {
    pub(super) pid: Pid,
    /// Readable once it has ended.
    pub(super) watch: OwnedFd,
}

/// Finds and kills.
#[derive(Debug)]
pub(super) struct Orphans {
    children: Children,
    /// Killed but not yet gone, by process id.
    dying: HashMap<i32, Option<String>>,
}

impl Orphans {
    pub(super) fn new() -> Self {
        Self { children: Children::new(), dying: HashMap::new() }
    }

    /// Kills the orphans of attempts that are over and waits for those that have ended. `is_main` tells the processes
    /// that are waited for elsewhere, `may_live` whether an orphan of this attempt (`None`: unknown) is left alone.
    /// Returns what was killed now, to be watched.
    pub(super) fn sweep(
        &mut self,
        is_main: impl Fn(Pid) -> bool,
        may_live: impl Fn(Option<&str>) -> bool,
    ) -> Vec<Orphan> {
        let mut killed = Vec::new();
        for pid in self.children.list() {
            if is_main(pid) || self.dying.contains_key(&pid.as_raw_nonzero().get()) {
                continue;
            }
            if matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(Some(_)) | Err(_)) {
                continue;
            }
            let owner = linux::start_variable(pid, MARK_ATTEMPT);
            if may_live(owner.as_deref()) {
                continue;
            }
            if let Ok(watch) = linux::watch(pid) {
                linux::signal_watched(&watch, Signal::KILL);
                self.dying.insert(pid.as_raw_nonzero().get(), owner);
                killed.push(Orphan { pid, watch });
            }
        }
        killed
    }

    /// A killed one has ended.
    pub(super) fn reap(&mut self, pid: Pid) {
        let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        self.dying.remove(&pid.as_raw_nonzero().get());
    }

    /// Whether anything of this attempt, or of unknown origin, is still dying.
    pub(super) fn is_clear_of(&self, attempt: &str) -> bool {
        !self.dying.values().any(|owner| owner.as_deref().is_none_or(|owner| owner == attempt))
    }
}
