//! Values in columns: times, ids, states and JSON texts, in both directions.

use std::str::FromStr;

use ferroflow_model::Timestamp;
use ferroflow_model::record::Failure;
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{OptionalExtension, Params, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;

/// JSON text of a value.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}

/// JSON text of a failure, if there is one.
pub(crate) fn failure(value: Option<&Failure>) -> Result<Option<String>, StoreError> {
    value.map(json).transpose()
}

/// Microseconds of a time, if there is one.
pub(crate) fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_micros)
}

/// Reads columns from left to right, so that statements and translations need no numbers to agree on.
pub(crate) struct Fields<'row, 'statement> {
    row: &'row Row<'statement>,
    next: usize,
}

impl<'row, 'statement> Fields<'row, 'statement> {
    /// Begins at column `first`.
    pub(crate) fn from(row: &'row Row<'statement>, first: usize) -> Self {
        Self { row, next: first }
    }

    /// The next column as it is.
    pub(crate) fn get<T: rusqlite::types::FromSql>(&mut self) -> rusqlite::Result<T> {
        let index = self.next;
        self.next += 1;
        self.row.get(index)
    }

    fn text<T>(&mut self, read: impl FnOnce(&str) -> Result<T, FromSqlError>) -> rusqlite::Result<T> {
        let index = self.next;
        self.next += 1;
        let value = self.row.get_ref(index)?;
        let parsed = value.as_str().and_then(read);
        parsed.map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error)))
    }

    /// A text that a type can read: UUIDs.
    pub(crate) fn parse<T>(&mut self) -> rusqlite::Result<T>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        self.text(|text| text.parse().map_err(FromSqlError::other))
    }

    /// The same or null.
    pub(crate) fn optional_parse<T>(&mut self) -> rusqlite::Result<Option<T>>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        if self.is_null()? { Ok(None) } else { self.parse().map(Some) }
    }

    /// A name that `read` knows.
    pub(crate) fn named<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
        self.text(|text| read(text).ok_or(FromSqlError::InvalidType))
    }

    /// JSON.
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<T> {
        self.text(|text| serde_json::from_str(text).map_err(FromSqlError::other))
    }

    /// JSON or null.
    pub(crate) fn optional_json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<Option<T>> {
        if self.is_null()? { Ok(None) } else { self.json().map(Some) }
    }

    /// Whether the next column is null; if so, it is passed over.
    fn is_null(&mut self) -> rusqlite::Result<bool> {
        let is_null = self.row.get_ref(self.next)? == rusqlite::types::ValueRef::Null;
        self.next += usize::from(is_null);
        Ok(is_null)
    }

    /// A time.
    pub(crate) fn time(&mut self) -> rusqlite::Result<Timestamp> {
        self.get().map(Timestamp::from_micros)
    }

    /// A time or null.
    pub(crate) fn optional_time(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>()?.map(Timestamp::from_micros))
    }
}

/// The only row of a question, if there is one; the statement is kept prepared.
pub(crate) fn find<T>(
    connection: &rusqlite::Connection,
    sql: &'static str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row(params, read).optional()?)
}

/// All rows of a question; the statement is kept prepared.
pub(crate) fn all<T>(
    connection: &rusqlite::Connection,
    sql: &'static str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Changes rows and returns how many; the statement is kept prepared.
pub(crate) fn change(
    connection: &rusqlite::Connection,
    sql: &'static str,
    params: impl Params,
) -> Result<usize, StoreError> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}
