//! From a checked request to a row and a state. Stores nothing; see `event_loop`.

use std::sync::Arc;

use ferroflow_engine::schedule::argument_macro::{MacroValues, expand_arguments};
use ferroflow_engine::{Plan, RunIdentity, RunSettings, RunState, Semantics};
use ferroflow_model::record::{Run, StateChange};
use ferroflow_model::recurring::Tick;
use ferroflow_model::{Outputs, RunId, RunStatus, StorageState, Timestamp};
use ferroflow_ports::store::NewRun;
use ferroflow_ports::{ErrorKind, PortError, SubmitRun};
use uuid::Uuid;

use crate::id_block::IdAllocator;
use crate::request::Submission;

/// What a submission needs besides the request.
pub(crate) struct Desk<'a> {
    pub(crate) ids: &'a IdAllocator,
    pub(crate) default_root: String,
    pub(crate) caching: bool,
    pub(crate) semantics: &'a Semantics,
    pub(crate) now: Timestamp,
    /// The schedule that makes the run, and the slot that it is for. The macros are filled in then.
    pub(crate) occasion: Option<(Tick, Timestamp)>,
}

/// The run that a schedule makes. The same each time, so that nothing can make it twice.
pub(crate) fn id_of_tick(tick: Tick) -> RunId {
    RunId(Uuid::new_v5(&tick.recurring_run_id.0, &tick.index.to_be_bytes()))
}

/// Makes the row, the settings and the first state. `InvalidArgument` if the pipeline cannot be planned.
pub(crate) fn prepare(request: SubmitRun, desk: &Desk<'_>) -> Result<Submission, PortError> {
    let tick = match (desk.occasion, request.added_to) {
        (Some((tick, _)), _) => Some(tick),
        (None, Some(recurring_run_id)) => Some(Tick { recurring_run_id, index: 0 }),
        (None, None) => None,
    };
    let id = match tick {
        None => RunId(Uuid::new_v4()),
        Some(Tick { recurring_run_id, index: 0 }) => RunId::added_to(recurring_run_id, &request.display_name),
        Some(tick) => id_of_tick(tick),
    };
    let scheduled_at = desk.occasion.map_or(desk.now, |(_, slot)| slot);
    let plan = Plan::new(Arc::clone(&request.spec))
        .map_err(|fault| PortError::new(ErrorKind::InvalidArgument, fault.to_string()))?;
    let mut arguments = request.arguments;
    if desk.occasion.is_none() {
        expand_arguments(&mut arguments, &MacroValues { run: id, now: desk.now, tick: None });
    }
    let pipeline_name = request.spec.name.clone();
    let root = if request.pipeline_root.is_empty() { &desk.default_root } else { &request.pipeline_root };
    let ids = desk.ids.first_block();
    let settings = RunSettings {
        identity: RunIdentity {
            id,
            display_name: request.display_name.clone(),
            resource_name: resource_name(&pipeline_name),
            root: run_root(root, &pipeline_name, id),
            pipeline_name: pipeline_name.clone(),
            created_at: desk.now,
            scheduled_at,
        },
        arguments,
        caching: desk.caching,
        ids,
        semantics: desk.semantics.clone(),
    };
    let run = Run {
        id,
        experiment_id: request.experiment_id,
        display_name: request.display_name,
        description: request.description,
        source: request.source,
        tick,
        pipeline_name,
        resource_name: settings.identity.resource_name.clone(),
        arguments: request.sent_arguments,
        pipeline_root: request.pipeline_root,
        service_account: request.service_account,
        created_at: desk.now,
        scheduled_at,
        finished_at: None,
        status: RunStatus::Pending,
        history: vec![StateChange { at: desk.now, state: RunStatus::Pending }],
        storage_state: StorageState::Available,
        error: None,
        pipeline_context_id: 0,
        run_context_id: 0,
        outputs: Outputs::default(),
        plugins_input: request.plugins_input,
    };
    let text = serde_json::to_string(&settings).map_err(|error| {
        PortError::new(ErrorKind::InvalidArgument, "the arguments have no JSON form").caused_by(error)
    })?;
    Ok(Submission {
        new: NewRun { run, spec_json: request.spec_json, settings: text },
        ids_taken_below: ids.first + ids.count,
        state: RunState::new(Arc::new(plan), &settings),
    })
}

/// `<pipeline root>/<pipeline name>/<run id>`. A query string names the store, not the place, and is left out; the
/// run's row keeps it.
fn run_root(pipeline_root: &str, pipeline_name: &str, run: RunId) -> String {
    let root = pipeline_root.split_once('?').map_or(pipeline_root, |(root, _)| root);
    format!("{}/{pipeline_name}/{run}", root.trim_end_matches('/'))
}

/// `<last segment of the pipeline's name>-<5 characters>`, of the characters that Kubernetes uses in generated names.
fn resource_name(pipeline_name: &str) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let base = pipeline_name.rsplit('/').next().unwrap_or_default();
    let random = Uuid::new_v4();
    let suffix = random.as_bytes().iter().take(5).map(|byte| {
        ALPHABET.get(usize::from(*byte) % ALPHABET.len()).map_or('x', |letter| char::from(*letter))
    });
    std::iter::once(base).map(str::to_owned).chain([String::from("-"), suffix.collect()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_lose_their_query_and_final_slashes() {
        let run = RunId(Uuid::from_u128(1));
        let check = |root: &str, expected: &str| {
            assert_eq!(
                run_root(root, "p", run),
                format!("{expected}/p/00000000-0000-0000-0000-000000000001")
            );
        };
        check("/data/artifacts", "/data/artifacts");
        check("s3://bucket/x//", "s3://bucket/x");
        check("s3://bucket/x/?endpoint=http://h/&a=b", "s3://bucket/x");
    }

    #[test]
    fn object_names_are_those_of_kubernetes() {
        let name = resource_name("namespace/n/pipeline/hello");
        let (base, suffix) = name.split_at(6);
        assert_eq!(base, "hello-");
        assert!(suffix.len() == 5 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{name}");
        assert_ne!(name, resource_name("namespace/n/pipeline/hello"));
    }
}
