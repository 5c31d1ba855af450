//! With the real interpreter of this machine, and packages made here so that no network is needed.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use ferroflow_launcher::installer::{PythonTask, Requirements};
use ferroflow_model::RunId;
use rustix::process::Pid;

use super::interpreter::{Found, find};
use super::*;
use crate::linux;
use crate::supervisor::skeleton;

#[test]
fn every_file_of_the_runtime_is_embedded() {
    fn walk(folder: &Path, below: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                walk(&path, &format!("{name}/"), found);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                found.insert(name);
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("kfp-runtime"), "", &mut found);
    let embedded: BTreeSet<String> = slim::FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(embedded, found);
}

#[test]
fn the_runtime_is_unpacked_once_and_mended() {
    let data = tempfile::tempdir().unwrap();
    let file = SlimRuntime::unpack(data.path()).unwrap().file("kfp_task.py");
    let text = fs::read_to_string(&file).unwrap();
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    SlimRuntime::unpack(data.path()).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
    fs::write(&file, "").unwrap();
    SlimRuntime::unpack(data.path()).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(fs::read_dir(data.path().join("kfp-runtime")).unwrap().count(), 1);
}

#[test]
fn images_tell_their_python() {
    let check = |image: &str, wanted: Option<&str>| {
        assert_eq!(
            image::python_version(image).map(|version| version.to_string()).as_deref(),
            wanted,
            "{image}"
        );
    };
    check("python:3.11", Some("3.11"));
    check("python:3.9-slim", Some("3.9"));
    check("docker.io/library/python:3.11.7-bookworm", Some("3.11"));
    check("mirror:5000/python:3.12@sha256:00", Some("3.12"));
    check("python:3", Some("3"));
    check("python:slim", None);
    check("python", None);
    check("pypy:3.10", None);
    check("gcr.io/team/trainer:3.11", None);
    assert!(image::python_version("python:3").unwrap().fits(3, 13));
    assert!(!image::python_version("python:3.1").unwrap().fits(3, 11));
}

#[test]
fn shims_of_pyenv_are_followed_by_its_rules() {
    let root = tempfile::tempdir().unwrap();
    let at = |below: &str| root.path().join(below);
    let shim = executable(&at("shims/python3"), "#!/bin/sh\nexit 1\n");
    let versions = ["3.11.7", "3.12.1", "3.13.0"];
    for version in versions {
        executable(&at(&format!("versions/{version}/bin/python3")), "");
    }
    fs::create_dir_all(at("work/deep")).unwrap();
    let check = |pyenv_version: Option<&str>, wanted: &str| {
        let path = format!("/nowhere:{}", shim.parent().unwrap().display());
        let mut env = vec![("PATH".to_owned(), path)];
        env.extend(pyenv_version.map(|version| ("PYENV_VERSION".to_owned(), version.to_owned())));
        let options = PythonOptions { working_folder: at("work/deep"), ..options(env) };
        let found = find(&options, &Host::new(&options.host_env)).unwrap();
        let expected = at(&format!("versions/{wanted}/bin/python3"));
        assert!(matches!(&found, Found::Known(found) if Path::new(&found.program) == expected), "{found:?}");
    };
    fs::write(at("version"), "3.11.7\n").unwrap();
    check(None, "3.11.7");
    fs::write(at("work/.python-version"), "3.12.1\n3.11.7\n").unwrap();
    check(None, "3.12.1");
    check(Some("3.13.0:3.12.1"), "3.13.0");
}

#[test]
fn the_interpreter_is_chosen_in_order_and_shims_are_asked() {
    let folder = tempfile::tempdir().unwrap();
    let real = real_python();
    let shim = executable(&folder.path().join("other/python3"), &format!("#!/bin/sh\nexec {real} \"$@\"\n"));
    let active = folder.path().join("venv");
    fs::create_dir_all(active.join("bin")).unwrap();
    std::os::unix::fs::symlink(&real, active.join("bin/python3")).unwrap();
    let on_path = ("PATH".to_owned(), shim.parent().unwrap().display().to_string());
    let is_active = ("VIRTUAL_ENV".to_owned(), active.display().to_string());
    let check = |python: Option<&str>, env: Vec<(String, String)>, wanted: &str| {
        let options = PythonOptions { python: python.map(str::to_owned), ..options(env) };
        let found = find(&options, &Host::new(&options.host_env)).and_then(Found::ask);
        assert_eq!(found.map_or_else(|error| error.to_string(), |found| found.program), wanted);
    };
    let linked = active.join("bin/python3").display().to_string();
    check(None, vec![on_path.clone()], &real);
    check(None, vec![on_path.clone(), is_active.clone()], &linked);
    check(Some(&real), vec![on_path.clone(), is_active], &real);
    check(Some("python3"), vec![on_path.clone()], &real);
    check(Some("python9"), vec![on_path], "`--python python9` names no executable file");
    let nothing = find(&options(Vec::new()), &Host::new(&[])).unwrap_err().to_string();
    assert!(nothing.contains("install Python"), "{nothing}");
}

#[test]
fn a_component_without_packages_runs_on_the_slim_runtime() {
    let lab = Lab::new();
    let plan = lab.plan(SOURCE, &Requirements::default()).unwrap();
    assert!(plan.prepare.is_none());
    let output = lab.run(&plan);
    assert_eq!(output["parameterValues"]["Output"], "one.two without package");
}

#[test]
fn an_image_of_another_python_is_named_once_per_run() {
    let lab = Lab::new();
    let warn = |run: RunId, image: &str| {
        let task = task(SOURCE, &Requirements::default(), lab.folder.path());
        let (folder, workspace) = (lab.folder.path().to_str().unwrap(), "/w");
        let wanted = Wanted { task: &task, run, image, folder, workspace };
        lab.tasks.plan(&wanted, &mut Environment::default()).unwrap().unwrap().warning
    };
    let run = run_id(1);
    let warning = warn(run, "python:2.7").unwrap();
    assert!(
        warning
            .starts_with("warning: image `python:2.7` asks for Python 2.7; tasks of this run use Python 3.")
    );
    assert_eq!(warn(run, "python:2.7"), None);
    assert!(warn(run_id(2), "python:2.7").is_some());
    assert_eq!(warn(run, "python:3"), None);
}

#[test]
fn packages_are_installed_once_for_all_who_want_the_same() {
    let lab = Lab::new();
    let requirements = Requirements { packages: vec!["tiny".to_owned()], ..Requirements::default() };
    let plan = lab.plan(SOURCE, &requirements).unwrap();
    let prepare = plan.prepare.as_ref().unwrap();
    Lab::prepare(prepare).unwrap();
    assert_eq!(lab.run(&plan)["parameterValues"]["Output"], "one.two with package 7");
    assert!(fs::read_to_string(format!("{}/size", prepare.folder)).unwrap().parse::<u64>().unwrap() > 0);

    let folder =
        |requirements: &Requirements| lab.plan(SOURCE, requirements).map(|plan| plan.prepare.unwrap().folder);
    assert_eq!(folder(&requirements).as_ref(), Some(&prepare.folder));
    let others = [
        Requirements { no_deps: true, ..requirements.clone() },
        Requirements {
            index_url: Some("https://packages.example/simple".to_owned()),
            ..requirements.clone()
        },
        Requirements { packages: vec!["tiny==1.0".to_owned()], ..Requirements::default() },
    ];
    for other in others {
        assert_ne!(folder(&other).as_ref(), Some(&prepare.folder));
    }
    for local in [".", "./tiny", "/src/tiny", "tiny @ file:///src/tiny", "file:///src/tiny"] {
        assert_eq!(
            folder(&Requirements { packages: vec![local.to_owned()], ..Requirements::default() }),
            None
        );
    }
}

#[test]
fn a_failed_installation_tells_why() {
    let lab = Lab::new();
    let requirements = Requirements { packages: vec!["not-there".to_owned()], ..Requirements::default() };
    let plan = lab.plan(SOURCE, &requirements).unwrap();
    let said = Lab::prepare(plan.prepare.as_ref().unwrap()).unwrap_err();
    assert!(said.contains("not-there"), "{said}");
}

#[test]
fn the_least_recently_used_environments_go_first_and_never_used_ones() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, hours: u64| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("size"), "100").unwrap();
        let ready = fs::File::create(path.join("ready")).unwrap();
        ready.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
        path
    };
    let [oldest, old, running, kept, fresh] =
        [("oldest", 50), ("old", 40), ("running", 60), ("kept", 70), ("fresh", 0)]
            .map(|(name, hours)| make(name, hours));
    let mut user = Command::new("sleep").arg("1000").env("VIRTUAL_ENV", &running).spawn().unwrap();
    // The system shows a program's environment a moment after it has let go of whoever started it.
    while linux::start_variable(Pid::from_child(&user), "VIRTUAL_ENV").is_none() {
        std::thread::yield_now();
    }
    eviction::evict(folder.path(), 400, &kept);
    let left = |paths: [&PathBuf; 5]| paths.map(|path| path.exists());
    assert_eq!(left([&oldest, &old, &running, &kept, &fresh]), [false, true, true, true, true]);
    eviction::evict(folder.path(), 0, &kept);
    user.kill().unwrap();
    user.wait().unwrap();
    assert_eq!(left([&oldest, &old, &running, &kept, &fresh]), [false, false, true, true, true]);
    // A container uses this one, and then no longer.
    let lock = std::fs::File::create(running.with_extension("lock")).unwrap();
    lock.lock_shared().unwrap();
    eviction::evict(folder.path(), 0, &kept);
    assert!(running.exists());
    lock.unlock().unwrap();
    eviction::evict(folder.path(), 0, &kept);
    assert!(!running.exists());
}

/// A component whose result tells what it found.
const SOURCE: &str = "
import kfp
from kfp import dsl
from kfp.dsl import *
from typing import *

def tell(a: str, b: str) -> str:
    try:
        import tiny
        return a + '.' + b + ' with package ' + str(tiny.NUMBER)
    except ImportError:
        return a + '.' + b + ' without package'
";

/// Makes a wheel that holds one module.
const WHEEL: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + '/tiny-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('tiny.py', 'NUMBER = 7\\n')
    wheel.writestr('tiny-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n')
    wheel.writestr('tiny-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('tiny-1.0.dist-info/RECORD', 'tiny.py,,\\ntiny-1.0.dist-info/METADATA,,\\ntiny-1.0.dist-info/WHEEL,,\\n'
                   'tiny-1.0.dist-info/RECORD,,\\n')
";

/// A data folder, a folder for a task, and packages that pip finds without a network.
struct Lab {
    folder: tempfile::TempDir,
    tasks: PythonTasks,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let python = real_python();
        let wheels = folder.path().to_str().unwrap();
        assert!(Command::new(&python).args(["-c", WHEEL, wheels]).status().unwrap().success());
        let env = [("PATH", "/usr/bin:/bin"), ("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", wheels)];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let tasks = PythonTasks::new(
            &folder.path().join("data"),
            PythonOptions { python: Some(python), ..options(env) },
        );
        Self { folder, tasks }
    }

    fn plan(&self, source: &str, requirements: &Requirements) -> Option<Plan> {
        let task = task(source, requirements, self.folder.path());
        let (folder, workspace) = (self.folder.path().to_str().unwrap(), "/w");
        let wanted = Wanted { task: &task, run: run_id(1), image: "any", folder, workspace };
        self.tasks.plan(&wanted, &mut Environment::default()).unwrap()
    }

    /// What the supervisor does. The error is what the installer said.
    fn prepare(prepare: &Prepare) -> Result<(), String> {
        skeleton::make(prepare).unwrap();
        let process = &prepare.process;
        let (name, rest) = process.argv.split_first().unwrap();
        assert_eq!(name, &process.program);
        let mut command = Command::new(&process.program);
        command.args(rest).env_clear().envs(process.env.iter().cloned()).current_dir(&process.cwd);
        let done = command.output().unwrap();
        if !done.status.success() {
            return Err(String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned());
        }
        fs::write(&prepare.ready, "").unwrap();
        Ok(())
    }

    /// What the task wrote.
    fn run(&self, plan: &Plan) -> serde_json::Value {
        for (path, text) in &plan.files {
            fs::write(path, text).unwrap();
        }
        let (_, rest) = plan.argv.split_first().unwrap();
        let done = Command::new(&plan.program)
            .args(rest)
            .env_clear()
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&fs::read(self.folder.path().join("output.json")).unwrap()).unwrap()
    }
}

fn run_id(number: u8) -> RunId {
    format!("00000000-0000-0000-0000-0000000000{number:02}").parse().unwrap()
}

fn task(source: &str, requirements: &Requirements, folder: &Path) -> PythonTask {
    let executor_input = serde_json::json!({
        "inputs": { "parameterValues": { "a": "one", "b": "two" } },
        "outputs": { "outputFile": folder.join("output.json") },
    });
    PythonTask {
        source: source.to_owned(),
        function: "tell".to_owned(),
        executor_input: executor_input.to_string(),
        requirements: requirements.clone(),
        kfp: None,
        runtime_flag: true,
    }
}

fn options(host_env: Vec<(String, String)>) -> PythonOptions {
    PythonOptions {
        python: None,
        host_env,
        working_folder: PathBuf::from("/"),
        environments_limit_bytes: 1 << 30,
    }
}

/// The interpreter behind `python3`, whatever shim that may be.
fn real_python() -> String {
    let code = "import os, sys; print(os.path.realpath(sys.executable))";
    let said = Command::new("python3").args(["-c", code]).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

fn executable(path: &Path, text: &str) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_owned()
}
