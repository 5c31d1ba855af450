//! One field of a cron expression: a set of numbers.
//!
//! Knows what values a field can have and how they are written; knows nothing of dates.

/// The fields in the order in which they are written.
pub(super) const FIELDS: [FieldKind; 6] = [
    FieldKind { name: "second", least: 0, most: 59, names: &[] },
    FieldKind { name: "minute", least: 0, most: 59, names: &[] },
    FieldKind { name: "hour", least: 0, most: 23, names: &[] },
    FieldKind { name: "day of month", least: 1, most: 31, names: &[] },
    FieldKind {
        name: "month",
        least: 1,
        most: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    FieldKind {
        name: "day of week",
        least: 0,
        most: 6,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// What may stand in a field.
#[derive(Debug)]
pub(super) struct FieldKind {
    pub(super) name: &'static str,
    least: u32,
    most: u32,
    /// Names of the values from `least` on.
    names: &'static [&'static str],
}

/// The values of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    /// Bit `n` is set if the field has the value `n`.
    bits: u64,
    /// Whether `*` or `?` stands somewhere in it: days of month and of week must then both match, otherwise one
    /// of them is enough.
    pub(super) has_star: bool,
}

impl Field {
    pub(super) fn has(self, value: u32) -> bool {
        value < u64::BITS && self.bits & (1 << value) != 0
    }

    /// The least value that is not below `least`.
    pub(super) fn first_from(self, least: u32) -> Option<u32> {
        let rest = self.bits.checked_shr(least)?;
        (rest != 0).then(|| least + rest.trailing_zeros())
    }
}

impl FieldKind {
    /// All values, as `*` says it.
    pub(super) fn all(&self) -> Field {
        Field { bits: bits(self.least, self.most, 1), has_star: true }
    }

    /// The least value alone.
    pub(super) fn first(&self) -> Field {
        Field { bits: bits(self.least, self.least, 1), has_star: false }
    }

    /// Reads ranges joined by commas; none at all is a field without values.
    pub(super) fn read(&self, text: &str) -> Result<Field, String> {
        let mut field = Field { bits: 0, has_star: false };
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let read = self.read_range(range).map_err(|why| format!("{} `{range}`: {why}", self.name))?;
            field.bits |= read.bits;
            field.has_star |= read.has_star;
        }
        Ok(field)
    }

    /// `*`, `n` or `n-m`, and `/step` behind any of them; `n/step` goes on to the end.
    fn read_range(&self, text: &str) -> Result<Field, String> {
        let (range, step) = match text.split_once('/') {
            None => (text, None),
            Some((_, step)) if step.contains('/') => return Err("it has more than one `/`".to_owned()),
            Some((range, step)) => (range, Some(number(step)?)),
        };
        let (low, high) = match range.split_once('-') {
            None => (range, None),
            Some((low, high)) => (low, Some(high)),
        };
        let has_star = matches!(low, "*" | "?");
        let (low, high) = if has_star {
            (self.least, self.most)
        } else {
            let low = self.value(low)?;
            match high {
                Some(high) if high.contains('-') => return Err("it has more than one `-`".to_owned()),
                Some(high) => (low, self.value(high)?),
                None if step.is_some() => (low, self.most),
                None => (low, low),
            }
        };
        if low < self.least || high > self.most {
            return Err(format!("values go from {} to {}", self.least, self.most));
        }
        if low > high {
            return Err("it ends before it begins".to_owned());
        }
        match step.unwrap_or(1) {
            0 => Err("the step must be at least 1".to_owned()),
            step => Ok(Field { bits: bits(low, high, step), has_star }),
        }
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let named = (self.least..).zip(self.names).find(|(_, name)| name.eq_ignore_ascii_case(text));
        named.map_or_else(|| number(text), |(value, _)| Ok(value))
    }
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number"))
}

fn bits(low: u32, high: u32, step: u32) -> u64 {
    (low..=high).step_by(usize::try_from(step).unwrap_or(usize::MAX)).fold(0, |bits, value| bits | 1 << value)
}
