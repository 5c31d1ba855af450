//! From URIs to places below the root, or a refusal.

use std::path::{Path, PathBuf};

use ferroflow_ports::{ErrorKind, PortError};

/// The folder that holds everything, under the names it is known by.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    /// Without symbolic links.
    real: PathBuf,
    /// The same as text, for URIs.
    text: String,
    /// As it was given, if that is another text: records may name it so.
    given: Option<String>,
}

impl Root {
    /// The folder is made if it is missing. `InvalidArgument` if its path is not UTF-8.
    pub(crate) fn open(folder: &Path) -> Result<Self, PortError> {
        let shown = folder.display();
        let failed = |error: std::io::Error| {
            PortError::new(ErrorKind::Internal, format!("cannot use the artifact folder `{shown}`"))
                .caused_by(error)
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let real = folder.canonicalize().map_err(failed)?;
        let text = |path: &Path| path.to_str().map(|text| text.trim_end_matches('/').to_owned());
        let not_text = || {
            PortError::new(
                ErrorKind::InvalidArgument,
                format!("the path of the artifact folder `{shown}` is not UTF-8"),
            )
        };
        let real_text = text(&real).ok_or_else(not_text)?;
        let given = std::path::absolute(folder).ok().and_then(|given| text(&given));
        Ok(Self { given: given.filter(|given| *given != real_text), text: real_text, real })
    }

    /// The root as a URI.
    pub(crate) fn uri(&self) -> &str {
        &self.text
    }

    /// The place of a URI, as its steps below the root; not empty. `InvalidArgument` if it lies elsewhere.
    pub(crate) fn steps<'u>(&self, uri: &'u str) -> Result<Vec<&'u str>, PortError> {
        let steps = self.below(uri).map(|rest| rest.split('/').filter(|step| !step.is_empty()).collect());
        let steps: Vec<&str> = steps.ok_or_else(|| self.elsewhere(uri))?;
        if steps.is_empty() || steps.iter().any(|step| is_dangerous(step)) {
            return Err(self.elsewhere(uri));
        }
        Ok(steps)
    }

    /// What follows the root in a URI.
    fn below<'u>(&self, uri: &'u str) -> Option<&'u str> {
        let path = uri.strip_prefix("file://").unwrap_or(uri);
        let names = [Some(&self.text), self.given.as_ref()];
        let rest = names.into_iter().flatten().find_map(|name| path.strip_prefix(name.as_str()))?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }

    /// Whether runs may write at or below this URI.
    pub(crate) fn check(&self, uri: &str) -> Result<(), PortError> {
        if self.below(uri).is_some_and(|rest| rest.trim_matches('/').is_empty()) {
            return Ok(());
        }
        self.path(&self.steps(uri)?, uri).map(|_| ())
    }

    /// The path of steps below the root. Refused if a symbolic link on the way, or at its end, leads out.
    pub(crate) fn path(&self, steps: &[&str], uri: &str) -> Result<PathBuf, PortError> {
        let mut path = self.real.clone();
        path.extend(steps);
        // What does not exist yet cannot be a link; the nearest that does exist decides.
        let nearest = path.ancestors().find(|place| place.symlink_metadata().is_ok());
        if nearest.is_some_and(|nearest| self.holds(nearest)) { Ok(path) } else { Err(self.elsewhere(uri)) }
    }

    /// Whether something that exists lies below the root once links are followed.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|real| real.starts_with(&self.real))
    }

    fn elsewhere(&self, uri: &str) -> PortError {
        PortError::new(
            ErrorKind::InvalidArgument,
            format!("`{uri}` is not served: artifacts lie below `{}`", self.text),
        )
    }
}

/// Steps that mean another place to some reader: `.` and `..`, also in percent codes, and control characters.
fn is_dangerous(step: &str) -> bool {
    let decoded = step.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/");
    matches!(decoded.as_str(), "." | "..") || decoded.contains('/') || step.chars().any(char::is_control)
}
