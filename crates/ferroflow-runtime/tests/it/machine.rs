//! An executor without processes. It outlives runtimes as a supervisor does, and counts what it was made to run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ferroflow_engine::{AttemptOutcome, ProducedOutputs, TaskAttempt};
use ferroflow_model::record::{AttemptPhases, Failure};
use ferroflow_model::{AttemptId, RunId};
use ferroflow_ports::executor::Report;
use ferroflow_ports::{ErrorKind, Executor, PortError};
use futures_util::stream::BoxStream;
use tokio::sync::{Notify, watch};

#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// Attempts that nobody has acknowledged; the outcome once they have ended.
    pub(crate) attempts: BTreeMap<AttemptId, Option<AttemptOutcome>>,
    /// Every true start, in order.
    pub(crate) started: Vec<AttemptId>,
    /// Most attempts that ran at once.
    pub(crate) most: usize,
    pub(crate) stopped: Vec<AttemptId>,
    pub(crate) acknowledged: Vec<AttemptId>,
    pub(crate) forgotten: Vec<RunId>,
    pub(crate) detached: usize,
    /// Attempts end as soon as they are started.
    pub(crate) ends_at_once: bool,
    /// Names of tasks that cannot be started.
    pub(crate) refused: Vec<&'static str>,
    reports: VecDeque<Report>,
    links: usize,
}

pub(crate) struct Machine {
    inner: Mutex<Inner>,
    news: Notify,
    changed: watch::Sender<()>,
}

impl Inner {
    pub(crate) fn running(&self) -> Vec<String> {
        let open = self.attempts.iter().filter(|(_, outcome)| outcome.is_none());
        let mut names: Vec<_> = open.map(|(id, _)| format!("{}#{}", id.path, id.attempt)).collect();
        names.sort();
        names
    }

    pub(crate) fn starts(&self) -> Vec<String> {
        self.started.iter().map(|id| format!("{}#{}", id.path, id.attempt)).collect()
    }

    fn end(&mut self, id: &AttemptId, outcome: AttemptOutcome) {
        self.attempts.insert(id.clone(), Some(outcome.clone()));
        self.reports.push_back(report(id, outcome));
    }
}

fn report(id: &AttemptId, outcome: AttemptOutcome) -> Report {
    Report::Ended { id: id.clone(), outcome, phases: AttemptPhases::default() }
}

pub(crate) fn success() -> AttemptOutcome {
    AttemptOutcome::Succeeded { outputs: ProducedOutputs::default() }
}

pub(crate) fn failure() -> AttemptOutcome {
    AttemptOutcome::Failed { error: Failure::new("it exited with code 3") }
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self { inner: Mutex::default(), news: Notify::new(), changed: watch::Sender::new(()) }
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        let result = act(&mut self.inner());
        self.news.notify_waiters();
        self.changed.send_replace(());
        result
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Inner) -> bool) {
        let mut changed = self.changed.subscribe();
        let wait = async {
            while !is_so(&self.inner()) {
                changed.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
        assert!(waited.is_ok(), "waited for {what} in vain: {:#?}", self.inner());
    }

    pub(crate) async fn until_running(&self, expected: &[&str]) {
        self.until(&format!("{expected:?}"), |inner| inner.running() == expected).await;
    }

    /// Ends the attempt written as `task#number`.
    pub(crate) fn end(&self, name: &str, outcome: AttemptOutcome) {
        self.change(|inner| {
            let found = inner
                .attempts
                .iter()
                .find(|(id, outcome)| outcome.is_none() && format!("{}#{}", id.path, id.attempt) == name);
            let id = found.unwrap_or_else(|| panic!("`{name}` does not run")).0.clone();
            inner.end(&id, outcome);
        });
    }

    pub(crate) fn end_attempt(&self, id: &AttemptId, outcome: AttemptOutcome) {
        self.change(|inner| inner.end(id, outcome));
    }

    /// Ends everything that runs, and what is started from now on.
    pub(crate) fn end_all(&self) {
        self.change(|inner| {
            inner.ends_at_once = true;
            let open = inner.attempts.iter().filter(|(_, outcome)| outcome.is_none());
            for id in open.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
                inner.end(&id, success());
            }
        });
    }
}

/// The machine as one server sees it: once the next one is connected, this one's calls lead nowhere.
pub(crate) struct Link {
    machine: Arc<Machine>,
    number: usize,
}

impl Link {
    /// Connects a new server. What nobody acknowledged is reported again, in the worst order.
    pub(crate) fn new(machine: Arc<Machine>) -> Self {
        let number = machine.change(|inner| {
            let ended = inner.attempts.iter().rev();
            let reports = ended.map(|(id, outcome)| match outcome {
                Some(outcome) => report(id, outcome.clone()),
                None => Report::Started { id: id.clone(), at: ferroflow_model::Timestamp::default() },
            });
            inner.reports = reports.collect();
            inner.links += 1;
            inner.links
        });
        Self { machine, number }
    }

    async fn call<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        let result = self.machine.change(|inner| (inner.links == self.number).then(|| act(inner)));
        match result {
            Some(result) => result,
            None => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Executor for Link {
    async fn ensure_started(&self, attempt: TaskAttempt) -> Result<(), PortError> {
        let start = |inner: &mut Inner| {
            if inner.refused.contains(&attempt.task_name.as_str()) {
                return Err(PortError::new(ErrorKind::ResourceExhausted, "there is no memory left"));
            }
            if inner.attempts.contains_key(&attempt.id) {
                return Ok(());
            }
            inner.attempts.insert(attempt.id.clone(), None);
            inner.most = inner.most.max(inner.running().len());
            inner.started.push(attempt.id.clone());
            if inner.ends_at_once {
                inner.end(&attempt.id, success());
            }
            Ok(())
        };
        self.call(start).await
    }

    async fn ensure_stopped(&self, id: &AttemptId, _grace: Duration) -> Result<(), PortError> {
        let stop = |inner: &mut Inner| {
            inner.stopped.push(id.clone());
            if !matches!(inner.attempts.get(id), Some(Some(_))) {
                inner.end(id, AttemptOutcome::Stopped);
            }
        };
        self.call(stop).await;
        Ok(())
    }

    async fn next_report(&self) -> Option<Report> {
        loop {
            let news = self.machine.news.notified();
            let report = {
                let mut inner = self.machine.inner();
                if inner.links == self.number { inner.reports.pop_front() } else { None }
            };
            if report.is_some() {
                return report;
            }
            news.await;
        }
    }

    async fn acknowledge(&self, id: &AttemptId) {
        let acknowledge = |inner: &mut Inner| {
            inner.attempts.remove(id);
            inner.acknowledged.push(id.clone());
        };
        self.call(acknowledge).await;
    }

    async fn forget_run(&self, run: RunId) -> Result<(), PortError> {
        self.call(|inner| inner.forgotten.push(run)).await;
        Ok(())
    }

    async fn logs(
        &self,
        id: &AttemptId,
        _: bool,
    ) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
        Err(PortError::not_found("log", id))
    }

    async fn detach(&self) {
        self.call(|inner| inner.detached += 1).await;
    }
}
