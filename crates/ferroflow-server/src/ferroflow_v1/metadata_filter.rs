//! Conditions on the metadata of artifacts, as they stand in a query: `framework`, `framework=xgboost`, `loss<0.1`.

use ferroflow_ports::view::{Comparison, MetadataCondition};

use crate::status::ApiError;

/// The longer ones first, since they begin with shorter ones.
const OPERATORS: [(&str, Comparison); 7] = [
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("~", Comparison::Contains),
];

/// Reads one condition. The key ends where the first operator begins.
pub(super) fn read(text: &str) -> Result<MetadataCondition, ApiError> {
    let place = text.find(['!', '<', '>', '=', '~']).unwrap_or(text.len());
    let (key, rest) = text.split_at(place);
    let found = OPERATORS.iter().find_map(|(sign, comparison)| Some((*comparison, rest.strip_prefix(sign)?)));
    let key = key.trim();
    if key.is_empty() || (found.is_none() && !rest.is_empty()) {
        return Err(ApiError::invalid(format!(
            "`metadata` is a key, or a key with one of = != < <= > >= ~ and a value, not `{text}`"
        )));
    }
    let value = found.map(|(comparison, value)| (comparison, value.trim().to_owned()));
    if let Some((comparison, value)) = &value
        && !matches!(comparison, Comparison::Equal | Comparison::NotEqual | Comparison::Contains)
        && !value.parse::<f64>().is_ok_and(f64::is_finite)
    {
        return Err(ApiError::invalid(format!(
            "`metadata`: `{key}` can only be compared with a number, not `{value}`"
        )));
    }
    Ok(MetadataCondition { key: key.to_owned(), value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions() {
        let check = |text: &str, key: &str, value: Option<(Comparison, &str)>| {
            let value = value.map(|(comparison, value)| (comparison, value.to_owned()));
            assert_eq!(read(text).unwrap(), MetadataCondition { key: key.to_owned(), value }, "{text}");
        };
        check("framework", "framework", None);
        check("framework=x=y", "framework", Some((Comparison::Equal, "x=y")));
        check("a b != 1", "a b", Some((Comparison::NotEqual, "1")));
        check("loss<=0.1", "loss", Some((Comparison::LessOrEqual, "0.1")));
        check("loss<1e-3", "loss", Some((Comparison::Less, "1e-3")));
        check("n>=2", "n", Some((Comparison::GreaterOrEqual, "2")));
        check("n>-2", "n", Some((Comparison::Greater, "-2")));
        check("note~50%", "note", Some((Comparison::Contains, "50%")));
        check("note=", "note", Some((Comparison::Equal, "")));
        for text in ["", "=1", " <2", "a!", "a!1", "loss<low", "loss>", "loss<nan", "loss>=inf"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
