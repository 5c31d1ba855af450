//! Lists of runs, of which there may be a million: which index finds a page, and what is counted without looking.
//!
//! The table has an index for each usual filter in each usual order. The database would choose among them without
//! knowing how many runs each condition leaves; the counters of `run_totals` know. Names are searched in their trigrams.

use std::borrow::Cow;
use std::ops::Range;

use ferroflow_model::list::{FilterValue, ListQuery, Operation, Page, Predicate};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use crate::error::StoreError;
use crate::list::{self, Listing, Sql, Way};

/// Up to so many rows it is faster to fetch them all and sort them than to walk along the order.
const FEW: u32 = 5000;

/// Seconds of a row of `run_hours`.
const HOUR: i64 = 3600;

/// Shortest text that has a trigram.
const TRIGRAM: usize = 3;

/// Conditions that have indexes of their own: key, and the middle of the names of these indexes.
const DRIVERS: [(&str, &str); 3] =
    [("experiment_id", "experiment"), ("state", "state"), ("storage_state", "storage")];

/// One page of runs. `scope`, if there is one, is a condition on `experiment_id`.
pub(crate) fn page<T>(
    connection: &Connection,
    listing: &Listing,
    scope: Option<(&'static str, String)>,
    query: &ListQuery,
    most_counted: Option<u32>,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>, StoreError> {
    let mut predicates = query.predicates.clone();
    if let Some((_, experiment)) = scope {
        let value = FilterValue::Text(experiment);
        predicates.push(Predicate { operation: Operation::Equals, key: "experiment_id".to_owned(), value });
    }
    let query = ListQuery { predicates, ..query.clone() };
    let way = choose(connection, listing, &query)?;
    list::page_by(connection, listing, &way, None, &query, most_counted, read)
}

fn choose(connection: &Connection, listing: &Listing, query: &ListQuery) -> Result<Way, StoreError> {
    let predicates = &query.predicates;
    // What makes no sense is refused, whichever way would be taken.
    list::conditions(listing, None, predicates, None)?;
    if predicates.iter().any(is_pointed) {
        return Ok(Way::default());
    }
    if let Some(way) = by_name_part(connection, predicates)? {
        return Ok(way);
    }
    let counted = Counted::new(predicates);
    let total = match &counted {
        Some(counted) => Some(counted.total(connection, listing, predicates)?),
        None => None,
    };
    let index = index(connection, listing, query)?;
    let from = index.map(|index| (Cow::Owned(format!("runs INDEXED BY {index}")), None));
    Ok(Way { from, total, settled: None })
}

/// Whether an index of its own finds the few rows that are meant.
fn is_pointed(predicate: &Predicate) -> bool {
    let keys = ["id", "run_id", "name", "display_name", "recurring_run_id", "pipeline_id", "pipeline_name"];
    predicate.operation == Operation::Equals && keys.contains(&predicate.key.as_str())
}

/// The index to walk along, and the rarest of the conditions that have one.
fn index(
    connection: &Connection,
    listing: &Listing,
    query: &ListQuery,
) -> Result<Option<String>, StoreError> {
    let order = match query.sort.key.as_str() {
        "created_at" => Some("created"),
        "name" | "display_name" => Some("name"),
        "finished_at" => Some("finished"),
        // Screens do not sort by it.
        "scheduled_at" => Some("scheduled"),
        _ => None,
    };
    let mut rarest: Option<(u64, &str)> = None;
    for (key, middle) in DRIVERS {
        let same = query.predicates.iter().find(|p| p.key == key && p.operation == Operation::Equals);
        let Some(predicate) = same else { continue };
        let runs = count_by(connection, listing, std::slice::from_ref(predicate), None)?;
        if rarest.is_none_or(|(fewest, _)| runs < fewest) {
            rarest = Some((runs, middle));
        }
    }
    if let Some(range) = created(&query.predicates)
        && order != Some("created")
    {
        let most = rarest.map_or(FEW, |(runs, _)| u32::try_from(runs).unwrap_or(FEW).min(FEW));
        let within = count_created(connection, listing, &[], &range, Some(most + 1))?;
        if within <= u64::from(most) {
            return Ok(Some("runs_by_created".to_owned()));
        }
    }
    Ok(match (rarest, order) {
        (Some((_, middle)), order) => Some(format!("runs_by_{middle}_{}", order.unwrap_or("created"))),
        (None, Some(order)) => Some(format!("runs_by_{order}")),
        (None, None) => None,
    })
}

/// A part of a name that few runs have: these are found by its trigrams.
fn by_name_part(connection: &Connection, predicates: &[Predicate]) -> Result<Option<Way>, StoreError> {
    let found = predicates.iter().enumerate().find_map(|(place, predicate)| match &predicate.value {
        FilterValue::Text(part)
            if predicate.operation == Operation::IsSubstring
                && matches!(predicate.key.as_str(), "name" | "display_name") =>
        {
            Some((place, part))
        }
        _ => None,
    });
    let Some((place, part)) = found else { return Ok(None) };
    // Wildcards of the client part the text.
    let pieces: Vec<&str> = part.split(['%', '_']).filter(|piece| piece.chars().count() >= TRIGRAM).collect();
    if pieces.is_empty() {
        return Ok(None);
    }
    let phrases: Vec<String> =
        pieces.iter().map(|piece| format!("\"{}\"", piece.replace('"', "\"\""))).collect();
    let search = phrases.join(" AND ");
    let mut few = Sql::default();
    few.push(" FROM run_names WHERE run_names MATCH ").bind(Value::Text(search.clone()));
    let is_whole = pieces == [part.as_str()] && part.is_ascii();
    let known = list::count(connection, &few, (!is_whole || predicates.len() > 1).then_some(FEW + 1))?;
    let settled = is_whole.then_some(place);
    let total = (is_whole && predicates.len() == 1).then_some(known);
    if known <= u64::from(FEW) {
        let from = "(SELECT rowid AS found FROM run_names WHERE run_names MATCH ?) CROSS JOIN runs ON runs.no = found";
        return Ok(Some(Way { from: Some((Cow::Borrowed(from), Some(search))), total, settled }));
    }
    // Many have it, so the first page is soon full; each row is asked.
    Ok(total.map(|total| Way { from: None, total: Some(total), settled: None }))
}

/// The predicates that counters can answer, if all can.
struct Counted {
    /// Those on columns of the counters.
    columns: Vec<Predicate>,
    created: Option<Range<i64>>,
}

impl Counted {
    fn new(predicates: &[Predicate]) -> Option<Self> {
        let mut columns = Vec::new();
        for predicate in predicates {
            let is_column = DRIVERS.iter().any(|(key, _)| *key == predicate.key);
            let is_plain =
                matches!(predicate.operation, Operation::Equals | Operation::NotEquals | Operation::In);
            if is_column && is_plain {
                columns.push(predicate.clone());
            } else if !(predicate.key == "created_at" && seconds(predicate).is_some()) {
                return None;
            }
        }
        Some(Self { columns, created: created(predicates) })
    }

    fn total(
        &self,
        connection: &Connection,
        listing: &Listing,
        predicates: &[Predicate],
    ) -> Result<u64, StoreError> {
        let Some(range) = &self.created else {
            return count_by(connection, listing, &self.columns, None);
        };
        let (first, last) = (ceiling(range.start), range.end.div_euclid(HOUR));
        let others: Vec<Predicate> = predicates.iter().filter(|p| p.key != "created_at").cloned().collect();
        if first >= last {
            return count_created(connection, listing, &others, range, None);
        }
        let before = range.start..first.saturating_mul(HOUR);
        let behind = last.saturating_mul(HOUR)..range.end;
        let hours = count_by(connection, listing, &self.columns, Some(first..last))?;
        Ok(hours
            + count_created(connection, listing, &others, &before, None)?
            + count_created(connection, listing, &others, &behind, None)?)
    }
}

/// Hours, rounded up.
fn ceiling(seconds: i64) -> i64 {
    seconds.div_euclid(HOUR) + i64::from(seconds.rem_euclid(HOUR) != 0)
}

/// Counts by the counters.
fn count_by(
    connection: &Connection,
    listing: &Listing,
    predicates: &[Predicate],
    hours: Option<Range<i64>>,
) -> Result<u64, StoreError> {
    let mut sql = Sql::default();
    sql.push("SELECT coalesce(sum(runs), 0) FROM ");
    sql.push(if hours.is_some() { "run_hours WHERE " } else { "run_totals WHERE " });
    sql.append(list::conditions(listing, None, predicates, None)?);
    if let Some(hours) = hours {
        sql.push(" AND hour >= ").bind(Value::Integer(hours.start));
        sql.push(" AND hour < ").bind(Value::Integer(hours.end));
    }
    Ok(sql.read_row(connection, |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// Counts runs that were created in a range of seconds and fulfil some predicates, one by one.
fn count_created(
    connection: &Connection,
    listing: &Listing,
    predicates: &[Predicate],
    range: &Range<i64>,
    most: Option<u32>,
) -> Result<u64, StoreError> {
    if range.is_empty() {
        return Ok(0);
    }
    let mut sql = Sql::default();
    sql.push(" FROM runs INDEXED BY runs_by_created WHERE created_at / 1000000 >= ");
    sql.bind(Value::Integer(range.start))
        .push(" AND created_at / 1000000 < ")
        .bind(Value::Integer(range.end));
    sql.push(" AND ").append(list::conditions(listing, None, predicates, None)?);
    list::count(connection, &sql, most)
}

/// The seconds in which runs must have been created, if the predicates say so.
fn created(predicates: &[Predicate]) -> Option<Range<i64>> {
    let mut range: Option<Range<i64>> = None;
    for predicate in predicates.iter().filter(|predicate| predicate.key == "created_at") {
        let Some(bound) = seconds(predicate) else { continue };
        let whole = range.unwrap_or(i64::MIN..i64::MAX);
        range = Some(whole.start.max(bound.start)..whole.end.min(bound.end));
    }
    range
}

/// The seconds that one predicate allows; `None` if it is no comparison with a time.
fn seconds(predicate: &Predicate) -> Option<Range<i64>> {
    let value = list::seconds_of(&predicate.value)?;
    let next = value.saturating_add(1);
    Some(match predicate.operation {
        Operation::Equals => value..next,
        Operation::GreaterThan => next..i64::MAX,
        Operation::GreaterThanEquals => value..i64::MAX,
        Operation::LessThan => i64::MIN..value,
        Operation::LessThanEquals => i64::MIN..next,
        Operation::NotEquals | Operation::In | Operation::IsSubstring => return None,
    })
}
