//! Finds the call behind a method and a path, by the path templates of the protos.
//!
//! A template is made of literal segments and `{field}` variables, with an optional `:verb` at its end. Variables
//! match one whole segment, decoded after splitting, so that `%2F` in an id never becomes a separator. `{field=**}` at the
//! end takes all segments that are left.

use std::borrow::Cow;

use hyper::Method;
use percent_encoding::percent_decode_str;

use crate::status::{ApiError, Code};

/// A compiled template with what it stands for.
#[derive(Debug)]
pub(super) struct Route<T> {
    method: Method,
    segments: Vec<Segment>,
    verb: Option<&'static str>,
    pub(super) target: T,
}

#[derive(Debug)]
enum Segment {
    Literal(&'static str),
    /// A field path such as `pipeline.pipeline_id`.
    Variable(&'static str),
    /// All that is left, at the end of a template: `{key=**}`.
    Rest(&'static str),
}

/// The fields that a path sets, with their decoded values.
pub(super) type PathFields<'p> = Vec<(&'static str, Cow<'p, str>)>;

impl<T> Route<T> {
    /// Compiles a template such as `/apis/v2beta1/runs/{run_id}:archive`.
    pub(super) fn new(method: Method, template: &'static str, target: T) -> Self {
        let after_variables = template.rfind('}').unwrap_or_default();
        let (path, verb) = match template.rfind(':').filter(|at| *at > after_variables) {
            Some(at) => (template.get(..at).unwrap_or_default(), template.get(at + 1..)),
            None => (template, None),
        };
        let segments = path.trim_start_matches('/').split('/').map(Segment::new).collect();
        Self { method, segments, verb, target }
    }

    fn fields<'p>(&self, parts: &[&'p str], verb: Option<&str>) -> Option<PathFields<'p>> {
        let takes_rest = matches!(self.segments.last(), Some(Segment::Rest(_)));
        let fits =
            if takes_rest { parts.len() >= self.segments.len() } else { parts.len() == self.segments.len() };
        if self.verb != verb || !fits {
            return None;
        }
        let mut fields = Vec::new();
        for (number, (segment, part)) in self.segments.iter().zip(parts).enumerate() {
            match segment {
                Segment::Rest(field) => {
                    let rest = parts.get(number..).unwrap_or_default().join("/");
                    let rest = percent_decode_str(&rest).decode_utf8_lossy().into_owned();
                    fields.push((*field, Cow::Owned(rest)));
                }
                Segment::Literal(text) if text == part => {}
                Segment::Variable(field) if !part.is_empty() => {
                    fields.push((*field, percent_decode_str(part).decode_utf8_lossy()));
                }
                _ => return None,
            }
        }
        Some(fields)
    }

    fn literals(&self) -> usize {
        self.segments.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count()
    }
}

impl Segment {
    fn new(text: &'static str) -> Self {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(field) => match field.strip_suffix("=**") {
                Some(field) => Self::Rest(field),
                None => Self::Variable(field),
            },
            None => Self::Literal(text),
        }
    }
}

/// The route for a request; among several the one with the most literal segments. `path` is as sent, not decoded.
/// `NotFound` for an unknown path, `Unimplemented` for a wrong method on a known one.
pub(super) fn find<'r, 'p, T>(
    routes: &'r [Route<T>],
    method: &Method,
    path: &'p str,
) -> Result<(&'r Route<T>, PathFields<'p>), ApiError> {
    let whole: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let mut without_verb = whole.clone();
    let verb = without_verb.last_mut().and_then(|last| {
        let (head, verb) = last.rsplit_once(':')?;
        *last = head;
        Some(verb)
    });
    let mut known_path = false;
    let mut best: Option<(&Route<T>, PathFields<'p>)> = None;
    for route in routes {
        let fields = match route.verb {
            Some(_) => route.fields(&without_verb, verb),
            None => route.fields(&whole, None),
        };
        let Some(fields) = fields else { continue };
        known_path = true;
        let is_better = best.as_ref().is_none_or(|(other, _)| {
            (route.verb.is_some(), route.literals()) > (other.verb.is_some(), other.literals())
        });
        if route.method == *method && is_better {
            best = Some((route, fields));
        }
    }
    best.ok_or_else(|| {
        if known_path {
            ApiError::new(Code::Unimplemented, format!("the method {method} is not served here"))
        } else {
            ApiError::new(Code::NotFound, "there is nothing at this path")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Vec<Route<&'static str>> {
        [
            (Method::GET, "/apis/v2beta1/pipelines/{pipeline_id}", "get"),
            (Method::PATCH, "/apis/v2beta1/pipelines/{pipeline.pipeline_id}", "update"),
            (Method::GET, "/apis/v2beta1/pipelines/names/{name}", "by name"),
            (Method::GET, "/apis/v2beta1/pipelines/{pipeline_id}/versions", "versions"),
            (Method::POST, "/apis/v2beta1/pipelines/create", "create"),
            (Method::POST, "/apis/v2beta1/runs/{run_id}:archive", "archive"),
            (Method::GET, "/apis/v2beta1/runs/{run_id}", "run"),
        ]
        .into_iter()
        .map(|(method, template, target)| Route::new(method, template, target))
        .collect()
    }

    /// The target with its fields, or the number of the error.
    fn check(method: &Method, path: &str) -> String {
        match find(&routes(), method, path) {
            Ok((route, fields)) => fields
                .iter()
                .fold(route.target.to_owned(), |text, (name, value)| format!("{text} {name}={value}")),
            Err(error) => error.code.number().to_string(),
        }
    }

    #[test]
    fn paths_lead_to_calls() {
        let rows = [
            (Method::GET, "/apis/v2beta1/pipelines/a", "get pipeline_id=a"),
            (Method::PATCH, "/apis/v2beta1/pipelines/a", "update pipeline.pipeline_id=a"),
            (Method::GET, "/apis/v2beta1/pipelines/names/x%20y", "by name name=x y"),
            (Method::GET, "/apis/v2beta1/pipelines/names/versions", "by name name=versions"),
            (Method::GET, "/apis/v2beta1/pipelines/create", "get pipeline_id=create"),
            (Method::POST, "/apis/v2beta1/pipelines/create", "create"),
            (Method::POST, "/apis/v2beta1/runs/a:archive", "archive run_id=a"),
            (Method::POST, "/apis/v2beta1/runs/a:b:archive", "archive run_id=a:b"),
            (Method::GET, "/apis/v2beta1/runs/a:b", "run run_id=a:b"),
            (Method::GET, "/apis/v2beta1/runs/invalid-id-%21%40%23%24%25", "run run_id=invalid-id-!@#$%"),
            (Method::GET, "/apis/v2beta1/runs/%2e%2e%2Fx", "run run_id=../x"),
            (Method::GET, "/apis/v2beta1/runs/a:archive", "run run_id=a:archive"),
            (Method::POST, "/apis/v2beta1/runs/a:explode", "12"),
            (Method::DELETE, "/apis/v2beta1/runs/a", "12"),
            (Method::GET, "/apis/v2beta1/runs/", "5"),
            (Method::GET, "/apis/v2beta1//runs/a", "5"),
            (Method::GET, "/apis/v2beta1/nothing", "5"),
            (Method::GET, "/", "5"),
        ];
        for (method, path, expected) in rows {
            assert_eq!(check(&method, path), expected, "{method} {path}");
        }
    }
}
