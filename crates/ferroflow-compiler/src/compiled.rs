//! A compiled pipeline, and the forms in which it is written.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::interface::default_value;
use crate::{CompileError, header, yaml};

/// A compiled pipeline or component: the documents of its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    pub(crate) pipeline: Map<String, Value>,
    pub(crate) platform: Option<Map<String, Value>>,
}

/// Names in a Kubernetes manifest; what is not said follows from the pipeline's name.
#[derive(Debug, Clone, Default, Deserialize)]
#[expect(missing_docs, reason = "they are named as KFP names them")]
#[serde(default)]
pub struct ManifestOptions {
    pub pipeline_name: Option<String>,
    pub pipeline_display_name: Option<String>,
    pub pipeline_version_name: Option<String>,
    pub pipeline_version_display_name: Option<String>,
    pub namespace: Option<String>,
    pub include_pipeline_manifest: bool,
}

impl Compiled {
    /// From the documents of a file that was compiled before.
    #[must_use]
    pub fn from_documents(pipeline: Map<String, Value>, platform: Option<Map<String, Value>>) -> Self {
        Self { pipeline, platform }
    }

    /// The first document: a PipelineSpec.
    #[must_use]
    pub fn pipeline(&self) -> &Map<String, Value> {
        &self.pipeline
    }

    /// The second document, if anything of it is used.
    #[must_use]
    pub fn platform(&self) -> Option<&Map<String, Value>> {
        self.platform.as_ref()
    }

    /// The name of the pipeline.
    #[must_use]
    pub fn name(&self) -> &str {
        self.pipeline
            .get("pipelineInfo")
            .and_then(|info| info.get("name"))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The same under other names, and with other defaults.
    pub fn with_overrides(
        &self,
        name: Option<&str>,
        display_name: Option<&str>,
        parameters: &Map<String, Value>,
    ) -> Result<Self, CompileError> {
        let mut changed = self.clone();
        if let Some(info) = changed.pipeline.get_mut("pipelineInfo").and_then(Value::as_object_mut) {
            for (field, value) in [("name", name), ("displayName", display_name)] {
                if let Some(value) = value {
                    info.insert(field.to_owned(), value.into());
                }
            }
        }
        for (name, value) in parameters {
            changed.set_default(name, value)?;
        }
        Ok(changed)
    }

    fn set_default(&mut self, name: &str, value: &Value) -> Result<(), CompileError> {
        let inputs = self.pipeline.get_mut("root").and_then(|root| root.get_mut("inputDefinitions"));
        let Some(parameter) =
            inputs.and_then(|inputs| inputs.get_mut("parameters")?.get_mut(name)?.as_object_mut())
        else {
            return Err(CompileError::Value(format!(
                "'{name}' is not a parameter of the pipeline, so it cannot be given in pipeline_parameters"
            )));
        };
        if value.is_null() {
            return Ok(());
        }
        let kind = parameter.get("parameterType").and_then(Value::as_str).unwrap_or_default().to_owned();
        parameter.insert("defaultValue".to_owned(), default_value(name, &kind, value)?);
        Ok(())
    }

    /// The file as YAML, with the comment at its head.
    pub fn yaml(&self, description: Option<&str>) -> Result<String, CompileError> {
        self.check_workspace()?;
        let pipeline = Value::Object(self.pipeline.clone());
        let platform = self.platform.clone().map(Value::Object);
        let documents: Vec<&Value> = std::iter::once(&pipeline).chain(platform.as_ref()).collect();
        Ok(header::of(&self.pipeline, description) + &yaml::dump(&documents))
    }

    /// The file as JSON, which has room for one document only.
    pub fn json(&self) -> Result<String, CompileError> {
        self.check_workspace()?;
        if self.platform.is_some() {
            return Err(CompileError::Value(
                "settings of a platform need a second document, which JSON files have no room for: compile to .yaml".to_owned(),
            ));
        }
        Ok(self.pipeline_text())
    }

    /// The first document as JSON.
    #[must_use]
    pub fn pipeline_text(&self) -> String {
        serde_json::to_string_pretty(&self.pipeline).unwrap_or_default()
    }

    /// The second document as JSON.
    #[must_use]
    pub fn platform_text(&self) -> Option<String> {
        self.platform.as_ref().and_then(|platform| serde_json::to_string(platform).ok())
    }

    /// Objects of Kubernetes that hold the pipeline.
    pub fn manifest(
        &self,
        options: &ManifestOptions,
        description: Option<&str>,
    ) -> Result<String, CompileError> {
        self.check_workspace()?;
        let name = options.pipeline_name.as_deref().unwrap_or_else(|| self.name());
        let display_name = options.pipeline_display_name.as_deref().unwrap_or(name);
        let version = options.pipeline_version_name.as_deref().unwrap_or(name);
        let version_display_name = options.pipeline_version_display_name.as_deref().unwrap_or(version);
        let mut documents = Vec::new();
        if options.include_pipeline_manifest {
            let spec = Map::from_iter([("displayName".to_owned(), display_name.into())]);
            documents.push(object("Pipeline", name, options, spec, description));
        }
        let mut spec = Map::from_iter([
            ("displayName".to_owned(), version_display_name.into()),
            ("pipelineName".to_owned(), name.into()),
            ("pipelineSpec".to_owned(), self.pipeline.clone().into()),
        ]);
        if let Some(platform) = &self.platform {
            spec.insert("platformSpec".to_owned(), platform.clone().into());
        }
        documents.push(object("PipelineVersion", version, options, spec, description));
        Ok(yaml::dump(&documents.iter().collect::<Vec<_>>()))
    }

    fn check_workspace(&self) -> Result<(), CompileError> {
        let executors =
            self.pipeline.get("deploymentSpec").and_then(|deployment| deployment.get("executors"));
        let downloads =
            |executor: &Value| executor.pointer("/importer/downloadToWorkspace") == Some(&true.into());
        let is_wanted =
            executors.and_then(Value::as_object).is_some_and(|executors| executors.values().any(downloads));
        let platforms = self.platform.as_ref().and_then(|platform| platform.get("platforms")?.as_object());
        let is_there = |platform: &Value| platform.pointer("/pipelineConfig/workspace").is_some();
        if is_wanted && !platforms.is_some_and(|platforms| platforms.values().any(is_there)) {
            return Err(CompileError::Value(
                "dsl.importer(download_to_workspace=True) needs a workspace: give the pipeline pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size='1Gi'))"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

fn object(
    kind: &str,
    name: &str,
    options: &ManifestOptions,
    mut spec: Map<String, Value>,
    description: Option<&str>,
) -> Value {
    let mut metadata = Map::from_iter([("name".to_owned(), Value::from(name))]);
    if let Some(namespace) = options.namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        spec.insert("description".to_owned(), description.into());
    }
    json!({ "apiVersion": "pipelines.kubeflow.org/v2beta1", "kind": kind, "metadata": metadata, "spec": spec })
}
