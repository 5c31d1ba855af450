//! Messages as Rust types, with their JSON where the API speaks JSON.

use anyhow::Context;
use prost::Message;
use prost_build::Module;
use prost_reflect::prost_types::{DescriptorProto, FileDescriptorProto};

use super::Protos;

/// The package of the API.
pub(super) const API: &str = "kubeflow.pipelines.backend.api.v2beta1";

/// The package of ML Metadata, which is spoken over gRPC alone.
pub(super) const METADATA: &str = "ml_metadata";

/// Where messages of other packages are.
const PLACES: [(&str, &str); 2] = [(".google.protobuf", "crate::protobuf"), (".google.rpc", "crate::rpc")];

/// The types of one package, with JSON that has the names of the proto files.
pub(super) fn with_json(protos: &Protos, package: &str) -> anyhow::Result<String> {
    let own = format!(".{package}");
    let mut json = pbjson_build::Builder::new();
    json.preserve_proto_field_names().btree_map(["."]);
    for (proto, rust) in elsewhere(&own) {
        json.extern_path(proto, rust);
    }
    json.register_descriptors(&protos.files.encode_to_vec())?;
    let mut text = types(protos, package)?;
    for (_, bytes) in json.generate(&[own.as_str()], |_| Ok(Vec::new()))? {
        text.push_str(&String::from_utf8(bytes)?);
    }
    Ok(text)
}

fn elsewhere(own: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    PLACES.into_iter().filter(move |(proto, _)| *proto != own)
}

/// The types of one package.
pub(super) fn types(protos: &Protos, package: &str) -> anyhow::Result<String> {
    let own = format!(".{package}");
    let mut types = prost_build::Config::new();
    types.compile_well_known_types().btree_map(["."]);
    for (proto, rust) in elsewhere(&own) {
        types.extern_path(proto, rust);
    }

    // The generator wants to see all files to know what its types contain; types that are elsewhere it leaves out.
    let module = |package: &str| Module::from_protobuf_package_name(package);
    let files = protos.files.file.iter().cloned().map(undeprecated);
    let requests = files.map(|file| (module(file.package()), file)).collect();
    let mut modules = types.generate(requests)?;
    modules.remove(&module(package)).with_context(|| format!("no types in `{package}`"))
}

/// Servers have to read deprecated fields as long as clients send them, so using one is no reason for a warning.
fn undeprecated(mut file: FileDescriptorProto) -> FileDescriptorProto {
    fn clear(message: &mut DescriptorProto) {
        for options in message.field.iter_mut().filter_map(|field| field.options.as_mut()) {
            options.deprecated = None;
        }
        message.nested_type.iter_mut().for_each(clear);
    }
    file.message_type.iter_mut().for_each(clear);
    file
}
