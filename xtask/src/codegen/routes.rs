//! The calls of the API as a table of routes.

use std::fmt::Write as _;

use anyhow::{Context, ensure};
use prost_reflect::{DynamicMessage, ExtensionDescriptor, MessageDescriptor, MethodDescriptor};

use super::shapes::Tables;
use super::{Protos, messages};

/// The table of all calls, with the shapes of their requests.
pub(super) fn table(protos: &Protos) -> anyhow::Result<String> {
    let http = protos.pool.get_extension_by_name("google.api.http").context("no annotations")?;
    let mut tables = Tables::default();
    let mut routes = String::new();
    for service in protos.pool.services().filter(|service| service.package_name() == messages::API) {
        for method in service.methods() {
            let rule = rule(&method, &http)?;
            check(&rule, &method.input()).with_context(|| method.full_name().to_owned())?;
            let request = tables.message(&method.input())?;
            let Rule { verb, path, body } = rule;
            let body = body.map_or_else(|| "None".to_owned(), |body| format!("Some({body:?})"));
            writeln!(
                routes,
                "Route {{ service: {:?}, rpc: {:?}, method: {verb:?}, path: {path:?}, \
                 body: {body}, request: &{request} }},",
                service.name(),
                method.name(),
            )?;
        }
    }
    Ok(format!(
        "use crate::rest::Route;\n\
         use crate::shape::{{EnumShape, Kind, Label, MessageShape, field}};\n\n\
         /// All calls of the API, in the order of the proto files.\n\
         pub static ROUTES: &[Route] = &[{routes}];\n\n{}",
        tables.text()
    ))
}

/// An annotation.
pub(super) struct Rule {
    pub(super) verb: &'static str,
    pub(super) path: String,
    pub(super) body: Option<String>,
}

/// The annotation of a call.
pub(super) fn rule(method: &MethodDescriptor, extension: &ExtensionDescriptor) -> anyhow::Result<Rule> {
    let name = method.full_name();
    let options = method.options();
    ensure!(options.has_extension(extension), "`{name}` has no HTTP form");
    let rule = options.get_extension(extension);
    let rule = rule.as_message().with_context(|| format!("`{name}` has a broken annotation"))?;
    let text = |field: &str| text_field(rule, field);
    let verbs = [("get", "GET"), ("put", "PUT"), ("post", "POST"), ("delete", "DELETE"), ("patch", "PATCH")];
    let (verb, path) = verbs
        .into_iter()
        .find_map(|(field, verb)| Some((verb, text(field)?)))
        .with_context(|| format!("`{name}` has no path"))?;
    Ok(Rule { verb, path, body: text("body") })
}

fn text_field(rule: &DynamicMessage, field: &str) -> Option<String> {
    let value = rule.get_field_by_name(field)?;
    value.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// Fails if the annotation names a field that the request does not have, or uses what servers do not read.
fn check(rule: &Rule, request: &MessageDescriptor) -> anyhow::Result<()> {
    for segment in rule.path.split('/').filter(|segment| segment.contains(['{', '*'])) {
        let variable = segment.split_once(':').map_or(segment, |(variable, _)| variable);
        let field = variable
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .with_context(|| format!("`{segment}` is not of the form `{{field}}`"))?;
        ensure!(!field.contains(['=', '*']), "`{segment}`: only whole segments are known");
        let mut message = Some(request.clone());
        for name in field.split('.') {
            let inner = message.as_ref().and_then(|message| message.get_field_by_name(name));
            let inner = inner.with_context(|| format!("the path names `{field}`, which is no field"))?;
            message = inner.kind().as_message().cloned();
        }
    }
    if let Some(body) = rule.body.as_deref().filter(|body| *body != "*") {
        ensure!(request.get_field_by_name(body).is_some(), "the body is `{body}`, which is no field");
    }
    Ok(())
}
