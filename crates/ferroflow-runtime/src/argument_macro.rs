//! Macros in string arguments: `[[RunUUID]]`, `[[CurrentTime]]` and their relatives, filled in at submission.
//!
//! Pure. `[[Index]]` and the scheduled time belong to schedules, which do not exist yet: they stay as text, as does
//! whatever is not understood. Times are in UTC.

use ferroflow_model::{RunId, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::{Map, Value};

/// Layout of a time without one of its own.
const DEFAULT_LAYOUT: &str = "20060102150405";

/// Fills in the macros of all string arguments.
pub(crate) fn expand_arguments(arguments: &mut Map<String, Value>, run: RunId, now: Timestamp) {
    for value in arguments.values_mut() {
        if let Value::String(text) = value
            && let Some(expanded) = expand(text, run, now)
        {
            *text = expanded;
        }
    }
}

/// The text with its macros filled in; `None` if it has none.
fn expand(text: &str, run: RunId, now: Timestamp) -> Option<String> {
    if !text.contains("[[") && !text.contains("{{$.") {
        return None;
    }
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, close)) = next_group(rest) {
        let (before, group) = rest.split_at(at);
        expanded.push_str(before);
        let Some(end) = group.find(close) else {
            rest = group;
            break;
        };
        let (group, after) = group.split_at(end + close.len());
        expanded.push_str(&value_of(group, run, now).unwrap_or_else(|| group.to_owned()));
        rest = after;
    }
    expanded.push_str(rest);
    Some(expanded)
}

/// Where the next group begins, and how it ends.
fn next_group(text: &str) -> Option<(usize, &'static str)> {
    let square = text.find("[[").map(|at| (at, "]]"));
    let curly = text.find("{{$.").map(|at| (at, "}}"));
    [square, curly].into_iter().flatten().min_by_key(|(at, _)| *at)
}

fn value_of(group: &str, run: RunId, now: Timestamp) -> Option<String> {
    if let Some(name) = group.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")) {
        return match name.split_once('.') {
            None if name == "RunUUID" => Some(run.to_string()),
            None if name == "CurrentTime" => go_time(now, DEFAULT_LAYOUT),
            Some(("CurrentTime", layout)) => go_time(now, layout),
            _ => None,
        };
    }
    let call = group.strip_prefix("{{$.currentTime.strftime(")?.strip_suffix(")}}")?;
    let quoted = |mark: char| call.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    let layout = quoted('\'').or_else(|| quoted('"'))?;
    jiff::fmt::strtime::format(layout, utc(now)?).ok()
}

fn utc(now: Timestamp) -> Option<DateTime> {
    Some(Offset::UTC.to_datetime(jiff::Timestamp::from_microsecond(now.as_micros()).ok()?))
}

/// Pieces of a Go time layout (a sample of the form in which parts of Mon Jan 2 15:04:05 MST 2006 stand for themselves)
/// with the strftime directive of the same meaning. A longer piece comes before its own beginnings.
const GO_PIECES: [(&str, &str); 30] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "UTC"),
    ("2006", "%Y"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("_2", "%e"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("-07:00", "+00:00"),
    ("-0700", "+0000"),
    ("-07", "+00"),
    ("Z07:00", "Z"),
    ("Z0700", "Z"),
    (".000000", ".%6f"),
    (".000", ".%3f"),
    ("%", "%%"),
];

fn go_time(now: Timestamp, layout: &str) -> Option<String> {
    let mut format = String::new();
    let mut rest = layout;
    while let Some(next) = rest.chars().next() {
        let piece = GO_PIECES.iter().find(|(piece, _)| rest.starts_with(piece));
        let length = if let Some((piece, directive)) = piece {
            format.push_str(directive);
            piece.len()
        } else {
            format.push(next);
            next.len_utf8()
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    jiff::fmt::strtime::format(&format, utc(now)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        // 2026-02-03T04:05:06.789Z, a Tuesday.
        let now = Timestamp::from_micros(1_770_091_506_789_000);
        let run = RunId(uuid::Uuid::from_u128(7));
        let mut arguments = Map::from_iter([("a".to_owned(), Value::from(text)), ("b".to_owned(), 1.into())]);
        expand_arguments(&mut arguments, run, now);
        assert_eq!(arguments.get("a").and_then(Value::as_str), Some(expected), "{text}");
        assert_eq!(arguments.get("b"), Some(&Value::from(1)));
    }

    #[test]
    fn known_macros_are_filled_in_and_others_stay() {
        check("", "");
        check("plain ]] text", "plain ]] text");
        check("[[RunUUID]]", "00000000-0000-0000-0000-000000000007");
        check("a-[[RunUUID]]-[[CurrentTime]]", "a-00000000-0000-0000-0000-000000000007-20260203040506");
        check("[[CurrentTime.2006-01-02T15:04:05Z07:00]]", "2026-02-03T04:05:06Z");
        check("[[CurrentTime.Mon, 2 Jan 06 3:4 PM 100%]]", "Tue, 3 Feb 26 4:5 AM 200%");
        check("[[CurrentTime..000]]", ".789");
        check("{{$.currentTime.strftime('%Y/%m')}} x", "2026/02 x");
        check("[[ScheduledTime]] [[Index]] [[Other]]", "[[ScheduledTime]] [[Index]] [[Other]]");
        check("{{$.inputs}} [[CurrentTime.2006]] [[open", "{{$.inputs}} 2026 [[open");
    }
}
