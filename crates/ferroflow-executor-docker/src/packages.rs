//! Environments with the packages of components: made once for an image and a set of requirements, in a container of
//! that image, and kept in a folder of this machine that all such tasks see.
//!
//! A lock beside the folder lets one process make it, and keeps it from being removed while containers use it.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::SystemTime;

use ferroflow_executor_local::container::order::{Mount, Order, PackagesOrder, Resources};
use ferroflow_executor_local::python::{ENVIRONMENT_READY, evict_environments};

use crate::contain::{run, say};
use crate::daemon::Daemon;
use crate::image::Image;
use crate::problem::Problem;
use crate::request;

/// Changes when environments that were made before can no longer be used.
const FORMAT: &str = "container 1";
/// So many lines of the installer's last words are part of the message.
const TAIL_LINES: usize = 5;

/// An environment that is complete.
#[derive(Debug)]
pub(crate) struct Environment {
    folder: String,
    /// It stays as long as this is open.
    pub(crate) lock: File,
}

impl Environment {
    /// Lets the container run its Python instead of the image's.
    pub(crate) fn add_to(&self, order: &mut Order, image: &Image) {
        let folder = &self.folder;
        if let Some(program) = order.entrypoint.first_mut() {
            *program = format!("{folder}/bin/python3");
        }
        let is_set = |name: &str, order: &Order| order.env.iter().any(|(known, _)| known == name);
        if !is_set("PATH", order) {
            order.env.push(("PATH".to_owned(), format!("{folder}/bin:{}", image.path)));
        }
        if !is_set("VIRTUAL_ENV", order) {
            order.env.push(("VIRTUAL_ENV".to_owned(), folder.clone()));
        }
        order.mounts.push(Mount { source: folder.clone(), target: folder.clone(), read_only: true });
    }
}

/// Makes the environment unless it is there.
pub(crate) async fn ensure(
    daemon: &Daemon,
    order: &Order,
    wanted: &PackagesOrder,
    image: &Image,
) -> Result<Environment, Problem> {
    let key = blake3::hash([FORMAT, &image.id, &wanted.wanted].join("\n").as_bytes()).to_hex();
    let folder = format!("{}/{}", wanted.folder, key.get(..32).unwrap_or_default());
    let cannot = |error: std::io::Error| Problem::Packages(format!("`{folder}` cannot be made: {error}"));
    fs::create_dir_all(&wanted.folder).map_err(cannot)?;
    let lock = File::create(format!("{folder}.lock")).map_err(cannot)?;
    lock.lock_shared().map_err(cannot)?;
    if mark_used(&folder) {
        return Ok(Environment { folder, lock });
    }
    lock.unlock().map_err(cannot)?;
    // Waits while another process makes it.
    let locked = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock));
    let lock = locked.await.map_err(|error| Problem::Packages(error.to_string()))?.map_err(cannot)?;
    if !mark_used(&folder) {
        Box::pin(make(daemon, order, wanted, &folder)).await?;
        evict_environments(Path::new(&wanted.folder), wanted.limit_bytes, Path::new(&folder));
    }
    lock.lock_shared().map_err(cannot)?;
    Ok(Environment { folder, lock })
}

/// Whether it is complete; if so, notes that it is used now.
fn mark_used(folder: &str) -> bool {
    let Ok(file) = File::options().append(true).open(format!("{folder}/{ENVIRONMENT_READY}")) else {
        return false;
    };
    // If it cannot be noted, the environment is only removed earlier.
    let _ = file.set_modified(SystemTime::now());
    true
}

async fn make(daemon: &Daemon, order: &Order, wanted: &PackagesOrder, folder: &str) -> Result<(), Problem> {
    let cannot = |error: std::io::Error| Problem::Packages(format!("`{folder}` cannot be made: {error}"));
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(cannot(error)),
        _ => fs::create_dir(folder).map_err(cannot)?,
    }
    // Whoever the image's user is.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).map_err(cannot)?;
    fs::write(format!("{folder}/requirements.json"), &wanted.wanted).map_err(cannot)?;
    say("installing the packages of the task");
    let mut said = Vec::new();
    let body = request::of_order(&installer(order, wanted, folder), None);
    let name = installer_name(&order.name);
    let ended = run(daemon, &name, body, None, |piece| said.extend_from_slice(&piece.into_bytes())).await;
    let _ = daemon.remove(&name).await;
    // Also for those who look into the folder later.
    let _ = fs::write(format!("{folder}.log"), &said);
    let code = ended?;
    if code == 0 {
        return fs::write(format!("{folder}/{ENVIRONMENT_READY}"), b"").map_err(cannot);
    }
    let said = String::from_utf8_lossy(&said);
    say(said.trim_end());
    Err(Problem::Packages(format!("the installer exited with code {code}{}", tail(&said))))
}

/// The container that installs.
fn installer(order: &Order, wanted: &PackagesOrder, folder: &str) -> Order {
    let own = Mount { source: folder.to_owned(), target: folder.to_owned(), read_only: false };
    let proxies = order.env.iter().filter(|(name, _)| name.to_ascii_lowercase().ends_with("_proxy"));
    Order {
        entrypoint: ["python3", &wanted.installer, folder].map(str::to_owned).to_vec(),
        words: Vec::new(),
        env: proxies.chain(&wanted.env).cloned().collect(),
        mounts: wanted.mounts.iter().cloned().chain([own]).collect(),
        resources: Resources::default(),
        ..order.clone()
    }
}

/// The name of the container that installs packages for the container of this name.
pub(crate) fn installer_name(name: &str) -> String {
    format!("{name}-packages")
}

/// Ends what an order was installing.
pub(crate) async fn clear(daemon: &Daemon, order: &Order) {
    if order.environment.is_some() {
        // What stays is removed by the server.
        let _ = daemon.remove(&installer_name(&order.name)).await;
    }
}

/// The last lines, as the end of a sentence.
fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default();
    if last.is_empty() { String::new() } else { format!("; it said last: {}", last.join(" | ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_runs_the_python_of_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let lock = File::create(folder.path().join("lock")).unwrap();
        let environment = Environment { folder: "/envs/1".to_owned(), lock };
        let image = Image { id: String::new(), path: "/usr/bin".to_owned() };
        let mut order =
            Order { entrypoint: vec!["python3".to_owned(), "start.py".to_owned()], ..Order::default() };
        environment.add_to(&mut order, &image);
        assert_eq!(order.entrypoint, ["/envs/1/bin/python3", "start.py"]);
        assert!(order.env.contains(&("PATH".to_owned(), "/envs/1/bin:/usr/bin".to_owned())));
        assert!(order.mounts.iter().all(|mount| mount.read_only));
        // What the component sets goes before.
        let mut order = Order { env: vec![("PATH".to_owned(), "/own".to_owned())], ..Order::default() };
        environment.add_to(&mut order, &image);
        assert_eq!(order.env.iter().filter(|(name, _)| name == "PATH").count(), 1);
    }

    #[test]
    fn the_last_words_of_the_installer_are_told() {
        assert_eq!(tail(""), "");
        assert_eq!(tail("a\n\nb\nc\nd\ne\nf\n"), "; it said last: b | c | d | e | f");
    }
}
