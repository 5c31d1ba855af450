//! Importers: artifacts that come in by their URI. Their bytes stay where they are.
//!
//! An importer that need not import again asks the store for what an earlier one of the same pipeline brought in; the
//! question and its answer are those of the cache, under a key of their own. This goes on when runs do not cache: it
//! keeps one artifact one, so that tasks after it find their results again.

use std::sync::Arc;

use ferroflow_model::record::Failure;
use ferroflow_model::{Artifact, TaskStatus};
use ferroflow_spec::ir::{ImportUri, ImporterSpec};
use serde_json::{Map, Value};

use super::Machine;
use crate::cache;
use crate::event::{CacheHit, CacheableResult, Command};
use crate::fault::EngineFault;
use crate::placeholder;
use crate::plan::Body;
use crate::semantics::Switch;
use crate::state::{Index, Node, Stage};

/// What an importer is to bring in.
struct Import {
    spec: ImporterSpec,
    uri: String,
    metadata: Map<String, Value>,
}

impl Machine<'_> {
    /// Brings the artifact in, or asks whether it is there.
    pub(super) fn import(&mut self, index: Index) -> Result<(), EngineFault> {
        let import = match self.to_import(index)? {
            Ok(import) => import,
            Err(reason) => return self.end(index, TaskStatus::Failed, Some(Failure::new(reason))),
        };
        let now = self.now;
        self.state.node_mut(index)?.started_at = Some(now);
        if import.spec.reimport {
            return self.bring_in(index, &import);
        }
        let fingerprint = import.key().fingerprint;
        self.out.push(Command::LookUpCache { task: self.state.path(index), fingerprint });
        self.state.node_mut(index)?.stage = Stage::Cache;
        Ok(())
    }

    /// The store has answered whether the artifact is there.
    pub(super) fn import_answered(
        &mut self,
        index: Index,
        hit: Option<&CacheHit>,
    ) -> Result<(), EngineFault> {
        if let Some(hit) = self.whole(index, hit)? {
            self.state.node_mut(index)?.outputs = hit.outputs.clone();
            self.link_outputs(index)?;
            return self.end(index, TaskStatus::Succeeded, None);
        }
        let import = match self.to_import(index)? {
            Ok(import) => import,
            Err(reason) => return self.end(index, TaskStatus::Failed, Some(Failure::new(reason))),
        };
        self.bring_in(index, &import)?;
        let node = self.state.node(index)?;
        self.state.unseen.cacheable.push(CacheableResult {
            key: import.key(),
            execution_id: node.id,
            created_at: self.now,
            outputs: node.outputs.clone(),
        });
        Ok(())
    }

    /// What the importer says with what it was given, or a sentence about why that is nothing to import.
    fn to_import(&self, index: Index) -> Result<Result<Import, String>, EngineFault> {
        let node = self.state.node(index)?;
        let component = self.state.plan.component(node.component)?;
        let Body::Importer(spec) = &component.body else {
            return Err(EngineFault::Inconsistent("an importer has no importer spec"));
        };
        let is_lenient = self.state.semantics.has(Switch::LenientImporters);
        Ok(uri(spec, node, is_lenient).and_then(|uri| {
            let mut metadata = metadata(spec, node)?;
            if spec.download_to_workspace {
                // By this, executors know that tasks see a copy of their own. It is another artifact than without.
                metadata.insert(cache::IN_WORKSPACE.to_owned(), Value::Bool(true));
            }
            Ok(Import { spec: spec.clone(), uri, metadata })
        }))
    }

    fn bring_in(&mut self, index: Index, import: &Import) -> Result<(), EngineFault> {
        let component = self.state.plan.component(self.state.node(index)?.component)?;
        let names: Vec<String> = component.output_artifacts.keys().cloned().collect();
        for name in names {
            let artifact = Arc::new(Artifact {
                id: self.state.artifact_id(self.ids),
                schema_title: import.spec.artifact_type.schema_title.clone(),
                schema_version: import.spec.artifact_type.schema_version.clone(),
                instance_schema: import.spec.artifact_type.instance_schema.clone(),
                uri: import.uri.clone(),
                metadata: import.metadata.clone(),
                custom_path: None,
            });
            self.add_artifact(index, name, artifact)?;
        }
        self.link_outputs(index)?;
        self.end(index, TaskStatus::Succeeded, None)
    }
}

impl Import {
    fn key(&self) -> ferroflow_model::record::CacheRecord {
        cache::import_key(&self.spec.artifact_type, &self.uri, &self.metadata)
    }
}

/// Where the artifact is. A `lenient` importer takes whatever it is given.
fn uri(spec: &ImporterSpec, node: &Node, is_lenient: bool) -> Result<String, String> {
    let uri = match &spec.uri {
        ImportUri::Constant(uri) => uri.as_str(),
        ImportUri::Input(name) => {
            node.inputs.parameters.get(name).and_then(|value| value.as_str()).unwrap_or_default()
        }
    };
    if is_lenient {
        return Ok(uri.to_owned());
    }
    if uri.is_empty() {
        return Err("the importer was given an empty URI".to_owned());
    }
    let has_scheme =
        uri.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    if !has_scheme && !uri.starts_with('/') {
        return Err(format!(
            "the importer was given `{uri}`, which is neither a URI such as `https://…` or `s3://…` nor a path from the \
             root of this machine"
        ));
    }
    if uri.starts_with("oci://") && spec.artifact_type.schema_title != "system.Model" {
        let title = &spec.artifact_type.schema_title;
        return Err(format!("`{uri}` is an image, which can only be imported as a Model, not as {title}"));
    }
    Ok(uri.to_owned())
}

/// Metadata with references to the importer's inputs filled in.
fn metadata(spec: &ImporterSpec, node: &Node) -> Result<Map<String, Value>, String> {
    let written = Value::Object(spec.metadata.clone());
    if !placeholder::refers_to_inputs(&written) {
        return Ok(spec.metadata.clone());
    }
    let known = &node.inputs.parameters;
    let is_missing = |name: &String| !known.contains_key(name);
    if let Some(name) = placeholder::inputs_of(&written).into_iter().find(is_missing) {
        return Err(format!("the importer's metadata refers to input `{name}`, which has no value"));
    }
    match placeholder::with_inputs(&written, known) {
        Value::Object(metadata) => Ok(metadata),
        _ => Ok(Map::new()),
    }
}
