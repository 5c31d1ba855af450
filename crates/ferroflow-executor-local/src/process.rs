//! From a task attempt to the process that runs it.

use std::io;
use std::path::Path;

use ferroflow_engine::TaskAttempt;
use ferroflow_launcher::installer::{PythonTask, recognise};
use ferroflow_launcher::protocol::{ExpectedOutputs, Places, ProtocolError, Resolver, ShownUris};
use ferroflow_ports::{ErrorKind, PortError};
use ferroflow_spec::ir::ContainerSpec;
use serde::{Deserialize, Serialize};

use crate::entry::{self, Download, Entry};
use crate::environment::Environment;
use crate::executor::Settings;
use crate::linux::namespace::Mount;
use crate::mirror;
use crate::platform::Form;
use crate::python::Wanted;
use crate::scratch::Slot;
use crate::wire::{Prepare, Process, Start, Warm};

/// Commands with these words bring the real kfp with them, which turns URIs into paths by rules of its own.
const REAL_KFP: [&str; 2] = ["kfp.dsl.executor_main", "kfp.components.executor_main"];

/// A scratch folder that was given to an attempt.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) slot: Slot,
    pub(crate) path: String,
}

/// What is stored with an attempt, so that whoever finds it ended can read its results and clear up after it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Context {
    /// Its scratch folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slot: Option<Slot>,
    /// What it has promised to write, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<ExpectedOutputs>,
    /// Where it is told why user code was not started after all, if its entry may find out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) complaint: Option<String>,
    /// Where the end of its container is told, and where what was copied out of it lies, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) container: Option<(String, String)>,
}

/// Bounds of a file of the web.
const LARGEST_DOWNLOAD_BYTES: u64 = 16 * 1024 * 1024 * 1024;
const LONGEST_DOWNLOAD_SECONDS: u64 = 3600;

/// A file or folder of a store elsewhere and its copy on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transfer {
    pub(crate) uri: String,
    pub(crate) path: String,
}

/// An attempt with everything that the supervisor must know.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) start: Start,
    /// What must be copied from elsewhere before that.
    pub(crate) inputs: Vec<Transfer>,
}

/// Makes the folders of an attempt. An error is a sentence about why the attempt cannot be started.
pub(crate) fn prepare(
    attempt: &TaskAttempt,
    settings: &Settings,
    scratch: &Scratch,
) -> Result<Prepared, PortError> {
    let preparation = Preparation { attempt, settings, scratch: &scratch.path, slot: scratch.slot };
    let container = &attempt.container;
    let task = recognise(&container.command, &container.args);
    if let Some(containers) = &settings.containers
        && containers.cover(&container.image, task.is_some())
    {
        return preparation.contained(containers, task);
    }
    if let Some(task) = task
        && let Some(start) = preparation.python(task)?
    {
        return Ok(start);
    }
    preparation.as_written()
}

/// One attempt and the folder that it got.
#[derive(Clone, Copy)]
pub(crate) struct Preparation<'a> {
    pub(crate) attempt: &'a TaskAttempt,
    pub(crate) settings: &'a Settings,
    pub(crate) scratch: &'a str,
    pub(crate) slot: Slot,
}

impl Preparation<'_> {
    pub(crate) fn places(&self, shown: ShownUris) -> Places {
        Places {
            parameters: format!("{}/outputs", self.scratch),
            workspace: self.settings.layout.workspace(self.attempt.id.run),
            mapping: mirror::mapping(self.attempt, self.settings, self.scratch, shown),
        }
    }

    /// What every task gets.
    fn environment(&self, places: &Places) -> Environment {
        let mut env = self.settings.environment.clone();
        env.set("TMPDIR", self.scratch);
        Self::add_roots(&mut env, places);
        env
    }

    /// Tells the slim runtime where artifacts of other stores are.
    pub(crate) fn add_roots(env: &mut Environment, places: &Places) {
        if let Some(roots) = mirror::local_roots(&places.mapping) {
            env.set("FERROFLOW_LOCAL_ROOTS", roots);
        }
    }

    /// Adds what the component sets, with placeholders replaced; it goes before all else.
    pub(crate) fn add_component_variables(
        &self,
        env: &mut Environment,
        resolver: &Resolver<'_>,
    ) -> Result<(), PortError> {
        for (name, value) in &self.attempt.container.env {
            env.set(name, resolved(resolver, value)?);
        }
        Ok(())
    }

    /// A lightweight component without its shell and its installer; `None` if it must run as written.
    fn python(&self, mut task: PythonTask) -> Result<Option<Prepared>, PortError> {
        let places = self.places(ShownUris::Real);
        let resolver = Resolver::new(self.attempt, &places);
        task.source = resolved(&resolver, &task.source)?;
        task.executor_input = resolved(&resolver, &task.executor_input)?;
        let wanted = Wanted {
            task: &task,
            run: self.attempt.id.run,
            image: &self.attempt.container.image,
            folder: self.scratch,
            workspace: &places.workspace,
        };
        let mut env = self.environment(&places);
        let plan = self.settings.python.plan(&wanted, &mut env).map_err(invalid)?;
        let Some(plan) = plan else { return Ok(None) };
        for (path, text) in &plan.files {
            std::fs::write(path, text).map_err(|error| no_folder(path, error))?;
            if text.contains(&places.workspace) {
                make_folder(&places.workspace)?;
            }
        }
        self.add_component_variables(&mut env, &resolver)?;
        let mounts = self.apply_platform(&places, &mut env, plan.warning, Form::Process)?;
        let (cwd, env) = (self.scratch.to_owned(), env.into_variables());
        let warm = self.settings.warm.then(|| Warm { argv: plan.warm, env: startup_variables(&env) });
        let process = Process { program: plan.program, argv: plan.argv, cwd, env, warm };
        self.finish(&places, &resolver, process, plan.prepare, mounts).map(Some)
    }

    /// A command as it stands in the pipeline: spawned directly, without a shell that it does not name itself.
    fn as_written(&self) -> Result<Prepared, PortError> {
        let container = &self.attempt.container;
        let places = self.places(if brings_kfp(container) { ShownUris::Paths } else { ShownUris::Real });
        let resolver = Resolver::new(self.attempt, &places);
        let mut env = self.environment(&places);
        self.settings.python.as_written(&mut env, self.scratch);
        self.add_component_variables(&mut env, &resolver)?;
        let mounts = self.apply_platform(&places, &mut env, None, Form::Process)?;
        let argv = resolver
            .words(container.command.iter().chain(&container.args))
            .map_err(|problems| unresolved(&problems))?;
        let program = self.program(&argv, &env)?;
        let process =
            Process { program, argv, cwd: self.scratch.to_owned(), env: env.into_variables(), warm: None };
        self.finish(&places, &resolver, process, None, mounts)
    }

    fn program(&self, argv: &[String], env: &Environment) -> Result<String, PortError> {
        let container = &self.attempt.container;
        let first = argv.first().filter(|first| !first.is_empty() && !container.command.is_empty());
        let first = first.ok_or_else(|| {
            invalid(format!(
                "its container has no command, and the entry point of image `{}` is not known here: name the command \
                 in the component",
                container.image
            ))
        })?;
        if let Some(zero) = argv.iter().position(|word| word.contains('\0')) {
            return Err(invalid(format!("word {} of its command holds a zero byte", zero + 1)));
        }
        find_program(first, env, self.scratch).ok_or_else(|| {
            invalid(format!(
                "program `{first}` was not found on this machine (tasks run as processes here, without their image \
                 `{}`): install it, or put its folder on PATH",
                container.image
            ))
        })
    }

    /// Gives the Kubernetes settings their meaning; what goes without one is told, after `warning`, in the log.
    pub(crate) fn apply_platform(
        &self,
        places: &Places,
        env: &mut Environment,
        warning: Option<String>,
        form: Form,
    ) -> Result<Vec<Mount>, PortError> {
        let applied = self.settings.platform.apply(self.attempt, self.scratch, &places.workspace, env, form);
        let applied = applied.map_err(invalid)?;
        let lines: Vec<String> = warning.into_iter().chain(applied.warning).collect();
        if !lines.is_empty() {
            self.begin_log(&lines.join("\n"))?;
        }
        Ok(applied.mounts)
    }

    /// What must be fetched before user code; images must be there.
    pub(crate) fn downloads(&self, places: &Places) -> Result<Vec<Download>, PortError> {
        let mut downloads: Vec<Download> = Vec::new();
        for artifact in self.attempt.inputs.artifacts.values().flatten() {
            let uri = &artifact.uri;
            let Some(path) = places.mapping.local_path(uri) else { continue };
            let store = self.settings.artifacts.as_ref();
            if let Some((source, file)) = mirror::workspace_copy(artifact, store, &places.workspace) {
                downloads.push(Download {
                    uri: uri.clone(),
                    copy_of: Some(source),
                    file,
                    most_bytes: 0,
                    most_seconds: 0,
                });
                continue;
            }
            if uri.starts_with(mirror::IMAGE) && !Path::new(&path).exists() {
                return Err(invalid(format!(
                    "its input is the image `{uri}`, which is not on this machine: put the contents of its folder \
                     `/models` at `{path}`"
                )));
            }
            let is_new = downloads.iter().all(|known| known.uri != *uri);
            if is_new && mirror::WEB.iter().any(|scheme| uri.starts_with(scheme)) {
                downloads.push(Download {
                    uri: uri.clone(),
                    copy_of: None,
                    file: path,
                    most_bytes: LARGEST_DOWNLOAD_BYTES,
                    most_seconds: LONGEST_DOWNLOAD_SECONDS,
                });
            }
        }
        Ok(downloads)
    }

    /// Puts the entry in front of user code where it is needed. Returns where the entry would complain.
    pub(crate) fn with_entry(
        &self,
        process: Process,
        downloads: Vec<Download>,
        mounts: Vec<Mount>,
    ) -> Result<(Process, Option<String>), PortError> {
        if downloads.is_empty() && mounts.is_empty() {
            return Ok((process, None));
        }
        let (staging, file) = (format!("{}/root", self.scratch), format!("{}/entry.json", self.scratch));
        make_folder(&staging)?;
        let Process { program, argv, cwd, env, .. } = process;
        let entry = Entry { staging, downloads, mounts, program, argv };
        let text = serde_json::to_vec(&entry).map_err(invalid)?;
        std::fs::write(&file, text).map_err(|error| no_folder(&file, error))?;
        let program = self.settings.supervisor.program.to_string_lossy().into_owned();
        let argv = vec!["ferroflow".to_owned(), entry::WORD.to_owned(), file.clone()];
        Ok((Process { program, argv, cwd, env, warm: None }, Some(entry::complaint_file(&file))))
    }

    fn begin_log(&self, line: &str) -> Result<(), PortError> {
        let layout = &self.settings.layout;
        let (folder, log) = (layout.logs(self.attempt.id.run), layout.log(&self.attempt.id));
        std::fs::create_dir_all(&folder).map_err(|error| no_folder(&folder, error))?;
        std::fs::write(&log, format!("{line}\n")).map_err(|error| no_folder(&log, error))
    }

    /// Makes the folders that the words of the process tell of, and the message.
    fn finish(
        &self,
        places: &Places,
        resolver: &Resolver<'_>,
        process: Process,
        prepare: Option<Prepare>,
        mounts: Vec<Mount>,
    ) -> Result<Prepared, PortError> {
        let expected = ExpectedOutputs::of(self.attempt, places).map_err(|problem| unresolved(&[problem]))?;
        make_places(resolver, places, &expected, &process.argv)?;
        let (process, complaint) = self.with_entry(process, self.downloads(places)?, mounts)?;
        self.message(places, process, prepare, expected, complaint, None)
    }

    /// What the supervisor must know. `container` says where the end of one is told, and where copies out of it lie.
    pub(crate) fn message(
        &self,
        places: &Places,
        process: Process,
        prepare: Option<Prepare>,
        expected: ExpectedOutputs,
        complaint: Option<String>,
        container: Option<(String, String)>,
    ) -> Result<Prepared, PortError> {
        let Self { attempt, settings, .. } = self;
        let is_promised = !expected.parameters.is_empty() || !expected.artifacts.is_empty();
        let expected = is_promised.then_some(expected);
        let context = Context { slot: Some(self.slot), expected, complaint, container };
        let context = serde_json::to_string(&context).map_err(invalid)?;
        let start = Start {
            id: attempt.id.to_string(),
            context,
            prepare,
            process,
            log: settings.layout.log(&attempt.id),
            log_cap_bytes: settings.log_cap_bytes,
            timeout_ms: attempt.timeout.map(millis),
            timeout_grace_ms: millis(settings.timeout_grace),
        };
        Ok(Prepared { start, inputs: self.copies(places) })
    }

    /// The inputs that are elsewhere, and where user code looks for them.
    fn copies(&self, places: &Places) -> Vec<Transfer> {
        let mut copies: Vec<Transfer> = Vec::new();
        for artifact in self.attempt.inputs.artifacts.values().flatten() {
            let uri = &artifact.uri;
            if self.settings.artifacts.is_elsewhere(uri)
                && copies.iter().all(|known| known.uri != *uri)
                && let Some(path) = places.mapping.local_path(uri)
            {
                copies.push(Transfer { uri: uri.clone(), path });
            }
        }
        copies
    }
}

/// The variables that an interpreter reads only as it starts, and the one by which the environment of a living process
/// is known. Tasks for which they differ share none.
fn startup_variables(env: &[(String, String)]) -> Vec<(String, String)> {
    const EXACT: [&str; 6] = ["PATH", "HOME", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV"];
    const PREFIXES: [&str; 5] = ["PYTHON", "LC_", "LD_", "GLIBC_", "MALLOC_"];
    let is_read =
        |name: &str| EXACT.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    env.iter().filter(|(name, _)| is_read(name)).cloned().collect()
}

/// Milliseconds, as messages carry them.
pub(crate) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whether a command runs the real kfp of its image.
pub(crate) fn brings_kfp(container: &ContainerSpec) -> bool {
    let mut words = container.command.iter().chain(&container.args);
    words.any(|word| REAL_KFP.iter().any(|name| word.contains(name)))
}

pub(crate) fn resolved(resolver: &Resolver<'_>, text: &String) -> Result<String, PortError> {
    Ok(resolver.words([text]).map_err(|problems| unresolved(&problems))?.concat())
}

/// The file behind the first word of a command, as a shell would find it.
fn find_program(name: &str, env: &Environment, scratch: &str) -> Option<String> {
    if name.starts_with('/') {
        // If it is not there, starting it tells why.
        return Some(name.to_owned());
    }
    if name.contains('/') {
        return Some(format!("{scratch}/{name}"));
    }
    let path = env.get("PATH").unwrap_or_default();
    let mut candidates =
        path.split(':').filter(|folder| folder.starts_with('/')).map(|folder| format!("{folder}/{name}"));
    candidates.find(|file| is_executable(Path::new(file)))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Makes the folders that the words of the process tell of.
pub(crate) fn make_places(
    resolver: &Resolver<'_>,
    places: &Places,
    expected: &ExpectedOutputs,
    words: &[String],
) -> Result<(), PortError> {
    let uses = resolver.uses();
    if uses.parameter_files {
        std::fs::create_dir(&places.parameters).map_err(|error| no_folder(&places.parameters, error))?;
    }
    if uses.task_root
        && let Some((task_root, _)) = expected.metadata_file.rsplit_once('/')
    {
        std::fs::create_dir_all(task_root).map_err(|error| no_folder(task_root, error))?;
        // Of an attempt that was started once more after a power cut.
        let _ = std::fs::remove_file(&expected.metadata_file);
    }
    if words.iter().any(|word| word.contains(&places.workspace)) {
        make_folder(&places.workspace)?;
    }
    Ok(())
}

pub(crate) fn make_folder(path: &str) -> Result<(), PortError> {
    std::fs::create_dir_all(path).map_err(|error| no_folder(path, error))
}

pub(crate) fn invalid(message: impl std::fmt::Display) -> PortError {
    PortError::new(ErrorKind::InvalidArgument, format!("the task was not started: {message}"))
}

pub(crate) fn unresolved(problems: &[ProtocolError]) -> PortError {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    invalid(texts.join("; "))
}

pub(crate) fn no_folder(path: &str, error: io::Error) -> PortError {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::ResourceExhausted,
        _ => ErrorKind::Internal,
    };
    PortError::new(kind, format!("the task was not started: `{path}` cannot be made: {error}"))
        .caused_by(error)
}
