//! The order of the lines of many logs.
//!
//! A log is bytes: nobody notes when each line was written. Most lines say it, though, kfp's own among them. Such a line
//! is of the time that it says, those behind it too, and those before the first one are of the begin of their attempt.
//! Lines of one attempt keep their order. What has a place keeps it: lines that come later are put behind. Pure.

const SECOND: i64 = 1_000_000;
/// Time zones differ by whole quarters of an hour, and by no more than this from UTC.
const QUARTER: i64 = 900 * SECOND;
const WIDEST: i64 = 15 * 3600 * SECOND;
/// A time stands in these first bytes of a line.
const HEAD_BYTES: usize = 64;
/// Bytes of `2026-11-24 12:34:56`.
const STAMP_BYTES: usize = 19;

/// Tells the times of the lines of one attempt. All are in microseconds since the epoch.
#[derive(Debug, Clone)]
pub(super) struct LineClock {
    begin: i64,
    now: i64,
    /// How far its local time is from UTC, once a line has told.
    zone: Option<i64>,
}

impl LineClock {
    /// Of an attempt that began then.
    pub(super) fn new(begin: i64) -> Self {
        Self { begin, now: begin, zone: None }
    }

    /// When the next line was written: never earlier than the line before it. What is later than `end` is no such time.
    pub(super) fn time_of(&mut self, line: &str, end: i64) -> i64 {
        let head = line.as_bytes().get(..line.len().min(HEAD_BYTES)).unwrap_or_default();
        if let Some((local, zone)) = stamp(head) {
            // Without a zone it is the local time of the machine: the first one tells how far that is from UTC.
            let zone = zone.or(self.zone).unwrap_or_else(|| {
                let away = (local - self.begin + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
                if away.abs() <= WIDEST { *self.zone.insert(away) } else { 0 }
            });
            let time = local - zone;
            if time <= end {
                self.now = self.now.max(time);
            }
        }
        self.now
    }
}

/// The first date with time, and its zone if it says one.
fn stamp(head: &[u8]) -> Option<(i64, Option<i64>)> {
    head.windows(STAMP_BYTES).enumerate().find_map(|(at, text)| {
        // Few windows get behind this.
        if text.get(4) != Some(&b'-') || text.get(7) != Some(&b'-') {
            return None;
        }
        let second = date_time(text)?;
        let rest = head.get(at + STAMP_BYTES..).unwrap_or_default();
        let (fraction, rest) = fraction(rest);
        Some((second * SECOND + fraction, zone(rest)))
    })
}

/// Seconds since the epoch of `2026-11-24 12:34:56`, also with a `T`.
fn date_time(text: &[u8]) -> Option<i64> {
    let is_mark = |at: usize, marks: &[u8]| text.get(at).is_some_and(|mark| marks.contains(mark));
    if !(is_mark(10, b" T") && is_mark(13, b":") && is_mark(16, b":")) {
        return None;
    }
    let number = |from: usize, to: usize| digits(text.get(from..to)?);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_real =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    is_real.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days since the epoch; years begin in March, so that the leap day is the last one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + day_of_year - 719_468
}

fn digits(text: &[u8]) -> Option<i64> {
    let digit = |value: i64, byte: &u8| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'));
    text.iter().try_fold(0, digit)
}

/// Microseconds of `,123` or `.123456`, and what stands behind.
fn fraction(text: &[u8]) -> (i64, &[u8]) {
    let Some((b',' | b'.', rest)) = text.split_first() else { return (0, text) };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, behind) = rest.split_at(count);
    let micros =
        (0..6).fold(0, |micros, at| micros * 10 + i64::from(number.get(at).map_or(0, |byte| byte - b'0')));
    (micros, behind)
}

/// Microseconds from UTC of `Z`, `+01:00` or `-0230`.
fn zone(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text.split_first()? {
        (b'Z', _) => return Some(0),
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let hours = digits(rest.get(..2)?)?;
    let behind = rest.get(2..)?;
    let minutes = digits(behind.strip_prefix(b":").unwrap_or(behind).get(..2)?)?;
    Some(sign * (hours * 3600 + minutes * 60) * SECOND)
}

/// Consecutive lines of one log that are of one time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    /// Their time; within a part it never goes back.
    pub(super) at: i64,
    /// Number of the log.
    pub(super) part: u32,
    /// How many.
    pub(super) lines: u64,
}

/// Consecutive lines of one log that stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Number among all lines of the first of them.
    pub(super) place: u64,
    /// Number of the log.
    pub(super) part: u32,
    /// Number in the log of the first of them.
    pub(super) line: u64,
    /// How many.
    pub(super) count: u64,
}

/// Where the lines of all logs stand.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Begins of spans: place, log, line.
    begins: Vec<(u64, u32, u64)>,
    /// Lines that have a place, of all logs and of each.
    lines: u64,
    of: Vec<u64>,
}

impl Order {
    /// Lines in all.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes that it takes.
    pub(super) fn weight(&self) -> usize {
        self.begins.capacity() * size_of::<(u64, u32, u64)>() + self.of.capacity() * size_of::<u64>()
    }

    /// Puts new lines behind those that are there, by time; lines of one time in the order of their logs.
    pub(super) fn append(&mut self, mut news: Vec<Stretch>) {
        news.sort_by_key(|stretch| (stretch.at, stretch.part));
        for Stretch { part, lines, .. } in news {
            let place = part as usize;
            if self.of.len() <= place {
                self.of.resize(place + 1, 0);
            }
            let Some(line) = self.of.get_mut(place) else { continue };
            if self.begins.last().is_none_or(|(_, last, _)| *last != part) {
                self.begins.push((self.lines, part, *line));
            }
            *line += lines;
            self.lines += lines;
        }
    }

    /// Spans of all lines from a place on, in order.
    pub(super) fn from(&self, place: u64) -> impl Iterator<Item = Span> {
        let first = self.begins.partition_point(|(begin, ..)| *begin <= place).saturating_sub(1);
        let ends = self.begins.iter().skip(first + 1).map(|(begin, ..)| *begin).chain([self.lines]);
        self.begins.iter().skip(first).zip(ends).filter_map(move |((begin, part, line), end)| {
            let passed = place.saturating_sub(*begin);
            let count = (end - begin).checked_sub(passed).filter(|count| *count > 0)?;
            Some(Span { place: begin + passed, part: *part, line: line + passed, count })
        })
    }

    /// Finds places of lines.
    pub(super) fn finder(&self) -> Finder<'_> {
        let mut begins: Vec<(u32, u64, u64)> =
            self.begins.iter().map(|(place, part, line)| (*part, *line, *place)).collect();
        begins.sort_unstable();
        Finder { begins, of: &self.of }
    }
}

/// Where lines of logs stand.
pub(super) struct Finder<'o> {
    begins: Vec<(u32, u64, u64)>,
    of: &'o [u64],
}

impl Finder<'_> {
    /// The place of a line of a log; `None` if it has none yet.
    pub(super) fn place(&self, part: u32, line: u64) -> Option<u64> {
        if line >= *self.of.get(part as usize)? {
            return None;
        }
        let at =
            self.begins.partition_point(|(of, begin, _)| (*of, *begin) <= (part, line)).checked_sub(1)?;
        self.begins.get(at).map(|(_, begin, place)| place + (line - begin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24 12:00:00 UTC.
    const NOON: i64 = 1_795_521_600 * SECOND;

    #[test]
    fn lines_say_their_time() {
        let rows = [
            ("2026-11-24 12:00:01,250 INFO begin", Some(1_250_000)),
            ("[KFP Executor 2026-11-24 12:00:02,000 INFO]: x", Some(2 * SECOND)),
            ("2026-11-24T13:00:03.5+01:00 x", Some(3_500_000)),
            ("time=2026-11-24T09:30:04Z-ish", None),
            ("ts 2026-11-24T12:00:05Z", Some(5 * SECOND)),
            ("2026-13-24 12:00:00", None),
            ("data of 2020-01-01 00:00:00", None),
            ("2030-01-01 00:00:00 far away", None),
            ("no time", None),
            ("", None),
        ];
        for (line, expected) in rows {
            let mut clock = LineClock::new(NOON);
            let time = clock.time_of(line, NOON + 100 * SECOND);
            assert_eq!(time, NOON + expected.unwrap_or(0), "{line}");
        }
        assert_eq!(stamp(b"2024-02-29 00:00:00"), Some((1_709_164_800 * SECOND, None)));
        assert_eq!(stamp(b"2000-03-01 00:00:00-0230"), Some((951_868_800 * SECOND, Some(-9000 * SECOND))));
    }

    #[test]
    fn the_first_local_time_tells_the_zone() {
        // The clock on the wall is two hours ahead.
        let mut clock = LineClock::new(NOON);
        let end = NOON + 60 * SECOND;
        let rows = [
            ("plain", 0),
            ("2026-11-24 14:00:02,000 a", 2),
            ("plain", 2),
            ("2026-11-24 14:00:05,000 b", 5),
            ("2026-11-24 14:00:01,000 late", 5),
            ("2026-11-24T12:00:07Z c", 7),
            ("2026-11-24 15:00:00 not yet", 7),
        ];
        for (line, seconds) in rows {
            assert_eq!(clock.time_of(line, end), NOON + seconds * SECOND, "{line}");
        }
    }

    fn spans(order: &Order, from: u64) -> Vec<(u64, u32, u64, u64)> {
        order.from(from).map(|span| (span.place, span.part, span.line, span.count)).collect()
    }

    #[test]
    fn what_has_a_place_keeps_it() {
        let stretch = |at, part, lines| Stretch { at, part, lines };
        let mut order = Order::default();
        assert_eq!(spans(&order, 0), []);
        order.append(vec![stretch(1, 0, 2), stretch(5, 0, 1), stretch(1, 1, 1), stretch(3, 1, 4)]);
        assert_eq!(order.lines(), 8);
        let first = [(0, 0, 0, 2), (2, 1, 0, 5), (7, 0, 2, 1)];
        assert_eq!(spans(&order, 0), first);
        // Earlier, but later known.
        order.append(vec![stretch(2, 0, 1), stretch(2, 2, 3)]);
        assert_eq!(spans(&order, 0), [first[0], first[1], (7, 0, 2, 2), (9, 2, 0, 3)]);
        assert_eq!(spans(&order, 4), [(4, 1, 2, 3), (7, 0, 2, 2), (9, 2, 0, 3)]);
        assert_eq!(spans(&order, 11), [(11, 2, 2, 1)]);
        assert_eq!(spans(&order, 12), []);
        let finder = order.finder();
        let lines = [(0, 0), (0, 1), (0, 3), (0, 4), (1, 4), (2, 2), (3, 0)];
        let places = lines.map(|(part, line)| finder.place(part, line));
        assert_eq!(places, [Some(0), Some(1), Some(8), None, Some(6), Some(11), None]);
    }
}
