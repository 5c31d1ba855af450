//! Volumes of this machine: a folder for each claim, and KFP's two tasks that make and remove them.
//!
//! The tasks are done here, without a process. Each is done once even if it is asked for again after a crash: what
//! made a claim, and what removed one, is noted beside the claims.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use ferroflow_engine::{ProducedOutputs, TaskAttempt};
use ferroflow_model::RunId;
use serde_json::Value;

use crate::layout;

const CREATE: &str = "argostub/createpvc";
const DELETE: &str = "argostub/deletepvc";
/// Beside the claims; no claim's name begins with a dot.
const NOTES: &str = ".notes";

/// All volumes of a data directory.
#[derive(Debug)]
pub(crate) struct Volumes {
    folder: PathBuf,
}

impl Volumes {
    /// Below this folder, which need not be there yet.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder of a claim. The reason of a failure is a sentence.
    pub(crate) fn find(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.claim(name)?;
        if folder.is_dir() {
            return Ok(folder);
        }
        Err(format!(
            "it mounts the volume `{name}`, which this machine does not have: make the folder `{}`, or let a task of the \
             pipeline create it",
            folder.display()
        ))
    }

    /// Does the work of a task that is nothing but work on volumes; `None` for all other tasks.
    pub(crate) fn perform(&self, attempt: &TaskAttempt) -> Option<Result<ProducedOutputs, String>> {
        match attempt.container.image.as_str() {
            CREATE => Some(self.create(attempt)),
            DELETE => Some(self.delete(attempt)),
            _ => None,
        }
    }

    fn claim(&self, name: &str) -> Result<PathBuf, String> {
        let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']);
        if is_plain {
            Ok(self.folder.join(name))
        } else {
            Err(format!("`{name}` cannot be the name of a volume"))
        }
    }

    fn create(&self, attempt: &TaskAttempt) -> Result<ProducedOutputs, String> {
        for required in ["access_modes", "size"] {
            if input(attempt, required).is_none() {
                return Err(format!("input `{required}` of the new volume was given no value"));
            }
        }
        let own = attempt.id.outputs_id().to_string();
        let name = match (text(attempt, "pvc_name"), text(attempt, "pvc_name_suffix")) {
            (Some(_), Some(_)) => {
                return Err("a new volume has either a name or a suffix of its name, not both".to_owned());
            }
            (Some(name), None) => name,
            (None, suffix) => format!("{own}{}", suffix.unwrap_or_default()),
        };
        let folder = self.claim(&name)?;
        let cannot = |error: io::Error| format!("the volume `{name}` cannot be made: {error}");
        let note = self.folder.join(NOTES).join(format!("made-{name}"));
        std::fs::create_dir_all(self.folder.join(NOTES)).map_err(cannot)?;
        if folder.exists() {
            let maker = std::fs::read_to_string(&note).unwrap_or_default();
            if maker != own {
                return Err(format!("there is a volume `{name}` already, at `{}`", folder.display()));
            }
        } else {
            std::fs::write(&note, &own).and_then(|()| std::fs::create_dir(&folder)).map_err(cannot)?;
        }
        let parameters = BTreeMap::from([("name".to_owned(), Value::from(name))]);
        Ok(ProducedOutputs { parameters, ..ProducedOutputs::default() })
    }

    fn delete(&self, attempt: &TaskAttempt) -> Result<ProducedOutputs, String> {
        let name = text(attempt, "pvc_name").ok_or("the volume to remove has no name")?;
        let folder = self.claim(&name)?;
        let note =
            self.folder.join(NOTES).join(removed_note(attempt.id.run, &attempt.id.outputs_id().to_string()));
        if !folder.is_dir() && !note.exists() {
            return Err(format!("there is no volume `{name}` to remove, at `{}`", folder.display()));
        }
        let remove = || {
            std::fs::create_dir_all(self.folder.join(NOTES))?;
            std::fs::write(&note, "")?;
            layout::remove(&folder.to_string_lossy())?;
            layout::remove(&self.folder.join(NOTES).join(format!("made-{name}")).to_string_lossy())
        };
        remove().map_err(|error| format!("the volume `{name}` cannot be removed: {error}"))?;
        Ok(ProducedOutputs::default())
    }

    /// Forgets what tasks of a deleted run have removed. Volumes stay: they may be of use to other runs.
    pub(crate) fn forget_run(&self, run: RunId) -> io::Result<()> {
        let entries = match std::fs::read_dir(self.folder.join(NOTES)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let start = removed_note(run, "");
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&start) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// The folder below a volume that a mount shows instead of the whole; it is made if it is not there.
pub(crate) fn part(volume: &Path, sub_path: &str) -> Result<PathBuf, String> {
    use std::path::Component;
    let steps = Path::new(sub_path);
    if !steps.components().all(|step| matches!(step, Component::Normal(_) | Component::CurDir)) {
        return Err(format!("`{sub_path}` does not lie below the volume"));
    }
    let part = volume.join(steps);
    std::fs::create_dir_all(&part)
        .map_err(|error| format!("`{}` cannot be made: {error}", part.display()))?;
    Ok(part)
}

fn removed_note(run: RunId, attempt: &str) -> String {
    format!("removed-{run}-{attempt}")
}

fn input<'a>(attempt: &'a TaskAttempt, name: &str) -> Option<&'a Value> {
    attempt.inputs.parameters.get(name).map(AsRef::as_ref).filter(|value| !value.is_null())
}

fn text(attempt: &TaskAttempt, name: &str) -> Option<String> {
    input(attempt, name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}
