//! The supervisor: one small process per data directory that starts user code, waits for it and keeps its reports.
//!
//! It outlives the server, so that a task which went on or finished meanwhile is adopted and never run again; its
//! journal outlives it, so that nothing runs unseen. It has one thread, sleeps unless something happens, and knows
//! nothing of pipelines: words, folders and an opaque text go in, exit codes come out.
//! Begin with [`run`], then `event_loop`.

mod connection;
mod event_loop;
mod journal;
mod lifecycle;
pub(crate) mod log_cap;
mod log_watch;
mod orphans;
mod recovery;
pub(crate) mod skeleton;
mod spawn;
mod warm;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::fs::FlockOperation;

use crate::linux;
use crate::wire::{Message, frame};
use event_loop::EventLoop;
use journal::Journal;

/// Name of the socket in the data directory.
pub(crate) const SOCKET: &str = "supervisor.sock";
const LOCK: &str = "supervisor.lock";
const JOURNAL: &str = "supervisor.journal";

/// Variable by which processes of this data directory are found again; its value is the directory.
pub(crate) const MARK_SUPERVISOR: &str = "FERROFLOW_SUPERVISOR";
/// Variable that tells to which attempt a process belongs.
pub(crate) const MARK_ATTEMPT: &str = "FERROFLOW_ATTEMPT";

/// Why a supervisor cannot work.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// A file or socket of its own is out of reach.
    #[error("the supervisor cannot {what} in `{data_dir}`")]
    Io {
        /// What it wanted to do.
        what: &'static str,
        /// Where.
        data_dir: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Serves the data directory until no server is connected and nothing runs. Returns at once if another supervisor
/// serves it already. The server that starts this process may hand over one end of a socket pair as standard input:
/// that is its connection.
///
/// Must be the whole program: it makes itself a session of its own and the parent of all orphans below it.
pub fn run(data_dir: &Path) -> Result<(), SupervisorError> {
    let failed = |what| {
        let data_dir = data_dir.display().to_string();
        move |source: io::Error| SupervisorError::Io { what, data_dir, source }
    };
    // Fails only if it leads a session already.
    let _ = rustix::process::setsid();
    let first = inherited().map_err(failed("take over its first connection"))?;
    match set_up(data_dir).map_err(|(what, source)| failed(what)(source)) {
        // The lock lasts as long as this process works.
        Ok(Some((_lock, event_loop))) => event_loop.run(first).map_err(failed("wait for events")),
        Ok(None) => Ok(()),
        Err(error) => {
            if let Some(mut server) = first {
                // If nobody listens any more, the error is still returned.
                let _ = server.write_all(&frame(&Message::Refused { reason: with_causes(&error) }));
            }
            Err(error)
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Everything before the first request; `None` if another supervisor serves the directory.
fn set_up(data_dir: &Path) -> Result<Option<(File, EventLoop)>, (&'static str, io::Error)> {
    let failed = |what| move |source| (what, source);
    // Its socket's name stays short this way, wherever the directory is.
    std::env::set_current_dir(data_dir).map_err(failed("enter its directory"))?;
    let Some(lock) = lock().map_err(failed("lock its directory"))? else { return Ok(None) };
    linux::adopt_orphans().map_err(failed("become the parent of orphans"))?;
    let boot = linux::boot_id();
    let (mut journal, remembered) =
        Journal::open(Path::new(JOURNAL), &boot).map_err(failed("open its journal"))?;
    let identity = data_dir.to_string_lossy().into_owned();
    let ended = recovery::recover(&mut journal, remembered, &boot, &identity);
    let listener = listen().map_err(failed("listen on its socket"))?;
    let event_loop = EventLoop::new(identity, journal, ended, listener).map_err(failed("wait for events"))?;
    Ok(Some((lock, event_loop)))
}

/// Whether a supervisor serves the data directory.
pub fn is_running(data_dir: &Path) -> bool {
    let Ok(file) = File::open(data_dir.join(LOCK)) else { return false };
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
}

/// The lock, kept as long as the file is open; `None` if another supervisor has it.
fn lock() -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(LOCK)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn listen() -> io::Result<UnixListener> {
    match std::fs::remove_file(SOCKET) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(SOCKET)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The connection that came as standard input, if that is a socket; afterwards standard input is empty.
fn inherited() -> io::Result<Option<UnixStream>> {
    let stdin = rustix::stdio::stdin();
    if rustix::net::sockopt::socket_domain(stdin) != Ok(rustix::net::AddressFamily::UNIX) {
        return Ok(None);
    }
    let stream = UnixStream::from(rustix::io::fcntl_dupfd_cloexec(stdin, 3)?);
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(Some(stream))
}
