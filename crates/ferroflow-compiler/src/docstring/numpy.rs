//! NumPy's style: titles underlined by as many dashes, entries that are not indented, texts that are.

use super::{Docstring, clean};

const PARAMS: [&str; 14] = [
    "Parameters",
    "Params",
    "Arguments",
    "Args",
    "Other Parameters",
    "Other Params",
    "Other Arguments",
    "Other Args",
    "Receives",
    "Receive",
    "Attributes",
    "Attribute",
    "Keyword Args",
    "Keyword Arguments",
];
const ENTRIES: [&str; 8] = ["Raises", "Raise", "Warns", "Warn", "Returns", "Return", "Yields", "Yield"];
const TEXTS: [&str; 10] = [
    "Examples",
    "Example",
    "Warnings",
    "Warning",
    "See Also",
    "Related",
    "Notes",
    "Note",
    "References",
    "Reference",
];

fn title<'t>(lines: &[&'t str], place: usize) -> Option<&'t str> {
    let title = lines.get(place)?.trim_end();
    let line = lines.get(place + 1)?.trim_end();
    let is_known = PARAMS.contains(&title) || ENTRIES.contains(&title) || TEXTS.contains(&title);
    (is_known && line.len() == title.len() && line.bytes().all(|sign| sign == b'-')).then_some(title)
}

pub(super) fn parse(text: &str) -> Docstring {
    let lines: Vec<&str> = text.split('\n').collect();
    let titles: Vec<(usize, &str)> =
        (0..lines.len()).filter_map(|place| title(&lines, place).map(|title| (place, title))).collect();
    let begin = titles.first().map_or(lines.len(), |(place, _)| *place);
    let mut docstring = Docstring::with_description(&lines.get(..begin).unwrap_or_default().join("\n"));
    for (number, (place, title)) in titles.iter().enumerate() {
        let end = titles.get(number + 1).map_or(lines.len(), |(place, _)| *place);
        let body = lines.get(place + 2..end).unwrap_or_default();
        if TEXTS.contains(title) {
            docstring.other();
        } else {
            entries(body, PARAMS.contains(title), &mut docstring);
        }
    }
    docstring
}

fn entries(body: &[&str], are_params: bool, docstring: &mut Docstring) {
    let is_key = |line: &&str| line.starts_with(|sign: char| !sign.is_whitespace());
    let mut rest = body.iter().position(is_key).and_then(|place| body.get(place..)).unwrap_or_default();
    while let Some((key, below)) = rest.split_first() {
        let end = below.iter().position(is_key).unwrap_or(below.len());
        let text = clean(&below.get(..end).unwrap_or_default().join("\n"));
        let text = text.trim();
        if are_params {
            let name = key.split_once(':').map_or(*key, |(name, _)| name.trim_end());
            docstring.param(name, (!text.is_empty()).then(|| text.to_owned()));
        } else {
            docstring.other();
        }
        rest = below.get(end..).unwrap_or_default();
    }
}
