//! The slim stand-in for kfp that this program carries, unpacked where interpreters find it.
//!
//! One folder per text of all files, so several versions of this program share a data folder. Python adds the bytecode
//! when the first task imports the files: a process that only compiles them would cost more than that.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::PythonError;
use crate::environment::Environment;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../kfp-runtime/", $path)))),*]
    };
}

/// Everything in `kfp-runtime`.
pub(super) const FILES: &[(&str, &str)] = files![
    "kfp/__init__.py",
    "kfp/_absent.py",
    "kfp/_executor.py",
    "kfp/_task.py",
    "kfp/client.py",
    "kfp/compiler.py",
    "kfp/components/__init__.py",
    "kfp/components/executor_main.py",
    "kfp/dsl/__init__.py",
    "kfp/dsl/_authoring.py",
    "kfp/dsl/executor_main.py",
    "kfp/dsl/types/__init__.py",
    "kfp/dsl/types/artifact_types.py",
    "kfp/dsl/types/type_annotations.py",
    "kfp/kubernetes.py",
    "kfp/local.py",
    "kfp/registry.py",
    "kfp_task.py",
    "kfp_task_in_environment.py",
    "kfp_warm.py",
    "make_environment.py",
    "real_kfp.py",
];

/// The unpacked files.
#[derive(Debug)]
pub(super) struct SlimRuntime {
    folder: String,
}

impl SlimRuntime {
    /// Unpacks the files below the data folder unless they are there.
    pub(super) fn unpack(data: &Path) -> Result<Self, PythonError> {
        let mut hasher = blake3::Hasher::new();
        for (path, text) in FILES {
            hasher.update(path.as_bytes()).update(b"\0").update(text.as_bytes()).update(b"\0");
        }
        let hash = hasher.finalize().to_hex();
        let folder = data.join("kfp-runtime").join(hash.get(..16).unwrap_or_default());
        let failed = |source| PythonError::Folder { path: folder.display().to_string(), source };
        if !is_whole(&folder) {
            write(&folder).map_err(failed)?;
        }
        Ok(Self { folder: folder.to_string_lossy().into_owned() })
    }

    /// Where all of them are.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// The path of one of the files at the top.
    pub(super) fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    /// Sets the variables by which user code finds the runtime, and the runtime the shared folder of the run.
    pub(super) fn add_variables(&self, env: &mut Environment, runtime_flag: bool, workspace: &str) {
        // For processes that user code starts; the task itself finds the files beside its own.
        env.set("PYTHONPATH", self.folder.as_str());
        env.set("_KFP_RUNTIME", if runtime_flag { "true" } else { "false" });
        env.set("FERROFLOW_WORKSPACE", workspace);
    }
}

/// A power cut may leave files empty that were renamed into place.
fn is_whole(folder: &Path) -> bool {
    FILES
        .iter()
        .all(|(path, text)| fs::metadata(folder.join(path)).is_ok_and(|file| file.len() == text.len() as u64))
}

/// Writes beside the place and renames, so that nobody sees half of it.
fn write(folder: &Path) -> io::Result<()> {
    let new = beside(folder, "new");
    for (path, text) in FILES {
        let file = new.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(file, text)?;
    }
    if fs::rename(&new, folder).is_ok() {
        return Ok(());
    }
    // Another process was faster, or what is there is broken.
    if !is_whole(folder) {
        let broken = beside(folder, "broken");
        fs::rename(folder, &broken)?;
        fs::rename(&new, folder)?;
        return fs::remove_dir_all(broken);
    }
    fs::remove_dir_all(new)
}

fn beside(folder: &Path, what: &str) -> PathBuf {
    folder.with_extension(format!("{what}-{}", std::process::id()))
}
