//! Tables of separated values: the first rows, and what their columns hold.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::convert::shortened;
use super::wire::{ColumnKind, ColumnStatistics, TablePreview};

/// Rows that are shown.
pub(super) const MOST_ROWS: usize = 200;
/// Columns that are looked at.
pub(super) const MOST_COLUMNS: usize = 100;
/// Letters of a value that are shown.
pub(super) const CELL_LETTERS: usize = 200;
/// Different values that are counted.
const MOST_DISTINCT: usize = 10_000;

/// Texts that stand for nothing, as pandas writes and reads them.
const MISSING: [&str; 7] = ["", "NA", "N/A", "NaN", "nan", "null", "None"];

/// Reads separated values; the first row names the columns. The last row of what `is_cut` is left out: it may be a half.
pub(super) fn separated(text: &str, separator: u8, is_cut: bool) -> TablePreview {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let mut columns = Vec::new();
    if let Ok(names) = reader.headers() {
        columns.extend(names.iter().take(MOST_COLUMNS).map(|name| shortened(name, CELL_LETTERS)));
    }
    let mut counts: Vec<Count> = columns.iter().map(|_| Count::default()).collect();
    let (mut rows, mut counted_rows) = (Vec::new(), 0);
    let mut records = reader.records().map_while(Result::ok).peekable();
    while let Some(record) = records.next() {
        if is_cut && records.peek().is_none() {
            break;
        }
        counted_rows += 1;
        for (place, count) in counts.iter_mut().enumerate() {
            count.add(record.get(place).unwrap_or_default());
        }
        if rows.len() < MOST_ROWS {
            let cells = record.iter().take(MOST_COLUMNS).map(|cell| shortened(cell, CELL_LETTERS));
            rows.push(cells.collect());
        }
    }
    TablePreview { columns, rows, statistics: counts.into_iter().map(Count::finish).collect(), counted_rows }
}

/// What is known of a column so far.
#[derive(Default)]
struct Count {
    missing: u64,
    numbers: u64,
    switches: u64,
    texts: u64,
    sum: f64,
    /// Smallest and greatest number.
    bounds: Option<(f64, f64)>,
    /// Smallest and greatest text.
    ends: Option<(String, String)>,
    /// Hashes of the values, until there are too many.
    distinct: HashSet<u64>,
    has_more: bool,
}

impl Count {
    fn add(&mut self, cell: &str) {
        let cell = cell.trim();
        if MISSING.contains(&cell) {
            self.missing += 1;
            return;
        }
        if !self.has_more {
            let mut hasher = DefaultHasher::new();
            cell.hash(&mut hasher);
            self.distinct.insert(hasher.finish());
            self.has_more = self.distinct.len() > MOST_DISTINCT;
        }
        if let Some(number) = cell.parse::<f64>().ok().filter(|number| number.is_finite()) {
            self.numbers += 1;
            self.sum += number;
            let (least, most) = self.bounds.unwrap_or((number, number));
            self.bounds = Some((least.min(number), most.max(number)));
        } else if matches!(cell, "true" | "false" | "True" | "False" | "TRUE" | "FALSE") {
            self.switches += 1;
        } else {
            self.texts += 1;
        }
        match &mut self.ends {
            None => self.ends = Some((cell.to_owned(), cell.to_owned())),
            Some((least, _)) if cell < least.as_str() => cell.clone_into(least),
            Some((_, most)) if cell > most.as_str() => cell.clone_into(most),
            Some(_) => {}
        }
    }

    fn finish(self) -> ColumnStatistics {
        let kind = match (self.numbers, self.switches, self.texts) {
            (0, 0, 0) => ColumnKind::Empty,
            (_, 0, 0) => ColumnKind::Number,
            (0, _, 0) => ColumnKind::Boolean,
            _ => ColumnKind::Text,
        };
        let is_number = kind == ColumnKind::Number;
        let (minimum, maximum) = match (self.bounds.filter(|_| is_number), self.ends) {
            (Some((least, most)), _) => (least.into(), most.into()),
            (None, Some((least, most))) => (text(&least), text(&most)),
            (None, None) => (Value::Null, Value::Null),
        };
        // Counts of rows that fit into a preview are far below where floats become coarse.
        #[expect(clippy::cast_precision_loss)]
        let mean = is_number.then(|| self.sum / self.numbers as f64);
        ColumnStatistics {
            kind,
            missing: Some(self.missing),
            distinct: (!self.has_more).then_some(self.distinct.len() as u64),
            minimum,
            maximum,
            mean,
        }
    }
}

/// The beginning of a text, as a value.
pub(super) fn text(text: &str) -> Value {
    shortened(text, CELL_LETTERS).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(text: &str, is_cut: bool) -> (Vec<String>, Vec<Vec<String>>) {
        let table = separated(text, b',', is_cut);
        (table.columns, table.rows)
    }

    #[test]
    fn quotes_and_cuts() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let whole = rows("a,\"b,\"\"c\"\r\n1,2\n3,\"x\ny\"", false);
        assert_eq!(whole, (names(&["a", "b,\"c"]), vec![names(&["1", "2"]), names(&["3", "x\ny"])]));
        assert_eq!(rows("a,b\n1,2\n3,", true).1, [names(&["1", "2"])]);
        assert_eq!(rows("a,b\n1\n", false).1, [names(&["1"])]);
        assert_eq!(rows("", false), (Vec::new(), Vec::new()));
    }

    #[test]
    fn columns_are_counted() {
        let table = separated("n,b,t,e,m\n1,true,x,,1\n-2.5,False,y,NaN,a\n,true,x,,\n", b',', false);
        let got = serde_json::to_value(&table.statistics).unwrap();
        let row = |kind: &str, missing: u64, distinct: u64, minimum: Value, maximum: Value, mean: Value| {
            json!({ "kind": kind, "missing": missing, "distinct": distinct, "minimum": minimum, "maximum": maximum,
                    "mean": mean })
        };
        let expected = json!([
            row("number", 1, 2, json!(-2.5), json!(1.0), json!(-0.75)),
            row("boolean", 0, 2, json!("False"), json!("true"), Value::Null),
            row("text", 0, 2, json!("x"), json!("y"), Value::Null),
            row("empty", 3, 0, Value::Null, Value::Null, Value::Null),
            row("text", 1, 2, json!("1"), json!("a"), Value::Null),
        ]);
        assert_eq!((got, table.counted_rows), (expected, 3));
    }

    #[test]
    fn tables_are_bounded() {
        let text = format!("{}\n", "a,".repeat(500)).repeat(1000);
        let table = separated(&text, b',', false);
        assert_eq!((table.columns.len(), table.rows.len()), (MOST_COLUMNS, MOST_ROWS));
        assert!(table.rows.iter().all(|row| row.len() == MOST_COLUMNS) && table.counted_rows == 999);
        let many = (0..20_000).map(|number| number.to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(separated(&many, b',', false).statistics[0].distinct, None);
    }
}
