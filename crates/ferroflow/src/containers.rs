//! What the command line and this machine say about containers of tasks.

use anyhow::Context as _;
use ferroflow_executor_docker::{Daemon, DaemonError};
use ferroflow_executor_local::container::{ContainerOptions, ContainerScope};

use crate::commands::{ExecutorKind, TaskArguments};
use crate::environment;

/// The user of the image, whoever runs the server.
const IMAGE_USER: &str = "image";

/// How tasks run in containers; `None` if none does. Fails if all do and no daemon answers.
pub(crate) async fn options(
    tasks: &TaskArguments,
    artifacts: &str,
) -> anyhow::Result<Option<ContainerOptions>> {
    let scope = match tasks.executor {
        ExecutorKind::Process => return Ok(None),
        ExecutorKind::Docker => ContainerScope::All,
        ExecutorKind::Auto => ContainerScope::AllButPlainPython,
    };
    let daemon = environment::docker_host();
    let asked = async {
        let daemon = Daemon::reach(&daemon).await?;
        Ok((daemon.api(), daemon.facts().await?))
    };
    let asked: Result<_, DaemonError> = asked.await;
    let (api, is_rootless) = match asked {
        Ok((api, facts)) => (Some(api), facts.is_rootless),
        Err(error) if scope == ContainerScope::All => return Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "only plain Python components can run");
            (None, false)
        }
    };
    let mut shared = vec![artifacts.to_owned()];
    for path in &tasks.mounts {
        let path = std::path::absolute(path).with_context(|| format!("`{}` is no path", path.display()))?;
        anyhow::ensure!(path.exists(), "`{}` is not there, so tasks cannot see it", path.display());
        shared.push(path.into_os_string().into_string().ok().context("a path for tasks is not UTF-8")?);
    }
    Ok(Some(ContainerOptions {
        scope,
        daemon,
        api,
        credentials: environment::docker_config().and_then(|path| path.into_os_string().into_string().ok()),
        network: tasks.docker_network.clone(),
        user: user(tasks.docker_user.as_deref(), is_rootless),
        shared,
    }))
}

/// Who user code is. By default what it leaves belongs to whoever runs the server, who could not remove it otherwise.
fn user(given: Option<&str>, is_rootless: bool) -> Option<String> {
    match given {
        Some(IMAGE_USER) => None,
        Some(user) => Some(user.to_owned()),
        None => {
            let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
            (!user.is_root() && !is_rootless).then(|| format!("{}:{}", user.as_raw(), group.as_raw()))
        }
    }
}
