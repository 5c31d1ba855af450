//! `parameterExpressionSelector`: picks a part of a value.
//!
//! The compiler writes one form, `parseJson(string_value)["key"]`; it is read here and nothing else is.

use ferroflow_spec::number::normalise;
use serde_json::Value;

/// The part that `expression` picks; `None` if there is no expression. The error is a sentence.
pub(crate) fn select(expression: &str, value: &Value) -> Result<Option<Value>, String> {
    if expression.is_empty() {
        return Ok(None);
    }
    let key = key(expression)
        .ok_or_else(|| format!("the selector `{expression}` is not one that KFP's compiler writes"))?;
    let parsed: Value = match value {
        Value::String(text) => serde_json::from_str(text)
            .map(normalise)
            .map_err(|_| format!("the item has no field `{key}`: it is a text, not a map"))?,
        other => other.clone(),
    };
    match parsed.get(&key) {
        Some(part) => Ok(Some(part.clone())),
        None => Err(format!("the item has no field `{key}`")),
    }
}

fn key(expression: &str) -> Option<String> {
    let inside = expression.trim().strip_prefix("parseJson(string_value)[")?.strip_suffix(']')?.trim();
    match inside.strip_prefix('\'') {
        Some(rest) => rest.strip_suffix('\'').map(ToOwned::to_owned),
        None => serde_json::from_str(inside).ok(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_picked_from_maps_and_from_their_text() {
        let pick = |expression, value: Value| select(expression, &value);
        assert_eq!(pick("", json!({"a": 1})), Ok(None));
        assert_eq!(pick(r#"parseJson(string_value)["a"]"#, json!({"a": 1})), Ok(Some(json!(1))));
        assert_eq!(pick("parseJson(string_value)['a b']", json!({"a b": [2]})), Ok(Some(json!([2]))));
        assert_eq!(pick(r#"parseJson(string_value)["a"]"#, json!("{\"a\": \"x\"}")), Ok(Some(json!("x"))));
        assert_eq!(pick(r#"parseJson(string_value)["a"]"#, json!("{\"a\": [2.0]}")), Ok(Some(json!([2]))));
        for (expression, value) in [
            (r#"parseJson(string_value)["b"]"#, json!({"a": 1})),
            (r#"parseJson(string_value)["a"]"#, json!("plain")),
            ("string_value", json!({"a": 1})),
        ] {
            assert!(pick(expression, value.clone()).is_err(), "{expression} of {value}");
        }
    }
}
