//! Pipelines as texts for people, for the traces of the simulator.

use std::fmt;

use ferroflow_spec::ir::{
    ArtifactSource, ImporterSpec, InputParameter, Iterator as LoopOver, LoopItems, OutputSelector,
    ParameterInput, ParameterOutput, ParameterSource, ParameterType, TriggerStrategy,
};

use super::{Body, Pipeline, Step};

/// A text for people: one line for each task, groups in braces.
impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Step { component, body, .. } = &self.0;
        write!(f, "pipeline")?;
        for (name, declared) in &component.input_parameters {
            write!(f, " {name}{}", declaration(declared))?;
        }
        body.write(f, 0)
    }
}

impl Step {
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let Self { name, task, component, body, .. } = self;
        write!(f, "{:width$}{name}(", "", width = 2 * depth)?;
        for (input, ParameterInput { source, selector }) in &task.parameters {
            let declared = component.input_parameters.get(input).map(declaration).unwrap_or_default();
            write!(f, "{input}{declared}=")?;
            match source {
                ParameterSource::TaskOutput(from) => write!(f, "{}.{}", from.task, from.output)?,
                ParameterSource::ComponentInput(from) => write!(f, "{from}")?,
                ParameterSource::Constant(value) => write!(f, "{value}")?,
                ParameterSource::TaskFinalStatus(task) => write!(f, "status of {task}")?,
            }
            write!(f, "{}{selector}, ", if selector.is_empty() { "" } else { " | " })?;
        }
        for (input, source) in &task.artifacts {
            match source {
                ArtifactSource::TaskOutput(from) => write!(f, "@{input}={}.{}, ", from.task, from.output)?,
                ArtifactSource::ComponentInput(from) => write!(f, "@{input}={from}, ")?,
            }
        }
        write!(f, ")")?;
        self.write_policies(f)?;
        body.write(f, depth)
    }

    fn write_policies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, component, body, .. } = self;
        if !matches!(body, Body::Group(..)) {
            for output in component.output_parameters.keys() {
                write!(f, " -> {output}")?;
            }
            for output in component.output_artifacts.keys() {
                write!(f, " -> @{output}")?;
            }
        }
        for before in &task.dependencies {
            write!(f, " after {before}")?;
        }
        if !task.condition.is_empty() {
            write!(f, " when {}", task.condition)?;
        }
        if task.trigger == TriggerStrategy::AllCompleted {
            write!(f, " always")?;
        }
        match &task.iterator {
            None => {}
            Some(LoopOver::Parameter { items: LoopItems::Raw(items), item_input }) => {
                write!(f, " each {item_input} in {items}")?;
            }
            Some(LoopOver::Parameter { items: LoopItems::Input(list), item_input }) => {
                write!(f, " each {item_input} in {list}")?;
            }
            Some(LoopOver::Artifact { input, item_input }) => write!(f, " each @{item_input} in @{input}")?,
        }
        if task.parallelism_limit > 0 {
            write!(f, " limit {}", task.parallelism_limit)?;
        }
        if let Some(retry) = &task.retry {
            write!(f, " retry {} after {}s", retry.max_retry_count, retry.backoff_seconds)?;
        }
        if task.caching.enabled {
            write!(f, " cached {}", task.caching.key)?;
        }
        Ok(())
    }
}

impl Body {
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        match self {
            Self::Container(..) => writeln!(f),
            Self::Importer(ImporterSpec { uri, .. }) => writeln!(f, " import {uri:?}"),
            Self::Group(steps, dag) => {
                writeln!(f, " {{")?;
                for step in steps {
                    step.write(f, depth + 1)?;
                }
                write!(f, "{:width$}}}", "", width = 2 * depth)?;
                for (name, output) in &dag.output_parameters {
                    let selectors = match output {
                        ParameterOutput::From(selector) => std::slice::from_ref(selector),
                        ParameterOutput::OneOf(selectors) => selectors,
                    };
                    write!(f, " -> {name}={}", alternatives(selectors))?;
                }
                for (name, selectors) in &dag.output_artifacts {
                    write!(f, " -> @{name}={}", alternatives(selectors))?;
                }
                writeln!(f)
            }
        }
    }
}

fn alternatives(selectors: &[OutputSelector]) -> String {
    let texts: Vec<String> = selectors.iter().map(|from| format!("{}.{}", from.task, from.output)).collect();
    texts.join("|")
}

fn declaration(declared: &InputParameter) -> String {
    let named = match declared.parameter_type {
        ParameterType::Unspecified => String::new(),
        named => format!(":{}", named.wire_name()),
    };
    match &declared.default_value {
        Some(default) => format!("{named}[{default}]"),
        None if declared.is_optional => format!("{named}?"),
        None => named,
    }
}
