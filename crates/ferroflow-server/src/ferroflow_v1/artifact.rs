//! Artifacts: lists, one with its files and uses, and its bytes. Named by number, never by a place from a request.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use ferroflow_model::record::LinkDirection;
use ferroflow_model::{ArtifactId, RunId, TaskId};
use ferroflow_ports::artifact::StoredObject;
use ferroflow_ports::view::{ArtifactQuery, ArtifactUseView, ArtifactView};
use ferroflow_ports::{ErrorKind, PortError};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::content::{self, Span};
use super::convert::artifact_row;
use super::newest::NewestFirst;
use super::preview::content_type;
use super::wire::{ArtifactDetail, ArtifactFile, ArtifactPage, ArtifactUse, Named};
use super::{OwnApi, Question, archive, metadata_filter};
use crate::rest::answer::Answer;
use crate::status::{ApiError, Code};
use crate::tasks::task_named;
use crate::v2beta1::{parse_id, run};

const WHAT: &str = "artifact";
/// Files that are named.
pub(super) const MOST_FILES: usize = 1000;
const MOST_USES: u32 = 100;

/// A file of an artifact that is there.
pub(super) struct File {
    pub(super) uri: String,
    pub(super) path: String,
    pub(super) size_bytes: u64,
}

impl OwnApi {
    /// The artifact that the address names. `NotFound`.
    pub(super) async fn artifact_of(&self, question: &Question<'_>) -> Result<ArtifactView, ApiError> {
        let text = question.field("artifact_id");
        let id: i64 = text.parse().map_err(|_| ApiError::not_found(WHAT, text))?;
        Ok(self.services.store.artifact_view(ArtifactId(id)).await?)
    }

    pub(super) async fn artifacts(&self, question: &Question<'_>) -> Result<ArtifactPage, ApiError> {
        let query = question.query(&[
            "q",
            "name",
            "type",
            "run",
            "task",
            "pipeline_name",
            "experiment_id",
            "metadata",
            "page_size",
            "page_token",
        ])?;
        let page = NewestFirst::read(self, "artifacts", question, &query)?;
        let text = |name: &str| query.text(name).map(str::to_owned);
        let run: Option<RunId> = query.text("run").map(|id| parse_id(run::WHAT, id)).transpose()?;
        let execution = match (run, query.text("task")) {
            (Some(run), Some(task)) => Some(task_named(&*self.services.store, run, task).await?.execution_id),
            (None, Some(_)) => return Err(ApiError::invalid("`task` needs `run` beside it")),
            (_, None) => None,
        };
        let wanted = ArtifactQuery {
            run,
            execution,
            pipeline_name: text("pipeline_name"),
            experiment: text("experiment_id"),
            schema_title: text("type"),
            name: text("name"),
            text: text("q"),
            metadata: query.values("metadata").map(metadata_filter::read).collect::<Result<_, _>>()?,
            before: page.before.map(ArtifactId),
            limit: page.limit + 1,
        };
        let mut views = self.services.store.artifact_views(wanted).await?;
        let next_page_token = page.end(self, &mut views, |view| view.record.artifact.id.0);
        Ok(ArtifactPage { artifacts: views.iter().map(artifact_row).collect(), next_page_token })
    }

    pub(super) async fn artifact(&self, question: &Question<'_>) -> Result<ArtifactDetail, ApiError> {
        question.query(&[])?;
        let view = self.artifact_of(question).await?;
        let id = view.record.artifact.id;
        let store = &self.services.store;
        let producers = store.artifact_uses(&[id], LinkDirection::Output, MOST_USES).await?;
        let consumers = store.artifact_uses(&[id], LinkDirection::Input, MOST_USES).await?;
        let (objects, unreadable) = match self.objects(&view).await {
            Ok(objects) if objects.is_empty() => (objects, Some("there is nothing at its place".to_owned())),
            Ok(objects) => (objects, None),
            Err(error) => (Vec::new(), Some(readable_reason(&error)?)),
        };
        Ok(ArtifactDetail {
            artifact: artifact_row(&view),
            size_bytes: objects.iter().map(|object| object.size_bytes).sum(),
            files: files(&objects),
            unreadable,
            producers: producers.iter().map(artifact_use).collect(),
            consumers: consumers.iter().map(artifact_use).collect(),
        })
    }

    pub(super) async fn objects(&self, view: &ArtifactView) -> Result<Vec<StoredObject>, PortError> {
        self.services.artifacts.list(&view.record.artifact.uri).await
    }

    pub(super) async fn artifact_content(&self, question: &Question<'_>) -> Result<Answer, ApiError> {
        let query = question.query(&["path", "download", "archive"])?;
        let view = self.artifact_of(question).await?;
        let path = query.text("path").unwrap_or_default();
        let objects = self.objects(&view).await?;
        let missing = || ApiError::new(Code::NotFound, "the artifact has no such file");
        if let Some(archive) = query.text("archive") {
            if archive != "tar.gz" {
                return Err(ApiError::invalid(format!("`archive` is `tar.gz`, not `{archive}`")));
            }
            let files = files_below(&view, &objects, path);
            if files.is_empty() {
                return Err(missing());
            }
            let folder = last_step(&view, path);
            let pieces = archive::tar_gz(Arc::clone(&self.services.artifacts), folder, files);
            let name = format!("{folder}.tar.gz");
            return Ok(content::download(stream_of(pieces), "application/gzip", None, Some(&name)));
        }
        let file = file(&view, &objects, path).ok_or_else(|| {
            let is_folder = !files_below(&view, &objects, path).is_empty();
            if is_folder {
                ApiError::invalid("this is a folder: ask for it with `archive=tar.gz`")
            } else {
                missing()
            }
        })?;
        let range = content::range_header(question.headers);
        let span = range.map(|range| Span::of(range, file.size_bytes)).transpose()?;
        let pieces = self.services.artifacts.get(&file.uri, span.map_or(0, |span| span.from)).await?;
        let body = stream_of(content::limited(pieces, span));
        let name = query.switch("download")?.then(|| last_step(&view, path));
        let kind = content_type(&view.record.artifact.schema_title, &file.uri);
        Ok(content::download(body, kind, span, name))
    }
}

fn stream_of(pieces: BoxStream<'static, Result<Bytes, PortError>>) -> Body {
    Body::from_stream(pieces.inspect(|piece| {
        if let Err(error) = piece {
            tracing::error!(%error, "the bytes of an artifact break off");
        }
    }))
}

/// What a download is called: the last step of a path below an artifact, or the artifact's own name.
fn last_step<'t>(view: &'t ArtifactView, path: &'t str) -> &'t str {
    let last = if path.is_empty() { &view.record.name } else { path };
    last.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or("artifact")
}

/// The files at or below a path of an artifact, each with its path below that.
fn files_below(view: &ArtifactView, objects: &[StoredObject], path: &str) -> Vec<File> {
    let below = |object: &StoredObject| {
        let rest = object.path.strip_prefix(path)?;
        let rest = if path.is_empty() || rest.is_empty() { rest } else { rest.strip_prefix('/')? };
        Some(File { path: rest.to_owned(), ..file(view, std::slice::from_ref(object), &object.path)? })
    };
    objects.iter().filter_map(below).collect()
}

/// The file at a path below an artifact, if it is among what is there.
pub(super) fn file(view: &ArtifactView, objects: &[StoredObject], path: &str) -> Option<File> {
    let object = objects.iter().find(|object| object.path == path)?;
    let uri = &view.record.artifact.uri;
    let uri = if path.is_empty() { uri.clone() } else { format!("{}/{path}", uri.trim_end_matches('/')) };
    Some(File { uri, path: path.to_owned(), size_bytes: object.size_bytes })
}

pub(super) fn files(objects: &[StoredObject]) -> Vec<ArtifactFile> {
    let file =
        |object: &StoredObject| ArtifactFile { path: object.path.clone(), size_bytes: object.size_bytes };
    objects.iter().take(MOST_FILES).map(file).collect()
}

/// Why bytes cannot be read, for people; a defect stays an error.
pub(super) fn readable_reason(error: &PortError) -> Result<String, ApiError> {
    match error.kind {
        ErrorKind::Internal => Err(PortError::new(error.kind, error.message.clone()).into()),
        _ => Ok(error.message.clone()),
    }
}

fn artifact_use(used: &ArtifactUseView) -> ArtifactUse {
    let execution = &used.execution;
    ArtifactUse {
        run: Named { id: execution.run_id.to_string(), name: execution.run_name.clone() },
        path: execution.path.to_string(),
        task_id: TaskId::derive(execution.run_id, &execution.path).to_string(),
        name: used.link.name.clone(),
    }
}
