//! What a task costs beyond its process: a chain and a crowd of `/bin/true`, CPU of this process and of the supervisor.
//!
//! `cargo bench -p ferroflow-executor-local --bench supervisor [-- TASKS]`. S is `posix_spawn` and wait of the same
//! command from this process, measured between the passes.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "it is a bench")]

#[path = "../tests/attempt.rs"]
mod attempt;
#[path = "../tests/folder.rs"]
mod folder;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ferroflow_executor_local::{LocalExecutor, run_supervisor};
use ferroflow_ports::Executor;
use ferroflow_ports::executor::Report;

const PASSES: usize = 5;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, _, data_dir] = words.as_slice()
        && first == "supervisor"
    {
        run_supervisor(Path::new(data_dir)).unwrap();
        return;
    }
    let tasks = words.iter().find_map(|word| word.parse().ok()).unwrap_or(1000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("{tasks} x /bin/true, microseconds per task: wall, CPU (executor + supervisor + processes)");
    // Removed at the end only: ext4 makes files slowly where many were deleted within the last minutes.
    let mut folders = Vec::new();
    for _ in 0..PASSES {
        let spawn = spawns(tasks);
        println!("S        {spawn}");
        for (name, at_once) in [("chain   ", 1), ("two     ", 2), ("fifty   ", 50)] {
            let folder = tempfile::tempdir().unwrap();
            let figure = runtime.block_on(run(folder.path(), tasks, at_once));
            folders.push(folder);
            println!("{name} {figure}  = {:.2} S", figure.cpu() / spawn.cpu());
        }
    }
}

/// Microseconds per task.
#[derive(Debug, Clone, Copy)]
struct Figure {
    wall: f64,
    executor: f64,
    supervisor: f64,
    processes: f64,
}

impl Figure {
    fn cpu(&self) -> f64 {
        self.executor + self.supervisor + self.processes
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { wall, executor, supervisor, processes } = self;
        write!(f, "{wall:5.0} {:5.0} ({executor:3.0} + {supervisor:3.0} + {processes:4.0})", self.cpu())
    }
}

/// CPU time of this process, of the supervisor and of what it has waited for, and the time.
struct Meter(Instant, [Duration; 3]);

impl Meter {
    fn start(supervisor: &str) -> Self {
        Self(Instant::now(), Self::read(supervisor))
    }

    fn read(supervisor: &str) -> [Duration; 3] {
        [own_cpu("self"), own_cpu(supervisor), children_cpu(supervisor)]
    }

    fn stop(self, supervisor: &str, tasks: u32) -> Figure {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(tasks);
        let wall = each(self.0.elapsed());
        let now = Self::read(supervisor);
        let [executor, supervisor, processes] =
            std::array::from_fn(|at| each(now[at].saturating_sub(self.1[at])));
        Figure { wall, executor, supervisor, processes }
    }
}

fn spawns(tasks: u32) -> Figure {
    let meter = Meter::start("self");
    for _ in 0..tasks {
        let mut command = Command::new("/bin/true");
        command.stdin(Stdio::null()).status().unwrap();
    }
    // This process is both ends.
    Figure { executor: 0.0, ..meter.stop("self", tasks) }
}

async fn run(folder: &Path, tasks: u32, at_once: u32) -> Figure {
    let program = std::env::current_exe().unwrap();
    let options = attempt::options(folder, program.to_str().unwrap(), std::env::vars().collect());
    let executor = LocalExecutor::start(options).await.unwrap();
    let root = folder.display().to_string();
    let supervisor = supervisor();
    let meter = Meter::start(&supervisor);
    let start = |number: u32| {
        executor.ensure_started(attempt::attempt(&format!("task-{number}"), &root, &["/bin/true"]))
    };
    for number in 0..at_once {
        start(number).await.unwrap();
    }
    let (mut started, mut ended) = (at_once, 0);
    while ended < tasks {
        if let Some(Report::Ended { id, .. }) = executor.next_report().await {
            ended += 1;
            executor.acknowledge(&id).await;
            if started < tasks {
                start(started).await.unwrap();
                started += 1;
            }
        }
    }
    let figure = meter.stop(&supervisor, tasks);
    drop(executor);
    // What it has used counts as used by a child of ours once it has ended, and must not be counted twice.
    while Path::new("/proc").join(&supervisor).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    figure
}

/// The newest child of this process.
fn supervisor() -> String {
    let own = std::process::id();
    let children = std::fs::read_to_string(format!("/proc/self/task/{own}/children")).unwrap();
    children.split_whitespace().last().unwrap().to_owned()
}

/// CPU time of a process with one thread.
fn own_cpu(pid: &str) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// CPU time of all processes that this one has waited for.
fn children_cpu(pid: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: u64 = fields.split(' ').skip(13).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
