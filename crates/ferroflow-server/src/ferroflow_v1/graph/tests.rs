use std::sync::Arc;

use ferroflow_spec::document;
use serde_json::{Value, json};

use super::*;

/// Two tasks, a loop with a condition in it, and an exit task.
fn structure() -> Structure {
    let task = |name: &str, component: &str, more: Value| {
        let mut task = json!({ "taskInfo": { "name": name }, "componentRef": { "name": component } });
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        task
    };
    let leaf = json!({ "executorLabel": "exec", "outputDefinitions": {
        "parameters": { "n": { "parameterType": "NUMBER_INTEGER" } },
        "artifacts": { "model": { "artifactType": { "schemaTitle": "system.Model", "schemaVersion": "0.0.1" } } } } });
    let user = json!({ "executorLabel": "exec", "inputDefinitions": {
        "parameters": { "n": { "parameterType": "NUMBER_INTEGER" } },
        "artifacts": { "model": { "artifactType": { "schemaTitle": "system.Model", "schemaVersion": "0.0.1" } } } } });
    let spec = json!({
        "pipelineInfo": { "name": "p" }, "schemaVersion": "2.1.0", "sdkVersion": "kfp-2.17.0",
        "root": { "dag": { "tasks": {
            "make": task("make", "comp-leaf", json!({})),
            "use": task("use", "comp-user", json!({ "dependentTasks": ["make"], "inputs": {
                "parameters": { "n": { "taskOutputParameter": { "producerTask": "make", "outputParameterKey": "n" } } },
                "artifacts": { "model": { "taskOutputArtifact": { "producerTask": "make", "outputArtifactKey": "model" } } }
            } })),
            "for-loop-1": task("for-loop-1", "comp-for-loop-1", json!({
                "dependentTasks": ["make"],
                "parameterIterator": { "items": { "raw": "[1, 2, 3]" }, "itemInput": "item" } }))
        } } },
        "components": {
            "comp-leaf": leaf,
            "comp-user": user,
            "comp-plain": { "executorLabel": "exec" },
            "comp-for-loop-1": {
                "inputDefinitions": { "parameters": { "item": { "parameterType": "NUMBER_INTEGER" } } },
                "dag": { "tasks": { "condition-2": task("condition-2", "comp-condition-2", json!({
                    "inputs": { "parameters": { "item": { "componentInputParameter": "item" } } },
                    "triggerPolicy": { "condition": "inputs.parameter_values['item'] == 1" } })) } }
            },
            "comp-condition-2": {
                "inputDefinitions": { "parameters": { "item": { "parameterType": "NUMBER_INTEGER" } } },
                "dag": { "tasks": { "inner": task("inner", "comp-plain", json!({})) } }
            }
        },
        "deploymentSpec": { "executors": { "exec": { "container": { "image": "python:3.11", "command": ["true"] } } } }
    });
    let document = document::from_json(&spec).unwrap();
    Structure { version: "v".to_owned(), spec: Arc::new(document.spec) }
}

fn draw_with(open: &[&str], shows_artifacts: bool, direction: Direction) -> Graph {
    let open = open.iter().map(|text| (*text).to_owned()).collect();
    draw(&structure(), &View { open, direction, shows_artifacts }, "version".to_owned())
}

/// Nodes and groups (in brackets) in the order of the answer.
fn check(open: &[&str], expected: &[&str]) -> Graph {
    let graph = draw_with(open, false, Direction::Right);
    let nodes = graph.nodes.iter().map(|node| node.id.clone());
    let groups = graph.groups.iter().map(|group| format!("[{}]", group.id));
    let got: Vec<String> = nodes.chain(groups).collect();
    assert_eq!(got, expected, "{open:?}");
    for node in &graph.nodes {
        let Some(group) = graph.groups.iter().find(|group| Some(&group.id) == node.parent.as_ref()) else {
            continue;
        };
        let is_inside = node.x >= group.x
            && node.y >= group.y + group.header_height
            && node.x + node.width <= group.x + group.width
            && node.y + node.height <= group.y + group.height;
        assert!(is_inside, "{node:?} is not in {group:?}");
    }
    graph
}

#[test]
fn groups_open_in_place() {
    check(&[], &["make", "for-loop-1", "use"]);
    check(&["for-loop-1"], &["make", "for-loop-1/*/condition-2", "use", "[for-loop-1]"]);
    let graph = check(&["for-loop-1/2"], &["make", "for-loop-1/2/condition-2", "use", "[for-loop-1]"]);
    assert_eq!(graph.groups[0].iteration, Some(2));
    let all = ["make", "for-loop-1/*/condition-2/inner", "use", "[for-loop-1]", "[for-loop-1/*/condition-2]"];
    check(&["*"], &all);
    check(&["for-loop-1", "for-loop-1/*/condition-2"], &all);
    let chosen =
        ["make", "for-loop-1/2/condition-2/inner", "use", "[for-loop-1]", "[for-loop-1/2/condition-2]"];
    check(&["for-loop-1/2", "for-loop-1/2/condition-2"], &chosen);
    check(&["nothing", "make", "for-loop"], &["make", "for-loop-1", "use"]);
}

#[test]
fn nodes_tell_what_they_are() {
    let graph = check(&[], &["make", "for-loop-1", "use"]);
    let kinds: Vec<_> =
        graph.nodes.iter().map(|node| (node.kind, node.can_open, node.layer, node.task_count)).collect();
    let expected =
        [(NodeKind::Task, false, 0, 1), (NodeKind::Loop, true, 1, 1), (NodeKind::Task, false, 1, 1)];
    assert_eq!(kinds, expected);
    assert_eq!((graph.task_count, graph.openable), (3, vec!["for-loop-1".to_owned()]));
    let flows: Vec<_> =
        graph.edges.iter().map(|edge| (edge.id.as_str(), edge.flows.len(), edge.flows[0].kind)).collect();
    assert_eq!(flows, [("make→for-loop-1", 1, FlowKind::Order), ("make→use", 2, FlowKind::Parameter)]);
    let inner = draw_with(&["for-loop-1"], false, Direction::Right);
    let condition = inner.nodes.iter().find(|node| node.id.ends_with("condition-2")).unwrap();
    assert_eq!(condition.kind, NodeKind::Condition);
    assert!(condition.condition.contains("item"));
}

#[test]
fn artifacts_can_be_nodes() {
    let graph = draw_with(&[], true, Direction::Down);
    let ids: Vec<_> = graph.edges.iter().map(|edge| edge.id.as_str()).collect();
    assert_eq!(ids, ["make→for-loop-1", "make→make#model", "make→use", "make#model→use"]);
    let place = |id: &str| graph.nodes.iter().find(|node| node.id == id).unwrap();
    assert!(place("make").y < place("make#model").y && place("make#model").y < place("use").y);
}
