//! Pages of lists: filters, order and place become SQL.
//!
//! Statements are put together from texts of this crate only ([`Sql::push`] takes nothing else); whatever a request
//! says is bound as a value. Times are compared in seconds, as the API shows them, and ties are broken by id in the same
//! direction; what can only be made one at a time is ordered by the very moment ([`moment`]). `IsSubstring` is SQL's `LIKE` with the client's `%` and `_` as wildcards, as in KFP.

use std::borrow::Cow;

use ferroflow_model::list::{FilterValue, ListQuery, Operation, Page, Position, Predicate};
use ferroflow_ports::{ErrorKind, PortError};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::error::StoreError;

/// More conditions than this are a mistake or an attack.
const MOST_PREDICATES: usize = 100;

/// More values of one `In` than this, likewise.
const MOST_VALUES: usize = 10_000;

/// Longest text to search for in bytes; the search takes time that grows with it.
const LONGEST_SUBSTRING_BYTES: usize = 1000;

/// How a column is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As text.
    Text,
    /// As seconds since the epoch.
    Seconds,
}

/// What a key of the API stands for.
pub(crate) struct Column {
    pub(crate) key: &'static str,
    /// Expression; never null.
    pub(crate) sql: &'static str,
    /// The expression by which lists are ordered.
    order: &'static str,
    pub(crate) kind: Kind,
}

/// A column that is compared as text.
pub(crate) const fn text(key: &'static str, sql: &'static str) -> Column {
    Column { key, sql, order: sql, kind: Kind::Text }
}

/// A column that is compared in seconds; `sql` is in seconds.
pub(crate) const fn seconds(key: &'static str, sql: &'static str) -> Column {
    Column { key, sql, order: sql, kind: Kind::Seconds }
}

/// The same, but ordered by `order`: of versions that were made within one second, the newest must come first.
pub(crate) const fn moment(key: &'static str, sql: &'static str, order: &'static str) -> Column {
    Column { key, sql, order, kind: Kind::Seconds }
}

/// What a list is made of.
pub(crate) struct Listing {
    /// Plural name for messages.
    pub(crate) what: &'static str,
    /// Table.
    pub(crate) table: &'static str,
    /// Columns of a row, as the translation reads them after the first two.
    pub(crate) select: &'static str,
    /// Keys that may be filtered and sorted by.
    pub(crate) columns: &'static [Column],
    /// Whether `tags.<key>` may be filtered by.
    pub(crate) is_tagged: bool,
    /// Whether `metric:<name>` may be sorted by. No row has such metrics, so order is that of ids.
    pub(crate) has_metric_sort: bool,
}

/// Column of the table that every list begins with for [`page`]: the sort value and the id stand before `select`.
pub(crate) const FIRST_FIELD: usize = 2;

const METRIC: Column = text("metric", "''");

/// How the rows of a list are found, where the database would not choose well by itself.
#[derive(Debug, Default)]
pub(crate) struct Way {
    /// What stands behind `FROM` instead of the table, with the value of its one `?` if it has one.
    pub(crate) from: Option<(Cow<'static, str>, Option<String>)>,
    /// Rows of all pages together, if that is known already.
    pub(crate) total: Option<u64>,
    /// A predicate that `from` fulfils, by its place.
    pub(crate) settled: Option<usize>,
}

/// One page. `scope` narrows the list beforehand: a condition with one `?`, and its value.
pub(crate) fn page<T>(
    connection: &Connection,
    listing: &Listing,
    scope: Option<(&'static str, String)>,
    query: &ListQuery,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>, StoreError> {
    page_by(connection, listing, &Way::default(), scope, query, None, read)
}

/// As [`page`], by a way that the caller knows. At most `most_counted` rows are counted, so that a page of a huge list
/// needs no look at all of it.
pub(crate) fn page_by<T>(
    connection: &Connection,
    listing: &Listing,
    way: &Way,
    scope: Option<(&'static str, String)>,
    query: &ListQuery,
    most_counted: Option<u32>,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>, StoreError> {
    let sort = sort_column(listing, &query.sort.key)?;
    let mut condition = Sql::default();
    condition.push_from(listing, way);
    condition.push(" WHERE ").append(conditions(listing, scope, &query.predicates, way.settled)?);
    let total = match way.total {
        Some(total) => total,
        None => count(connection, &condition, most_counted)?,
    };
    let wanted = query.page_size.clamp(1, 200);

    let mut sql = Sql::default();
    sql.push("SELECT ").push(sort.order).push(", id, ").push(listing.select);
    sql.append(condition);
    if let Some(position) = &query.after {
        // The first comparison says less than the second, but an index on an expression can only begin with it.
        let (from, after) = if query.sort.descending { (" <= ", ") < (") } else { (" >= ", ") > (") };
        let value = comparable(sort, &position.value)?;
        sql.push(" AND ").push(sort.order).push(from).bind(value.clone());
        sql.push(" AND (").push(sort.order).push(", id").push(after).bind(value);
        sql.push(", ").bind(Value::Text(position.id.clone())).push(")");
    }
    let direction = if query.sort.descending { " DESC" } else { "" };
    sql.push(" ORDER BY ").push(sort.order).push(direction).push(", id").push(direction);
    sql.push(" LIMIT ").bind(Value::Integer(i64::from(wanted) + 1));
    fetch(connection, &sql, wanted as usize, sort.kind, total, read)
}

/// Reads one row more than wanted, to know whether there is a next page.
fn fetch<T>(
    connection: &Connection,
    sql: &Sql,
    wanted: usize,
    kind: Kind,
    total: u64,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>, StoreError> {
    let mut statement = connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    let mut items = Vec::new();
    let mut last = None;
    while let Some(row) = rows.next()? {
        if items.len() == wanted {
            return Ok(Page { items, total, next: last });
        }
        items.push(read(row)?);
        if items.len() == wanted {
            let value = match kind {
                Kind::Text => FilterValue::Text(row.get(0)?),
                Kind::Seconds => FilterValue::Seconds(row.get(0)?),
            };
            last = Some(Position { value, id: row.get(1)? });
        }
    }
    Ok(Page { items, total, next: None })
}

/// Some columns of the newest `most` rows that fulfil the conditions, the newest first.
pub(crate) fn newest(
    connection: &Connection,
    listing: &Listing,
    predicates: &[Predicate],
    select: &'static str,
    most: u32,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    let sort = sort_column(listing, "created_at")?;
    let mut sql = Sql::default();
    sql.push("SELECT ").push(select).push(" FROM ").push(listing.table).push(" WHERE ");
    sql.append(conditions(listing, None, predicates, None)?);
    sql.push(" ORDER BY ").push(sort.order).push(" DESC, id DESC LIMIT ").bind(Value::Integer(most.into()));
    let mut statement = connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    while let Some(row) = rows.next()? {
        read(row)?;
    }
    Ok(())
}

/// Counts rows; `condition` begins with `FROM`.
pub(crate) fn count(connection: &Connection, condition: &Sql, most: Option<u32>) -> Result<u64, StoreError> {
    let mut sql = Sql::default();
    sql.push(if most.is_some() { "SELECT count(*) FROM (SELECT 1" } else { "SELECT count(*)" });
    sql.append(condition.clone());
    if let Some(most) = most {
        sql.push(" LIMIT ").bind(Value::Integer(most.into())).push(")");
    }
    let mut statement = connection.prepare_cached(&sql.text)?;
    let total: i64 = statement.query_row(params_from_iter(&sql.values), |row| row.get(0))?;
    Ok(total.cast_unsigned())
}

/// What rows must fulfil, without the predicate that is settled.
pub(crate) fn conditions(
    listing: &Listing,
    scope: Option<(&'static str, String)>,
    predicates: &[Predicate],
    settled: Option<usize>,
) -> Result<Sql, PortError> {
    if predicates.len() > MOST_PREDICATES {
        return Err(invalid(format!(
            "a filter has at most {MOST_PREDICATES} predicates, not {}",
            predicates.len()
        )));
    }
    let mut sql = Sql::default();
    match scope {
        Some((text, value)) => {
            let (before, after) = text.split_once('?').unwrap_or((text, ""));
            sql.push(before).bind(Value::Text(value)).push(after);
        }
        None => {
            sql.push("TRUE");
        }
    }
    for (index, predicate) in predicates.iter().enumerate() {
        if settled == Some(index) {
            continue;
        }
        if let Some(tag) = predicate.key.strip_prefix("tags.").filter(|_| listing.is_tagged) {
            // Of several values for one tag the last one counts.
            let rest = predicates.iter().skip(index + 1);
            if !rest.into_iter().any(|later| later.key == predicate.key) {
                sql.push(" AND ");
                tag_condition(&mut sql, tag, predicate)?;
            }
        } else {
            sql.push(" AND ");
            column_condition(&mut sql, filter_column(listing, &predicate.key)?, predicate)?;
        }
    }
    Ok(sql)
}

fn tag_condition(sql: &mut Sql, tag: &str, predicate: &Predicate) -> Result<(), PortError> {
    let (Operation::Equals, FilterValue::Text(value)) = (predicate.operation, &predicate.value) else {
        return Err(invalid(format!("`{}` can only be compared by EQUALS with a string", predicate.key)));
    };
    sql.push("EXISTS (SELECT 1 FROM tags WHERE owner = id AND key = ").bind(Value::Text(tag.to_owned()));
    sql.push(" AND value = ").bind(Value::Text(value.clone())).push(")");
    Ok(())
}

fn column_condition(sql: &mut Sql, column: &Column, predicate: &Predicate) -> Result<(), PortError> {
    let operator = match predicate.operation {
        Operation::Equals => " = ",
        Operation::NotEquals => " <> ",
        Operation::GreaterThan => " > ",
        Operation::GreaterThanEquals => " >= ",
        Operation::LessThan => " < ",
        Operation::LessThanEquals => " <= ",
        Operation::In => return in_condition(sql, column, &predicate.value),
        Operation::IsSubstring => return substring_condition(sql, column, &predicate.value),
    };
    sql.push(column.sql).push(operator).bind(comparable(column, &predicate.value)?);
    Ok(())
}

fn in_condition(sql: &mut Sql, column: &Column, value: &FilterValue) -> Result<(), PortError> {
    let values: Vec<FilterValue> = match value {
        FilterValue::Integers(values) => values.iter().copied().map(FilterValue::Integer).collect(),
        FilterValue::Texts(values) => values.iter().cloned().map(FilterValue::Text).collect(),
        _ => return Err(invalid(format!("`{}` IN needs a list of values", column.key))),
    };
    if values.len() > MOST_VALUES {
        return Err(invalid(format!("`{}` IN takes at most {MOST_VALUES} values", column.key)));
    }
    if values.is_empty() {
        sql.push("FALSE");
        return Ok(());
    }
    sql.push(column.sql).push(" IN (");
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            sql.push(", ");
        }
        sql.bind(comparable(column, value)?);
    }
    sql.push(")");
    Ok(())
}

fn substring_condition(sql: &mut Sql, column: &Column, value: &FilterValue) -> Result<(), PortError> {
    let FilterValue::Text(part) = value else {
        return Err(invalid(format!("`{}` IS_SUBSTRING needs a string", column.key)));
    };
    if part.len() > LONGEST_SUBSTRING_BYTES {
        return Err(invalid(format!("IS_SUBSTRING takes at most {LONGEST_SUBSTRING_BYTES} bytes")));
    }
    sql.push("CAST(").push(column.sql).push(" AS TEXT) LIKE ").bind(Value::Text(format!("%{part}%")));
    Ok(())
}

/// The value as this column is compared.
fn comparable(column: &Column, value: &FilterValue) -> Result<Value, PortError> {
    match (column.kind, value) {
        (Kind::Text, FilterValue::Text(text)) => Ok(Value::Text(text.clone())),
        (Kind::Text, FilterValue::Integer(number) | FilterValue::Seconds(number)) => {
            Ok(Value::Text(number.to_string()))
        }
        (_, FilterValue::Integers(_) | FilterValue::Texts(_)) => {
            Err(invalid(format!("`{}` is compared with one value; lists need IN", column.key)))
        }
        (Kind::Seconds, value) => seconds_of(value).map(Value::Integer).ok_or_else(|| {
            let shown = if let FilterValue::Text(text) = value { text.as_str() } else { "" };
            invalid(format!("`{}` is compared with seconds or an RFC 3339 time, not `{shown}`", column.key))
        }),
    }
}

/// A time in seconds, if the value is one.
pub(crate) fn seconds_of(value: &FilterValue) -> Option<i64> {
    match value {
        FilterValue::Integer(number) | FilterValue::Seconds(number) => Some(*number),
        FilterValue::Text(text) => {
            let text = text.trim();
            let time = || text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
            text.parse().ok().or_else(time)
        }
        FilterValue::Integers(_) | FilterValue::Texts(_) => None,
    }
}

fn filter_column(listing: &Listing, key: &str) -> Result<&'static Column, PortError> {
    find(listing, key).ok_or_else(|| {
        let tags = if listing.is_tagged { ", tags.<key>" } else { "" };
        invalid(format!("{} cannot be filtered by `{key}`; use one of {}{tags}", listing.what, keys(listing)))
    })
}

fn sort_column(listing: &Listing, key: &str) -> Result<&'static Column, PortError> {
    if listing.has_metric_sort && key.starts_with("metric:") {
        return Ok(&METRIC);
    }
    find(listing, key).ok_or_else(|| {
        let metric = if listing.has_metric_sort { ", metric:<name>" } else { "" };
        invalid(format!("{} cannot be sorted by `{key}`; use one of {}{metric}", listing.what, keys(listing)))
    })
}

fn find(listing: &Listing, key: &str) -> Option<&'static Column> {
    listing.columns.iter().find(|column| column.key == key)
}

fn keys(listing: &Listing) -> String {
    listing.columns.iter().map(|column| column.key).collect::<Vec<_>>().join(", ")
}

fn invalid(message: String) -> PortError {
    PortError::new(ErrorKind::InvalidArgument, message)
}

/// A statement in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    fn push_from(&mut self, listing: &Listing, way: &Way) {
        self.text.push_str(" FROM ");
        match &way.from {
            None => self.text.push_str(listing.table),
            Some((text, value)) => {
                self.text.push_str(text);
                self.values.extend(value.clone().map(Value::Text));
            }
        }
    }

    /// The first row of the answer.
    pub(crate) fn read_row<T>(
        &self,
        connection: &Connection,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        Ok(connection.prepare_cached(&self.text)?.query_row(params_from_iter(&self.values), read)?)
    }

    /// All rows of the answer.
    pub(crate) fn read_rows<T>(
        &self,
        connection: &Connection,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = connection.prepare_cached(&self.text)?;
        let rows = statement.query_map(params_from_iter(&self.values), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.text.push('?');
        self.values.push(value.into());
        self
    }

    pub(crate) fn append(&mut self, other: Self) -> &mut Self {
        self.text.push_str(&other.text);
        self.values.extend(other.values);
        self
    }
}
