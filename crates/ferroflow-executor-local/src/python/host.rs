//! What tasks and builds get of the server's environment, and the variables of Python.
//!
//! Tasks: what pip needs to reach packages, for commands that run it themselves. Builds of environments: the same and
//! what compilers and git need. The rest of a task's environment is not made here.

use std::collections::BTreeMap;

use std::path::Path;

use crate::container::order::Mount;
use crate::environment::Environment;

/// Vec<(String, String)> by which people tell pip and uv where packages are and how to reach them.
const INDEX_PREFIXES: [&str; 2] = ["PIP_", "UV_"];
/// Proxies and certificates, in the spellings of the programs that read them.
const NETWORK: [&str; 17] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NETRC",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
];
/// What else a build may need: the user's settings, git for packages from repositories, compilers for source packages.
const BUILD: [&str; 24] = [
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "SSH_AUTH_SOCK",
    "CC",
    "CXX",
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "LD_LIBRARY_PATH",
    "PKG_CONFIG_PATH",
    "CMAKE_PREFIX_PATH",
    "CUDA_HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "MAKEFLAGS",
];
/// These would send packages elsewhere than into the environment or the task's own folder.
const MISLEADING: [&str; 8] = [
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_PYTHON",
    "PIP_LOG",
    "UV_SYSTEM_PYTHON",
    "UV_PYTHON",
];
/// Variables that name files of this machine which installers in containers must see, too.
const FILES: [&str; 7] = [
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_FIND_LINKS",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];
/// Where programs are if nobody says it.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The server's environment.
#[derive(Debug)]
pub(super) struct Host {
    variables: BTreeMap<String, String>,
}

impl Host {
    pub(super) fn new(variables: &[(String, String)]) -> Self {
        Self { variables: variables.iter().cloned().collect() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// PATH with this folder in front.
    fn path_after(&self, folder: Option<&str>) -> String {
        let path = self.get("PATH").filter(|path| !path.is_empty()).unwrap_or(DEFAULT_PATH);
        match folder {
            Some(folder) => format!("{folder}:{path}"),
            None => path.to_owned(),
        }
    }

    /// Settings of pip and uv, and of the network.
    fn package_settings(&self) -> impl Iterator<Item = (String, String)> {
        let is_wanted = |name: &str| {
            let is_index = INDEX_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            (is_index && !MISLEADING.contains(&name)) || NETWORK.contains(&name)
        };
        let wanted = self.variables.iter().filter(move |(name, _)| is_wanted(name));
        wanted.map(|(name, value)| (name.clone(), value.clone()))
    }

    /// Sets the variables of a task in `program`, which belongs to the environment in `folder` if there is one.
    pub(super) fn add_python(&self, env: &mut Environment, program: &str, folder: Option<&str>) {
        env.set("PATH", self.path_after(folder_of(program)));
        if let Some(folder) = folder {
            env.set("VIRTUAL_ENV", folder);
        }
    }

    /// Sets the variables of a command that runs as written in `folder`.
    pub(super) fn add_as_written(&self, env: &mut Environment, program: Option<&str>, folder: &str) {
        env.set("PATH", self.path_after(program.and_then(folder_of)));
        for (name, value) in self.package_settings() {
            env.set(&name, value);
        }
        let packages = format!("{folder}/site-packages");
        env.set("PIP_TARGET", packages.as_str());
        // It warns of what it would do to the machine, which does not happen here.
        env.set("PIP_ROOT_USER_ACTION", "ignore");
        env.set("PYTHONPATH", packages);
    }

    /// Proxies, which a container needs as well.
    pub(super) fn proxies(&self) -> impl Iterator<Item = (String, String)> {
        let is_proxy = |name: &str| NETWORK.contains(&name) && name.to_ascii_lowercase().ends_with("_proxy");
        let proxies = self.variables.iter().filter(move |(name, _)| is_proxy(name));
        proxies.map(|(name, value)| (name.clone(), value.clone()))
    }

    /// What installers in a container get: the settings of this machine, and the files that these name, at the same
    /// paths. What names other things of this machine is left out.
    pub(super) fn installer_in_container(&self) -> (Vec<(String, String)>, Vec<Mount>) {
        let (mut variables, mut mounts) = (Vec::new(), Vec::new());
        for (name, value) in self.package_settings() {
            if FILES.contains(&name.as_str()) {
                mounts.extend(value.split_whitespace().filter_map(as_it_is));
            } else if value.starts_with('/') {
                continue;
            }
            variables.push((name, value));
        }
        let (global, own) = self.pip_files();
        for file in global.iter().chain(&own) {
            let Some(mount) = as_it_is(file) else { continue };
            // Certificates and folders of packages that it names.
            let text = std::fs::read_to_string(file).unwrap_or_default();
            mounts.extend(text.split(['=', ' ', '\n', '\t']).filter_map(as_it_is));
            mounts.push(mount);
        }
        // Whoever runs in the container has another home.
        if self.get("PIP_CONFIG_FILE").is_none()
            && let Some(file) = own.iter().rev().find(|file| Path::new(file).is_file())
        {
            variables.push(("PIP_CONFIG_FILE".to_owned(), file.clone()));
        }
        variables.push(("PIP_ROOT_USER_ACTION".to_owned(), "ignore".to_owned()));
        variables.push(("PIP_DISABLE_PIP_VERSION_CHECK".to_owned(), "1".to_owned()));
        (variables, mounts)
    }

    /// pip's configuration files: those of the machine, and the user's own.
    fn pip_files(&self) -> (Vec<String>, Vec<String>) {
        let global = ["/etc/pip.conf", "/etc/xdg/pip/pip.conf"].map(str::to_owned).to_vec();
        let Some(home) = self.get("HOME") else { return (global, Vec::new()) };
        let config = self.get("XDG_CONFIG_HOME").map_or_else(|| format!("{home}/.config"), str::to_owned);
        (global, vec![format!("{home}/.pip/pip.conf"), format!("{config}/pip/pip.conf")])
    }

    /// The whole environment of the process that builds an environment with the interpreter `program`.
    pub(super) fn build_env(&self, program: &str) -> Vec<(String, String)> {
        let mut env: Vec<(String, String)> = self.package_settings().collect();
        let wanted = |name: &str| BUILD.contains(&name) || name.starts_with("GIT_");
        let others = self.variables.iter().filter(|(name, _)| wanted(name));
        env.extend(others.map(|(name, value)| (name.clone(), value.clone())));
        env.push(("PATH".to_owned(), self.path_after(folder_of(program))));
        // Goes before what configuration files say.
        env.push(("PIP_USER".to_owned(), "0".to_owned()));
        env.push(("PYTHONUNBUFFERED".to_owned(), "1".to_owned()));
        env.push(("PYTHONNOUSERSITE".to_owned(), "1".to_owned()));
        env
    }
}

/// A file or folder of this machine at its own path, if it is there.
fn as_it_is(path: &str) -> Option<Mount> {
    let is_there = path.starts_with('/') && path.len() > 1 && Path::new(path).exists();
    is_there.then(|| Mount { source: path.to_owned(), target: path.to_owned(), read_only: true })
}

fn folder_of(program: &str) -> Option<&str> {
    program.rsplit_once('/').map(|(folder, _)| folder).filter(|folder| !folder.is_empty())
}
