//! After a supervisor was killed: what it had started is stopped, and reported as lost.
//!
//! Processes are found by what the journal says (id and start time must both fit, for ids are used again) and by the
//! mark in their environment. Only here are all processes of the machine looked at.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal};

use super::MARK_SUPERVISOR;
use super::journal::{Journal, Remembered};
use crate::linux;
use crate::wire::{End, Ended, Record, Times};

/// How long a killed process may take to vanish before we go on without it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Stops what is left and returns all reports that were not acknowledged, those of lost attempts last.
pub(super) fn recover(
    journal: &mut Journal,
    remembered: Remembered,
    boot: &str,
    supervisor: &str,
) -> Vec<Ended> {
    let Remembered { in_flight, mut ended, boot: boot_before } = remembered;
    if in_flight.is_empty() {
        return ended;
    }
    let reason = if boot_before == boot {
        let leaders: Vec<Pid> = in_flight
            .values()
            .filter_map(|attempt| attempt.process)
            .filter_map(|(pid, from, to)| {
                let pid = Pid::from_raw(pid)?;
                linux::is_same_process(pid, from, to).then_some(pid)
            })
            .collect();
        stop_all(&leaders, supervisor);
        "the supervisor was killed, and the task was stopped with it"
    } else {
        "the machine was restarted while the task ran"
    };
    for (id, attempt) in in_flight {
        let end = End::Lost { reason: reason.to_owned() };
        let lost = Ended { id, context: attempt.context, end, times: Times::default() };
        // If it cannot be written (the disk is full, say), the same is found out once more next time.
        let _ = journal.append(&Record::Ended(lost.clone()));
        ended.push(lost);
    }
    ended
}

/// Kills the groups of `leaders` and whatever carries our mark, until nothing is found any more.
fn stop_all(leaders: &[Pid], supervisor: &str) {
    let until = Instant::now() + PATIENCE;
    for leader in leaders {
        let _ = rustix::process::kill_process_group(*leader, Signal::KILL);
    }
    let mut targets = leaders.to_vec();
    loop {
        targets.extend(marked(supervisor));
        if targets.is_empty() || Instant::now() >= until {
            return;
        }
        let watches: Vec<_> = targets.drain(..).filter_map(|pid| linux::watch(pid).ok()).collect();
        for watch in &watches {
            linux::signal_watched(watch, Signal::KILL);
        }
        for watch in &watches {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = rustix::time::Timespec::try_from(left).ok();
            let _ = poll(&mut [PollFd::new(watch, PollFlags::IN)], timeout.as_ref());
        }
    }
}

/// Living processes that this data directory's supervisor has started, directly or through others.
fn marked(supervisor: &str) -> Vec<Pid> {
    let own = rustix::process::getpid();
    let is_marked = |pid: &Pid| linux::start_variable(*pid, MARK_SUPERVISOR).as_deref() == Some(supervisor);
    linux::all_processes().into_iter().filter(|pid| *pid != own && is_marked(pid)).collect()
}
