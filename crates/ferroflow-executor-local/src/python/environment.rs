//! Environments with the packages of components: made once, then shared by all tasks that ask for the same.
//!
//! Each is a virtual environment on top of the chosen interpreter, whose own packages stay visible behind its own, as
//! they would be in an image. The skeleton is a few files, so neither `venv` nor `ensurepip` has to run; the slim
//! runtime's `make_environment.py` fills it with uv or pip. The supervisor runs that, once however many tasks wait.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use ferroflow_launcher::installer::Requirements;
use serde_json::json;

use super::PythonError;
use super::host::Host;
use super::interpreter::Interpreter;
use super::slim::SlimRuntime;
use crate::wire::{Prepare, Process, SkeletonEntry};

/// Where the environments of a data folder are.
pub(super) const FOLDER: &str = "environments";
/// Its presence says that an environment is complete; its time of change is that of the last use.
pub(super) const READY: &str = "ready";
/// Changes when environments that were made before can no longer be used.
const FORMAT: &str = "1";

/// An environment, made already or to be made.
#[derive(Debug)]
pub(super) struct Environment {
    /// Its interpreter.
    pub(super) program: String,
    pub(super) prepare: Prepare,
    pub(super) is_ready: bool,
}

/// Whether a package comes from a file or folder of this machine.
pub(super) fn is_local(requirements: &Requirements) -> bool {
    requirements.packages.iter().any(|package| {
        // `name @ url` and `name [extra] ; marker` begin with a name.
        let source = package.split_once(" @ ").map_or(package.as_str(), |(_, url)| url).trim_start();
        source.starts_with(['.', '/', '~']) || source.starts_with("file:")
    })
}

/// What is to be installed, for the process that does it.
pub(super) fn description(requirements: &Requirements) -> String {
    let wanted = json!({
        "packages": requirements.packages,
        "no_deps": requirements.no_deps,
        "index_url": requirements.index_url,
        "extra_index_urls": requirements.extra_index_urls,
        "trusted_hosts": requirements.trusted_hosts,
    });
    wanted.to_string()
}

/// The environment for these packages below the data folder. Marks it as used now.
pub(super) fn plan(
    data: &Path,
    interpreter: &Interpreter,
    slim: &SlimRuntime,
    requirements: &Requirements,
    host: &Host,
) -> Result<Environment, std::sync::Arc<PythonError>> {
    let (major, minor) = interpreter.version()?;
    let wanted = description(requirements);
    let key = blake3::hash([FORMAT, &interpreter.identity(), &wanted].join("\n").as_bytes()).to_hex();
    let name = key.get(..32).unwrap_or_default();
    let folder = data.join(FOLDER).join(name).to_string_lossy().into_owned();
    let program = format!("{folder}/bin/python3");
    let ready = format!("{folder}/{READY}");
    let process = Process {
        program: program.clone(),
        argv: vec![program.clone(), slim.file("make_environment.py"), folder.clone()],
        cwd: folder.clone(),
        env: host.build_env(&interpreter.program),
        warm: None,
    };
    let prepare = Prepare {
        skeleton: skeleton(&folder, interpreter, (major, minor), wanted),
        process,
        log: format!("{folder}.log"),
        ready,
        folder,
    };
    Ok(Environment { is_ready: mark_used(&prepare.ready), program, prepare })
}

/// The files that make a folder a virtual environment, and the description of what is to be installed.
fn skeleton(
    folder: &str,
    base: &Interpreter,
    (major, minor): (u8, u8),
    wanted: String,
) -> Vec<SkeletonEntry> {
    let library = format!("lib/python{major}.{minor}/site-packages");
    let (home, system_site_packages) = match &base.virtual_environment {
        Some(venv) => (venv.home.as_str(), venv.system_site_packages),
        None => (base.program.rsplit_once('/').map_or("/", |(home, _)| home), true),
    };
    let config = format!(
        "home = {home}\ninclude-system-site-packages = {system_site_packages}\nversion = {major}.{minor}\n"
    );
    let path = |below: &str| format!("{folder}/{below}");
    let file = |below: &str, text: String| SkeletonEntry::File { path: path(below), text, executable: false };
    let link =
        |below: &str, target: &str| SkeletonEntry::Link { path: path(below), target: target.to_owned() };
    let mut entries = vec![
        SkeletonEntry::Folder { path: path("bin") },
        SkeletonEntry::Folder { path: path(&library) },
        file("pyvenv.cfg", config),
        link("bin/python3", &base.program),
        link("bin/python", "python3"),
        file("requirements.json", wanted),
    ];
    if let Some(venv) = &base.virtual_environment {
        // Python knows no environments on top of environments: the one below is added by hand, behind.
        let below = json!(venv.folder.join(&library).to_string_lossy());
        entries
            .push(file(&format!("{library}/_base.pth"), format!("import site; site.addsitedir({below})\n")));
    }
    entries
}

/// Whether the environment is complete; if so, notes that it is used now.
fn mark_used(ready: &str) -> bool {
    /// More precise times would only cost writes.
    const PRECISION: Duration = Duration::from_mins(1);
    let Ok(metadata) = fs::metadata(ready) else { return false };
    let is_old = metadata.modified().is_ok_and(|used| used.elapsed().is_ok_and(|since| since > PRECISION));
    if is_old && let Ok(file) = File::options().append(true).open(ready) {
        // If it cannot be noted, the environment is only removed earlier.
        let _ = file.set_modified(SystemTime::now());
    }
    true
}
