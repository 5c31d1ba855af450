//! The home page, search, and the server itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ferroflow_model::{RunId, RunStatus, TaskId, TaskPath, Timestamp};
use ferroflow_ports::view::{Found, FoundKind, RunBrief, StoreSize};

use super::compare;
use super::convert::{duration, length, millis, run_dot, run_row, shortened};
use super::wire::{
    Activity, Bootstrap, FailureGroup, HitKind, Home, Millis, SearchHit, SearchResults, StoreCounts, System,
    SystemFact,
};
use super::{MOST_STREAMS, OwnApi, Question};
use crate::status::ApiError;

const DAY: Duration = Duration::from_hours(24);
/// Runs of the last days that are looked at, the newest ones.
const MOST_LOOKED_AT: u32 = 10_000;
const DAYS_SHOWN: u32 = 14;
const DAYS_OF_FAILURES: u32 = 7;
const MOST_RUNNING: usize = 20;
const MOST_GROUPS: usize = 20;
const MOST_DOTS: usize = 200;
const HITS_OF_A_KIND: u32 = 8;
/// Letters of a failure that runs have in common.
const MESSAGE_LETTERS: usize = 200;

impl OwnApi {
    pub(super) async fn bootstrap(&self, question: &Question<'_>) -> Result<Bootstrap, ApiError> {
        question.query(&[])?;
        let any = self.services.store.runs_since(Timestamp::from_micros(0), 1).await?;
        Ok(Bootstrap {
            version: self.services.build.tag_name.clone(),
            commit: self.services.build.commit_sha.clone(),
            mode: "local".to_owned(),
            namespaces: Vec::new(),
            now: millis(self.services.clock.now()),
            has_runs: !any.is_empty(),
            max_page_size: 200,
            max_compared_runs: u32::try_from(compare::MOST_RUNS).unwrap_or(u32::MAX),
        })
    }

    pub(super) async fn home(&self, question: &Question<'_>) -> Result<Home, ApiError> {
        question.query(&[])?;
        let store = &self.services.store;
        let now = self.services.clock.now();
        let runs = store.runs_since(before(now, DAYS_SHOWN), MOST_LOOKED_AT).await?;
        let unfinished = store.unfinished_runs().await?;
        let newest: Vec<RunId> = unfinished.iter().rev().take(MOST_RUNNING).copied().collect();
        let running_now: Vec<_> = store.run_views_of(&newest).await?.into_iter().map(run_row).collect();
        let names: BTreeSet<String> = running_now.iter().map(|row| row.pipeline_name.clone()).collect();
        let (yesterday, day_before) = (before(now, 1), before(now, 2));
        let ended_in = |from: Timestamp, to: Timestamp, status: RunStatus| {
            let within = move |run: &&RunBrief| run.finished_at.is_some_and(|at| at >= from && at < to);
            runs.iter().filter(within).filter(move |run| run.status == status)
        };
        let soon = now.plus(DAY);
        Ok(Home {
            running: unfinished.len() as u64,
            failed_day: ended_in(yesterday, soon, RunStatus::Failed).count() as u64,
            succeeded_day: ended_in(yesterday, soon, RunStatus::Succeeded).count() as u64,
            median_ms_day: median(ended_in(yesterday, soon, RunStatus::Succeeded)),
            median_ms_day_before: median(ended_in(day_before, yesterday, RunStatus::Succeeded)),
            running_now,
            typical_ms: self.typical(names).await?,
            needs_attention: failures(&runs, before(now, DAYS_OF_FAILURES)),
            activity: activity(&runs),
        })
    }

    pub(super) async fn search(&self, question: &Question<'_>) -> Result<SearchResults, ApiError> {
        let query = question.query(&["q"])?;
        let text = query.text("q").unwrap_or_default().trim();
        if text.chars().count() < 2 || text.len() > 200 {
            return Err(ApiError::invalid("`q` has 2 to 200 characters"));
        }
        let found = self.services.store.search(text, HITS_OF_A_KIND).await?;
        let wanted = text.to_lowercase();
        let mut hits: Vec<SearchHit> = found.into_iter().map(hit).collect();
        // What begins with the text is most likely meant; kinds stay in the store's order otherwise.
        hits.sort_by_key(|hit| {
            let title = hit.title.to_lowercase();
            (title != wanted, !title.starts_with(&wanted))
        });
        Ok(SearchResults { hits })
    }

    pub(super) async fn system(&self, question: &Question<'_>) -> Result<System, ApiError> {
        question.query(&[])?;
        let now = self.services.clock.now();
        let size = self.services.store.size().await?;
        let system = std::sync::Arc::clone(&self.services.system);
        let facts = tokio::task::spawn_blocking(move || system.facts()).await.map_err(ApiError::internal)?;
        let fact = |fact: ferroflow_ports::Fact| SystemFact {
            group: fact.group.to_owned(),
            name: fact.name.to_owned(),
            value: fact.value,
        };
        Ok(System {
            version: self.services.build.tag_name.clone(),
            commit: self.services.build.commit_sha.clone(),
            started_at: millis(now) - duration(self.started.elapsed()),
            now: millis(now),
            counts: counts(size),
            database_bytes: size.bytes,
            artifact_root: self.services.artifacts.default_root(),
            open_streams: (MOST_STREAMS - self.streams.available_permits()) as u64,
            facts: facts.into_iter().map(fact).collect(),
        })
    }
}

fn before(now: Timestamp, days: u32) -> Timestamp {
    let micros = i64::try_from(DAY.saturating_mul(days).as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_sub(micros))
}

fn median<'r>(runs: impl Iterator<Item = &'r RunBrief>) -> Option<Millis> {
    let mut lengths: Vec<Millis> =
        runs.filter_map(|run| length(Some(run.created_at), run.finished_at)).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied()
}

/// Runs that failed in the same way, the newest first; `runs` come the newest first.
fn failures(runs: &[RunBrief], since: Timestamp) -> Vec<FailureGroup> {
    let mut groups: Vec<FailureGroup> = Vec::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    let failed = runs.iter().filter(|run| run.status == RunStatus::Failed && run.created_at >= since);
    for run in failed {
        let message = run.error.as_ref().map_or("", |error| error.message.as_str());
        let message = shortened(message.lines().next().unwrap_or_default(), MESSAGE_LETTERS);
        let key = (run.pipeline_name.clone(), message.clone());
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.count += 1,
            None => groups.push(FailureGroup {
                pipeline_name: run.pipeline_name.clone(),
                message,
                count: 1,
                latest: run_dot(run),
            }),
        }
    }
    groups.truncate(MOST_GROUPS);
    groups
}

fn activity(runs: &[RunBrief]) -> Vec<Activity> {
    let mut found: Vec<Activity> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for run in runs {
        let place = *places.entry(&run.pipeline_name).or_insert(found.len());
        if place == found.len() {
            found.push(Activity { pipeline_name: run.pipeline_name.clone(), runs: Vec::new() });
        }
        if let Some(activity) = found.get_mut(place)
            && activity.runs.len() < MOST_DOTS
        {
            activity.runs.push(run_dot(run));
        }
    }
    found.truncate(MOST_GROUPS);
    for activity in &mut found {
        activity.runs.reverse();
    }
    found
}

fn hit(found: Found) -> SearchHit {
    let kind = match found.kind {
        FoundKind::Run => HitKind::Run,
        FoundKind::Pipeline => HitKind::Pipeline,
        FoundKind::Version => HitKind::Version,
        FoundKind::Experiment => HitKind::Experiment,
        FoundKind::Task => HitKind::Task,
        FoundKind::Artifact => HitKind::Artifact,
    };
    let id = match (kind, found.parent_id.parse::<RunId>()) {
        (HitKind::Task, Ok(run)) => TaskId::derive(run, &TaskPath::new(found.id)).to_string(),
        _ => found.id,
    };
    SearchHit {
        kind,
        id,
        title: found.title,
        subtitle: shortened(&found.subtitle, MESSAGE_LETTERS),
        parent_id: found.parent_id,
        state: found.state,
        created_at: millis(found.created_at),
    }
}

fn counts(size: StoreSize) -> StoreCounts {
    StoreCounts {
        runs: size.runs,
        unfinished_runs: size.unfinished_runs,
        running_attempts: size.running_attempts,
        waiting_attempts: size.waiting_attempts,
        pipelines: size.pipelines,
        versions: size.versions,
        experiments: size.experiments,
        artifacts: size.artifacts,
        cache_entries: size.cache_entries,
    }
}
