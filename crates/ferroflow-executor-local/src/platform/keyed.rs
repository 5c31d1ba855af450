//! Secrets and config maps of this machine: named sets of keys with values.
//!
//! A set is a folder with a file for each key, as a cluster would mount it, or it stands in a variable of the
//! environment that holds all sets as one JSON object. The folder goes first. Values are never logged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// All sets of one kind.
#[derive(Debug)]
pub(crate) struct KeyedSets {
    kind: &'static str,
    folder: PathBuf,
    variable: &'static str,
    given: Result<BTreeMap<String, BTreeMap<String, String>>, String>,
}

/// Where one set is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyedSet<'a> {
    Folder(PathBuf),
    Given(&'a BTreeMap<String, String>),
}

impl KeyedSets {
    /// Sets below `folder`, and those in `json`, which is what the variable of this name holds.
    pub(crate) fn new(
        kind: &'static str,
        folder: PathBuf,
        variable: &'static str,
        json: Option<&str>,
    ) -> Self {
        let given = json.filter(|json| !json.trim().is_empty()).map_or_else(|| Ok(BTreeMap::new()), parse);
        Self { kind, folder, variable, given }
    }

    /// The set of this name; `None` if there is none. The reason of a failure is a sentence.
    pub(crate) fn find(&self, name: &str) -> Result<Option<KeyedSet<'_>>, String> {
        if !is_plain(name) {
            return Err(format!("`{name}` cannot be the name of a {}", self.kind));
        }
        let folder = self.folder.join(name);
        if folder.is_dir() {
            return Ok(Some(KeyedSet::Folder(folder)));
        }
        let given = self.given.as_ref();
        let given = given.map_err(|reason| format!("the variable {} {reason}", self.variable))?;
        Ok(given.get(name).map(KeyedSet::Given))
    }

    /// A sentence for a set that is not there.
    pub(crate) fn missing(&self, name: &str) -> String {
        format!(
            "it wants the {kind} `{name}`, which this machine does not have: put its keys as files into `{}`, or all \
             {kind}s as JSON into the variable {}",
            self.folder.join(name).display(),
            self.variable,
            kind = self.kind
        )
    }
}

impl KeyedSet<'_> {
    /// The value of a key; `None` if the set does not have it.
    pub(crate) fn value(&self, key: &str) -> Result<Option<String>, String> {
        if !is_plain(key) {
            return Err(format!("`{key}` cannot be a key"));
        }
        match self {
            Self::Given(values) => Ok(values.get(key).cloned()),
            Self::Folder(folder) => match std::fs::read_to_string(folder.join(key)) {
                Ok(value) => Ok(Some(value)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(format!("`{}` cannot be read: {error}", folder.join(key).display())),
            },
        }
    }

    /// A folder with a file for each key; those that are not files yet are written to `place`.
    pub(crate) fn folder(&self, place: &Path) -> std::io::Result<PathBuf> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let values = match self {
            Self::Folder(folder) => return Ok(folder.clone()),
            Self::Given(values) => values,
        };
        std::fs::create_dir_all(place)?;
        for (key, value) in values.iter().filter(|(key, _)| is_plain(key)) {
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(place.join(key))?;
            std::io::Write::write_all(&mut file, value.as_bytes())?;
        }
        Ok(place.to_owned())
    }
}

/// Whether a name is one step of a path, and not a hidden one.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with("..") && name != "." && !name.contains(['/', '\0'])
}

fn parse(json: &str) -> Result<BTreeMap<String, BTreeMap<String, String>>, String> {
    let wanted = || "must hold a JSON object of objects, such as {\"name\": {\"key\": \"value\"}}".to_owned();
    let sets: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(json).map_err(|_| wanted())?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let values =
        |set: BTreeMap<String, Value>| set.into_iter().map(|(key, value)| (key, text(value))).collect();
    Ok(sets.into_iter().map(|(name, set)| (name, values(set))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_come_from_folders_first_and_then_from_the_variable() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/key"), "from file").unwrap();
        let json = r#"{"a": {"key": "hidden"}, "b": {"key": "given", "n": 1}}"#;
        let sets = KeyedSets::new("secret", folder.path().to_owned(), "SECRETS", Some(json));
        let value = |set: &str, key: &str| sets.find(set).unwrap().unwrap().value(key).unwrap();
        assert_eq!(value("a", "key").unwrap(), "from file");
        assert_eq!(value("a", "none"), None);
        assert_eq!(value("b", "n").unwrap(), "1");
        assert!(sets.find("c").unwrap().is_none());
        for name in ["../a", "..", "a/key", ""] {
            assert!(sets.find(name).is_err(), "{name}");
        }
        let written = sets.find("b").unwrap().unwrap().folder(&folder.path().join("written")).unwrap();
        assert_eq!(std::fs::read_to_string(written.join("key")).unwrap(), "given");
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_told_when_it_is_needed() {
        let sets = KeyedSets::new("secret", "/nowhere".into(), "SECRETS", Some("[1]"));
        assert!(sets.find("a").unwrap_err().starts_with("the variable SECRETS must hold a JSON object"));
    }
}
