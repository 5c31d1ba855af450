//! What holds for all expressions, zones and times.

use ferroflow_model::Timestamp;
use ferroflow_model::recurring::{Cadence, Trigger};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::schedule::{Cron, Schedule, Zone, next_due};

const ZONES: [&str; 5] =
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];

/// One range: least and greatest value, step. Written out by [`text`], judged by [`holds`].
#[derive(Debug, Clone, Copy)]
struct Range {
    low: u32,
    high: u32,
    step: u32,
    is_star: bool,
}

fn field(least: u32, most: u32) -> impl Strategy<Value = Vec<Range>> {
    let range =
        (least..=most, least..=most, 1..=most, any::<bool>()).prop_map(move |(a, b, step, is_star)| {
            let (low, high) = if is_star { (least, most) } else { (a.min(b), a.max(b)) };
            Range { low, high, step, is_star }
        });
    vec(range, 1..3)
}

fn text(ranges: &[Range]) -> String {
    let written = ranges.iter().map(|range| match range {
        Range { is_star: true, step, .. } => format!("*/{step}"),
        Range { low, high, step, .. } => format!("{low}-{high}/{step}"),
    });
    written.collect::<Vec<_>>().join(",")
}

fn holds(ranges: &[Range], value: u32) -> bool {
    ranges.iter().any(|range| {
        (range.low..=range.high).contains(&value) && (value - range.low).is_multiple_of(range.step)
    })
}

/// Whether the local time of this second matches, said in another way than the searching code says it.
fn is_match(fields: &[Vec<Range>; 6], second: i64, zone: &Zone) -> bool {
    let t = zone.rules().to_datetime(jiff::Timestamp::from_second(second).unwrap());
    let number = |value: i8| u32::try_from(value).unwrap();
    let [seconds, minutes, hours, days, months, weekdays] = fields;
    let day = holds(days, number(t.day()));
    let weekday = holds(weekdays, number(t.date().weekday().to_sunday_zero_offset()));
    let has_star = days.iter().chain(weekdays).any(|range| range.is_star);
    holds(seconds, number(t.second()))
        && holds(minutes, number(t.minute()))
        && holds(hours, number(t.hour()))
        && holds(months, number(t.month()))
        && if has_star { day && weekday } else { day || weekday }
}

fn moments() -> impl Strategy<Value = i64> {
    // 2000 to 2040.
    946_684_800_i64..2_208_988_800
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_next_time_matches_and_nothing_before_it_does(
        seconds in field(0, 59), minutes in field(0, 59), hours in field(0, 23),
        days in field(1, 31), months in field(1, 12), weekdays in field(0, 6),
        after in moments(), zone in select(&ZONES[..]), probes in vec(0.0..1.0_f64, 200),
    ) {
        let fields = [seconds, minutes, hours, days, months, weekdays];
        let expression = fields.each_ref().map(|field| text(field)).join(" ");
        let zone = Zone::named(zone).unwrap();
        let cron = Cron::parse(&expression).unwrap();
        let Some(next) = cron.next_after(Timestamp::from_seconds(after), &zone) else { return Ok(()) };
        let next = next.as_seconds();
        prop_assert!(next > after);
        prop_assert!(is_match(&fields, next, &zone), "{expression} at {next}");
        let span = next - after - 1;
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "any second will do")]
        let chosen = probes.iter().map(|part| after + 1 + (part * span as f64) as i64);
        // The first and the last minutes, and some seconds between.
        let near = (after + 1..next).take(300).chain((after + 1..next).rev().take(3900));
        for second in near.chain(chosen).filter(|second| *second < next) {
            prop_assert!(!is_match(&fields, second, &zone), "{expression} at {second}, but next is {next}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}", after in moments()) {
        if let Ok(cron) = Cron::parse(&text) {
            let next = cron.next_after(Timestamp::from_seconds(after), &Zone::UTC);
            prop_assert!(next.is_none_or(|next| next.as_seconds() > after));
        }
    }

    #[test]
    fn texts_made_of_the_right_characters_are_read_or_refused(
        text in "(CRON_TZ=UTC )?(@every [0-9.hmsun]{1,8}|([0-9*?,/-]{1,4}[a-z]{0,3} ){4,6}[*0-9])", after in moments(),
    ) {
        if let Ok(cron) = Cron::parse(&text) {
            let next = cron.next_after(Timestamp::from_seconds(after), &Zone::UTC);
            prop_assert!(next.is_none_or(|next| next.as_seconds() > after));
        }
    }

    #[test]
    fn catching_up_gives_each_slot_once_and_skipping_gives_the_last(
        expression in select(&["0 */5 * * * *", "30 15 3 ? * 1-5", "@hourly", "@every 7m"][..]),
        interval in proptest::option::of(1_u64..4000), begin in moments(), length in 0_i64..500_000, stop in 0_i64..600_000,
        zone in select(&ZONES[..]),
    ) {
        let zone = Zone::named(zone).unwrap();
        let cadence = interval.map_or_else(
            || Cadence::Cron { expression: expression.to_owned() },
            |seconds| Cadence::Interval { seconds },
        );
        let trigger = Trigger { cadence, start: None, end: Some(Timestamp::from_seconds(begin + length)) };
        let created = Timestamp::from_seconds(begin);
        let now = Timestamp::from_seconds(begin + stop);
        let all = Schedule::new(&trigger, created, true, &zone).unwrap();
        let few = Schedule::new(&trigger, created, false, &zone).unwrap();

        // Asked late or asked in time, the slots are the same.
        let mut late = Vec::new();
        while let Some(slot) = next_due(&all, late.last().copied(), now).filter(|slot| *slot <= now) {
            prop_assert_eq!(next_due(&all, late.last().copied(), slot), Some(slot));
            prop_assert_eq!(next_due(&all, late.last().copied(), created), Some(slot));
            prop_assert!(late.last().is_none_or(|last| *last < slot));
            late.push(slot);
        }
        let only = next_due(&few, None, now).filter(|slot| *slot <= now);
        prop_assert_eq!(only.is_some(), !late.is_empty());
        if interval.is_none() {
            prop_assert_eq!(only, late.last().copied());
        }
        // After it, nothing that was missed is left.
        if only.is_some() {
            prop_assert!(next_due(&few, only, now).is_none_or(|next| next > now));
        }
    }
}
