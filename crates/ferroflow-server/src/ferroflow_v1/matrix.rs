//! Tasks of a pipeline over its last runs.

use std::collections::HashMap;

use ferroflow_model::{PipelineId, RunId, TaskId, TaskStatus};
use ferroflow_ports::view::{RunsOf, TaskBrief};

use super::convert::{length, run_dot};
use super::structure::without_indexes;
use super::wire::{Matrix, MatrixCell, MatrixRow, Millis};
use super::{OwnApi, Question};
use crate::status::ApiError;
use crate::v2beta1::{parse_id, pipeline};

const MOST_RUNS: u32 = 100;
const MOST_ROWS: usize = 500;
/// Tasks of all runs together that are looked at.
const MOST_TASKS: u32 = 100_000;

impl OwnApi {
    pub(super) async fn matrix(&self, question: &Question<'_>) -> Result<Matrix, ApiError> {
        let query = question.query(&["limit"])?;
        let limit = query.number("limit", 50, (1, MOST_RUNS))?;
        let id: PipelineId = parse_id(pipeline::WHAT, question.field("pipeline_id"))?;
        self.services.store.pipeline(id).await?;
        let mut found = self.services.store.last_runs(RunsOf::Pipeline, &[id.to_string()], limit).await?;
        let runs = found.remove(&id.to_string()).unwrap_or_default();
        let ids: Vec<RunId> = runs.iter().map(|run| run.id).collect();
        let mut tasks = self.services.store.leaf_briefs(&ids, MOST_TASKS).await?;
        let columns: Vec<(RunId, Vec<TaskBrief>)> =
            ids.into_iter().map(|id| (id, tasks.remove(&id).unwrap_or_default())).collect();
        let mut rows = rows(&columns);
        let is_cut = rows.len() > MOST_ROWS;
        rows.truncate(MOST_ROWS);
        Ok(Matrix { runs: runs.iter().map(run_dot).collect(), rows, is_cut })
    }
}

/// Rows in the order in which tasks appear, the oldest run first.
fn rows(columns: &[(RunId, Vec<TaskBrief>)]) -> Vec<MatrixRow> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut rows: Vec<MatrixRow> = Vec::new();
    for (column, (run, tasks)) in columns.iter().enumerate().rev() {
        for task in tasks {
            let path = without_indexes(task.path.as_str());
            let place = *places.entry(path.clone()).or_insert_with(|| {
                let cells = vec![None; columns.len()];
                rows.push(MatrixRow {
                    path,
                    display_name: task.display_name.clone(),
                    cells,
                    median_ms: None,
                });
                rows.len() - 1
            });
            if let Some(cell) = rows.get_mut(place).and_then(|row| row.cells.get_mut(column)) {
                add(cell, *run, task);
            }
        }
    }
    for row in &mut rows {
        row.median_ms = median(row.cells.iter().flatten());
    }
    rows
}

fn add(cell: &mut Option<MatrixCell>, run: RunId, task: &TaskBrief) {
    let duration_ms = length(task.started_at, task.ended_at);
    let task_id = || TaskId::derive(run, &task.path).to_string();
    match cell {
        None => *cell = Some(MatrixCell { task_id: task_id(), state: task.status, duration_ms, count: 1 }),
        Some(cell) => {
            if badness(task.status) > badness(cell.state) {
                cell.state = task.status;
                cell.task_id = task_id();
            }
            cell.duration_ms = cell.duration_ms.max(duration_ms);
            cell.count += 1;
        }
    }
}

/// What decides the state of several tasks.
fn badness(state: TaskStatus) -> u8 {
    match state {
        TaskStatus::Failed => 6,
        TaskStatus::Canceled => 5,
        TaskStatus::Running => 4,
        TaskStatus::Pending => 3,
        TaskStatus::Succeeded => 2,
        TaskStatus::Cached => 1,
        TaskStatus::Skipped => 0,
    }
}

fn median<'c>(cells: impl Iterator<Item = &'c MatrixCell>) -> Option<Millis> {
    let ended_well = cells.filter(|cell| cell.state == TaskStatus::Succeeded);
    let mut lengths: Vec<Millis> = ended_well.filter_map(|cell| cell.duration_ms).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied()
}
