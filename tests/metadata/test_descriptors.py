"""Our protos say what the package's protos say, but for the settings of clients that open a database themselves."""

from pathlib import Path

from google.protobuf import descriptor_pb2
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2

DESCRIPTORS = Path(__file__).resolve().parents[2] / "crates/ferroflow-proto/src/generated/descriptors.bin"

# A server never sees them.
SETTINGS = {
    "ConnectionConfig",
    "FakeDatabaseConfig",
    "GrpcChannelArguments",
    "MetadataStoreClientConfig",
    "MetadataStoreServerConfig",
    "MigrationOptions",
    "MySQLDatabaseConfig",
    "PostgreSQLDatabaseConfig",
    "RetryOptions",
    "SqliteMetadataSourceConfig",
}


def plain(message):
    """A descriptor without what does not show on the wire."""
    copy = type(message)()
    copy.CopyFrom(message)
    strip(copy)
    return copy


def strip(message):
    message.ClearField("options") if not message.options.map_entry else None
    for field in message.field:
        packed = field.options.packed
        field.ClearField("options")
        field.ClearField("json_name")
        if packed:
            field.options.packed = True
    for value in (value for enum in message.enum_type for value in enum.value):
        value.ClearField("options")
    for inner in message.nested_type:
        strip(inner)


def theirs():
    files = []
    for module in (metadata_store_pb2, metadata_store_service_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        files.append(file)
    return files


def ours():
    whole = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    return [file for file in whole.file if file.package == "ml_metadata"]


def test_messages_are_equal():
    def messages(files):
        return {message.name: plain(message) for file in files for message in file.message_type}

    expected = {name: message for name, message in messages(theirs()).items() if name not in SETTINGS}
    assert messages(ours()) == expected


def test_calls_are_equal():
    def calls(files):
        return {
            (service.name, method.name, method.input_type, method.output_type)
            for file in files
            for service in file.service
            for method in service.method
        }

    assert calls(ours()) == calls(theirs())
    assert len(calls(ours())) == 52
