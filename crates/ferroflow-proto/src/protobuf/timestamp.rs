//! `google.protobuf.Timestamp`: a moment.

use std::ops::RangeInclusive;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment between the years 1 and 9999; in JSON a text as in RFC 3339. Answers use UTC with `Z`, requests may use
/// any offset.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Message)]
pub struct Timestamp {
    /// Seconds since the Unix epoch.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// The rest in nanoseconds, never negative.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// `0001-01-01T00:00:00Z` and `9999-12-31T23:59:59Z`.
const SECONDS: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Calendar times in UTC, because moments in jiff end a day before the year 9999 does.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !SECONDS.contains(&self.seconds) || !(0..1_000_000_000).contains(&self.nanos) {
            return Err(S::Error::custom(format!(
                "a time of {} s and {} ns is not between the years 1 and 9999",
                self.seconds, self.nanos
            )));
        }
        let time =
            EPOCH.checked_add(SignedDuration::new(self.seconds, self.nanos)).map_err(S::Error::custom)?;
        // Proto JSON knows 0, 3, 6 or 9 digits.
        let precision = match self.nanos {
            0 => 0,
            nanos if nanos % 1_000_000 == 0 => 3,
            nanos if nanos % 1_000 == 0 => 6,
            _ => 9,
        };
        serializer.collect_str(&format_args!("{time:.precision$}Z"))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let refuse = || D::Error::custom(format!("`{text}` is not a time such as `2026-01-31T12:00:00Z`"));
        let pieces = Pieces::parse(&text).map_err(|_| refuse())?;
        let (Some(time), Some(offset)) = (pieces.time(), pieces.to_numeric_offset()) else {
            return Err(refuse());
        };
        let since_epoch = pieces.date().to_datetime(time).duration_since(EPOCH);
        // The whole second before the moment, also before the epoch.
        let (mut seconds, mut nanos) = (since_epoch.as_secs(), since_epoch.subsec_nanos());
        if nanos < 0 {
            seconds -= 1;
            nanos += 1_000_000_000;
        }
        seconds -= i64::from(offset.seconds());
        if !SECONDS.contains(&seconds) {
            return Err(D::Error::custom(format!("`{text}` is not between the years 1 and 9999")));
        }
        Ok(Self { seconds, nanos })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, seconds: i64, nanos: i32, shown: &str) {
        let time: Timestamp = serde_json::from_value(text.into()).unwrap();
        assert_eq!(time, Timestamp { seconds, nanos }, "{text}");
        assert_eq!(serde_json::to_value(time).unwrap(), shown, "{text}");
    }

    #[test]
    fn times_are_read_and_shown() {
        check("1970-01-01T00:00:00Z", 0, 0, "1970-01-01T00:00:00Z");
        check("0001-01-01T00:00:00.000Z", -62_135_596_800, 0, "0001-01-01T00:00:00Z");
        check("9999-12-31T23:59:59Z", 253_402_300_799, 0, "9999-12-31T23:59:59Z");
        check("9999-12-31T23:59:59.999-00:00", 253_402_300_799, 999_000_000, "9999-12-31T23:59:59.999Z");
        check("2026-01-31T13:00:00+01:00", 1_769_860_800, 0, "2026-01-31T12:00:00Z");
        check("2026-01-31T12:00:00.5Z", 1_769_860_800, 500_000_000, "2026-01-31T12:00:00.500Z");
        check("2026-01-31T12:00:00.00005Z", 1_769_860_800, 50_000, "2026-01-31T12:00:00.000050Z");
        check("2026-01-31T12:00:00.000000001Z", 1_769_860_800, 1, "2026-01-31T12:00:00.000000001Z");
        check("1969-12-31T23:59:59.25Z", -1, 250_000_000, "1969-12-31T23:59:59.250Z");
    }

    #[test]
    fn other_texts_are_errors() {
        for text in [
            "",
            "yesterday",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "0000-12-31T23:59:59Z",
            "12",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert!(serde_json::from_value::<Timestamp>(text.into()).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Timestamp>("12").is_err());
    }

    #[test]
    fn times_beyond_the_range_are_not_shown() {
        for (seconds, nanos) in [(253_402_300_800, 0), (-62_135_596_801, 0), (0, -1), (0, 1_000_000_000)] {
            assert!(serde_json::to_value(Timestamp { seconds, nanos }).is_err(), "{seconds} {nanos}");
        }
    }
}
