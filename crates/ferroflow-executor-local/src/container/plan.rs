//! From a task attempt to the container that runs it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ferroflow_launcher::installer::PythonTask;
use ferroflow_launcher::protocol::{ExpectedOutputs, Places, Resolver, ShownUris};
use ferroflow_ports::PortError;
use serde_json::Value;

use super::order::{
    ATTEMPT_LABEL, DATA_LABEL, Mount, Order, PackagesOrder, Pull, RUN_LABEL, Resources, TASK_LABEL,
};
use super::{ContainerOptions, WORD, container_name, resources};
use crate::environment::Environment;
use crate::platform::Form;
use crate::process::{
    Preparation, Prepared, brings_kfp, invalid, make_folder, make_places, no_folder, resolved, unresolved,
};
use crate::python::Wanted;
use crate::wire::Process;

/// Where KFP's launcher keeps the files of output parameters, for code that says so literally.
const PARAMETERS: &str = "/tmp/kfp/outputs";
/// Whoever decides about a stop is there, or this is enough.
const LAST_RESORT_SECONDS: u64 = 20;
/// Of the server's variables, what the process that carries out an order gets: programs that know passwords of
/// registries are looked for there.
const CLIENT: [&str; 3] = ["PATH", "HOME", "XDG_RUNTIME_DIR"];

/// What runs in the container.
struct Contents {
    entrypoint: Vec<String>,
    words: Vec<String>,
    env: Environment,
    mounts: Vec<Mount>,
    packages: Option<PackagesOrder>,
}

impl Preparation<'_> {
    /// The attempt in a container; `task` if it is a lightweight component.
    pub(crate) fn contained(
        &self,
        options: &ContainerOptions,
        task: Option<PythonTask>,
    ) -> Result<Prepared, PortError> {
        // Orders lie outside of what user code sees.
        let folder = format!("{}/task", self.scratch);
        make_folder(&folder)?;
        open_to_all(&folder);
        let inside = Preparation { scratch: &folder, ..*self };
        let has_task = task.is_some();
        let shown =
            if !has_task && brings_kfp(&self.attempt.container) { ShownUris::Paths } else { ShownUris::Real };
        let places = inside.places(shown);
        let resolver = Resolver::new(self.attempt, &places);
        let python = match task {
            Some(task) => inside.python_contents(&places, &resolver, task)?,
            None => None,
        };
        let contents = match python {
            Some(contents) => contents,
            None => inside.contents_as_written(&resolver)?,
        };
        self.ordered(options, &inside, &places, &resolver, contents)
    }

    /// What every container gets.
    fn variables(&self, options: &ContainerOptions) -> Environment {
        let mut env = Environment::default();
        for (name, value) in self.settings.python.proxies() {
            env.set(&name, value);
        }
        env.set("PYTHONUNBUFFERED", "1");
        if options.user.is_some() {
            // The image may not know this user.
            env.set("HOME", self.scratch);
        }
        env
    }

    fn python_contents(
        &self,
        places: &Places,
        resolver: &Resolver<'_>,
        mut task: PythonTask,
    ) -> Result<Option<Contents>, PortError> {
        task.source = resolved(resolver, &task.source)?;
        task.executor_input = resolved(resolver, &task.executor_input)?;
        let wanted = Wanted {
            task: &task,
            run: self.attempt.id.run,
            image: &self.attempt.container.image,
            folder: self.scratch,
            workspace: &places.workspace,
        };
        let mut env = Environment::default();
        let plan = self.settings.python.plan_in_container(&wanted, &mut env).map_err(invalid)?;
        let Some(plan) = plan else { return Ok(None) };
        for (path, text) in &plan.files {
            std::fs::write(path, text).map_err(|error| no_folder(path, error))?;
            open_to_all(path);
            if text.contains(&places.workspace) {
                make_folder(&places.workspace)?;
                open_to_all(&places.workspace);
            }
        }
        let runtime = Mount { source: plan.runtime.clone(), target: plan.runtime, read_only: true };
        let (entrypoint, words) = (plan.entrypoint, Vec::new());
        Ok(Some(Contents { entrypoint, words, env, mounts: vec![runtime], packages: plan.packages }))
    }

    fn contents_as_written(&self, resolver: &Resolver<'_>) -> Result<Contents, PortError> {
        let container = &self.attempt.container;
        let words = |words: &[String]| resolver.words(words).map_err(|problems| unresolved(&problems));
        let (entrypoint, words) = (words(&container.command)?, words(&container.args)?);
        if let Some(word) = entrypoint.iter().chain(&words).find(|word| word.contains('\0')) {
            return Err(invalid(format!(
                "the word `{}` of its command holds a zero byte",
                word.replace('\0', "\\0")
            )));
        }
        let (mut env, mut mounts) = (Environment::default(), Vec::new());
        if runs_pip(&entrypoint, &words) {
            let (variables, files) = self.settings.python.installer_settings();
            for (name, value) in variables {
                env.set(&name, value);
            }
            mounts = files;
        }
        Ok(Contents { entrypoint, words, env, mounts, packages: None })
    }

    /// Adds what all containers have in common, writes the order, and makes the message.
    fn ordered(
        &self,
        options: &ContainerOptions,
        inside: &Preparation<'_>,
        places: &Places,
        resolver: &Resolver<'_>,
        contents: Contents,
    ) -> Result<Prepared, PortError> {
        let attempt = self.attempt;
        let mut env = inside.variables(options);
        for (name, value) in contents.env.into_variables() {
            env.set(&name, value);
        }
        Self::add_roots(&mut env, places);
        let volumes = self.apply_platform(places, &mut env, None, Form::Container)?;
        inside.add_component_variables(&mut env, resolver)?;
        let expected = ExpectedOutputs::of(attempt, places).map_err(|problem| unresolved(&[problem]))?;
        let image = resolved(resolver, &attempt.container.image)?;
        if image.is_empty() {
            return Err(invalid("its container names no image"));
        }
        let resolve = |text: &str| resolved(resolver, &text.to_owned()).map_err(|error| error.message);
        let bounds = resources::read(&attempt.container.resources, &resolve).map_err(invalid)?;
        let root = self.settings.layout.root();
        let mut order = Order {
            daemon: options.daemon.clone(),
            api: options.api.clone(),
            credentials: self.credentials(options)?,
            name: container_name(root, &attempt.id),
            labels: labels(root, attempt),
            image,
            pull: pull(&attempt.kubernetes).map_err(invalid)?,
            entrypoint: contents.entrypoint,
            words: contents.words,
            env: Vec::new(),
            mounts: contents.mounts,
            network: options.network.clone(),
            user: user(&attempt.kubernetes).or_else(|| options.user.clone()),
            resources: Resources { shared_memory: shared_memory(&attempt.kubernetes), ..bounds },
            environment: contents.packages,
            told_outputs: (!expected.artifacts.is_empty()).then(|| expected.metadata_file.clone()),
            copies: format!("{}/copies", self.scratch),
            end: format!("{}/end.json", self.scratch),
            stop_seconds: u32::try_from(self.settings.timeout_grace.as_secs() + LAST_RESORT_SECONDS)
                .unwrap_or(u32::MAX),
        };
        // A container of an earlier supervisor's may have had this folder.
        let _ = std::fs::remove_file(&order.end);
        let words = |order: &Order| [order.entrypoint.clone(), order.words.clone()].concat();
        make_places(resolver, places, &expected, &words(&order))?;
        order.env = env.into_variables();
        self.add_folders(&mut order, options, inside, places, &expected, volumes)?;
        self.start_of_order(inside, places, expected, &order)
    }

    /// What registries want to know: by the pipeline's pull secret, else what the user has.
    fn credentials(&self, options: &ContainerOptions) -> Result<Option<String>, PortError> {
        let secret = self.settings.platform.pull_secret(&self.attempt.kubernetes).map_err(invalid)?;
        let Some(secret) = secret else { return Ok(options.credentials.clone()) };
        let file = format!("{}/registries.json", self.scratch);
        write_private(&file, secret.as_bytes()).map_err(|error| no_folder(&file, error))?;
        Ok(Some(file))
    }

    /// The folders of this machine that the container sees.
    fn add_folders(
        &self,
        order: &mut Order,
        options: &ContainerOptions,
        inside: &Preparation<'_>,
        places: &Places,
        expected: &ExpectedOutputs,
        volumes: Vec<Mount>,
    ) -> Result<(), PortError> {
        let same = |path: &str| Mount { source: path.to_owned(), target: path.to_owned(), read_only: false };
        order.mounts.push(same(inside.scratch));
        order.mounts.extend(options.shared.iter().map(|path| same(path)));
        if Path::new(&places.parameters).is_dir() {
            open_to_all(&places.parameters);
            let target = PARAMETERS.to_owned();
            order.mounts.push(Mount { source: places.parameters.clone(), target, read_only: false });
        }
        if Path::new(&places.workspace).is_dir() || self.reads_below(places, &places.workspace) {
            make_folder(&places.workspace)?;
            order.mounts.push(same(&places.workspace));
        }
        for volume in volumes {
            if !volume.read_only {
                open_to_all(&volume.source);
            }
            order.mounts.push(volume);
        }
        if let Some((task_root, _)) = expected.metadata_file.rsplit_once('/')
            && Path::new(task_root).is_dir()
        {
            open_to_all(task_root);
            if !is_seen(order, task_root) {
                order.mounts.push(same(task_root));
            }
        }
        for uri in self.attempt.inputs.artifacts.values().flatten().map(|artifact| &artifact.uri) {
            if let Some(path) = places.mapping.local_path(uri)
                && !is_seen(order, &path)
                && Path::new(&path).exists()
            {
                order.mounts.push(Mount { read_only: true, ..same(&path) });
            }
        }
        Ok(())
    }

    fn reads_below(&self, places: &Places, folder: &str) -> bool {
        let mut uris = self.attempt.inputs.artifacts.values().flatten().map(|artifact| &artifact.uri);
        uris.any(|uri| {
            places.mapping.local_path(uri).is_some_and(|path| Path::new(&path).starts_with(folder))
        })
    }

    fn start_of_order(
        &self,
        inside: &Preparation<'_>,
        places: &Places,
        expected: ExpectedOutputs,
        order: &Order,
    ) -> Result<Prepared, PortError> {
        let file = format!("{}/order.json", self.scratch);
        let text = serde_json::to_vec(order).map_err(invalid)?;
        write_private(&file, &text).map_err(|error| no_folder(&file, error))?;
        let program = self.settings.supervisor.program.to_string_lossy().into_owned();
        let argv = ["ferroflow", WORD, &file].map(str::to_owned).to_vec();
        let env = self.settings.python.variables(&CLIENT);
        let process = Process { program, argv, cwd: self.scratch.to_owned(), env, warm: None };
        let (process, complaint) = self.with_entry(process, inside.downloads(places)?, Vec::new())?;
        self.message(
            places,
            process,
            None,
            expected,
            complaint,
            Some((order.end.clone(), order.copies.clone())),
        )
    }
}

/// Whether a command seems to install packages. If it does not, what it gets in addition does no harm.
fn runs_pip(entrypoint: &[String], words: &[String]) -> bool {
    let line = [entrypoint, words].concat().join(" ");
    ["pip install", "pip3 install", "pip download", "-m pip"].iter().any(|text| line.contains(text))
}

/// Values of secrets may be in it.
fn write_private(path: &str, text: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    std::io::Write::write_all(&mut file, text)
}

/// Whether the container sees this path as it is here.
fn is_seen(order: &Order, path: &str) -> bool {
    order
        .mounts
        .iter()
        .any(|mount| mount.source == mount.target && Path::new(path).starts_with(&mount.target))
}

/// User code may be anybody in its container. The data directory itself lets nobody else in. What cannot be opened
/// belongs to another user, who did it before.
fn open_to_all(path: &str) {
    if let Ok(found) = std::fs::metadata(path) {
        let mode = found.permissions().mode();
        let wanted = if found.is_dir() { 0o777 } else { 0o444 };
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode | wanted));
    }
}

fn labels(root: &str, attempt: &ferroflow_engine::TaskAttempt) -> BTreeMap<String, String> {
    let labels = [
        (DATA_LABEL, root.to_owned()),
        (RUN_LABEL, attempt.id.run.to_string()),
        (TASK_LABEL, attempt.task_name.clone()),
        (ATTEMPT_LABEL, attempt.id.to_string()),
    ];
    labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn pull(kubernetes: &Value) -> Result<Pull, String> {
    match kubernetes.get("imagePullPolicy").and_then(Value::as_str).unwrap_or_default() {
        "" | "IfNotPresent" => Ok(Pull::IfMissing),
        "Always" => Ok(Pull::Always),
        "Never" => Ok(Pull::Never),
        other => Err(format!("`{other}` is no policy for pulling images: say Always, Never or IfNotPresent")),
    }
}

/// `user:group` as the pipeline wants it.
fn user(kubernetes: &Value) -> Option<String> {
    let context = kubernetes.get("securityContext")?;
    // Long numbers may be written as texts.
    let id = |name| match context.get(name)? {
        Value::String(text) => text.parse::<i64>().ok(),
        value => value.as_i64(),
    };
    match (id("runAsUser")?, id("runAsGroup")) {
        (user, Some(group)) => Some(format!("{user}:{group}")),
        (user, None) => Some(user.to_string()),
    }
}

fn shared_memory(kubernetes: &Value) -> Option<u64> {
    let size = kubernetes.get("enabledSharedMemory")?.get("size")?.as_str()?;
    resources::quantity(size).map(resources::bytes).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_installers_get_the_settings_of_installers() {
        let check = |entrypoint: &[&str], words: &[&str]| {
            let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            runs_pip(&owned(entrypoint), &owned(words))
        };
        assert!(check(&["sh", "-c", "set -e; pip install six"], &[]));
        assert!(check(&["pip"], &["install", "six"]));
        assert!(check(&["python3", "-m", "pip"], &["list"]));
        assert!(!check(&["echo", "a pipeline"], &["pip"]));
    }

    #[test]
    fn settings_of_kubernetes_become_those_of_the_container() {
        let settings = json!({
            "imagePullPolicy": "Always",
            "securityContext": {"runAsUser": "1000", "runAsGroup": 50},
            "enabledSharedMemory": {"volumeName": "shm", "size": "1Gi"}
        });
        assert_eq!(pull(&settings), Ok(Pull::Always));
        assert_eq!(user(&settings).as_deref(), Some("1000:50"));
        assert_eq!(shared_memory(&settings), Some(1 << 30));
        assert_eq!(
            (pull(&Value::Null), user(&Value::Null), shared_memory(&Value::Null)),
            (Ok(Pull::IfMissing), None, None)
        );
        assert_eq!(user(&json!({"securityContext": {"runAsUser": 0}})).as_deref(), Some("0"));
        assert!(pull(&json!({"imagePullPolicy": "Sometimes"})).is_err());
    }
}
