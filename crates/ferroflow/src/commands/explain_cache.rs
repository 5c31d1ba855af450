//! `ferroflow explain-cache RUN TASK`: why results of a task were or were not taken over.

use anyhow::Context as _;
use ferroflow_model::RunId;
use ferroflow_server::tasks::explain_cache;
use serde::Deserialize;
use serde_json::Value;

use super::{DataArguments, parse_run};
use crate::exit::Outcome;
use crate::run::place::refusal;
use crate::run::records::Records;
use crate::{printing, tracing_setup};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Id of the run
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: RunId,
    /// The task: its id or path, such as `for-loop-1/0/train`
    #[arg(value_name = "TASK")]
    task: String,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArguments,
}

/// What is told of an explanation.
#[derive(Debug, Deserialize)]
struct Told {
    outcome: String,
    reason: String,
    fingerprint: Option<String>,
    compared_with: Option<Execution>,
    differences: Vec<Difference>,
}

#[derive(Debug, Deserialize)]
struct Execution {
    #[serde(rename = "execution_id")]
    number: i64,
    run: Option<Named>,
    path: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    id: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Difference {
    part: String,
    then: Value,
    now: Value,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    tracing_setup::start()?;
    super::on_one_thread(explain(arguments))
}

async fn explain(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let folder = arguments.data.folder()?;
    let explanation = match Records::find(&folder).await? {
        Records::Here { store, .. } => {
            explain_cache(&store, arguments.run, &arguments.task).await.map_err(refusal)?
        }
        Records::Server(client) => {
            client.of_task(&arguments.run.to_string(), &arguments.task, "/cache").await?
        }
    };
    if arguments.json {
        printing::line(&serde_json::to_string_pretty(&explanation)?)?;
    } else {
        let told: Told = serde_json::from_value(explanation).context("the explanation is not readable")?;
        printing::line(&told.text())?;
    }
    Ok(Outcome::Success)
}

impl Told {
    fn text(&self) -> String {
        let mut lines = vec![format!("{}: {}", self.outcome, self.reason)];
        for Difference { part, then, now } in &self.differences {
            lines.push(format!("  {part}: {then} before, {now} now"));
        }
        if let Some(Execution { number, run, path }) = &self.compared_with {
            let what = if self.outcome == "hit" { "made by" } else { "compared with" };
            let path = path.as_deref().unwrap_or_default();
            lines.push(match run {
                Some(Named { id, name }) => format!("{what} task {path} of run {name} ({id})"),
                None => format!("{what} execution {number} of a run that was removed"),
            });
        }
        lines.extend(self.fingerprint.iter().map(|key| format!("key {key}")));
        lines.join("\n")
    }
}
