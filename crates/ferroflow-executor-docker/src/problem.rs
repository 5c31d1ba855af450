//! What can go wrong with daemon, image and container, in sentences that say the way out.

use std::error::Error as _;
use std::io;

use bollard::errors::Error;

/// The daemon is not to be reached.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Nobody listens.
    #[error(
        "no Docker daemon answers at `{host}`: start it (`systemctl start docker`), name another one by DOCKER_HOST, or \
         run tasks as processes (`--executor process`)"
    )]
    Absent {
        /// Where it was looked for.
        host: String,
    },
    /// It listens to others only.
    #[error(
        "this user may not speak to the Docker daemon at `{host}`: join the group `docker` and log in again, use a \
         rootless daemon, or run tasks as processes (`--executor process`)"
    )]
    Forbidden {
        /// Where it is.
        host: String,
    },
    /// Its address cannot be used.
    #[error(
        "`{host}` is no address of a Docker daemon that can be used here: it must begin with unix://, tcp:// or http://"
    )]
    Address {
        /// The address.
        host: String,
    },
    /// It answers something else.
    #[error("the Docker daemon at `{host}` does not do what is asked: {reason}")]
    Other {
        /// Where it is.
        host: String,
        /// What it said.
        reason: String,
    },
}

impl DaemonError {
    pub(crate) fn new(host: &str, error: &Error) -> Self {
        let host = host.to_owned();
        match error {
            Error::SocketNotFoundError(_) => Self::Absent { host },
            Error::UnsupportedURISchemeError { .. } => Self::Address { host },
            _ => match io_kind(error) {
                Some(io::ErrorKind::PermissionDenied) => Self::Forbidden { host },
                Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Self::Absent { host },
                _ => Self::Other { host, reason: words(error) },
            },
        }
    }
}

/// The kind of the failure of input or output at the bottom of an error.
fn io_kind(error: &Error) -> Option<io::ErrorKind> {
    if let Error::IOError { err } = error {
        return Some(err.kind());
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        cause = error.source();
    }
    None
}

/// What the daemon says, without what is added around it.
pub(crate) fn words(error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Error::DockerStreamError { error } => error.trim().to_owned(),
        other => match other.source() {
            Some(source) => format!("{other}: {source}"),
            None => other.to_string(),
        },
    }
}

/// Whether the daemon says that there is no such thing.
pub(crate) fn is_absent(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// Why a task in a container failed, besides user code.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// No daemon.
    #[error("the task was not started: {0}")]
    Daemon(#[from] DaemonError),
    /// The image is not there and may not be fetched.
    #[error(
        "the task was not started: image `{0}` is not on this machine and the pipeline forbids to pull it: build, load \
         or tag it first"
    )]
    NotThere(String),
    /// The registry does not have the image, or not for everybody.
    #[error(
        "the task was not started: image `{image}` is not on this machine and its registry does not give it: {reason}. \
         Check its name, log in with `docker login`, or build, load or tag it on this machine"
    )]
    NoImage {
        /// The image.
        image: String,
        /// What the daemon said.
        reason: String,
    },
    /// The registry is not to be reached.
    #[error(
        "the task was not started: image `{image}` is not on this machine and its registry cannot be reached: {reason}. \
         Mend the network or the daemon's proxy, or load the image (`docker load`, `docker tag`)"
    )]
    Registry {
        /// The image.
        image: String,
        /// What the daemon said.
        reason: String,
    },
    /// Its program is not in the image.
    #[error("the task was not started: image `{image}` has no program `{program}`")]
    NoProgram {
        /// The image.
        image: String,
        /// The first word of its command.
        program: String,
    },
    /// The daemon does not make or start the container.
    #[error("the task was not started: {0}")]
    NotStarted(String),
    /// Packages could not be installed.
    #[error("the packages of the task could not be installed: {0}")]
    Packages(String),
    /// The daemon went away while the container ran.
    #[error("the end of the task is not known, for the Docker daemon does not answer any more: {0}")]
    Gone(String),
    /// An artifact stays in the container.
    #[error("what the task wrote to `{path}` cannot be copied out of its container: {reason}")]
    Copy {
        /// Path in the container.
        path: String,
        /// What went wrong.
        reason: String,
    },
    /// It was asked to end before its container was started.
    #[error("the task was stopped before its container was started")]
    Stopped,
    /// The order is of no use.
    #[error("the task was not started: its order cannot be read: {0}")]
    Order(String),
}

impl Problem {
    /// An image that could not be pulled.
    pub(crate) fn of_pull(image: &str, error: &Error) -> Self {
        let (image, reason) = (image.to_owned(), words(error));
        const ABSENT: [&str; 8] = [
            "not found",
            "manifest unknown",
            "pull access denied",
            "unauthorized",
            "denied:",
            "no basic auth credentials",
            "authentication required",
            "invalid reference",
        ];
        if is_absent(error) || ABSENT.iter().any(|text| reason.contains(text)) {
            Self::NoImage { image, reason }
        } else {
            Self::Registry { image, reason }
        }
    }

    /// A container that could not be made or started.
    pub(crate) fn of_start(image: &str, error: &Error) -> Self {
        let reason = words(error);
        let is_missing =
            reason.contains("executable file not found") || reason.contains("no such file or directory");
        let named = reason.split_once("exec: \"").and_then(|(_, rest)| rest.split_once('"'));
        match named {
            Some((program, _)) if is_missing => {
                Self::NoProgram { image: image.to_owned(), program: program.to_owned() }
            }
            _ => Self::NotStarted(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status_code: u16, message: &str) -> Error {
        Error::DockerResponseServerError { status_code, message: message.to_owned() }
    }

    #[test]
    fn what_the_daemon_says_becomes_the_way_out() {
        let missing = "OCI runtime create failed: container_linux.go:380: starting container process caused: exec: \
                       \"python3\": executable file not found in $PATH: unknown";
        for (problem, expected) in [
            (Problem::of_start("alpine", &said(400, missing)), "image `alpine` has no program `python3`"),
            (Problem::of_start("a", &said(500, "no space left on device")), "no space left on device"),
            (
                Problem::of_pull("a", &said(404, "pull access denied for a, repository does not exist")),
                "its registry does not give it",
            ),
            (
                Problem::of_pull("a", &said(500, "Get \"https://r/v2/\": dial tcp: lookup r: no such host")),
                "its registry cannot be reached",
            ),
        ] {
            let text = problem.to_string();
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn who_does_not_answer_is_told_apart_from_who_may_not_be_asked() {
        let io = |kind| Error::from(io::Error::from(kind));
        assert!(matches!(
            DaemonError::new("h", &io(io::ErrorKind::PermissionDenied)),
            DaemonError::Forbidden { .. }
        ));
        assert!(matches!(
            DaemonError::new("h", &io(io::ErrorKind::ConnectionRefused)),
            DaemonError::Absent { .. }
        ));
        let other = DaemonError::new("h", &said(400, "client version 1.20 is too old"));
        assert!(other.to_string().ends_with("client version 1.20 is too old"));
    }
}
