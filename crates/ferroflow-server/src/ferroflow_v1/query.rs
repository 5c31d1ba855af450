//! Reads what stands after `?`. Unknown names are refused, so that a slip of the pen is not an unfiltered list.

use std::str::FromStr;

use crate::status::ApiError;

/// Longest text of one value.
const MOST_BYTES: usize = 4096;
/// Most values in all.
const MOST_VALUES: usize = 1000;

/// Names with values, in their order.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the text; empty values are as good as none.
    pub(super) fn read(text: &str, known: &[&str]) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if !known.contains(&&*name) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(ApiError::invalid(format!(
                    "the parameter `{name}` is not known here; known: {known}"
                )));
            }
            if value.len() > MOST_BYTES || pairs.len() == MOST_VALUES {
                return Err(ApiError::invalid(format!("the parameter `{name}` says too much")));
            }
            if !value.is_empty() {
                pairs.push((name.into_owned(), value.into_owned()));
            }
        }
        Ok(Self(pairs))
    }

    /// The value of a name, if there is one.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name, also those joined by commas.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(key, _)| key == name);
        values.flat_map(|(_, value)| value.split(',')).filter(|value| !value.is_empty()).collect()
    }

    /// All values of a name as they are.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A value that a type can read.
    pub(super) fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, ApiError> {
        let parse = |text: &str| {
            text.parse().map_err(|_| ApiError::invalid(format!("`{name}` is {what}, not `{text}`")))
        };
        self.text(name).map(parse).transpose()
    }

    /// A number within bounds; `default` if there is none.
    pub(super) fn number(&self, name: &str, default: u32, bounds: (u32, u32)) -> Result<u32, ApiError> {
        let (least, most) = bounds;
        let number = self.parsed(name, "a number")?.unwrap_or(default);
        if (least..=most).contains(&number) {
            Ok(number)
        } else {
            Err(ApiError::invalid(format!("`{name}` is {least} to {most}, not {number}")))
        }
    }

    /// `true` or `false`; false if there is none.
    pub(super) fn switch(&self, name: &str) -> Result<bool, ApiError> {
        Ok(self.parsed(name, "`true` or `false`")?.unwrap_or(false))
    }
}
