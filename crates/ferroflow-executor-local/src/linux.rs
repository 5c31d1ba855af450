//! What only Linux can do: pidfds, the reaping of others' children, `/proc`, holes in files.
//!
//! Another platform needs a file with the same functions, and nothing else.

pub(crate) mod namespace;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FallocateFlags, SeekFrom};
use rustix::process::{Pid, PidfdFlags, Signal};

/// Makes this process the parent of all processes below it whose own parent has ended.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Something that becomes readable when the process ends.
pub(crate) fn watch(pid: Pid) -> io::Result<OwnedFd> {
    Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())?)
}

/// Nanoseconds since boot, the clock by which `/proc` tells when processes started.
pub(crate) fn since_boot_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Changes with each boot of the machine.
pub(crate) fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Whether the process that now has this id is the one that was started between these moments.
pub(crate) fn is_same_process(pid: Pid, from_ns: u64, to_ns: u64) -> bool {
    const TICKS_PER_SECOND: u64 = 100;
    const TICK_NS: u64 = 1_000_000_000 / TICKS_PER_SECOND;
    match start_ticks(pid) {
        Some(ticks) => (from_ns / TICK_NS..=to_ns / TICK_NS).contains(&ticks),
        None => false,
    }
}

/// Field 22 of `/proc/<pid>/stat`, counted behind the program's name, which may hold anything.
fn start_ticks(pid: Pid) -> Option<u64> {
    let stat = std::fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// The value of a variable in the environment that a process was started with.
pub(crate) fn start_variable(pid: Pid, name: &str) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).ok()?;
    bytes.split(|byte| *byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

/// All processes of the machine that can be seen.
pub(crate) fn all_processes() -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name());
    names.filter_map(|name| Pid::from_raw(name.to_str()?.parse().ok()?)).collect()
}

/// Tells which processes are children of this one.
#[derive(Debug)]
pub(crate) struct Children {
    /// Kept open: one read instead of three calls each time.
    list: Option<File>,
}

impl Children {
    /// Of the calling thread, which must be the only one that starts processes.
    pub(crate) fn new() -> Self {
        let own = rustix::thread::gettid().as_raw_nonzero();
        Self { list: File::open(format!("/proc/self/task/{own}/children")).ok() }
    }

    /// Ids of the children, the ended ones too as long as nobody has waited for them.
    pub(crate) fn list(&self) -> Vec<Pid> {
        use std::os::unix::fs::FileExt;
        let Some(file) = &self.list else { return by_parent() };
        let mut text = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = file.read_at(&mut chunk, text.len() as u64) {
            text.extend_from_slice(chunk.get(..read).unwrap_or_default());
        }
        let text = String::from_utf8_lossy(&text);
        text.split_ascii_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
    }
}

/// The slow way, for kernels that do not list children.
fn by_parent() -> Vec<Pid> {
    let own = rustix::process::getpid().as_raw_nonzero().to_string();
    let is_own = |pid: &Pid| {
        let stat = std::fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        let stat = String::from_utf8_lossy(&stat);
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_ascii_whitespace().nth(1)) == Some(own.as_str())
    };
    all_processes().into_iter().filter(is_own).collect()
}

/// Signals a process by a handle that cannot mean another one.
pub(crate) fn signal_watched(watch: &OwnedFd, signal: Signal) {
    // It may have ended meanwhile, which is what is wanted.
    let _ = rustix::process::pidfd_send_signal(watch, signal);
}

/// Gives the blocks between two offsets back to the disk without moving what follows. False if this file system
/// cannot.
pub(crate) fn punch_hole(file: &File, from: u64, to: u64) -> bool {
    let mode = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    to <= from || rustix::fs::fallocate(file, mode, from, to - from).is_ok()
}

/// Where the next bytes that exist begin at or after `offset`; `None` at the end of the file.
pub(crate) fn next_data(file: impl AsFd, offset: u64) -> Option<u64> {
    rustix::fs::seek(file, SeekFrom::Data(offset)).ok()
}

/// A path by which a socket in this folder can be reached however long the folder's own path is. The folder must
/// stay open meanwhile.
pub(crate) fn short_path(folder: &File, name: &str) -> std::path::PathBuf {
    use std::os::fd::AsRawFd;
    Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name)
}

/// Whether nothing more can be written to the disk behind this path.
pub(crate) fn is_disk_full(path: &str) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|found| found.f_bavail == 0)
}
