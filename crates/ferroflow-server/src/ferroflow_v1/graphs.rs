//! Graphs of runs and versions: found again if they were drawn before.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use ferroflow_model::{PipelineVersionId, RunId};
use ferroflow_spec::document;
use hyper::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use hyper::{HeaderMap, StatusCode};

use super::graph::{self, View};
use super::recent::Recent;
use super::structure::Structure;
use super::wire::Direction;
use super::{OwnApi, Question};
use crate::rest::answer::{Answer, answer};
use crate::status::ApiError;
use crate::v2beta1::{parse_id, run, version};

/// Bytes of drawn graphs that are kept.
const GRAPH_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of pipeline texts whose typed form is kept; the form takes some times more.
const SPEC_BYTES: usize = 8 * 1024 * 1024;
/// Most groups that a question opens.
const MOST_OPEN: usize = 500;

/// What was read and drawn lately.
#[derive(Debug)]
pub(super) struct GraphShelf {
    structures: Mutex<Recent<String, Arc<Structure>>>,
    graphs: Mutex<Recent<String, Bytes>>,
}

impl Default for GraphShelf {
    fn default() -> Self {
        Self { structures: Mutex::new(Recent::new(SPEC_BYTES)), graphs: Mutex::new(Recent::new(GRAPH_BYTES)) }
    }
}

impl GraphShelf {
    fn structure(&self, version: &str) -> Option<Arc<Structure>> {
        self.structures.lock().unwrap_or_else(PoisonError::into_inner).get(&version.to_owned())
    }

    fn keep(&self, structure: Structure, bytes: usize) -> Arc<Structure> {
        let structure = Arc::new(structure);
        let mut shelf = self.structures.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.put(structure.version.clone(), Arc::clone(&structure), bytes);
        structure
    }

    /// The JSON of a graph; drawn on a thread that may take its time.
    async fn drawn(&self, structure: Arc<Structure>, view: View, version: String) -> Result<Bytes, ApiError> {
        let known = self.graphs.lock().unwrap_or_else(PoisonError::into_inner).get(&version);
        if let Some(bytes) = known {
            return Ok(bytes);
        }
        let key = version.clone();
        let draw = move || serde_json::to_vec(&graph::draw(&structure, &view, version));
        let drawn = tokio::task::spawn_blocking(draw).await.map_err(ApiError::internal)?;
        let bytes = Bytes::from(drawn.map_err(ApiError::internal)?);
        self.graphs.lock().unwrap_or_else(PoisonError::into_inner).put(key, bytes.clone(), bytes.len());
        Ok(bytes)
    }
}

impl OwnApi {
    /// The pipeline of a run. `NotFound`.
    pub(super) async fn structure_of_run(&self, run: RunId) -> Result<Arc<Structure>, ApiError> {
        let version = self.services.store.spec_digest(run).await?;
        if let Some(known) = self.graphs.structure(&version) {
            return Ok(known);
        }
        let text = self.services.store.run_spec(run).await?;
        let bytes = text.len();
        let read = move || document::from_json(&serde_json::from_str(&text).unwrap_or_default());
        let document = tokio::task::spawn_blocking(read).await.map_err(ApiError::internal)?;
        // It was checked when the run was accepted.
        let spec = Arc::new(document.map_err(ApiError::internal)?.spec);
        Ok(self.graphs.keep(Structure { version, spec }, bytes))
    }

    /// The pipeline of a stored version, from its bytes.
    pub(super) async fn structure_of_source(&self, source: &Arc<[u8]>) -> Result<Arc<Structure>, ApiError> {
        let version = format!("v{}", blake3::hash(source).to_hex());
        if let Some(known) = self.graphs.structure(&version) {
            return Ok(known);
        }
        let bytes = Arc::clone(source);
        let read = move || version::stored_document(&bytes);
        let document = tokio::task::spawn_blocking(read).await.map_err(ApiError::internal)??;
        Ok(self.graphs.keep(Structure { version, spec: Arc::new(document.spec) }, source.len()))
    }

    pub(super) async fn run_graph(&self, question: &Question<'_>) -> Result<Answer, ApiError> {
        let view = view(question)?;
        let id = parse_id(run::WHAT, question.field("run_id"))?;
        let structure = self.structure_of_run(id).await?;
        self.graph(structure, view, question.headers).await
    }

    pub(super) async fn version_graph(&self, question: &Question<'_>) -> Result<Answer, ApiError> {
        let view = view(question)?;
        let id: PipelineVersionId = parse_id(version::WHAT, question.field("version_id"))?;
        let stored = self.services.store.pipeline_version(id).await?;
        let structure = self.structure_of_source(&stored.source).await?;
        self.graph(structure, view, question.headers).await
    }

    async fn graph(
        &self,
        structure: Arc<Structure>,
        view: View,
        headers: &HeaderMap,
    ) -> Result<Answer, ApiError> {
        let version = version_of(&structure, &view);
        let tag = format!("\"{version}\"");
        let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let is_known = known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
        let mut response = if is_known {
            answer(StatusCode::NOT_MODIFIED, "application/json", Bytes::new())
        } else {
            let bytes = self.graphs.drawn(structure, view, version).await?;
            answer(StatusCode::OK, "application/json", bytes)
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.insert(ETAG, HeaderValue::try_from(tag).map_err(ApiError::internal)?);
        Ok(response)
    }
}

fn view(question: &Question<'_>) -> Result<View, ApiError> {
    let query = question.query(&["open", "direction", "artifacts"])?;
    let direction = match query.text("direction") {
        None | Some("right") => Direction::Right,
        Some("down") => Direction::Down,
        Some(other) => {
            return Err(ApiError::invalid(format!("`direction` is `right` or `down`, not `{other}`")));
        }
    };
    let open: std::collections::BTreeSet<String> = query.values("open").map(str::to_owned).collect();
    if open.len() > MOST_OPEN {
        return Err(ApiError::invalid(format!(
            "at most {MOST_OPEN} groups can be named in `open`; `*` opens all"
        )));
    }
    Ok(View { open, direction, shows_artifacts: query.switch("artifacts")? })
}

/// The version of this build stands in it, since another build may draw otherwise.
fn version_of(structure: &Structure, view: &View) -> String {
    let mut hasher = blake3::Hasher::new();
    let direction = if view.direction == Direction::Right { "right" } else { "down" };
    let shows_artifacts = if view.shows_artifacts { "artifacts" } else { "" };
    let texts = [env!("CARGO_PKG_VERSION"), &structure.version, direction, shows_artifacts];
    for text in texts.into_iter().chain(view.open.iter().map(String::as_str)) {
        hasher.update(text.as_bytes()).update(&[0]);
    }
    hasher.finalize().to_hex().get(..32).unwrap_or_default().to_owned()
}
