//! Artifacts: lists, one with its files and uses, and its bytes. Named by number, never by a place from a request.

use axum::body::Body;
use ferroflow_model::record::LinkDirection;
use ferroflow_model::{ArtifactId, TaskId};
use ferroflow_ports::artifact::StoredObject;
use ferroflow_ports::view::{ArtifactQuery, ArtifactUseView, ArtifactView};
use ferroflow_ports::{ErrorKind, PortError};
use futures_util::StreamExt;

use super::content::{self, Span};
use super::convert::artifact_row;
use super::preview::content_type;
use super::wire::{ArtifactDetail, ArtifactFile, ArtifactPage, ArtifactUse, Named};
use super::{OwnApi, Question};
use crate::page::PageRequest;
use crate::rest::answer::Answer;
use crate::status::{ApiError, Code};

const WHAT: &str = "artifact";
/// Files that are named.
pub(super) const MOST_FILES: usize = 1000;
const MOST_USES: u32 = 100;
/// What page tokens of this list are bound to, with the filter.
const SCOPE: &str = "ferroflow artifacts";

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
        let query = question.query(&["q", "type", "page_size", "page_token"])?;
        let limit = query.number("page_size", 100, (1, 200))?;
        let (text, kind) = (query.text("q"), query.text("type"));
        let scope = format!("{SCOPE}\0{}\0{}", text.unwrap_or_default(), kind.unwrap_or_default());
        let request = PageRequest {
            scope: &scope,
            page_token: query.text("page_token").unwrap_or_default(),
            page_size: 0,
            sort_by: "id desc",
            filter: "",
        };
        let wanted = request.read(&self.services.page_tokens)?;
        let before = wanted.after.as_ref().and_then(|position| position.id.parse().ok()).map(ArtifactId);
        let views = self.services.store.artifact_views(ArtifactQuery {
            run: None,
            schema_title: kind.map(str::to_owned),
            text: text.map(str::to_owned),
            before,
            limit: limit + 1,
        });
        let mut views = views.await?;
        let has_more = views.len() > limit as usize;
        views.truncate(limit as usize);
        let next = views.last().filter(|_| has_more).map(|last| {
            let number = last.record.artifact.id.0;
            let value = ferroflow_model::list::FilterValue::Integer(number);
            ferroflow_model::list::Position { value, id: number.to_string() }
        });
        Ok(ArtifactPage {
            artifacts: views.iter().map(artifact_row).collect(),
            next_page_token: request.next_token(&self.services.page_tokens, wanted, next),
        })
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
        let query = question.query(&["path", "download"])?;
        let view = self.artifact_of(question).await?;
        let path = query.text("path").unwrap_or_default();
        let objects = self.objects(&view).await?;
        let file = file(&view, &objects, path)
            .ok_or_else(|| ApiError::new(Code::NotFound, "the artifact has no such file"))?;
        let range = content::range_header(question.headers);
        let span = range.map(|range| Span::of(range, file.size_bytes)).transpose()?;
        let pieces = self.services.artifacts.get(&file.uri).await?;
        let pieces = ferroflow_ports::executor::behind(pieces, span.map_or(0, |span| span.from));
        let body = Body::from_stream(content::limited(pieces, span).inspect(|piece| {
            if let Err(error) = piece {
                tracing::error!(%error, "the bytes of an artifact break off");
            }
        }));
        let last = if file.path.is_empty() { &view.record.name } else { &file.path };
        let name = last.rsplit('/').next().unwrap_or_default();
        let name = query.switch("download")?.then_some(name);
        let kind = content_type(&view.record.artifact.schema_title, &file.uri);
        Ok(content::download(body, kind, span, name))
    }
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
