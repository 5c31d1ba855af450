//! The native module `ferroflow._native`: only conversion between Python's values and the compiler's.
//!
//! Graphs and components come as JSON text, because Python makes it faster than anything could walk its objects.

use ferroflow_compiler::command::{self, Packages, Source};
use ferroflow_compiler::graph::{Component, Graph};
use ferroflow_compiler::names::{self, Taken};
use ferroflow_compiler::{CompileError, ManifestOptions, marks, types};
use pyo3::exceptions::PyValueError;
use pyo3::{PyErr, PyRef, PyResult, pyclass, pyfunction, pymethods, pymodule};
use serde::de::DeserializeOwned;

/// Classes of exceptions, in a module of their own because the macro leaves them without words.
mod exceptions {
    use pyo3::create_exception;
    use pyo3::exceptions::{PyException, PyTypeError};

    create_exception!(ferroflow, InvalidTopologyException, PyException);
    create_exception!(ferroflow, InconsistentTypeException, PyTypeError);
}
use exceptions::{InconsistentTypeException, InvalidTopologyException};

fn error(error: CompileError) -> PyErr {
    match error {
        CompileError::Topology(text) => InvalidTopologyException::new_err(text),
        CompileError::Type(text) => InconsistentTypeException::new_err(text),
        CompileError::Value(text) => PyValueError::new_err(text),
    }
}

fn read<T: DeserializeOwned>(text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// A compiled pipeline or component.
#[pyclass(frozen)]
struct Compiled(ferroflow_compiler::Compiled);

#[pymethods]
impl Compiled {
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    fn pipeline_json(&self) -> String {
        self.0.pipeline_text()
    }

    fn platform_json(&self) -> Option<String> {
        self.0.platform_text()
    }

    #[pyo3(signature = (name, display_name, parameters))]
    fn with_overrides(
        &self,
        name: Option<&str>,
        display_name: Option<&str>,
        parameters: &str,
    ) -> PyResult<Self> {
        self.0.with_overrides(name, display_name, &read(parameters)?).map(Self).map_err(error)
    }

    #[pyo3(signature = (description))]
    fn yaml(&self, description: Option<&str>) -> PyResult<String> {
        self.0.yaml(description).map_err(error)
    }

    fn json(&self) -> PyResult<String> {
        self.0.json().map_err(error)
    }

    #[pyo3(signature = (options, description))]
    fn manifest(&self, options: &str, description: Option<&str>) -> PyResult<String> {
        self.0.manifest(&read::<ManifestOptions>(options)?, description).map_err(error)
    }
}

/// Names of the tasks of one pipeline.
#[pyclass]
#[derive(Default)]
struct Names(Taken);

#[pymethods]
impl Names {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// The name of a new task of a component.
    fn claim(&mut self, component: &str) -> String {
        let name = names::kubernetes(component);
        self.0.claim(if name.is_empty() { "task" } else { &name })
    }
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "arguments from Python are owned")]
fn compile(graph: &str, nested: Vec<PyRef<'_, Compiled>>) -> PyResult<Compiled> {
    let nested: Vec<_> = nested.iter().map(|nested| &nested.0).collect();
    ferroflow_compiler::compile(&read::<Graph>(graph)?, &nested).map(Compiled).map_err(error)
}

#[pyfunction]
fn compile_component(component: &str, enable_caching: bool) -> PyResult<Compiled> {
    let component = read::<Component>(component)?;
    ferroflow_compiler::compile_component(&component, enable_caching).map(Compiled).map_err(error)
}

/// The component as JSON, what was compiled before, and whether it is a pipeline.
#[pyfunction]
fn load(text: &str) -> PyResult<(String, Option<Compiled>, bool)> {
    let loaded = ferroflow_compiler::load(text).map_err(error)?;
    let is_pipeline = loaded.is_pipeline();
    let component =
        serde_json::to_string(&loaded.component).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok((component, loaded.compiled.map(Compiled), is_pipeline))
}

#[pyfunction]
fn kubernetes_name(name: &str) -> String {
    names::kubernetes(name)
}

/// The type of a parameter in PipelineSpec; None for artifacts.
#[pyfunction]
fn parameter_type(kind: &str) -> Option<&'static str> {
    types::parameter(kind)
}

#[pyfunction]
fn types_fit(given: &str, given_list: bool, expected: &str, expected_list: bool) -> bool {
    types::fits(given, given_list, expected, expected_list)
}

#[pyfunction]
fn shown_type(kind: &str, list: bool) -> String {
    types::shown(kind, list)
}

/// Task, name and type of each channel whose mark stands in the text.
#[pyfunction]
fn find_marks(text: &str) -> Vec<(Option<String>, String, String)> {
    marks::find(text).into_iter().map(|channel| (channel.producer, channel.name, channel.kind)).collect()
}

/// The description, and the descriptions of parameters by name.
#[pyfunction]
fn parse_docstring(text: &str) -> (Option<String>, Vec<(String, Option<String>)>) {
    let docstring = ferroflow_compiler::parse_docstring(text);
    (docstring.description(), docstring.params)
}

#[pyfunction]
fn installer(packages: &str) -> PyResult<Vec<String>> {
    Ok(command::installer(&read::<Packages>(packages)?))
}

#[pyfunction]
fn lightweight(source: &str) -> PyResult<Vec<String>> {
    Ok(command::lightweight(&read::<Source>(source)?))
}

#[pyfunction]
fn containerized() -> Vec<String> {
    command::containerized()
}

#[pyfunction]
fn arguments(function: &str) -> Vec<String> {
    command::arguments(function)
}

/// What the Python package calls.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{
        Compiled, InconsistentTypeException, InvalidTopologyException, Names, arguments, compile,
        compile_component, containerized, find_marks, installer, kubernetes_name, lightweight, load,
        parameter_type, parse_docstring, shown_type, types_fit,
    };
    #[pymodule_export]
    const SDK_VERSION: &str = ferroflow_compiler::SDK_VERSION;
}
