//! The process of a task that runs in a container: carries out one order and ends as the container ended.
//!
//! What the container says goes to standard output, which is the attempt's log. TERM is passed on; whoever sent it
//! follows with KILL. Then the container is still there: the server removes it, and the daemon ends it in any case,
//! since it was asked to.

use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::pin::pin;

use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, StopContainerOptionsBuilder,
    WaitContainerOptionsBuilder,
};
use ferroflow_executor_local::container::order::{ContainerEnd, Order};
use futures_util::{Stream, StreamExt as _};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::daemon::Daemon;
use crate::problem::{Problem, words};
use crate::{copies, image, packages, request};

/// Exit code of this process if user code was not started or its end is not known.
const FAILED: u8 = 125;

/// The program that Docker puts before user code.
const INIT: &str = "docker-init";
/// What that says first if it cannot start user code.
const INIT_FAILS: &[u8] = b"[FATAL tini";

/// Carries out the order in this file and returns the exit code for this process. How it went is also told in the file
/// that the order names.
pub fn contain(path: &Path) -> u8 {
    let order = match read(path) {
        Ok(order) => order,
        Err(problem) => {
            say(&problem.to_string());
            return FAILED;
        }
    };
    let end = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let end = runtime.block_on(carry_out(&order));
            // Something may still wait for a lock.
            runtime.shutdown_background();
            end
        }
        Err(error) => Err(Problem::NotStarted(error.to_string())),
    };
    let end = end.unwrap_or_else(|problem| {
        say(&format!("error: {problem}"));
        ContainerEnd { problem: Some(problem.to_string()), ..ContainerEnd::default() }
    });
    let is_well = end.problem.is_none();
    let code = end.exit_code.filter(|code| is_well || *code != 0).and_then(|code| u8::try_from(code).ok());
    // Without this file the exit code still tells.
    let _ = serde_json::to_vec(&end).map(|text| std::fs::write(&order.end, text));
    code.unwrap_or(FAILED)
}

fn read(path: &Path) -> Result<Order, Problem> {
    let text = std::fs::read(path).map_err(|error| Problem::Order(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| Problem::Order(error.to_string()))
}

/// A line of ours in the attempt's log.
pub(crate) fn say(line: &str) {
    // A full disk must not end the task.
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}

async fn carry_out(order: &Order) -> Result<ContainerEnd, Problem> {
    let mut stop = signal(SignalKind::terminate()).map_err(|error| Problem::NotStarted(error.to_string()))?;
    let daemon = Daemon::at(&order.daemon, order.api.as_deref()).await?;
    let prepared = tokio::select! {
        prepared = prepare(&daemon, order) => prepared,
        _ = stop.recv() => {
            packages::clear(&daemon, order).await;
            Err(Problem::Stopped)
        }
    };
    let (order, _lock) = prepared?;
    let cores = if order.resources.cpu_limit.is_some() { daemon.cores().await } else { None };
    let body = request::of_order(&order, cores);
    let mut head = Head::default();
    let stop = Some((&mut stop, order.stop_seconds));
    let ended = run(&daemon, &order.name, body, stop, |piece| head.pass_on(&piece.into_bytes())).await;
    let ended = match ended {
        Ok(code) if head.is_word_of_init() => Err(no_program(&order, code)),
        Ok(code) => finish(&daemon, &order, code).await,
        Err(problem) => Err(problem),
    };
    // What stays is removed by the server.
    let _ = daemon.remove(&order.name).await;
    ended
}

/// Image and packages. What is locked must stay so while the container runs.
async fn prepare(daemon: &Daemon, order: &Order) -> Result<(Order, Option<std::fs::File>), Problem> {
    let image = image::ensure(daemon, order).await?;
    let mut order = order.clone();
    let Some(wanted) = order.environment.take() else { return Ok((order, None)) };
    let environment = Box::pin(packages::ensure(daemon, &order, &wanted, &image)).await?;
    environment.add_to(&mut order, &image);
    Ok((order, Some(environment.lock)))
}

/// Runs a container to its end and returns its exit code. What it says goes to `tell`. `stop` is what asks for its end,
/// and the seconds that it then has. The container is not removed.
pub(crate) async fn run(
    daemon: &Daemon,
    name: &str,
    body: ContainerCreateBody,
    stop: Option<(&mut Signal, u32)>,
    tell: impl FnMut(LogOutput),
) -> Result<i32, Problem> {
    let image = body.image.clone().unwrap_or_default();
    let mut started = start(daemon, name, body.clone()).await;
    if let Err(error) = &started
        && let Some(less) = with_less(&words(error), body)
    {
        let _ = daemon.remove(name).await;
        started = start(daemon, name, less).await;
    }
    let output = started.map_err(|error| Problem::of_start(&image, &error))?.output;
    let ended = async {
        drain(output, tell).await;
        exit_code(daemon, name).await
    };
    match stop {
        Some((signal, seconds)) => stoppable(daemon, name, signal, seconds, ended).await,
        None => ended.await,
    }
}

async fn start(
    daemon: &Daemon,
    name: &str,
    body: ContainerCreateBody,
) -> Result<AttachContainerResults, Error> {
    create(daemon, name, body).await?;
    let options = AttachContainerOptionsBuilder::default().stream(true).stdout(true).stderr(true).build();
    let attached = daemon.docker.attach_container(name, Some(options)).await?;
    daemon.docker.start_container(name, None).await?;
    Ok(attached)
}

/// A container without what this daemon does not have; `None` if that is not what it complains of.
fn with_less(complaint: &str, body: ContainerCreateBody) -> Option<ContainerCreateBody> {
    let host = body.host_config?;
    let host = if complaint.contains(INIT) {
        // User code has to be the first process.
        HostConfig { init: Some(false), ..host }
    } else if complaint.contains("could not select device driver") {
        say(
            "warning: this Docker daemon has no such accelerators as the task asks for; it runs without them",
        );
        HostConfig { device_requests: None, ..host }
    } else {
        return None;
    };
    Some(ContainerCreateBody { host_config: Some(host), ..body })
}

/// Makes the container. One of the same name is what an earlier process left of the same attempt.
async fn create(daemon: &Daemon, name: &str, body: ContainerCreateBody) -> Result<(), Error> {
    let options = || CreateContainerOptionsBuilder::default().name(name).build();
    let created = daemon.docker.create_container(Some(options()), body.clone()).await;
    if matches!(created, Err(Error::DockerResponseServerError { status_code: 409, .. })) {
        let _ = daemon.remove(name).await;
        return daemon.docker.create_container(Some(options()), body).await.map(|_| ());
    }
    created.map(|_| ())
}

async fn drain(
    mut output: impl Stream<Item = Result<LogOutput, Error>> + Unpin,
    mut tell: impl FnMut(LogOutput),
) {
    // Whether the daemon has gone is found out by asking for the exit code.
    while let Some(Ok(piece)) = output.next().await {
        tell(piece);
    }
}

/// The beginning of what a container says.
#[derive(Debug, Default)]
struct Head {
    text: Vec<u8>,
}

impl Head {
    /// Passes on what the container says.
    fn pass_on(&mut self, bytes: &[u8]) {
        let missing = INIT_FAILS.len().saturating_sub(self.text.len()).min(bytes.len());
        self.text.extend_from_slice(bytes.get(..missing).unwrap_or_default());
        // A full disk must not end the task.
        let _ = std::io::stdout().write_all(bytes);
    }

    /// Whether the first process of the container did not get to user code.
    fn is_word_of_init(&self) -> bool {
        self.text == INIT_FAILS
    }
}

fn no_program(order: &Order, code: i32) -> Problem {
    let program = order.entrypoint.first().or_else(|| order.words.first()).cloned().unwrap_or_default();
    let image = order.image.clone();
    match code {
        126 => Problem::NotStarted(format!("program `{program}` of image `{image}` cannot be executed")),
        _ => Problem::NoProgram { image, program },
    }
}

async fn exit_code(daemon: &Daemon, name: &str) -> Result<i32, Problem> {
    let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
    let mut answers = pin!(daemon.docker.wait_container(name, Some(options)));
    let code = match answers.next().await {
        Some(Ok(answer)) => answer.status_code,
        Some(Err(Error::DockerContainerWaitError { code, .. })) => code,
        Some(Err(error)) => return Err(Problem::Gone(words(&error))),
        None => return Err(Problem::Gone("it closed the connection".to_owned())),
    };
    Ok(i32::try_from(code).unwrap_or(i32::MAX))
}

/// Passes on that the task is to end. The daemon goes on with that even if this process is killed.
async fn stoppable<T>(
    daemon: &Daemon,
    name: &str,
    signal: &mut Signal,
    seconds: u32,
    ended: impl Future<Output = T>,
) -> T {
    let mut ended = pin!(ended);
    loop {
        tokio::select! {
            ended = &mut ended => return ended,
            Some(()) = signal.recv() => {
                let (docker, name) = (daemon.docker.clone(), name.to_owned());
                let patience = i32::try_from(seconds).unwrap_or(i32::MAX);
                let options = StopContainerOptionsBuilder::default().t(patience).build();
                tokio::spawn(async move { docker.stop_container(&name, Some(options)).await });
            }
        }
    }
}

/// What is left to do when the container has ended.
async fn finish(daemon: &Daemon, order: &Order, code: i32) -> Result<ContainerEnd, Problem> {
    if code == 0 {
        let copied = copies::fetch(daemon, order).await;
        let problem = copied.err().map(|problem| problem.to_string());
        return Ok(ContainerEnd { exit_code: Some(0), problem, ..ContainerEnd::default() });
    }
    let inspected = daemon.docker.inspect_container(&order.name, None).await;
    let state = inspected.ok().and_then(|found| found.state).unwrap_or_default();
    Ok(ContainerEnd {
        exit_code: Some(code),
        out_of_memory: state.oom_killed.unwrap_or(false),
        // Such as that the program could not be started after all.
        problem: state.error.filter(|text| !text.is_empty()).map(|text| format!("the task failed: {text}")),
    })
}
