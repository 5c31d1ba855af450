//! Answers to what screens ask: joined reads, each bounded and within one state of the database.
//!
//! Lists of ids come into statements as one JSON text, so that a statement is the same whatever their number.

mod artifact;
mod catalog;
mod run;
mod task;

use crate::error::StoreError;

/// Ids as the JSON list that `json_each` reads.
fn id_list<T: ToString>(ids: &[T]) -> Result<String, StoreError> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    Ok(serde_json::to_string(&ids)?)
}

/// Numbers as the JSON list that `json_each` reads.
fn number_list(numbers: impl Iterator<Item = i64>) -> Result<String, StoreError> {
    Ok(serde_json::to_string(&numbers.collect::<Vec<_>>())?)
}

/// The pattern that finds a text anywhere; `%` and `_` in it are no wildcards. The escape is `\`.
fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}
