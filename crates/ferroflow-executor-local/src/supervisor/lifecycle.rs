//! What happens to an attempt: it waits for its folder, runs, is stopped, is cleared up, is reported, is forgotten.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpid};

use super::event_loop::{EventLoop, Source};
use super::log_cap::{Growth, LogCap};
use super::{skeleton, spawn};
use crate::wire::{End, Ended, Message, Prepare, Record, Start, Times};

/// An attempt that lives this long is worth a message, and its log a look.
const FIRST_LOOK: Duration = Duration::from_millis(100);
/// How often a growing log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often a log is looked at that grows by much in that time.
const LOOK_OFTEN: Duration = Duration::from_millis(10);
/// How long leftovers that were killed may take to vanish: the system cannot kill all that waits for a disk.
const PATIENCE: Duration = Duration::from_secs(10);
/// Marks processes that fill a folder; the folder follows.
pub(super) const BUILD_MARK: &str = "build:";

/// An attempt whose process was started.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) context: String,
    pub(super) pid: Pid,
    /// Kept open as long as the end of the process is waited for.
    watch: Option<OwnedFd>,
    times: Times,
    log: LogCap,
    log_path: String,
    /// When TERM is sent by itself, and the limit that this comes from.
    deadline: Option<(Instant, u64)>,
    /// Time between that TERM and KILL.
    timeout_grace: Duration,
    /// When KILL follows a TERM.
    kill_at: Option<Instant>,
    /// Why TERM was sent.
    ending: Option<End>,
    look_at: Option<Instant>,
    was_told: bool,
    /// How the main process ended, once it has; then only leftovers are dying.
    pub(super) end: Option<End>,
    /// When the end is reported although something that cannot die is left.
    report_at: Option<Instant>,
    record: Record,
}

/// A process that fills a folder for one or more attempts.
#[derive(Debug)]
pub(super) struct Build {
    prepare: Prepare,
    pid: Pid,
    _watch: OwnedFd,
    /// When KILL follows a TERM, after all attempts that wait were stopped.
    pub(super) kill_at: Option<Instant>,
}

impl Running {
    pub(super) fn next_wake(&self) -> Option<Instant> {
        if self.end.is_some() {
            return self.report_at;
        }
        [self.deadline.map(|(at, _)| at), self.kill_at, self.look_at].into_iter().flatten().min()
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next_wake().is_some_and(|at| at <= now)
    }

    pub(super) fn look_soon(&mut self, now: Instant) {
        self.look_at = Some(now + LOOK_EVERY);
    }
}

impl EventLoop {
    /// Takes an attempt into safe hands; nothing happens if it is known.
    pub(super) fn start(&mut self, start: Box<Start>) {
        let id = &start.id;
        if self.running.contains_key(id) || self.waiting.contains_key(id) || self.ended.contains_key(id) {
            return;
        }
        let record = Record::Starting { id: id.clone(), context: start.context.clone() };
        if let Err(error) = self.journal.append(&record) {
            let reason = format!("the supervisor's journal cannot be written: {error}");
            self.report(start.id, start.context, End::NotStarted { reason }, Times::default());
            return;
        }
        let started = Some(now_micros());
        match &start.prepare {
            Some(prepare) if !std::path::Path::new(&prepare.ready).exists() => self.prepare(start),
            Some(_) => self.launch(start, Times { started, installed: started, finished: None }),
            None => self.launch(start, Times { started, ..Times::default() }),
        }
    }

    /// Lets the attempt wait until its folder is filled, and begins with that unless it was begun.
    fn prepare(&mut self, start: Box<Start>) {
        let Some(prepare) = start.prepare.clone() else { return };
        let folder = prepare.folder.clone();
        self.waiting.insert(start.id.clone(), start);
        if self.builds.contains_key(&folder) {
            return;
        }
        if let Err(reason) = self.begin_build(prepare) {
            self.fail_waiting(&folder, &reason);
        }
    }

    fn begin_build(&mut self, prepare: Prepare) -> Result<(), String> {
        let cannot = |error: std::io::Error| format!("`{}` cannot be made: {error}", prepare.folder);
        skeleton::make(&prepare).map_err(cannot)?;
        // The log of an earlier try would be taken for this one's.
        let _ = std::fs::remove_file(&prepare.log);
        let mark = format!("{BUILD_MARK}{}", prepare.folder);
        let spawned = spawn::spawn(&prepare.process, &prepare.log, &self.identity, &mark)?;
        self.watch(&spawned.watch, Source::Build(prepare.folder.clone()))
            .map_err(|error| error.to_string())?;
        let build = Build { pid: spawned.pid, _watch: spawned.watch, kill_at: None, prepare };
        self.builds.insert(build.prepare.folder.clone(), build);
        Ok(())
    }

    fn waiting_for(&self, folder: &str) -> Vec<String> {
        let is_waiting =
            |start: &Start| start.prepare.as_ref().is_some_and(|prepare| prepare.folder == folder);
        self.waiting.iter().filter(|(_, start)| is_waiting(start)).map(|(id, _)| id.clone()).collect()
    }

    fn fail_waiting(&mut self, folder: &str, reason: &str) {
        for id in self.waiting_for(folder) {
            let Some(start) = self.waiting.remove(&id) else { continue };
            let log = start.prepare.map(|prepare| prepare.log).unwrap_or_default();
            let times = Times { started: Some(now_micros()), ..Times::default() };
            self.report(id, start.context, End::NotPrepared { reason: reason.to_owned(), log }, times);
        }
    }

    /// The process that fills this folder has ended.
    pub(super) fn build_ended(&mut self, folder: &str) {
        let Some(build) = self.builds.remove(folder) else { return };
        let end = end_of(build.pid);
        self.clear_orphans();
        let made = match end {
            End::Exited { code: 0 } => std::fs::write(&build.prepare.ready, b"")
                .map_err(|error| format!("`{}` cannot be written: {error}", build.prepare.ready)),
            End::Exited { code } => Err(format!("exited with code {code}")),
            End::Signalled { signal } => Err(format!("was killed by signal {signal}")),
            other => Err(format!("ended: {other:?}")),
        };
        if let Err(reason) = made {
            self.fail_waiting(folder, &reason);
            return;
        }
        let installed = Some(now_micros());
        for id in self.waiting_for(folder) {
            if let Some(start) = self.waiting.remove(&id) {
                self.launch(start, Times { started: installed, installed, finished: None });
            }
        }
    }

    /// Starts user code.
    fn launch(&mut self, start: Box<Start>, times: Times) {
        let Start { id, context, process, log, log_cap_bytes, timeout_ms, timeout_grace_ms, .. } = *start;
        let forked = process
            .warm
            .as_ref()
            .and_then(|warm| self.warm_workers.fork(warm, &process, &log, &self.identity, &id));
        let spawned = match forked.map_or_else(|| spawn::spawn(&process, &log, &self.identity, &id), Ok) {
            Ok(spawned) => spawned,
            Err(reason) => return self.report(id, context, End::NotStarted { reason }, times),
        };
        let now = Instant::now();
        let record = Record::Running {
            id: id.clone(),
            pid: spawned.pid.as_raw_nonzero().get(),
            from_ns: spawned.from_ns,
            to_ns: spawned.to_ns,
        };
        // Without this record the process is still found by its mark.
        let _ = self.journal.append(&record);
        let watched = self.watch(&spawned.watch, Source::Attempt(id.clone()));
        let running = Running {
            context,
            pid: spawned.pid,
            watch: Some(spawned.watch),
            times,
            log: LogCap::new(&log, log_cap_bytes),
            log_path: log,
            deadline: timeout_ms
                .and_then(|limit| Some((now.checked_add(Duration::from_millis(limit))?, limit))),
            timeout_grace: Duration::from_millis(timeout_grace_ms),
            kill_at: None,
            ending: None,
            look_at: Some(now + FIRST_LOOK),
            was_told: false,
            end: None,
            report_at: None,
            record,
        };
        self.running.insert(id.clone(), running);
        if watched.is_err() {
            // Nothing would tell of its end, so it must not go on.
            self.attempt_ended(&id);
        }
    }

    /// Something of this attempt is due: its log, its timeout, or the end of its grace.
    pub(super) fn attempt_due(&mut self, id: &str, now: Instant) {
        let Some(running) = self.running.get_mut(id) else { return };
        if running.end.is_some() {
            return self.report_end(id);
        }
        if let Some((_, limit_ms)) = running.deadline.take_if(|(at, _)| *at <= now) {
            running.ending.get_or_insert(End::TimedOut { limit_ms });
            running.kill_at.get_or_insert(now + running.timeout_grace);
            let _ = kill_process_group(running.pid, Signal::TERM);
        }
        if running.kill_at.take_if(|at| *at <= now).is_some() {
            let _ = kill_process_group(running.pid, Signal::KILL);
        }
        if running.look_at.take_if(|at| *at <= now).is_some() {
            running.look_at = match running.log.look() {
                Growth::None => None,
                Growth::Slow => Some(now + LOOK_EVERY),
                Growth::Fast => Some(now + LOOK_OFTEN),
            };
            let started = (!running.was_told).then_some(running.times.started).flatten();
            running.was_told = true;
            let quiet_log = running.look_at.is_none().then(|| running.log_path.clone());
            if let Some(at) = started {
                self.tell(&Message::Started { id: id.to_owned(), at });
            }
            if quiet_log.is_some_and(|path| !self.watch_log(id, &path))
                && let Some(running) = self.running.get_mut(id)
            {
                running.look_at = Some(now + LOOK_EVERY);
            }
        }
    }

    pub(super) fn builds_due(&mut self, now: Instant) {
        for build in self.builds.values_mut() {
            if build.kill_at.take_if(|at| *at <= now).is_some() {
                let _ = kill_process_group(build.pid, Signal::KILL);
            }
        }
    }

    /// Ends an attempt on request.
    pub(super) fn stop(&mut self, id: &str, grace: Duration) {
        if let Some(running) = self.running.get_mut(id) {
            if running.end.is_none() {
                running.ending.get_or_insert(End::Stopped);
                let kill_at = Instant::now() + grace;
                running.kill_at = Some(running.kill_at.map_or(kill_at, |before| before.min(kill_at)));
                let _ = kill_process_group(running.pid, Signal::TERM);
            }
        } else if let Some(start) = self.waiting.remove(id) {
            let folder = start.prepare.map(|prepare| prepare.folder).unwrap_or_default();
            self.report(start.id, start.context, End::Stopped, Times::default());
            if self.waiting_for(&folder).is_empty()
                && let Some(build) = self.builds.get_mut(&folder)
            {
                build.kill_at = Some(Instant::now() + grace);
                let _ = kill_process_group(build.pid, Signal::TERM);
            }
        } else if !self.ended.contains_key(id) {
            // Never seen, or forgotten: in any case it does not run.
            let ended = Ended {
                id: id.to_owned(),
                context: String::new(),
                end: End::Stopped,
                times: Times::default(),
            };
            self.tell(&Message::Ended(ended));
        }
    }

    /// The main process of this attempt has ended; the rest of its group and its orphans follow.
    pub(super) fn attempt_ended(&mut self, id: &str) {
        let Some(running) = self.running.get_mut(id) else { return };
        let end = end_of(running.pid);
        running.times.finished = Some(now_micros());
        running.end = Some(running.ending.take().unwrap_or(end));
        running.report_at = Some(Instant::now() + PATIENCE);
        running.watch = None;
        self.clear_orphans();
    }

    /// Main processes that are waited for.
    pub(super) fn main_processes(&self) -> Vec<Pid> {
        let attempts =
            self.running.values().filter(|running| running.end.is_none()).map(|running| running.pid);
        let builds = self.builds.values().map(|build| build.pid);
        attempts.chain(builds).chain(self.warm_workers.processes()).collect()
    }

    /// Reports the ended attempts of which nothing is left.
    pub(super) fn report_cleared(&mut self) {
        let is_over = |(id, running): (&String, &Running)| {
            (running.end.is_some() && self.orphans.is_clear_of(id)).then(|| id.clone())
        };
        let over: Vec<String> = self.running.iter().filter_map(is_over).collect();
        for id in over {
            self.report_end(&id);
        }
    }

    fn report_end(&mut self, id: &str) {
        if let Some(running) = self.running.remove(id)
            && let Some(end) = running.end
        {
            // A log that stays too long is better than no report.
            let _ = running.log.finish();
            self.report(id.to_owned(), running.context, end, running.times);
        }
    }

    fn report(&mut self, id: String, context: String, end: End, mut times: Times) {
        times.finished.get_or_insert_with(now_micros);
        let ended = Ended { id: id.clone(), context, end, times };
        // If the disk is full, the report lives in this process and in the server that gets it now.
        let _ = self.journal.append(&Record::Ended(ended.clone()));
        self.tell(&Message::Ended(ended.clone()));
        self.ended.insert(id, ended);
    }

    /// The end of this attempt is stored elsewhere.
    pub(super) fn acknowledge(&mut self, id: &str) {
        if self.ended.remove(id).is_none() {
            return;
        }
        // What fails here is only reported once more later.
        let _ = self.journal.append_later(&Record::Acknowledged { id: id.to_owned() });
        let nothing_pending = self.running.is_empty() && self.waiting.is_empty() && self.ended.is_empty();
        if (nothing_pending && self.journal.is_worth_clearing()) || self.journal.is_large() {
            let _ = self.journal.rewrite(&self.live_records());
        }
    }

    /// What the journal must hold.
    fn live_records(&self) -> Vec<Record> {
        let starting =
            |id: &String, context: &str| Record::Starting { id: id.clone(), context: context.to_owned() };
        let running = self
            .running
            .iter()
            .flat_map(|(id, running)| [starting(id, &running.context), running.record.clone()]);
        let waiting = self.waiting.iter().map(|(id, start)| starting(id, &start.context));
        let ended = self.ended.values().cloned().map(Record::Ended);
        running.chain(waiting).chain(ended).collect()
    }
}

/// Waits for a process that has ended, after killing what is left of its group: as long as nobody has waited for it,
/// its id cannot mean anything else.
fn end_of(pid: Pid) -> End {
    let _ = kill_process_group(pid, Signal::KILL);
    match waitpid(Some(pid), WaitOptions::empty()) {
        Ok(Some((_, status))) => match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => End::Exited { code },
            (None, Some(signal)) => End::Signalled { signal },
            (None, None) => End::Lost { reason: "its process ended in an unknown way".to_owned() },
        },
        Ok(None) => End::Lost { reason: "its process ended unseen".to_owned() },
        Err(error) => End::Lost { reason: format!("its process cannot be waited for: {error}") },
    }
}

/// Wall-clock time.
fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
