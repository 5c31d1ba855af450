//! Numbers of specs: how plain scalars are told from strings, and the one form in which values are kept.
//!
//! Numbers are doubles on the wire, and user code must see `2.0` as the integer it was written as in Python's JSON;
//! so an integral double becomes an integer wherever a value enters.

use serde_json::{Map, Number, Value};

/// A double as a JSON number, integral ones without a decimal point; `None` for NaN and the infinities.
pub fn from_double(value: f64) -> Option<Number> {
    /// From here on not every integer is a double any more, and `i64` runs out soon after.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= LARGEST {
        #[expect(clippy::cast_possible_truncation, reason = "integral and within 2^53")]
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// Makes integral doubles integers at every depth.
pub fn normalise(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(normalise_number(number)),
        Value::Array(items) => Value::Array(items.into_iter().map(normalise).collect()),
        Value::Object(entries) => Value::Object(normalise_object(entries)),
        other => other,
    }
}

/// [`normalise`] for the members of an object.
pub fn normalise_object(entries: Map<String, Value>) -> Map<String, Value> {
    entries.into_iter().map(|(name, value)| (name, normalise(value))).collect()
}

pub(crate) fn normalise_number(number: Number) -> Number {
    if number.is_f64() { number.as_f64().and_then(from_double).unwrap_or(number) } else { number }
}

/// Whether two values are the same number, string, list and so on once numbers are doubles, as on the wire.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => left == right,
    }
}

/// What a plain (unquoted) scalar of a YAML file means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Number(Number),
    Text,
    /// `.inf`, `.nan`: numbers that JSON cannot hold.
    NotFinite,
}

/// Reads a plain scalar.
///
/// The writer of compiled pipelines is PyYAML, which leaves a string unquoted if YAML 1.1 has no other meaning for
/// it: `1e-5`, `08` and `Y` are strings there, while floats are written `1.0e-05`. Words that only YAML 1.1 takes
/// for booleans, times or sexagesimal numbers (`yes`, `12:30:45`) are strings to every reader of such files.
pub(crate) fn plain(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Scalar::NotFinite;
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Scalar::Text;
    }
    let negative = text.starts_with('-');
    if let Some(number) = integer(unsigned, negative) {
        return Scalar::Number(number);
    }
    if is_decimal(unsigned) && (!text.starts_with(['-', '+']) || !unsigned.starts_with('.')) {
        let parsed: Option<f64> = text.replace('_', "").parse().ok();
        return parsed.and_then(from_double).map_or(Scalar::Text, Scalar::Number);
    }
    Scalar::Text
}

/// Integers of YAML 1.1: decimal without leading zeros, `0b`, `0x`, and octal by a leading zero.
fn integer(unsigned: &str, negative: bool) -> Option<Number> {
    let (digits, radix) = match unsigned.as_bytes() {
        [b'0', b'b', ..] => (unsigned.get(2..)?, 2),
        [b'0', b'x', ..] => (unsigned.get(2..)?, 16),
        [b'0', _, ..] => (unsigned.get(1..)?, 8),
        _ => (unsigned, 10),
    };
    let digits = digits.replace('_', "");
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    match u64::from_str_radix(&digits, radix) {
        Ok(value) if !negative => Some(Number::from(value)),
        Ok(value) => match 0_i64.checked_sub_unsigned(value) {
            Some(value) => Some(Number::from(value)),
            None => digits.parse::<f64>().ok().and_then(|value| Number::from_f64(-value)),
        },
        Err(_) if radix == 10 => {
            let value: f64 = digits.parse().ok()?;
            Number::from_f64(if negative { -value } else { value })
        }
        Err(_) => None,
    }
}

/// Floats of YAML 1.1: a point is needed, and the exponent needs its sign.
fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let Some((whole, fraction)) = mantissa.split_once('.') else { return false };
    let mantissa_fits = digits(whole)
        && digits(fraction)
        && (whole.starts_with(|c: char| c.is_ascii_digit())
            || (whole.is_empty() && fraction.starts_with(|c: char| c.is_ascii_digit())));
    let exponent_fits = exponent.is_none_or(|text| {
        text.strip_prefix(['-', '+'])
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    });
    mantissa_fits && exponent_fits
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &Value) {
        let found = match plain(text) {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Number(number) => Value::Number(number),
            Scalar::Text => Value::from(text),
            Scalar::NotFinite => Value::from("not finite"),
        };
        assert_eq!(found, *expected, "{text}");
    }

    #[test]
    fn numbers_are_those_that_the_writer_meant() {
        check("1", &json!(1));
        check("-1", &json!(-1));
        check("+1", &json!(1));
        check("0", &json!(0));
        check("-0", &json!(0));
        check("2.0", &json!(2));
        check("-0.0", &json!(0));
        check("1.", &json!(1));
        check(".5", &json!(0.5));
        check("1.0e-05", &json!(1e-5));
        check("1.5e+3", &json!(1500));
        check("1_000", &json!(1000));
        check("0x1F", &json!(31));
        check("0b11", &json!(3));
        check("017", &json!(15));
        check("18446744073709551615", &json!(18_446_744_073_709_551_615_u64));
        check("-9223372036854775808", &json!(i64::MIN));
        check("123456789012345678901234567890", &json!(1.234_567_890_123_456_8e29));
        check(".inf", &json!("not finite"));
        check("-.INF", &json!("not finite"));
        check(".nan", &json!("not finite"));
    }

    #[test]
    fn everything_else_is_a_string() {
        for text in [
            "1e-5",
            "1e5",
            "1.5e3",
            "08",
            "0o17",
            "0x",
            "1_0x",
            "12:30:45",
            "2020-01-01",
            "Y",
            "yes",
            "No",
            "on",
            "off",
            "tRue",
            "~x",
            "+.5",
            "1.2.3",
            "-",
            "+",
            ".",
            "..",
            "e5",
            "_1",
            "1.0e400x",
            "NaN",
            "=",
            "<<",
        ] {
            check(text, &json!(text));
        }
    }

    #[test]
    fn sameness_is_that_of_the_wire() {
        assert!(same(&json!(1), &json!(1.0)));
        assert!(same(&json!({"a": [1, 2.0]}), &json!({"a": [1.0, 2]})));
        assert!(!same(&json!("1"), &json!(1)));
        assert!(!same(&json!([1]), &json!([1, 2])));
        assert!(!same(&json!({"a": 1}), &json!({"b": 1})));
    }

    #[test]
    fn values_are_normalised_at_every_depth() {
        assert_eq!(
            normalise(json!({"a": [1.0, {"b": -2.0}], "c": 0.5})),
            json!({"a": [1, {"b": -2}], "c": 0.5})
        );
    }
}
