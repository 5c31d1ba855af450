//! What expressions mean, written from the rules that robfig/cron documents, and from its known corner cases.

use ferroflow_model::Timestamp;
use jiff::civil::DateTime;

use crate::schedule::{Cron, CronError, Zone};

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::from_seconds(text.parse::<jiff::Timestamp>().unwrap().as_second())
}

/// The times after `from` must be these, in this order; an empty list means that there is none.
fn check(expression: &str, zone: &str, from: &str, expected: &[&str]) {
    let cron = Cron::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let zone = Zone::named(zone).unwrap();
    let mut from = at(from);
    for expected in expected {
        let next =
            cron.next_after(from, &zone).unwrap_or_else(|| panic!("{expression}: nothing after {from:?}"));
        assert_eq!(next.to_rfc3339(), at(expected).to_rfc3339(), "{expression} after {}", from.to_rfc3339());
        from = next;
    }
    if expected.is_empty() {
        assert_eq!(cron.next_after(from, &zone), None, "{expression}");
    }
}

#[test]
fn fields_begin_with_seconds() {
    let from = "2026-07-09T14:45:00Z";
    let rows: &[(&str, &[&str])] = &[
        ("* * * * * *", &["2026-07-09T14:45:01Z", "2026-07-09T14:45:02Z"]),
        ("0 * * * * ?", &["2026-07-09T14:46:00Z", "2026-07-09T14:47:00Z"]),
        // Five fields are not those of Unix: seconds to months.
        ("0 30 8 * *", &["2026-07-10T08:30:00Z", "2026-07-11T08:30:00Z"]),
        ("0 0/15 * * *", &["2026-07-09T15:00:00Z", "2026-07-09T15:15:00Z"]),
        ("0 5/15 * * * *", &["2026-07-09T14:50:00Z", "2026-07-09T15:05:00Z"]),
        ("0/15 * * * * *", &["2026-07-09T14:45:15Z", "2026-07-09T14:45:30Z"]),
        ("0 */15 * * * *", &["2026-07-09T15:00:00Z"]),
        ("0 20-35/15 * * * *", &["2026-07-09T15:20:00Z", "2026-07-09T15:35:00Z", "2026-07-09T16:20:00Z"]),
        ("10,20,,30 0 * * * *", &["2026-07-09T15:00:10Z", "2026-07-09T15:00:20Z", "2026-07-09T15:00:30Z"]),
        ("0 0 0 1 Jan ?", &["2027-01-01T00:00:00Z"]),
        ("0 0 0 1 jan-MAR/2 ?", &["2027-01-01T00:00:00Z", "2027-03-01T00:00:00Z", "2028-01-01T00:00:00Z"]),
        ("0 0 9 ? * mon-FRI", &["2026-07-10T09:00:00Z", "2026-07-13T09:00:00Z"]),
        ("0 0 9 * * SUN", &["2026-07-12T09:00:00Z"]),
        ("0 0 9 * * 0,6", &["2026-07-11T09:00:00Z", "2026-07-12T09:00:00Z"]),
        ("+5 0 15 09 07 *", &["2026-07-09T15:00:05Z", "2027-07-09T15:00:05Z"]),
        ("0 0 0 31 * *", &["2026-07-31T00:00:00Z", "2026-08-31T00:00:00Z", "2026-10-31T00:00:00Z"]),
        ("0 0 0 29 2 *", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
        ("59 59 23 31 12 *", &["2026-12-31T23:59:59Z", "2027-12-31T23:59:59Z"]),
        // Days that no month has, and a field without values.
        ("0 0 0 30 2 *", &[]),
        (", * * * * *", &[]),
    ];
    for (expression, expected) in rows {
        check(expression, "UTC", from, expected);
    }
}

#[test]
fn restricted_days_of_month_and_week_are_one_or_the_other() {
    let from = "2026-02-10T00:00:00Z";
    let rows: &[(&str, &[&str])] = &[
        // The 13th of February 2026 is a Friday.
        ("0 0 0 13 * 1", &["2026-02-13T00:00:00Z", "2026-02-16T00:00:00Z", "2026-02-23T00:00:00Z"]),
        ("0 0 0 13 * *", &["2026-02-13T00:00:00Z", "2026-03-13T00:00:00Z"]),
        ("0 0 0 ? * 1", &["2026-02-16T00:00:00Z", "2026-02-23T00:00:00Z"]),
        // A star with a step is still a star: both must match.
        ("0 0 0 */2 * 1", &["2026-02-23T00:00:00Z", "2026-03-09T00:00:00Z"]),
        (
            "0 0 0 1/2 * 1",
            &["2026-02-11T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-15T00:00:00Z", "2026-02-16T00:00:00Z"],
        ),
    ];
    for (expression, expected) in rows {
        check(expression, "UTC", from, expected);
    }
}

#[test]
fn descriptors_stand_for_expressions() {
    let from = "2026-07-09T14:45:30Z";
    let rows: &[(&str, &[&str])] = &[
        ("@yearly", &["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]),
        ("@annually", &["2027-01-01T00:00:00Z"]),
        ("@monthly", &["2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z"]),
        ("@weekly", &["2026-07-12T00:00:00Z", "2026-07-19T00:00:00Z"]),
        ("@daily", &["2026-07-10T00:00:00Z", "2026-07-11T00:00:00Z"]),
        ("@midnight", &["2026-07-10T00:00:00Z"]),
        ("@hourly", &["2026-07-09T15:00:00Z", "2026-07-09T16:00:00Z"]),
        ("@every 5m", &["2026-07-09T14:50:30Z", "2026-07-09T14:55:30Z"]),
        ("@every 1h30m10s", &["2026-07-09T16:15:40Z"]),
        // Distances are whole seconds, at least one.
        ("@every 2.9s", &["2026-07-09T14:45:32Z"]),
        ("@every 10ms", &["2026-07-09T14:45:31Z"]),
    ];
    for (expression, expected) in rows {
        check(expression, "UTC", from, expected);
    }
}

#[test]
fn clocks_that_change_skip_and_repeat() {
    let rows: &[(&str, &str, &str, &[&str])] = &[
        // New York goes from 02:00 to 03:00 on 8 March 2026.
        ("0 30 2 8 3 ?", "America/New_York", "2026-03-08T00:00:00-05:00", &["2027-03-08T02:30:00-05:00"]),
        ("0 0 2 * * ?", "America/New_York", "2026-03-07T12:00:00-05:00", &["2026-03-09T02:00:00-04:00"]),
        (
            "0 0 * * * ?",
            "America/New_York",
            "2026-03-08T00:00:00-05:00",
            &["2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-08T04:00:00-04:00"],
        ),
        ("0 0 3 * * ?", "America/New_York", "2026-03-08T00:00:00-05:00", &["2026-03-08T03:00:00-04:00"]),
        // And back from 02:00 to 01:00 on 1 November 2026.
        (
            "0 30 1 * * ?",
            "America/New_York",
            "2026-11-01T00:00:00-04:00",
            &["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-02T01:30:00-05:00"],
        ),
        ("0 30 2 * * ?", "America/New_York", "2026-11-01T00:00:00-04:00", &["2026-11-01T02:30:00-05:00"]),
        (
            "0 */20 1 1 11 ?",
            "America/New_York",
            "2026-11-01T01:30:00-04:00",
            &["2026-11-01T01:40:00-04:00", "2026-11-01T01:00:00-05:00", "2026-11-01T01:20:00-05:00"],
        ),
        // Midnight was left out in São Paulo on 4 November 2018, and half an hour on Lord Howe Island.
        ("0 0 0 4 * ?", "America/Sao_Paulo", "2018-11-01T00:00:00-03:00", &["2018-12-04T00:00:00-02:00"]),
        ("0 15 2 4 10 ?", "Australia/Lord_Howe", "2026-10-01T00:00:00Z", &["2027-10-04T02:15:00+11:00"]),
        // Samoa had no 30 December 2011 at all.
        ("0 0 12 30 * ?", "Pacific/Apia", "2011-12-01T00:00:00Z", &["2012-01-30T12:00:00+14:00"]),
        // The zone of the expression counts more than that of the server.
        (
            "CRON_TZ=Asia/Tokyo 0 30 6 * * ?",
            "America/New_York",
            "2026-07-09T00:00:00Z",
            &["2026-07-09T21:30:00Z"],
        ),
        ("TZ=europe/berlin   @daily", "UTC", "2026-07-09T00:00:00Z", &["2026-07-09T22:00:00Z"]),
        ("CRON_TZ=UTC @every 1m", "Asia/Tokyo", "2026-07-09T00:00:00Z", &["2026-07-09T00:01:00Z"]),
    ];
    for (expression, zone, from, expected) in rows {
        check(expression, zone, from, expected);
    }
}

#[test]
fn what_is_no_expression_is_refused_with_all_its_faults() {
    let rows = [
        ("", "is empty"),
        ("   ", "is empty"),
        ("TZ=UTC", "is empty"),
        ("* * * *", "not 4"),
        ("* * * * * * *", "not 7"),
        ("60 * * * * *", "second `60`: values go from 0 to 59"),
        (
            "* * 24 0 13 7",
            "hour `24`: values go from 0 to 23; day of month `0`: values go from 1 to 31; month `13`",
        ),
        ("* * * * * 7", "day of week `7`: values go from 0 to 6"),
        ("5-3 * * * * *", "ends before it begins"),
        ("1-2-3 * * * * *", "more than one `-`"),
        ("1/2/3 * * * * *", "more than one `/`"),
        ("*/0 * * * * *", "at least 1"),
        ("-1 * * * * *", "`` is not a number"),
        ("x * * * * *", "`x` is not a number"),
        ("* * * * mon *", "`mon` is not a number"),
        ("* * * L * *", "`L` is not a number"),
        ("0 0 0 * * MON#2", "`MON#2` is not a number"),
        ("99999999999 * * * * *", "is not a number"),
        ("@fortnightly", "`@fortnightly` is none of"),
        ("@Daily", "`@Daily` is none of"),
        ("@every", "`@every` is none of"),
        ("@every soon", "`soon` is not a duration"),
        ("@every 300000h99999999h", "is not a duration"),
        ("CRON_TZ=Mars/Olympus 0 * * * * *", "no time zone `Mars/Olympus`"),
        ("CRON_TZ= 0 * * * * *", "no time zone ``"),
    ];
    for (expression, expected) in rows {
        let error = Cron::parse(expression).expect_err(expression).to_string();
        assert!(error.contains(expected), "{expression}: {error}");
    }
    assert_eq!(Cron::parse(&"1,".repeat(600)), Err(CronError::TooLong(1200)));
}

/// An expression, and the same said of the minutes of a local clock.
type Row = (&'static str, fn(DateTime) -> bool);

#[test]
fn two_years_of_minutes_are_as_they_should_be() {
    let rows: &[Row] = &[
        ("0 */7 * * * *", |t| t.minute() % 7 == 0),
        ("0 0 2-3 * * *", |t| t.minute() == 0 && matches!(t.hour(), 2 | 3)),
        ("0 30 1 ? * MON-FRI", |t| {
            (t.hour(), t.minute()) == (1, 30) && (1..=5).contains(&t.date().weekday().to_sunday_zero_offset())
        }),
        ("0 15,45 */6 1,15 * *", |t| {
            matches!(t.minute(), 15 | 45) && t.hour() % 6 == 0 && matches!(t.day(), 1 | 15)
        }),
        ("0 0 12 29 2 1", |t| {
            (t.minute(), t.hour(), t.month()) == (0, 12, 2)
                && (t.day() == 29 || t.date().weekday().to_sunday_zero_offset() == 1)
        }),
        ("@monthly", |t| (t.day(), t.hour(), t.minute()) == (1, 0, 0)),
    ];
    let (first, last) = (at("2027-06-01T00:00:00Z").as_seconds(), at("2029-06-01T00:00:00Z").as_seconds());
    for name in ["UTC", "Europe/Berlin", "Australia/Lord_Howe"] {
        let zone = Zone::named(name).unwrap();
        let mut found: Vec<(Cron, i64)> =
            rows.iter().map(|(expression, _)| (Cron::parse(expression).unwrap(), first - 1)).collect();
        for (cron, next) in &mut found {
            *next = cron.next_after(Timestamp::from_seconds(*next), &zone).unwrap().as_seconds();
        }
        for minute in (first..last).step_by(60) {
            let local = zone.rules().to_datetime(jiff::Timestamp::from_second(minute).unwrap());
            for ((expression, is_due), (cron, next)) in rows.iter().zip(&mut found) {
                assert_eq!(
                    is_due(local),
                    *next == minute,
                    "{expression} in {name} at {local}, next is {next}"
                );
                if *next == minute {
                    *next = cron.next_after(Timestamp::from_seconds(minute), &zone).unwrap().as_seconds();
                }
            }
        }
    }
}
