"""The generated client of the API finds its calls and its models in our protos."""

import importlib
import inspect
import pkgutil
import re

import kfp_server_api
import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor
from google.protobuf.descriptor import FieldDescriptor as Field
from kfp_server_api import api, models

import ours

ROUTES = ours.routes()

# Uploads carry files, so they are plain HTTP routes outside of the protos.
OUTSIDE = {"/apis/v2beta1/pipelines/upload", "/apis/v2beta1/pipelines/upload_version"}

SCALARS = {
    Field.TYPE_BOOL: "bool",
    Field.TYPE_BYTES: "str",
    Field.TYPE_INT32: "int",
    # 64 bits do not fit into the numbers of JSON, so they travel as text.
    Field.TYPE_INT64: "str",
    Field.TYPE_STRING: "str",
}

FREE = {
    "google.protobuf.Empty": "object",
    "google.protobuf.Struct": "object",
    "google.protobuf.Value": "object",
    "google.protobuf.Timestamp": "datetime",
    "google.protobuf.Any": "ProtobufAny",
}


def named_types():
    """The client's class names -> our messages and enums. `Run.StorageState` is `V2beta1RunStorageState` there."""
    names = {"GoogleRpcStatus": ours.messages_of("google.rpc")["Status"]}
    for path, descriptor in ours.messages_of(ours.API).items():
        flat = path.replace(".", "")
        names[flat] = names[f"V2beta1{flat}"] = descriptor
    return names


TYPES = named_types()


def our_type(field):
    """The type of one of our fields as the client would write it, with full names in place of classes."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return f"dict(str, {single_type(field.message_type.fields_by_name['value'])})"
    return f"list[{single_type(field)}]" if field.is_repeated else single_type(field)


def single_type(field):
    named = field.message_type or field.enum_type
    if named is None:
        return SCALARS[field.type]
    return FREE.get(named.full_name, named.full_name)


def their_type(text):
    """A type of the client such as `list[V2beta1Run]`, with full names in place of classes."""

    def full_name(match):
        return TYPES[match[0]].full_name if match[0] in TYPES else match[0]

    return re.sub(r"\w+", full_name, text)


def problems_of(model, message):
    """What a client's model has that our message does not have."""
    found = []
    for attribute, name in model.attribute_map.items():
        wanted = model.openapi_types[attribute]
        field = message.fields_by_name.get(name)
        if field is None:
            found.append(f"{message.full_name} has no `{name}`")
        elif their_type(wanted) != our_type(field):
            found.append(f"{field.full_name} is {our_type(field)}, not {wanted}")
    return found


def model_classes():
    return {
        name: member
        for name, member in inspect.getmembers(models, inspect.isclass)
        if hasattr(member, "openapi_types")
    }


# Free JSON, and the bodies of updates, which are compared at their calls.
NOT_MESSAGES = {name for name in model_classes() if re.match("InlineObject|ProtobufAny$|ProtobufNullValue$", name)}


@pytest.mark.parametrize("name", sorted(model_classes().keys() - NOT_MESSAGES))
def test_model_is_a_message(name):
    model, ours_is = model_classes()[name], TYPES.get(name)
    assert ours_is is not None, "no message or enum has this name"
    if hasattr(model, "allowable_values"):
        assert isinstance(ours_is, EnumDescriptor)
        assert set(model.allowable_values) <= set(ours_is.values_by_name)
    else:
        assert isinstance(ours_is, Descriptor)
        assert model.attribute_map
        assert problems_of(model, ours_is) == []


class Recorder(kfp_server_api.ApiClient):
    """The client's lower half, which keeps the request instead of sending it."""

    def call_api(self, path, method, path_params, query_params, header_params, **rest):
        self.request = (method, path, path_params, query_params, rest.get("body"), rest["response_type"])


def calls():
    """All calls of the client, as functions that take a dict of parameters."""
    for module in pkgutil.iter_modules(api.__path__):
        for _, owner in inspect.getmembers(importlib.import_module(f"{api.__name__}.{module.name}"), inspect.isclass):
            if not owner.__name__.endswith("Api"):
                continue
            for name, call in inspect.getmembers(owner, inspect.isfunction):
                if name.endswith("_with_http_info"):
                    yield pytest.param(owner, call, id=name.removesuffix("_with_http_info"))


def parameters(call):
    """Name -> type of a call's own parameters, from its description."""
    types = dict(re.findall(r":type (\w+): (\S+)", call.__doc__))
    return {name: kind for name, kind in types.items() if not name.startswith("_") and name != "async_req"}


@pytest.mark.parametrize("owner,call", list(calls()))
def test_call_has_a_route(owner, call):
    configuration = kfp_server_api.Configuration()
    configuration.client_side_validation = False
    recorder = Recorder(configuration)
    types = parameters(call)
    call(owner(recorder), **{name: f"<{name}>" for name in types})
    method, path, path_params, query_params, body, response = recorder.request
    if path in OUTSIDE:
        assert (method, path) not in ROUTES
        return

    assert (method, path) in ROUTES
    rpc, body_field = ROUTES[method, path]
    request = rpc.input_type
    for name in path_params:
        assert "{" + name + "}" in path
        assert reach(request, name) is not None, f"{request.full_name} has no `{name}` of the path"
    for name, _ in query_params:
        assert reach(request, name) is not None, f"{request.full_name} has no `{name}` of the query"
    assert (body is None) == (body_field == "")
    if body is not None:
        check_body(types[body.strip("<>")], request, body_field)
    assert their_type(response) == FREE.get(rpc.output_type.full_name, rpc.output_type.full_name)


def reach(message, path):
    """Our field behind a name with dots."""
    field = None
    for name in path.split("."):
        field = message.fields_by_name.get(name) if message is not None else None
        if field is None:
            return None
        message = field.message_type
    return field


def check_body(kind, request, body_field):
    if body_field == "*":
        assert TYPES.get(kind) is request
        return
    field = request.fields_by_name[body_field]
    if kind.startswith("InlineObject"):
        assert problems_of(model_classes()[kind], field.message_type) == []
    else:
        assert their_type(kind) == our_type(field)


def test_the_comparison_sees():
    class Model:
        openapi_types = {"run_id": "int", "lost": "str", "state": "V2beta1PluginState", "state_history": "list[str]"}
        attribute_map = {name: name for name in openapi_types}

    assert len(problems_of(Model, TYPES["V2beta1Run"])) == 4
