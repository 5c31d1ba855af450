//! The shape of the messages: names of fields, kinds of values, members of oneofs.
//!
//! Upstream reads the pipeline and platform messages strictly, and drops unknown fields in what sits inside them as
//! free JSON: the deployment config and the Kubernetes settings of an executor. So do we, in order that a file which
//! a newer compiler wrote still runs.

use ferroflow_proto::shape::{
    EnumShape, FieldShape, KUBERNETES_EXECUTOR_CONFIG, Kind, Label, MessageShape, PIPELINE_DEPLOYMENT_CONFIG,
    PIPELINE_SPEC, PLATFORM_SPEC,
};

use crate::duration;
use crate::problem::{Path, Problem, Sink};
use crate::suggest;
use crate::tree::{At, NodeRef, View, pointed};

/// Checks the fields and kinds of both documents against the messages of the wire format.
pub(crate) fn shape_of(spec: NodeRef<'_>, platform: Option<NodeRef<'_>>, sink: &mut Sink) {
    let mut strict = Walker { sink, unknown: Unknown::Reported };
    strict.message(spec, PIPELINE_SPEC, Here { path: &Path::ROOT, at: spec.at() });
    if let Some(platform) = platform {
        strict.message(platform, PLATFORM_SPEC, Here { path: &Path::ROOT, at: platform.at() });
    }
    let mut lenient = Walker { sink, unknown: Unknown::Dropped };
    if let Some((key, deployment)) = spec.entry("deploymentSpec").filter(|(_, node)| node.is_map()) {
        let here = Here { path: &Path::ROOT.key("deploymentSpec"), at: pointed(key, deployment) };
        lenient.message(deployment, PIPELINE_DEPLOYMENT_CONFIG, here);
    }
    let kubernetes = platform.and_then(|platform| platform.field("platforms")?.field("kubernetes"));
    let executors = kubernetes.and_then(|kubernetes| kubernetes.field("deploymentSpec")?.field("executors"));
    let path = Path::ROOT.key("platforms");
    let path = path.key("kubernetes");
    let path = path.key("deploymentSpec");
    let path = path.key("executors");
    for (key, executor) in executors.into_iter().flat_map(NodeRef::entries) {
        let path = path.key(key.as_str().unwrap_or_default());
        lenient.message(
            executor,
            KUBERNETES_EXECUTOR_CONFIG,
            Here { path: &path, at: pointed(key, executor) },
        );
    }
}

/// What happens to fields that the message does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Reported,
    Dropped,
}

#[derive(Clone, Copy)]
struct Here<'a> {
    path: &'a Path<'a>,
    at: At,
}

struct Walker<'a> {
    sink: &'a mut Sink,
    unknown: Unknown,
}

impl Walker<'_> {
    fn report(&mut self, here: Here<'_>, message: impl FnOnce() -> String, hint: impl FnOnce() -> String) {
        if self.sink.is_full() {
            self.sink.count_one_more();
        } else {
            self.sink.push(Problem { path: here.path.to_string(), ..here.at.problem(message(), hint()) });
        }
    }

    fn expected(&mut self, wanted: &str, node: NodeRef<'_>, here: Here<'_>, hint: &str) {
        self.report(here, || format!("expected {wanted}, found {}", node.view().kind()), || hint.to_owned());
    }

    fn message(&mut self, node: NodeRef<'_>, shape: &MessageShape, here: Here<'_>) {
        if !node.is_map() {
            return self.expected("a map", node, here, "");
        }
        let mut seen: Vec<&FieldShape> = Vec::new();
        for (key, value) in node.entries() {
            let name = key.as_str().unwrap_or_default();
            let path = here.path.key(name);
            let inner = Here { path: &path, at: pointed(key, value) };
            let Some(field) =
                shape.fields.iter().find(|field| field.json_name == name || field.proto_name == name)
            else {
                if self.unknown == Unknown::Reported {
                    let here = Here { at: key.at(), ..inner };
                    self.report(
                        here,
                        || format!("unknown field `{name}`"),
                        || suggest::hint(name, shape.fields.iter().map(|field| field.json_name)),
                    );
                }
                continue;
            };
            // Null is how proto JSON writes an absent field, unless the field may hold any JSON.
            if value.is_null() && !(matches!(field.kind, Kind::Value) && field.label == Label::Single) {
                continue;
            }
            self.alone(field, &seen, name, inner);
            seen.push(field);
            self.field(value, field, inner);
        }
    }

    /// Reports a field that stands beside its other spelling or beside another member of its oneof.
    fn alone(&mut self, field: &FieldShape, seen: &[&FieldShape], name: &str, here: Here<'_>) {
        for other in seen {
            if other.json_name == field.json_name {
                let message = || {
                    format!("`{name}` is given twice, as `{}` and `{}`", field.json_name, field.proto_name)
                };
                self.report(here, message, || "remove one of the two".to_owned());
            } else if field.oneof.is_some() && field.oneof == other.oneof {
                let message =
                    || format!("`{}` and `{}` exclude each other", other.json_name, field.json_name);
                self.report(here, message, || "remove one of the two".to_owned());
            }
        }
    }

    fn field(&mut self, node: NodeRef<'_>, field: &FieldShape, here: Here<'_>) {
        match field.label {
            Label::Single => self.value(node, &field.kind, here),
            Label::Repeated => {
                if !matches!(node.view(), View::List) {
                    return self.expected("a list", node, here, "");
                }
                for (index, item) in node.items().enumerate() {
                    let path = here.path.index(index);
                    self.value(item, &field.kind, Here { path: &path, at: item.at() });
                }
            }
            Label::Map => {
                if !node.is_map() {
                    return self.expected("a map", node, here, "");
                }
                for (key, value) in node.entries() {
                    let path = here.path.key(key.as_str().unwrap_or_default());
                    self.value(value, &field.kind, Here { path: &path, at: pointed(key, value) });
                }
            }
        }
    }

    fn value(&mut self, node: NodeRef<'_>, kind: &Kind, here: Here<'_>) {
        let view = node.view();
        let text = node.as_str();
        let fits = match kind {
            Kind::Message(shape) => return self.message(node, shape, here),
            Kind::Enum(shape) => return self.enumeration(node, shape, here),
            Kind::Duration => return self.duration(node, here),
            Kind::Value => true,
            Kind::Bool => matches!(view, View::Bool(_)),
            Kind::String | Kind::Bytes | Kind::Timestamp => text.is_some(),
            Kind::Struct => node.is_map(),
            Kind::ListValue => matches!(view, View::List),
            Kind::Float | Kind::Double => is_double(view),
            Kind::Int32 => integer(view).is_some_and(|value| i32::try_from(value).is_ok()),
            Kind::Int64 => integer(view).is_some_and(|value| i64::try_from(value).is_ok()),
            Kind::Uint32 => integer(view).is_some_and(|value| u32::try_from(value).is_ok()),
            Kind::Uint64 => integer(view).is_some_and(|value| u64::try_from(value).is_ok()),
        };
        if fits {
            return;
        }
        let is_word = matches!(view, View::Bool(_) | View::Number(_));
        match kind {
            Kind::Bool => self.expected("true or false", node, here, ""),
            Kind::Struct => self.expected("a map", node, here, ""),
            Kind::ListValue => self.expected("a list", node, here, ""),
            Kind::Float | Kind::Double => self.expected("a number", node, here, ""),
            Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 if matches!(view, View::Number(_)) => {
                self.report(here, || "the number must be whole and in range".to_owned(), String::new);
            }
            Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => {
                self.expected("a whole number", node, here, "");
            }
            _ => self.expected("a string", node, here, if is_word { "put it in quotes" } else { "" }),
        }
    }

    fn enumeration(&mut self, node: NodeRef<'_>, shape: &EnumShape, here: Here<'_>) {
        match node.view() {
            View::Text(name) if shape.values.iter().any(|(known, _)| *known == name) => {}
            View::Text(name) => {
                let kind = shape.name.rsplit('.').next().unwrap_or_default();
                let hint = || suggest::hint(name, shape.values.iter().map(|(name, _)| *name));
                self.report(here, || format!("`{name}` is not a {kind}"), hint);
            }
            // Numbers beyond the known ones are allowed on the wire and mean "unspecified" to us.
            View::Number(number) if number.is_i64() || number.is_u64() => {}
            _ => self.expected("a name", node, here, ""),
        }
    }

    fn duration(&mut self, node: NodeRef<'_>, here: Here<'_>) {
        match node.as_str() {
            Some(text) if duration::seconds(text).is_some() => {}
            Some(text) => {
                let hint = || "write seconds and an `s`, such as `60s` or `0.5s`".to_owned();
                self.report(here, || format!("`{text}` is not a duration"), hint);
            }
            None => self.expected("a duration", node, here, "write seconds and an `s`, such as `60s`"),
        }
    }
}

/// Whole numbers of proto JSON: a number, or its digits as a string.
fn integer(view: View<'_>) -> Option<i128> {
    match view {
        View::Number(number) => number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)),
        View::Text(text) => text.parse().ok(),
        _ => None,
    }
}

fn is_double(view: View<'_>) -> bool {
    match view {
        View::Number(_) => true,
        View::Text(text) => text.parse::<f64>().is_ok(),
        _ => false,
    }
}
