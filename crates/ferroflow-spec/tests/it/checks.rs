//! What a pipeline means: each row changes one thing in a good pipeline and names what must be said.

use std::fmt::Write as _;

use ferroflow_spec::document;

use crate::told;

const GOOD: &str = r"
pipelineInfo: {name: train}
schemaVersion: 2.1.0
sdkVersion: kfp-2.17.0
deploymentSpec:
  executors:
    exec-load: {container: {image: python:3.12, command: [cat]}}
    exec-fit: {container: {image: python:3.12, command: [cat]}}
components:
  comp-load:
    executorLabel: exec-load
    inputDefinitions:
      parameters:
        rows: {parameterType: NUMBER_INTEGER}
    outputDefinitions:
      parameters: {count: {parameterType: NUMBER_INTEGER}}
      artifacts: {data: {artifactType: {schemaTitle: system.Dataset, schemaVersion: 0.0.1}}}
  comp-fit:
    executorLabel: exec-fit
    inputDefinitions:
      artifacts: {data: {artifactType: {schemaTitle: system.Dataset, schemaVersion: 0.0.1}}}
root:
  inputDefinitions:
    parameters: {size: {parameterType: NUMBER_INTEGER, defaultValue: 3}}
  dag:
    tasks:
      load:
        taskInfo: {name: load}
        componentRef: {name: comp-load}
        inputs: {parameters: {rows: {componentInputParameter: size}}}
      fit:
        taskInfo: {name: fit}
        componentRef: {name: comp-fit}
        dependentTasks: [load]
        inputs:
          artifacts: {data: {taskOutputArtifact: {producerTask: load, outputArtifactKey: data}}}
";

#[track_caller]
fn check(from: &str, to: &str, expected: &[&str]) {
    assert!(GOOD.contains(from), "`{from}` is not in the good pipeline");
    let text = GOOD.replacen(from, to, 1);
    let found = match document::read_text(&text) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    };
    assert_eq!(found.lines().collect::<Vec<_>>(), expected, "{from} → {to}");
}

#[test]
fn each_mistake_is_told_with_its_place_and_a_hint() {
    check("", "", &[]);
    check(
        "size}}",
        "siez}}",
        &[
            "line 30, column 63: root.dag.tasks.load.inputs.parameters.rows.componentInputParameter: the surrounding component has no input parameter `siez` (did you mean `size`?)",
        ],
    );
    check(
        "comp-load}",
        "comp-laod}",
        &[
            "line 29, column 30: root.dag.tasks.load.componentRef.name: there is no component `comp-laod` (did you mean `comp-load`?)",
        ],
    );
    check(
        "executorLabel: exec-fit",
        "executorLabel: exec-fitt",
        &[
            "line 19, column 20: components.comp-fit.executorLabel: there is no executor `exec-fitt` (did you mean `exec-fit`?)",
        ],
    );
    check(
        "outputArtifactKey: data",
        "outputArtifactKey: count",
        &[
            "line 36, column 90: root.dag.tasks.fit.inputs.artifacts.data.taskOutputArtifact.outputArtifactKey: the task `load` has no output `count` (`count` is a parameter there)",
        ],
    );
    check(
        "producerTask: load",
        "producerTask: lod",
        &[
            "line 36, column 65: root.dag.tasks.fit.inputs.artifacts.data.taskOutputArtifact.producerTask: there is no task `lod` here (did you mean `load`?)",
        ],
    );
    check(
        "[load]",
        "[load, fit]",
        &["line 34, column 32: root.dag.tasks.fit.dependentTasks[1]: the task `fit` waits for itself"],
    );
    check(
        "componentInputParameter: size",
        "runtimeValue: {constant: many}",
        &[
            "line 30, column 63: root.dag.tasks.load.inputs.parameters.rows.runtimeValue.constant: expected a number (NUMBER_INTEGER), found a string",
        ],
    );
    check(
        "inputs: {parameters: {rows: {componentInputParameter: size}}}",
        "",
        &[
            "line 27, column 7: root.dag.tasks.load.inputs.parameters.rows: the component `comp-load` needs the input `rows`, which is not given",
        ],
    );
}

#[test]
fn each_mistake_of_form_is_told_too() {
    check(
        "schemaVersion: 2.1.0",
        "schemaVersion: 2.0.0",
        &[
            "line 3, column 16: schemaVersion: schema version `2.0.0` is not supported (only `2.1.0` is: compile the pipeline with kfp 2)",
        ],
    );
    check(
        "name: train",
        "name: Train me",
        &[
            "line 2, column 22: pipelineInfo.name: `Train me` cannot be the name of a pipeline (use 1 to 128 lower-case letters, digits and `-`, beginning with a letter or digit)",
        ],
    );
    check(
        "dependentTasks",
        "dependantTasks",
        &[
            "line 34, column 9: root.dag.tasks.fit.dependantTasks: unknown field `dependantTasks` (did you mean `dependentTasks`?)",
        ],
    );
    check(
        "command: [cat]",
        "command: cat",
        &[
            "line 7, column 58: deploymentSpec.executors.exec-load.container.command: expected a list, found a string",
        ],
    );
    check(
        "{container: {image: python:3.12, command: [cat]}}",
        "{resolver: {}}",
        &[
            "line 7, column 5: deploymentSpec.executors.exec-load: is a resolver, which only Google Cloud can run (import the artifact with `dsl.importer` instead)",
        ],
    );
    check(
        "NUMBER_INTEGER}",
        "INTEGER}",
        &[
            "line 14, column 31: components.comp-load.inputDefinitions.parameters.rows.parameterType: `INTEGER` is not a ParameterTypeEnum (known: `PARAMETER_TYPE_ENUM_UNSPECIFIED`, `NUMBER_DOUBLE`, `NUMBER_INTEGER`, `STRING`, `BOOLEAN`, `LIST`, `STRUCT`, `TASK_FINAL_STATUS`, `TASK_CONFIG`)",
        ],
    );
    // A newer compiler's additions to the deployment config are no mistake, those to the pipeline are.
    check("{image: python:3.12,", "{image: python:3.12, novelty: 1,", &[]);
    check(
        "pipelineInfo: {name: train}",
        "pipelineInfo: {name: train, novelty: 1}",
        &[
            "line 2, column 29: pipelineInfo.novelty: unknown field `novelty` (known: `name`, `displayName`, `description`)",
        ],
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = GOOD.replace("size}}", "siez}}").replace("comp-fit}", "comp-fat}").replace("2.1.0", "2.2.0");
    let problems = document::read_text(&text).unwrap_err();
    assert_eq!(problems.0.len(), 3, "{problems}");
}

#[test]
fn circles_are_found_between_tasks_and_between_components() {
    check(
        "taskInfo: {name: load}",
        "taskInfo: {name: load}\n        dependentTasks: [fit]",
        &[
            "line 32, column 7: root.dag.tasks.fit: the tasks wait for each other in a circle: `fit` → `load` → `fit` (remove one of these dependencies)",
        ],
    );
    let nested = "comp-fit:\n    dag: {tasks: {again: {componentRef: {name: comp-fit}}}}\n  comp-unused:";
    check(
        "comp-fit:",
        nested,
        &[
            "line 18, column 3: components.comp-fit: the component contains itself: `comp-fit` → `comp-fit` (a pipeline cannot be recursive)",
        ],
    );
}

/// A circle at the end of a long chain, and components that double at each level: found at once.
#[test]
fn large_graphs_are_checked_at_once() {
    let mut chain = String::from(
        "pipelineInfo: {name: p}\nschemaVersion: 2.1.0\ndeploymentSpec: {executors: {e: {container: {image: i}}}}\n\
         components:\n  c: {executorLabel: e}\nroot:\n  dag:\n    tasks:\n",
    );
    for task in 0..5000 {
        let before = (task + 1) % 5000;
        writeln!(chain, "      t{task}: {{componentRef: {{name: c}}, dependentTasks: [t{before}]}}").unwrap();
    }
    told::check("chain.yaml", chain.as_bytes(), "the tasks wait for each other in a circle");

    let mut doubling = String::from("pipelineInfo: {name: p}\nschemaVersion: 2.1.0\n");
    doubling.push_str(
        "deploymentSpec: {executors: {e: {container: {image: i}}}}\ncomponents:\n  c0: {executorLabel: e}\n",
    );
    for level in 1..60 {
        let part = format!("{{componentRef: {{name: c{}}}}}", level - 1);
        writeln!(doubling, "  c{level}: {{dag: {{tasks: {{a: {part}, b: {part}}}}}}}").unwrap();
    }
    doubling.push_str("root: {dag: {tasks: {a: {componentRef: {name: c59}}}}}\n");
    told::check("doubling.yaml", doubling.as_bytes(), "more than 1000000 tasks");
}

#[test]
fn what_older_compilers_wrote_is_settled() {
    use ferroflow_spec::ir::{ComponentBody, ParameterSource};
    let text = GOOD
        .replace("rows: {parameterType: NUMBER_INTEGER}", "rows: {parameterType: BOOLEAN}")
        .replace("componentInputParameter: size", "runtimeValue: {constant: 1.0}");
    let document = document::read_text(&text).unwrap();
    let ComponentBody::Dag(dag) = &document.spec.root.body else { panic!("the root is a DAG") };
    assert_eq!(dag.tasks["load"].parameters["rows"].source, ParameterSource::Constant(true.into()));
    // What is shown stays what was written.
    assert!(document.wire_text().contains(r#""constant":1}"#), "{}", document.wire_text());
}
