//! Short looks into artifacts: what they show follows from their type, else from the name and the first bytes.

use ferroflow_ports::ErrorKind;
use futures_util::StreamExt;
use serde_json::Value;

use super::artifact::{File, file, files, readable_reason};
use super::wire::{Preview, PreviewContent};
use super::{OwnApi, Question, parquet, table};
use crate::status::ApiError;

/// Bytes that are read.
const MOST_BYTES: usize = 256 * 1024;
/// Bytes that are read of a table, over whose rows statistics are made.
const MOST_BYTES_OF_TABLE: usize = 4 * 1024 * 1024;

/// Names and first bytes of images that browsers show.
const IMAGES: [(&str, &[u8], &str); 5] = [
    ("png", b"\x89PNG", "image/png"),
    ("jpg", b"\xff\xd8\xff", "image/jpeg"),
    ("gif", b"GIF8", "image/gif"),
    ("webp", b"RIFF", "image/webp"),
    ("svg", b"<svg", "image/svg+xml"),
];

impl OwnApi {
    pub(super) async fn artifact_preview(&self, question: &Question<'_>) -> Result<Preview, ApiError> {
        let query = question.query(&["path"])?;
        let view = self.artifact_of(question).await?;
        let path = query.text("path").unwrap_or_default();
        let artifact = &view.record.artifact;
        let mut preview = Preview {
            artifact_id: artifact.id.0,
            path: path.to_owned(),
            size_bytes: 0,
            is_cut: false,
            content: PreviewContent::Binary {},
        };
        if path.is_empty()
            && let Some(content) = of_metadata(&artifact.schema_title, &artifact.metadata)
        {
            preview.content = content;
            return Ok(preview);
        }
        let objects = match self.objects(&view).await {
            Ok(objects) => objects,
            Err(error) => {
                preview.content = PreviewContent::Missing { reason: readable_reason(&error)? };
                return Ok(preview);
            }
        };
        let Some(file) = file(&view, &objects, path) else {
            let is_folder = path.is_empty() && !objects.is_empty();
            preview.content = if is_folder {
                PreviewContent::Folder { files: files(&objects) }
            } else {
                PreviewContent::Missing { reason: "there is nothing at its place".to_owned() }
            };
            return Ok(preview);
        };
        preview.size_bytes = file.size_bytes;
        let is_table = matches!(extension(&file.uri).as_str(), "csv" | "tsv");
        let bytes = self.beginning(&file, if is_table { MOST_BYTES_OF_TABLE } else { MOST_BYTES }).await?;
        if bytes.starts_with(parquet::MAGIC) {
            let artifacts = std::sync::Arc::clone(&self.services.artifacts);
            if let Some(table) = parquet::table(artifacts, file.uri.clone(), file.size_bytes).await {
                preview.is_cut = table.counted_rows > table.rows.len() as u64;
                preview.content = PreviewContent::Table { table };
                return Ok(preview);
            }
        }
        preview.is_cut = file.size_bytes > bytes.len() as u64;
        preview.content = of_bytes(&artifact.schema_title, &file.uri, &bytes, preview.is_cut);
        Ok(preview)
    }

    async fn beginning(&self, file: &File, most: usize) -> Result<Vec<u8>, ApiError> {
        let mut bytes = Vec::new();
        let mut pieces = match self.services.artifacts.get(&file.uri, 0).await {
            Ok(pieces) => pieces,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(bytes),
            Err(error) => return Err(error.into()),
        };
        while bytes.len() < most
            && let Some(piece) = pieces.next().await
        {
            let piece = piece?;
            let room = most - bytes.len();
            bytes.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        }
        Ok(bytes)
    }
}

/// Metrics are in the metadata; their files are empty.
fn of_metadata(kind: &str, metadata: &serde_json::Map<String, Value>) -> Option<PreviewContent> {
    let field = |name: &str| metadata.get(name).cloned().unwrap_or_default();
    match kind {
        "system.Metrics" => Some(PreviewContent::Metrics { values: metadata.clone() }),
        "system.ClassificationMetrics" | "system.SlicedClassificationMetrics" => {
            Some(PreviewContent::Classification {
                confusion_matrix: field("confusionMatrix"),
                confidence_metrics: field("confidenceMetrics"),
            })
        }
        _ => None,
    }
}

fn of_bytes(kind: &str, name: &str, bytes: &[u8], is_cut: bool) -> PreviewContent {
    let extension = extension(name);
    if let Some((_, _, content_type)) = IMAGES.iter().find(|(_, magic, _)| bytes.starts_with(magic)) {
        return PreviewContent::Image { content_type: (*content_type).to_owned() };
    }
    let Some(text) = text_of(bytes, is_cut) else { return PreviewContent::Binary {} };
    match (kind, extension.as_str()) {
        ("system.HTML", _) | (_, "html" | "htm") => return PreviewContent::Html {},
        ("system.Markdown", _) | (_, "md") => return PreviewContent::Markdown { text: text.to_owned() },
        (_, "csv") => return PreviewContent::Table { table: table::separated(text, b',', is_cut) },
        (_, "tsv") => return PreviewContent::Table { table: table::separated(text, b'\t', is_cut) },
        _ => {}
    }
    if !is_cut
        && text.trim_start().starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str(text)
    {
        return PreviewContent::Json { value };
    }
    PreviewContent::Text { text: text.to_owned() }
}

/// The bytes as text, without half a letter where they were cut; `None` if they are none.
fn text_of(bytes: &[u8], is_cut: bool) -> Option<&str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if is_cut && error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    (!text.contains('\0')).then_some(text)
}

fn extension(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or_default();
    last.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_ascii_lowercase())
}

/// The type under which bytes are served: only what is harmless in a frame of its own.
pub(crate) fn content_type(kind: &str, name: &str) -> &'static str {
    match (kind, extension(name).as_str()) {
        ("system.HTML", _) | (_, "html" | "htm") => "text/html; charset=utf-8",
        ("system.Markdown", _) | (_, "txt" | "md" | "log" | "csv" | "tsv" | "yaml" | "yml" | "py") => {
            "text/plain; charset=utf-8"
        }
        (_, "json") => "application/json",
        (_, "jpeg") => "image/jpeg",
        (_, extension) => IMAGES
            .iter()
            .find(|(name, _, _)| *name == extension)
            .map_or("application/octet-stream", |(_, _, kind)| kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kind of the preview, and what it holds.
    fn check(kind: &str, name: &str, bytes: &[u8], is_cut: bool, expected: &str) {
        let got = serde_json::to_string(&of_bytes(kind, name, bytes, is_cut)).unwrap();
        assert_eq!(got, expected, "{kind} {name}");
    }

    #[test]
    fn bytes_tell_what_they_are() {
        check("", "a", b"hi", false, r#"{"kind":"text","text":"hi"}"#);
        check("", "a", b"{\"a\": 1}", false, r#"{"kind":"json","value":{"a":1}}"#);
        check("", "a", b"{\"a\": 1", true, r#"{"kind":"text","text":"{\"a\": 1"}"#);
        check("", "a", b"a\0b", false, r#"{"kind":"binary"}"#);
        check("", "a", b"\xff\xfe\x00", false, r#"{"kind":"binary"}"#);
        check("", "a", b"caf\xc3", true, r#"{"kind":"text","text":"caf"}"#);
        check("", "x/a.md", b"# T", false, r##"{"kind":"markdown","text":"# T"}"##);
        check("system.HTML", "a", b"<p>", false, r#"{"kind":"html"}"#);
        check("", "a", b"\x89PNG....", false, r#"{"kind":"image","content_type":"image/png"}"#);
    }
}
