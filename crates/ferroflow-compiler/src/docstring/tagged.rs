//! Styles whose lines begin with a tag: `:param x:` of reST and `@param x:` of Epydoc.

use super::{Docstring, cleaned_after_first};

const REST_PARAMS: [&str; 7] = ["param", "parameter", "arg", "argument", "attribute", "key", "keyword"];

/// The text before the first tag, and each tag with what follows it.
fn chunks(text: &str, sign: char) -> (String, Vec<String>) {
    let mut before = Vec::new();
    let mut chunks: Vec<String> = Vec::new();
    for line in text.split('\n') {
        match (line.starts_with(sign), chunks.last_mut()) {
            (true, _) => chunks.push(line.to_owned()),
            (false, Some(chunk)) => {
                chunk.push('\n');
                chunk.push_str(line);
            }
            (false, None) => before.push(line),
        }
    }
    (before.join("\n"), chunks)
}

pub(super) fn rest(text: &str) -> Option<Docstring> {
    let (before, chunks) = chunks(text, ':');
    let mut docstring = Docstring::with_description(&before);
    for chunk in chunks {
        let (tag, description) = chunk.trim_start_matches(':').split_once(':')?;
        let words: Vec<&str> = tag.split_whitespace().collect();
        let description = cleaned_after_first(description.trim());
        match words.as_slice() {
            ["type" | "rtype", _] | ["rtype"] => {}
            [key, names @ ..] if REST_PARAMS.contains(key) => {
                let name = names.last().filter(|_| names.len() <= 2)?;
                docstring.param(name, Some(description));
            }
            _ => docstring.other(),
        }
    }
    Some(docstring)
}

pub(super) fn epydoc(text: &str) -> Option<Docstring> {
    let (before, chunks) = chunks(text, '@');
    let mut docstring = Docstring::with_description(&before);
    for chunk in chunks {
        let (tag, description) = chunk.trim_start_matches('@').split_once(':')?;
        let words: Vec<&str> = tag.split_whitespace().collect();
        match words.as_slice() {
            ["param" | "keyword" | "ivar" | "cvar" | "var", name] => {
                docstring.param(name, Some(cleaned_after_first(description.trim())));
            }
            ["type", _] => {}
            [] => return None,
            _ => docstring.other(),
        }
    }
    Some(docstring)
}
