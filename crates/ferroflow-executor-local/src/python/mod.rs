//! How lightweight Python components run as plain processes, without a shell and without pip where nothing is missing.
//!
//! Begin with [`PythonTasks::plan`]: for a component that the launcher recognised it says which interpreter runs which
//! file with which environment, and what must be prepared first. kfp itself is never installed: `kfp-runtime`, a slim
//! stand-in that this program carries, takes its place. Packages that the user asks for come from an environment that
//! is built once per interpreter and set of requirements. [`PythonTasks::as_written`] is for all other commands.
//! Nothing is started here except, once, an interpreter behind a shim, to ask which one it is.

mod environment;
mod eviction;
mod host;
mod image;
mod interpreter;
mod slim;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ferroflow_launcher::installer::PythonTask;
use ferroflow_model::RunId;

use self::host::Host;
use self::interpreter::Interpreter;
use self::slim::SlimRuntime;
use crate::container::order::{Mount, PackagesOrder};
use crate::environment::Environment;
use crate::wire::Prepare;

pub(crate) use self::image::is_plain as is_plain_image;

/// What is configured and what this machine offers. Nothing here is read from the process's own environment.
#[derive(Debug, Clone)]
pub struct PythonOptions {
    /// `--python`: the path of an interpreter, or a name to look for on PATH.
    pub python: Option<String>,
    /// The environment of the server: the active virtual environment, PATH, and the settings of pip, proxies and
    /// certificates. Builds of environments, and commands that run as written, get what `python/host.rs` lists.
    pub host_env: Vec<(String, String)>,
    /// The folder in which the server was started, an absolute path: version files of shims are looked for there.
    pub working_folder: PathBuf,
    /// The least recently used environments are removed when all together are larger.
    pub environments_limit_bytes: u64,
}

/// What is asked of [`PythonTasks::plan`].
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// The component. Its source and its executor input must be resolved: no placeholders left.
    pub(crate) task: &'a PythonTask,
    /// The run, so that it is warned only once.
    pub(crate) run: RunId,
    /// The image that the component names.
    pub(crate) image: &'a str,
    /// The attempt's own folder, an absolute path: the planned files go there.
    pub(crate) folder: &'a str,
    /// The folder that the tasks of the run share.
    pub(crate) workspace: &'a str,
}

/// How to run a component.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The file to execute, an absolute path.
    pub(crate) program: String,
    /// All words, the first included.
    pub(crate) argv: Vec<String>,
    /// The words by which the program waits for such tasks and forks them.
    pub(crate) warm: Vec<String>,
    /// To be written before the process is started: path and text.
    pub(crate) files: Vec<(String, String)>,
    /// The environment that it runs in, if it needs packages. Given also when it is ready: the supervisor looks.
    pub(crate) prepare: Option<Prepare>,
    /// A line for the user: belongs at the top of the attempt's log.
    pub(crate) warning: Option<String>,
}

/// How to run a component in a container of its image.
#[derive(Debug)]
pub(crate) struct PlanInContainer {
    /// All words.
    pub(crate) entrypoint: Vec<String>,
    /// To be written before the container is started: path and text.
    pub(crate) files: Vec<(String, String)>,
    /// The folder of the slim runtime.
    pub(crate) runtime: String,
    /// What it needs.
    pub(crate) packages: Option<PackagesOrder>,
}

/// Why a component cannot run on this machine.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// There is no interpreter.
    #[error(
        "this task needs Python, but there is no `python3` on PATH and no active virtual environment; install Python or \
         name an interpreter with `--python`"
    )]
    NoInterpreter,
    /// The interpreter of the options is not there.
    #[error("`--python {0}` names no executable file")]
    NotExecutable(String),
    /// The interpreter did not say what it is.
    #[error("`{program}` does not work as a Python interpreter: {reason}")]
    Useless {
        /// Its path.
        program: String,
        /// What went wrong.
        reason: String,
    },
    /// The data folder cannot be used.
    #[error("`{path}` cannot be prepared: {source}")]
    Folder {
        /// What was to be made.
        path: String,
        /// The cause.
        source: io::Error,
    },
}

/// Plans the Python tasks of one data folder. Cheap to make; everything is looked up at the first task that needs it.
#[derive(Debug)]
pub struct PythonTasks {
    data: PathBuf,
    host: Host,
    options: PythonOptions,
    interpreter: OnceLock<Result<Interpreter, Arc<PythonError>>>,
    /// The program of the interpreter, if it is known without asking one.
    known: OnceLock<Option<String>>,
    slim: OnceLock<SlimRuntime>,
    warned: Mutex<HashSet<(RunId, String)>>,
}

impl PythonTasks {
    /// For tasks whose environments and runtime are kept below `data`, an absolute path.
    pub fn new(data: &Path, options: PythonOptions) -> Self {
        Self {
            data: data.to_owned(),
            host: Host::new(&options.host_env),
            options,
            interpreter: OnceLock::new(),
            known: OnceLock::new(),
            slim: OnceLock::new(),
            warned: Mutex::default(),
        }
    }

    /// How to run this component. Sets PATH and the variables of Python and of the slim runtime in `env`, over what all
    /// tasks get; what the component itself sets goes before that and comes afterwards. `None`, with nothing set, if
    /// it must run as written after all: a package from a folder of this machine may be another one each time, so
    /// nothing that was built from it can be kept.
    ///
    /// Blocks: usually for microseconds, at the first call perhaps for the tenth of a second in which a shim answers.
    pub(crate) fn plan(
        &self,
        wanted: &Wanted<'_>,
        env: &mut Environment,
    ) -> Result<Option<Plan>, Arc<PythonError>> {
        let requirements = &wanted.task.requirements;
        if environment::is_local(requirements) {
            return Ok(None);
        }
        let interpreter = self.interpreter()?;
        let slim = self.slim()?;
        let warning = self.warning(wanted, interpreter)?;
        let (program, prepare) = if requirements.packages.is_empty() {
            (interpreter.program.clone(), None)
        } else {
            let environment = environment::plan(&self.data, interpreter, slim, requirements, &self.host)?;
            self.make_room(&environment);
            (environment.program, Some(environment.prepare))
        };
        let folder = prepare.as_ref().map(|prepare| prepare.folder.as_str());
        self.host.add_python(env, &program, folder);
        slim.add_variables(env, wanted.task.runtime_flag, wanted.workspace);
        let start = slim.file(if prepare.is_some() { "kfp_task_in_environment.py" } else { "kfp_task.py" });
        let (argv, files) = words_and_files(&program, &start, wanted);
        let warm = vec![program.clone(), slim.file("kfp_warm.py")];
        Ok(Some(Plan { program, argv, warm, files, prepare, warning }))
    }

    /// How to run this component with the Python of its image. Sets the variables of the slim runtime. `None`, with
    /// nothing set, if it must run as written, as for [`Self::plan`].
    pub(crate) fn plan_in_container(
        &self,
        wanted: &Wanted<'_>,
        env: &mut Environment,
    ) -> Result<Option<PlanInContainer>, Arc<PythonError>> {
        let requirements = &wanted.task.requirements;
        if environment::is_local(requirements) {
            return Ok(None);
        }
        let slim = self.slim()?;
        let packages = (!requirements.packages.is_empty()).then(|| {
            let (env, mut mounts) = self.host.installer_in_container();
            let runtime = slim.folder().to_owned();
            mounts.push(Mount { source: runtime.clone(), target: runtime, read_only: true });
            PackagesOrder {
                folder: self.data.join(environment::FOLDER).to_string_lossy().into_owned(),
                wanted: environment::description(requirements),
                installer: slim.file("make_environment.py"),
                env,
                mounts,
                limit_bytes: self.options.environments_limit_bytes,
            }
        });
        slim.add_variables(env, wanted.task.runtime_flag, wanted.workspace);
        let start = slim.file(if packages.is_some() { "kfp_task_in_environment.py" } else { "kfp_task.py" });
        let (entrypoint, files) = words_and_files("python3", &start, wanted);
        Ok(Some(PlanInContainer { entrypoint, files, runtime: slim.folder().to_owned(), packages }))
    }

    /// What a command in a container gets that may run pip: variables and files of this machine.
    pub(crate) fn installer_settings(&self) -> (Vec<(String, String)>, Vec<Mount>) {
        self.host.installer_in_container()
    }

    /// The proxies of this machine.
    pub(crate) fn proxies(&self) -> Vec<(String, String)> {
        self.host.proxies().collect()
    }

    /// Those of the server's variables.
    pub(crate) fn variables(&self, names: &[&str]) -> Vec<(String, String)> {
        let given =
            names.iter().filter_map(|name| Some(((*name).to_owned(), self.host.get(name)?.to_owned())));
        given.collect()
    }

    /// Sets in `env` what a command gets that runs as written: on PATH the folder of the chosen interpreter comes
    /// first, and what the command installs with pip lands in `folder`, the attempt's own, instead of in an
    /// interpreter that other tasks and the user share. The first word is to be looked for on this PATH.
    /// Never asks an interpreter, and does without one.
    pub(crate) fn as_written(&self, env: &mut Environment, folder: &str) {
        let known = || {
            let found = interpreter::find(&self.options, &self.host).ok();
            found.and_then(interpreter::Found::known).map(|interpreter| interpreter.program)
        };
        let program = match self.interpreter.get() {
            Some(asked) => asked.as_ref().ok().map(|interpreter| interpreter.program.as_str()),
            None => self.known.get_or_init(known).as_deref(),
        };
        self.host.add_as_written(env, program, folder);
    }

    /// The chosen interpreter and its version, for people. Asks it if need be.
    pub fn describe(&self) -> Result<String, Arc<PythonError>> {
        let interpreter = self.interpreter()?;
        let (major, minor) = interpreter.version()?;
        Ok(format!("Python {major}.{minor} at {}", interpreter.program))
    }

    fn interpreter(&self) -> Result<&Interpreter, Arc<PythonError>> {
        let find = || {
            interpreter::find(&self.options, &self.host).and_then(interpreter::Found::ask).map_err(Arc::new)
        };
        self.interpreter.get_or_init(find).as_ref().map_err(Arc::clone)
    }

    /// Not kept if it fails: a full disk may have room later.
    fn slim(&self) -> Result<&SlimRuntime, Arc<PythonError>> {
        if let Some(slim) = self.slim.get() {
            return Ok(slim);
        }
        let slim = SlimRuntime::unpack(&self.data)?;
        Ok(self.slim.get_or_init(|| slim))
    }

    /// Looks for environments to remove when one is about to be added.
    fn make_room(&self, environment: &environment::Environment) {
        if environment.is_ready {
            return;
        }
        let folder = self.data.join(environment::FOLDER);
        let (limit, keep) =
            (self.options.environments_limit_bytes, PathBuf::from(&environment.prepare.folder));
        // Removing large folders takes seconds, and nobody has to wait for it.
        std::thread::spawn(move || eviction::evict(&folder, limit, &keep));
    }

    fn warning(
        &self,
        wanted: &Wanted<'_>,
        interpreter: &Interpreter,
    ) -> Result<Option<String>, Arc<PythonError>> {
        /// So many runs are remembered; a repeated warning does no harm.
        const REMEMBERED: usize = 4096;
        let Some(version) = image::python_version(wanted.image) else { return Ok(None) };
        let (major, minor) = interpreter.version()?;
        if version.fits(major, minor) {
            return Ok(None);
        }
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() >= REMEMBERED {
            warned.clear();
        }
        let is_new = warned.insert((wanted.run, version.to_string()));
        Ok(is_new.then(|| {
            format!(
                "warning: image `{}` asks for Python {version}; tasks of this run use Python {major}.{minor} ({})",
                wanted.image, interpreter.program
            )
        }))
    }
}

/// The words that start a component, and the files that these name.
fn words_and_files(program: &str, start: &str, wanted: &Wanted<'_>) -> (Vec<String>, Vec<(String, String)>) {
    let source = format!("{}/ephemeral_component.py", wanted.folder);
    let input = format!("{}/executor_input.json", wanted.folder);
    let argv = [
        program,
        start,
        "--component_module_path",
        &source,
        // A file, since one word of a process is limited to 128 KiB and can be read by everybody on this machine.
        "--executor_input_file",
        &input,
        "--function_to_execute",
        &wanted.task.function,
    ];
    let argv = argv.map(str::to_owned).to_vec();
    (argv, vec![(source, wanted.task.source.clone()), (input, wanted.task.executor_input.clone())])
}

/// Removes environments below `folder` until the rest is not larger than `limit` bytes, sparing `keep`, and those that
/// are in use.
pub fn evict_environments(folder: &Path, limit: u64, keep: &Path) {
    eviction::evict(folder, limit, keep);
}

/// What a complete environment has in it, and what tells when it was last used.
pub const ENVIRONMENT_READY: &str = environment::READY;

#[cfg(test)]
mod tests;
