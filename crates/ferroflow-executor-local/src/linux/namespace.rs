//! Folders at absolute paths that only one process and its children see.
//!
//! A mount namespace of its own, and a user namespace around it unless this process may mount anyway: no rights of the
//! machine are needed or gained. Where a path has no folder on the machine to be mounted over, the process gets another
//! root, in which the folders above that path are made anew and everything else is the machine's own.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};
use rustix::thread::UnshareFlags;
use serde::{Deserialize, Serialize};

/// A folder of the machine and the path at which it is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// An absolute path that exists.
    pub source: String,
    /// An absolute path; nothing need be there.
    pub target: String,
    /// Whether nothing can be written below it.
    pub read_only: bool,
}

/// A step that did not work.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub(crate) struct NamespaceError {
    what: String,
    source: io::Error,
}

fn failed<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> NamespaceError {
    let what = what.into();
    move |error| NamespaceError { what, source: error.into() }
}

/// Shows these folders to this process, which must have one thread only. `staging` is an empty folder for its own use;
/// afterwards it is seen as it was. The working directory is left as it is on success.
pub(crate) fn enter(mounts: &[Mount], staging: &Path) -> Result<(), NamespaceError> {
    leave_the_others()?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(failed("mounts cannot be made private"))?;
    let targets: Vec<PathBuf> = mounts.iter().map(|mount| normal(&mount.target)).collect();
    let cwd = std::env::current_dir().map_err(failed("the working directory is unknown"))?;
    if targets.iter().any(|target| !target.is_dir()) {
        let missing: Vec<&Path> = targets.iter().map(PathBuf::as_path).collect();
        change_root(&missing, staging)?;
    }
    for (found, target) in mounts.iter().zip(&targets) {
        bind(found, target)?;
    }
    // By its path, for the folder it was is below the old root.
    std::env::set_current_dir(&cwd).map_err(failed("the working directory cannot be entered again"))
}

fn bind(found: &Mount, target: &Path) -> Result<(), NamespaceError> {
    let what = || format!("`{}` cannot be shown at `{}`", found.source, target.display());
    mount_bind_recursive(&found.source, target).map_err(failed(what()))?;
    if found.read_only {
        // Flags that the mount below has may not be taken away without rights.
        let kept = [MountFlags::empty(), MountFlags::NOSUID | MountFlags::NODEV, all_flags()];
        let remount = |flags| mount_remount(target, MountFlags::BIND | MountFlags::RDONLY | flags, "");
        let worked = kept.into_iter().any(|flags| remount(flags).is_ok());
        if !worked {
            return Err(failed(what())(io::Error::from(io::ErrorKind::PermissionDenied)));
        }
    }
    Ok(())
}

fn all_flags() -> MountFlags {
    MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RELATIME
}

/// Own mounts, with a user namespace if that is what it takes.
fn leave_the_others() -> Result<(), NamespaceError> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    if user.is_root() && unshare(UnshareFlags::NEWNS).is_ok() {
        return Ok(());
    }
    unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)
        .map_err(failed("the kernel allows no private mounts (user namespaces)"))?;
    let cannot = "the user cannot be kept in a namespace of its own";
    // Needed before the group may be told; older kernels do not know it.
    let _ = std::fs::write("/proc/self/setgroups", "deny");
    let (user, group) = (user.as_raw(), group.as_raw());
    std::fs::write("/proc/self/uid_map", format!("{user} {user} 1")).map_err(failed(cannot))?;
    std::fs::write("/proc/self/gid_map", format!("{group} {group} 1")).map_err(failed(cannot))
}

#[expect(deprecated, reason = "the unsafe one concerns tables of open files, which stay shared here")]
fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    rustix::thread::unshare(flags)
}

/// The path without `.`, `..`, repeated slashes, and links as far as it exists.
fn normal(path: &str) -> PathBuf {
    let mut normal = PathBuf::from("/");
    for step in Path::new(path).components() {
        match step {
            Component::Normal(name) => normal.push(name),
            Component::ParentDir => {
                normal.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    let found = normal.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    match found {
        Some((above, real)) => match normal.strip_prefix(above) {
            Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
            _ => real,
        },
        None => normal,
    }
}

/// Changes the root to one that is the same but for empty folders at the targets.
fn change_root(targets: &[&Path], staging: &Path) -> Result<(), NamespaceError> {
    let cannot = |what: &str| format!("another root cannot be made ({what})");
    mount("ferroflow", staging, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"mode=755")
        .map_err(failed(cannot("tmpfs")))?;
    // Else it would be part of what is shown below it.
    mount_change(staging, MountPropagationFlags::UNBINDABLE).map_err(failed(cannot("unbindable")))?;
    let below: Vec<PathBuf> =
        targets.iter().map(|target| target.strip_prefix("/").unwrap_or(target).to_owned()).collect();
    populate(Path::new("/"), staging, &below)?;
    rustix::process::chdir(staging).map_err(failed(cannot("chdir")))?;
    // The old root comes to lie over the new one, and is taken off.
    rustix::process::pivot_root(".", ".").map_err(failed(cannot("pivot")))?;
    unmount(".", UnmountFlags::DETACH).map_err(failed(cannot("detach")))?;
    rustix::process::chdir("/").map_err(failed(cannot("chdir")))
}

/// Makes `new` show what is in `old`, with folders at the `targets` below it.
fn populate(old: &Path, new: &Path, targets: &[PathBuf]) -> Result<(), NamespaceError> {
    let cannot = |path: &Path| format!("`{}` cannot be made anew", path.display());
    for entry in std::fs::read_dir(old).into_iter().flatten().flatten() {
        let (name, from) = (entry.file_name(), entry.path());
        if !targets.iter().any(|target| target.starts_with(&name)) {
            show(&from, &new.join(&name))?;
        }
    }
    let mut names: Vec<_> = targets.iter().filter_map(|target| target.components().next()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (from, to) = (old.join(name), new.join(name));
        let below: Vec<PathBuf> = targets
            .iter()
            .filter_map(|target| target.strip_prefix(name).ok())
            .filter(|rest| !rest.as_os_str().is_empty())
            .map(Path::to_owned)
            .collect();
        let is_whole = from.is_dir() && below.iter().all(|rest| from.join(rest).is_dir());
        if is_whole {
            show(&from, &to)?;
            continue;
        }
        std::fs::create_dir(&to).map_err(failed(cannot(&to)))?;
        if let Ok(found) = from.metadata() {
            // Such as /tmp, which all may write to.
            let _ = std::fs::set_permissions(
                &to,
                std::fs::Permissions::from_mode(found.permissions().mode() & 0o7777),
            );
        }
        if !below.is_empty() {
            populate(&from, &to, &below)?;
        }
    }
    Ok(())
}

/// Shows one entry of the machine in the new root. What cannot be shown, such as a folder that may not be entered, is
/// missing there.
fn show(from: &Path, to: &Path) -> Result<(), NamespaceError> {
    let cannot = || format!("`{}` cannot be made anew", to.display());
    let Ok(found) = from.symlink_metadata() else { return Ok(()) };
    if found.is_symlink() {
        if let Ok(target) = std::fs::read_link(from) {
            rustix::fs::symlinkat(target, CWD, to).map_err(failed(cannot()))?;
        }
        return Ok(());
    }
    if found.is_dir() {
        std::fs::create_dir(to).map_err(failed(cannot()))?;
    } else {
        std::fs::File::create(to).map_err(failed(cannot()))?;
    }
    let _ = mount_bind_recursive(from, to);
    Ok(())
}
