//! Problems: what is wrong with a file, where, and what to do about it.
//!
//! A reader of a spec never stops at the first problem; everything goes into one [`Sink`], which keeps the memory
//! of a thoroughly broken file bounded.

use std::fmt;

/// Problems kept of one file; the rest is only counted.
const KEPT: usize = 200;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the pipeline, such as `root.dag.tasks.train.inputs.parameters.x`; empty for the file as a whole.
    pub path: String,
    /// Line of the text, from 1; 0 if unknown.
    pub line: u32,
    /// Column of the text in characters, from 1; 0 if unknown.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it; empty if there is nothing to add.
    pub hint: String,
}

impl Problem {
    /// A problem of the file as a whole.
    pub fn of_file(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { path: String::new(), line: 0, column: 0, message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}: ", self.line, self.column)?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}

/// Everything that is wrong with one file or one set of arguments, in the order of the text; never empty.
///
/// Prints one problem per line. At most two hundred are kept; a last entry then says how many more there were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// A single problem of the file as a whole.
    pub fn of_file(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self(vec![Problem::of_file(message, hint)])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// Collects problems, up to a bound.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    kept: Vec<Problem>,
    more: usize,
}

impl Sink {
    pub(crate) fn push(&mut self, problem: Problem) {
        if self.is_full() {
            self.count_one_more();
        } else if !self.kept.contains(&problem) {
            self.kept.push(problem);
        }
    }

    /// Whether further problems are only counted, so that costly hints are not worth making.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= KEPT
    }

    /// Counts a problem that is not worth making, as the sink is full.
    pub(crate) fn count_one_more(&mut self) {
        self.more += 1;
    }

    pub(crate) fn into_result(mut self) -> Result<(), Problems> {
        if self.kept.is_empty() {
            return Ok(());
        }
        self.kept.sort_by_key(|problem| (problem.line, problem.column));
        if self.more > 0 {
            self.kept.push(Problem::of_file(format!("and {} more problems", self.more), ""));
        }
        Err(Problems(self.kept))
    }
}

/// A place in the pipeline, kept as a chain on the stack so that the way down costs nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

/// One step of a [`Path`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// The whole document.
    Root,
    /// A member of a map.
    Key(&'a str),
    /// A member of a list.
    Index(usize),
}

impl<'a> Path<'a> {
    pub(crate) const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    pub(crate) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Key(key) }
    }

    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    /// Whether the last step is this key.
    pub(crate) fn ends_with(&self, key: &str) -> bool {
        self.step == Step::Key(key)
    }

    /// The steps from the document's root down to here.
    pub(crate) fn steps(&self) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let mut here = Some(self);
        while let Some(path) = here {
            if path.step != Step::Root {
                steps.push(path.step);
            }
            here = path.parent;
        }
        steps.reverse();
        steps
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps().into_iter().enumerate() {
            match step {
                Step::Root => {}
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_plain(key) && position > 0 => write!(f, ".{key}")?,
                Step::Key(key) if is_plain(key) => f.write_str(key)?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
