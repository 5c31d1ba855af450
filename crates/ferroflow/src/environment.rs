//! Every variable of the environment that Ferroflow reads, apart from those named beside a flag in `commands`.
//!
//! Only this crate reads the environment; the floors below are told what it says.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// How much is logged, and of what: `warn` (default), `info`, `debug`, or by crate as in `ferroflow_runtime=debug`.
pub(crate) const LOG: &str = "FERROFLOW_LOG";
/// The data directory, unless `--data-dir` is given.
pub(crate) const DATA_DIR: &str = "FERROFLOW_DATA_DIR";

/// The filter for diagnostics, if set.
pub(crate) fn log_filter() -> Option<String> {
    env::var(LOG).ok().filter(|text| !text.is_empty())
}

/// Whether `NO_COLOR` is unset.
pub(crate) fn wants_colour() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Where data lives when nobody says: `$XDG_DATA_HOME/ferroflow`, else `~/.local/share/ferroflow`.
pub(crate) fn default_data_dir() -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let shared = env::var_os("XDG_DATA_HOME").and_then(absolute);
    let home = || Some(env::var_os("HOME").and_then(absolute)?.join(".local/share"));
    Some(shared.or_else(home)?.join("ferroflow"))
}

/// All variables that are text, for whoever builds the small environment of a task from them.
pub(crate) fn all() -> Vec<(String, String)> {
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Where the Docker daemon is: `DOCKER_HOST`, else the first socket that is there.
pub(crate) fn docker_host() -> String {
    const SYSTEM: &str = "/var/run/docker.sock";
    if let Some(host) = env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()) {
        return host;
    }
    let below = |variable, path| env::var_os(variable).map(|folder| PathBuf::from(folder).join(path));
    let places = [
        Some(PathBuf::from(SYSTEM)),
        below("XDG_RUNTIME_DIR", "docker.sock"),
        below("HOME", ".docker/run/docker.sock"),
        below("HOME", ".docker/desktop/docker.sock"),
    ];
    let found = places.into_iter().flatten().find(|path| path.exists());
    format!("unix://{}", found.unwrap_or_else(|| PathBuf::from(SYSTEM)).display())
}

/// What the Docker client keeps about the user.
pub(crate) fn docker_config() -> Option<PathBuf> {
    let given = env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let usual = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker"));
    Some(given.or_else(usual)?.join("config.json"))
}

/// Folders that programs are searched in.
pub(crate) fn search_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}
