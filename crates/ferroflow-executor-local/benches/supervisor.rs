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
    println!("{tasks} x /bin/true, microseconds per task (wall, CPU with children)");
    for _ in 0..PASSES {
        let spawn = spawns(tasks);
        let chain = runtime.block_on(run(tasks, 1));
        let crowd = runtime.block_on(run(tasks, 2));
        let over = |figure: Figure| (figure.cpu - spawn.cpu) / spawn.cpu;
        println!(
            "S {spawn}   chain {chain} = S + {:.2} S   two at once {crowd} = S + {:.2} S",
            over(chain),
            over(crowd)
        );
    }
}

#[derive(Debug, Clone, Copy)]
struct Figure {
    wall: f64,
    cpu: f64,
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:4.0} {:4.0}", self.wall, self.cpu)
    }
}

fn figure(tasks: u32, wall: Duration, cpu: Duration) -> Figure {
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(tasks);
    Figure { wall: each(wall), cpu: each(cpu) }
}

fn spawns(tasks: u32) -> Figure {
    let (begin, before) = (Instant::now(), cpu("self", true));
    for _ in 0..tasks {
        let mut command = Command::new("/bin/true");
        command.stdin(Stdio::null()).status().unwrap();
    }
    figure(tasks, begin.elapsed(), cpu("self", true).saturating_sub(before))
}

async fn run(tasks: u32, at_once: u32) -> Figure {
    let folder = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let options = attempt::options(folder.path(), program.to_str().unwrap(), std::env::vars().collect());
    let executor = LocalExecutor::start(options).await.unwrap();
    let root = folder.path().display().to_string();
    let supervisor = supervisor();
    let (begin, before) = (Instant::now(), cpu("self", false) + cpu(&supervisor, true));
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
    let cpu = (cpu("self", false) + cpu(&supervisor, true)).saturating_sub(before);
    let figure = figure(tasks, begin.elapsed(), cpu);
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

/// CPU time of a process, if wanted with all those that it has waited for.
fn cpu(pid: &str, with_children: bool) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: u64 = fields
        .split(' ')
        .skip(11)
        .take(if with_children { 4 } else { 2 })
        .map(|field| field.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}
