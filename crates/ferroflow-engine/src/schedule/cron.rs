//! Cron expressions as robfig/cron v1 reads them, which KFP uses.
//!
//! `second minute hour day-of-month month [day-of-week]`, so five fields begin with seconds, too. A field is a list of
//! `*`, `?`, `n`, `n-m`, each with `/step` if wanted; months and weekdays have names; Sunday is 0. If days of month and
//! of week are both restricted, one of them is enough. `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`,
//! `@midnight`, `@hourly` and `@every <Go duration>` stand for themselves. An addition of ours: `CRON_TZ=<zone> ` or
//! `TZ=<zone> ` in front says in which time zone the expression is meant.
//!
//! An expression is due at each second whose local time matches it. So what falls into the hour that is left out in
//! spring is left out, and what falls into the hour that comes twice in autumn comes twice.

use ferroflow_model::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

use super::cron_field::{FIELDS, Field};
use super::go_duration;
use super::zone::{UnknownZone, Zone};

/// Longest expression in bytes; far above what anybody writes.
const LONGEST_BYTES: usize = 1000;

/// A time is looked for to the end of the year that comes so many years later.
const YEARS_AHEAD: i16 = 5;

const DAY_SECONDS: i64 = 86_400;

/// Why a text is not a cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Nothing there.
    #[error("the cron expression is empty")]
    Empty,
    /// Longer than anybody writes.
    #[error("the cron expression is too long: {0} bytes, at most {LONGEST_BYTES} are allowed")]
    TooLong(usize),
    /// Neither five nor six fields.
    #[error(
        "a cron expression has 5 or 6 fields (second minute hour day-of-month month [day-of-week]), not {0}"
    )]
    FieldCount(usize),
    /// Fields that cannot be read, all of them.
    #[error("the cron expression cannot be read: {0}")]
    Fields(String),
    /// An unknown `@word`.
    #[error(
        "`{0}` is none of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every <duration>"
    )]
    Descriptor(String),
    /// `@every` without a duration.
    #[error("`{0}` is not a duration such as `90s` or `1h30m`")]
    Duration(String),
    /// A zone that nobody knows.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
}

/// A cron expression that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// Zone that the expression itself names.
    zone: Option<Zone>,
    times: Times,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Times {
    /// At seconds whose local time matches.
    Matching(Fields),
    /// At equal distances, in seconds.
    Every(i64),
}

/// Six fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fields {
    second: Field,
    minute: Field,
    hour: Field,
    day_of_month: Field,
    month: Field,
    day_of_week: Field,
}

impl Cron {
    /// Reads an expression. The error tells all that is wrong with its fields.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        if text.len() > LONGEST_BYTES {
            return Err(CronError::TooLong(text.len()));
        }
        let (zone, text) = match text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) {
            Some(rest) => {
                let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                (Some(Zone::named(name)?), rest.trim())
            }
            None => (None, text),
        };
        let times = match text.chars().next() {
            None => return Err(CronError::Empty),
            Some('@') => descriptor(text)?,
            Some(_) => Times::Matching(fields(text)?),
        };
        Ok(Self { zone, times })
    }

    /// The first time strictly after `after`, in whole seconds. `zone` counts unless the expression names its own.
    /// `None` if there is none within about five years.
    pub fn next_after(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let zone = self.zone.as_ref().unwrap_or(zone);
        let seconds = match &self.times {
            Times::Every(distance) => after.as_seconds().checked_add(*distance)?,
            Times::Matching(fields) => fields.next(after.as_seconds().checked_add(1)?, zone.rules())?,
        };
        Some(Timestamp::from_seconds(seconds))
    }

    /// The last time that is not after `latest`, given one of the times; that one if it is too late already.
    pub(super) fn last_until(&self, latest: Timestamp, first: Timestamp, zone: &Zone) -> Timestamp {
        // After `before` there is a time soon enough, or `before` is the one; after `beyond` there is none.
        let (mut before, mut beyond) = (first.as_seconds(), latest.as_seconds());
        if let Times::Every(distance) = self.times {
            let passed = (beyond - before).max(0);
            return Timestamp::from_seconds(before + passed - passed % distance);
        }
        let mut found = first;
        while before < beyond {
            let middle = before + (beyond - before) / 2;
            match self.next_after(Timestamp::from_seconds(middle), zone) {
                Some(next) if next <= latest => (found, before) = (next, next.as_seconds()),
                _ => beyond = middle,
            }
        }
        found
    }
}

fn descriptor(text: &str) -> Result<Times, CronError> {
    if let Some(duration) = text.strip_prefix("@every ") {
        let nanos = go_duration::parse(duration).ok_or_else(|| CronError::Duration(duration.to_owned()))?;
        return Ok(Times::Every((nanos / 1_000_000_000).max(1)));
    }
    let [second, minute, hour, day, month, week] = FIELDS.map(|kind| (kind.first(), kind.all()));
    let mut fields = Fields {
        second: second.0,
        minute: minute.0,
        hour: hour.0,
        day_of_month: day.1,
        month: month.1,
        day_of_week: week.1,
    };
    match text {
        "@yearly" | "@annually" => (fields.day_of_month, fields.month) = (day.0, month.0),
        "@monthly" => fields.day_of_month = day.0,
        "@weekly" => fields.day_of_week = week.0,
        "@daily" | "@midnight" => {}
        "@hourly" => fields.hour = hour.1,
        _ => return Err(CronError::Descriptor(text.to_owned())),
    }
    Ok(Times::Matching(fields))
}

fn fields(text: &str) -> Result<Fields, CronError> {
    let mut words = text.split_whitespace();
    match text.split_whitespace().count() {
        0 => return Err(CronError::Empty),
        5 | 6 => {}
        other => return Err(CronError::FieldCount(other)),
    }
    let mut problems = Vec::new();
    let read = FIELDS
        .map(|kind| kind.read(words.next().unwrap_or("*")).map_err(|problem| problems.push(problem)).ok());
    let [Some(second), Some(minute), Some(hour), Some(day_of_month), Some(month), Some(day_of_week)] = read
    else {
        return Err(CronError::Fields(problems.join("; ")));
    };
    Ok(Fields { second, minute, hour, day_of_month, month, day_of_week })
}

impl Fields {
    /// The first match at or after `from`, both in seconds since the epoch.
    ///
    /// Between two changes of the offset local time runs evenly, so each such stretch is searched by the calendar alone.
    fn next(&self, mut from: i64, zone: &TimeZone) -> Option<i64> {
        let instant = jiff::Timestamp::from_second(from).ok()?;
        let last_day = Date::new(zone.to_datetime(instant).year().checked_add(YEARS_AHEAD)?, 12, 31).ok()?;
        let last = Offset::UTC.to_timestamp(last_day.at(23, 59, 59, 0)).ok()?.as_second();
        loop {
            let instant = jiff::Timestamp::from_second(from).ok()?;
            let offset = i64::from(zone.to_offset(instant).seconds());
            let change = zone.following(instant).next().map(|change| change.timestamp().as_second());
            let end = change.map_or(last, |change| last.min(change + offset - 1));
            if let Some(local) = self.next_local(from + offset, end) {
                return Some(local - offset);
            }
            from = change.filter(|change| change + offset <= last)?;
        }
    }

    /// The first match from `from` to `last`, in seconds since the epoch as a clock on the wall counts them.
    fn next_local(&self, from: i64, last: i64) -> Option<i64> {
        let mut day = from.div_euclid(DAY_SECONDS);
        let mut second = from.rem_euclid(DAY_SECONDS);
        let midnight = jiff::Timestamp::from_second(day.checked_mul(DAY_SECONDS)?).ok()?;
        let mut date = Offset::UTC.to_datetime(midnight).date();
        while day * DAY_SECONDS + second <= last {
            let time = self.matches_date(date).then(|| self.time_from(second)).flatten();
            if let Some(time) = time {
                return Some(day * DAY_SECONDS + time).filter(|found| *found <= last);
            }
            let next = if self.has_month(date) { date } else { date.last_of_month() };
            day += i64::from(next.day() - date.day()) + 1;
            (date, second) = (next.tomorrow().ok()?, 0);
        }
        None
    }

    fn has_month(&self, date: Date) -> bool {
        self.month.has(date.month().unsigned_abs().into())
    }

    fn matches_date(&self, date: Date) -> bool {
        let of_month = self.day_of_month.has(date.day().unsigned_abs().into());
        let of_week = self.day_of_week.has(date.weekday().to_sunday_zero_offset().unsigned_abs().into());
        let is_day = if self.day_of_month.has_star || self.day_of_week.has_star {
            of_month && of_week
        } else {
            of_month || of_week
        };
        is_day && self.has_month(date)
    }

    /// The first matching second of a day at or after `from`.
    fn time_from(&self, from: i64) -> Option<i64> {
        let from = u32::try_from(from).ok()?;
        let (from_hour, from_minute, from_second) = (from / 3600, from / 60 % 60, from % 60);
        let first_second = self.second.first_from(0)?;
        let first_minute = self.minute.first_from(0)?;
        let hour = self.hour.first_from(from_hour)?;
        let (minute, second) = if hour > from_hour {
            (first_minute, first_second)
        } else {
            let minute = self.minute.first_from(from_minute);
            let second = match minute {
                Some(minute) if minute > from_minute => Some(first_second),
                Some(_) => self.second.first_from(from_second),
                None => None,
            };
            match (minute, second) {
                (Some(minute), Some(second)) => (minute, second),
                // Nothing is left of this minute or hour: go on with the next one.
                (Some(minute), None) => return self.time_from(i64::from(hour * 3600 + (minute + 1) * 60)),
                (None, _) => return self.time_from(i64::from((hour + 1) * 3600)),
            }
        };
        Some(i64::from(hour * 3600 + minute * 60 + second))
    }
}
