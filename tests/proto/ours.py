"""The descriptors of `proto/`, as `cargo xtask codegen` wrote them."""

from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = Path(__file__).resolve().parents[2]
API = "kubeflow.pipelines.backend.api.v2beta1"
DESCRIPTORS = ROOT / "crates/ferroflow-proto/src/generated/descriptors.bin"


def file_set():
    """All files, as a message that tests may change."""
    return descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())


def load_pool():
    """All files in a pool of their own, beside the ones that the packages register."""
    pool = descriptor_pool.DescriptorPool()
    for file in file_set().file:
        pool.Add(file)
    return pool


POOL = load_pool()


def messages_of(package):
    """Messages and enums of a package by name without the package, nested ones with dots."""
    found = {}

    def walk(message, path):
        found[path] = message
        for enum in message.enum_types:
            found[f"{path}.{enum.name}"] = enum
        for nested in message.nested_types:
            if not nested.GetOptions().map_entry:
                walk(nested, f"{path}.{nested.name}")

    for file in file_set().file:
        if file.package == package:
            descriptor = POOL.FindFileByName(file.name)
            for message in descriptor.message_types_by_name.values():
                walk(message, message.name)
            for enum in descriptor.enum_types_by_name.values():
                found[enum.name] = enum
    return found


def routes():
    """(method, path) -> (call, field that the body holds, or `*`, or nothing)."""
    extension = POOL.FindExtensionByName("google.api.http")
    options_class = message_factory.GetMessageClass(POOL.FindMessageTypeByName("google.protobuf.MethodOptions"))
    message_factory.GetMessageClass(extension.message_type)
    found = {}
    for file in file_set().file:
        if file.package != API:
            continue
        for service in POOL.FindFileByName(file.name).services_by_name.values():
            for call in service.methods:
                # Read again with our own class, which knows our own extension.
                options = options_class.FromString(call.GetOptions().SerializeToString())
                rule = options.Extensions[extension]
                verb = rule.WhichOneof("pattern")
                found[verb.upper(), getattr(rule, verb)] = (call, rule.body)
    return found
