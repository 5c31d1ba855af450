//! What a task is given: each source followed to its value, and the value brought to the declared type.
//!
//! Results have two layers: the outer error is a fault, the inner one a sentence for the user, by which the task fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferroflow_model::{Inputs, TaskStatus};
use ferroflow_spec::check::{is_allowed, is_of_kind, kind, wanted};
use ferroflow_spec::ir::{
    ArtifactSource, InputParameter, Iterator as LoopOver, OutputSelector, ParameterInput, ParameterSource,
    ParameterType,
};
use serde_json::{Value, json};

use crate::fault::EngineFault;
use crate::kubernetes;
use crate::placeholder;
use crate::plan::{Body, ComponentPlan, TaskPlan};
use crate::selector;
use crate::semantics::Switch;
use crate::state::{Index, Node, RunState};

type Resolved<T> = Result<Result<T, String>, EngineFault>;

/// A value, or the reason why there is none.
enum Found {
    Value(Arc<Value>),
    Nothing { reason: String },
}

/// Texts that refer to inputs may be given as inputs that texts refer to, but not deeper than this.
const DEEPEST_TEXT: u32 = 16;

/// Inputs of the task at `index`, whose upstream tasks have all ended.
pub(crate) fn resolve(state: &RunState, index: Index) -> Resolved<Inputs> {
    let scope = Scope::of(state, index)?;
    let mut inputs = Inputs::default();
    for (name, input) in &scope.plan.task.parameters {
        match scope.parameter(name, input, 0)? {
            Ok(Some(value)) => {
                inputs.parameters.insert(name.clone(), value);
            }
            Ok(None) => {}
            Err(message) => return Ok(Err(message)),
        }
    }
    if let Err(message) = scope.fill_in(&mut inputs.parameters) {
        return Ok(Err(message));
    }
    for (name, source) in &scope.plan.task.artifacts {
        let list = match source {
            ArtifactSource::ComponentInput(from) => scope.parent.inputs.artifacts.get(from).cloned(),
            ArtifactSource::TaskOutput(from) => {
                scope.producer(from)?.outputs.artifacts.get(&from.output).cloned()
            }
        };
        if let Some(list) = list {
            inputs.artifacts.insert(name.clone(), list);
        } else if scope.component.input_artifacts.get(name).is_some_and(|input| !input.is_optional) {
            return Ok(Err(format!("input artifact `{name}`: {}", missing_artifact(source))));
        }
    }
    Ok(Ok(inputs))
}

/// Kubernetes settings of the container task at `index`, with plain values in place of references.
pub(crate) fn kubernetes(state: &RunState, index: Index) -> Resolved<Arc<Value>> {
    let Body::Container(container) = &state.plan.component(state.node(index)?.component)?.body else {
        return Ok(Ok(Arc::default()));
    };
    if container.kubernetes.is_null() {
        return Ok(Ok(Arc::clone(&container.kubernetes)));
    }
    let scope = Scope::of(state, index)?;
    kubernetes::plain(&container.kubernetes, &|reference| scope.follow(reference))
}

fn missing_artifact(source: &ArtifactSource) -> String {
    match source {
        ArtifactSource::ComponentInput(from) => {
            format!("the pipeline around the task was given no artifact `{from}`")
        }
        ArtifactSource::TaskOutput(from) => no_output(from),
    }
}

fn no_output(from: &OutputSelector) -> String {
    format!("task `{}` gave no output `{}`", from.task, from.output)
}

struct Scope<'a> {
    state: &'a RunState,
    plan: &'a TaskPlan,
    parent: &'a Node,
    component: &'a ComponentPlan,
}

impl<'a> Scope<'a> {
    fn of(state: &'a RunState, index: Index) -> Result<Self, EngineFault> {
        let node = state.node(index)?;
        let plan = state.task_plan(node).ok_or(EngineFault::Inconsistent("a task is in no plan"))?;
        let component = state.plan.component(node.component)?;
        Ok(Self { state, plan, parent: state.node(node.parent)?, component })
    }

    /// One input; `None` if it is left out, so that a default or nothing takes its place. `depth` counts the texts
    /// that lead here.
    fn parameter(&self, name: &str, input: &ParameterInput, depth: u32) -> Resolved<Option<Arc<Value>>> {
        let found = match &input.source {
            ParameterSource::Constant(value) => match self.constant(value, depth)? {
                Ok(value) => Found::Value(value),
                Err(reason) => return Ok(Err(format!("input `{name}`: {reason}"))),
            },
            ParameterSource::ComponentInput(from) => match self.parent.inputs.parameters.get(from) {
                Some(value) => Found::Value(Arc::clone(value)),
                None => {
                    Found::Nothing { reason: format!("the pipeline around the task was given no `{from}`") }
                }
            },
            ParameterSource::TaskOutput(from) => {
                match self.producer(from)?.outputs.parameters.get(&from.output) {
                    Some(value) => Found::Value(Arc::clone(value)),
                    None => Found::Nothing { reason: no_output(from) },
                }
            }
            ParameterSource::TaskFinalStatus(task) => Found::Value(Arc::new(self.final_status(task)?)),
        };
        let declared = self.component.input_parameters.get(name);
        let value = match found {
            Found::Value(value) if value.is_null() && !Self::is_null_text(&input.source, declared) => {
                let reason = match &input.source {
                    ParameterSource::TaskOutput(from) => {
                        format!("task `{}` gave null as output `{}`", from.task, from.output)
                    }
                    _ => "its value is null".to_owned(),
                };
                return Ok(left_out(name, declared, &reason));
            }
            Found::Value(value) => value,
            Found::Nothing { reason } => return Ok(left_out(name, declared, &reason)),
        };
        let selected = selector::select(&input.selector, &value);
        let value = match selected {
            Ok(Some(part)) => Arc::new(part),
            Ok(None) => value,
            Err(reason) => return Ok(Err(format!("input `{name}`: {reason}"))),
        };
        Ok(match declared {
            // What the compiler adds for texts that refer to other inputs.
            None => Ok(Some(value)),
            Some(declared) => fit(name, declared, value).map(Some),
        })
    }

    /// A value that the author wrote. Groups have nobody after them who knows this task's inputs, so texts that refer
    /// to them are filled in here. For containers that is left to whoever starts them: it is not part of the cache key.
    fn constant(&self, value: &Value, depth: u32) -> Resolved<Arc<Value>> {
        let value = placeholder::in_constant(value, self.state, self.plan, self.parent);
        if !matches!(self.component.body, Body::Dag(_)) || !placeholder::refers_to_inputs(&value) {
            return Ok(Ok(value));
        }
        if depth == DEEPEST_TEXT {
            return Ok(Err("its text refers to itself, or through too many other texts".to_owned()));
        }
        let mut known = BTreeMap::new();
        for name in placeholder::inputs_of(&value) {
            let Some(input) = self.plan.task.parameters.get(&name) else {
                return Ok(Err(format!("its text refers to input `{name}`, which the task is not given")));
            };
            match self.parameter(&name, input, depth + 1)? {
                Ok(Some(value)) => known.insert(name, value),
                Ok(None) => return Ok(Err(format!("its text refers to input `{name}`, which has no value"))),
                Err(reason) => return Ok(Err(reason)),
            };
        }
        Ok(Ok(Arc::new(placeholder::with_inputs(&value, &known))))
    }

    /// What a setting refers to: an `InputParameterSpec`, seen from the group around the task.
    fn follow(&self, reference: &Value) -> kubernetes::Found {
        let field = |names: [&str; 2]| names.iter().find_map(|name| reference.get(*name));
        if let Some(name) = field(["componentInputParameter", "component_input_parameter"]) {
            let value = self.parent.inputs.parameters.get(name.as_str().unwrap_or_default());
            return Ok(Ok(value.map_or(Value::Null, |value| Value::clone(value))));
        }
        if let Some(constant) =
            field(["runtimeValue", "runtime_value"]).and_then(|value| value.get("constant"))
        {
            let value = placeholder::in_constant(constant, self.state, self.plan, self.parent);
            return Ok(Ok(Value::clone(&value)));
        }
        let Some(output) = field(["taskOutputParameter", "task_output_parameter"]) else {
            return Ok(Err(format!("`{reference}` is no reference that is known here")));
        };
        let text = |names: [&str; 2]| {
            let found = names.iter().find_map(|name| output.get(*name)?.as_str());
            found.unwrap_or_default().to_owned()
        };
        let task = text(["producerTask", "producer_task"]);
        let from = OutputSelector { output: text(["outputParameterKey", "output_parameter_key"]), task };
        if self.state.plan.dag(self.parent.component)?.position(&from.task).is_none() {
            return Ok(Err(format!("there is no task `{}` beside it", from.task)));
        }
        let value = self.producer(&from)?.outputs.parameters.get(&from.output);
        Ok(value.map(|value| Value::clone(value)).ok_or_else(|| no_output(&from)))
    }

    /// As upstream: a null that the author wrote is an empty text where a text is wanted, and not a missing value.
    fn is_null_text(source: &ParameterSource, declared: Option<&InputParameter>) -> bool {
        matches!(source, ParameterSource::Constant(_))
            && declared.is_some_and(|declared| declared.parameter_type == ParameterType::String)
    }

    /// Groups get the defaults of what nobody gave, or null; for containers a missing input may stay missing, as its
    /// default is not part of the cache key.
    fn fill_in(&self, parameters: &mut BTreeMap<String, Arc<Value>>) -> Result<(), String> {
        let is_group = matches!(self.component.body, Body::Dag(_));
        for (name, declared) in &self.component.input_parameters {
            if parameters.contains_key(name) || self.is_loop_item(name) {
                continue;
            }
            match &declared.default_value {
                Some(default) if is_group => {
                    parameters.insert(name.clone(), Arc::new(default.clone()));
                }
                Some(_) => {}
                None if declared.is_optional || declared.parameter_type == ParameterType::TaskConfig => {
                    if is_group {
                        parameters.insert(name.clone(), Arc::new(Value::Null));
                    }
                }
                None => return Err(format!("input `{name}` was given no value and has no default")),
            }
        }
        Ok(())
    }

    /// Passes of a loop get their item later.
    fn is_loop_item(&self, name: &str) -> bool {
        match &self.plan.task.iterator {
            Some(LoopOver::Parameter { item_input, .. } | LoopOver::Artifact { item_input, .. }) => {
                item_input == name
            }
            None => false,
        }
    }

    fn task_of(&self, name: &str) -> Result<&'a Node, EngineFault> {
        let position = self.state.plan.dag(self.parent.component)?.position(name);
        let position =
            position.ok_or_else(|| EngineFault::Dangling { what: "the task", name: name.to_owned() })?;
        self.state.node(self.parent.group.first + position)
    }

    fn producer(&self, from: &OutputSelector) -> Result<&'a Node, EngineFault> {
        self.task_of(&from.task)
    }

    /// How a task ended, for exit handlers: KFP's `PipelineTaskFinalStatus`, its state by ML Metadata's names.
    fn final_status(&self, name: &str) -> Result<Value, EngineFault> {
        let name = match name {
            "" => self.plan.task.dependencies.first().map_or("", String::as_str),
            name => name,
        };
        let task = self.task_of(name)?;
        let state = name_of_state(task.status, self.state.semantics.has(Switch::SdkFinalStatus));
        let failure = match task.status {
            TaskStatus::Failed => task.error.clone(),
            TaskStatus::Canceled => self.state.reason_of_end(),
            _ => None,
        };
        let error = failure.map_or_else(|| json!({}), |error| json!({ "code": 1, "message": error.message }));
        Ok(json!({
            "state": state,
            "error": error,
            "pipelineJobResourceName": self.state.identity.resource_name,
            "pipelineTaskName": name,
        }))
    }
}

/// The state of a task as ML Metadata names it, or as the texts of the SDK do.
fn name_of_state(status: TaskStatus, is_sdk: bool) -> &'static str {
    match status {
        TaskStatus::Succeeded | TaskStatus::Cached if is_sdk => "SUCCEEDED",
        TaskStatus::Succeeded => "COMPLETE",
        TaskStatus::Cached => "CACHED",
        TaskStatus::Failed => "FAILED",
        TaskStatus::Skipped if is_sdk => "SKIPPED",
        TaskStatus::Canceled if is_sdk => "CANCELLED",
        TaskStatus::Skipped | TaskStatus::Canceled => "CANCELED",
        TaskStatus::Pending | TaskStatus::Running => "RUNNING",
    }
}

/// Whether an input may do without a value. Those that the component does not declare are parts of texts, which are
/// nothing without them.
fn left_out(
    name: &str,
    declared: Option<&InputParameter>,
    reason: &str,
) -> Result<Option<Arc<Value>>, String> {
    let is_spared = |declared: &InputParameter| declared.is_optional || declared.default_value.is_some();
    if declared.is_some_and(is_spared) { Ok(None) } else { Err(format!("input `{name}`: {reason}")) }
}

/// The value in the form of its type: everything has a text, nothing else is converted.
fn fit(name: &str, declared: &InputParameter, value: Arc<Value>) -> Result<Arc<Value>, String> {
    let wanted_type = declared.parameter_type;
    let value = if wanted_type == ParameterType::String && !value.is_string() {
        Arc::new(Value::from(text_of(&value)))
    } else {
        value
    };
    if !is_of_kind(wanted_type, &value) {
        let (wanted, found) = (wanted(wanted_type), kind(&value));
        return Err(format!("input `{name}` must be {wanted} ({}), but is {found}", wanted_type.wire_name()));
    }
    if !is_allowed(declared, &value) {
        return Err(format!("input `{name}` is {value}, which is not one of the allowed values"));
    }
    Ok(value)
}

/// A value as text: numbers in their shortest form without an exponent, lists and maps as JSON.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(|| number.to_string(), |number| format!("{number}"))
        }
        other => other.to_string(),
    }
}
