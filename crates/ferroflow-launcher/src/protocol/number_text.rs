//! JSON with numbers as Go prints them.
//!
//! Python tells `2` from `2.0`, and KFP's backend prints integral doubles without a point; so must we.

use std::io;

use serde_json::ser::{CompactFormatter, Formatter};

/// Compact JSON; integral doubles have no decimal point at any depth.
pub(super) struct GoNumbers;

impl Formatter for GoNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(json_number(value).as_bytes())
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(writer, f64::from(value))
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        CompactFormatter.write_string_fragment(writer, fragment)
    }
}

/// Plain digits from 1e-6 up to 1e21, an exponent outside.
fn json_number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return plain_number(value);
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// The shortest decimal, never with an exponent: the form inside commands.
pub(super) fn plain_number(value: f64) -> String {
    format!("{value}")
}
