//! Runs side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferroflow_model::record::TaskRecord;
use ferroflow_model::{RunId, TaskStatus};
use ferroflow_ports::view::RunView;
use ferroflow_spec::ir::Executor;
use serde_json::Value;

use super::convert::{bare_artifact, length, run_row, scalar_metrics};
use super::run::{is_leaf, parameters};
use super::structure::Structure;
use super::wire::{ArtifactRow, CompareArtifacts, CompareRow, CompareTask, Comparison, Millis};
use super::{OwnApi, Question};
use crate::status::ApiError;
use crate::v2beta1::{parse_id, run};

/// Most runs at once.
pub(super) const MOST_RUNS: usize = 50;
/// Rows of one table; what is beyond is left out.
const MOST_ROWS: usize = 5000;

impl OwnApi {
    pub(super) async fn compare(&self, question: &Question<'_>) -> Result<Comparison, ApiError> {
        let query = question.query(&["runs"])?;
        let mut ids: Vec<RunId> = Vec::new();
        for text in query.list("runs") {
            let id = parse_id(run::WHAT, text)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if !(2..=MOST_RUNS).contains(&ids.len()) {
            let text = format!("name 2 to {MOST_RUNS} different runs in `runs`, not {}", ids.len());
            return Err(ApiError::invalid(text));
        }
        let views = self.services.store.run_views_of(&ids).await?;
        if let Some(missing) = ids.iter().find(|id| !views.iter().any(|view| view.run.id == **id)) {
            return Err(ApiError::not_found(run::WHAT, &missing.to_string()));
        }
        let mut structures = Vec::with_capacity(ids.len());
        let mut tables = Tables::new(ids.len());
        for (column, view) in views.iter().enumerate() {
            let structure = self.structure_of_run(view.run.id).await?;
            // One run after the other: tasks are the heavy part, and only what is shown of them is kept.
            let tasks = self.services.store.tasks_of(&[view.run.id]).await?;
            tables.add_run(column, view, &structure);
            tasks.iter().filter(|task| is_leaf(task.kind)).for_each(|task| tables.add_task(column, task));
            structures.push(structure);
        }
        Ok(tables.finish(views, &structures))
    }
}

/// Values by row and column.
type Rows = BTreeMap<String, Vec<Value>>;

struct Tables {
    columns: usize,
    parameters: Rows,
    metrics: Rows,
    outputs: Rows,
    programs: Rows,
    tasks: BTreeMap<String, CompareTask>,
    artifacts: BTreeMap<(String, String), CompareArtifacts>,
    /// Paths in the order of their first appearance.
    order: Vec<String>,
}

impl Tables {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            parameters: Rows::new(),
            metrics: Rows::new(),
            outputs: Rows::new(),
            programs: Rows::new(),
            tasks: BTreeMap::new(),
            artifacts: BTreeMap::new(),
            order: Vec::new(),
        }
    }

    fn add_run(&mut self, column: usize, view: &RunView, structure: &Arc<Structure>) {
        let columns = self.columns;
        for parameter in parameters(structure, &view.run.arguments) {
            put(&mut self.parameters, columns, column, parameter.name, parameter.value);
        }
        for (name, value) in scalar_metrics(&view.metrics) {
            put(&mut self.metrics, columns, column, name, value);
        }
        structure.walk(&mut |path, place| {
            if let Some(Executor::Container(container)) = structure.executor(place.component) {
                let words: Vec<&str> =
                    container.command.iter().chain(&container.args).map(String::as_str).collect();
                put(
                    &mut self.programs,
                    columns,
                    column,
                    format!("{path} image"),
                    container.image.as_str().into(),
                );
                put(&mut self.programs, columns, column, format!("{path} command"), words.join(" ").into());
            }
        });
    }

    fn add_task(&mut self, column: usize, task: &TaskRecord) {
        let columns = self.columns;
        let path = task.path.to_string();
        for (name, value) in &task.outputs.parameters {
            put(&mut self.outputs, columns, column, format!("{path}.{name}"), Value::clone(value));
        }
        for (name, found) in &task.outputs.artifacts {
            let key = (path.clone(), name.clone());
            if self.artifacts.len() >= MOST_ROWS && !self.artifacts.contains_key(&key) {
                continue;
            }
            let row = self.artifacts.entry(key).or_insert_with(|| CompareArtifacts {
                path: path.clone(),
                name: name.clone(),
                artifact_type: found.first().map(|one| one.schema_title.clone()).unwrap_or_default(),
                artifacts: vec![Vec::new(); columns],
            });
            if let Some(cell) = row.artifacts.get_mut(column) {
                *cell = found.iter().map(|artifact| artifact_of(task, name, artifact)).collect();
            }
        }
        if self.tasks.len() >= MOST_ROWS && !self.tasks.contains_key(&path) {
            return;
        }
        let order = &mut self.order;
        let row = self.tasks.entry(path.clone()).or_insert_with(|| {
            order.push(path.clone());
            CompareTask {
                path,
                display_name: task.display_name.clone(),
                states: vec![None; columns],
                durations_ms: vec![None; columns],
            }
        });
        set(&mut row.states, column, Some(task.status));
        set(&mut row.durations_ms, column, duration_of(task));
    }

    fn finish(mut self, views: Vec<RunView>, structures: &[Arc<Structure>]) -> Comparison {
        let tasks = self.order.iter().filter_map(|path| self.tasks.remove(path)).collect();
        let mut programs = rows(self.programs);
        programs.retain(|row| row.differs);
        Comparison {
            runs: views.into_iter().map(run_row).collect(),
            structure_versions: structures.iter().map(|structure| structure.version.clone()).collect(),
            parameters: rows(self.parameters),
            metrics: rows(self.metrics),
            outputs: rows(self.outputs),
            programs,
            tasks,
            artifacts: self.artifacts.into_values().collect(),
        }
    }
}

fn duration_of(task: &TaskRecord) -> Option<Millis> {
    if task.status == TaskStatus::Skipped { None } else { length(task.started_at, task.ended_at) }
}

fn artifact_of(task: &TaskRecord, name: &str, artifact: &ferroflow_model::Artifact) -> ArtifactRow {
    ArtifactRow {
        task: Some(task.path.to_string()),
        task_id: Some(task.id.to_string()),
        ..bare_artifact(name, artifact)
    }
}

fn put(rows: &mut Rows, columns: usize, column: usize, name: String, value: Value) {
    if rows.len() >= MOST_ROWS && !rows.contains_key(&name) {
        return;
    }
    set(rows.entry(name).or_insert_with(|| vec![Value::Null; columns]), column, value);
}

fn set<T>(cells: &mut [T], column: usize, value: T) {
    if let Some(cell) = cells.get_mut(column) {
        *cell = value;
    }
}

fn rows(rows: Rows) -> Vec<CompareRow> {
    rows.into_iter().map(|(name, values)| CompareRow { differs: differs(&values), name, values }).collect()
}

fn differs(values: &[Value]) -> bool {
    values.windows(2).any(|pair| pair.first() != pair.last())
}
