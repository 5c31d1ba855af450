//! The environment that tasks see: small, the same on each start, and documented here.
//!
//! | variable | value |
//! | --- | --- |
//! | those of [`EXACT`] and those that begin like one of [`PREFIXES`] | as the server has them |
//! | `TMPDIR` | the attempt's own folder, which is also its working directory |
//! | `PATH` | as the server has it, with the folder of the chosen Python in front |
//! | `PYTHONUNBUFFERED` | `1`: what is printed is in the log at once, also when the task is killed |
//! | `PYTHONNOUSERSITE` | `1` unless system site packages are allowed: `~/.local` is not part of a pipeline |
//! | `FERROFLOW_LOCAL_ROOTS` | only if artifacts of other stores are mirrored: a JSON object from URI prefix to folder |
//! | further ones for Python | see `python/host.rs` and `python/slim.rs` |
//! | `FERROFLOW_SUPERVISOR`, `FERROFLOW_ATTEMPT` | by which the supervisor finds what belongs to a task |
//! | those of Kubernetes settings | see `platform`; they win over all above and the next row |
//! | those of the container | as written in the pipeline; they win over all above but the last row |

/// Variables that tasks get from the server. `HOME` is among them since programs that miss it take the same path from
/// the password database; credentials in other variables are not handed on.
pub const EXACT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "TZ",
    "LD_LIBRARY_PATH",
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
];

/// Beginnings of variables that tasks get from the server.
pub const PREFIXES: &[&str] = &["LC_", "CUDA_", "NVIDIA_", "NCCL_"];

/// Where programs are looked for when the server does not say.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables, each at most once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    variables: Vec<(String, String)>,
}

impl Environment {
    /// What all tasks share, chosen from the server's variables.
    pub(crate) fn of_tasks(host: &[(String, String)], system_site_packages: bool) -> Self {
        let is_chosen =
            |name: &str| EXACT.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let mut environment = Self::default();
        environment.set("PATH", DEFAULT_PATH);
        environment.set("PYTHONUNBUFFERED", "1");
        if !system_site_packages {
            environment.set("PYTHONNOUSERSITE", "1");
        }
        for (name, value) in host.iter().filter(|(name, _)| is_chosen(name)) {
            environment.set(name, value);
        }
        environment
    }

    /// Sets or replaces.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        match self.variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.into(),
            None => self.variables.push((name.to_owned(), value.into())),
        }
    }

    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All of them.
    pub(crate) fn into_variables(self) -> Vec<(String, String)> {
        self.variables
    }
}
