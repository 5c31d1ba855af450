//! DAGs: tasks, where their inputs come from, and how outputs are picked.

use super::executor::deprecated_value;
use super::{Here, each, entries, flag, name_of, text, texts};
use crate::duration;
use crate::ir::{
    ArtifactSource, Caching, Dag, Iterator, LoopItems, OutputSelector, ParameterInput, ParameterOutput,
    ParameterSource, RetryPolicy, Task, TriggerStrategy,
};
use crate::problem::{Path, Sink};
use crate::tree::{NodeRef, View};

pub(super) fn dag(node: NodeRef<'_>, path: &Path<'_>, sink: &mut Sink) -> Dag {
    let outputs = node.field("outputs");
    let outputs_path = path.key("outputs");
    Dag {
        tasks: each(node.field("tasks"), &path.key("tasks"), |node, here| Some(task(node, here, sink))),
        output_parameters: each(
            outputs.and_then(|node| node.field("parameters")),
            &outputs_path.key("parameters"),
            |node, here| parameter_output(node, here, sink),
        ),
        output_artifacts: entries(outputs.and_then(|node| node.field("artifacts")))
            .map(|(key, node)| (name_of(key), selectors(node, "artifactSelectors", "outputArtifactKey")))
            .collect(),
    }
}

fn parameter_output(node: NodeRef<'_>, here: Here<'_>, sink: &mut Sink) -> Option<ParameterOutput> {
    if let Some(one) = node.field("valueFromParameter") {
        return Some(ParameterOutput::From(selector(one, "producerSubtask", "outputParameterKey")));
    }
    if let Some(several) = node.field("valueFromOneof") {
        return Some(ParameterOutput::OneOf(selectors(several, "parameterSelectors", "outputParameterKey")));
    }
    here.report(sink, "comes from no task", "give `valueFromParameter` or `valueFromOneof`");
    None
}

fn selectors(node: NodeRef<'_>, list: &str, output: &str) -> Vec<OutputSelector> {
    let members = node.field(list).into_iter().flat_map(NodeRef::items);
    members.map(|item| selector(item, "producerSubtask", output)).collect()
}

fn selector(node: NodeRef<'_>, task: &str, output: &str) -> OutputSelector {
    OutputSelector { task: text(node, task), output: text(node, output) }
}

fn task(node: NodeRef<'_>, here: Here<'_>, sink: &mut Sink) -> Task {
    let inputs = node.field("inputs");
    let inputs_path = here.path.key("inputs");
    let trigger = node.field("triggerPolicy");
    Task {
        display_name: node.field("taskInfo").map(|info| text(info, "name")).unwrap_or_default(),
        component: node.field("componentRef").map(|reference| text(reference, "name")).unwrap_or_default(),
        parameters: each(
            inputs.and_then(|node| node.field("parameters")),
            &inputs_path.key("parameters"),
            |node, here| parameter_input(node, here, sink),
        ),
        artifacts: each(
            inputs.and_then(|node| node.field("artifacts")),
            &inputs_path.key("artifacts"),
            |node, here| artifact_source(node, here, sink),
        ),
        dependencies: texts(node, "dependentTasks"),
        caching: node
            .field("cachingOptions")
            .map(|options| Caching { enabled: flag(options, "enableCache"), key: text(options, "cacheKey") })
            .unwrap_or_default(),
        condition: trigger.map(|policy| text(policy, "condition")).unwrap_or_default(),
        trigger: match trigger.and_then(|policy| policy.field("strategy")).map(NodeRef::view) {
            Some(View::Text("ALL_UPSTREAM_TASKS_COMPLETED")) => TriggerStrategy::AllCompleted,
            Some(View::Number(number)) if number.as_u64() == Some(2) => TriggerStrategy::AllCompleted,
            _ => TriggerStrategy::AllSucceeded,
        },
        iterator: iterator(node, here, sink),
        parallelism_limit: node
            .field("iteratorPolicy")
            .map(|policy| count(policy, "parallelismLimit", here, sink))
            .unwrap_or_default(),
        retry: node.field("retryPolicy").map(|policy| retry(policy, here, sink)),
    }
}

fn parameter_input(node: NodeRef<'_>, here: Here<'_>, sink: &mut Sink) -> Option<ParameterInput> {
    let source = if let Some(output) = node.field("taskOutputParameter") {
        ParameterSource::TaskOutput(selector(output, "producerTask", "outputParameterKey"))
    } else if let Some(name) = node.field("componentInputParameter") {
        ParameterSource::ComponentInput(name.as_str().unwrap_or_default().to_owned())
    } else if let Some(status) = node.field("taskFinalStatus") {
        ParameterSource::TaskFinalStatus(text(status, "producerTask"))
    } else {
        runtime_value(node, here, sink)?
    };
    Some(ParameterInput { source, selector: text(node, "parameterExpressionSelector") })
}

fn runtime_value(node: NodeRef<'_>, here: Here<'_>, sink: &mut Sink) -> Option<ParameterSource> {
    let value = node.field("runtimeValue");
    if let Some((_, constant)) = value.and_then(|value| value.entry("constant")) {
        return Some(ParameterSource::Constant(constant.to_value()));
    }
    if let Some(old) = value.and_then(|value| deprecated_value(value.field("constantValue")?)) {
        return Some(ParameterSource::Constant(old));
    }
    if value.is_some_and(|value| value.field("runtimeParameter").is_some()) {
        here.report(sink, "`runtimeParameter` is not supported here", "use `componentInputParameter`");
    } else {
        here.report(
            sink,
            "has no source",
            "give `taskOutputParameter`, `componentInputParameter`, `taskFinalStatus` or `runtimeValue.constant`",
        );
    }
    None
}

fn artifact_source(node: NodeRef<'_>, here: Here<'_>, sink: &mut Sink) -> Option<ArtifactSource> {
    if let Some(output) = node.field("taskOutputArtifact") {
        return Some(ArtifactSource::TaskOutput(selector(output, "producerTask", "outputArtifactKey")));
    }
    if let Some(name) = node.field("componentInputArtifact") {
        return Some(ArtifactSource::ComponentInput(name.as_str().unwrap_or_default().to_owned()));
    }
    here.report(sink, "has no source", "give `taskOutputArtifact` or `componentInputArtifact`");
    None
}

fn iterator(node: NodeRef<'_>, here: Here<'_>, sink: &mut Sink) -> Option<Iterator> {
    if let Some(parameter) = node.field("parameterIterator") {
        let items = parameter.field("items");
        let raw = items.and_then(|items| items.field("raw")).and_then(NodeRef::as_str);
        let input = items.and_then(|items| items.field("inputParameter")).and_then(NodeRef::as_str);
        let items = match (raw, input) {
            (Some(raw), _) => LoopItems::Raw(raw.to_owned()),
            (None, Some(input)) => LoopItems::Input(input.to_owned()),
            (None, None) => {
                here.report(
                    sink,
                    "loops over nothing",
                    "give `parameterIterator.items` a `raw` or an `inputParameter`",
                );
                return None;
            }
        };
        return Some(Iterator::Parameter { items, item_input: text(parameter, "itemInput") });
    }
    let artifact = node.field("artifactIterator")?;
    let input = artifact.field("items").map(|items| text(items, "inputArtifact")).unwrap_or_default();
    Some(Iterator::Artifact { input, item_input: text(artifact, "itemInput") })
}

/// `retryPolicy`; fields that are not given have the documented defaults of the message.
fn retry(node: NodeRef<'_>, here: Here<'_>, sink: &mut Sink) -> RetryPolicy {
    let seconds = |field: &str, default: f64| {
        node.field(field).and_then(NodeRef::as_str).and_then(duration::seconds).unwrap_or(default)
    };
    let path = here.path.key("retryPolicy");
    let here = Here { path: &path, ..here };
    let factor = match node.field("backoffFactor").map(NodeRef::view) {
        Some(View::Number(number)) => number.as_f64().unwrap_or_default(),
        Some(View::Text(text)) => text.parse().unwrap_or_default(),
        _ => 0.0,
    };
    let policy = RetryPolicy {
        max_retry_count: count(node, "maxRetryCount", here, sink),
        backoff_seconds: seconds("backoffDuration", 0.0),
        backoff_factor: if factor == 0.0 { 2.0 } else { factor },
        backoff_max_seconds: seconds("backoffMaxDuration", 3600.0),
    };
    for (field, value) in [
        ("backoffFactor", policy.backoff_factor),
        ("backoffDuration", policy.backoff_seconds),
        ("backoffMaxDuration", policy.backoff_max_seconds),
    ] {
        if !(value >= 0.0 && value.is_finite()) {
            let path = path.key(field);
            let at = node.entry(field).map_or(here.at, |(_, value)| value.at());
            Here { path: &path, at }.report(sink, format!("`{value}` is not allowed"), "give 0 or more");
        }
    }
    policy
}

/// A count that proto keeps as a signed number.
fn count(node: NodeRef<'_>, field: &str, here: Here<'_>, sink: &mut Sink) -> u32 {
    let Some(value) = node.field(field) else { return 0 };
    let number = match value.view() {
        View::Number(number) => number.as_i64(),
        View::Text(text) => text.parse().ok(),
        _ => None,
    };
    if number.is_some_and(|number| number < 0) {
        let path = here.path.key(field);
        Here { path: &path, at: value.at() }.report(sink, "must not be negative", "");
    }
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}
