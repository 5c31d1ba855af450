//! Finds the last Python traceback in the lines of a log.
//!
//! Pure. A traceback begins with its well-known line, goes on with indented lines, and ends with the first line that is
//! not: kind and message of the exception. Chained ones (`During handling …`) are taken together.

use super::wire::{LogLine, Traceback};

const BEGIN: &str = "Traceback (most recent call last):";
const CHAINS: [&str; 2] = [
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
];
/// Bytes of its text that are kept, from its end.
const MOST_BYTES: usize = 16 * 1024;

/// The last traceback in consecutive lines; `None` if there is none.
pub(super) fn last(lines: &[LogLine]) -> Option<Traceback> {
    let mut begin = lines.iter().rposition(|line| line.text.trim_start().starts_with(BEGIN))?;
    let end = end_of(lines, begin);
    while let Some(earlier) = chained_before(lines, begin) {
        begin = earlier;
    }
    let whole: Vec<&str> = lines.get(begin..=end)?.iter().map(|line| line.text.as_str()).collect();
    let mut text = whole.join("\n");
    if text.len() > MOST_BYTES {
        let mut from = text.len() - MOST_BYTES;
        while !text.is_char_boundary(from) {
            from += 1;
        }
        text.drain(..from);
    }
    let exception = whole.last().map(|line| line.trim().to_owned()).unwrap_or_default();
    Some(Traceback { text, exception, from_line: lines.get(begin)?.line })
}

/// The line with the exception, or the last one that still belongs to the traceback.
fn end_of(lines: &[LogLine], begin: usize) -> usize {
    let indent = indent(lines.get(begin).map_or("", |line| &line.text));
    let mut end = begin;
    for (place, line) in lines.iter().enumerate().skip(begin + 1) {
        end = place;
        let is_deeper = line.text.trim().is_empty() || self::indent(&line.text) > indent;
        if !is_deeper {
            break;
        }
    }
    end
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Begin of the traceback to which the one at `begin` is chained.
fn chained_before(lines: &[LogLine], begin: usize) -> Option<usize> {
    let before = lines.get(..begin)?;
    let chain = before.iter().rposition(|line| !line.text.trim().is_empty())?;
    let is_chain = CHAINS.contains(&before.get(chain)?.text.trim());
    let earlier = before.get(..chain)?.iter().rposition(|line| line.text.trim_start().starts_with(BEGIN))?;
    is_chain.then_some(earlier)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a log of these lines: the line where it begins, the exception, and how many lines it has.
    fn check(log: &str, expected: Option<(u64, &str, usize)>) {
        let lines: Vec<LogLine> = log
            .lines()
            .zip(100..)
            .map(|(text, line)| LogLine { line, text: text.to_owned(), cut_bytes: 0 })
            .collect();
        let found = last(&lines);
        let got = found
            .as_ref()
            .map(|found| (found.from_line, found.exception.as_str(), found.text.lines().count()));
        assert_eq!(got, expected, "{log}");
    }

    #[test]
    fn tracebacks_are_found() {
        let plain =
            "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g()\nValueError: no\n";
        check("", None);
        check("all is well\n", None);
        check(plain, Some((100, "ValueError: no", 4)));
        check(&format!("one\n{plain}two\n{plain}three"), Some((106, "ValueError: no", 4)));
        check(&format!("{plain}\n{}\n\n{plain}end", CHAINS[0]), Some((100, "ValueError: no", 11)));
        check("Traceback (most recent call last):\n  File \"a.py\"", Some((100, "File \"a.py\"", 2)));
        check(
            "  Traceback (most recent call last):\n    File\n  KeyError: 'a'\n  more",
            Some((100, "KeyError: 'a'", 3)),
        );
    }

    #[test]
    fn long_ones_keep_their_end() {
        let body = "  File \"ä.py\"\n".repeat(3000);
        let log = format!("{BEGIN}\n{body}RecursionError: deep\n");
        let lines: Vec<LogLine> = log
            .lines()
            .zip(0..)
            .map(|(text, line)| LogLine { line, text: text.to_owned(), cut_bytes: 0 })
            .collect();
        let found = last(&lines).unwrap();
        assert!(found.text.len() <= MOST_BYTES && found.text.ends_with("RecursionError: deep"));
    }
}
