//! Runs: lists, one run in parts, and how it went over time.

use std::collections::{BTreeMap, BTreeSet};

use ferroflow_model::list::{ListQuery, Page, Predicate};
use ferroflow_model::{RunId, RunStatus, StorageState, TaskKind, TaskStatus};
use ferroflow_ports::view::{ArtifactQuery, RunView, TaskBrief, ValueCount};
use serde_json::{Value, json};

use super::convert::{
    artifact_row, duration, length, millis, optional_millis, run_head, run_row, task_state,
};
use super::query::Query;
use super::structure::Structure;
use super::wire::{
    ArtifactPage, ArtifactRow, CacheSummary, FacetCount, FailedTask, Millis, RunFacets, RunOverview, RunPage,
    RunParameter, RunState, RunStateChange, TaskState, Timeline,
};
use super::{OwnApi, Question, timeline};
use crate::page::PageRequest;
use crate::status::ApiError;
use crate::v2beta1::{parse_id, run};

/// Runs that facets are counted over.
const MOST_COUNTED: u32 = 10_000;
/// Things that can be asked for by id at once.
pub(super) const MOST_IDS: usize = 200;
const DEFAULT_PAGE: u32 = 100;
/// Failed tasks on the overview, and those of them whose logs are read.
const MOST_FAILURES: usize = 10;
const MOST_TRACEBACKS: usize = 3;
const MOST_SLOWEST: usize = 5;
/// Artifacts of one run in its list.
const MOST_ARTIFACTS: u32 = 1000;

pub(super) const FILTERS: [&str; 11] = [
    "q",
    "state",
    "experiment_id",
    "pipeline_id",
    "version_id",
    "pipeline_name",
    "recurring_run_id",
    "archived",
    "since",
    "until",
    "ids",
];

impl OwnApi {
    pub(super) async fn runs(&self, question: &Question<'_>) -> Result<RunPage, ApiError> {
        let known: Vec<&str> = FILTERS.into_iter().chain(["sort", "page_size", "page_token"]).collect();
        let query = question.query(&known)?;
        let filter = filter(&query)?;
        let sorts = &["created_at", "finished_at", "name", "state", "duration", "pipeline_name"];
        let list = List { scope: "ferroflow runs", filter: &filter, sorts, default_sort: "created_at desc" };
        let (page, next_page_token) =
            self.page(&query, &list, async |query| Ok(self.services.store.run_views(query).await?)).await?;
        let names: BTreeSet<String> = page.items.iter().map(|view| view.run.pipeline_name.clone()).collect();
        let typical_ms = self.typical(names).await?;
        let runs = page.items.into_iter().map(run_row).collect();
        Ok(RunPage { runs, total_size: page.total, next_page_token, typical_ms })
    }

    /// Median durations by the name in the pipeline file.
    pub(super) async fn typical(
        &self,
        names: BTreeSet<String>,
    ) -> Result<BTreeMap<String, Millis>, ApiError> {
        let names: Vec<String> = names.into_iter().collect();
        let found = self.services.store.typical_durations(&names).await?;
        Ok(found.into_iter().map(|(name, typical)| (name, duration(typical))).collect())
    }

    /// One page of any list: reads the place from the query and seals the next one.
    pub(super) async fn page<T>(
        &self,
        query: &Query,
        list: &List<'_>,
        read: impl AsyncFnOnce(ListQuery) -> Result<Page<T>, ApiError>,
    ) -> Result<(Page<T>, String), ApiError> {
        let size = query.number("page_size", DEFAULT_PAGE, (1, 200))?;
        let request = PageRequest {
            scope: list.scope,
            page_token: query.text("page_token").unwrap_or_default(),
            page_size: i32::try_from(size).unwrap_or(i32::MAX),
            sort_by: query.text("sort").unwrap_or(list.default_sort),
            filter: list.filter,
        };
        let wanted = request.read(&self.services.page_tokens)?;
        if !list.sorts.contains(&wanted.sort.key.as_str()) {
            let text = format!("cannot sort by `{}`; use one of {}", wanted.sort.key, list.sorts.join(", "));
            return Err(ApiError::invalid(text));
        }
        let mut page = read(wanted.clone()).await?;
        let next = request.next_token(&self.services.page_tokens, wanted, page.next.take());
        Ok((page, next))
    }

    pub(super) async fn run_facets(&self, question: &Question<'_>) -> Result<RunFacets, ApiError> {
        let predicates = self.predicates(&question.query(&FILTERS)?)?;
        let found = self.services.store.run_facets(predicates, MOST_COUNTED).await?;
        let counts = |values: Vec<ValueCount>| values.into_iter().map(facet).collect();
        Ok(RunFacets {
            runs: found.runs,
            states: counts(found.states),
            pipelines: counts(found.pipelines),
            experiments: counts(found.experiments),
        })
    }

    /// The filter of runs, for questions without pages.
    pub(super) fn predicates(&self, query: &Query) -> Result<Vec<Predicate>, ApiError> {
        let filter = filter(query)?;
        let request = PageRequest {
            scope: "",
            page_token: "",
            page_size: 1,
            sort_by: "created_at desc",
            filter: &filter,
        };
        Ok(request.read(&self.services.page_tokens)?.predicates)
    }

    /// The run with what stands beside it. `NotFound`.
    async fn view_of(&self, id: RunId) -> Result<RunView, ApiError> {
        let found = self.services.store.run_views_of(&[id]).await?.pop();
        found.ok_or_else(|| ApiError::not_found(run::WHAT, &id.to_string()))
    }

    pub(super) async fn run_overview(&self, question: &Question<'_>) -> Result<RunOverview, ApiError> {
        question.query(&[])?;
        let id: RunId = parse_id(run::WHAT, question.field("run_id"))?;
        let view = self.view_of(id).await?;
        let structure = self.structure_of_run(id).await?;
        let tasks = self.services.store.task_briefs(id).await?;
        let outputs = &view.run.outputs;
        let output_artifacts = self.output_artifacts(outputs).await?;
        Ok(RunOverview {
            history: view
                .run
                .history
                .iter()
                .map(|change| RunStateChange { at: millis(change.at), state: change.state })
                .collect(),
            service_account: view.run.service_account.clone(),
            pipeline_root: view.run.pipeline_root.clone(),
            parameters: parameters(&structure, &view.run.arguments),
            outputs: outputs
                .parameters
                .iter()
                .map(|(name, value)| (name.clone(), Value::clone(value)))
                .collect(),
            output_artifacts,
            failures: self.failures(id, &tasks).await?,
            slowest: slowest(id, &tasks),
            cache: self.cache_summary(&tasks).await?,
            structure_version: structure.version.clone(),
            run: run_row(view),
        })
    }

    async fn output_artifacts(
        &self,
        outputs: &ferroflow_model::Outputs,
    ) -> Result<Vec<ArtifactRow>, ApiError> {
        let ids: Vec<_> = outputs.artifacts.values().flatten().map(|artifact| artifact.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let views = self.services.store.artifact_views_of(&ids).await?;
        let named =
            outputs.artifacts.iter().flat_map(|(name, list)| list.iter().map(move |one| (name, one.id)));
        let row = |(name, id)| {
            let view = views.iter().find(|view| view.record.artifact.id == id)?;
            Some(ArtifactRow { name: String::clone(name), ..artifact_row(view) })
        };
        Ok(named.filter_map(row).collect())
    }

    async fn failures(&self, run: RunId, tasks: &[TaskBrief]) -> Result<Vec<FailedTask>, ApiError> {
        let mut failed: Vec<&TaskBrief> =
            tasks.iter().filter(|task| is_leaf(task.kind) && task.status == TaskStatus::Failed).collect();
        failed.sort_by_key(|task| (task.ended_at, task.execution_id));
        let mut found = Vec::new();
        for (place, task) in failed.into_iter().take(MOST_FAILURES).enumerate() {
            let traceback = if place < MOST_TRACEBACKS { self.traceback(run, task).await? } else { None };
            let state = task_state(run, task);
            found.push(FailedTask {
                task_id: state.task_id,
                path: state.path,
                display_name: state.display_name,
                attempt: state.attempt,
                error: state.error,
                traceback,
            });
        }
        Ok(found)
    }

    async fn cache_summary(&self, tasks: &[TaskBrief]) -> Result<CacheSummary, ApiError> {
        let well = tasks.iter().filter(|task| task.kind == TaskKind::Container && task.status.is_success());
        let origins: Vec<_> = tasks.iter().filter_map(|task| task.cached_from).collect();
        let mut saved_ms = 0;
        if !origins.is_empty() {
            for execution in self.services.store.executions(&origins).await? {
                saved_ms += length(execution.started_at, execution.ended_at).unwrap_or(0);
            }
        }
        let reused = tasks.iter().filter(|task| task.status == TaskStatus::Cached && is_leaf(task.kind));
        Ok(CacheSummary { reused: reused.count() as u64, ended_well: well.count() as u64, saved_ms })
    }

    pub(super) async fn run_state(&self, question: &Question<'_>) -> Result<RunState, ApiError> {
        question.query(&[])?;
        let id: RunId = parse_id(run::WHAT, question.field("run_id"))?;
        // Taken first: whatever is read below holds at least what had happened by then.
        let cursor = self.changes.cursor();
        let run = self.services.store.run(id).await?;
        let tasks = self.services.store.task_briefs(id).await?;
        Ok(RunState {
            cursor,
            run: run_head(&run),
            tasks: tasks.iter().map(|task| task_state(id, task)).collect(),
        })
    }

    pub(super) async fn run_timeline(&self, question: &Question<'_>) -> Result<Timeline, ApiError> {
        question.query(&[])?;
        let id: RunId = parse_id(run::WHAT, question.field("run_id"))?;
        let run = self.services.store.run(id).await?;
        let structure = self.structure_of_run(id).await?;
        let tasks = self.services.store.task_briefs(id).await?;
        let attempts = self.services.store.attempts_of(id).await?;
        let now = self.services.clock.now();
        let (rows, critical_path) = timeline::rows(Some(&structure), id, &tasks, &attempts, now);
        Ok(Timeline {
            run_id: id.to_string(),
            from: millis(run.created_at),
            to: optional_millis(run.finished_at),
            now: millis(now),
            rows,
            critical_ms: timeline::length(&critical_path),
            critical_path,
        })
    }

    pub(super) async fn run_artifacts(&self, question: &Question<'_>) -> Result<ArtifactPage, ApiError> {
        let query = question.query(&["type"])?;
        let id: RunId = parse_id(run::WHAT, question.field("run_id"))?;
        self.services.store.run(id).await?;
        let wanted = ArtifactQuery {
            run: Some(id),
            schema_title: query.text("type").map(str::to_owned),
            limit: MOST_ARTIFACTS,
            ..ArtifactQuery::default()
        };
        let views = self.services.store.artifact_views(wanted).await?;
        Ok(ArtifactPage {
            artifacts: views.iter().map(artifact_row).collect(),
            next_page_token: String::new(),
        })
    }
}

/// A list with what its page tokens are bound to.
pub(super) struct List<'a> {
    pub(super) scope: &'a str,
    /// JSON of the filter, as v2beta1 has it.
    pub(super) filter: &'a str,
    /// Keys that it may be sorted by.
    pub(super) sorts: &'a [&'a str],
    pub(super) default_sort: &'a str,
}

/// Whether a task has no tasks inside.
pub(super) fn is_leaf(kind: TaskKind) -> bool {
    matches!(kind, TaskKind::Container | TaskKind::Importer)
}

fn facet(value: ValueCount) -> FacetCount {
    let label = if value.label.is_empty() { value.value.clone() } else { value.label };
    FacetCount { value: value.value, label, count: value.count }
}

/// The filter of runs as JSON, in the form of v2beta1.
fn filter(query: &Query) -> Result<String, ApiError> {
    let mut predicates = Vec::new();
    if let Some(text) = query.text("q") {
        predicates.push(json!({ "operation": "IS_SUBSTRING", "key": "name", "stringValue": text }));
    }
    let states = query.list("state");
    if let Some(unknown) = states.iter().find(|state| RunStatus::from_name(state).is_none()) {
        return Err(ApiError::invalid(format!("there is no state `{unknown}`")));
    }
    let ids = query.list("ids");
    if ids.len() > MOST_IDS {
        return Err(ApiError::invalid(format!("at most {MOST_IDS} runs can be named in `ids`")));
    }
    for (key, values) in [("state", states), ("id", ids)] {
        if !values.is_empty() {
            predicates.push(json!({ "operation": "IN", "key": key, "stringValues": { "values": values } }));
        }
    }
    for key in ["experiment_id", "pipeline_id", "version_id", "pipeline_name", "recurring_run_id"] {
        if let Some(text) = query.text(key) {
            predicates.push(json!({ "operation": "EQUALS", "key": key, "stringValue": text }));
        }
    }
    for (name, operation) in [("since", "GREATER_THAN_EQUALS"), ("until", "LESS_THAN")] {
        if let Some(at) = query.parsed::<i64>(name, "a time in milliseconds")? {
            let seconds = at.div_euclid(1000).to_string();
            predicates.push(json!({ "operation": operation, "key": "created_at", "longValue": seconds }));
        }
    }
    // Runs that are asked for by id are shown wherever they are.
    let everywhere = if query.text("ids").is_some() { "any" } else { "false" };
    if let Some(state) = storage_state(query.text("archived").unwrap_or(everywhere))? {
        let value = state.as_str();
        predicates.push(json!({ "operation": "EQUALS", "key": "storage_state", "stringValue": value }));
    }
    Ok(json!({ "predicates": predicates }).to_string())
}

/// `true`, `false` or `any`.
pub(super) fn storage_state(archived: &str) -> Result<Option<StorageState>, ApiError> {
    match archived {
        "true" => Ok(Some(StorageState::Archived)),
        "false" => Ok(Some(StorageState::Available)),
        "any" => Ok(None),
        other => Err(ApiError::invalid(format!("`archived` is `true`, `false` or `any`, not `{other}`"))),
    }
}

/// All parameters of the pipeline with the values that they have in a run.
pub(super) fn parameters(
    structure: &Structure,
    arguments: &serde_json::Map<String, Value>,
) -> Vec<RunParameter> {
    let declared = structure.spec.root.input_parameters.iter();
    declared
        .map(|(name, parameter)| {
            let default_value = parameter.default_value.clone().unwrap_or_default();
            let given = arguments.get(name);
            RunParameter {
                name: name.clone(),
                parameter_type: parameter.parameter_type.wire_name().to_owned(),
                value: given.unwrap_or(&default_value).clone(),
                is_given: given.is_some(),
                is_changed: given.is_some_and(|given| *given != default_value),
                default_value,
                is_optional: parameter.is_optional,
                literals: parameter.literals.clone(),
            }
        })
        .collect()
}

fn slowest(run: RunId, tasks: &[TaskBrief]) -> Vec<TaskState> {
    let mut slow: Vec<(Millis, &TaskBrief)> = tasks
        .iter()
        .filter(|task| is_leaf(task.kind))
        .filter_map(|task| Some((length(task.started_at, task.ended_at)?, task)))
        .collect();
    slow.sort_by_key(|(length, task)| (std::cmp::Reverse(*length), task.execution_id));
    slow.truncate(MOST_SLOWEST);
    slow.into_iter().map(|(_, task)| task_state(run, task)).collect()
}
