//! Numbers as Python and PyYAML print them.

/// As Python's `repr` prints a float: the fewest digits that read back as the same number.
pub(crate) fn python(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// As PyYAML prints a float.
pub(crate) fn yaml(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = python(value);
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}

/// The number as a double, which is all that the wire has.
pub(crate) fn double(value: &serde_json::Number) -> serde_json::Value {
    value.as_f64().map_or_else(|| serde_json::Value::Number(value.clone()), serde_json::Value::from)
}
