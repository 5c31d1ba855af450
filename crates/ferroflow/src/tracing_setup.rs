//! Diagnostics on standard error, as much as `FERROFLOW_LOG` asks for.

use std::io::IsTerminal as _;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::environment;
use crate::exit::UsageError;

/// Starts writing diagnostics: warnings and errors unless the variable says otherwise.
pub(crate) fn start() -> Result<(), UsageError> {
    let filter = match environment::log_filter() {
        None => Targets::new().with_default(LevelFilter::WARN),
        Some(text) => text.parse::<Targets>().map_err(|error| {
            UsageError(format!(
                "`{}` is not a filter such as `info` or `ferroflow_runtime=debug`: {error}",
                environment::LOG
            ))
        })?,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && environment::wants_colour());
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    Ok(())
}
