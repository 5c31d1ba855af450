//! Graphs: tasks that wait for each other in a circle, components that contain themselves, and nesting that expands
//! without bound. Everything here is linear and iterative, so 100,000 tasks in a row are no deeper than one.

use std::collections::BTreeMap;

use super::Checker;
use crate::ir::{ArtifactSource, Component, ComponentBody, Dag, ParameterSource, Task};
use crate::problem::Path;

/// Circles reported per DAG; each costs a walk over what is left of it.
const CIRCLES: usize = 10;
/// Names shown of one circle.
const SHOWN: usize = 10;
/// Levels of components in components.
const NESTING_LIMIT: usize = 100;
/// Tasks that a pipeline may have once every component is written out, loops counted once.
const TASK_LIMIT: u64 = 1_000_000;

/// The tasks that a task waits for: those it names and the producers of its inputs. Names may repeat.
fn upstream(task: &Task) -> impl Iterator<Item = &str> {
    let parameters = task.parameters.values().filter_map(|given| match &given.source {
        ParameterSource::TaskOutput(selector) => Some(selector.task.as_str()),
        ParameterSource::TaskFinalStatus(task) => Some(task.as_str()),
        ParameterSource::ComponentInput(_) | ParameterSource::Constant(_) => None,
    });
    let artifacts = task.artifacts.values().filter_map(|source| match source {
        ArtifactSource::TaskOutput(selector) => Some(selector.task.as_str()),
        ArtifactSource::ComponentInput(_) => None,
    });
    task.dependencies.iter().map(String::as_str).chain(parameters).chain(artifacts)
}

impl<'a> Checker<'a> {
    /// Reports tasks that wait for each other.
    pub(super) fn cycles(&mut self, dag: &'a Dag, tasks: &Path<'_>) {
        for circle in circles(dag) {
            if let [first, _, ..] = circle.as_slice() {
                let message = format!("the tasks wait for each other in a circle: {}", round(&circle));
                self.report(&tasks.key(first), message, || "remove one of these dependencies".to_owned());
            }
        }
    }

    /// Reports components that contain themselves, and nesting beyond what a run could hold.
    pub(super) fn nesting(&mut self) {
        let nest = Nest::of(&self.spec.components);
        let components = Path::ROOT.key("components");
        for circle in &nest.circles {
            if let Some(first) = circle.first() {
                let message = format!("the component contains itself: {}", round(circle));
                self.report(&components.key(first), message, || "a pipeline cannot be recursive".to_owned());
            }
        }
        if !nest.circles.is_empty() {
            return;
        }
        let size = nest.size_of(&self.spec.root);
        let root = Path::ROOT.key("root");
        if size.depth > NESTING_LIMIT {
            self.report(
                &root,
                format!("components are nested more than {NESTING_LIMIT} levels deep"),
                String::new,
            );
        }
        if size.tasks > TASK_LIMIT {
            let message =
                format!("the pipeline has more than {TASK_LIMIT} tasks once its components are written out");
            self.report(&root, message, || "run it in parts".to_owned());
        }
    }
}

/// `a` → `b` → `a`, shortened if long.
fn round(circle: &[&str]) -> String {
    let mut names: Vec<String> = circle.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if circle.len() > SHOWN {
        names.push(format!("… ({} more)", circle.len() - SHOWN));
    }
    names.extend(circle.first().map(|name| format!("`{name}`")));
    names.join(" → ")
}

/// Circles of tasks, in the order in which the tasks would have to run; a task that waits for itself is not one.
fn circles(dag: &Dag) -> Vec<Vec<&str>> {
    let names: Vec<&str> = dag.tasks.keys().map(String::as_str).collect();
    let numbers: BTreeMap<&str, usize> =
        names.iter().enumerate().map(|(number, name)| (*name, number)).collect();
    let waits_for: Vec<Vec<usize>> = dag
        .tasks
        .iter()
        .map(|(name, task)| {
            let mut found: Vec<usize> = upstream(task)
                .filter(|task| task != name)
                .filter_map(|task| numbers.get(task).copied())
                .collect();
            found.sort_unstable();
            found.dedup();
            found
        })
        .collect();
    let mut open = Open::new(&waits_for);
    let mut found = Vec::new();
    while found.len() < CIRCLES {
        open.settle();
        let Some(circle) = open.circle(&waits_for) else { break };
        // Taken as done, so that circles elsewhere are seen as well.
        open.ready.extend(circle.first());
        found
            .push(from_first(circle.iter().rev().filter_map(|number| names.get(*number).copied()).collect()));
    }
    found
}

/// The same circle, beginning with the alphabetically first name.
fn from_first(mut circle: Vec<&str>) -> Vec<&str> {
    if let Some(first) = (0..circle.len()).min_by_key(|index| circle.get(*index).copied()) {
        circle.rotate_left(first);
    }
    circle
}

/// Tasks not yet known to be able to run.
struct Open {
    left: Vec<usize>,
    waiters: Vec<Vec<usize>>,
    ready: Vec<usize>,
    done: Vec<bool>,
}

impl Open {
    fn new(waits_for: &[Vec<usize>]) -> Self {
        let mut waiters = vec![Vec::new(); waits_for.len()];
        for (number, sources) in waits_for.iter().enumerate() {
            for source in sources {
                if let Some(list) = waiters.get_mut(*source) {
                    list.push(number);
                }
            }
        }
        let left: Vec<usize> = waits_for.iter().map(Vec::len).collect();
        let ready =
            left.iter().enumerate().filter(|(_, left)| **left == 0).map(|(number, _)| number).collect();
        Self { done: vec![false; left.len()], left, waiters, ready }
    }

    /// Ticks off everything that can run.
    fn settle(&mut self) {
        while let Some(number) = self.ready.pop() {
            let Some(done) = self.done.get_mut(number) else { continue };
            if std::mem::replace(done, true) {
                continue;
            }
            for waiter in self.waiters.get(number).into_iter().flatten() {
                if let Some(left) = self.left.get_mut(*waiter) {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        self.ready.push(*waiter);
                    }
                }
            }
        }
    }

    /// A circle among what is left: from any task back along what it waits for until one repeats.
    fn circle(&self, waits_for: &[Vec<usize>]) -> Option<Vec<usize>> {
        let is_left = |number: &usize| self.done.get(*number) == Some(&false);
        let mut here = (0..self.done.len()).find(is_left)?;
        let mut trail = Vec::new();
        let mut position = vec![None; self.done.len()];
        loop {
            match position.get_mut(here)? {
                Some(start) => return trail.get(*start..).map(<[usize]>::to_vec),
                seen => *seen = Some(trail.len()),
            }
            trail.push(here);
            here = waits_for.get(here)?.iter().copied().find(is_left)?;
        }
    }
}

/// Depth of nesting and number of tasks of a component written out.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    depth: usize,
    tasks: u64,
}

/// Which component contains which.
struct Nest<'a> {
    circles: Vec<Vec<&'a str>>,
    sizes: BTreeMap<&'a str, Size>,
}

impl<'a> Nest<'a> {
    fn of(components: &'a BTreeMap<String, Component>) -> Self {
        let mut nest = Self { circles: Vec::new(), sizes: BTreeMap::new() };
        for (name, component) in components {
            nest.visit(name, component, components);
        }
        nest
    }

    /// Depth first with a stack of our own; a component is sized once all that it contains is.
    fn visit(
        &mut self,
        name: &'a str,
        component: &'a Component,
        components: &'a BTreeMap<String, Component>,
    ) {
        if self.sizes.contains_key(name) {
            return;
        }
        let mut trail: Vec<(&str, &Component, Vec<&str>)> = vec![(name, component, parts(component))];
        let mut open = BTreeMap::from([(name, 0)]);
        while let Some((name, component, parts_left)) = trail.last_mut() {
            let Some(part) = parts_left.pop() else {
                let (name, component) = (*name, *component);
                let size = self.size_of(component);
                self.sizes.insert(name, size);
                open.remove(name);
                trail.pop();
                continue;
            };
            if self.sizes.contains_key(part) {
                continue;
            }
            if let Some(start) = open.get(part) {
                let circle = trail.iter().skip(*start).map(|(name, ..)| *name).collect();
                self.circles.push(from_first(circle));
            } else if let Some((part, inner)) = components.get_key_value(part) {
                open.insert(part, trail.len());
                trail.push((part, inner, parts(inner)));
            }
        }
    }

    fn size_of(&self, component: &Component) -> Size {
        let ComponentBody::Dag(dag) = &component.body else { return Size { depth: 0, tasks: 1 } };
        let mut whole = Size { depth: 1, tasks: 1 };
        for task in dag.tasks.values() {
            let part = self.sizes.get(task.component.as_str()).copied().unwrap_or_default();
            whole.depth = whole.depth.max(part.depth + 1);
            whole.tasks = whole.tasks.saturating_add(part.tasks);
        }
        whole
    }
}

/// Components that a component contains, each once.
fn parts(component: &Component) -> Vec<&str> {
    let ComponentBody::Dag(dag) = &component.body else { return Vec::new() };
    let mut parts: Vec<&str> = dag.tasks.values().map(|task| task.component.as_str()).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}
