//! The calls of `kubeflow.pipelines.backend.api.v2beta1`: typed request in, typed answer out, whatever the transport.
//!
//! One file for each resource, holding its handlers and both directions of its conversion. Everything that a client
//! can get wrong is checked here, before anything is stored. Knows nothing of HTTP. Begin with [`run`].

pub(crate) mod experiment;
pub(crate) mod installation;
pub(crate) mod pipeline;
mod plugins;
pub(crate) mod recurring_run;
pub(crate) mod run;
pub(crate) mod run_details;
pub(crate) mod samples;
pub(crate) mod upload;
pub(crate) mod version;
mod wire_values;

use std::collections::BTreeMap;
use std::str::FromStr;

use uuid::Uuid;

use crate::status::ApiError;

/// What a transport knows about a call besides the message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CallContext {
    /// The client sent an empty `tags` map on purpose: remove all tags. Messages cannot tell it from a missing one.
    pub(crate) clear_tags: bool,
}

const MAX_NAME_BYTES: usize = 128;
const MAX_VERSION_NAME_BYTES: usize = 127;
const MAX_RUN_NAME_BYTES: usize = 255;
const MAX_DESCRIPTION_BYTES: usize = 64 * 1024;
const MAX_TAGS: usize = 20;
const MAX_TAG_CHARACTERS: usize = 63;

/// Reads an id. What is no id names nothing: `NotFound`; an empty one is an `InvalidArgument`.
pub(crate) fn parse_id<T: FromStr>(what: &str, text: &str) -> Result<T, ApiError> {
    if text.is_empty() {
        return Err(ApiError::invalid(format!("the id of the {what} is missing")));
    }
    // Only the form that answers show: a UUID has several, and ids are also compared as text.
    let is_plain = Uuid::parse_str(text).is_ok_and(|id| id.to_string() == text);
    text.parse().ok().filter(|_| is_plain).ok_or_else(|| ApiError::not_found(what, text))
}

fn check_name(what: &str, name: &str, max_bytes: usize) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(ApiError::invalid(format!("the {what} needs a name")));
    }
    if name.len() > max_bytes {
        return Err(ApiError::invalid(format!(
            "the name of the {what} is too long: {} bytes, at most {max_bytes} are allowed",
            name.len()
        )));
    }
    // Such names cannot be told apart on screens, and end lines of logs.
    if name.chars().any(char::is_control) {
        return Err(ApiError::invalid(format!(
            "the name of the {what} has line breaks or other control characters"
        )));
    }
    Ok(())
}

fn check_description(what: &str, description: &str) -> Result<(), ApiError> {
    if description.len() > MAX_DESCRIPTION_BYTES {
        return Err(ApiError::invalid(format!(
            "the description of the {what} is too long: at most {MAX_DESCRIPTION_BYTES} bytes are allowed"
        )));
    }
    Ok(())
}

/// Checks labels, reporting all problems at once.
fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let mut problems = Vec::new();
    if tags.len() > MAX_TAGS {
        problems.push(format!("there are {} tags, at most {MAX_TAGS} are allowed", tags.len()));
    }
    for (key, value) in tags {
        if key.is_empty() || key.contains('.') || key.chars().count() > MAX_TAG_CHARACTERS {
            problems.push(format!(
                "the tag key `{key}` must have 1 to {MAX_TAG_CHARACTERS} characters and no `.`"
            ));
        }
        if value.chars().count() > MAX_TAG_CHARACTERS {
            problems.push(format!("the value of tag `{key}` is longer than {MAX_TAG_CHARACTERS} characters"));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(ApiError::invalid(problems.join("; "))) }
}

/// The message of a name that is taken; clients look for its second half.
fn name_taken(what: &str, name: &str) -> ApiError {
    ApiError::new(
        crate::status::Code::AlreadyExists,
        format!("the {what} name `{name}` already exists. Please specify a new name"),
    )
}

/// Replaces the store's words about a taken name by the API's.
fn or_name_taken(error: ferroflow_ports::PortError, what: &str, name: &str) -> ApiError {
    if error.kind == ferroflow_ports::ErrorKind::AlreadyExists {
        name_taken(what, name)
    } else {
        error.into()
    }
}
