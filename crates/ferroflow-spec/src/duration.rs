//! Durations of proto JSON: seconds with an `s` behind them, such as `60s` or `0.5s`.

/// Largest number of seconds that the message may hold: about 10,000 years.
const LONGEST_SECONDS: f64 = 315_576_000_000.0;

/// Seconds of a duration's text; `None` if it is not one.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let number = text.strip_suffix('s')?;
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str, most: usize| {
        !part.is_empty() && part.len() <= most && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(whole, 12) || !digits(fraction, 9) {
        return None;
    }
    number.parse().ok().filter(|seconds: &f64| seconds.abs() <= LONGEST_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn reads_proto_durations_only() {
        for (text, expected) in [
            ("60s", Some(60.0)),
            ("0s", Some(0.0)),
            ("1.5s", Some(1.5)),
            ("-3s", Some(-3.0)),
            ("0.000000001s", Some(1e-9)),
            ("60", None),
            ("s", None),
            ("1m", None),
            ("1e3s", None),
            (".5s", None),
            ("1.s", None),
            (" 1s", None),
            ("400000000000s", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
