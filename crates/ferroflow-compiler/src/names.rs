//! Names as KFP makes them.

use std::collections::HashSet;

/// What stands before the names of inputs that the compiler adds.
pub(crate) const INJECTED: &str = "pipelinechannel--";

/// Lower case, with one `-` for each run of other signs, and none at the ends.
#[must_use]
pub fn kubernetes(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for sign in name.to_lowercase().chars() {
        let sign = if sign.is_ascii_lowercase() || sign.is_ascii_digit() { sign } else { '-' };
        if sign != '-' || !out.ends_with('-') {
            out.push(sign);
        }
    }
    out.trim_matches('-').to_owned()
}

pub(crate) fn component(name: &str) -> String {
    format!("comp-{}", kubernetes(name))
}

pub(crate) fn executor(name: &str) -> String {
    format!("exec-{}", kubernetes(name))
}

/// The name itself, or with the first free number from 2 on.
pub(crate) fn unique(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2_u64;
    while is_taken(&candidate) {
        candidate = format!("{name}-{number}");
        number += 1;
    }
    candidate
}

/// Names in use, with the next number to try for each, so that a thousand equal names cost no more than a thousand.
#[derive(Debug, Default)]
pub struct Taken {
    names: HashSet<String>,
    next: std::collections::HashMap<String, u64>,
}

impl Taken {
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The name itself if it is free, else with the first free number from 2 on.
    pub fn claim(&mut self, name: &str) -> String {
        if self.names.insert(name.to_owned()) {
            return name.to_owned();
        }
        let mut number = self.next.get(name).copied().unwrap_or(2);
        loop {
            let candidate = format!("{name}-{number}");
            number += 1;
            if self.names.insert(candidate.clone()) {
                self.next.insert(name.to_owned(), number);
                return candidate;
            }
        }
    }
}

/// Whether KFP takes the name for a pipeline.
pub(crate) fn is_pipeline(name: &str) -> bool {
    let is_plain = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit();
    name.len() <= 128 && name.starts_with(is_plain) && name.chars().all(|sign| is_plain(sign) || sign == '-')
}

#[cfg(test)]
mod tests {
    use super::{Taken, is_pipeline, kubernetes, unique};

    #[test]
    fn names_are_those_of_kubernetes() {
        for (name, expected) in
            [("My op", "my-op"), ("_a__B_9_", "a-b-9"), ("é", ""), ("a--b", "a-b"), ("-a-", "a")]
        {
            assert_eq!(kubernetes(name), expected);
        }
    }

    #[test]
    fn the_first_free_number_is_taken() {
        let mut taken = Taken::default();
        let names: Vec<_> = ["a", "a", "a-2", "a", "a-2"].iter().map(|name| taken.claim(name)).collect();
        assert_eq!(names, ["a", "a-2", "a-2-2", "a-3", "a-2-3"]);
        assert_eq!(unique("a", |name| taken.contains(name)), "a-4");
    }

    #[test]
    fn pipelines_have_plain_names() {
        assert!(is_pipeline("a-1") && is_pipeline("1") && is_pipeline(&"a".repeat(128)));
        assert!(
            !is_pipeline("") && !is_pipeline("-a") && !is_pipeline("A") && !is_pipeline(&"a".repeat(129))
        );
    }
}
