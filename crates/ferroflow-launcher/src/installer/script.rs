//! The text that installs packages before a component runs.
//!
//! One or two calls of pip, joined by `&&`, perhaps with the making of a virtual environment before one of them. Read
//! like a shell would, as far as kfp's words go; anything a shell would treat specially ends the reading.

use super::{Requirements, Runner};

/// What an installer installs.
#[derive(Debug, Default)]
pub(super) struct Installed {
    pub(super) requirements: Requirements,
    pub(super) kfp: Option<String>,
}

const HEAD: &str = "
if ! [ -x \"$(command -v pip)\" ]; then
    python3 -m ensurepip || python3 -m ensurepip --user || apt-get install python3-pip
fi

PIP_DISABLE_PIP_VERSION_CHECK=1 ";
const TAIL: &str = " && \"$0\" \"$@\"\n";
const VENV: &str = "
export PIP_DISABLE_PIP_VERSION_CHECK=1
tmp=$(mktemp -d)
python3 -m venv \"$tmp/venv\" --system-site-packages
. \"$tmp/venv/bin/activate\"
 ";
const PIP: [&str; 6] = ["python3", "-m", "pip", "install", "--quiet", "--no-warn-script-location"];
/// What the SDK adds for Python 3.8; it comes with kfp.
const TYPING: &str = "typing-extensions>=3.7.4,<5; python_version<\"3.9\"";

/// Reads an installer; `None` if it is none that the SDK writes together with this runner.
pub(super) fn parse(text: &str, runner: Runner) -> Option<Installed> {
    let mut rest = text.strip_prefix(HEAD)?.strip_suffix(TAIL)?;
    let mut use_venv = false;
    let mut calls = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(VENV) {
            if use_venv {
                return None;
            }
            use_venv = true;
            rest = after;
        }
        let (words, after) = call(rest)?;
        calls.push(Call::of(&words)?);
        match after {
            Some(after) => rest = after.trim_start_matches(' '),
            None => break,
        }
    }
    join(calls, use_venv, runner)
}

/// One call of pip.
#[derive(Debug, Default)]
struct Call {
    /// Index options only.
    options: Requirements,
    /// Quoted words.
    words: Vec<String>,
}

impl Call {
    fn of(words: &[Word]) -> Option<Self> {
        let (head, rest) = words.split_at_checked(PIP.len())?;
        if !head.iter().zip(PIP).all(|(word, wanted)| !word.is_quoted && word.text == wanted) {
            return None;
        }
        let mut call = Self::default();
        let mut rest = rest.iter();
        while let Some(word) = rest.next() {
            if word.is_quoted {
                call.words.push(word.text.clone());
                continue;
            }
            // Options come before the packages.
            let value = rest.next().filter(|value| !value.is_quoted && call.words.is_empty())?.text.clone();
            match word.text.as_str() {
                "--index-url" if call.options.index_url.is_none() => call.options.index_url = Some(value),
                "--extra-index-url" => call.options.extra_index_urls.push(value),
                "--trusted-host" => call.options.trusted_hosts.push(value),
                _ => return None,
            }
        }
        (!call.words.is_empty()).then_some(call)
    }

    /// Takes the words out that the SDK adds for kfp; returns its version.
    fn take_kfp(&mut self, runner: Runner) -> Option<String> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let (kfp, before) = match (runner, words.as_slice()) {
            // These versions install kfp even if the user asks for one, and then pip must have the last word.
            (Runner::Components, [before @ .., kfp]) => (kfp.strip_prefix("kfp==")?, before),
            (Runner::Plain, [before @ .., kfp]) => {
                (kfp.strip_prefix("kfp-dsl==").or_else(|| kfp.strip_prefix("kfp=="))?, before)
            }
            (Runner::Flagged, [before @ .., kfp, "--no-deps", typing]) if *typing == TYPING => {
                (kfp.strip_prefix("kfp==")?, before)
            }
            _ => return None,
        };
        let is_version =
            kfp.starts_with("2.") && kfp.chars().all(|c| c.is_ascii_alphanumeric() || ".+-".contains(c));
        if !is_version || before.iter().any(|word| word.starts_with("kfp")) {
            return None;
        }
        let (kfp, kept) = (kfp.to_owned(), before.len());
        self.words.truncate(kept);
        if runner == Runner::Flagged && kept > 0 {
            // In one call with the user's packages, as only 2.1.3 writes it, the option is for all of them.
            self.words.push("--no-deps".to_owned());
        }
        Some(kfp)
    }
}

fn join(calls: Vec<Call>, use_venv: bool, runner: Runner) -> Option<Installed> {
    let options = calls.first()?.options.clone();
    let mut joined = Installed { requirements: options.clone(), kfp: None };
    let mut no_deps = None;
    for mut call in calls {
        if call.options != options {
            return None;
        }
        if joined.kfp.is_none() {
            joined.kfp = call.take_kfp(runner);
        }
        if call.words.is_empty() {
            continue;
        }
        let all = call.words.len();
        call.words.retain(|word| word != "--no-deps");
        let without = call.words.len() < all;
        // One environment is made in one go, with or without the dependencies.
        if call.words.iter().any(|word| word.starts_with('-')) || *no_deps.get_or_insert(without) != without {
            return None;
        }
        joined.requirements.packages.append(&mut call.words);
    }
    joined.requirements.no_deps = no_deps.unwrap_or(false);
    joined.requirements.use_venv = use_venv;
    Some(joined)
}

/// A word of a call.
#[derive(Debug)]
struct Word {
    text: String,
    is_quoted: bool,
}

/// The words up to `&&`, and what follows it, if anything does. A word is either quoted as a whole or not at all.
fn call(text: &str) -> Option<(Vec<Word>, Option<&str>)> {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(' ');
        if rest.is_empty() {
            return Some((words, None));
        }
        if let Some(after) = rest.strip_prefix("&&") {
            return Some((words, Some(after)));
        }
        let (text, is_quoted, after) = if let Some(quoted) = rest.strip_prefix('\'') {
            let (text, after) = quoted.split_once('\'')?;
            (text, true, after)
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let (text, after) = quoted.split_once('"')?;
            if text.contains(['$', '`', '\\']) {
                return None;
            }
            (text, true, after)
        } else {
            let (text, after) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
            if text.contains(|c: char| !(c.is_ascii_alphanumeric() || "-_.:/@%+=,".contains(c))) {
                return None;
            }
            (text, false, after)
        };
        if !(after.is_empty() || after.starts_with(' ')) {
            return None;
        }
        words.push(Word { text: text.to_owned(), is_quoted });
        rest = after;
    }
}
