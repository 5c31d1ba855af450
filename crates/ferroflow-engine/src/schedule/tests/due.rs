//! Which slot comes next.

use ferroflow_model::Timestamp;
use ferroflow_model::recurring::{Cadence, Trigger};

use super::cron::at;
use crate::schedule::{Schedule, Zone, next_due};

fn cadence(text: &str) -> Cadence {
    match text.parse() {
        Ok(seconds) => Cadence::Interval { seconds },
        Err(_) if text == "once" => Cadence::Once,
        Err(_) => Cadence::Cron { expression: text.to_owned() },
    }
}

fn day(time: &str) -> Option<Timestamp> {
    (!time.is_empty()).then(|| at(&format!("2026-05-04T{time}Z")))
}

/// All slots up to `now`, and the one after: `what`, start and end as times of one day, created at 10:00:00.
fn slots(what: &str, window: (&str, &str), catches_up: bool, last: &str, now: &str) -> Vec<String> {
    let trigger = Trigger { cadence: cadence(what), start: day(window.0), end: day(window.1) };
    let created = Timestamp::from_micros(day("10:00:00").unwrap().as_micros() + 700_000);
    let schedule = Schedule::new(&trigger, created, catches_up, &Zone::UTC).unwrap();
    let (mut last, now) = (day(last), day(now).unwrap());
    let mut found = Vec::new();
    while let Some(slot) = next_due(&schedule, last, now) {
        found.push(slot.to_rfc3339()[11..19].to_owned());
        if slot > now {
            break;
        }
        last = Some(slot);
    }
    found
}

#[test]
fn slots_follow_from_the_last_one_or_the_start_or_the_creation() {
    let (yes, no) = (true, false);
    type Row = (
        &'static str,
        (&'static str, &'static str),
        bool,
        &'static str,
        &'static str,
        &'static [&'static str],
    );
    let rows: &[Row] = &[
        // One run, at once, whenever that is.
        ("once", ("", ""), yes, "", "10:00:00", &["10:00:00"]),
        ("once", ("", ""), no, "", "18:00:00", &["10:00:00"]),
        ("once", ("", ""), yes, "10:00:00", "18:00:00", &[]),
        // The first slot is one distance after the creation or the start, even in the past.
        ("60", ("", ""), yes, "", "10:00:30", &["10:01:00"]),
        ("60", ("", ""), yes, "", "10:02:00", &["10:01:00", "10:02:00", "10:03:00"]),
        ("60", ("09:58:30", ""), yes, "", "10:00:30", &["09:59:30", "10:00:30", "10:01:30"]),
        ("60", ("11:00:00", ""), yes, "", "10:00:30", &["11:01:00"]),
        // A start after the last slot is a slot itself.
        ("60", ("11:00:00", ""), yes, "10:30:00", "11:00:30", &["11:00:00", "11:01:00"]),
        // The end is included.
        ("60", ("", "10:02:00"), yes, "", "12:00:00", &["10:01:00", "10:02:00"]),
        ("60", ("", "10:01:59"), yes, "", "12:00:00", &["10:01:00"]),
        ("60", ("10:00:00", "10:00:59"), yes, "", "12:00:00", &[]),
        // Without catching up, one missed slot is made up for; of several, one at the present time.
        ("60", ("", ""), no, "", "10:01:40", &["10:01:00", "10:02:00"]),
        ("60", ("", ""), no, "", "10:30:40", &["10:30:40", "10:31:40"]),
        ("60", ("", "10:02:00"), no, "", "12:00:00", &["10:02:00"]),
        ("60", ("", ""), no, "10:20:00", "10:22:00", &["10:22:00", "10:23:00"]),
        // Cron: strictly after the last slot, the start or the creation.
        ("0 * * * * ?", ("", ""), yes, "", "10:00:30", &["10:01:00"]),
        ("0 * * * * ?", ("09:58:00", ""), yes, "", "10:00:30", &["09:59:00", "10:00:00", "10:01:00"]),
        ("0 * * * * ?", ("11:00:00", ""), yes, "10:30:00", "11:01:30", &["11:01:00", "11:02:00"]),
        ("0 * * * * ?", ("", "10:02:00"), yes, "", "12:00:00", &["10:01:00", "10:02:00"]),
        ("0 * * * * ?", ("", "10:01:59"), yes, "", "12:00:00", &["10:01:00"]),
        ("0 * * * * ?", ("", ""), no, "", "10:30:40", &["10:30:00", "10:31:00"]),
        ("0 * * * * ?", ("", "10:02:00"), no, "", "12:00:00", &["10:02:00"]),
        ("0 0 * * * ?", ("", ""), no, "09:00:00", "12:59:59", &["12:00:00", "13:00:00"]),
        ("@every 40s", ("", ""), no, "", "10:03:00", &["10:02:40", "10:03:20"]),
        ("* * 11 * * *", ("", ""), no, "", "23:00:00", &["11:59:59", "11:00:00"]),
    ];
    for (what, window, catches_up, last, now, expected) in rows {
        let found = slots(what, *window, *catches_up, last, now);
        assert_eq!(found, *expected, "{what} {window:?} catch up: {catches_up}, last {last}, now {now}");
    }
}

#[test]
fn a_window_of_two_minutes_long_ago_gives_two_runs_or_one() {
    for (what, catches_up, expected) in
        [("60", true, 2), ("60", false, 1), ("0 * * * * ?", true, 2), ("0 * * * * ?", false, 1)]
    {
        let (start, end) = (Timestamp::from_seconds(10 * 3600), Timestamp::from_seconds(10 * 3600 + 120));
        let trigger = Trigger { cadence: cadence(what), start: Some(start), end: Some(end) };
        let now = at("2026-05-04T10:00:00Z");
        let schedule = Schedule::new(&trigger, now, catches_up, &Zone::UTC).unwrap();
        let mut last = None;
        let mut count = 0;
        while let Some(slot) = next_due(&schedule, last, now) {
            assert!(slot > start && slot <= end, "{what}");
            (last, count) = (Some(slot), count + 1);
        }
        assert_eq!(count, expected, "{what} catch up: {catches_up}");
    }
}

#[test]
fn the_last_of_many_missed_slots_is_found_at_once() {
    // Two years of seconds: going through them one by one would take a while.
    let trigger = Trigger {
        cadence: Cadence::Cron { expression: "* * * * JAN ?".to_owned() },
        start: Some(at("2024-01-01T00:00:00Z")),
        end: None,
    };
    let schedule = Schedule::new(&trigger, at("2024-01-01T00:00:00Z"), false, &Zone::UTC).unwrap();
    let due = next_due(&schedule, None, at("2026-05-04T10:00:00Z")).unwrap();
    assert_eq!(due.to_rfc3339(), "2026-01-31T23:59:59Z");
}
