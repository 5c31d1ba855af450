//! Random pipelines and circumstances.
//!
//! Pipelines are such as kfp's compiler could write, with conditions, loops and exit tasks more frequent than in life.

use std::fmt;

use ferroflow_spec::ir::ParameterType;
use serde_json::{Map, Value, json};

use crate::pipeline::{
    Pipeline, Source, Step, each, each_artifact, each_of, group, importer, importer_of_input, input, of,
    pipeline, status, task, value,
};
use crate::random::{Random, hash};

/// All that is decided before a run begins.
pub(super) struct Case {
    pub(super) seed: u64,
    pub(super) schedule: u32,
    pub(super) pipeline: Pipeline,
    pub(super) arguments: Map<String, Value>,
    pub(super) circumstances: Circumstances,
}

/// What happens to a run. Percentages are of each single occasion.
#[derive(Debug, Clone)]
pub(super) struct Circumstances {
    /// Attempts at once.
    pub(super) slots: usize,
    /// Crashes after a commit, and before one.
    pub(super) crash_percent: u32,
    /// Steps that are committed together with the next one.
    pub(super) batch_percent: u32,
    /// Commits that hold a snapshot.
    pub(super) snapshot_percent: u32,
    /// Attempts that nobody sees end.
    pub(super) lost_percent: u32,
    /// Reports that arrive late, or twice.
    pub(super) unreliable_percent: u32,
    /// Tasks that fail at least once.
    pub(super) failing_percent: u32,
    /// When clients want the run to end, in milliseconds.
    pub(super) terminate_at: Vec<u32>,
    /// How often clients have a failed run run again.
    pub(super) retries: u32,
    pub(super) caching: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pipeline, arguments, circumstances, .. } = self;
        write!(f, "{pipeline}arguments: {}\n{circumstances:?}", Value::Object(arguments.clone()))
    }
}

/// The pipeline of a seed under the circumstances of a schedule.
pub(super) fn case(seed: u64, schedule: u32) -> Case {
    let mut random = Random::new(hash(seed, "case"));
    let mut circumstances = circumstances(&mut random);
    let budget = 3 + random.below(22);
    let mut generator = Generator { random, budget, number: 0, may_retry: circumstances.retries > 0 };
    let (pipeline, arguments) = generator.pipeline();
    if schedule > 0 {
        // What tasks do stays the same.
        circumstances = Circumstances {
            failing_percent: circumstances.failing_percent,
            caching: circumstances.caching,
            terminate_at: Vec::new(),
            retries: 0,
            ..self::circumstances(&mut Random::new(hash(seed ^ u64::from(schedule), "schedule")))
        };
    }
    Case { seed, schedule, pipeline, arguments, circumstances }
}

fn circumstances(random: &mut Random) -> Circumstances {
    let one_of = |random: &mut Random, choices: &[u32]| random.pick(choices).copied().unwrap_or_default();
    let mut terminate_at = Vec::new();
    if random.chance(25) {
        terminate_at.push(random.below(20_000));
    }
    if random.chance(8) {
        terminate_at.push(random.below(60_000));
    }
    Circumstances {
        slots: one_of(random, &[1, 2, 3, 1000]) as usize,
        crash_percent: one_of(random, &[0, 0, 3, 10, 10, 25, 100]),
        batch_percent: one_of(random, &[0, 0, 30, 60]),
        snapshot_percent: one_of(random, &[0, 10, 60]),
        lost_percent: one_of(random, &[0, 0, 5, 20]),
        unreliable_percent: one_of(random, &[0, 15, 50]),
        failing_percent: one_of(random, &[0, 5, 15, 35]),
        terminate_at,
        retries: one_of(random, &[0, 0, 0, 1, 2]),
        caching: random.chance(80),
    }
}

/// What is known of a parameter value beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An integer, small enough that conditions split about evenly.
    Number,
    /// A list of such.
    Numbers,
    /// A number, null, or missing.
    Perhaps,
    /// Whatever loops make of the others.
    Any,
}

/// What a task can take from its surroundings.
#[derive(Default)]
struct Scope {
    parameters: Vec<(Source, Kind)>,
    /// With whether it is a list.
    artifacts: Vec<(Source, bool)>,
    /// Tasks beside it.
    tasks: Vec<String>,
}

/// What a group can give away: task, output and kind.
#[derive(Default)]
struct Offers {
    parameters: Vec<(String, String, Kind)>,
    artifacts: Vec<(String, String, bool)>,
}

/// An input of a group: its name, where it comes from, and its kind unless it is an artifact.
type GroupInput = (String, From, Option<Kind>);

/// Where a group's input comes from.
enum From {
    Source(Source),
    /// With a default, in case that gives nothing.
    SourceOr(Source),
    Default,
    Nothing,
}

struct Generator {
    random: Random,
    /// Tasks that may still be made.
    budget: u32,
    number: u32,
    /// Whether a client may have the run run again: exit tasks that went well keep what they were given then.
    may_retry: bool,
}

impl Generator {
    fn pipeline(&mut self) -> (Pipeline, Map<String, Value>) {
        let mut scope = Scope::default();
        scope.parameters.push((input("number"), Kind::Number));
        scope.parameters.push((input("numbers"), Kind::Numbers));
        scope.parameters.push((input("perhaps"), Kind::Perhaps));
        let (steps, offers) = self.steps(scope, 0);
        let mut arguments = Map::new();
        if self.random.chance(50) {
            arguments.insert("number".to_owned(), json!(self.random.below(4)));
        }
        if self.random.chance(50) {
            arguments.insert("perhaps".to_owned(), json!(self.random.below(4)));
        }
        let mut made = pipeline(steps)
            .accepts("number", |step| step.typed(ParameterType::NumberInteger).or(1))
            .accepts("numbers", |step| step.typed(ParameterType::List).or(json!([0, 1, 2])))
            .accepts("perhaps", |step| step.typed(ParameterType::NumberInteger).optional());
        for (number, (task, output, _)) in offers.parameters.iter().take(2).enumerate() {
            made = made.returns(&format!("r{number}"), task, output);
        }
        (made, arguments)
    }

    /// Tasks of one group.
    fn steps(&mut self, mut scope: Scope, depth: u32) -> (Vec<Step>, Offers) {
        let mut offers = Offers::default();
        let count = if depth == 0 { 2 + self.random.below(6) } else { self.random.below(4) };
        let mut steps = Vec::new();
        for _ in 0..count {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            let (step, made) = self.step(&scope, depth);
            let name = step.name().to_owned();
            for (task, output, kind) in made.parameters {
                scope.parameters.push((of(&task, &output), kind));
                offers.parameters.push((task, output, kind));
            }
            for (task, output, is_list) in made.artifacts {
                scope.artifacts.push((of(&task, &output), is_list));
                offers.artifacts.push((task, output, is_list));
            }
            scope.tasks.push(name);
            steps.push(step);
        }
        (steps, offers)
    }

    fn step(&mut self, scope: &Scope, depth: u32) -> (Step, Offers) {
        self.number += 1;
        let number = self.number;
        let roll = self.random.below(100);
        let (step, mut offers, is_group) = match roll {
            0..12 if depth < 3 => with(self.group(&format!("g{number}"), scope, depth), true),
            12..32 if depth < 3 => with(self.looping(&format!("l{number}"), scope, depth), true),
            32..40 if depth < 3 => with(self.branches(&format!("b{number}"), scope), true),
            40..46 => with(self.importer(&format!("m{number}")), false),
            _ => with(self.container(&format!("t{number}"), scope), false),
        };
        let (step, is_conditional) = self.circumstances(step, scope, is_group);
        if is_conditional && depth > 0 {
            // The group around it may end well without these.
            for (_, _, kind) in &mut offers.parameters {
                if *kind != Kind::Any {
                    *kind = Kind::Perhaps;
                }
            }
        }
        (step, offers)
    }

    /// When and how often it runs.
    fn circumstances(&mut self, mut step: Step, scope: &Scope, is_group: bool) -> (Step, bool) {
        let mut before = None;
        while self.random.chance(if scope.tasks.is_empty() { 0 } else { 35 }) {
            if let Some(name) = self.random.pick(&scope.tasks) {
                step = step.after(name);
                before = Some(name);
            }
        }
        let mut is_conditional = false;
        // An exit group that is run again keeps its inputs.
        let may_be_always = !(is_group && self.may_retry && step.takes_outputs());
        if let Some(name) = before.filter(|_| may_be_always && self.random.chance(30)) {
            step = step.always();
            if !is_group && self.random.chance(50) {
                step = step.takes("final", status(name)).typed(ParameterType::TaskFinalStatus).optional();
            }
        }
        let is_always = step.is_always();
        if self.random.chance(18) && !(is_always && self.may_retry) {
            let numbers: Vec<&Source> = of_kind(scope, Kind::Number).collect();
            if let Some(source) = self.random.pick(&numbers) {
                let condition = self.condition();
                step = step.takes("c", (*source).clone()).when(&condition);
                is_conditional = true;
            }
        }
        if is_always && self.may_retry {
            step = step.without_outputs();
        }
        if self.random.chance(25) {
            let wait = [0.0, 0.0, 1.0, 5.0];
            step = step.retries(self.random.below(4), self.random.pick(&wait).copied().unwrap_or_default());
        }
        (step, is_conditional)
    }

    fn condition(&mut self) -> String {
        let operator = self.random.pick(&["==", "!=", "<", ">="]).copied().unwrap_or("==");
        let condition = format!("int(@['c']) {operator} {}", 1 + self.random.below(2));
        if self.random.chance(30) { format!("!({condition})") } else { condition }
    }

    fn container(&mut self, name: &str, scope: &Scope) -> (Step, Offers) {
        let mut step = task(name);
        for number in 0..self.random.below(3) {
            if let Some((source, kind)) = self.random.pick(&scope.parameters) {
                step = self.taking(step, &format!("i{number}"), source.clone(), *kind);
            }
        }
        if self.random.chance(35)
            && let Some((source, _)) = self.random.pick(&scope.artifacts)
        {
            step = step.uses("a", source.clone());
            if self.random.chance(60) {
                step = step.optional();
            }
        }
        if self.random.chance(25) {
            step = step.caches();
        } else if self.random.chance(4) {
            step = step.caches_as("shared");
        }
        let mut offers = Offers::default();
        for (output, kind, percent) in
            [("n", Kind::Number, 70), ("l", Kind::Numbers, 35), ("z", Kind::Perhaps, 25)]
        {
            if self.random.chance(percent) {
                step = step.gives(output);
                offers.parameters.push((name.to_owned(), output.to_owned(), kind));
            }
        }
        if self.random.chance(35) {
            step = step.makes("d");
            offers.artifacts.push((name.to_owned(), "d".to_owned(), false));
        }
        (step, offers)
    }

    /// An input of a container, declared so that it mostly fits.
    fn taking(&mut self, step: Step, name: &str, source: Source, kind: Kind) -> Step {
        let step = step.takes(name, source);
        let step = match (kind, self.random.below(4)) {
            (_, 0) => step.typed(ParameterType::String),
            (Kind::Number | Kind::Perhaps, 1) => step.typed(ParameterType::NumberInteger),
            (Kind::Numbers, 1) => step.typed(ParameterType::List),
            (Kind::Any, 1) if self.random.chance(20) => step.typed(ParameterType::Boolean),
            _ => step,
        };
        let spared = if matches!(kind, Kind::Perhaps | Kind::Any) { 85 } else { 25 };
        match self.random.below(200) {
            roll if roll < spared => step.optional(),
            roll if roll < 2 * spared => step.or(7),
            _ => step,
        }
    }

    fn importer(&mut self, name: &str) -> (Step, Offers) {
        let offers =
            Offers { artifacts: vec![(name.to_owned(), "artifact".to_owned(), false)], ..Offers::default() };
        let uri = format!("gs://{name}");
        let step = match self.random.below(4) {
            0 => importer_of_input(name).takes("uri", value(uri)),
            _ => importer(name, &uri),
        };
        (step, offers)
    }

    fn group(&mut self, name: &str, scope: &Scope, depth: u32) -> (Step, Offers) {
        let (inner, inputs) = self.inner_scope(scope);
        let (steps, inside) = self.steps(inner, depth + 1);
        let step = bring_in(group(name, steps), inputs);
        self.give_out(step, name, inside, false)
    }

    fn looping(&mut self, name: &str, scope: &Scope, depth: u32) -> (Step, Offers) {
        let (mut inner, inputs) = self.inner_scope(scope);
        let lists: Vec<Source> = of_kind(scope, Kind::Numbers).cloned().collect();
        let artifact_lists: Vec<Source> = scope
            .artifacts
            .iter()
            .filter(|(_, is_list)| *is_list)
            .map(|(source, _)| source.clone())
            .collect();
        let is_constant = self.random.chance(50);
        let list = self.random.pick(&lists).filter(|_| !is_constant).cloned();
        let artifacts = self.random.pick(&artifact_lists).filter(|_| !is_constant).cloned();
        let step = if let Some(list) = artifacts {
            inner.artifacts.push((input("item"), false));
            let (steps, inside) = self.steps(inner, depth + 1);
            let step = bring_in(each_artifact(name, "item", "list", steps), inputs).uses("list", list);
            (step, inside)
        } else if let Some(list) = list {
            inner.parameters.push((input("item"), Kind::Number));
            let (steps, inside) = self.steps(inner, depth + 1);
            (bring_in(each_of(name, "item", "list", steps), inputs).takes("list", list), inside)
        } else {
            inner.parameters.push((input("item"), Kind::Number));
            let items: Vec<u32> = (0..self.random.below(5)).map(|_| self.random.below(4)).collect();
            let (steps, inside) = self.steps(inner, depth + 1);
            (bring_in(each(name, "item", &json!(items), steps), inputs), inside)
        };
        let limit = self.random.below(4);
        self.give_out(step.0.limit(limit), name, step.1, true)
    }

    /// Branches of which one is taken, as of If, Elif and Else. Sometimes the last is missing, or several may be taken.
    fn branches(&mut self, name: &str, scope: &Scope) -> (Step, Offers) {
        let numbers: Vec<Source> = of_kind(scope, Kind::Number).cloned().collect();
        let source = self.random.pick(&numbers).cloned().unwrap_or_else(|| value(1));
        let first = self.condition();
        let mut conditions = vec![("yes", first.clone())];
        let mut otherwise = format!("!({first})");
        if self.random.chance(35) {
            let second = self.condition();
            conditions.push(("elif", format!("{otherwise} && {second}")));
            otherwise = format!("{otherwise} && !({second})");
        }
        let is_certain = self.random.chance(60);
        if is_certain {
            conditions.push(("no", otherwise));
        } else if self.random.chance(30) {
            // The first that is taken counts.
            conditions.push(("no", self.condition()));
        }
        let branch = |(task_name, condition): &(&str, String)| {
            task(task_name).takes("c", input("c")).when(condition).gives("n").makes("d")
        };
        let mut step = group(name, conditions.iter().map(branch)).takes("c", source);
        for (branch, _) in &conditions {
            step = step.returns("n", branch, "n").returns_artifact("d", branch, "d");
        }
        let kind = if is_certain { Kind::Number } else { Kind::Perhaps };
        let offers = Offers {
            parameters: vec![(name.to_owned(), "n".to_owned(), kind)],
            artifacts: vec![(name.to_owned(), "d".to_owned(), false)],
        };
        (step, offers)
    }

    /// What a group takes from outside.
    fn inner_scope(&mut self, scope: &Scope) -> (Scope, Vec<GroupInput>) {
        let mut inner = Scope::default();
        let mut inputs = Vec::new();
        for number in 0..self.random.below(4) {
            let name = format!("p{number}");
            let picked = self.random.pick(&scope.parameters).cloned();
            let (from, kind) = match (picked, self.random.below(10)) {
                (None, _) | (_, 0) => (From::Default, Kind::Number),
                (_, 1) => (From::Nothing, Kind::Perhaps),
                (Some((source, Kind::Number | Kind::Perhaps)), 2..5) => {
                    (From::SourceOr(source), Kind::Number)
                }
                (Some((source, kind)), _) => (From::Source(source), kind),
            };
            inner.parameters.push((input(&name), kind));
            inputs.push((name, from, Some(kind)));
        }
        if self.random.chance(40)
            && let Some((source, is_list)) = self.random.pick(&scope.artifacts)
        {
            inner.artifacts.push((input("pa"), *is_list));
            inputs.push(("pa".to_owned(), From::Source(source.clone()), None));
        }
        (inner, inputs)
    }

    fn give_out(&mut self, mut step: Step, name: &str, inside: Offers, is_loop: bool) -> (Step, Offers) {
        let mut offers = Offers::default();
        for (number, (task, output, kind)) in inside.parameters.into_iter().enumerate() {
            if self.random.chance(50) {
                let own = format!("r{number}");
                step = step.returns(&own, &task, &output);
                let kind = match (is_loop, kind) {
                    (false, kind) => kind,
                    (true, Kind::Number) => Kind::Numbers,
                    (true, _) => Kind::Any,
                };
                offers.parameters.push((name.to_owned(), own, kind));
            }
        }
        for (number, (task, output, is_list)) in inside.artifacts.into_iter().enumerate() {
            if self.random.chance(50) {
                let own = format!("a{number}");
                step = step.returns_artifact(&own, &task, &output);
                offers.artifacts.push((name.to_owned(), own, is_list || is_loop));
            }
        }
        (step, offers)
    }
}

fn with((step, offers): (Step, Offers), is_group: bool) -> (Step, Offers, bool) {
    (step, offers, is_group)
}

fn of_kind(scope: &Scope, kind: Kind) -> impl Iterator<Item = &Source> {
    scope.parameters.iter().filter(move |(_, found)| *found == kind).map(|(source, _)| source)
}

fn bring_in(step: Step, inputs: Vec<GroupInput>) -> Step {
    inputs.into_iter().fold(step, |step, (name, from, kind)| match (kind, from) {
        (None, From::Source(source)) => step.uses(&name, source).optional(),
        (Some(Kind::Perhaps | Kind::Any), From::Source(source)) => step.takes(&name, source).optional(),
        (Some(_), From::Source(source)) => step.takes(&name, source),
        (_, From::SourceOr(source)) => step.takes(&name, source).or(2),
        (_, From::Default) => step.declares(&name).or(3),
        (_, From::Nothing) => step.declares(&name).optional(),
    })
}
