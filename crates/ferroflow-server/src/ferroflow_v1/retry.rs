//! The one change that is asked for here: a retry that begins with a task, for which v2beta1 has no words.

use ferroflow_model::RunId;
use serde::Deserialize;

use crate::Services;
use crate::status::{ApiError, Code};
use crate::tasks::task_named;
use crate::v2beta1::{parse_id, run};

/// Longest body.
pub(crate) const BODY_BYTES: usize = 64 * 1024;

/// What is to run again.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// Id or path of a task; without it what failed runs again.
    #[serde(default)]
    from_task: Option<String>,
}

/// Runs a part of a run again. An empty body wishes nothing in particular.
pub(crate) async fn retry(services: &Services, run_id: &str, body: &[u8]) -> Result<(), ApiError> {
    let run: RunId = parse_id(run::WHAT, run_id)?;
    let wish = if body.is_empty() { Wish::default() } else { read(body)? };
    match wish.from_task {
        None => services.runs.retry(run).await?,
        Some(name) => {
            let task = task_named(&*services.store, run, &name).await?;
            services.runs.retry_from(run, task.path).await?;
        }
    }
    Ok(())
}

fn read(body: &[u8]) -> Result<Wish, ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| ApiError::new(Code::InvalidArgument, format!("the body is not understood: {error}")))
}
