//! One task, and why the cache did or did not help it.

use ferroflow_model::record::{CacheRecord, TaskRecord};
use ferroflow_model::{ExecutionId, RunId, TaskKind, TaskStatus};
use ferroflow_ports::view::{ExecutionView, TaskQuery};
use ferroflow_ports::{PortError, Store};
use ferroflow_spec::ir::{ArtifactSource, Executor, ParameterSource};
use serde_json::{Map, Value};

use super::cache_parts::differences;
use super::convert::{bare_artifact, brief, execution_ref, lost_execution, task_state_of};
use super::newest::NewestFirst;
use super::query::Query;
use super::structure::{Structure, join};
use super::wire::{
    CacheDifference, CacheExplanation, CacheOutcome, ExecutionRef, InputSource, Named, NamedArtifacts,
    TaskDetail, TaskPage, TaskProgram, TaskRow, TaskValues,
};
use super::{OwnApi, Question, timeline};
use crate::status::ApiError;
use crate::tasks::task_named;
use crate::v2beta1::run_details::pod_name;
use crate::v2beta1::{parse_id, run};

impl OwnApi {
    /// The task that the address names. `NotFound` without the run or the task.
    pub(super) async fn task_of(&self, question: &Question<'_>) -> Result<TaskRecord, ApiError> {
        let run: RunId = parse_id(run::WHAT, question.field("run_id"))?;
        Ok(task_named(&*self.services.store, run, question.field("task")).await?)
    }

    pub(super) async fn task(&self, question: &Question<'_>) -> Result<TaskDetail, ApiError> {
        question.query(&[])?;
        let task = self.task_of(question).await?;
        let run = self.services.store.run(task.run_id).await?;
        let structure = self.structure_of_run(task.run_id).await?;
        let attempts = self.services.store.attempts_of_task(&task).await?;
        let traceback = if task.status == TaskStatus::Failed && task.kind == TaskKind::Container {
            self.traceback(task.run_id, &brief(&task)).await?
        } else {
            None
        };
        Ok(TaskDetail {
            run_id: task.run_id.to_string(),
            state: task_state_of(&task),
            execution_id: task.execution_id.0,
            log_node: pod_name(&run, &task),
            has_log: task.kind == TaskKind::Container && (task.attempt > 0 || task.cached_from.is_some()),
            program: program(&structure, &task),
            inputs: values(&task.inputs),
            input_sources: input_sources(&structure, task.path.as_str()),
            outputs: values(&task.outputs),
            attempts: attempts.iter().map(timeline::task_attempt).collect(),
            traceback,
            cached_from: origin(&*self.services.store, &task).await?,
        })
    }

    pub(super) async fn tasks(&self, question: &Question<'_>) -> Result<TaskPage, ApiError> {
        let query =
            question.query(&["run", "pipeline_name", "name", "kind", "state", "page_size", "page_token"])?;
        let page = NewestFirst::read(self, "tasks", question, &query)?;
        let wanted = TaskQuery {
            run: query.text("run").map(|id| parse_id(run::WHAT, id)).transpose()?,
            pipeline_name: query.text("pipeline_name").map(str::to_owned),
            name: query.text("name").map(str::to_owned),
            kind: named(&query, "kind", TaskKind::from_name)?,
            status: named(&query, "state", TaskStatus::from_name)?,
            before: page.before.map(ExecutionId),
            limit: page.limit + 1,
        };
        let mut tasks = self.services.store.tasks(wanted).await?;
        let next_page_token = page.end(self, &mut tasks, |(task, _)| task.execution_id.0);
        let row = |(task, run_name): (TaskRecord, String)| TaskRow {
            run: Named { id: task.run_id.to_string(), name: run_name },
            execution_id: task.execution_id.0,
            state: task_state_of(&task),
            fingerprint: task.cache.as_ref().map(|key| key.fingerprint.clone()),
            inputs: values(&task.inputs),
            outputs: values(&task.outputs),
            name: task.name,
        };
        Ok(TaskPage { tasks: tasks.into_iter().map(row).collect(), next_page_token })
    }

    pub(super) async fn task_cache(&self, question: &Question<'_>) -> Result<CacheExplanation, ApiError> {
        question.query(&[])?;
        let task = self.task_of(question).await?;
        Ok(explain_cache(&*self.services.store, &task).await?)
    }
}

fn named<T>(query: &Query, field: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, ApiError> {
    let Some(text) = query.text(field) else { return Ok(None) };
    let read = read(text).ok_or_else(|| ApiError::invalid(format!("`{field}` cannot be `{text}`")))?;
    Ok(Some(read))
}

/// The execution whose results a task has taken over.
async fn origin(store: &dyn Store, task: &TaskRecord) -> Result<Option<ExecutionRef>, PortError> {
    let Some(origin) = task.cached_from else { return Ok(None) };
    let found = store.executions(&[origin]).await?.pop();
    Ok(Some(found.as_ref().map_or_else(|| lost_execution(origin), execution_ref)))
}

/// What the cache did for a task, and why.
pub(crate) async fn explain_cache(
    store: &dyn Store,
    task: &TaskRecord,
) -> Result<CacheExplanation, PortError> {
    let Some(key) = &task.cache else { return Ok(unused(task)) };
    let mut explanation = CacheExplanation {
        outcome: CacheOutcome::Hit,
        reason: "an earlier execution had the same key, so its results were taken over".to_owned(),
        fingerprint: Some(key.fingerprint.clone()),
        compared_with: None,
        saved_ms: None,
        differences: Vec::new(),
        parts: key.parts.read(),
    };
    if let Some(origin) = origin(store, task).await? {
        explanation.saved_ms = origin.duration_ms;
        explanation.compared_with = Some(origin);
        return Ok(explanation);
    }
    let run = store.run(task.run_id).await?;
    let earlier = store.earlier_keys(&run.pipeline_name, &task.name, task.execution_id).await?;
    explanation.outcome = CacheOutcome::Miss;
    match nearest(&earlier, key) {
        None => "there is no earlier execution of this component".clone_into(&mut explanation.reason),
        Some((execution, found)) => {
            explanation.reason = miss_reason(execution, &found);
            explanation.compared_with = Some(execution_ref(execution));
            explanation.differences = found;
        }
    }
    if let Some(refusal) = &key.refusal {
        explanation.reason = format!("an earlier result was not taken over: {refusal}");
    }
    Ok(explanation)
}

fn unused(task: &TaskRecord) -> CacheExplanation {
    let reason = match task.kind {
        TaskKind::Container if task.status == TaskStatus::Pending => "no look-up was made yet",
        TaskKind::Container if task.status == TaskStatus::Skipped => "the task was skipped",
        TaskKind::Container => "caching is switched off for this task or this run",
        _ => "only tasks with user code use the cache",
    };
    CacheExplanation {
        outcome: CacheOutcome::Unused,
        reason: reason.to_owned(),
        fingerprint: None,
        compared_with: None,
        saved_ms: None,
        differences: Vec::new(),
        parts: Map::new(),
    }
}

/// The earlier execution whose key differs in the fewest parts; of equal ones the newest.
fn nearest<'e>(
    earlier: &'e [(ExecutionView, CacheRecord)],
    key: &CacheRecord,
) -> Option<(&'e ExecutionView, Vec<CacheDifference>)> {
    let compared = earlier.iter().map(|(execution, record)| (execution, differences(record, key)));
    compared.min_by_key(|(_, found)| found.len())
}

fn miss_reason(earlier: &ExecutionView, found: &[CacheDifference]) -> String {
    match found {
        [] if earlier.status.is_success() => {
            "an earlier execution has the same key, but its results were not there yet when this task began"
                .to_owned()
        }
        [] => "the earlier execution with the same key did not succeed".to_owned(),
        [only] => format!("another {} than in the nearest earlier execution", only.part),
        [first, rest @ ..] => {
            format!("another {} than in the nearest earlier execution, and {} more", first.part, rest.len())
        }
    }
}

fn values(values: &ferroflow_model::Inputs) -> TaskValues {
    let parameters = values.parameters.iter().map(|(name, value)| (name.clone(), Value::clone(value)));
    let artifacts = values.artifacts.iter().map(|(name, list)| NamedArtifacts {
        name: name.clone(),
        artifacts: list.iter().map(|artifact| bare_artifact(name, artifact)).collect(),
    });
    TaskValues { parameters: parameters.collect(), artifacts: artifacts.collect() }
}

fn program(structure: &Structure, task: &TaskRecord) -> Option<TaskProgram> {
    let place = structure.place(task.path.as_str())?;
    let mut program = TaskProgram {
        component: place.task.component.clone(),
        image: String::new(),
        command: Vec::new(),
        env_names: Vec::new(),
        resources: Value::Null,
        python_source: None,
        max_retries: place.task.retry.as_ref().map_or(0, |retry| retry.max_retry_count),
        condition: place.task.condition.clone(),
        caching: place.task.caching.enabled,
    };
    if let Some(Executor::Container(container)) = structure.executor(place.component) {
        program.image.clone_from(&container.image);
        program.command = container.command.iter().chain(&container.args).cloned().collect();
        program.env_names = container.env.iter().map(|(name, _)| name.clone()).collect();
        program.resources = container.resources.clone();
        let is_source = |word: &&String| word.contains("import kfp") && word.contains("\ndef ");
        program.python_source = container.command.iter().find(is_source).cloned();
    }
    Some(program)
}

/// Where the inputs of a task come from; inputs of groups are followed outwards to whoever made them.
fn input_sources(structure: &Structure, path: &str) -> Vec<InputSource> {
    let Some(place) = structure.place(path) else { return Vec::new() };
    let parameters = place.task.parameters.keys().map(|name| (name, false));
    let artifacts = place.task.artifacts.keys().map(|name| (name, true));
    let source = |(name, is_artifact): (&String, bool)| {
        let (task, output) = origin_of(structure, path, name, is_artifact);
        InputSource { input: name.clone(), task, name: output }
    };
    parameters.chain(artifacts).map(source).collect()
}

/// The task and output behind an input of the task at `path`.
fn origin_of(structure: &Structure, path: &str, input: &str, is_artifact: bool) -> (Option<String>, String) {
    let (mut path, mut name) = (path.to_owned(), input.to_owned());
    loop {
        let Some(place) = structure.place(&path) else { return (None, name) };
        let holder = path.rsplit_once('/').map_or("", |(holder, _)| holder);
        let outer = if is_artifact {
            match place.task.artifacts.get(&name) {
                Some(ArtifactSource::TaskOutput(from)) => {
                    return (Some(join(holder, &from.task)), from.output.clone());
                }
                Some(ArtifactSource::ComponentInput(outer)) => outer,
                None => return (None, name),
            }
        } else {
            match place.task.parameters.get(&name).map(|input| &input.source) {
                Some(ParameterSource::TaskOutput(from)) => {
                    return (Some(join(holder, &from.task)), from.output.clone());
                }
                Some(ParameterSource::ComponentInput(outer)) => outer,
                Some(ParameterSource::TaskFinalStatus(of)) => return (Some(join(holder, of)), String::new()),
                Some(ParameterSource::Constant(_)) => return (None, String::new()),
                None => return (None, name),
            }
        };
        name.clone_from(outer);
        if holder.is_empty() {
            return (None, name);
        }
        // The holder is a group, or a pass of a loop, whose task stands one part further out.
        let group = if structure.place(holder).is_some() {
            holder.to_owned()
        } else {
            holder.rsplit_once('/').map_or(String::new(), |(group, _)| group.to_owned())
        };
        path = group;
    }
}
