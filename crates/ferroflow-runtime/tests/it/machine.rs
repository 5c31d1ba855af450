//! An executor without processes. It outlives runtimes as a supervisor does, and counts what it was made to run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
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
}

pub(crate) struct Machine {
    inner: Mutex<Inner>,
    news: Notify,
    changed: watch::Sender<()>,
}

impl Inner {
    pub(crate) fn running(&self) -> Vec<String> {
        let open = self.attempts.iter().filter(|(_, outcome)| outcome.is_none());
        open.map(|(id, _)| format!("{}#{}", id.path, id.attempt)).collect()
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
        self.news.notify_one();
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

    /// A new server has come: what nobody acknowledged is reported again, in the worst order.
    pub(crate) fn reconnect(&self) {
        self.change(|inner| {
            let ended = inner.attempts.iter().rev();
            let reports = ended.map(|(id, outcome)| match outcome {
                Some(outcome) => report(id, outcome.clone()),
                None => Report::Started { id: id.clone(), at: ferroflow_model::Timestamp::default() },
            });
            inner.reports = reports.collect();
        });
    }
}

#[async_trait]
impl Executor for Machine {
    async fn ensure_started(&self, attempt: TaskAttempt) -> Result<(), PortError> {
        self.change(|inner| {
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
        })
    }

    async fn ensure_stopped(&self, id: &AttemptId, _grace: Duration) -> Result<(), PortError> {
        self.change(|inner| {
            inner.stopped.push(id.clone());
            if !matches!(inner.attempts.get(id), Some(Some(_))) {
                inner.end(id, AttemptOutcome::Stopped);
            }
        });
        Ok(())
    }

    async fn next_report(&self) -> Option<Report> {
        loop {
            let report = self.inner().reports.pop_front();
            if report.is_some() {
                return report;
            }
            self.news.notified().await;
        }
    }

    async fn acknowledge(&self, id: &AttemptId) {
        self.change(|inner| {
            inner.attempts.remove(id);
            inner.acknowledged.push(id.clone());
        });
    }

    async fn forget_run(&self, run: RunId) -> Result<(), PortError> {
        self.change(|inner| inner.forgotten.push(run));
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
        self.change(|inner| inner.detached += 1);
    }
}
