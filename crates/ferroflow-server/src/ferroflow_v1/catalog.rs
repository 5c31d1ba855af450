//! Pipelines and experiments in lists, with their last runs, and the last runs of recurring runs.

use std::collections::BTreeMap;

use ferroflow_model::record::Experiment;
use ferroflow_ports::view::{PipelineView, RunBrief, RunsOf};
use serde_json::json;

use super::convert::{millis, run_dot};
use super::query::Query;
use super::run::{List, MOST_IDS, storage_state};
use super::wire::{ExperimentPage, ExperimentRow, LastRuns, Named, PipelinePage, PipelineRow, RunDot};
use super::{OwnApi, Question};
use crate::status::ApiError;

const PIPELINE_RUNS: u32 = 10;
const EXPERIMENT_RUNS: u32 = 5;
const RECURRING_RUN_RUNS: u32 = 10;

impl OwnApi {
    pub(super) async fn pipelines(&self, question: &Question<'_>) -> Result<PipelinePage, ApiError> {
        let query = question.query(&["q", "sort", "page_size", "page_token"])?;
        let filter = filter(&query, None)?;
        let sorts = &["created_at", "name", "display_name"];
        let list =
            List { scope: "ferroflow pipelines", filter: &filter, sorts, default_sort: "created_at desc" };
        let store = &self.services.store;
        let (page, next_page_token) =
            self.page(&query, &list, async |query| Ok(store.pipeline_views(query).await?)).await?;
        let ids: Vec<String> = page.items.iter().map(|view| view.pipeline.id.to_string()).collect();
        let mut runs = store.last_runs(RunsOf::Pipeline, &ids, PIPELINE_RUNS).await?;
        let pipelines = page.items.into_iter().map(|view| pipeline_row(view, &mut runs)).collect();
        Ok(PipelinePage { pipelines, total_size: page.total, next_page_token })
    }

    pub(super) async fn experiments(&self, question: &Question<'_>) -> Result<ExperimentPage, ApiError> {
        let query = question.query(&["q", "archived", "sort", "page_size", "page_token"])?;
        let filter = filter(&query, Some(query.text("archived").unwrap_or("false")))?;
        let sorts = &["created_at", "name", "last_run_created_at"];
        let list = List {
            scope: "ferroflow experiments",
            filter: &filter,
            sorts,
            default_sort: "last_run_created_at desc",
        };
        let store = &self.services.store;
        let (page, next_page_token) =
            self.page(&query, &list, async |query| Ok(store.list_experiments(query).await?)).await?;
        let ids: Vec<String> = page.items.iter().map(|experiment| experiment.id.to_string()).collect();
        let mut runs = store.last_runs(RunsOf::Experiment, &ids, EXPERIMENT_RUNS).await?;
        let experiments = page.items.into_iter().map(|one| experiment_row(one, &mut runs)).collect();
        Ok(ExperimentPage { experiments, total_size: page.total, next_page_token })
    }

    pub(super) async fn recurring_last_runs(&self, question: &Question<'_>) -> Result<LastRuns, ApiError> {
        let query = question.query(&["ids"])?;
        let ids: Vec<String> = query.list("ids").into_iter().map(str::to_owned).collect();
        if !(1..=MOST_IDS).contains(&ids.len()) {
            let text = format!("`ids` names 1 to {MOST_IDS} recurring runs, not {}", ids.len());
            return Err(ApiError::invalid(text));
        }
        let runs = self.services.store.last_runs(RunsOf::RecurringRun, &ids, RECURRING_RUN_RUNS).await?;
        let dots = |(id, runs): (String, Vec<RunBrief>)| (id, runs.iter().map(run_dot).collect());
        Ok(LastRuns { last_runs: runs.into_iter().map(dots).collect() })
    }
}

fn filter(query: &Query, archived: Option<&str>) -> Result<String, ApiError> {
    let mut predicates = Vec::new();
    if let Some(text) = query.text("q") {
        predicates.push(json!({ "operation": "IS_SUBSTRING", "key": "display_name", "stringValue": text }));
    }
    if let Some(archived) = archived
        && let Some(state) = storage_state(archived)?
    {
        let value = state.as_str();
        predicates.push(json!({ "operation": "EQUALS", "key": "storage_state", "stringValue": value }));
    }
    Ok(json!({ "predicates": predicates }).to_string())
}

fn dots(runs: &mut BTreeMap<String, Vec<RunBrief>>, id: &str) -> Vec<RunDot> {
    runs.remove(id).unwrap_or_default().iter().map(run_dot).collect()
}

fn pipeline_row(view: PipelineView, runs: &mut BTreeMap<String, Vec<RunBrief>>) -> PipelineRow {
    let pipeline_id = view.pipeline.id.to_string();
    PipelineRow {
        last_runs: dots(runs, &pipeline_id),
        pipeline_id,
        name: view.pipeline.name,
        display_name: view.pipeline.display_name,
        description: view.pipeline.description,
        created_at: millis(view.pipeline.created_at),
        latest_version_at: view.latest.as_ref().map(|(_, _, at)| millis(*at)),
        latest_version: view.latest.map(|(id, name, _)| Named { id, name }),
        version_count: view.versions,
    }
}

fn experiment_row(experiment: Experiment, runs: &mut BTreeMap<String, Vec<RunBrief>>) -> ExperimentRow {
    let experiment_id = experiment.id.to_string();
    let last = experiment.last_run_created_at;
    ExperimentRow {
        last_runs: dots(runs, &experiment_id),
        experiment_id,
        display_name: experiment.display_name,
        description: experiment.description,
        created_at: millis(experiment.created_at),
        last_run_created_at: (last.as_micros() > 0).then(|| millis(last)),
        storage_state: experiment.storage_state,
    }
}
