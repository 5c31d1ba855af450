//! The connection to the supervisor: found or started, written by all, read by one.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind as Io};
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ferroflow_ports::{ErrorKind, PortError};
use tokio::net::UnixStream;
use tokio::sync::Notify;

use crate::linux;
use crate::supervisor::SOCKET;
use crate::wire::{Ended, Frames, Known, Message, PROTOCOL};

/// A supervisor answers at once, unless it must first kill what the one before has left.
const WELCOME_PATIENCE: Duration = Duration::from_secs(30);
/// How long tries to reach a supervisor go on before the caller is told.
const REACH_PATIENCE: Duration = Duration::from_secs(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// What the supervisor itself complains of.
const COMPLAINTS: &str = "supervisor.log";

/// How to start a supervisor: this program with these words, then `--data-dir DIR`.
#[derive(Debug, Clone)]
pub struct SupervisorCommand {
    /// The program.
    pub program: PathBuf,
    /// Its first words.
    pub words: Vec<OsString>,
}

/// One connection, as its reader holds it.
#[derive(Debug)]
pub(crate) struct Session {
    stream: Arc<UnixStream>,
    frames: Frames,
    buffer: Vec<u8>,
    /// The supervisor, if it was started here.
    child: Option<Child>,
}

/// What a supervisor knows when a server connects.
#[derive(Debug)]
pub(crate) struct Welcome {
    pub(crate) running: Vec<Known>,
    pub(crate) ended: Vec<Ended>,
}

impl Session {
    /// Connects to the supervisor of this directory, or starts one. Tries again for a while: one may be just ending.
    pub(crate) async fn reach(
        data_dir: &Path,
        command: &SupervisorCommand,
    ) -> Result<(Self, Welcome), PortError> {
        let until = Instant::now() + REACH_PATIENCE;
        let mut pause = Duration::from_millis(2);
        loop {
            match Self::once(data_dir, command).await {
                Err(error) if error.is_retryable() && Instant::now() < until => {
                    tokio::time::sleep(pause).await;
                }
                result => return result,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn once(data_dir: &Path, command: &SupervisorCommand) -> Result<(Self, Welcome), PortError> {
        let (stream, child) = match connect(data_dir) {
            Ok(stream) => (stream, None),
            Err(error) if matches!(error.kind(), Io::NotFound | Io::ConnectionRefused) => {
                spawn(data_dir, command)?
            }
            Err(error) => return Err(unavailable("its socket cannot be connected to").caused_by(error)),
        };
        let stream = stream.set_nonblocking(true).and_then(|()| UnixStream::from_std(stream));
        let stream =
            Arc::new(stream.map_err(|error| unavailable("its socket cannot be used").caused_by(error))?);
        let mut session = Self { stream, frames: Frames::default(), buffer: vec![0; 64 * 1024], child };
        match tokio::time::timeout(WELCOME_PATIENCE, session.receive()).await {
            Ok(Ok(Message::Welcome { protocol: PROTOCOL, running, ended })) => {
                Ok((session, Welcome { running, ended }))
            }
            Ok(Ok(Message::Welcome { protocol, .. })) => Err(PortError::new(
                ErrorKind::FailedPrecondition,
                format!(
                    "tasks of another version of ferroflow still run in `{}` (protocol {protocol}, ours is \
                     {PROTOCOL}); wait for their end with that version",
                    data_dir.display()
                ),
            )),
            Ok(Ok(Message::Refused { reason })) => Err(PortError::new(ErrorKind::FailedPrecondition, reason)),
            Ok(Ok(_)) => Err(unavailable("it does not greet")),
            Ok(Err(error)) => {
                Err(unavailable(&format!("it ended at once ({})", last_complaint(data_dir))).caused_by(error))
            }
            Err(_) => Err(unavailable("it does not answer")),
        }
    }

    /// The next message. An error once the supervisor is gone. Cancelling the call loses nothing.
    pub(crate) async fn receive(&mut self) -> io::Result<Message> {
        loop {
            if let Some(bytes) = self.frames.next().map_err(io::Error::other)? {
                return serde_json::from_slice(bytes).map_err(io::Error::other);
            }
            self.stream.readable().await?;
            match self.stream.try_read(&mut self.buffer) {
                Ok(0) => return Err(Io::UnexpectedEof.into()),
                Ok(read) => self.frames.push(self.buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == Io::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Session {
    /// Takes note of the supervisor's end whenever that comes, so that it does not stay in the table of processes.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            std::thread::spawn(move || child.wait());
        }
    }
}

fn unavailable(what: &str) -> PortError {
    PortError::new(ErrorKind::Unavailable, format!("the supervisor of tasks is out of reach: {what}"))
}

fn connect(data_dir: &Path) -> io::Result<StdStream> {
    let folder = File::open(data_dir)?;
    StdStream::connect(linux::short_path(&folder, SOCKET))
}

fn spawn(data_dir: &Path, command: &SupervisorCommand) -> Result<(StdStream, Option<Child>), PortError> {
    let start = || {
        let (ours, theirs) = StdStream::pair()?;
        let complaints = OpenOptions::new().create(true).append(true).open(data_dir.join(COMPLAINTS))?;
        let child = Command::new(&command.program)
            .args(&command.words)
            .arg("--data-dir")
            .arg(data_dir)
            // Tasks get their variables one by one; the supervisor needs none.
            .env_clear()
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
            .stdout(complaints.try_clone()?)
            .stderr(complaints)
            .spawn()?;
        Ok((ours, Some(child)))
    };
    start().map_err(|error: io::Error| {
        let message =
            format!("the supervisor of tasks cannot be started as `{}`: {error}", command.program.display());
        PortError::new(ErrorKind::FailedPrecondition, message).caused_by(error)
    })
}

fn last_complaint(data_dir: &Path) -> String {
    let text = std::fs::read_to_string(data_dir.join(COMPLAINTS)).unwrap_or_default();
    text.lines().last().unwrap_or("without a word").to_owned()
}

/// The writing side, which outlives single connections.
#[derive(Debug, Default)]
pub(crate) struct Link {
    state: Mutex<State>,
    /// Something waits to be sent, or this end wants to close.
    pub(crate) attention: Notify,
    /// A connection was opened or given up for good.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    stream: Option<Arc<UnixStream>>,
    unsent: Vec<u8>,
    /// Counts connections.
    epoch: u64,
    is_closed: bool,
}

impl State {
    /// Sends as much as is taken. What a broken connection swallows, its reader finds out.
    fn flush(&mut self) {
        let Some(stream) = &self.stream else { return };
        let mut written = 0;
        while let Some(rest) = self.unsent.get(written..).filter(|rest| !rest.is_empty()) {
            match stream.try_write(rest) {
                Ok(more) => written += more,
                Err(error) if error.kind() == Io::WouldBlock => break,
                Err(error) if error.kind() == Io::Interrupted => {}
                Err(_) => written = self.unsent.len(),
            }
        }
        self.unsent.drain(..written);
    }
}

impl Link {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes this connection the one that is written to.
    pub(crate) fn open(&self, session: &Session) {
        self.lock().stream = Some(Arc::clone(&session.stream));
        self.changed.notify_waiters();
    }

    /// The connection broke; what was not sent is lost. Returns the number of the next one.
    pub(crate) fn lose(&self) -> u64 {
        let mut state = self.lock();
        state.stream = None;
        state.unsent.clear();
        state.epoch += 1;
        state.epoch
    }

    /// Lets go for good, after a last try to send what waits.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.flush();
        state.stream = None;
        state.is_closed = true;
        drop(state);
        self.changed.notify_waiters();
        self.attention.notify_one();
    }

    /// Whether [`Self::close`] was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Adds a frame to what is sent with the next one, or soon. Dropped if there is no connection.
    pub(crate) fn send_later(&self, frame: &[u8]) {
        let mut state = self.lock();
        if state.stream.is_some() {
            state.unsent.extend_from_slice(frame);
            drop(state);
            self.attention.notify_one();
        }
    }

    /// Sends what waits.
    pub(crate) fn flush(&self) {
        self.lock().flush();
    }

    /// Sends a frame; once this answers, it is in the hands of the system. `on_sent` is called with the number of the
    /// connection before anything can come back.
    pub(crate) async fn send(&self, frame: &[u8], on_sent: impl FnOnce(u64) + Send) -> Result<(), PortError> {
        let stream = match tokio::time::timeout(WELCOME_PATIENCE, self.queue(frame, on_sent)).await {
            Ok(queued) => queued?,
            Err(_) => return Err(unavailable("it does not answer")),
        };
        let Some(stream) = stream else { return Ok(()) };
        loop {
            // An error means that the connection broke, which the reader deals with.
            let is_broken = stream.writable().await.is_err();
            let mut state = self.lock();
            state.flush();
            if is_broken || state.unsent.is_empty() {
                return Ok(());
            }
        }
    }

    /// The connection, if it did not take all at once.
    async fn queue(
        &self,
        frame: &[u8],
        on_sent: impl FnOnce(u64) + Send,
    ) -> Result<Option<Arc<UnixStream>>, PortError> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.lock();
                if state.is_closed {
                    return Err(PortError::new(ErrorKind::Unavailable, "the executor has been shut down"));
                }
                if state.stream.is_some() {
                    on_sent(state.epoch);
                    state.unsent.extend_from_slice(frame);
                    state.flush();
                    return Ok(if state.unsent.is_empty() { None } else { state.stream.clone() });
                }
            }
            changed.await;
        }
    }
}
