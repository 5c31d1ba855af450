//! What the installation is made of, for the page about it.

/// A fact for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Group, such as `disk`, `python`, `tasks`.
    pub group: &'static str,
    /// What.
    pub name: &'static str,
    /// The value.
    pub value: String,
}

/// Knows the machine. May look at files, so callers ask on a thread that may wait.
pub trait SystemFacts: Send + Sync {
    /// The facts as they are now.
    fn facts(&self) -> Vec<Fact>;
}
