"""Our protos hold everything that the packages' protos hold, under the same numbers.

A field or value of ours that theirs do not know is fine, as long as its number and name are free there.
"""

import re

import pytest
from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2
from google.rpc import status_pb2
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

import ours

THEIRS = {
    "ml_pipelines": pipeline_spec_pb2,
    "kfp_kubernetes": kubernetes_executor_config_pb2,
    "google.rpc": status_pb2,
}

KIND = descriptor_pb2.FieldDescriptorProto.Type.Name
LABEL = descriptor_pb2.FieldDescriptorProto.Label.Name


def file_of(module):
    file = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(file)
    return file


def our_files(package):
    return [file for file in ours.file_set().file if file.package == package]


def json_name(field):
    """The name in JSON, also where the compiler left out what follows from the name."""
    return field.json_name or re.sub("_(.?)", lambda match: match[1].upper(), field.name)


def facts(files):
    """Everything that decides about the wire: name -> fact. Also what no name may use: (message, number or name)."""
    known, taken = {}, set()

    def enum(owner, path):
        for value in owner.value:
            known[f"{path}.{value.name}"] = f"value {value.number}"
        for span in owner.reserved_range:
            taken.update((path, number) for number in range(span.start, span.end + 1))
        taken.update((path, name) for name in owner.reserved_name)

    def message(owner, path):
        known[path] = "message"
        for field in owner.field:
            oneof = ""
            if field.HasField("oneof_index"):
                oneof = "optional" if field.proto3_optional else f"of {owner.oneof_decl[field.oneof_index].name}"
            kind = f"{LABEL(field.label)} {KIND(field.type)} {field.type_name} {oneof}"
            known[f"{path}.{field.name}"] = f"field {field.number} {json_name(field)} {kind}"
        for span in owner.reserved_range:
            taken.update((path, number) for number in range(span.start, span.end))
        taken.update((path, name) for name in owner.reserved_name)
        for nested in owner.nested_type:
            message(nested, f"{path}.{nested.name}")
        for nested in owner.enum_type:
            enum(nested, f"{path}.{nested.name}")

    for file in files:
        for top in file.message_type:
            message(top, f"{file.package}.{top.name}")
        for top in file.enum_type:
            enum(top, f"{file.package}.{top.name}")
    return known, taken


def conflicts(our, their):
    """Differences that break the wire, one sentence each."""
    (our_known, _), (their_known, their_taken) = facts(our), facts(their)
    problems = [
        f"{name} is `{fact}` there and `{our_known.get(name, 'missing')}` here"
        for name, fact in their_known.items()
        if our_known.get(name) != fact
    ]
    numbers = {(name.rsplit(".", 1)[0], fact.split()[1]) for name, fact in their_known.items() if fact != "message"}
    for name, fact in our_known.items():
        if name in their_known or fact == "message":
            continue
        owner, short = name.rsplit(".", 1)
        number = fact.split()[1]
        if (owner, int(number)) in their_taken or (owner, short) in their_taken:
            problems.append(f"{name} uses what is reserved there")
        if (owner, number) in numbers:
            problems.append(f"{name} uses the number of something else there")
    return problems


@pytest.mark.parametrize("package", THEIRS)
def test_superset_without_conflict(package):
    their = [file_of(THEIRS[package])]
    assert len(facts(their)[0]) > 3
    assert conflicts(our_files(package), their) == []


@pytest.mark.parametrize("package", THEIRS)
def test_files_are_proto3_of_the_same_package(package):
    their = file_of(THEIRS[package])
    assert {(file.syntax, file.package) for file in our_files(package)} == {(their.syntax, their.package)}


def test_annotations_are_a_part_of_googles():
    """Of the annotations only what the API uses is here, so the comparison goes the other way round."""
    their_known, _ = facts([file_of(http_pb2)])
    our_known, _ = facts(our_files("google.api"))
    assert our_known.items() <= their_known.items()
    extensions = [extension for file in our_files("google.api") for extension in file.extension]
    assert [extension.number for extension in extensions] == [annotations_pb2.http.number]


def change_number(file):
    file.message_type[0].field[0].number = 999


def change_type(file):
    file.message_type[0].field[0].type = descriptor_pb2.FieldDescriptorProto.TYPE_BOOL


def change_label(file):
    file.message_type[0].field[0].label = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED


def rename_field(file):
    file.message_type[0].field[0].name += "_"


def remove_field(file):
    del file.message_type[0].field[0]


def remove_message(file):
    del file.message_type[1]


def change_enum(file):
    message = next(message for message in file.message_type if message.name == "ParameterType")
    message.enum_type[0].value[3].number = 77


def use_reserved_number(file):
    message = next(message for message in file.message_type if message.name == "PipelineJob")
    message.field.add(name="new", json_name="new", number=3)


def use_taken_number(file):
    message = next(message for message in file.message_type if message.name == "PipelineJob")
    message.field.add(name="new", json_name="new", number=1)


@pytest.mark.parametrize(
    "spoil",
    [
        change_number,
        change_type,
        change_label,
        rename_field,
        remove_field,
        remove_message,
        change_enum,
        use_reserved_number,
        use_taken_number,
    ],
)
def test_the_comparison_sees(spoil):
    files = [file for file in our_files("ml_pipelines") if file.name == "pipeline_spec.proto"]
    spoil(files[0])
    assert conflicts(files, [file_of(pipeline_spec_pb2)])


def test_the_comparison_accepts_additions():
    files = [file for file in our_files("ml_pipelines") if file.name == "pipeline_spec.proto"]
    files[0].message_type[0].field.add(name="new", json_name="new", number=5000)
    assert conflicts(files, [file_of(pipeline_spec_pb2)]) == []
