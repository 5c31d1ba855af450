//! The stream, and where the emitter stands in it.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::scalar::{self, is_break};
use crate::number;

const WIDTH: usize = 80;
const INDENT: usize = 2;
/// Longer keys are printed with `?`.
const SIMPLE_KEY: usize = 128;

/// What a node stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Document,
    Sequence,
    Mapping,
    Key,
}

/// Prints nodes; the fields are those of PyYAML's emitter.
#[derive(Debug)]
pub(super) struct Writer {
    out: String,
    column: usize,
    indent: usize,
    /// The last sign was white, or the line is new.
    at_white: bool,
    /// Nothing but indentation and `-` stands on the line yet.
    at_indent: bool,
}

impl Default for Writer {
    fn default() -> Self {
        Self { out: String::new(), column: 0, indent: 0, at_white: true, at_indent: true }
    }
}

impl Writer {
    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn document(&mut self, root: &Value, is_first: bool) {
        if !is_first {
            self.new_line_at_indent();
            self.indicator("---", true, false);
        }
        self.node(root, Context::Document);
        self.indent = 0;
        self.new_line_at_indent();
    }

    fn node(&mut self, value: &Value, context: Context) {
        match value {
            Value::Object(entries) if !entries.is_empty() => self.mapping(entries, context),
            Value::Array(items) if !items.is_empty() => self.sequence(items, context),
            Value::Object(_) => self.empty("{", "}"),
            Value::Array(_) => self.empty("[", "]"),
            Value::String(text) => self.text(text, context == Context::Key),
            Value::Null => self.plain("null", true),
            Value::Bool(value) => self.plain(if *value { "true" } else { "false" }, true),
            Value::Number(value) => {
                let text = match (value.is_f64(), value.as_f64()) {
                    (true, Some(float)) => number::yaml(float),
                    _ => value.to_string(),
                };
                self.plain(&text, true);
            }
        }
    }

    fn empty(&mut self, open: &str, close: &str) {
        self.indicator(open, true, false);
        self.indicator(close, false, false);
    }

    fn mapping(&mut self, entries: &Map<String, Value>, context: Context) {
        let outer = self.indent;
        if context != Context::Document {
            self.indent += INDENT;
        }
        let mut sorted: Vec<_> = entries.iter().collect();
        sorted.sort_by_key(|(key, _)| *key);
        for (key, value) in sorted {
            self.new_line_at_indent();
            let signs = key.chars().count();
            if key.is_empty() || signs >= SIMPLE_KEY || key.contains(is_break) {
                self.indicator("?", true, true);
                self.text(key, false);
                self.new_line_at_indent();
                self.indicator(":", true, true);
            } else {
                self.text(key, true);
                self.indicator(":", false, false);
            }
            self.node(value, Context::Mapping);
        }
        self.indent = outer;
    }

    fn sequence(&mut self, items: &[Value], context: Context) {
        let outer = self.indent;
        let is_indentless = context == Context::Mapping && !self.at_indent;
        if context != Context::Document && !is_indentless {
            self.indent += INDENT;
        }
        for item in items {
            self.new_line_at_indent();
            self.indicator("-", true, true);
            self.node(item, Context::Sequence);
        }
        self.indent = outer;
    }

    fn text(&mut self, text: &str, is_key: bool) {
        let signs: Vec<char> = text.chars().collect();
        let analysis = scalar::analyze(&signs);
        let is_bad_key = is_key && (analysis.is_empty || analysis.is_multiline);
        // Further lines of a text stand further in than what it belongs to.
        self.indent += INDENT;
        if analysis.allows_plain && !is_bad_key && !scalar::reads_as_other(text) {
            self.plain(text, !is_key);
        } else if analysis.allows_single_quotes && !(is_key && analysis.is_multiline) {
            self.single_quoted(&signs, !is_key);
        } else {
            self.double_quoted(&signs, !is_key);
        }
        self.indent -= INDENT;
    }

    fn put(&mut self, text: &str) {
        self.column += text.chars().count();
        self.out.push_str(text);
    }

    fn put_signs(&mut self, signs: &[char]) {
        self.column += signs.len();
        self.out.extend(signs);
    }

    fn indicator(&mut self, text: &str, needs_white: bool, keeps_indent: bool) {
        if needs_white && !self.at_white {
            self.put(" ");
        }
        self.at_white = false;
        self.at_indent = self.at_indent && keeps_indent;
        self.put(text);
    }

    fn line_break(&mut self) {
        self.at_white = true;
        self.at_indent = true;
        self.column = 0;
        self.out.push('\n');
    }

    fn new_line_at_indent(&mut self) {
        if !self.at_indent || self.column > self.indent || (self.column == self.indent && !self.at_white) {
            self.line_break();
        }
        if self.column < self.indent {
            self.at_white = true;
            let missing = self.indent - self.column;
            self.put(&" ".repeat(missing));
        }
    }

    fn plain(&mut self, text: &str, may_fold: bool) {
        if !self.at_white {
            self.put(" ");
        }
        self.at_white = false;
        self.at_indent = false;
        let mut rest = text;
        while let Some(place) = rest.find(' ') {
            let (word, after) = rest.split_at(place);
            self.put(word);
            let blank = after.len() - after.trim_start_matches(' ').len();
            let (spaces, after) = after.split_at(blank);
            if blank == 1 && self.column > WIDTH && may_fold {
                self.new_line_at_indent();
                self.at_white = false;
                self.at_indent = false;
            } else {
                self.put(spaces);
            }
            rest = after;
        }
        self.put(rest);
    }

    fn single_quoted(&mut self, text: &[char], may_fold: bool) {
        self.indicator("'", true, false);
        let mut start = 0;
        while let Some(first) = text.get(start) {
            let kind = |sign: &char| if is_break(*sign) { 2 } else { u8::from(*sign == ' ') };
            let length = text.iter().skip(start).take_while(|sign| kind(sign) == kind(first)).count();
            let end = start + length;
            let part = text.get(start..end).unwrap_or_default();
            match kind(first) {
                1 if length == 1 && self.column > WIDTH && may_fold && start != 0 && end != text.len() => {
                    self.new_line_at_indent();
                }
                2 => {
                    if *first == '\n' {
                        self.line_break();
                    }
                    for _ in part {
                        self.line_break();
                    }
                    self.new_line_at_indent();
                }
                1 => self.put_signs(part),
                _ => {
                    let word: String = part.iter().collect();
                    self.put(&word.replace('\'', "''"));
                }
            }
            start = end;
        }
        self.indicator("'", false, false);
    }

    fn double_quoted(&mut self, text: &[char], may_fold: bool) {
        self.indicator("\"", true, false);
        let (mut start, mut end) = (0, 0);
        while end <= text.len() {
            let sign = text.get(end).copied();
            if sign.is_none_or(|sign| matches!(sign, '"' | '\\') || !(' '..='~').contains(&sign)) {
                if start < end {
                    self.put_signs(text.get(start..end).unwrap_or_default());
                    start = end;
                }
                if let Some(sign) = sign {
                    self.put(&escape(sign));
                    start = end + 1;
                }
            }
            let is_inside = 0 < end && end + 1 < text.len();
            let is_place = sign == Some(' ') || start >= end;
            if is_inside && is_place && self.column + end > WIDTH + start && may_fold {
                if start < end {
                    self.put_signs(text.get(start..end).unwrap_or_default());
                    start = end;
                }
                self.put("\\");
                self.new_line_at_indent();
                self.at_white = false;
                self.at_indent = false;
                if text.get(start) == Some(&' ') {
                    self.put("\\");
                }
            }
            end += 1;
        }
        self.indicator("\"", false, false);
    }
}

fn escape(sign: char) -> String {
    let letter = match sign {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' | '\\' => sign,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(sign);
            let mut out = String::new();
            // Writing to a string cannot fail.
            let _ = match code {
                0..=0xff => write!(out, "\\x{code:02X}"),
                0x100..=0xffff => write!(out, "\\u{code:04X}"),
                _ => write!(out, "\\U{code:08X}"),
            };
            return out;
        }
    };
    format!("\\{letter}")
}
