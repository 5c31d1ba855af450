//! The older format: `inputs`, `outputs`, and a container whose words may be placeholders written as mappings.

use serde_json::{Map, Value};

use crate::graph::{Component, Input, Interface, Output};
use crate::{CompileError, names, types};

pub(super) fn component(file: &Map<String, Value>) -> Result<Component, CompileError> {
    let container = file.get("implementation").and_then(|implementation| implementation.get("container"));
    let container = container
        .ok_or_else(|| problem("implementation.container is missing: other kinds cannot be loaded"))?;
    let image = container.get("image").and_then(Value::as_str);
    let words = |field: &str| -> Result<Vec<String>, CompileError> {
        let list = container.get(field).and_then(Value::as_array);
        list.into_iter().flatten().map(|word| Ok(word_of(word, file)?.into_word())).collect()
    };
    let variables = container.get("env").and_then(Value::as_object);
    let variables = variables
        .into_iter()
        .flatten()
        .map(|(name, value)| Ok((name.clone(), word_of(value, file)?.into_word())));
    let text = |field: &str| file.get(field).and_then(Value::as_str).map(str::to_owned);
    Ok(Component {
        interface: Interface {
            name: names::kubernetes(text("name").as_deref().unwrap_or("name")),
            description: text("description"),
            inputs: entries(file, "inputs").map(input).collect::<Result<_, _>>()?,
            outputs: entries(file, "outputs").map(output).collect::<Result<_, _>>()?,
            passthroughs: Vec::new(),
        },
        image: image.ok_or_else(|| problem("implementation.container.image is missing"))?.to_owned(),
        command: words("command")?,
        args: words("args")?,
        env: variables.collect::<Result<_, CompileError>>()?,
        importer: None,
        pipeline: None,
    })
}

fn problem(text: &str) -> CompileError {
    CompileError::Value(text.to_owned())
}

fn entries<'a>(file: &'a Map<String, Value>, field: &str) -> impl Iterator<Item = &'a Value> {
    file.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn name_of(entry: &Value) -> Result<&str, CompileError> {
    entry.get("name").and_then(Value::as_str).ok_or_else(|| problem("an input or output has no name"))
}

/// A name as parameters and artifacts may have it.
fn plain_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for sign in name.to_lowercase().chars() {
        let is_plain = sign == '_' || sign.is_ascii_lowercase() || sign.is_ascii_digit();
        if is_plain {
            out.push(sign);
        } else if !out.ends_with('\u{0}') {
            out.push('\u{0}');
        }
    }
    out.replace('\u{0}', "_").trim_matches('_').to_owned()
}

fn kind(entry: &Value) -> String {
    const ARTIFACTS: [&str; 8] = [
        "Artifact",
        "Model",
        "Dataset",
        "Metrics",
        "ClassificationMetrics",
        "SlicedClassificationMetrics",
        "HTML",
        "Markdown",
    ];
    let Some(name) = entry.get("type").and_then(Value::as_str) else {
        return "system.Artifact@0.0.1".to_owned();
    };
    if let Some(kind) = types::parameter(types::outer_name(name)) {
        return match kind {
            "STRING" => "String",
            "NUMBER_INTEGER" => "Integer",
            "NUMBER_DOUBLE" => "Float",
            "LIST" => "List",
            "STRUCT" => "Dict",
            "BOOLEAN" => "Boolean",
            _ => "PipelineTaskFinalStatus",
        }
        .to_owned();
    }
    let google = name.strip_prefix("google.").filter(|rest| !rest.is_empty());
    if google.is_some_and(|rest| rest.chars().all(|sign| sign.is_ascii_alphabetic())) {
        return format!("{name}@0.0.1");
    }
    let found = ARTIFACTS.into_iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or("Artifact");
    format!("system.{found}@0.0.1")
}

fn input(entry: &Value) -> Result<Input, CompileError> {
    let name = name_of(entry)?;
    let kind = kind(entry);
    let optional =
        entry.get("optional").and_then(Value::as_bool).unwrap_or_default() || entry.get("default").is_some();
    let default =
        entry.get("default").filter(|value| !value.is_null()).map(|value| read_default(name, &kind, value));
    Ok(Input {
        name: plain_name(name),
        optional: optional || kind == "PipelineTaskFinalStatus",
        default: default.transpose()?,
        kind,
        list: false,
        description: None,
    })
}

/// Defaults may be written as text, whatever their type.
fn read_default(name: &str, kind: &str, value: &Value) -> Result<Value, CompileError> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let read = match kind {
        "Integer" => value.as_f64().map(f64::trunc).or_else(|| text.trim().parse().ok()).map(Value::from),
        "Float" => value.as_f64().or_else(|| text.trim().parse().ok()).map(Value::from),
        "Boolean" => match text.to_lowercase().as_str() {
            "y" | "yes" | "t" | "true" | "on" | "1" => Some(true.into()),
            "n" | "no" | "f" | "false" | "off" | "0" => Some(false.into()),
            _ => None,
        },
        "Dict" | "List" if value.is_string() => {
            Some(serde_json::from_str(&text).unwrap_or_else(|_| value.clone()))
        }
        "Dict" | "List" => Some(value.clone()),
        _ => Some(text.clone().into()),
    };
    read.ok_or_else(|| {
        CompileError::Value(format!("the default of '{name}' must be of type {kind}, but is {text}"))
    })
}

fn output(entry: &Value) -> Result<Output, CompileError> {
    Ok(Output { name: plain_name(name_of(entry)?), kind: kind(entry), list: false, description: None })
}

/// A word of a command: text, or a structure that becomes text when all of it is known.
enum Word {
    Text(String),
    /// As Python's `json.dumps` prints it.
    Structure(String),
}

impl Word {
    fn into_word(self) -> String {
        match self {
            Self::Text(text) | Self::Structure(text) => text,
        }
    }

    fn into_json(self) -> String {
        match self {
            Self::Text(text) => Value::from(text).to_string(),
            Self::Structure(text) => text,
        }
    }
}

fn word_of(word: &Value, file: &Map<String, Value>) -> Result<Word, CompileError> {
    let fields = match word {
        Value::String(text) => return Ok(Word::Text(text.clone())),
        Value::Object(fields) if fields.len() == 1 => fields,
        other => {
            return Err(CompileError::Value(format!(
                "{other} is neither a text nor a placeholder: write numbers in quotes"
            )));
        }
    };
    let Some((key, value)) = fields.iter().next() else { return Err(problem("an empty placeholder")) };
    let name = || {
        value
            .as_str()
            .map(plain_name)
            .ok_or_else(|| CompileError::Value(format!("{key} names no input or output")))
    };
    check_kind(key, value, file)?;
    Ok(match key.as_str() {
        "inputValue" => Word::Text(format!("{{{{$.inputs.parameters['{}']}}}}", name()?)),
        "inputPath" => Word::Text(format!("{{{{$.inputs.artifacts['{}'].path}}}}", name()?)),
        "inputUri" => Word::Text(format!("{{{{$.inputs.artifacts['{}'].uri}}}}", name()?)),
        "outputUri" => Word::Text(format!("{{{{$.outputs.artifacts['{}'].uri}}}}", name()?)),
        "outputPath" => output_path(value, &name()?, file)?,
        "executorInput" => Word::Text("{{$}}".to_owned()),
        "concat" => Word::Structure(format!("{{\"Concat\": {}}}", list(value, file)?)),
        "if" => if_present(value, file)?,
        _ => return Err(CompileError::Value(format!("'{key}' is not a placeholder"))),
    })
}

/// Values are those of parameters; paths and URIs those of artifacts.
fn check_kind(key: &str, value: &Value, file: &Map<String, Value>) -> Result<(), CompileError> {
    let (field, wants_parameter) = match key {
        "inputValue" => ("inputs", true),
        "inputPath" | "inputUri" => ("inputs", false),
        "outputUri" => ("outputs", false),
        _ => return Ok(()),
    };
    let Some(entry) = entries(file, field).find(|entry| entry.get("name") == Some(value)) else {
        return Err(CompileError::Value(format!("{key} names {value}, which is not one of the {field}")));
    };
    let kind = kind(entry);
    if types::parameter(&kind).is_some() == wants_parameter {
        return Ok(());
    }
    let hint = if wants_parameter {
        "use inputPath or inputUri for artifacts"
    } else {
        "use inputValue or outputPath for parameters"
    };
    Err(CompileError::Type(format!("{key} cannot be used for {value}, which is of type {kind}: {hint}")))
}

fn output_path(value: &Value, name: &str, file: &Map<String, Value>) -> Result<Word, CompileError> {
    let output = entries(file, "outputs").find(|output| output.get("name") == Some(value));
    let output = output
        .ok_or_else(|| CompileError::Value(format!("outputPath names {value}, which is not an output")))?;
    Ok(Word::Text(if types::parameter(&kind(output)).is_some() {
        format!("{{{{$.outputs.parameters['{name}'].output_file}}}}")
    } else {
        format!("{{{{$.outputs.artifacts['{name}'].path}}}}")
    }))
}

fn list(value: &Value, file: &Map<String, Value>) -> Result<String, CompileError> {
    match value {
        Value::Array(items) => {
            let items: Result<Vec<_>, CompileError> =
                items.iter().map(|item| Ok(word_of(item, file)?.into_json())).collect();
            Ok(format!("[{}]", items?.join(", ")))
        }
        other => Ok(word_of(other, file)?.into_json()),
    }
}

fn if_present(value: &Value, file: &Map<String, Value>) -> Result<Word, CompileError> {
    let condition = value.pointer("/cond/isPresent").and_then(Value::as_str);
    let condition =
        condition.ok_or_else(|| problem("'if' needs cond.isPresent with the name of an input"))?;
    let then = value.get("then").ok_or_else(|| problem("'if' needs 'then'"))?;
    let mut text = format!(
        "{{\"IfPresent\": {{\"InputName\": {}, \"Then\": {}",
        Value::from(plain_name(condition)),
        list(then, file)?
    );
    let otherwise =
        value.get("else").filter(|otherwise| !matches!(otherwise, Value::Array(items) if items.is_empty()));
    if let Some(otherwise) = otherwise.filter(|otherwise| !otherwise.is_null()) {
        text.push_str(", \"Else\": ");
        text.push_str(&list(otherwise, file)?);
    }
    text.push_str("}}");
    Ok(Word::Structure(text))
}
