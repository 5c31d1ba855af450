//! Types as Python names them, and as PipelineSpec does.

/// The type of a parameter in PipelineSpec, or none if the name is an artifact's or unknown.
#[must_use]
pub fn parameter(name: &str) -> Option<&'static str> {
    let short = short_name(name);
    match short {
        "PipelineTaskFinalStatus" => return Some("TASK_FINAL_STATUS"),
        "TaskConfig" => return Some("TASK_CONFIG"),
        _ => {}
    }
    Some(match short.to_lowercase().as_str() {
        "integer" | "int" => "NUMBER_INTEGER",
        "double" | "float" => "NUMBER_DOUBLE",
        "string" | "str" | "text" => "STRING",
        "bool" | "boolean" => "BOOLEAN",
        "dict" | "jsonobject" => "STRUCT",
        "list" | "jsonarray" => "LIST",
        _ => return None,
    })
}

/// The type of what a channel carries: statuses and configurations are dictionaries there.
pub(crate) fn channel_parameter(name: &str) -> Option<&'static str> {
    match parameter(name) {
        Some("TASK_FINAL_STATUS" | "TASK_CONFIG") => Some("STRUCT"),
        other => other,
    }
}

/// `typing.List[int]` → `List`; a name without such parts stays.
pub(crate) fn short_name(name: &str) -> &str {
    let bare = name.strip_prefix("typing.").unwrap_or(name);
    let end = bare.find(|sign: char| !(sign.is_alphanumeric() || sign == '_')).unwrap_or(bare.len());
    if end == 0 { name } else { bare.get(..end).unwrap_or(bare) }
}

/// What the comment at the head of a file calls it.
pub(crate) fn comment(kind: &str) -> &str {
    match kind {
        "STRING" => "str",
        "NUMBER_INTEGER" => "int",
        "NUMBER_DOUBLE" => "float",
        "LIST" => "list",
        "STRUCT" => "dict",
        "BOOLEAN" => "bool",
        "TASK_FINAL_STATUS" => "PipelineTaskFinalStatus",
        "TASK_CONFIG" => "TaskConfig",
        other => other,
    }
}

/// Whether a value of the first type may be handed to an input of the second.
#[must_use]
pub fn fits(given: &str, given_list: bool, expected: &str, expected_list: bool) -> bool {
    match (channel_parameter(given), channel_parameter(expected)) {
        (Some(given), Some(expected)) => given == expected,
        (None, None) => given_list == expected_list && artifacts_fit(given, expected),
        _ => false,
    }
}

fn artifacts_fit(given: &str, expected: &str) -> bool {
    const ANY: &str = "system.Artifact";
    let part = |kind: &str| {
        let (title, version) = kind.split_once('@').unwrap_or((kind, ""));
        (title.to_owned(), version.split('.').next().unwrap_or_default().to_owned())
    };
    let (given, expected) = (part(given), part(expected));
    given.0 == ANY || expected.0 == ANY || given == expected
}

/// A type as messages show it.
#[must_use]
pub fn shown(kind: &str, list: bool) -> String {
    let name = channel_parameter(kind).unwrap_or(kind);
    if list { format!("List[{name}]") } else { name.to_owned() }
}

/// `typing.List[str]` → `List`, as files of the older format are read; other names stay as they are.
pub(crate) fn outer_name(name: &str) -> &str {
    let bare = name.strip_prefix("typing.").unwrap_or(name);
    let lower = bare.to_lowercase();
    if lower.starts_with("list") || lower.starts_with("dict") {
        bare.split('[').next().unwrap_or(bare)
    } else {
        bare
    }
}
