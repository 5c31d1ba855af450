//! Turns marks of time into phases, and finds the chain of tasks that decided how long a run took.
//!
//! Pure: tasks and attempts in, rows out. What waits for what is taken from the pipeline file; a wait for a free slot is
//! a phase of the task that waits.

use std::collections::{BTreeMap, HashMap};

use ferroflow_model::record::{AttemptPhases, AttemptRecord};
use ferroflow_model::{ExecutionId, RunId, TaskId, TaskKind, TaskStatus, Timestamp};
use ferroflow_ports::view::TaskBrief;

use super::convert::{millis, optional_millis};
use super::structure::{Structure, join, upstream};
use super::wire::{CriticalStep, Millis, Phase, Segment, TaskAttempt, TimelineAttempt, TimelineRow};

/// Phases of one attempt, without gaps, in whole milliseconds. Marks that are missing make the phase before them longer;
/// marks that go backwards are moved forwards.
pub(super) fn segments(phases: &AttemptPhases) -> Vec<Segment> {
    // Without a mark for installed packages there is nothing to tell setting up from user code.
    let begun = if phases.installed.is_some() { Phase::Setup } else { Phase::Run };
    let marks = [
        (phases.created, Phase::Wait),
        (phases.ready, Phase::Queue),
        (phases.admitted, Phase::Start),
        (phases.started, begun),
        (phases.installed, Phase::Run),
        (phases.user_code_finished, Phase::Upload),
        (phases.uploaded, Phase::Finish),
    ];
    let known = marks.into_iter().filter_map(|(at, phase)| Some((millis(at?), phase)));
    let end = phases.finished.map(millis);
    let mut segments: Vec<Segment> = Vec::new();
    for (at, phase) in known {
        let at = end.map_or(at, |end| at.min(end));
        let from = match segments.last_mut() {
            Some(last) => {
                let from = at.max(last.from);
                last.to = Some(from);
                from
            }
            None => at,
        };
        segments.push(Segment { phase, from, to: None });
    }
    if let (Some(last), Some(end)) = (segments.last_mut(), end) {
        last.to = Some(end.max(last.from));
    }
    segments.retain(|segment| segment.to != Some(segment.from));
    segments
}

/// An attempt for the page of its task.
pub(super) fn task_attempt(record: &AttemptRecord) -> TaskAttempt {
    TaskAttempt {
        attempt: record.id.attempt,
        state: record.status,
        segments: segments(&record.phases),
        error: record.error.as_ref().map(super::convert::failure),
    }
}

/// The rows of a run and its deciding chain. `tasks` are all tasks of the run, the pipeline itself among them.
pub(super) fn rows(
    structure: Option<&Structure>,
    run: RunId,
    tasks: &[TaskBrief],
    attempts: &[AttemptRecord],
    now: Timestamp,
) -> (Vec<TimelineRow>, Vec<CriticalStep>) {
    let web = Web::new(structure, run, tasks, now);
    let chain = web.chain();
    let slack = web.slack();
    let mut attempts_of: HashMap<ExecutionId, Vec<TimelineAttempt>> = HashMap::new();
    for record in attempts {
        attempts_of.entry(record.execution_id).or_default().push(TimelineAttempt {
            attempt: record.id.attempt,
            state: record.status,
            segments: segments(&record.phases),
        });
    }
    let paths: HashMap<ExecutionId, &str> =
        tasks.iter().map(|task| (task.execution_id, task.path.as_str())).collect();
    let mut is_critical = vec![false; tasks.len()];
    for (place, _, _) in &chain {
        if let Some(critical) = is_critical.get_mut(*place) {
            *critical = true;
        }
    }
    let mut rows = Vec::with_capacity(tasks.len());
    for ((task, is_critical), slack) in tasks.iter().zip(is_critical).zip(slack) {
        if task.kind == TaskKind::Root {
            continue;
        }
        rows.push(TimelineRow {
            task_id: web.id(task),
            path: task.path.to_string(),
            parent: task.parent.and_then(|parent| paths.get(&parent)).map(|path| (*path).to_owned()),
            display_name: task.display_name.clone(),
            kind: task.kind,
            state: task.status,
            created_at: millis(task.created_at),
            started_at: optional_millis(task.started_at),
            ended_at: optional_millis(task.ended_at),
            attempts: attempts_of.remove(&task.execution_id).unwrap_or_default(),
            is_critical,
            slack_ms: slack,
        });
    }
    rows.sort_by_key(|row| (row.started_at.unwrap_or(row.created_at), row.ended_at));
    (rows, steps(&web, &chain))
}

fn steps(web: &Web<'_>, chain: &[(usize, Millis, Millis)]) -> Vec<CriticalStep> {
    let total: Millis = chain.iter().map(|(_, from, to)| to - from).sum();
    let tasks = chain.iter().filter_map(|(place, from, to)| Some((web.tasks.get(*place)?, *from, *to)));
    let step = |(task, from, to): (&TaskBrief, Millis, Millis)| CriticalStep {
        task_id: web.id(task),
        path: task.path.to_string(),
        display_name: task.display_name.clone(),
        from,
        to,
        share: share(to - from, total),
    };
    tasks.map(step).collect()
}

/// Length of a chain of steps.
pub(super) fn length(steps: &[CriticalStep]) -> Millis {
    steps.iter().map(|step| step.to - step.from).sum()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a run are far below 2^52")]
fn share(part: Millis, whole: Millis) -> f64 {
    if whole <= 0 { 0.0 } else { ((part as f64 / whole as f64) * 1e4).round() / 1e4 }
}

/// Tasks of a run with what they wait for.
struct Web<'a> {
    tasks: &'a [TaskBrief],
    /// End of each task in milliseconds, or now.
    ends: Vec<Millis>,
    /// Tasks of the same group that a task waits for.
    before: Vec<Vec<usize>>,
    /// Who waits for a task.
    after: Vec<Vec<usize>>,
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    run: RunId,
}

impl<'a> Web<'a> {
    fn new(structure: Option<&Structure>, run: RunId, tasks: &'a [TaskBrief], now: Timestamp) -> Self {
        let by_path: BTreeMap<&str, usize> =
            tasks.iter().enumerate().map(|(place, task)| (task.path.as_str(), place)).collect();
        let by_id: HashMap<ExecutionId, usize> =
            tasks.iter().enumerate().map(|(place, task)| (task.execution_id, place)).collect();
        let count = tasks.len();
        let mut web = Self {
            tasks,
            ends: tasks.iter().map(|task| millis(task.ended_at.unwrap_or(now))).collect(),
            before: vec![Vec::new(); count],
            after: vec![Vec::new(); count],
            parents: tasks.iter().map(|task| by_id.get(&task.parent?).copied()).collect(),
            children: vec![Vec::new(); count],
            run,
        };
        for (place, task) in tasks.iter().enumerate() {
            if let Some(parent) = web.parents.get(place).copied().flatten()
                && let Some(children) = web.children.get_mut(parent)
            {
                children.push(place);
            }
            let Some(found) = structure.and_then(|structure| structure.place(task.path.as_str())) else {
                continue;
            };
            let holder = task.path.as_str().rsplit_once('/').map_or("", |(holder, _)| holder);
            let needed =
                upstream(found.task).into_iter().filter_map(|key| by_path.get(join(holder, key).as_str()));
            for other in needed.copied() {
                if let Some(before) = web.before.get_mut(place) {
                    before.push(other);
                }
                if let Some(after) = web.after.get_mut(other) {
                    after.push(place);
                }
            }
        }
        web
    }

    fn id(&self, task: &TaskBrief) -> String {
        TaskId::derive(self.run, &task.path).to_string()
    }

    fn end(&self, place: usize) -> Millis {
        self.ends.get(place).copied().unwrap_or(0)
    }

    fn latest(&self, places: &[usize]) -> Option<usize> {
        places
            .iter()
            .copied()
            .filter(|place| self.did_work(*place))
            .max_by_key(|place| (self.end(*place), *place))
    }

    /// Tasks that were never needed decide nothing.
    fn did_work(&self, place: usize) -> bool {
        self.tasks.get(place).is_some_and(|task| {
            task.status != TaskStatus::Skipped && (task.started_at.is_some() || task.ended_at.is_some())
        })
    }

    /// Backwards from the end of the run: a group ends with the last of its tasks, a task begins when the last one that
    /// it waits for has ended. Steps as place, begin, end, the first one first.
    fn chain(&self) -> Vec<(usize, Millis, Millis)> {
        let mut steps = Vec::new();
        let root = self.tasks.iter().position(|task| task.kind == TaskKind::Root);
        let mut at = root;
        // Whether the end of `at` is looked at, or its begin.
        let mut at_end = true;
        // Each task is passed at most twice.
        for _ in 0..self.tasks.len().saturating_mul(2) {
            let Some(place) = at else { break };
            let inner = self.children.get(place).and_then(|children| self.latest(children));
            if at_end && let Some(last) = inner {
                at = Some(last);
                continue;
            }
            if at_end && self.children.get(place).is_some_and(Vec::is_empty) {
                steps.push(place);
            }
            let blocker = self.before.get(place).and_then(|before| self.latest(before));
            at_end = blocker.is_some();
            at = blocker.or_else(|| self.parents.get(place).copied().flatten());
        }
        steps.reverse();
        let begin = root.and_then(|root| self.tasks.get(root)).map_or(0, |task| millis(task.created_at));
        let mut from = begin;
        steps
            .into_iter()
            .map(|place| {
                let to = self.end(place).max(from);
                let step = (place, from, to);
                from = to;
                step
            })
            .collect()
    }

    /// How much later each task could have ended without making the run longer: backwards from those who wait for it,
    /// or from its group.
    fn slack(&self) -> Vec<Option<Millis>> {
        let root = self.tasks.iter().position(|task| task.kind == TaskKind::Root);
        let run_end =
            root.map_or_else(|| self.ends.iter().copied().max().unwrap_or(0), |root| self.end(root));
        let mut latest_end = vec![run_end; self.tasks.len()];
        for place in self.last_ones_first() {
            let followers = self.after.get(place).map_or(&[][..], Vec::as_slice);
            let begins = followers.iter().copied().filter(|other| self.did_work(*other));
            let begins = begins.filter_map(|other| Some(latest_end.get(other)? - self.own_time(other)));
            let of_parent =
                self.parents.get(place).copied().flatten().and_then(|parent| latest_end.get(parent).copied());
            let bound = begins.min().or(of_parent);
            if let (Some(slot), Some(bound)) = (latest_end.get_mut(place), bound) {
                *slot = bound;
            }
        }
        let slack = |(place, latest): (usize, Millis)| {
            let ended = self.tasks.get(place)?.ended_at.is_some();
            ended.then(|| (latest - self.end(place)).max(0))
        };
        latest_end.into_iter().enumerate().map(slack).collect()
    }

    /// All tasks, each after its group and after those that wait for it.
    fn last_ones_first(&self) -> Vec<usize> {
        let parents = self.parents.iter().map(|parent| usize::from(parent.is_some()));
        let mut missing: Vec<usize> =
            self.after.iter().map(Vec::len).zip(parents).map(|(after, parent)| after + parent).collect();
        let mut order: Vec<usize> = missing
            .iter()
            .enumerate()
            .filter(|(_, missing)| **missing == 0)
            .map(|(place, _)| place)
            .collect();
        let mut next = 0;
        while let Some(place) = order.get(next).copied() {
            next += 1;
            let lists = [self.before.get(place), self.children.get(place)];
            for other in lists.into_iter().flatten().flatten().copied() {
                if let Some(missing) = missing.get_mut(other) {
                    *missing -= 1;
                    if *missing == 0 {
                        order.push(other);
                    }
                }
            }
        }
        order
    }

    /// From the moment when nothing held a task up to its end.
    fn own_time(&self, place: usize) -> Millis {
        let Some(task) = self.tasks.get(place) else { return 0 };
        let blocker = self.before.get(place).and_then(|before| self.latest(before));
        let free = blocker.map_or_else(|| millis(task.created_at), |blocker| self.end(blocker));
        (self.end(place) - free).max(0)
    }
}

#[cfg(test)]
mod tests;
