//! Lines for people and programs. Results go to standard output, everything else to standard error.
//!
//! A closed standard output is an error that ends the command; a closed standard error loses words only.

use std::io::{self, Write};

/// A line of results.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A line about what goes on.
pub(crate) fn error_line(text: &str) {
    let mut out = io::stderr().lock();
    let _ = writeln!(out, "{text}");
}
