//! Runs a command and accounts for it and for everything it leaves behind.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::sys::wait::waitpid;

/// What a command cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Until the command itself had ended.
    pub(super) wall: Duration,
    /// User and system time of the whole tree.
    pub(super) cpu: Duration,
}

/// Makes this process the parent of all that its children leave behind.
pub(super) fn adopt_orphans() -> anyhow::Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

/// CPU of all processes that ended below this one.
pub(super) fn cpu_of_children() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(micros)?))
}

/// Runs a command to its end, then waits for what it left behind.
pub(super) fn measure(command: &mut Command) -> anyhow::Result<Cost> {
    let cpu = cpu_of_children()?;
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).output().context("cannot start it")?;
    let wall = started.elapsed();
    if !output.status.success() {
        bail!(
            "{command:?} ended with {}:\n{}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    wait_for_all()?;
    Ok(Cost { wall, cpu: cpu_of_children()?.saturating_sub(cpu) })
}

/// Waits until nothing is left below this process.
pub(super) fn wait_for_all() -> anyhow::Result<()> {
    loop {
        match waitpid(None, None) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(nix::errno::Errno::ECHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A server that is stopped when dropped.
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts one; returns it with the time until its first answer.
    pub(super) fn start(binary: &Path, data: &Path) -> anyhow::Result<(Self, Duration)> {
        let address = free_address()?;
        let started = Instant::now();
        let child = Command::new(binary)
            .arg("up")
            .arg("--listen")
            .arg(address.to_string())
            .arg("--data-dir")
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self { child, address };
        while !server.is_healthy() {
            ensure!(started.elapsed() < Duration::from_secs(30), "the server does not answer");
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok((server, started.elapsed()))
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn is_healthy(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address) else { return false };
        let request = format!(
            "GET /apis/v2beta1/healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        let mut answer = Vec::new();
        stream.write_all(request.as_bytes()).is_ok()
            && stream.read_to_end(&mut answer).is_ok()
            && answer.starts_with(b"HTTP/1.1 200")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).map(nix::unistd::Pid::from_raw);
        if let Ok(pid) = pid {
            // It may have ended already.
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        }
        let _ = self.child.wait();
        let _ = wait_for_all();
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A line of `/proc/<pid>/status` in KiB, such as `VmHWM` (the most memory it ever had) or `VmRSS`.
pub(super) fn memory_kib(pid: u32, field: &str) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// CPU of one living process in ticks of 10 ms.
pub(super) fn cpu_ticks(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("unreadable /proc stat")?;
    let times = fields.split_ascii_whitespace().skip(11).take(2).map(str::parse::<f64>);
    times.sum::<Result<f64, _>>().context("unreadable /proc stat")
}
