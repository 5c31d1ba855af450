//! Macros in string arguments: `[[RunUUID]]`, `[[CurrentTime]]` and their relatives, filled in at submission.
//!
//! `[[Index]]` and `[[ScheduledTime]]` belong to runs of a schedule: in other runs they stay as text, as does whatever is
//! not understood. Times are in UTC. Begin with [`expand_arguments`].

use ferroflow_model::{RunId, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::{Map, Value};

/// Layout of a time without one of its own.
const DEFAULT_LAYOUT: &str = "20060102150405";

/// What macros stand for.
#[derive(Debug, Clone, Copy)]
pub struct MacroValues {
    /// The run.
    pub run: RunId,
    /// The present time.
    pub now: Timestamp,
    /// Number and slot of a run that a schedule makes.
    pub tick: Option<(u64, Timestamp)>,
}

/// Fills in the macros of all string arguments.
pub fn expand_arguments(arguments: &mut Map<String, Value>, values: &MacroValues) {
    for value in arguments.values_mut() {
        if let Value::String(text) = value
            && let Some(expanded) = expand(text, values)
        {
            *text = expanded;
        }
    }
}

/// The text with its macros filled in; `None` if there is nothing in it that looks like one.
pub fn expand(text: &str, values: &MacroValues) -> Option<String> {
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
        match value_of(group, values) {
            Some(value) => expanded.push_str(&value),
            None => expanded.push_str(group),
        }
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

fn value_of(group: &str, values: &MacroValues) -> Option<String> {
    if let Some(name) = group.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")) {
        let (name, layout) = match name.split_once('.') {
            Some((name, layout)) => (name, Some(layout)),
            None => (name, None),
        };
        return match (name, layout) {
            ("RunUUID", None) => Some(values.run.to_string()),
            ("Index", None) => values.tick.map(|(index, _)| index.to_string()),
            ("CurrentTime", layout) => go_time(values.now, layout.unwrap_or(DEFAULT_LAYOUT)),
            ("ScheduledTime", layout) => go_time(values.tick?.1, layout.unwrap_or(DEFAULT_LAYOUT)),
            _ => None,
        };
    }
    let call = group.strip_prefix("{{$.")?.strip_suffix(")}}")?;
    let (name, quoted) = call.split_once(".strftime(")?;
    let at = match name {
        "currentTime" => values.now,
        "scheduledTime" => values.tick?.1,
        _ => return None,
    };
    let between = |mark: char| quoted.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    let layout = between('\'').or_else(|| between('"'))?;
    jiff::fmt::strtime::format(layout, utc(at)?).ok()
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

    // 2026-02-03T04:05:06.789Z, a Tuesday; and the midnight before.
    const NOW: Timestamp = Timestamp::from_micros(1_770_091_506_789_000);
    const SLOT: Timestamp = Timestamp::from_seconds(1_770_076_800);

    fn expanded(text: &str, tick: Option<(u64, Timestamp)>) -> String {
        let run: RunId = "00000000-0000-0000-0000-000000000007".parse().unwrap();
        let mut arguments = Map::from_iter([("a".to_owned(), Value::from(text)), ("b".to_owned(), 1.into())]);
        expand_arguments(&mut arguments, &MacroValues { run, now: NOW, tick });
        assert_eq!(arguments.get("b"), Some(&Value::from(1)));
        arguments.get("a").and_then(Value::as_str).unwrap().to_owned()
    }

    #[test]
    fn known_macros_are_filled_in_and_others_stay() {
        let rows = [
            ("", ""),
            ("plain ]] text", "plain ]] text"),
            ("[[RunUUID]]", "00000000-0000-0000-0000-000000000007"),
            ("a-[[RunUUID]]-[[CurrentTime]]", "a-00000000-0000-0000-0000-000000000007-20260203040506"),
            ("[[CurrentTime.2006-01-02T15:04:05Z07:00]]", "2026-02-03T04:05:06Z"),
            ("[[CurrentTime.Mon, 2 Jan 06 3:4 PM 100%]]", "Tue, 3 Feb 26 4:5 AM 200%"),
            ("[[CurrentTime..000]]", ".789"),
            ("{{$.currentTime.strftime('%Y/%m')}} x", "2026/02 x"),
            ("{{$.inputs}} [[CurrentTime.2006]] [[open", "{{$.inputs}} 2026 [[open"),
            (
                "[[RunUUID.x]] [[Index.x]] [[Other]] [[]] {{$.}}",
                "[[RunUUID.x]] [[Index.x]] [[Other]] [[]] {{$.}}",
            ),
            ("{{$.currentTime.strftime(%Y)}}", "{{$.currentTime.strftime(%Y)}}"),
        ];
        for (text, expected) in rows {
            assert_eq!(expanded(text, None), expected, "{text}");
            assert_eq!(expanded(text, Some((3, SLOT))), expected, "{text} in a run of a schedule");
        }
    }

    #[test]
    fn number_and_slot_belong_to_runs_of_schedules() {
        let rows = [
            ("[[Index]]", "3"),
            ("[[ScheduledTime]]", "20260203000000"),
            ("[[ScheduledTime.2006-01-02]] no. [[Index]]", "2026-02-03 no. 3"),
            ("{{$.scheduledTime.strftime(\"%H:%M\")}}", "00:00"),
        ];
        for (text, expected) in rows {
            assert_eq!(expanded(text, Some((3, SLOT))), expected, "{text}");
            assert_eq!(expanded(text, None), text);
        }
    }
}
