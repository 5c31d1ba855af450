//! Files and inline specs in, a [`PipelineDocument`] or every problem out.
//!
//! The way of a file: [`read`] unpacks it, [`read_text`] parses it into documents, picks the pipeline and its
//! platform settings, checks both and makes the typed form. The text is kept byte for byte beside it.

use serde_json::{Map, Value};

use crate::convert;
use crate::ir::PipelineSpec;
use crate::package;
use crate::problem::{Problem, Problems, Sink};
use crate::tree::{At, Builder, NodeRef};
use crate::yaml::{self, Documents};
use crate::{check, number};

/// A pipeline that has passed every check.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineDocument {
    /// The YAML or JSON text as received, taken out of its archive.
    pub original: Vec<u8>,
    /// The typed form.
    pub spec: PipelineSpec,
    spec_text: String,
    platform_text: Option<String>,
}

impl PipelineDocument {
    /// The pipeline's document as JSON: what the file says, nothing added or dropped.
    ///
    /// Made anew on each call, because a JSON value takes many times the memory of its text.
    pub fn spec_json(&self) -> Value {
        from_text(&self.spec_text)
    }

    /// The platform document as JSON; `None` if there is none or it has no `kubernetes` platform.
    pub fn platform_json(&self) -> Option<Value> {
        self.platform_text.as_deref().map(from_text)
    }

    /// The REST API's `pipeline_spec`: the bare spec, or `{"pipeline_spec": …, "platform_spec": …}`.
    pub fn wire_json(&self) -> Value {
        let Some(platform) = self.platform_json() else { return self.spec_json() };
        Value::Object(Map::from_iter([
            ("pipeline_spec".to_owned(), self.spec_json()),
            ("platform_spec".to_owned(), platform),
        ]))
    }

    /// [`Self::wire_json`] as compact text.
    pub fn wire_text(&self) -> String {
        match &self.platform_text {
            None => self.spec_text.clone(),
            Some(platform) => format!(r#"{{"pipeline_spec":{},"platform_spec":{platform}}}"#, self.spec_text),
        }
    }
}

/// Reads a received file: YAML or JSON by its name, else a zip or tar.gz archive by its first bytes.
pub fn read(file_name: &str, bytes: &[u8]) -> Result<PipelineDocument, Problems> {
    read_owned(package::text_of(file_name, bytes)?)
}

/// Reads YAML or JSON text.
pub fn read_text(text: &str) -> Result<PipelineDocument, Problems> {
    if text.len() > package::SIZE_LIMIT {
        return Err(package::too_large("the text"));
    }
    read_owned(text.to_owned())
}

/// Reads a YAML text that is no pipeline, such as a setting: the value of its only document, null if it is empty.
pub fn plain_value(text: &str) -> Result<Value, Problems> {
    let documents = yaml::parse(text)?;
    let mut documents = documents.iter();
    let value = documents.next().map_or(Value::Null, NodeRef::to_value);
    match documents.next() {
        None => Ok(value),
        Some(second) => Err(Problems::from(second.at().problem("there is a second document", "leave one"))),
    }
}

/// Reads an inline `pipeline_spec`: a bare spec, or one wrapped together with its platform spec.
///
/// Problems carry paths but no lines; the original bytes are the compact JSON of the value.
pub fn from_json(value: &Value) -> Result<PipelineDocument, Problems> {
    let mut builder = Builder::default();
    feed(value, &mut builder)?;
    let documents = Documents::of_tree(builder.finish());
    let root = documents.iter().next().ok_or_else(|| nothing("the pipeline spec is empty"))?;
    let chosen = match root.entry("pipelineSpec") {
        Some((_, spec)) => {
            Chosen { spec, platform: root.field("platformSpec").filter(|node| is_platform(*node)) }
        }
        None => Chosen { spec: root, platform: None },
    };
    let mut original = String::new();
    root.write_json(&mut original);
    assemble(original.into_bytes(), &chosen)
}

/// The documents of any YAML or JSON text as JSON, unchecked; empty ones are left out.
pub fn values(text: &str) -> Result<Vec<Value>, Problems> {
    if text.len() > package::SIZE_LIMIT {
        return Err(package::too_large("the text"));
    }
    Ok(yaml::parse(text)?.iter().map(NodeRef::to_value).collect())
}

fn read_owned(text: String) -> Result<PipelineDocument, Problems> {
    let documents = yaml::parse(&text)?;
    let chosen = choose(&documents)?;
    assemble(text.into_bytes(), &chosen)
}

/// The two documents of a file that count.
struct Chosen<'t> {
    spec: NodeRef<'t>,
    platform: Option<NodeRef<'t>>,
}

/// Picks the pipeline and the platform document in whatever order they stand; others are skipped.
fn choose(documents: &Documents) -> Result<Chosen<'_>, Problems> {
    let mut specs = documents.iter().filter(|document| is_pipeline(*document));
    let mut platforms = documents.iter().filter(|document| !is_pipeline(*document) && is_platform(*document));
    let (spec, platform) = (specs.next(), platforms.next());
    let mut sink = Sink::default();
    for (again, what) in [(specs.next(), "pipelines"), (platforms.next(), "platform documents")] {
        if let Some(document) = again {
            sink.push(document.at().problem(format!("the file holds two {what}"), "put one into a file"));
        }
    }
    sink.into_result()?;
    // A document that has some of a pipeline is checked as one, so that what it lacks is said.
    let partial =
        || documents.iter().find(|document| has_any(*document, &["pipelineInfo", "root", "schemaVersion"]));
    match spec.or_else(partial) {
        Some(spec) => Ok(Chosen { spec, platform }),
        None => Err(no_pipeline(documents)),
    }
}

fn is_pipeline(document: NodeRef<'_>) -> bool {
    document.entry("pipelineInfo").is_some() && document.entry("root").is_some()
}

fn is_platform(document: NodeRef<'_>) -> bool {
    document
        .field("platforms")
        .is_some_and(|platforms| platforms.entries().any(|(key, _)| key.as_str() == Some("kubernetes")))
}

fn has_any(document: NodeRef<'_>, fields: &[&str]) -> bool {
    fields.iter().any(|field| document.entry(field).is_some())
}

fn no_pipeline(documents: &Documents) -> Problems {
    let Some(first) = documents.iter().next() else { return nothing("the file is empty") };
    let text = |field: &str| first.field(field).and_then(NodeRef::as_str).unwrap_or_default();
    if text("apiVersion").starts_with("argoproj.io/") {
        return first
            .at()
            .problem(
                "this is an Argo workflow of KFP v1",
                "compile the pipeline with kfp 2 and give that file",
            )
            .into();
    }
    if text("apiVersion").starts_with("pipelines.kubeflow.org/") {
        return first
            .at()
            .problem("this is a Kubernetes manifest", "give its `spec.pipelineSpec` as a file of its own")
            .into();
    }
    if has_any(first, &["pipelineSpec"]) {
        return first
            .at()
            .problem(
                "this is a job or a request that holds a pipeline",
                "give its `pipelineSpec` as a file of its own",
            )
            .into();
    }
    first
        .at()
        .problem(
            "this is not a pipeline: it has no `pipelineInfo` and no `root`",
            "give the file that the kfp compiler wrote",
        )
        .into()
}

fn nothing(message: &str) -> Problems {
    Problems::of_file(message, "give the file that the kfp compiler wrote")
}

fn assemble(original: Vec<u8>, chosen: &Chosen<'_>) -> Result<PipelineDocument, Problems> {
    let mut sink = Sink::default();
    check::shape_of(chosen.spec, chosen.platform, &mut sink);
    let spec = convert::pipeline(chosen.spec, chosen.platform, &mut sink);
    check::meaning_of(&spec, chosen.spec, &mut sink);
    sink.into_result()?;
    let text = |node: NodeRef<'_>| {
        let mut text = String::new();
        node.write_json(&mut text);
        text
    };
    Ok(PipelineDocument {
        original,
        spec,
        spec_text: text(chosen.spec),
        platform_text: chosen.platform.map(text),
    })
}

fn from_text(text: &str) -> Value {
    // The text was written from a tree, so it is JSON; `Null` is never seen.
    serde_json::from_str(text).unwrap_or_default()
}

/// Feeds a JSON value to a builder, numbers in their one form.
fn feed(value: &Value, builder: &mut Builder) -> Result<(), Problem> {
    let at = At::default();
    match value {
        Value::Null => builder.null(at),
        Value::Bool(value) => builder.boolean(*value, at),
        Value::Number(value) => builder.number(number::normalise_number(value.clone()), at),
        Value::String(value) => builder.text(value, at),
        Value::Array(items) => {
            builder.open_list(at)?;
            for item in items {
                feed(item, builder)?;
            }
            builder.close();
            Ok(())
        }
        Value::Object(entries) => {
            builder.open_map(at)?;
            for (name, value) in entries {
                builder.text(name, at)?;
                feed(value, builder)?;
            }
            builder.close();
            Ok(())
        }
    }
}
