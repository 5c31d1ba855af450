//! How the function of a Python component is started in its container, in the words of KFP's SDK: servers and
//! executors recognise them.

use serde::Deserialize;

use crate::SDK_VERSION;
use crate::header::repr;

/// What is installed before a function runs, and from where.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Packages {
    /// Packages of the author.
    pub packages: Vec<String>,
    /// Indexes of packages; the first one instead of PyPI.
    pub index_urls: Vec<String>,
    /// Hosts to trust; all indexes if nothing is said.
    pub trusted_hosts: Option<Vec<String>>,
    /// Whether the SDK is installed, too.
    pub sdk: bool,
    /// From where, if not from an index.
    pub sdk_path: Option<String>,
    /// Whether the SDK's path is a file or a pull request, whose dependencies are not wanted.
    pub sdk_path_without_dependencies: bool,
    /// Whether the SDK goes to a virtual environment.
    pub venv: bool,
}

/// The source of a Python component.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Source {
    /// Name of the function.
    pub name: String,
    /// Its source from `def` on.
    pub function: String,
    /// Imports that its annotations need.
    pub imports: Vec<String>,
    /// Sources of functions that it calls.
    pub functions: Vec<String>,
    /// Source that unpacks what is embedded.
    pub helper: Option<String>,
}

/// The part of a command that installs packages; empty if there is nothing to install.
#[must_use]
pub fn installer(packages: &Packages) -> Vec<String> {
    let is_sdk = packages.sdk && !packages.packages.iter().any(|name| name.starts_with("kfp"));
    let mut installs = Vec::new();
    let options = index_options(packages);
    if !packages.packages.is_empty() {
        installs.push(install(&options, &packages.packages));
        if is_sdk {
            installs.push(" && ".to_owned());
        }
    }
    if is_sdk {
        if packages.venv {
            installs.push(VENV.to_owned());
        }
        installs.push(install(&options, &sdk_requirements(packages)));
    }
    if installs.is_empty() {
        return Vec::new();
    }
    let script = format!(
        "\nif ! [ -x \"$(command -v pip)\" ]; then\n    python3 -m ensurepip || python3 -m ensurepip --user || apt-get install python3-pip\nfi\n\nPIP_DISABLE_PIP_VERSION_CHECK=1 {} && \"$0\" \"$@\"\n",
        installs.join(" ")
    );
    vec!["sh".to_owned(), "-c".to_owned(), script]
}

const VENV: &str = "\nexport PIP_DISABLE_PIP_VERSION_CHECK=1\ntmp=$(mktemp -d)\npython3 -m venv \"$tmp/venv\" --system-site-packages\n. \"$tmp/venv/bin/activate\"\n";

fn sdk_requirements(packages: &Packages) -> Vec<String> {
    let Some(path) = packages.sdk_path.as_ref().filter(|path| !path.is_empty()) else {
        return vec![
            SDK_VERSION.replacen('-', "==", 1),
            "--no-deps".to_owned(),
            "typing-extensions>=3.7.4,<5; python_version<\"3.9\"".to_owned(),
        ];
    };
    let mut all = vec![path.clone()];
    if packages.sdk_path_without_dependencies {
        all.push("--no-deps".to_owned());
    }
    all
}

fn install(options: &str, packages: &[String]) -> String {
    let words: Vec<_> = packages.iter().map(|package| repr(package)).collect();
    format!("python3 -m pip install --quiet --no-warn-script-location {options}{}", words.join(" "))
}

fn index_options(packages: &Packages) -> String {
    let Some((first, others)) = packages.index_urls.split_first() else { return String::new() };
    let mut words = vec![format!("--index-url {first}")];
    words.extend(others.iter().map(|url| format!("--extra-index-url {url}")));
    let hosts = packages.trusted_hosts.as_ref().unwrap_or(&packages.index_urls);
    words.extend(hosts.iter().map(|host| format!("--trusted-host {host}")));
    words.join(" ") + " "
}

/// The part of a command that writes the source to a file and runs it.
#[must_use]
pub fn lightweight(source: &Source) -> Vec<String> {
    let imports = ["import kfp", "from kfp import dsl", "from kfp.dsl import *", "from typing import *"];
    let imports: Vec<&str> = imports.into_iter().chain(source.imports.iter().map(String::as_str)).collect();
    let mut text = format!("\n{}", imports.join("\n"));
    if !source.functions.is_empty() {
        text.push_str("\n\n");
        text.push_str(&source.functions.join("\n\n"));
    }
    if let Some(helper) = source.helper.as_ref().filter(|helper| !helper.is_empty()) {
        text.push_str("\n\n");
        text.push_str(helper);
        text.push('\n');
    }
    text.push_str("\n\n");
    text.push_str(&source.function);
    text.push('\n');
    vec!["sh".to_owned(), "-ec".to_owned(), RUN.to_owned(), text]
}

const RUN: &str = "program_path=$(mktemp -d)\n\nprintf \"%s\" \"$0\" > \"$program_path/ephemeral_component.py\"\n_KFP_RUNTIME=true python3 -m kfp.dsl.executor_main                         --component_module_path                         \"$program_path/ephemeral_component.py\"                         \"$@\"\n";

/// The command of a component whose image holds its source.
#[must_use]
pub fn containerized() -> Vec<String> {
    ["python3", "-m", "kfp.dsl.executor_main"].map(str::to_owned).to_vec()
}

/// Arguments of the executor.
#[must_use]
pub fn arguments(function: &str) -> Vec<String> {
    ["--executor_input", "{{$}}", "--function_to_execute", function].map(str::to_owned).to_vec()
}
