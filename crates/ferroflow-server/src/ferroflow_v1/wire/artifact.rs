//! Artifacts and short looks into them.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Millis, Named};

/// An artifact as a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ArtifactRow {
    /// Number.
    pub(crate) artifact_id: i64,
    /// Output name it was made under.
    pub(crate) name: String,
    /// Such as `system.Model`; empty if the type was given as a schema.
    pub(crate) artifact_type: String,
    /// Where the bytes are; for reading only, no call takes it.
    pub(crate) uri: String,
    /// As user code wrote it.
    pub(crate) metadata: Map<String, Value>,
    /// Creation; `null` where only the artifact itself is at hand.
    pub(crate) created_at: Option<Millis>,
    /// The run that made it; `null` if unknown or removed.
    pub(crate) run: Option<Named>,
    /// The task that made it: path; `null` if unknown.
    pub(crate) task: Option<String>,
    /// The task that made it: id; `null` if unknown.
    pub(crate) task_id: Option<String>,
}

/// One page of artifacts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ArtifactPage {
    /// The rows, the newest first.
    pub(crate) artifacts: Vec<ArtifactRow>,
    /// Token of the next page, empty on the last one.
    pub(crate) next_page_token: String,
}

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ArtifactFile {
    /// Path below the artifact; empty if it is a single file.
    pub(crate) path: String,
    /// Size.
    pub(crate) size_bytes: u64,
}

/// A use of an artifact.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ArtifactUse {
    /// The run.
    pub(crate) run: Named,
    /// Path of the task.
    pub(crate) path: String,
    /// Id of the task.
    pub(crate) task_id: String,
    /// Name of the input or output.
    pub(crate) name: String,
}

/// An artifact with its files and where it is used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ArtifactDetail {
    /// As in lists.
    pub(crate) artifact: ArtifactRow,
    /// Files, in order of path, at most 1,000; empty if they are not at hand.
    pub(crate) files: Vec<ArtifactFile>,
    /// Size of all of them.
    pub(crate) size_bytes: u64,
    /// Why there are no files; `null` if there are.
    pub(crate) unreadable: Option<String>,
    /// Tasks that made it or took it over, at most 100.
    pub(crate) producers: Vec<ArtifactUse>,
    /// Tasks that used it, at most 100.
    pub(crate) consumers: Vec<ArtifactUse>,
}

/// What kind of values a column of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ColumnKind {
    /// Nothing but missing values.
    Empty,
    /// Numbers.
    Number,
    /// `true` and `false`.
    Boolean,
    /// Anything else.
    Text,
}

/// What a column holds, over the rows that were counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ColumnStatistics {
    /// Kind of all values that are not missing.
    pub(crate) kind: ColumnKind,
    /// Values that are missing; `null` if unknown.
    pub(crate) missing: Option<u64>,
    /// Different values; `null` if there are more than 10,000, or if they were not counted.
    pub(crate) distinct: Option<u64>,
    /// Smallest value: a number of numbers, else a text; `null` if there is none or it is unknown.
    pub(crate) minimum: Value,
    /// Greatest value.
    pub(crate) maximum: Value,
    /// Mean of numbers; `null` if unknown.
    pub(crate) mean: Option<f64>,
}

/// A table of texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TablePreview {
    /// Names of columns, the first 100.
    pub(crate) columns: Vec<String>,
    /// The first 200 rows.
    pub(crate) rows: Vec<Vec<String>>,
    /// One for each column, over `counted_rows`.
    pub(crate) statistics: Vec<ColumnStatistics>,
    /// Rows that the statistics speak of: all, unless the preview is cut.
    pub(crate) counted_rows: u64,
}

/// What a short look shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum PreviewContent {
    /// Scalar metrics.
    Metrics {
        /// By name.
        values: Map<String, Value>,
    },
    /// A confusion matrix and a ROC curve, as far as they are there.
    Classification {
        /// `confusionMatrix` as user code wrote it; `null` if there is none.
        confusion_matrix: Value,
        /// `confidenceMetrics` as user code wrote it; `null` if there is none.
        confidence_metrics: Value,
    },
    /// JSON that was read whole.
    Json {
        /// The value.
        value: Value,
    },
    /// Rows and columns.
    Table {
        /// The first rows.
        table: TablePreview,
    },
    /// Text.
    Text {
        /// The beginning.
        text: String,
    },
    /// Markdown.
    Markdown {
        /// The beginning.
        text: String,
    },
    /// HTML: show it from `content` in a frame with `sandbox` and without same origin.
    Html {},
    /// An image: show it from `content`.
    Image {
        /// Such as `image/png`.
        content_type: String,
    },
    /// A folder: look at one of its files.
    Folder {
        /// Its files, at most 1,000.
        files: Vec<ArtifactFile>,
    },
    /// Bytes without a text.
    Binary {},
    /// There is nothing at its place, or the place cannot be read from here.
    Missing {
        /// Why.
        reason: String,
    },
}

/// A short look into an artifact or one file of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Preview {
    /// The artifact.
    pub(crate) artifact_id: i64,
    /// The file below it; empty for the artifact itself.
    pub(crate) path: String,
    /// Size of the file.
    pub(crate) size_bytes: u64,
    /// Whether only the beginning is shown.
    pub(crate) is_cut: bool,
    /// What it shows.
    pub(crate) content: PreviewContent,
}

/// What stands in a lineage.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum LineageNode {
    /// An artifact.
    Artifact {
        /// `a<number>`.
        id: String,
        /// The artifact.
        artifact: ArtifactRow,
    },
    /// An execution of a task.
    Task {
        /// `t<number>`.
        id: String,
        /// The run.
        run: Named,
        /// Path of the task.
        path: String,
        /// Id of the task.
        task_id: String,
    },
}

/// A step of a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LineageEdge {
    /// Id of a node.
    pub(crate) from: String,
    /// Id of a node.
    pub(crate) to: String,
    /// Name of the input or output.
    pub(crate) name: String,
}

/// Where an artifact comes from and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Lineage {
    /// Id of the artifact's node.
    pub(crate) center: String,
    /// Nodes, at most 1,000.
    pub(crate) nodes: Vec<LineageNode>,
    /// Edges in the direction of time.
    pub(crate) edges: Vec<LineageEdge>,
    /// Whether there is more than is shown.
    pub(crate) is_cut: bool,
}
