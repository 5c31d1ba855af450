//! The way to the daemon.

use std::collections::HashMap;

use bollard::errors::Error;
use bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use bollard::{ClientVersion, Docker};
use ferroflow_executor_local::container::order::{ATTEMPT_LABEL, DATA_LABEL};

use crate::problem::{DaemonError, is_absent};

/// How long an answer may take to begin.
const TIMEOUT_SECONDS: u64 = 120;

/// A daemon that answers.
#[derive(Debug, Clone)]
pub struct Daemon {
    host: String,
    pub(crate) docker: Docker,
}

/// What a daemon says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonFacts {
    /// Its version.
    pub version: String,
    /// Whether root in its containers is an ordinary user outside.
    pub is_rootless: bool,
}

/// A container of a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) id: String,
    /// The attempt it was made for.
    pub(crate) attempt: String,
}

impl Daemon {
    /// Asks the daemon at this address (`unix://…`, `tcp://…`) for its version and speaks that one from then on.
    pub async fn reach(host: &str) -> Result<Self, DaemonError> {
        let failed = |error: Error| DaemonError::new(host, &error);
        let docker = Docker::connect_with_host(host).map_err(failed)?;
        let docker = docker.negotiate_version().await.map_err(failed)?;
        Ok(Self { host: host.to_owned(), docker })
    }

    /// The daemon at this address, which speaks this version of its API (such as `1.41`) as somebody has found out; nobody
    /// asks it whether it is there. Without a version it is asked.
    pub async fn at(host: &str, api: Option<&str>) -> Result<Self, DaemonError> {
        let Some(version) = api.and_then(parse) else { return Self::reach(host).await };
        let docker = if host.starts_with("unix://") {
            Docker::connect_with_unix(host, TIMEOUT_SECONDS, &version)
        } else {
            Docker::connect_with_http(host, TIMEOUT_SECONDS, &version)
        };
        let docker = docker.map_err(|error| DaemonError::new(host, &error))?;
        Ok(Self { host: host.to_owned(), docker })
    }

    /// The version of its API that is spoken with it.
    pub fn api(&self) -> String {
        let version = self.docker.client_version();
        format!("{}.{}", version.major_version, version.minor_version)
    }

    /// What it says of itself.
    pub async fn facts(&self) -> Result<DaemonFacts, DaemonError> {
        let info = self.docker.info().await.map_err(|error| DaemonError::new(&self.host, &error))?;
        let mut options = info.security_options.iter().flatten();
        Ok(DaemonFacts {
            version: info.server_version.unwrap_or_default(),
            is_rootless: options.any(|option| option.contains("rootless")),
        })
    }

    /// How many cores containers may have at most; as many as there are if it does not tell.
    pub(crate) async fn cores(&self) -> Option<i64> {
        self.docker.info().await.ok()?.ncpu.filter(|cores| *cores > 0)
    }

    /// All containers, also ended ones, that were made for attempts of this data directory.
    pub(crate) async fn containers_of(&self, data_dir: &str) -> Result<Vec<Found>, DaemonError> {
        let filters = HashMap::from([("label", vec![format!("{DATA_LABEL}={data_dir}")])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let listed = self.docker.list_containers(Some(options)).await;
        let listed = listed.map_err(|error| DaemonError::new(&self.host, &error))?;
        let found = listed.into_iter().filter_map(|container| {
            let attempt = container.labels?.remove(ATTEMPT_LABEL)?;
            Some(Found { id: container.id?, attempt })
        });
        Ok(found.collect())
    }

    /// Ends and removes a container; nothing happens if there is none.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), DaemonError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.docker.remove_container(name, Some(options)).await {
            Err(error) if !is_absent(&error) && !is_being_removed(&error) => {
                Err(DaemonError::new(&self.host, &error))
            }
            _ => Ok(()),
        }
    }
}

fn parse(api: &str) -> Option<ClientVersion> {
    let (major, minor) = api.split_once('.')?;
    Some(ClientVersion { major_version: major.parse().ok()?, minor_version: minor.parse().ok()? })
}

fn is_being_removed(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 409, message } if message.contains("in progress"))
}
