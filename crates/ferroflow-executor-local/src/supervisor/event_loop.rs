//! Waits for the server, for processes, for logs and for the clock, in one thread.
//!
//! What happens to attempts is in `lifecycle`; here is only how it becomes known.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::process::Pid;
use rustix::time::Timespec;

use super::connection::Connection;
use super::journal::Journal;
use super::lifecycle::{Build, Running};
use super::log_watch::LogWatch;
use super::orphans::{Orphan, Orphans};
use super::warm::WarmWorkers;
use crate::wire::{Ended, Known, Message, PROTOCOL, Request, Start, frame};

/// Ended children of running tasks are collected this often at least, so that ids do not run out.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// What an event is about.
#[derive(Debug)]
pub(super) enum Source {
    /// The main process of an attempt.
    Attempt(String),
    /// The process that fills this folder.
    Build(String),
    /// A process that was left behind.
    Orphan(Orphan),
}

/// The whole state of a supervisor.
#[derive(Debug)]
pub(super) struct EventLoop {
    /// The data directory; marks everything that is started.
    pub(super) identity: String,
    pub(super) journal: Journal,
    pub(super) orphans: Orphans,
    pub(super) logs: LogWatch,
    pub(super) warm_workers: WarmWorkers,
    /// Attempts whose main process runs, or whose leftovers are dying.
    pub(super) running: BTreeMap<String, Running>,
    /// Attempts that wait for a folder, by id.
    pub(super) waiting: BTreeMap<String, Box<Start>>,
    /// Processes that fill folders, by folder.
    pub(super) builds: BTreeMap<String, Build>,
    /// Reports that nobody has acknowledged.
    pub(super) ended: BTreeMap<String, Ended>,
    sources: HashMap<u64, Source>,
    connection: Option<Connection>,
    listener: UnixListener,
    epoll: OwnedFd,
    buffer: Vec<u8>,
    next_token: u64,
    sweep_at: Option<Instant>,
}

const LISTENER: u64 = 0;
const CONNECTION: u64 = 1;
const LOGS: u64 = 2;
const FIRST_FREE: u64 = 3;

impl EventLoop {
    pub(super) fn new(
        identity: String,
        journal: Journal,
        ended: Vec<Ended>,
        listener: UnixListener,
    ) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        Ok(Self {
            identity,
            journal,
            orphans: Orphans::new(),
            logs: LogWatch::default(),
            warm_workers: WarmWorkers::default(),
            running: BTreeMap::new(),
            waiting: BTreeMap::new(),
            builds: BTreeMap::new(),
            ended: ended.into_iter().map(|ended| (ended.id.clone(), ended)).collect(),
            sources: HashMap::new(),
            connection: None,
            listener,
            epoll,
            buffer: vec![0; 64 * 1024],
            next_token: FIRST_FREE,
            sweep_at: None,
        })
    }

    /// Serves until nobody is connected and nothing runs.
    pub(super) fn run(mut self, first: Option<UnixStream>) -> io::Result<()> {
        if let Some(stream) = first {
            self.connect(stream)?;
        } else {
            // Started by hand or by a server that lost the race: give it a moment to come by the socket.
            self.wait_for_events(Some(Duration::from_secs(5)))?;
        }
        while self.connection.is_some() || !self.is_idle() {
            let timeout = self.next_wake().map(|at| at.saturating_duration_since(Instant::now()));
            self.wait_for_events(timeout)?;
            self.on_clock(Instant::now());
        }
        // What cannot be written is reported once more to the next server.
        let _ = self.journal.flush();
        Ok(())
    }

    /// Whether nothing runs.
    fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty() && self.builds.is_empty()
    }

    fn next_wake(&self) -> Option<Instant> {
        let attempts = self.running.values().filter_map(Running::next_wake);
        let builds = self.builds.values().filter_map(|build| build.kill_at);
        attempts.chain(builds).chain(self.sweep_at).min()
    }

    fn wait_for_events(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout
            .map(|timeout| Timespec::try_from(timeout).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 }));
        let mut events = Vec::with_capacity(32);
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        // A report of an end that came together with a request is handled first: the request may need its slot.
        events.sort_by_key(|event: &Event| std::cmp::Reverse(event.data.u64()));
        for event in events {
            let (token, flags) = (event.data.u64(), event.flags);
            match token {
                LISTENER => self.on_listener(),
                CONNECTION => self.on_connection(flags),
                LOGS => self.on_log_growth(),
                token => self.on_process(token),
            }
        }
        Ok(())
    }

    fn on_listener(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            // A connection that breaks at once is as good as none.
            let _ = self.connect(stream);
        }
    }

    /// The newest connection wins: its server holds the directory now. What the one before has sent still counts.
    fn connect(&mut self, stream: UnixStream) -> io::Result<()> {
        if self.connection.is_some() {
            self.on_connection(EventFlags::IN);
            self.connection = None;
        }
        let connection = Connection::new(stream)?;
        epoll::add(&self.epoll, &connection, EventData::new_u64(CONNECTION), EventFlags::IN)?;
        self.connection = Some(connection);
        let running = self.running.iter().map(|(id, running)| (id, running.context.as_str()));
        let waiting = self.waiting.iter().map(|(id, start)| (id, start.context.as_str()));
        let known = |(id, context): (&String, &str)| Known { id: id.clone(), context: context.to_owned() };
        let welcome = Message::Welcome {
            protocol: PROTOCOL,
            running: running.chain(waiting).map(known).collect(),
            ended: self.ended.values().cloned().collect(),
        };
        self.tell(&welcome);
        Ok(())
    }

    /// Sends to the server, if there is one.
    pub(super) fn tell(&mut self, message: &Message) {
        let Some(connection) = &mut self.connection else { return };
        let was_waiting = connection.is_waiting();
        connection.send(&frame(message));
        if connection.is_waiting() && !was_waiting {
            self.await_space(true);
        }
    }

    fn await_space(&mut self, wanted: bool) {
        let Some(connection) = &self.connection else { return };
        let flags = if wanted { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        // The descriptor is registered, so this cannot fail.
        let _ = epoll::modify(&self.epoll, connection, EventData::new_u64(CONNECTION), flags);
    }

    fn on_connection(&mut self, flags: EventFlags) {
        let Some(connection) = &mut self.connection else { return };
        if flags.contains(EventFlags::OUT) {
            connection.flush();
            if !connection.is_waiting() {
                self.await_space(false);
            }
        }
        if !flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            return;
        }
        let Some(connection) = &mut self.connection else { return };
        let is_open = connection.receive(&mut self.buffer);
        let requests = take_requests(connection);
        let is_sound = requests.is_ok();
        for request in requests.unwrap_or_default() {
            self.on_request(request);
        }
        if !(is_open && is_sound) {
            self.connection = None;
        }
    }

    fn on_request(&mut self, request: Request) {
        match request {
            Request::Start(start) => self.start(start),
            Request::Stop { id, grace_ms } => self.stop(&id, Duration::from_millis(grace_ms)),
            Request::Acknowledge { id } => self.acknowledge(&id),
        }
    }

    fn on_process(&mut self, token: u64) {
        match self.sources.remove(&token) {
            Some(Source::Attempt(id)) => self.attempt_ended(&id),
            Some(Source::Build(folder)) => self.build_ended(&folder),
            Some(Source::Orphan(orphan)) => {
                self.orphans.reap(orphan.pid);
                self.clear_orphans();
            }
            None => {}
        }
    }

    fn on_log_growth(&mut self) {
        let grown = self.logs.take_grown();
        for id in grown {
            if let Some(running) = self.running.get_mut(&id) {
                running.look_soon(Instant::now());
            }
        }
    }

    fn on_clock(&mut self, now: Instant) {
        let due: Vec<String> = self
            .running
            .iter()
            .filter(|(_, running)| running.is_due(now))
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            self.attempt_due(&id, now);
        }
        self.builds_due(now);
        match self.sweep_at {
            _ if self.running.is_empty() => self.sweep_at = None,
            Some(at) if at > now => {}
            before => {
                self.sweep_at = Some(now + SWEEP_EVERY);
                if before.is_some() {
                    self.clear_orphans();
                }
            }
        }
    }

    /// Tells `source` once `watch` is readable.
    pub(super) fn watch(&mut self, watch: impl AsFd, source: Source) -> io::Result<()> {
        let token = self.register(watch)?;
        self.sources.insert(token, source);
        Ok(())
    }

    fn register(&mut self, watch: impl AsFd) -> io::Result<u64> {
        let token = self.next_token;
        epoll::add(&self.epoll, watch, EventData::new_u64(token), EventFlags::IN)?;
        self.next_token += 1;
        Ok(token)
    }

    /// Kills what ended attempts left behind, and reports the attempts of which nothing is left.
    pub(super) fn clear_orphans(&mut self) {
        let mains: Vec<Pid> = self.main_processes();
        let running = &self.running;
        let builds = &self.builds;
        let is_alive = |owner: &str| {
            running.get(owner).is_some_and(|running| running.end.is_none())
                || owner
                    .strip_prefix(super::lifecycle::BUILD_MARK)
                    .is_some_and(|folder| builds.contains_key(folder))
        };
        let anything_runs = running.values().any(|running| running.end.is_none()) || !builds.is_empty();
        let may_live = |owner: Option<&str>| owner.map_or(anything_runs, is_alive);
        let killed = self.orphans.sweep(|pid| mains.contains(&pid), may_live);
        for orphan in killed {
            match self.register(&orphan.watch) {
                Ok(token) => {
                    self.sources.insert(token, Source::Orphan(orphan));
                }
                Err(_) => self.orphans.reap(orphan.pid),
            }
        }
        self.report_cleared();
    }

    /// Asks to be told when this log grows; false if that cannot be had.
    pub(super) fn watch_log(&mut self, id: &str, path: &str) -> bool {
        match self.logs.add(id, path) {
            Ok(Some(new)) => epoll::add(&self.epoll, new, EventData::new_u64(LOGS), EventFlags::IN).is_ok(),
            Ok(None) => true,
            Err(_) => false,
        }
    }
}

/// The requests that have arrived whole. An error if the other end does not speak our language.
fn take_requests(connection: &mut Connection) -> Result<Vec<Request>, ()> {
    let mut requests = Vec::new();
    while let Some(bytes) = connection.frames.next().map_err(drop)? {
        requests.push(serde_json::from_slice(bytes).map_err(drop)?);
    }
    Ok(requests)
}
