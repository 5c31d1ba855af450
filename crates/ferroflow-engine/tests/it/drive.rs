//! Drives one run to its end, with tasks that do as they are told.
//!
//! What tasks do is told by path, one word group for each time the task is started, separated by `;`:
//! `ok` (succeeds with the outputs that follow, as `name=json` or `@name=uri`; those not named get a text that says
//! where they are from), `bare` (succeeds with those that follow only), `fail`, `lost`, `hang` (until it is stopped),
//! `terminate` (a client ends the run while it is at work; it hangs). For the cache: `hit` and `miss`.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use ferroflow_engine::{
    AttemptOutcome, CacheHit, Changes, Command, IdBlock, IdSource, Plan, ProducedArtifact, ProducedOutputs,
    RunEvent, RunIdentity, RunSettings, RunState, Semantics, StoredEvent, TaskAttempt,
};
use ferroflow_model::record::{AttemptPhases, AttemptRecord, CacheRecord, Failure, TaskRecord};
use ferroflow_model::{
    Artifact, ArtifactId, AttemptId, ExecutionId, Outputs, RunId, RunStatus, TaskPath, Timestamp,
};
use ferroflow_spec::ir::PipelineSpec;
use ferroflow_testing::pipeline::Pipeline;
use serde_json::{Map, Value, json};

/// What tasks do.
pub(crate) type Script<'a> = &'a [(&'a str, &'a str)];

/// Checks the commands and the final states. Both are texts of words; line breaks do not matter.
#[track_caller]
pub(crate) fn check(pipeline: &Pipeline, script: Script<'_>, commands: &str, states: &str) -> Drive {
    let drive = Drive::new(pipeline, &json!({})).script(script).run();
    drive.assert_commands(commands);
    drive.assert_states(states);
    drive
}

/// Numbers from 1000 on.
pub(crate) struct Numbers(i64);

impl IdSource for Numbers {
    fn next_block(&mut self) -> IdBlock {
        self.0 += 10;
        IdBlock { first: self.0 - 10, count: 10 }
    }
}

/// A run and all that was seen of it.
pub(crate) struct Drive {
    pub(crate) state: RunState,
    now: Timestamp,
    pub(crate) rows: BTreeMap<ExecutionId, TaskRecord>,
    pub(crate) attempts: BTreeMap<(ExecutionId, u32), AttemptRecord>,
    /// All changes in order.
    pub(crate) changes: Vec<Changes>,
    /// Keys that the cache was asked for.
    pub(crate) lookups: HashMap<String, CacheRecord>,
    /// What executors were given.
    pub(crate) given: HashMap<String, TaskAttempt>,
    plan: Arc<Plan>,
    settings: RunSettings,
    numbers: Numbers,
    script: HashMap<String, VecDeque<String>>,
    /// Attempts at once.
    slots: usize,
    waiting: VecDeque<AttemptId>,
    running: VecDeque<(AttemptId, String)>,
    events: Vec<StoredEvent>,
    trace: Vec<String>,
}

impl Drive {
    pub(crate) fn new(pipeline: &Pipeline, arguments: &Value) -> Self {
        Self::under(pipeline.spec(), arguments, Semantics::default())
    }

    /// A run that behaves as is said.
    pub(crate) fn under(spec: PipelineSpec, arguments: &Value, semantics: Semantics) -> Self {
        let plan = Arc::new(Plan::new(Arc::new(spec)).unwrap());
        let now = Timestamp::from_seconds(1_000_000);
        let identity = RunIdentity {
            id: RunId("6f0e8e5c-6a3c-4b57-8f6e-2d5f3f8c1a01".parse().unwrap()),
            display_name: "my run".to_owned(),
            pipeline_name: "pipeline".to_owned(),
            resource_name: "pipeline-abcde".to_owned(),
            root: "mem://root".to_owned(),
            created_at: now,
            scheduled_at: now,
        };
        let settings = RunSettings {
            identity,
            arguments: arguments.as_object().cloned().unwrap_or_default(),
            caching: true,
            ids: IdBlock { first: 1, count: 5 },
            semantics,
        };
        Self {
            state: RunState::new(Arc::clone(&plan), &settings),
            now,
            rows: BTreeMap::new(),
            attempts: BTreeMap::new(),
            changes: Vec::new(),
            lookups: HashMap::new(),
            given: HashMap::new(),
            plan,
            settings,
            numbers: Numbers(1000),
            script: HashMap::new(),
            slots: usize::MAX,
            waiting: VecDeque::new(),
            running: VecDeque::new(),
            events: Vec::new(),
            trace: Vec::new(),
        }
    }

    pub(crate) fn script(mut self, script: Script<'_>) -> Self {
        for (path, words) in script {
            let words = words.split(';').map(|words| words.trim().to_owned());
            self.script.insert((*path).to_owned(), words.collect());
        }
        self
    }

    pub(crate) fn slots(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    /// Applies an event and notes what follows.
    pub(crate) fn apply(&mut self, event: RunEvent) {
        let mut commands = Vec::new();
        let stored = self.state.apply(event, self.now, &mut self.numbers, &mut commands).unwrap();
        let text = serde_json::to_string(&stored).unwrap();
        self.events.push(serde_json::from_str(&text).unwrap());
        self.state.audit().unwrap();
        let changes = self.state.take_changes();
        for row in &changes.tasks {
            self.rows.insert(row.execution_id, row.clone());
        }
        for row in &changes.attempts {
            self.attempts.insert((row.execution_id, row.id.attempt), row.clone());
        }
        self.changes.push(changes);
        for command in commands {
            self.perform(command);
        }
    }

    fn perform(&mut self, command: Command) {
        match command {
            Command::LookUpCache { task, fingerprint } => {
                self.trace.push(format!("look-up {task}"));
                let row = self.row(task.as_str());
                // Importers have no key to show.
                if let Some(key) = row.cache.clone() {
                    assert_eq!(key.fingerprint, fingerprint);
                    self.lookups.insert(task.to_string(), key);
                }
                let answer = self.next_words(task.as_str(), &["hit", "miss"]);
                let hit = answer.filter(|words| words.starts_with("hit")).map(|words| hit(&words));
                self.running.push_back((
                    AttemptId { run: self.settings.identity.id, path: task, attempt: 0 },
                    serde_json::to_string(&hit).unwrap(),
                ));
            }
            Command::StartAttempt { id } => {
                self.trace.push(format!("start {}#{}", id.path, id.attempt));
                self.waiting.push_back(id);
            }
            Command::StopAttempt { id } => {
                self.trace.push(format!("stop {}#{}", id.path, id.attempt));
                self.waiting.retain(|waiting| *waiting != id);
                for (running, words) in &mut self.running {
                    if *running == id && words == "hang" {
                        "stopped".clone_into(words);
                    }
                }
            }
            Command::Finish { status } => self.trace.push(format!("finish {}", status.as_str())),
        }
    }

    /// The next thing a task is told to do, if it is one of these.
    fn next_words(&mut self, path: &str, kinds: &[&str]) -> Option<String> {
        let words = self.script.get_mut(path)?;
        let kind = words.front()?.split(' ').next()?;
        kinds.contains(&kind).then(|| words.pop_front()).flatten()
    }

    /// Goes on until nothing is to be done.
    pub(crate) fn run(mut self) -> Self {
        self.apply(RunEvent::Started);
        self.go_on();
        self.assert_replay();
        self
    }

    pub(crate) fn go_on(&mut self) {
        loop {
            while self.running.len() < self.slots
                && let Some(id) = self.waiting.pop_front()
            {
                self.admit(id);
            }
            let next = self.running.iter().position(|(_, words)| words != "hang");
            if let Some((id, words)) = next.and_then(|at| self.running.remove(at)) {
                self.end(id, &words);
            } else if let Some(wake) = self.state.next_wake() {
                self.trace.push(format!("+{}s", wake.since(self.now).as_secs_f64()));
                self.now = self.now.max(wake);
                self.apply(RunEvent::TimeReached);
            } else {
                return;
            }
        }
    }

    fn admit(&mut self, id: AttemptId) {
        self.apply(RunEvent::AttemptAdmitted { task: id.path.clone(), attempt: id.attempt });
        let given = self.state.attempt(&id).unwrap();
        self.given.insert(id.path.to_string(), given);
        let kinds = ["ok", "bare", "fail", "lost", "hang", "terminate"];
        let mut words = self.next_words(id.path.as_str(), &kinds).unwrap_or_else(|| "ok".to_owned());
        if words == "terminate" {
            "hang".clone_into(&mut words);
            self.running.push_back((id, words));
            self.apply(RunEvent::TerminateRequested);
        } else {
            self.running.push_back((id, words));
        }
    }

    fn end(&mut self, id: AttemptId, words: &str) {
        if id.attempt == 0 {
            let hit = serde_json::from_str(words).unwrap();
            return self.apply(RunEvent::CacheAnswered { task: id.path, hit });
        }
        let outcome = self.outcome(&id, words);
        let (task, attempt) = (id.path, id.attempt);
        self.apply(RunEvent::AttemptEnded { task, attempt, outcome, phases: AttemptPhases::default() });
    }

    fn outcome(&self, id: &AttemptId, words: &str) -> AttemptOutcome {
        let (kind, rest) = words.split_once(' ').unwrap_or((words, ""));
        match kind {
            "fail" => AttemptOutcome::Failed {
                error: Failure { exit_code: Some(1), ..Failure::new(format!("exit code 1 {rest}").trim()) },
            },
            "lost" => AttemptOutcome::Lost { reason: "the supervisor is gone".to_owned() },
            "stopped" => AttemptOutcome::Stopped,
            "bare" => AttemptOutcome::Succeeded { outputs: outputs(rest) },
            "ok" => {
                let mut outputs = outputs(rest);
                let given = &self.given[id.path.as_str()];
                for name in given.output_parameters.keys() {
                    let text = || Value::from(format!("{}.{name}", id.path));
                    outputs.parameters.entry(name.clone()).or_insert_with(text);
                }
                for name in given.output_artifacts.keys() {
                    let made =
                        ProducedArtifact { uri: format!("{}/{name}", given.task_root), ..Default::default() };
                    outputs.artifacts.entry(name.clone()).or_insert_with(|| vec![made]);
                }
                AttemptOutcome::Succeeded { outputs }
            }
            other => panic!("`{other}` is nothing that a task can do"),
        }
    }

    pub(crate) fn row(&self, path: &str) -> &TaskRecord {
        let found = self.rows.values().find(|row| row.path.as_str() == path);
        found.unwrap_or_else(|| panic!("there is no task `{path}`"))
    }

    /// Parameters that a task was given, as JSON.
    pub(crate) fn given(&self, path: &str) -> Value {
        json!(self.given[path].inputs.parameters)
    }

    /// URIs of the artifacts that a task was given under a name.
    pub(crate) fn given_artifacts(&self, path: &str, name: &str) -> Vec<String> {
        self.given[path].inputs.artifacts[name].iter().map(|artifact| artifact.uri.clone()).collect()
    }

    pub(crate) fn error(&self, path: &str) -> &str {
        self.row(path).error.as_ref().map_or("", |error| error.message.as_str())
    }

    #[track_caller]
    pub(crate) fn assert_commands(&self, expected: &str) {
        let expected: Vec<&str> = expected.split(',').map(str::trim).collect();
        assert_eq!(self.trace, expected, "the commands are not those expected: {}", self.trace.join(", "));
    }

    /// Paths and states, without the root; names of states may be shortened.
    #[track_caller]
    pub(crate) fn assert_states(&self, expected: &str) {
        let mut found: Vec<String> = self
            .rows
            .values()
            .filter(|row| row.parent.is_some())
            .map(|row| format!("{} {}", row.path, row.status.as_str().to_lowercase()))
            .collect();
        let mut wanted: Vec<&str> =
            expected.split(',').map(str::trim).filter(|state| !state.is_empty()).collect();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "the states are not those expected");
    }

    /// The stored events lead to the same state, from the beginning and through a snapshot at any point.
    #[track_caller]
    pub(crate) fn assert_replay(&self) {
        let expected = self.state.snapshot();
        let mut replayed = RunState::new(Arc::clone(&self.plan), &self.settings);
        for event in &self.events {
            let snapshot = replayed.snapshot();
            replayed = RunState::restore(Arc::clone(&self.plan), &self.settings, &snapshot).unwrap();
            replayed.replay(event).unwrap();
        }
        assert_eq!(String::from_utf8(replayed.snapshot()), String::from_utf8(expected));
        assert_eq!(replayed.next_wake(), self.state.next_wake());
        let rows: Vec<TaskRecord> = self.rows.values().cloned().collect();
        let mut dump: Vec<TaskRecord> = self.state.task_records().collect();
        dump.sort_by_key(|row| row.execution_id);
        assert_eq!(dump, rows, "the rows do not add up to the state");
    }

    /// Looks only at what comes from now on.
    pub(crate) fn forget_commands(&mut self) {
        self.trace.clear();
    }

    pub(crate) fn status(&self) -> RunStatus {
        self.state.status()
    }
}

/// `name=json` and `@name=uri`, separated by spaces.
fn outputs(words: &str) -> ProducedOutputs {
    let mut outputs = ProducedOutputs::default();
    for word in words.split_whitespace() {
        let (name, text) = word.split_once('=').unwrap();
        if let Some(name) = name.strip_prefix('@') {
            let made = ProducedArtifact { uri: text.to_owned(), ..ProducedArtifact::default() };
            outputs.artifacts.entry(name.to_owned()).or_default().push(made);
        } else {
            outputs.parameters.insert(name.to_owned(), serde_json::from_str(text).unwrap());
        }
    }
    outputs
}

/// Results of execution 77.
fn hit(words: &str) -> CacheHit {
    let produced = outputs(words.trim_start_matches("hit"));
    let mut outputs = Outputs::default();
    for (name, value) in produced.parameters {
        outputs.parameters.insert(name, Arc::new(value));
    }
    for (name, list) in produced.artifacts {
        let artifact = |(id, made): (i64, ProducedArtifact)| {
            Arc::new(Artifact {
                id: ArtifactId(id),
                schema_title: "system.Dataset".to_owned(),
                schema_version: "0.0.1".to_owned(),
                instance_schema: String::new(),
                uri: made.uri,
                metadata: Map::new(),
                custom_path: None,
            })
        };
        outputs.artifacts.insert(name, (500..).zip(list).map(artifact).collect());
    }
    CacheHit { execution_id: ExecutionId(77), outputs }
}

/// The path of a task.
pub(crate) fn path(text: &str) -> TaskPath {
    TaskPath::new(text)
}
