//! Which Python runs the tasks.
//!
//! The one of the options, else that of the active virtual environment, else `python3` on PATH. Shims (small programs
//! that look for the interpreter each time, which costs a tenth of a second) are followed to the real file: those of
//! pyenv by its rules, others by asking once. The version is read off names and files where that is possible, because
//! starting an interpreter for the question costs as much as a task.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use super::host::Host;
use super::{PythonError, PythonOptions};

/// A real interpreter, not a shim.
#[derive(Debug, Clone)]
pub(super) struct Interpreter {
    /// Absolute path to start it by; in a virtual environment this is the link inside it.
    pub(super) program: String,
    /// The environment it belongs to, if it belongs to one.
    pub(super) virtual_environment: Option<VirtualEnvironment>,
    version: OnceLock<(u8, u8)>,
}

/// What `pyvenv.cfg` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VirtualEnvironment {
    pub(super) folder: PathBuf,
    /// Folder of the interpreter that it was made from.
    pub(super) home: String,
    /// Whether it shows the packages of that one.
    pub(super) system_site_packages: bool,
}

/// What was found before anything was started.
#[derive(Debug)]
pub(super) enum Found {
    /// An interpreter.
    Known(Interpreter),
    /// A program that starts one.
    Shim(PathBuf),
}

impl Found {
    /// The interpreter, if nobody has to be asked.
    pub(super) fn known(self) -> Option<Interpreter> {
        match self {
            Self::Known(interpreter) => Some(interpreter),
            Self::Shim(_) => None,
        }
    }

    /// The interpreter, after asking a shim which one it would start.
    pub(super) fn ask(self) -> Result<Interpreter, PythonError> {
        match self {
            Self::Known(interpreter) => Ok(interpreter),
            Self::Shim(shim) => {
                let (program, version) = ask(&shim)?;
                let interpreter = Interpreter::at(Path::new(&program));
                // An error means that it was read from a file already.
                let _ = interpreter.version.set(version);
                Ok(interpreter)
            }
        }
    }
}

impl Interpreter {
    fn at(program: &Path) -> Self {
        let folder = program.parent().and_then(Path::parent).unwrap_or_else(|| Path::new("/"));
        let config = fs::read_to_string(folder.join("pyvenv.cfg")).unwrap_or_default();
        let entry = |wanted: &str| {
            let mut entries = config.lines().filter_map(|line| line.split_once('='));
            entries.find(|(key, _)| key.trim() == wanted).map(|(_, value)| value.trim())
        };
        let virtual_environment = entry("home").map(|home| VirtualEnvironment {
            folder: folder.to_owned(),
            home: home.to_owned(),
            system_site_packages: entry("include-system-site-packages") == Some("true"),
        });
        let version = OnceLock::new();
        let written = entry("version").or_else(|| entry("version_info")).and_then(two_numbers);
        if let Some(known) = written.or_else(|| version_in_name(program)) {
            // It was made a moment ago, so it is empty.
            let _ = version.set(known);
        }
        Self { program: program.to_string_lossy().into_owned(), virtual_environment, version }
    }

    /// Major and minor version. Asks the interpreter if no file tells.
    pub(super) fn version(&self) -> Result<(u8, u8), Arc<PythonError>> {
        if let Some(version) = self.version.get() {
            return Ok(*version);
        }
        let (_, version) = ask(Path::new(&self.program))?;
        Ok(*self.version.get_or_init(|| version))
    }

    /// Changes when another interpreter takes the place of this one.
    pub(super) fn identity(&self) -> String {
        let real = fs::canonicalize(&self.program).unwrap_or_else(|_| PathBuf::from(&self.program));
        let (changed, size) = fs::metadata(&real)
            .map(|metadata| ((metadata.mtime(), metadata.mtime_nsec()), metadata.size()))
            .unwrap_or_default();
        format!("{}\n{}\n{changed:?}\n{size}", self.program, real.display())
    }
}

/// Looks for the interpreter without starting anything.
pub(super) fn find(options: &PythonOptions, host: &Host) -> Result<Found, PythonError> {
    if let Some(given) = &options.python {
        let path = if given.contains('/') {
            let path = options.working_folder.join(given);
            is_executable(&path).then_some(path)
        } else {
            on_path(host, given)
        };
        let path = path.ok_or_else(|| PythonError::NotExecutable(given.clone()))?;
        return Ok(follow(path, options, host));
    }
    if let Some(active) = host.get("VIRTUAL_ENV").filter(|folder| !folder.is_empty()) {
        let names = ["python3", "python"].map(|name| Path::new(active).join("bin").join(name));
        if let Some(program) = names.iter().find(|path| is_executable(path)) {
            return Ok(Found::Known(Interpreter::at(program)));
        }
    }
    let path = on_path(host, "python3").ok_or(PythonError::NoInterpreter)?;
    Ok(follow(path, options, host))
}

/// From what was found on PATH to the interpreter.
fn follow(path: PathBuf, options: &PythonOptions, host: &Host) -> Found {
    let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
    let is_named_python = real.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python"));
    let is_script = fs::File::open(&real).is_ok_and(|mut file| {
        let mut head = [0; 2];
        std::io::Read::read_exact(&mut file, &mut head).is_ok() && head == *b"#!"
    });
    if is_named_python && !is_script {
        return Found::Known(Interpreter::at(&path));
    }
    match behind_pyenv(&path, options, host) {
        Some(program) => Found::Known(Interpreter::at(&program)),
        None => Found::Shim(path),
    }
}

/// The file that a shim of pyenv starts: by `PYENV_VERSION`, else the nearest `.python-version`, else the global
/// version. `None` whenever the rules become finer than that.
fn behind_pyenv(shim: &Path, options: &PythonOptions, host: &Host) -> Option<PathBuf> {
    let root = shim.parent().filter(|folder| folder.ends_with("shims"))?.parent()?;
    let read = |path: PathBuf| fs::read_to_string(path).ok();
    let versions = match host.get("PYENV_VERSION").filter(|text| !text.is_empty()) {
        Some(text) => text.replace(':', " "),
        None => options
            .working_folder
            .ancestors()
            .find_map(|folder| read(folder.join(".python-version")))
            .or_else(|| read(root.join("version")))?,
    };
    let first = versions.split_whitespace().next().filter(|word| !word.contains('/'))?;
    let program = root.join("versions").join(first).join("bin").join(shim.file_name()?);
    is_executable(&program).then_some(program)
}

fn on_path(host: &Host, name: &str) -> Option<PathBuf> {
    let path = host.get("PATH")?;
    path.split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Path::new(folder).join(name))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// `3.11` of `/usr/bin/python3.11`, links followed.
fn version_in_name(program: &Path) -> Option<(u8, u8)> {
    let real = fs::canonicalize(program).ok()?;
    two_numbers(real.file_name()?.to_str()?.strip_prefix("python")?)
}

/// The first two numbers of `3.11.7`.
fn two_numbers(text: &str) -> Option<(u8, u8)> {
    let mut numbers = text.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Starts it with nothing but its own modules and lets it tell its path and version.
fn ask(program: &Path) -> Result<(String, (u8, u8)), PythonError> {
    const QUESTION: &str = "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])";
    let useless = |reason: String| PythonError::Useless { program: program.display().to_string(), reason };
    let answer = Command::new(program)
        .args(["-I", "-S", "-c", QUESTION])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| useless(error.to_string()))?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        return Err(useless(said.trim().lines().last().unwrap_or("it failed without a word").to_owned()));
    }
    let text = String::from_utf8_lossy(&answer.stdout);
    let mut lines = text.lines();
    match (lines.next(), lines.next().and_then(two_numbers)) {
        (Some(path), Some(version)) if path.starts_with('/') => Ok((path.to_owned(), version)),
        _ => Err(useless(format!("it answered `{}`", text.trim()))),
    }
}
