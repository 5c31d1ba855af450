//! Text to documents: YAML of one or several documents, and JSON, which is YAML with braces.
//!
//! Refuses what has no clear meaning in a pipeline: duplicate keys, containers as keys, merge keys, unknown tags.
//! Aliases are written out, within the limits of the [`Builder`].

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use crate::number::{self, Scalar};
use crate::problem::{Path, Problem, Problems, Sink};
use crate::tree::{self, At, Builder, DEPTH_LIMIT, NodeRef, Tree, View};

/// Characters looked at to find the colon of a key: longer keys than YAML's 1024 occur in JSON.
const KEY_LOOKAHEAD: usize = 4096;
/// Documents looked at in one file.
const DOCUMENT_LIMIT: usize = 1000;

/// A parsed text: the nodes and where each document that is not empty begins.
#[derive(Debug)]
pub(crate) struct Documents {
    tree: Tree,
    starts: Vec<usize>,
}

impl Documents {
    /// Documents that hold something.
    pub(crate) fn iter(&self) -> impl Iterator<Item = NodeRef<'_>> {
        self.starts.iter().map(|start| self.tree.node(*start)).filter(|document| !document.is_null())
    }

    pub(crate) fn of_tree(tree: Tree) -> Self {
        let starts = if tree.is_empty() { Vec::new() } else { vec![0] };
        Self { tree, starts }
    }
}

/// Reads a text.
pub(crate) fn parse(text: &str) -> Result<Documents, Problems> {
    let mut reader = Reader::default();
    // Deeper text is stopped by the builder, which says so in our words.
    let options = granit_parser::options! {
        emit_comments: false,
        simple_key_max_lookahead: KEY_LOOKAHEAD,
        flow_nesting_limit: 2 * DEPTH_LIMIT,
        block_nesting_limit: 2 * DEPTH_LIMIT,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| syntax_problem(&error))?;
        reader.take(event, place(span.start))?;
    }
    let documents = Documents { tree: reader.builder.finish(), starts: reader.starts };
    let mut sink = Sink::default();
    for document in documents.iter() {
        find_duplicates(document, &Path::ROOT, &mut sink);
    }
    sink.into_result().map(|()| documents)
}

#[derive(Debug, Default)]
struct Reader {
    builder: Builder,
    starts: Vec<usize>,
    /// Finished nodes by anchor.
    anchors: HashMap<usize, usize>,
    /// Anchor of each open container, 0 for none.
    open: Vec<usize>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, at: At) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(..) => {
                if self.starts.len() >= DOCUMENT_LIMIT {
                    return Err(at.problem(format!("more than {DOCUMENT_LIMIT} documents in one file"), ""));
                }
                self.starts.push(self.builder.next_index());
                self.anchors.clear();
            }
            Event::Scalar(text, style, anchor, tag) => {
                if anchor != 0 {
                    self.anchors.insert(anchor, self.builder.next_index());
                }
                self.scalar(&text, style, tag.as_deref(), at)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.container(anchor, tag.as_ref(), "seq", at)?;
                self.builder.open_list(at)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.container(anchor, tag.as_ref(), "map", at)?;
                self.builder.open_map(at)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let anchor = self.open.pop().unwrap_or_default();
                if let Some(index) = self.builder.close().filter(|_| anchor != 0) {
                    self.anchors.insert(anchor, index);
                }
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(index) if self.builder.wants_key() && !self.builder.is_text(*index) => {
                    return Err(at.problem("an alias as a key must stand for a string", ""));
                }
                Some(index) => self.builder.repeat(*index, at)?,
                None => {
                    return Err(
                        at.problem("an alias inside the value that it stands for", "write the value out")
                    );
                }
            },
            _ => {}
        }
        Ok(())
    }

    fn container(
        &mut self,
        anchor: usize,
        tag: Option<&Cow<'_, Tag>>,
        kind: &str,
        at: At,
    ) -> Result<(), Problem> {
        if self.builder.wants_key() {
            return Err(at.problem("a list or map as a key", "keys must be strings"));
        }
        if let Some(tag) = tag
            && !is_core(tag, kind)
        {
            return Err(unknown_tag(tag, at));
        }
        self.open.push(anchor);
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: At) -> Result<(), Problem> {
        if self.builder.wants_key() {
            if text == "<<" && style == ScalarStyle::Plain {
                return Err(at.problem("merge keys (`<<`) are not supported", "write the entries out"));
            }
            return self.builder.text(text, at);
        }
        let plain = match tag {
            None if style == ScalarStyle::Plain => number::plain(text),
            None => Scalar::Text,
            Some(tag) => tagged(text, tag, at)?,
        };
        match plain {
            Scalar::Null => self.builder.null(at),
            Scalar::Bool(value) => self.builder.boolean(value, at),
            Scalar::Number(value) => self.builder.number(value, at),
            Scalar::Text => self.builder.text(text, at),
            Scalar::NotFinite => Err(at.problem(
                format!("`{text}` is not a value that a pipeline can hold"),
                "quote it if a string is meant",
            )),
        }
    }
}

/// A scalar whose type its tag decides.
fn tagged(text: &str, tag: &Tag, at: At) -> Result<Scalar, Problem> {
    if tag.suffix().is_empty() || is_core(tag, "str") {
        return Ok(Scalar::Text);
    }
    let read = number::plain(text);
    let fits = match &read {
        Scalar::Null => is_core(tag, "null"),
        Scalar::Bool(_) => is_core(tag, "bool"),
        Scalar::Number(number) => is_core(tag, "float") || (is_core(tag, "int") && !number.is_f64()),
        Scalar::Text | Scalar::NotFinite => false,
    };
    if fits {
        return Ok(read);
    }
    if ["null", "bool", "int", "float"].iter().any(|kind| is_core(tag, kind)) {
        return Err(at.problem(format!("`{text}` is not a {}", tag.suffix()), ""));
    }
    Err(unknown_tag(tag, at))
}

fn is_core(tag: &Tag, kind: &str) -> bool {
    tag.is_yaml_core_schema() && tag.suffix() == kind
}

fn unknown_tag(tag: &Tag, at: At) -> Problem {
    at.problem(format!("the tag `{tag}` means nothing in a pipeline"), "remove the tag")
}

fn place(marker: Marker) -> At {
    let small = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
    At { line: small(marker.line()), column: small(marker.col() + 1) }
}

fn syntax_problem(error: &ScanError) -> Problem {
    let at = place(*error.marker());
    // The scanner runs ahead of the builder, so it may be the first to meet a text that is too deep.
    if error.info().contains("recursion limit") {
        return tree::too_deep(at);
    }
    at.problem(format!("not valid YAML: {}", error.info()), "")
}

/// Reports keys that a map has twice: readers disagree on which one counts.
fn find_duplicates(node: NodeRef<'_>, path: &Path<'_>, sink: &mut Sink) {
    match node.view() {
        View::Map => {
            let mut seen = HashSet::new();
            for (key, value) in node.entries() {
                let name = key.as_str().unwrap_or_default();
                let path = path.key(name);
                if !seen.insert(name) {
                    sink.push(Problem {
                        path: path.to_string(),
                        ..key
                            .at()
                            .problem(format!("the key `{name}` stands here twice"), "remove one of the two")
                    });
                }
                find_duplicates(value, &path, sink);
            }
        }
        View::List => {
            for (index, item) in node.items().enumerate() {
                find_duplicates(item, &path.index(index), sink);
            }
        }
        _ => {}
    }
}
