//! The text of a spec as a tree that knows the line and column of every node.
//!
//! Nodes lie in one vector in the order of the text, a container before its members and each with the number of
//! nodes below it, so a file of 100,000 tasks costs 20 bytes per node and an alias is copied by moving one slice.
//! Knows neither YAML nor JSON: those feed the [`Builder`].

use serde_json::{Map, Number, Value};

use crate::problem::{Problem, Step};

/// Nesting allowed in a file; below what JSON readers downstream accept.
pub(crate) const DEPTH_LIMIT: usize = 100;
/// Nodes allowed in one file, aliases written out.
pub(crate) const NODE_LIMIT: usize = 3_000_000;
/// Nodes that aliases may add to a file.
const ALIAS_LIMIT: usize = 250_000;

/// One or more documents.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    text: String,
    numbers: Vec<Number>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    what: What,
    line: u32,
    column: u32,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Null,
    Bool(bool),
    /// Index into the numbers.
    Number(u32),
    /// Slice of the text.
    Text {
        start: u32,
        length: u32,
    },
    /// Number of members and of all nodes below.
    List {
        members: u32,
        below: u32,
    },
    /// Number of entries and of all nodes below; keys and values alternate.
    Map {
        members: u32,
        below: u32,
    },
}

/// Where in the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl At {
    pub(crate) fn problem(self, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { line: self.line, column: self.column, ..Problem::of_file(message, hint) }
    }
}

/// One node, seen by a reader.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeRef<'t> {
    tree: &'t Tree,
    index: usize,
}

/// What a node is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View<'t> {
    Null,
    Bool(bool),
    Number(&'t Number),
    Text(&'t str),
    List,
    Map,
}

impl View<'_> {
    /// Name of the kind for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }
}

impl Tree {
    pub(crate) fn node(&self, index: usize) -> NodeRef<'_> {
        NodeRef { tree: self, index }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

impl<'t> NodeRef<'t> {
    fn raw(self) -> Node {
        self.tree.nodes.get(self.index).copied().unwrap_or(Node { what: What::Null, line: 0, column: 0 })
    }

    pub(crate) fn at(self) -> At {
        let node = self.raw();
        At { line: node.line, column: node.column }
    }

    pub(crate) fn view(self) -> View<'t> {
        match self.raw().what {
            What::Null => View::Null,
            What::Bool(value) => View::Bool(value),
            What::Number(index) => match self.tree.numbers.get(index as usize) {
                Some(number) => View::Number(number),
                None => View::Null,
            },
            What::Text { start, length } => {
                View::Text(self.tree.text.get(start as usize..(start + length) as usize).unwrap_or_default())
            }
            What::List { .. } => View::List,
            What::Map { .. } => View::Map,
        }
    }

    pub(crate) fn as_str(self) -> Option<&'t str> {
        match self.view() {
            View::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(self) -> bool {
        matches!(self.raw().what, What::Null)
    }

    pub(crate) fn is_map(self) -> bool {
        matches!(self.raw().what, What::Map { .. })
    }

    fn is_scalar(self) -> bool {
        matches!(self.raw().what, What::Bool(_) | What::Number(_) | What::Text { .. })
    }

    /// Members of a list; nothing for other kinds.
    pub(crate) fn items(self) -> impl Iterator<Item = NodeRef<'t>> {
        let count = match self.raw().what {
            What::List { members, .. } => members,
            _ => 0,
        };
        self.siblings(count as usize)
    }

    /// Entries of a map, key and value; nothing for other kinds.
    pub(crate) fn entries(self) -> impl Iterator<Item = (NodeRef<'t>, NodeRef<'t>)> {
        let count = match self.raw().what {
            What::Map { members, .. } => members,
            _ => 0,
        };
        let mut nodes = self.siblings(2 * count as usize);
        std::iter::from_fn(move || Some((nodes.next()?, nodes.next()?)))
    }

    fn siblings(self, count: usize) -> impl Iterator<Item = NodeRef<'t>> {
        let tree = self.tree;
        let mut next = self.index + 1;
        (0..count).map(move |_| {
            let node = NodeRef { tree, index: next };
            next += 1 + node.below();
            node
        })
    }

    fn below(self) -> usize {
        match self.raw().what {
            What::List { below, .. } | What::Map { below, .. } => below as usize,
            _ => 0,
        }
    }

    /// The entry of this proto field, in either spelling; key and value.
    pub(crate) fn entry(self, field: &str) -> Option<(NodeRef<'t>, NodeRef<'t>)> {
        self.entries().find(|(key, _)| key.as_str().is_some_and(|key| is_field(key, field)))
    }

    /// The value of this proto field, in either spelling; null counts as absent, as in proto JSON.
    pub(crate) fn field(self, field: &str) -> Option<NodeRef<'t>> {
        self.entry(field).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// Follows a path as far as it goes and gives the place in the text to point at.
    pub(crate) fn locate(self, steps: &[Step<'_>]) -> At {
        let mut node = self;
        let mut at =
            if self.is_map() { At { line: self.at().line, column: self.at().column } } else { self.at() };
        for step in steps {
            let found = match step {
                Step::Root => Some((node, node)),
                Step::Key(key) => {
                    node.entries().find(|(name, _)| name.as_str() == Some(*key)).or_else(|| node.entry(key))
                }
                Step::Index(index) => node.items().nth(*index).map(|item| (item, item)),
            };
            let Some((key, value)) = found else { break };
            at = pointed(key, value);
            node = value;
        }
        at
    }

    /// The node as a JSON value.
    pub(crate) fn to_value(self) -> Value {
        match self.view() {
            View::Null => Value::Null,
            View::Bool(value) => Value::Bool(value),
            View::Number(number) => Value::Number(number.clone()),
            View::Text(text) => Value::String(text.to_owned()),
            View::List => Value::Array(self.items().map(NodeRef::to_value).collect()),
            View::Map => Value::Object(self.to_object()),
        }
    }

    /// The node as a JSON object; empty for other kinds.
    pub(crate) fn to_object(self) -> Map<String, Value> {
        self.entries()
            .map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), value.to_value()))
            .collect()
    }

    /// Writes the node as compact JSON, members in the order of the text.
    pub(crate) fn write_json(self, out: &mut String) {
        match self.view() {
            View::Null => out.push_str("null"),
            View::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            View::Number(number) => out.push_str(&number.to_string()),
            View::Text(text) => push_quoted(text, out),
            View::List => {
                out.push('[');
                for (index, item) in self.items().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_json(out);
                }
                out.push(']');
            }
            View::Map => {
                out.push('{');
                for (index, (key, value)) in self.entries().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    push_quoted(key.as_str().unwrap_or_default(), out);
                    out.push(':');
                    value.write_json(out);
                }
                out.push('}');
            }
        }
    }
}

/// Where to point for an entry: at a scalar itself, else at its key, since a container's own place is the next line.
pub(crate) fn pointed(key: NodeRef<'_>, value: NodeRef<'_>) -> At {
    if value.is_scalar() { value.at() } else { key.at() }
}

fn push_quoted(text: &str, out: &mut String) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

/// Whether a key of the text names the proto field, whose JSON name is given, in camelCase or snake_case.
pub(crate) fn is_field(key: &str, field: &str) -> bool {
    if key == field {
        return true;
    }
    let mut key = key.bytes();
    for expected in field.bytes() {
        if expected.is_ascii_uppercase() && key.next() != Some(b'_') {
            return false;
        }
        if key.next() != Some(expected.to_ascii_lowercase()) {
            return false;
        }
    }
    key.next().is_none()
}

/// Feeds a [`Tree`], within the limits of depth and size.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    tree: Tree,
    open: Vec<Open>,
    copied: usize,
}

#[derive(Debug)]
struct Open {
    index: usize,
    members: u32,
}

impl Builder {
    /// Index that the next node gets.
    pub(crate) fn next_index(&self) -> usize {
        self.tree.nodes.len()
    }

    /// Whether the next node is a key: the innermost container is a map and has as many keys as values.
    pub(crate) fn wants_key(&self) -> bool {
        self.open.last().is_some_and(|open| {
            open.members.is_multiple_of(2)
                && matches!(self.tree.nodes.get(open.index), Some(Node { what: What::Map { .. }, .. }))
        })
    }

    /// Whether the node is a string.
    pub(crate) fn is_text(&self, index: usize) -> bool {
        self.tree.node(index).as_str().is_some()
    }

    pub(crate) fn finish(self) -> Tree {
        self.tree
    }

    pub(crate) fn null(&mut self, at: At) -> Result<(), Problem> {
        self.push(What::Null, at)
    }

    pub(crate) fn boolean(&mut self, value: bool, at: At) -> Result<(), Problem> {
        self.push(What::Bool(value), at)
    }

    pub(crate) fn number(&mut self, value: Number, at: At) -> Result<(), Problem> {
        let index = small(self.tree.numbers.len());
        self.tree.numbers.push(value);
        self.push(What::Number(index), at)
    }

    pub(crate) fn text(&mut self, value: &str, at: At) -> Result<(), Problem> {
        let start = small(self.tree.text.len());
        self.tree.text.push_str(value);
        self.push(What::Text { start, length: small(value.len()) }, at)
    }

    pub(crate) fn open_list(&mut self, at: At) -> Result<(), Problem> {
        self.open(What::List { members: 0, below: 0 }, at)
    }

    pub(crate) fn open_map(&mut self, at: At) -> Result<(), Problem> {
        self.open(What::Map { members: 0, below: 0 }, at)
    }

    /// Ends the innermost open container and gives its index.
    pub(crate) fn close(&mut self) -> Option<usize> {
        let open = self.open.pop()?;
        let count = small(self.tree.nodes.len() - open.index - 1);
        if let Some(node) = self.tree.nodes.get_mut(open.index) {
            match &mut node.what {
                What::List { members, below } => (*members, *below) = (open.members, count),
                What::Map { members, below } => (*members, *below) = (open.members / 2, count),
                _ => {}
            }
        }
        Some(open.index)
    }

    /// Repeats the finished node at `index`, as an alias does.
    pub(crate) fn repeat(&mut self, index: usize, at: At) -> Result<(), Problem> {
        let size = 1 + self.tree.node(index).below();
        self.copied += size;
        if self.copied > ALIAS_LIMIT {
            return Err(at.problem(
                format!("aliases (`*name`) blow this file up to more than {ALIAS_LIMIT} values"),
                "write the values out instead of using aliases",
            ));
        }
        if self.open.len() + self.height(index) > DEPTH_LIMIT {
            return Err(too_deep(at));
        }
        self.room_for(size, at)?;
        self.tree.nodes.extend_from_within(index..index + size);
        Ok(())
    }

    /// Levels of containers in the finished node at `index`, itself included.
    fn height(&self, index: usize) -> usize {
        let mut ends = Vec::new();
        let mut highest = 0;
        for here in index..=index + self.tree.node(index).below() {
            while ends.last().is_some_and(|end| *end < here) {
                ends.pop();
            }
            if let Some(Node { what: What::List { below, .. } | What::Map { below, .. }, .. }) =
                self.tree.nodes.get(here)
            {
                ends.push(here + *below as usize);
                highest = highest.max(ends.len());
            }
        }
        highest
    }

    fn open(&mut self, what: What, at: At) -> Result<(), Problem> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(too_deep(at));
        }
        let index = self.next_index();
        self.push(what, at)?;
        self.open.push(Open { index, members: 0 });
        Ok(())
    }

    fn push(&mut self, what: What, at: At) -> Result<(), Problem> {
        self.room_for(1, at)?;
        self.tree.nodes.push(Node { what, line: at.line, column: at.column });
        Ok(())
    }

    fn room_for(&mut self, count: usize, at: At) -> Result<(), Problem> {
        if self.tree.nodes.len() + count > NODE_LIMIT {
            return Err(at.problem(format!("holds more than {NODE_LIMIT} values"), ""));
        }
        if let Some(open) = self.open.last_mut() {
            open.members += 1;
        }
        Ok(())
    }
}

pub(crate) fn too_deep(at: At) -> Problem {
    at.problem(format!("nested more than {DEPTH_LIMIT} levels deep"), "")
}

/// Sizes fit because the text is limited to 32 MiB and the nodes to [`NODE_LIMIT`].
fn small(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
