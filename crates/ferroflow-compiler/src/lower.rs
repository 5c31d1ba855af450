//! From the graph to the spec: groups from the outside inwards, then the tasks that run after exit handlers.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::compiled::Compiled;
use crate::flow::{Flow, Node, Surfaced, class};
use crate::graph::{Argument, Channel, Component, Form, Graph, Group, GroupKind, Interface, Task};
use crate::interface::Definitions;
use crate::merge::{self, Outer};
use crate::names::{self, Taken};
use crate::platform::Platform;
use crate::task::{self, Place, TaskSpec};
use crate::{CompileError, SDK_VERSION, deployment, flow, types};

const WORKSPACE: [&str; 2] = ["{{$.workspace_path}}", "/kfp-workspace"];

/// Compiles a pipeline; `nested` are the pipelines that its components refer to.
pub fn compile(graph: &Graph, nested: &[&Compiled]) -> Result<Compiled, CompileError> {
    check_pipeline(graph)?;
    let flow = Flow::of(graph)?;
    for (name, result) in &flow.results {
        check_result(&graph.interface, name, result)?;
    }
    let mut info = Map::from_iter([("name".to_owned(), Value::from(graph.interface.name.as_str()))]);
    for (field, text) in [("displayName", &graph.display_name), ("description", &graph.interface.description)]
    {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
            info.insert(field.to_owned(), text.into());
        }
    }
    let mut compiled = Lowering::new(&flow, nested, false)?.run(info)?;
    if let Some(root) = graph.pipeline_root.as_deref().filter(|root| !root.is_empty()) {
        compiled.pipeline.insert("defaultPipelineRoot".to_owned(), root.into());
    }
    Ok(compiled)
}

/// Compiles a single component, as a pipeline of one task.
pub fn compile_component(component: &Component, enable_caching: bool) -> Result<Compiled, CompileError> {
    let graph = graph_of(component, enable_caching);
    check_name(&graph.interface.name)?;
    let flow = Flow::of(&graph)?;
    let info = Map::from_iter([("name".to_owned(), Value::from(component.interface.name.as_str()))]);
    let mut compiled = Lowering::new(&flow, &[], true)?.run(info)?;
    compiled.platform = None;
    Ok(compiled)
}

fn graph_of(component: &Component, enable_caching: bool) -> Graph {
    let interface = &component.interface;
    let name = names::kubernetes(&interface.name);
    let channel = |name: &String, kind: &String, list: bool, producer: Option<&str>| Channel {
        name: name.clone(),
        kind: kind.clone(),
        producer: producer.map(str::to_owned),
        list,
        form: if types::channel_parameter(kind).is_some() { Form::Parameter } else { Form::Artifact },
    };
    let inputs = interface.inputs.iter().map(|input| channel(&input.name, &input.kind, input.list, None));
    let outputs =
        interface.outputs.iter().map(|output| channel(&output.name, &output.kind, output.list, Some(&name)));
    let channels: Vec<_> = inputs.chain(outputs).collect();
    let count = interface.inputs.len();
    let names = interface.inputs.iter().map(|input| input.name.clone());
    let task = Task {
        inputs: names.enumerate().map(|(place, name)| (name, Argument::Channel(place))).collect(),
        channels: (0..count).collect(),
        ..Task::new(&name, 0, enable_caching)
    };
    let names = interface.outputs.iter().map(|output| output.name.clone());
    Graph {
        interface: interface.clone(),
        display_name: None,
        pipeline_root: None,
        config: Map::new(),
        outputs: names.enumerate().map(|(place, name)| (name, count + place)).collect(),
        components: vec![component.clone()],
        tasks: vec![task],
        groups: vec![Group::pipeline(vec![0])],
        channels,
    }
}

fn check_name(name: &str) -> Result<(), CompileError> {
    if names::is_pipeline(name) {
        return Ok(());
    }
    Err(CompileError::Value(format!(
        "Invalid pipeline name: '{name}' must be 1 to 128 small letters, digits and '-', and not begin with '-': give another by dsl.pipeline(name=...)"
    )))
}

fn check_pipeline(graph: &Graph) -> Result<(), CompileError> {
    check_name(&graph.interface.name)?;
    if graph.tasks.is_empty() {
        return Err(CompileError::Value(format!(
            "pipeline '{}' has no task: call a component in its body",
            graph.interface.name
        )));
    }
    let uses_workspace =
        graph.tasks.iter().flat_map(|task| &task.inputs).any(|(_, argument)| match argument {
            Argument::Constant(Value::String(text)) => {
                let [placeholder, folder] = WORKSPACE;
                text.contains(placeholder) || text.starts_with(folder)
            }
            _ => false,
        });
    if uses_workspace && !graph.config.contains_key("workspace") {
        return Err(CompileError::Value(format!(
            "pipeline '{}' uses the workspace but has none: give it pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size='1Gi'))",
            graph.interface.name
        )));
    }
    Ok(())
}

fn check_result(interface: &Interface, name: &str, result: &Surfaced) -> Result<(), CompileError> {
    let Some(output) = interface.outputs.iter().find(|output| output.name == name) else {
        return Err(CompileError::Value(format!(
            "pipeline '{}' returns '{name}' but does not declare it: annotate what the function returns",
            interface.name
        )));
    };
    if types::fits(&result.kind, result.list, &output.kind, output.list) {
        return Ok(());
    }
    Err(CompileError::Type(format!(
        "pipeline '{}' declares its output '{name}' as {}, but returns {}",
        interface.name,
        types::shown(&output.kind, output.list),
        types::shown(&result.kind, result.list)
    )))
}

/// A component that is not finished: its graph grows while it is worked on.
#[derive(Debug, Default)]
struct Draft {
    name: String,
    definitions: Definitions,
    tasks: Map<String, Value>,
}

struct Lowering<'a> {
    flow: &'a Flow<'a>,
    nested: &'a [&'a Compiled],
    is_single: bool,
    components: Map<String, Value>,
    component_names: Taken,
    executors: Map<String, Value>,
    executor_names: Taken,
    platform: Platform,
    drafts: Vec<Draft>,
}

impl<'a> Lowering<'a> {
    fn new(flow: &'a Flow<'a>, nested: &'a [&'a Compiled], is_single: bool) -> Result<Self, CompileError> {
        let mut drafts: Vec<Draft> = flow.graph.groups.iter().map(|_| Draft::default()).collect();
        if let Some(root) = drafts.first_mut() {
            root.definitions = Definitions::of(&flow.graph.interface)?;
        }
        Ok(Self {
            flow,
            nested,
            is_single,
            components: Map::new(),
            component_names: Taken::default(),
            executors: Map::new(),
            executor_names: Taken::default(),
            platform: Platform::with_config(&flow.graph.config),
            drafts,
        })
    }

    fn run(mut self, info: Map<String, Value>) -> Result<Compiled, CompileError> {
        let groups = self.flow.all_groups();
        for group in &groups {
            self.group(*group)?;
        }
        for group in groups {
            self.exit_handler(group)?;
        }
        self.check_results()?;
        let mut drafts = std::mem::take(&mut self.drafts).into_iter().enumerate();
        let root = drafts.next().map(|(_, draft)| {
            finish(draft, &results(self.flow.results.iter().map(|(name, output)| (name, output))))
        });
        for (group, mut draft) in drafts {
            let outputs = self.flow.outputs.get(group).map(results).unwrap_or_default();
            let name = std::mem::take(&mut draft.name);
            self.components.insert(name, finish(draft, &outputs).into());
        }
        let mut pipeline = Map::from_iter([
            ("pipelineInfo".to_owned(), Value::from(info)),
            ("sdkVersion".to_owned(), SDK_VERSION.into()),
            ("schemaVersion".to_owned(), "2.1.0".into()),
            ("root".to_owned(), root.unwrap_or_default().into()),
            ("components".to_owned(), self.components.into()),
            ("deploymentSpec".to_owned(), json!({})),
        ]);
        if !self.executors.is_empty() {
            pipeline.insert("deploymentSpec".to_owned(), json!({ "executors": self.executors }));
        }
        Ok(Compiled { pipeline, platform: self.platform.into_document() })
    }

    fn check_results(&self) -> Result<(), CompileError> {
        let declared = &self.flow.graph.interface.outputs;
        let given = |name: &str| self.flow.results.iter().any(|(known, _)| known == name);
        match declared.iter().find(|output| !given(&output.name)) {
            Some(output) => Err(CompileError::Value(format!(
                "pipeline '{}' declares output '{}' but does not return it",
                self.flow.graph.interface.name, output.name
            ))),
            None => Ok(()),
        }
    }

    /// Everything in one group: inner groups first, then tasks.
    fn group(&mut self, group: usize) -> Result<(), CompileError> {
        let Some(found) = self.flow.group(group) else { return Ok(()) };
        let mut beside: HashSet<String> = HashSet::new();
        let name_of = |node: &Node| match *node {
            Node::Group(group) => self.flow.group(group).map(|group| group.name.as_str()),
            Node::Task(task) => self.flow.task(task).map(|task| task.name.as_str()),
        };
        let groups = found.groups.iter().map(|group| Node::Group(*group));
        let members: Vec<Node> = groups.chain(found.tasks.iter().map(|task| Node::Task(*task))).collect();
        beside.extend(members.iter().filter_map(name_of).map(names::kubernetes));
        for member in members {
            match member {
                Node::Group(inner) => self.inner_group(inner, group, &beside)?,
                Node::Task(task) => self.task(task, group, &beside)?,
            }
        }
        Ok(())
    }

    fn inner_group(
        &mut self,
        inner: usize,
        outer: usize,
        beside: &HashSet<String>,
    ) -> Result<(), CompileError> {
        let Some(found) = self.flow.group(inner) else { return Ok(()) };
        let inputs = self.inputs_of(inner, found)?;
        let mut definitions = Definitions::default();
        for channel in &inputs {
            let channel = self.flow.channel(*channel)?;
            definitions.take(&channel.input_name(), &channel.kind, channel.list, channel.is_artifact())?;
        }
        for (name, output) in self.flow.outputs.get(inner).into_iter().flatten() {
            definitions.bring_out(name, &output.kind, output.list, output.is_artifact)?;
        }
        let around = self.draft(outer)?;
        let place = Place { around: &around.definitions, beside, is_root: outer == 0 };
        let mut spec = task::of_group(found, &inputs, self.flow, &place)?;
        spec.dependent = task::waits(self.flow, Node::Group(inner));
        let component = self.component_names.claim(&names::component(&found.name));
        self.add_task(outer, &found.name, spec, &component)?;
        let draft = self.draft_mut(inner)?;
        draft.name = component;
        draft.definitions = definitions;
        Ok(())
    }

    /// Channels that are passed into a group, with those of its own loop or condition.
    fn inputs_of(&self, group: usize, found: &Group) -> Result<Vec<usize>, CompileError> {
        let needs = self.flow.needs.get(group).cloned().unwrap_or_default();
        let mut inputs = needs;
        match &found.kind {
            GroupKind::ForLoop { item, .. } => {
                if let Form::LoopItem(Some(list)) | Form::LoopArtifact(list) = &self.flow.channel(*item)?.form
                {
                    inputs.push(*list);
                }
                inputs.push(*item);
            }
            GroupKind::Condition { comparisons, .. } => inputs.extend(flow::operands(comparisons)),
            _ => {}
        }
        Ok(inputs)
    }

    fn task(&mut self, place: usize, group: usize, beside: &HashSet<String>) -> Result<(), CompileError> {
        let Some(found) = self.flow.task(place) else { return Ok(()) };
        let component = self.component(found)?;
        self.check_status(found, component)?;
        let around = self.draft(group)?;
        let surroundings = Place { around: &around.definitions, beside, is_root: group == 0 };
        let mut spec = task::of_task(found, self.flow, &surroundings)?;
        spec.dependent = task::waits(self.flow, Node::Task(place));
        if found.ignore_upstream_failure {
            task::always_run(&mut spec, found, component)?;
        }
        let body = self.executor(found, component, group, beside)?;
        self.finish_task(found, spec, body, group)
    }

    fn finish_task(
        &mut self,
        found: &Task,
        spec: TaskSpec,
        body: Map<String, Value>,
        group: usize,
    ) -> Result<(), CompileError> {
        let name = self.component_names.claim(&names::component(&found.name));
        self.components.insert(name.clone(), body.into());
        self.add_task(group, &found.name, spec, &name)
    }

    fn check_status(&self, task: &Task, component: &Component) -> Result<(), CompileError> {
        let may = self.is_single || task.ignore_upstream_failure || task.is_exit_task;
        match component.interface.inputs.iter().find(|input| !may && task::is_status(&input.kind)) {
            Some(input) => Err(CompileError::Value(format!(
                "input '{}' of task {} is a PipelineTaskFinalStatus, which only exit tasks get, and tasks with ignore_upstream_failure()",
                input.name,
                task.shown()
            ))),
            None => Ok(()),
        }
    }

    /// How a task is done: an executor of its own, or the graph of a nested pipeline.
    fn executor(
        &mut self,
        task: &Task,
        component: &Component,
        group: usize,
        beside: &HashSet<String>,
    ) -> Result<Map<String, Value>, CompileError> {
        if let Some(nested) = component.pipeline {
            return self.nested(task, nested);
        }
        let body = match &component.importer {
            Some(importer) => {
                let uri = task.inputs.iter().find_map(|(name, argument)| match argument {
                    Argument::Constant(Value::String(uri)) if name == "uri" => Some(uri.as_str()),
                    _ => None,
                });
                deployment::importer(importer, uri)?
            }
            None => deployment::container(task, component)?,
        };
        let label = self.executor_names.claim(&names::executor(&task.name));
        self.executors.insert(label.clone(), body);
        if component.importer.is_none() {
            let around = self.drafts.get(group).ok_or_else(no_group)?;
            self.platform.add_task(&task.platform, &label, &around.definitions, beside)?;
        }
        let mut body = Definitions::of(&component.interface)?.into_component();
        body.insert("executorLabel".to_owned(), label.into());
        Ok(body)
    }

    fn nested(&mut self, task: &Task, nested: usize) -> Result<Map<String, Value>, CompileError> {
        if !task.platform.is_empty() {
            return Err(CompileError::Value(format!(
                "task {} is a pipeline, so settings of a platform have no container to go to: set them on the tasks in it",
                task.shown()
            )));
        }
        let nested = self.nested.get(nested).ok_or_else(|| {
            CompileError::Value(format!("the pipeline of task '{}' was not handed over", task.name))
        })?;
        Ok(merge::merge(
            nested,
            &mut Outer {
                components: &mut self.components,
                component_names: &mut self.component_names,
                executors: &mut self.executors,
                executor_names: &mut self.executor_names,
                platform: &mut self.platform,
            },
        ))
    }

    /// The task that runs after an exit handler stands beside it.
    fn exit_handler(&mut self, group: usize) -> Result<(), CompileError> {
        let Some(found) = self.flow.group(group) else { return Ok(()) };
        let GroupKind::ExitHandler { exit_task } = found.kind else { return Ok(()) };
        let parent = found.parent.unwrap_or_default();
        if parent != 0 {
            let around = self.flow.group(parent).map_or("group", |parent| class(&parent.kind));
            return Err(CompileError::Value(format!(
                "a dsl.ExitHandler may stand only at the top level of a pipeline, but is inside of a dsl.{around}: move it out, or put it into a pipeline of its own and call that"
            )));
        }
        let Some(task) = self.flow.task(exit_task) else { return Ok(()) };
        let component = self.component(task)?;
        if component.importer.is_some() {
            return Err(CompileError::Value(format!("exit task '{}' cannot be an importer", task.name)));
        }
        let beside = HashSet::new();
        let around = self.draft(0)?;
        let surroundings = Place { around: &around.definitions, beside: &beside, is_root: true };
        let mut spec = task::of_task(task, self.flow, &surroundings)?;
        task::exit_task(&mut spec, component, &names::kubernetes(&found.name));
        let beside: HashSet<String> = self.draft(0)?.tasks.keys().cloned().collect();
        let body = self.executor(task, component, 0, &beside)?;
        self.finish_task(task, spec, body, 0)
    }

    fn component(&self, task: &Task) -> Result<&'a Component, CompileError> {
        let flow = self.flow;
        flow.graph.components.get(task.component).ok_or_else(|| {
            CompileError::Value(format!("the component of task '{}' is not in the graph", task.name))
        })
    }

    fn draft(&self, group: usize) -> Result<&Draft, CompileError> {
        self.drafts.get(group).ok_or_else(no_group)
    }

    fn draft_mut(&mut self, group: usize) -> Result<&mut Draft, CompileError> {
        self.drafts.get_mut(group).ok_or_else(no_group)
    }

    fn add_task(
        &mut self,
        group: usize,
        name: &str,
        spec: TaskSpec,
        component: &str,
    ) -> Result<(), CompileError> {
        let before = self.draft_mut(group)?.tasks.insert(name.to_owned(), spec.into_value(component));
        if before.is_some() {
            // Groups are numbered, tasks are called like their component.
            return Err(CompileError::Value(format!(
                "a task and the group of a dsl.If, dsl.ParallelFor or dsl.ExitHandler beside it are both called '{name}': give the component another name"
            )));
        }
        Ok(())
    }
}

fn no_group() -> CompileError {
    CompileError::Value("a group is not in the graph".to_owned())
}

fn results<'s>(outputs: impl IntoIterator<Item = (&'s String, &'s Surfaced)>) -> Map<String, Value> {
    let (mut parameters, mut artifacts) = (Map::new(), Map::new());
    for (name, output) in outputs {
        let one = [(output.producer.clone(), output.name.clone())];
        let sources: &[(String, String)] = output.branches.as_deref().unwrap_or(&one);
        let key = if output.is_artifact { "outputArtifactKey" } else { "outputParameterKey" };
        let mut selectors: Vec<Value> =
            sources.iter().map(|(task, output)| json!({ "producerSubtask": task, key: output })).collect();
        if output.is_artifact {
            artifacts.insert(name.clone(), json!({ "artifactSelectors": selectors }));
        } else if output.branches.is_some() {
            parameters.insert(name.clone(), json!({ "valueFromOneof": { "parameterSelectors": selectors } }));
        } else {
            parameters.insert(name.clone(), json!({ "valueFromParameter": selectors.pop() }));
        }
    }
    let mut outputs = Map::new();
    for (part, entries) in [("parameters", parameters), ("artifacts", artifacts)] {
        if !entries.is_empty() {
            outputs.insert(part.to_owned(), entries.into());
        }
    }
    outputs
}

fn finish(draft: Draft, outputs: &Map<String, Value>) -> Map<String, Value> {
    let mut component = draft.definitions.into_component();
    let mut dag = Map::from_iter([("tasks".to_owned(), Value::from(draft.tasks))]);
    if !outputs.is_empty() {
        dag.insert("outputs".to_owned(), outputs.clone().into());
    }
    component.insert("dag".to_owned(), dag.into());
    component
}
