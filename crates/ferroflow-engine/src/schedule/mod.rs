//! When a schedule is due, and what its runs are called.
//!
//! Pure: the present time is an argument, and so is what was fired before. Starting runs, counting those that are alive
//! and remembering the last slot are not done here. Begin with [`next_due`].

pub mod argument_macro;
mod cron;
mod cron_field;
mod go_duration;
mod run_name;
#[cfg(test)]
mod tests;
mod zone;

use ferroflow_model::Timestamp;
use ferroflow_model::recurring::{Cadence, Trigger};

pub use cron::{Cron, CronError};
pub use go_duration::parse as parse_go_duration;
pub use run_name::{object_name, run_name};
pub use zone::{UnknownZone, Zone};

/// When runs are due. Everything is in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    times: Times,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    created: Timestamp,
    catches_up: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Times {
    Once,
    /// Seconds from one slot to the next.
    Every(i64),
    Cron(Box<Cron>, Zone),
}

impl Schedule {
    /// A schedule that was created at `created`. `zone` counts for cron expressions that do not name their own.
    /// `catches_up` tells whether all missed slots are made up for, or only the last one.
    pub fn new(
        trigger: &Trigger,
        created: Timestamp,
        catches_up: bool,
        zone: &Zone,
    ) -> Result<Self, CronError> {
        let times = match &trigger.cadence {
            Cadence::Once => Times::Once,
            Cadence::Interval { seconds } => Times::Every(i64::try_from(*seconds).unwrap_or(i64::MAX).max(1)),
            Cadence::Cron { expression } => Times::Cron(Box::new(Cron::parse(expression)?), zone.clone()),
        };
        Ok(Self {
            times,
            start: trigger.start.map(whole_seconds),
            end: trigger.end.map(whole_seconds),
            created: whole_seconds(created),
            catches_up,
        })
    }
}

/// The slot of the next run, given the slot of the last one: due if it is not after `now`, otherwise to be waited for.
/// `None` if there will be no more.
///
/// What the last slot counts from is, for the first run, the start or else the creation. With a distance between slots
/// the first one is that distance later; a start after the last slot is a slot itself. The end is a slot if it is one.
/// Without catching up, only the last missed slot of a cron expression is due; and a distance that was missed more than
/// once is due now (or at the end), and counts from there.
pub fn next_due(schedule: &Schedule, last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let now = whole_seconds(now);
    let last = last.map(whole_seconds);
    let base = last.or(schedule.start).unwrap_or(schedule.created);
    let latest = schedule.end.map_or(now, |end| end.min(now));
    let due = match &schedule.times {
        Times::Once => last.is_none().then_some(schedule.created),
        Times::Every(distance) => match (last, schedule.start) {
            (Some(last), Some(start)) if start > last => Some(start),
            _ => later(base, *distance).map(|due| {
                let is_missed_twice = later(due, *distance).is_some_and(|second| second <= latest);
                if is_missed_twice && !schedule.catches_up { latest } else { due }
            }),
        },
        Times::Cron(cron, zone) => {
            let base = schedule.start.map_or(base, |start| start.max(base));
            cron.next_after(base, zone)
                .map(|due| if schedule.catches_up { due } else { cron.last_until(latest, due, zone) })
        }
    };
    due.filter(|due| schedule.end.is_none_or(|end| *due <= end))
}

fn later(from: Timestamp, seconds: i64) -> Option<Timestamp> {
    from.as_seconds().checked_add(seconds).map(Timestamp::from_seconds)
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.as_seconds())
}
