//! `ferroflow retry RUN`: a part of a run again, to its end.

use anyhow::Context as _;
use ferroflow_model::RunId;

use super::{DataArguments, TaskArguments, parse_run, run};
use crate::exit::Outcome;
use crate::run::place::Place;
use crate::signals::EndRequests;
use crate::tracing_setup;
use crate::wiring::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Id of the run
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: RunId,
    /// Also run this task and everything downstream of it again, by its id or path, such as `for-loop-1/0/train`
    #[arg(long, value_name = "TASK")]
    from: Option<String>,
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
    super::on_one_thread(retry(arguments))
}

async fn retry(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let mut end_requests = EndRequests::listen().context("cannot listen to signals")?;
    let folder = arguments.data.folder()?;
    let settings =
        Settings { tasks: &arguments.tasks, start_delay: std::time::Duration::ZERO, run_parallelism: None };
    let place = tokio::select! {
        place = Place::find(&folder, &settings) => place?,
        () = end_requests.next() => return Ok(Outcome::Failed),
    };
    if let Err(error) = place.retry(arguments.run, arguments.from.as_deref()).await {
        place.close().await;
        return Err(error);
    }
    run::follow_to_its_end(place, arguments.run, arguments.json, end_requests).await
}
