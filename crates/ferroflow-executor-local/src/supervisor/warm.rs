//! Interpreters that wait, loaded, and fork a task when one is wanted.
//!
//! Nobody waits for one to get ready: until it is, and whenever anything is unusual, the task's process is started as
//! every other. What a waiting interpreter is and does is the business of whoever gave its words; the protocol is that
//! of `kfp-runtime/kfp_warm.py`.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpid};
use serde::Serialize;

use super::spawn::{self, Spawned};
use super::{MARK_ATTEMPT, MARK_SUPERVISOR};
use crate::linux;
use crate::wire::{Process, Warm, frame};

/// So many wait at once; the one that was used least recently goes.
const MOST: usize = 8;
/// A fork takes a millisecond.
const PATIENCE: Duration = Duration::from_secs(5);

/// Those of one supervisor.
#[derive(Debug, Default)]
pub(super) struct WarmWorkers {
    /// The one that was used last stands last.
    workers: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    words: Warm,
    pid: Pid,
    socket: UnixStream,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Loading,
    Ready,
    /// It cannot fork and was ended; another one would not do better.
    Unfit,
    /// It has failed and was ended.
    Dead,
}

impl State {
    fn is_alive(self) -> bool {
        matches!(self, Self::Loading | Self::Ready)
    }
}

/// What a worker is asked for.
#[derive(Serialize)]
struct Request<'a> {
    argv: &'a [String],
    cwd: &'a str,
    env: BTreeMap<&'a str, &'a str>,
    log: &'a str,
}

impl WarmWorkers {
    /// Their processes.
    pub(super) fn processes(&self) -> impl Iterator<Item = Pid> {
        self.workers.iter().filter(|worker| worker.state.is_alive()).map(|worker| worker.pid)
    }

    /// The process of an attempt, if a worker for it is ready. If there is none, one begins to load.
    pub(super) fn fork(
        &mut self,
        warm: &Warm,
        process: &Process,
        log: &str,
        supervisor: &str,
        mark: &str,
    ) -> Option<Spawned> {
        let Some(at) = self.workers.iter().position(|worker| worker.words == *warm) else {
            self.load(warm, process, supervisor);
            return None;
        };
        let mut worker = self.workers.remove(at);
        let spawned = worker.fork(process, log, supervisor, mark);
        if worker.state != State::Dead {
            self.workers.push(worker);
        }
        spawned
    }

    fn load(&mut self, warm: &Warm, process: &Process, supervisor: &str) {
        if self.workers.len() >= MOST {
            self.workers.remove(0).end();
        }
        // If it cannot be started, the task tells why it cannot, either.
        if let Ok(worker) = Worker::load(warm, process, supervisor) {
            self.workers.push(worker);
        }
    }
}

impl Worker {
    fn load(warm: &Warm, process: &Process, supervisor: &str) -> Result<Self, String> {
        let (socket, theirs) = UnixStream::pair().map_err(|error| error.to_string())?;
        let timeouts =
            socket.set_read_timeout(Some(PATIENCE)).and_then(|()| socket.set_write_timeout(Some(PATIENCE)));
        timeouts.map_err(|error| error.to_string())?;
        let loading = Process {
            program: process.program.clone(),
            argv: warm.argv.clone(),
            cwd: "/".to_owned(),
            env: warm.env.clone(),
            warm: None,
        };
        let spawned =
            spawn::spawn_with(&loading, OwnedFd::from(theirs).into(), "/dev/null", supervisor, None)?;
        Ok(Self { words: warm.clone(), pid: spawned.pid, socket, state: State::Loading })
    }

    fn fork(&mut self, process: &Process, log: &str, supervisor: &str, mark: &str) -> Option<Spawned> {
        if self.state == State::Loading && self.has_spoken() {
            let is_ready = self.line().is_ok_and(|line| line == "ready");
            self.state = if is_ready { State::Ready } else { State::Unfit };
            if !is_ready {
                self.kill();
            }
        }
        if self.state != State::Ready || spawn::open_log(log).is_err() {
            return None;
        }
        let mut env: BTreeMap<&str, &str> =
            process.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        env.insert(MARK_SUPERVISOR, supervisor);
        env.insert(MARK_ATTEMPT, mark);
        let request = frame(&Request { argv: &process.argv, cwd: &process.cwd, env, log });
        let from_ns = linux::since_boot_ns();
        let answer = self.socket.write_all(&request).and_then(|()| self.line());
        let answer = answer.or_else(|_| {
            // Dead, it says no more. What it had said before it died holds: only then does a task run.
            self.state = State::Dead;
            self.kill();
            self.line()
        });
        let to_ns = linux::since_boot_ns();
        let pid = Pid::from_raw(answer.ok()?.parse().ok()?)?;
        let Ok(watch) = linux::watch(pid) else {
            // Nothing may run that nobody waits for.
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = waitpid(Some(pid), WaitOptions::empty());
            return None;
        };
        Some(Spawned { pid, watch, from_ns, to_ns })
    }

    /// Whether there is something to read, be it the end.
    fn has_spoken(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut wanted = [PollFd::new(&self.socket, PollFlags::IN)];
        poll(&mut wanted, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        loop {
            let mut byte = [0];
            self.socket.read_exact(&mut byte)?;
            match byte {
                [b'\n'] => return Ok(line),
                [byte] => line.push(char::from(byte)),
            }
        }
    }

    fn kill(&self) {
        let _ = kill_process_group(self.pid, Signal::KILL);
        let _ = waitpid(Some(self.pid), WaitOptions::empty());
    }

    fn end(self) {
        if self.state.is_alive() {
            self.kill();
        }
    }
}
