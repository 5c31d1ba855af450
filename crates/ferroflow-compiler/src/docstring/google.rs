//! Google's style: sections with a title and a colon, entries below them.

use super::{Docstring, clean, cleaned_after_first};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Params,
    Entries,
    /// One text.
    Single,
    /// One text, or an entry if it looks like one.
    Either,
}

fn section(line: &str) -> Option<(&str, Section)> {
    let title = line.trim_end_matches([' ', '\t', '\r']).strip_suffix(':')?;
    let section = match title {
        "Arguments" | "Args" | "Parameters" | "Params" | "Attributes" => Section::Params,
        "Raises" | "Exceptions" | "Except" => Section::Entries,
        "Example" | "Examples" => Section::Single,
        "Returns" | "Yields" => Section::Either,
        _ => return None,
    };
    Some((title, section))
}

/// None if the text is not of this style: an entry without a colon, say.
pub(super) fn parse(text: &str) -> Option<Docstring> {
    let lines: Vec<&str> = text.split('\n').collect();
    let begin = lines.iter().position(|line| section(line).is_some()).unwrap_or(lines.len());
    let before = lines.get(..begin).unwrap_or_default();
    let mut docstring = Docstring::with_description(&before.join("\n"));
    // A title that comes again takes the place of what it had.
    let mut chunks: Vec<(&str, Section, String)> = Vec::new();
    let mut rest = lines.get(begin..).unwrap_or_default();
    while let Some((title, body)) = rest.split_first() {
        let end = body.iter().position(|line| section(line).is_some()).unwrap_or(body.len());
        if let Some((title, kind)) = section(title) {
            let inside = body.get(..end).unwrap_or_default();
            // What is not indented belongs to no section.
            let known = inside.iter().position(|line| line.starts_with(|sign: char| !sign.is_whitespace()));
            let chunk = inside.get(..known.unwrap_or(inside.len())).unwrap_or_default().join("\n");
            let chunk = chunk.trim_matches('\n').to_owned();
            match chunks.iter_mut().find(|(known, ..)| *known == title) {
                Some(entry) => entry.2 = chunk,
                None => chunks.push((title, kind, chunk)),
            }
        }
        rest = body.get(end..).unwrap_or_default();
    }
    for (_, kind, chunk) in chunks {
        read_section(kind, &chunk, &mut docstring)?;
    }
    Some(docstring)
}

fn read_section(kind: Section, chunk: &str, docstring: &mut Docstring) -> Option<()> {
    if matches!(kind, Section::Single | Section::Either) {
        docstring.other();
        return Some(());
    }
    let indent = chunk.get(..chunk.len() - chunk.trim_start().len()).unwrap_or_default();
    let mut parts: Vec<String> = Vec::new();
    for line in chunk.split('\n') {
        let inner =
            line.strip_prefix(indent).filter(|rest| rest.starts_with(|sign: char| !sign.is_whitespace()));
        match (inner, parts.last_mut()) {
            (Some(inner), _) => parts.push(inner.to_owned()),
            (None, Some(part)) => {
                part.push('\n');
                part.push_str(line);
            }
            (None, None) => {}
        }
    }
    if parts.is_empty() {
        return None;
    }
    for part in parts {
        let (before, description) = part.trim_matches('\n').split_once(':')?;
        let before = match before.split_once('\n') {
            Some((first, rest)) => format!("{first}{}", clean(rest)),
            None => before.to_owned(),
        };
        let description = description.strip_prefix(' ').unwrap_or(description);
        let description = cleaned_after_first(description).trim_matches('\n').to_owned();
        if kind == Section::Params {
            docstring.param(param_name(&before), Some(description));
        } else {
            docstring.other();
        }
    }
    Some(())
}

/// `rate` of `rate (float, optional)`.
fn param_name(before: &str) -> &str {
    let Some(open) = before.find('(') else { return before };
    let has_type = before
        .rfind(')')
        .is_some_and(|close| before.get(open + 1..close).is_some_and(|kind| !kind.trim().is_empty()));
    let name = before.get(..open).unwrap_or_default().trim();
    if has_type && !name.is_empty() { name } else { before }
}
