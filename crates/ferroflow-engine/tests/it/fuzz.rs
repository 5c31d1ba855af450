//! Cron expressions and macros of nobody in particular: whatever they are, there is an answer and no panic.

use ferroflow_engine::schedule::argument_macro::{MacroValues, expand};
use ferroflow_engine::schedule::{Cron, Zone};
use ferroflow_model::Timestamp;

/// Words of the language in any order, with raw bytes between them: most of it is nonsense that looks right.
fn words(choice: &[u8], pieces: &[&str]) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in choice {
        match pieces.get(usize::from(*byte)) {
            Some(piece) => text.extend_from_slice(piece.as_bytes()),
            None => text.push(*byte),
        }
    }
    text
}

const CRON: [&str; 24] = [
    "0",
    "*",
    "?",
    "/",
    "-",
    ",",
    " ",
    "5",
    "59",
    "60",
    "MON",
    "SUN",
    "JAN",
    "feb",
    "L",
    "W",
    "#",
    "@every ",
    "1h",
    "@daily",
    "CRON_TZ=",
    "Europe/Berlin",
    "31",
    "2",
];

#[test]
fn cron_expressions() {
    let now = Timestamp::from_seconds(1_700_000_000);
    bolero::check!().with_type::<Vec<u8>>().for_each(|choice: &Vec<u8>| {
        let text = String::from_utf8_lossy(&words(choice, &CRON)).into_owned();
        if let Ok(cron) = Cron::parse(&text) {
            // Times only go forward.
            let next = cron.next_after(now, &Zone::UTC);
            assert!(next.is_none_or(|next| next > now), "{text:?}");
        }
    });
}

const MACROS: [&str; 16] = [
    "[[",
    "]]",
    "{{$.",
    "}}",
    "RunUUID",
    "CurrentTime",
    "ScheduledTime",
    "Index",
    ".",
    "2006",
    "01",
    "15",
    "pipeline_job_uuid",
    "inputs",
    "%",
    "Z07:00",
];

#[test]
fn macros() {
    let values = MacroValues {
        run: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
        now: Timestamp::from_seconds(1_700_000_000),
        tick: Some((3, Timestamp::from_seconds(1_700_000_000))),
    };
    bolero::check!().with_type::<Vec<u8>>().for_each(|choice: &Vec<u8>| {
        let text = String::from_utf8_lossy(&words(choice, &MACROS)).into_owned();
        if let Some(expanded) = expand(&text, &values) {
            assert!(expanded.len() <= text.len() * 40 + 100, "{text:?}");
        }
    });
}
