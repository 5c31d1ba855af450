//! Recognises what the kfp SDK compiles a lightweight Python component to.
//!
//! Such a command is up to three parts in one list of words: an installer (`sh -c SCRIPT`), a runner (`sh -ec SCRIPT`)
//! and the source of the component. Each part is compared with the texts that kfp 2.0 to 2.17 write, so that an
//! executor can do the same without a shell and without pip. Whatever deviates, even by an option, is not
//! recognised and must run as written: guessing would change what the user asked for. The containerised form
//! (`python3 -m kfp.dsl.executor_main`) has no source to hand and runs as written as well; so do v1 components.
//! Nothing is installed or run here.

mod script;

/// A lightweight Python component, ready to run without its shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonTask {
    /// Text of the module that holds the function.
    pub source: String,
    /// Name of the function to call.
    pub function: String,
    /// The word after `--executor_input`: `{{$}}` in words as compiled, the document itself in resolved ones.
    pub executor_input: String,
    /// What must be installed for the component, besides kfp.
    pub requirements: Requirements,
    /// The version of kfp that the SDK adds on its own account, which a stand-in may take the place of. `None` if it
    /// adds none; a kfp that the user asks for is among the requirements.
    pub kfp: Option<String>,
    /// Whether the module runs with `_KFP_RUNTIME=true`, which hides the names of authoring from star imports.
    pub runtime_flag: bool,
}

/// The packages of a component and where they come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirements {
    /// Requirement specifiers in their order, as pip takes them.
    pub packages: Vec<String>,
    /// Whether the dependencies of the packages are left out.
    pub no_deps: bool,
    /// The index in place of the default one.
    pub index_url: Option<String>,
    /// Further indexes.
    pub extra_index_urls: Vec<String>,
    /// What stands after `--trusted-host`: hosts, or whole URLs as older SDKs write.
    pub trusted_hosts: Vec<String>,
    /// Whether kfp was to be installed apart from the user's packages. Says nothing about what the user's code sees.
    pub use_venv: bool,
}

/// Reads the words of a component, either as compiled or with their placeholders resolved. `None` unless they are
/// exactly what a kfp SDK writes.
pub fn recognise(command: &[String], args: &[String]) -> Option<PythonTask> {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let (installer, runner) = match words.as_slice() {
        ["sh", "-c", installer, runner @ ..] => (Some(*installer), runner),
        runner => (None, runner),
    };
    let ["sh", "-ec", runner, source] = runner else { return None };
    let runner = Runner::of(runner)?;
    let (executor_input, function) = arguments(args)?;
    let installed = match installer {
        Some(text) => script::parse(text, runner)?,
        None => script::Installed::default(),
    };
    Some(PythonTask {
        source: (*source).to_owned(),
        function: function.to_owned(),
        executor_input: executor_input.to_owned(),
        requirements: installed.requirements,
        kfp: installed.kfp,
        runtime_flag: runner == Runner::Flagged,
    })
}

fn arguments(args: &[String]) -> Option<(&str, &str)> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["--executor_input", input, "--function_to_execute", function]
        | ["--function_to_execute", function, "--executor_input", input] => Some((input, function)),
        _ => None,
    }
}

/// The three texts that start the module of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runner {
    /// To 2.0.1: the executor stands in `kfp.components`.
    Components,
    /// 2.1.0 to 2.1.2.
    Plain,
    /// From 2.1.3: with the flag `_KFP_RUNTIME`.
    Flagged,
}

impl Runner {
    fn of(text: &str) -> Option<Self> {
        const HEAD: &str = "program_path=$(mktemp -d)\n";
        const WRITE: &str = "printf \"%s\" \"$0\" > \"$program_path/ephemeral_component.py\"\n";
        const TAIL: &str = " --component_module_path \"$program_path/ephemeral_component.py\" \"$@\"";
        let (runner, run) = if let Some(run) = text.strip_prefix(HEAD)?.strip_prefix('\n') {
            (Self::Flagged, run.strip_prefix(WRITE)?.strip_prefix("_KFP_RUNTIME=true ")?)
        } else {
            let run = text.strip_prefix(HEAD)?.strip_prefix(WRITE)?;
            let of_2_0 = run.starts_with("python3 -m kfp.components.");
            (if of_2_0 { Self::Components } else { Self::Plain }, run)
        };
        let module = if runner == Self::Components { "kfp.components" } else { "kfp.dsl" };
        // The words stand in a folded line: how many blanks are between them depends on its indentation.
        let words: Vec<&str> = run.strip_suffix('\n')?.split(' ').filter(|word| !word.is_empty()).collect();
        (words.join(" ") == format!("python3 -m {module}.executor_main{TAIL}")).then_some(runner)
    }
}
