//! Kubernetes settings of a task, given a meaning on one machine.
//!
//! | setting | here |
//! | --- | --- |
//! | secrets and config maps as variables | values from a folder or a variable of the server, see `keyed` |
//! | secrets and config maps as volumes | that folder, read-only, at the path of the mount |
//! | claims (`pvcMount`) | `<data>/volumes/<name>` at the path of the mount, see `volumes` |
//! | empty and ephemeral volumes | a folder of the attempt at the path of the mount |
//! | field paths, labels, annotations | what a pod would be told, see `pod` |
//! | deadlines | the task's timeout (the engine reads it) |
//! | shared memory | the machine's own |
//! | pull policy, pull secrets, security context | those of the container, for tasks that run in one |
//! | all others | accepted, with one warning for each run |
//!
//! Paths of mounts are seen by the task alone, which takes mounts of its own: see `crate::linux::namespace`. The engine
//! has replaced references by values before any of this.

mod keyed;
mod pod;
mod volumes;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ferroflow_engine::TaskAttempt;
use ferroflow_model::RunId;
use serde_json::Value;

use self::keyed::{KeyedSet, KeyedSets};
pub(crate) use self::volumes::Volumes;
use crate::environment::Environment;
use crate::linux::namespace::Mount;

/// Variables of the server that hold secrets and config maps as JSON.
const SECRETS_VARIABLE: &str = "FERROFLOW_SECRETS";
const CONFIG_MAPS_VARIABLE: &str = "FERROFLOW_CONFIG_MAPS";

/// Where a cluster shows the workspace, for those who say so literally.
const WORKSPACE: &str = "/kfp-workspace";

/// Settings that are given a meaning here or by the engine; all others are warned of.
const KNOWN: [&str; 11] = [
    "secretAsVolume",
    "secretAsEnv",
    "configMapAsVolume",
    "configMapAsEnv",
    "pvcMount",
    "genericEphemeralVolume",
    "emptyDirMounts",
    "fieldPathAsEnv",
    "podMetadata",
    "activeDeadlineSeconds",
    "enabledSharedMemory",
];

/// Settings that mean something for containers besides.
const OF_CONTAINERS: [&str; 3] = ["imagePullPolicy", "imagePullSecret", "securityContext"];

/// What a pull secret holds: the configuration of a Docker client.
const PULL_KEY: &str = ".dockerconfigjson";

/// What a task runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Process,
    Container,
}

impl Form {
    fn knows(self, setting: &str) -> bool {
        KNOWN.contains(&setting) || (self == Self::Container && OF_CONTAINERS.contains(&setting))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Process => "processes",
            Self::Container => "containers",
        }
    }
}

/// What this machine has in the place of a cluster: secrets, config maps, volumes.
#[derive(Debug)]
pub struct Platform {
    secrets: KeyedSets,
    config_maps: KeyedSets,
    pub(crate) volumes: Volumes,
    /// Runs that were warned of settings without a meaning.
    warned: Mutex<HashSet<RunId>>,
}

/// What follows for one attempt.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) mounts: Vec<Mount>,
    /// A line for the user.
    pub(crate) warning: Option<String>,
}

impl Platform {
    /// Of a data directory. `host_env` are the variables of the server.
    pub fn new(
        data: &Path,
        secrets: Option<PathBuf>,
        config_maps: Option<PathBuf>,
        host_env: &[(String, String)],
    ) -> Self {
        let variable =
            |name: &str| host_env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        Self {
            secrets: KeyedSets::new(
                "secret",
                secrets.unwrap_or_else(|| data.join("secrets")),
                SECRETS_VARIABLE,
                variable(SECRETS_VARIABLE),
            ),
            config_maps: KeyedSets::new(
                "config map",
                config_maps.unwrap_or_else(|| data.join("config-maps")),
                CONFIG_MAPS_VARIABLE,
                variable(CONFIG_MAPS_VARIABLE),
            ),
            volumes: Volumes::new(data.join("volumes")),
            warned: Mutex::default(),
        }
    }

    /// A key of a config map; `None` if it is not there. The reason of a failure is a sentence.
    pub fn config_map(&self, name: &str, key: &str) -> Result<Option<String>, String> {
        self.config_maps.find(name)?.map_or(Ok(None), |set| set.value(key))
    }

    /// A key of a secret; `None` if it is not there. The reason of a failure is a sentence.
    pub fn secret(&self, name: &str, key: &str) -> Result<Option<String>, String> {
        self.secrets.find(name)?.map_or(Ok(None), |set| set.value(key))
    }

    /// Sets variables in `env` and tells what is to be mounted. `scratch` is the attempt's own folder, `workspace` the
    /// run's. The reason of a failure is a sentence.
    pub(crate) fn apply(
        &self,
        attempt: &TaskAttempt,
        scratch: &str,
        workspace: &str,
        env: &mut Environment,
        form: Form,
    ) -> Result<Applied, String> {
        let mut applied = Applied::default();
        if says(attempt, WORKSPACE) {
            std::fs::create_dir_all(workspace)
                .map_err(|error| format!("`{workspace}` cannot be made: {error}"))?;
            applied.mounts.push(Mount {
                source: workspace.to_owned(),
                target: WORKSPACE.to_owned(),
                read_only: false,
            });
        }
        let Some(settings) = attempt.kubernetes.as_object() else { return Ok(applied) };
        let scratch = Path::new(scratch);
        let mut volume = |entry: &Value, source: PathBuf, read_only| {
            let target = text(entry, "mountPath");
            if !target.starts_with('/') {
                return Err(format!("the path of a mount, `{target}`, does not begin with a slash"));
            }
            let source = source.into_os_string().into_string().map_err(|_| "its path is not UTF-8")?;
            applied.mounts.push(Mount { source, target: target.to_owned(), read_only });
            Ok(())
        };
        for entry in entries(&attempt.kubernetes, "secretAsVolume") {
            let folder = keyed_volume(&self.secrets, entry, "secretName", scratch)?;
            volume(entry, folder, true)?;
        }
        for entry in entries(&attempt.kubernetes, "configMapAsVolume") {
            let folder = keyed_volume(&self.config_maps, entry, "configMapName", scratch)?;
            volume(entry, folder, true)?;
        }
        for entry in entries(&attempt.kubernetes, "pvcMount") {
            let claim = self.volumes.find(text(entry, "constant"))?;
            volume(entry, volumes::part(&claim, text(entry, "subPath"))?, false)?;
        }
        for kind in ["emptyDirMounts", "genericEphemeralVolume"] {
            for entry in entries(&attempt.kubernetes, kind) {
                volume(entry, own_folder(scratch, kind, text(entry, "volumeName"))?, false)?;
            }
        }
        add_fields(attempt, env)?;
        // Afterwards, for what is named one by one goes before labels.
        add_keyed(&self.secrets, &attempt.kubernetes, ("secretAsEnv", "secretName", "secretKey"), env)?;
        add_keyed(
            &self.config_maps,
            &attempt.kubernetes,
            ("configMapAsEnv", "configMapName", "configMapKey"),
            env,
        )?;
        let unknown: Vec<&str> =
            settings.keys().map(String::as_str).filter(|name| !form.knows(name)).collect();
        if !unknown.is_empty() && self.is_first_of(attempt.id.run) {
            applied.warning = Some(format!(
                "warning: tasks of this run are {} of this machine, so Kubernetes settings like these mean nothing: {}",
                form.name(),
                unknown.join(", ")
            ));
        }
        Ok(applied)
    }

    /// The text of the first pull secret that this machine has; others are passed over, as on a cluster.
    pub(crate) fn pull_secret(&self, kubernetes: &Value) -> Result<Option<String>, String> {
        for entry in entries(kubernetes, "imagePullSecret") {
            if let Some(set) = self.secrets.find(text(entry, "secretName"))?
                && let Some(value) = set.value(PULL_KEY)?
            {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn is_first_of(&self, run: RunId) -> bool {
        /// So many runs are remembered; a repeated warning does no harm.
        const REMEMBERED: usize = 4096;
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() >= REMEMBERED {
            warned.clear();
        }
        warned.insert(run)
    }
}

/// Whether the words of the container or a text it is given hold this literally.
fn says(attempt: &TaskAttempt, wanted: &str) -> bool {
    let container = &attempt.container;
    let mut words =
        container.command.iter().chain(&container.args).chain(container.env.iter().map(|(_, value)| value));
    words.any(|word| word.contains(wanted))
        || attempt
            .inputs
            .parameters
            .values()
            .any(|value| value.as_str().is_some_and(|text| text.contains(wanted)))
}

fn entries<'v>(settings: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    settings.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(entry: &'v Value, name: &str) -> &'v str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is_optional(entry: &Value) -> bool {
    entry.get("optional").and_then(Value::as_bool).unwrap_or(false)
}

/// A folder of the attempt; the same for all mounts of the same name.
fn own_folder(scratch: &Path, kind: &str, name: &str) -> Result<PathBuf, String> {
    let plain = name.replace(['/', '\0', '.'], "_");
    let folder = scratch.join("volumes").join(format!("{kind}-{plain}"));
    std::fs::create_dir_all(&folder)
        .map_err(|error| format!("`{}` cannot be made: {error}", folder.display()))?;
    Ok(folder)
}

/// The folder of a set that is mounted; an empty one if the set is optional and not there.
fn keyed_volume(sets: &KeyedSets, entry: &Value, field: &str, scratch: &Path) -> Result<PathBuf, String> {
    let name = text(entry, field);
    let place = || own_folder(scratch, field, name);
    match sets.find(name)? {
        Some(KeyedSet::Folder(folder)) => Ok(folder),
        Some(set) => {
            set.folder(&place()?).map_err(|error| format!("the files of `{name}` cannot be made: {error}"))
        }
        None if is_optional(entry) => place(),
        None => Err(sets.missing(name)),
    }
}

/// Variables from keys of sets: `fields` are the list, the set's name and the key's.
fn add_keyed(
    sets: &KeyedSets,
    settings: &Value,
    fields: (&str, &str, &str),
    env: &mut Environment,
) -> Result<(), String> {
    let (list, name_field, key_field) = fields;
    for entry in entries(settings, list) {
        let name = text(entry, name_field);
        let Some(set) = sets.find(name)? else {
            if is_optional(entry) {
                continue;
            }
            return Err(sets.missing(name));
        };
        for pair in entries(entry, "keyToEnv") {
            let key = text(pair, key_field);
            match set.value(key)? {
                Some(value) => env.set(text(pair, "envVar"), value),
                None if is_optional(entry) => {}
                None => return Err(format!("it wants the key `{key}` of `{name}`, which does not have it")),
            }
        }
    }
    Ok(())
}

fn add_fields(attempt: &TaskAttempt, env: &mut Environment) -> Result<(), String> {
    for entry in entries(&attempt.kubernetes, "fieldPathAsEnv") {
        let path = text(entry, "fieldPath");
        let value = pod::field(attempt, path);
        let value = value.ok_or_else(|| format!("the field path `{path}` means nothing on this machine"))?;
        env.set(text(entry, "name"), value);
    }
    Ok(())
}
