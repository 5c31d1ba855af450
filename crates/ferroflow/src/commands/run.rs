//! `ferroflow run FILE`: a pipeline from its file to its outputs.

use std::path::PathBuf;

use anyhow::Context as _;
use ferroflow_model::{RunId, RunStatus};
use ferroflow_server::results::RunResults;
use ferroflow_spec::check::check_arguments;

use super::{DataArguments, TaskArguments};
use crate::exit::{Outcome, UsageError};
use crate::run::place::{Place, Request};
use crate::run::progress::{Progress, TICK};
use crate::run::report;
use crate::signals::EndRequests;
use crate::wiring::Settings;
use crate::{pipeline_file, printing, tracing_setup};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Pipeline file: YAML, JSON, zip or tar.gz
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// An argument; lists, maps, numbers and booleans as JSON (repeatable)
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// A JSON file with an object of arguments; those given by -p win
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Take over no earlier results, and keep none
    #[arg(long)]
    no_cache: bool,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    tasks: TaskArguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    tracing_setup::start()?;
    let Some(request) = prepare(arguments)? else { return Ok(Outcome::Refused) };
    // One thread is enough to follow one run, and starts soonest.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(run_to_its_end(arguments, request))
}

/// Reads and checks what was given; `None` if there are problems, which have been told.
fn prepare(arguments: &Arguments) -> anyhow::Result<Option<Request>> {
    let path = arguments.file.as_path();
    let mut document = match pipeline_file::read(path)? {
        Ok(document) => document,
        Err(problems) => {
            for problem in &problems.0 {
                printing::error_line(&pipeline_file::describe(path, problem));
            }
            return Ok(None);
        }
    };
    if arguments.no_cache {
        document = pipeline_file::without_caching(&document)?;
    }
    let sent = pipeline_file::arguments(&document.spec, arguments.params.as_deref(), &arguments.parameters)?;
    let checked =
        check_arguments(&document.spec, &sent).map_err(|problems| UsageError(problems.to_string()))?;
    let name = format!("{} {}", document.spec.name, jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S"));
    Ok(Some(Request { name, document, sent_arguments: sent, arguments: checked }))
}

async fn run_to_its_end(arguments: &Arguments, request: Request) -> anyhow::Result<Outcome> {
    let mut end_requests = EndRequests::listen().context("cannot listen to signals")?;
    let folder = arguments.data.folder()?;
    let settings =
        Settings { tasks: &arguments.tasks, start_delay: std::time::Duration::ZERO, run_parallelism: None };
    let place = tokio::select! {
        place = Place::find(&folder, &settings) => place?,
        () = end_requests.next() => return Ok(Outcome::Failed),
    };
    let run = place.submit(request).await?;
    follow_to_its_end(place, run, arguments.json, end_requests).await
}

/// Shows a run until it has ended, prints its results, and lets go of where it took place.
pub(super) async fn follow_to_its_end(
    place: Place,
    run: RunId,
    is_json: bool,
    mut end_requests: EndRequests,
) -> anyhow::Result<Outcome> {
    let results = follow(&place, run, &mut end_requests).await;
    let told = results.and_then(|results| tell(is_json, &place, run, &results));
    tokio::select! {
        () = place.close() => {}
        // What could not be stored is asked for again by the next process that holds the folder.
        () = end_requests.next() => {}
    }
    told
}

/// Shows the run until it has ended. The first request to end terminates it, the second one leaves it.
async fn follow(place: &Place, run: RunId, end_requests: &mut EndRequests) -> anyhow::Result<RunResults> {
    let mut progress = Progress::new();
    if let Some(page) = place.page(run) {
        progress.say(&format!("on the server: {page}"));
    }
    let mut watch = place.watch(run);
    let mut clock = tokio::time::interval(TICK);
    let mut is_terminating = false;
    loop {
        tokio::select! {
            news = watch.next() => match news {
                Ok(Some(news)) => progress.show(news),
                Ok(None) => break,
                Err(error) => {
                    progress.finish();
                    return Err(error);
                }
            },
            () = end_requests.next() => {
                if is_terminating {
                    progress.finish();
                    anyhow::bail!("left the run {run} before it had ended");
                }
                is_terminating = true;
                progress.say("terminating the run; once more to leave it");
                // On a full disk the request waits until there is room: it must not hold whoever wants to leave.
                tokio::select! {
                    asked = place.terminate(run) => asked?,
                    () = end_requests.next() => {
                        progress.finish();
                        anyhow::bail!("left the run {run} before it had ended");
                    }
                }
            }
            _ = clock.tick(), if progress.has_clock() => progress.tick(),
        }
    }
    progress.finish();
    place.results(run).await
}

fn tell(is_json: bool, place: &Place, run: RunId, results: &RunResults) -> anyhow::Result<Outcome> {
    if is_json {
        printing::line(&serde_json::to_string_pretty(results)?)?;
    } else {
        printing::line(&report::describe(results, |task| place.log_file(run, task)))?;
    }
    Ok(if results.state == RunStatus::Succeeded { Outcome::Success } else { Outcome::Failed })
}
