//! The tables against the descriptors.

use std::collections::BTreeSet;

use ferroflow_proto::rest::ROUTES;
use ferroflow_proto::shape::{
    KUBERNETES_EXECUTOR_CONFIG, Kind, Label, MessageShape, PIPELINE_DEPLOYMENT_CONFIG, PIPELINE_SPEC,
    PLATFORM_SPEC,
};
use prost_reflect::{DescriptorPool, FieldDescriptor, OneofDescriptor};

use crate::{API, pool};

/// Compares a shape with its descriptor, and all that it contains.
fn check(shape: &MessageShape, pool: &DescriptorPool, seen: &mut BTreeSet<&'static str>) {
    if !seen.insert(shape.name) {
        return;
    }
    let message = pool.get_message_by_name(shape.name).unwrap();
    assert_eq!(shape.fields.len(), message.fields().count(), "{}", shape.name);
    for (field, expected) in shape.fields.iter().zip(message.fields()) {
        assert_eq!(shape.field(expected.name()).unwrap().json_name, expected.json_name());
        assert_eq!(shape.field(expected.json_name()).unwrap().proto_name, expected.name());
        let oneof = expected.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        assert_eq!(field.oneof, oneof.as_ref().map(OneofDescriptor::name), "{}", expected.full_name());
        let label = match () {
            () if expected.is_map() => Label::Map,
            () if expected.is_list() => Label::Repeated,
            () => Label::Single,
        };
        assert_eq!(field.label, label, "{}", expected.full_name());
        assert_eq!(kind_name(&field.kind), expected_kind(&expected), "{}", expected.full_name());
        if let Kind::Message(inner) = field.kind {
            check(inner, pool, seen);
        }
    }
}

fn kind_name(kind: &Kind) -> String {
    match kind {
        Kind::Enum(values) => {
            let values: Vec<String> =
                values.values.iter().map(|(name, number)| format!("{name}={number}")).collect();
            values.join(" ")
        }
        Kind::Message(inner) => inner.name.to_owned(),
        Kind::Struct => "google.protobuf.Struct".to_owned(),
        Kind::Value | Kind::ListValue | Kind::Duration | Kind::Timestamp => {
            format!("google.protobuf.{kind:?}")
        }
        plain => format!("{plain:?}").to_lowercase(),
    }
}

fn expected_kind(field: &FieldDescriptor) -> String {
    let kind = match field.kind() {
        prost_reflect::Kind::Message(entry) if field.is_map() => entry.map_entry_value_field().kind(),
        kind => kind,
    };
    match kind {
        prost_reflect::Kind::Enum(values) => {
            let values: Vec<String> =
                values.values().map(|value| format!("{}={}", value.name(), value.number())).collect();
            values.join(" ")
        }
        prost_reflect::Kind::Message(inner) if inner.full_name() == "google.protobuf.Any" => {
            "google.protobuf.Struct".to_owned()
        }
        prost_reflect::Kind::Message(inner) => inner.full_name().to_owned(),
        plain => format!("{plain:?}").to_lowercase(),
    }
}

#[test]
fn shapes_follow_the_descriptors() {
    let pool = pool();
    let mut seen = BTreeSet::new();
    for root in [PIPELINE_SPEC, PLATFORM_SPEC, PIPELINE_DEPLOYMENT_CONFIG, KUBERNETES_EXECUTOR_CONFIG] {
        check(root, &pool, &mut seen);
    }
    for part in ["ml_pipelines.PipelineTaskSpec.RetryPolicy", "kfp_kubernetes.InitContainer.EnvVar"] {
        assert!(seen.contains(part), "{part} is in no table");
    }
    for route in ROUTES {
        check(route.request, &pool, &mut seen);
    }
}

#[test]
fn every_call_has_one_route() {
    let pool = pool();
    let calls = pool.services().filter(|service| service.package_name() == API);
    let calls: BTreeSet<(String, String, String)> = calls
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|call| {
            let service = call.parent_service().name().to_owned();
            (service, call.name().to_owned(), call.input().full_name().to_owned())
        })
        .collect();
    let own = |text: &str| text.to_owned();
    let routes: BTreeSet<(String, String, String)> =
        ROUTES.iter().map(|route| (own(route.service), own(route.rpc), own(route.request.name))).collect();
    assert_eq!(routes, calls);
    let places: BTreeSet<(&str, &str)> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
    assert_eq!(places.len(), ROUTES.len(), "two calls share a method and a path");
}
