//! Pipelines of any size, as files.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// Image of tasks that start `/bin/true`.
pub(super) const IMAGE: &str = "busybox";

/// What each task does.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// Starts `/bin/true`.
    True,
    /// Calls a Python function that returns its input, in the form that kfp compiles to.
    Python { package: Option<&'static str> },
}

/// Each task waits for the one before.
pub(super) fn chain(folder: &Path, tasks: usize, body: Body) -> anyhow::Result<PathBuf> {
    let edges = (0..tasks).map(|at| if at == 0 { Vec::new() } else { vec![name(at - 1)] });
    write(folder, &format!("chain-{tasks}"), edges, body)
}

/// All tasks at once, then one that waits for all of them.
pub(super) fn fan(folder: &Path, tasks: usize, body: Body) -> anyhow::Result<PathBuf> {
    let join = (0..tasks).map(name).collect();
    let edges = (0..tasks).map(|_| Vec::new()).chain(std::iter::once(join));
    write(folder, &format!("fan-{tasks}"), edges, body)
}

/// A loop over as many items as `sizes` says, in it a loop over the next number of items, and so on, with an empty task in
/// the innermost one. At most `limit` iterations of each loop at once.
pub(super) fn loops(folder: &Path, sizes: &[usize], limit: Option<usize>) -> anyhow::Result<PathBuf> {
    let mut components = Map::new();
    components.insert("comp-step".to_owned(), component(Body::True));
    let mut inner = json!({
        "step": { "taskInfo": { "name": "step" }, "componentRef": { "name": "comp-step" } },
    });
    for (depth, size) in sizes.iter().enumerate().rev() {
        let item = format!("pipelinechannel--items-loop-item-{depth}");
        let body = json!({
            "dag": { "tasks": inner },
            "inputDefinitions": { "parameters": { item.as_str(): { "parameterType": "NUMBER_INTEGER" } } },
        });
        let component = format!("comp-for-loop-{depth}");
        components.insert(component.clone(), body);
        let items: Vec<usize> = (0..*size).collect();
        let mut task = json!({
            "taskInfo": { "name": format!("for-loop-{depth}") },
            "componentRef": { "name": component },
            "parameterIterator": { "itemInput": item, "items": { "raw": serde_json::to_string(&items)? } },
        });
        if let (Some(limit), Some(task)) = (limit, task.as_object_mut()) {
            task.insert("iteratorPolicy".to_owned(), json!({ "parallelismLimit": limit }));
        }
        inner = json!({ format!("for-loop-{depth}"): task });
    }
    let name = format!("loops-{}", sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("-"));
    store(folder, &name, &inner, &components, Body::True)
}

fn name(at: usize) -> String {
    format!("t{at:06}")
}

fn write(
    folder: &Path,
    pipeline: &str,
    edges: impl Iterator<Item = Vec<String>>,
    body: Body,
) -> anyhow::Result<PathBuf> {
    let mut tasks = Map::new();
    for (at, before) in edges.enumerate() {
        let task = json!({
            "taskInfo": { "name": name(at) },
            "componentRef": { "name": "comp-step" },
            "dependentTasks": before,
        });
        tasks.insert(name(at), task);
    }
    let components = Map::from_iter([("comp-step".to_owned(), component(body))]);
    store(folder, pipeline, &Value::Object(tasks), &components, body)
}

fn store(
    folder: &Path,
    pipeline: &str,
    tasks: &Value,
    components: &Map<String, Value>,
    body: Body,
) -> anyhow::Result<PathBuf> {
    let spec = json!({
        "pipelineInfo": { "name": pipeline },
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "root": { "dag": { "tasks": tasks } },
        "components": components,
        "deploymentSpec": { "executors": { "exec-step": { "container": container(body) } } },
    });
    let path = folder.join(format!("{pipeline}.json"));
    std::fs::write(&path, serde_json::to_vec(&spec)?)?;
    Ok(path)
}

fn component(body: Body) -> Value {
    match body {
        Body::True => json!({ "executorLabel": "exec-step" }),
        Body::Python { .. } => json!({
            "executorLabel": "exec-step",
            "inputDefinitions": { "parameters": { "text": { "parameterType": "STRING", "defaultValue": "hi", "isOptional": true } } },
            "outputDefinitions": { "parameters": { "Output": { "parameterType": "STRING" } } },
        }),
    }
}

fn container(body: Body) -> Value {
    let Body::Python { package } = body else {
        return json!({ "image": IMAGE, "command": ["/bin/true"] });
    };
    let packages = package.map_or_else(String::new, |package| {
        format!("python3 -m pip install --quiet --no-warn-script-location '{package}'  &&  ")
    });
    let installer = format!(
        "\nif ! [ -x \"$(command -v pip)\" ]; then\n    python3 -m ensurepip || python3 -m ensurepip --user || \
         apt-get install python3-pip\nfi\n\nPIP_DISABLE_PIP_VERSION_CHECK=1 {packages}python3 -m pip install --quiet \
         --no-warn-script-location 'kfp==2.17.0' '--no-deps' \
         'typing-extensions>=3.7.4,<5; python_version<\"3.9\"' && \"$0\" \"$@\"\n"
    );
    let runner = "program_path=$(mktemp -d)\n\nprintf \"%s\" \"$0\" > \"$program_path/ephemeral_component.py\"\n\
                  _KFP_RUNTIME=true python3 -m kfp.dsl.executor_main                         \
                  --component_module_path                         \"$program_path/ephemeral_component.py\"                         \
                  \"$@\"\n";
    let source = "\nimport kfp\nfrom kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *\n\n\
                  def step(text: str = 'hi') -> str:\n    return text\n\n";
    json!({
        "image": "python:3.11",
        "command": ["sh", "-c", installer, "sh", "-ec", runner, source],
        "args": ["--executor_input", "{{$}}", "--function_to_execute", "step"],
    })
}
