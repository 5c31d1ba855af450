//! Tables of Parquet files: the first rows, and what the file's own footer says of its columns.
//!
//! Only the parts that are needed are read, so the size of a file does not matter, wherever it is.

use std::io::Cursor;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ferroflow_ports::ArtifactStore;
use futures_util::StreamExt;
use parquet::basic::{LogicalType, Type as Physical};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use parquet::file::statistics::Statistics;
use parquet::record::Field;
use parquet::schema::types::{ColumnDescriptor, Type};
use serde_json::Value;
use tokio::runtime::Handle;

use super::convert::shortened;
use super::table::{CELL_LETTERS, MOST_COLUMNS, MOST_ROWS, text};
use super::wire::{ColumnKind, ColumnStatistics, TablePreview};

/// How these files begin.
pub(super) const MAGIC: &[u8] = b"PAR1";
/// Most bytes of one piece: pages are usually 1 MiB.
const MOST_BYTES_OF_PIECE: usize = 64 * 1024 * 1024;
/// A page's header is far smaller.
const BYTES_OF_HEADER: u64 = 64 * 1024;

/// The table in a file of an artifact; `None` if it cannot be read as one.
pub(super) async fn table(
    artifacts: Arc<dyn ArtifactStore>,
    uri: String,
    bytes: u64,
) -> Option<TablePreview> {
    let pieces = Pieces { artifacts, runtime: Handle::current(), uri, bytes };
    // The reader waits for pieces, and may panic about files that are no good.
    let read = tokio::task::spawn_blocking(move || read(pieces)).await;
    match read {
        Ok(Ok(table)) => Some(table),
        Ok(Err(error)) => {
            tracing::debug!(%error, "no table in a Parquet file");
            None
        }
        Err(error) => {
            tracing::debug!(%error, "no table in a Parquet file");
            None
        }
    }
}

fn read(pieces: Pieces) -> Result<TablePreview> {
    let reader = SerializedFileReader::new(pieces)?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema();
    let fields: Vec<_> = schema.get_fields().iter().take(MOST_COLUMNS).cloned().collect();
    let columns = fields.iter().map(|field| shortened(field.name(), CELL_LETTERS)).collect();
    let statistics = fields.iter().map(|field| statistics(metadata, field.name())).collect();
    let shown = Type::group_type_builder(schema.name()).with_fields(fields).build()?;
    let mut rows = Vec::new();
    for row in reader.get_row_iter(Some(shown))?.take(MOST_ROWS) {
        rows.push(row?.get_column_iter().map(|(_, value)| cell(value)).collect());
    }
    let counted_rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default();
    Ok(TablePreview { columns, rows, statistics, counted_rows })
}

fn cell(value: &Field) -> String {
    match value {
        Field::Null => String::new(),
        Field::Str(text) => shortened(text, CELL_LETTERS),
        value => shortened(&value.to_string(), CELL_LETTERS),
    }
}

/// What the row groups say of a column together; nothing of columns that hold lists or structs.
fn statistics(metadata: &ParquetMetaData, name: &str) -> ColumnStatistics {
    let mut found = ColumnStatistics {
        kind: ColumnKind::Text,
        missing: None,
        distinct: None,
        minimum: Value::Null,
        maximum: Value::Null,
        mean: None,
    };
    let columns = metadata.file_metadata().schema_descr().columns();
    let place = columns.iter().position(|column| column.path().parts() == [name]);
    let Some((place, column)) = place.and_then(|place| Some((place, columns.get(place)?))) else {
        return found;
    };
    found.kind = kind(column);
    let (mut missing, mut bounds): (Option<u64>, Option<(Value, Value)>) = (Some(0), None);
    for group in metadata.row_groups() {
        let said = group.columns().get(place).and_then(|chunk| chunk.statistics());
        missing = missing.zip(said.and_then(Statistics::null_count_opt)).map(|(one, other)| one + other);
        let Some((least, most)) = said.and_then(|said| ends(said, found.kind)) else {
            // A group of nothing but missing values has no bounds; of other groups they are unknown.
            if said.and_then(Statistics::null_count_opt) == u64::try_from(group.num_rows()).ok() {
                continue;
            }
            bounds = None;
            break;
        };
        bounds = Some(match bounds {
            None => (least, most),
            Some((lower, upper)) => (
                if is_less(&least, &lower) { least } else { lower },
                if is_less(&upper, &most) { most } else { upper },
            ),
        });
    }
    found.missing = missing;
    if let Some((least, most)) = bounds {
        (found.minimum, found.maximum) = (least, most);
    }
    found
}

fn kind(column: &ColumnDescriptor) -> ColumnKind {
    // Dates, times and decimals are stored as numbers, which would tell people little.
    let is_plain =
        matches!(column.logical_type_ref(), None | Some(LogicalType::Integer { .. } | LogicalType::String));
    match column.physical_type() {
        Physical::BOOLEAN => ColumnKind::Boolean,
        Physical::INT32 | Physical::INT64 | Physical::FLOAT | Physical::DOUBLE if is_plain => {
            ColumnKind::Number
        }
        _ => ColumnKind::Text,
    }
}

fn ends(said: &Statistics, kind: ColumnKind) -> Option<(Value, Value)> {
    if kind == ColumnKind::Text && !matches!(said, Statistics::ByteArray(_)) {
        return None;
    }
    match said {
        Statistics::Boolean(of) => Some(((*of.min_opt()?).into(), (*of.max_opt()?).into())),
        Statistics::Int32(of) => Some(((*of.min_opt()?).into(), (*of.max_opt()?).into())),
        Statistics::Int64(of) => Some(((*of.min_opt()?).into(), (*of.max_opt()?).into())),
        Statistics::Float(of) => Some(((*of.min_opt()?).into(), (*of.max_opt()?).into())),
        Statistics::Double(of) => Some(((*of.min_opt()?).into(), (*of.max_opt()?).into())),
        Statistics::ByteArray(of) => {
            Some((text(of.min_opt()?.as_utf8().ok()?), text(of.max_opt()?.as_utf8().ok()?)))
        }
        _ => None,
    }
}

fn is_less(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one < other,
        _ => (one.as_bool(), one.as_str()) < (other.as_bool(), other.as_str()),
    }
}

/// The parts of a file, as the reader asks for them.
struct Pieces {
    artifacts: Arc<dyn ArtifactStore>,
    runtime: Handle,
    uri: String,
    bytes: u64,
}

impl Pieces {
    async fn get(&self, from: u64, length: usize) -> Result<Bytes> {
        let failed = |error: ferroflow_ports::PortError| ParquetError::General(error.message);
        let mut pieces = self.artifacts.get(&self.uri, from).await.map_err(failed)?;
        let mut bytes = BytesMut::with_capacity(length);
        while bytes.len() < length
            && let Some(piece) = pieces.next().await
        {
            bytes.extend_from_slice(&piece.map_err(failed)?);
        }
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("there are no {length} bytes at {from}")));
        }
        bytes.truncate(length);
        Ok(bytes.freeze())
    }
}

impl Length for Pieces {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Pieces {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let length = self.bytes.saturating_sub(start).min(BYTES_OF_HEADER);
        Ok(Cursor::new(self.get_bytes(start, usize::try_from(length).unwrap_or_default())?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if length > MOST_BYTES_OF_PIECE {
            return Err(ParquetError::General(format!(
                "a piece of {length} bytes is too large to be looked at"
            )));
        }
        if start.checked_add(length as u64).is_none_or(|end| end > self.bytes) {
            return Err(ParquetError::EOF(format!("there are no {length} bytes at {start}")));
        }
        self.runtime.block_on(self.get(start, length))
    }
}
