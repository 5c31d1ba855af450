"""The same questions to our server and to the package's own store: the same answers, or the same kind of error."""

from ml_metadata import ListOptions, OrderByField, errors
from ml_metadata.proto import metadata_store_pb2 as pb
import pytest


def artifact_type(name, **properties):
    return pb.ArtifactType(name=name, properties=properties)


def world(store, unique):
    """Some artifacts, executions and contexts; returns numbers by short names."""
    ids = {}
    ids["A"] = store.put_artifact_type(artifact_type(f"A{unique}", foo=pb.INT, s=pb.STRING))
    ids["E"] = store.put_execution_type(pb.ExecutionType(name=f"E{unique}"))
    ids["C"] = store.put_context_type(pb.ContextType(name=f"C{unique}"))

    def artifact(name, uri, custom=(), **properties):
        made = pb.Artifact(type_id=ids["A"], name=f"{name}{unique}", uri=f"{uri}{unique}", state=pb.Artifact.LIVE)
        for key, value in properties.items():
            setattr(made.properties[key], "int_value" if isinstance(value, int) else "string_value", value)
        for key, value in dict(custom).items():
            kinds = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
            setattr(made.custom_properties[key], kinds[type(value)], value)
        [ids[name]] = store.put_artifacts([made])

    artifact("n", "v", foo=1)
    artifact("f", "u", custom={"c d": 1.5, "k": "v", "b": True, "n": 7}, foo=3, s="hello")
    artifact("g", "u", custom={"k": "w"})
    [ids["e"]] = store.put_executions([pb.Execution(type_id=ids["E"], name=f"e{unique}")])
    [ids["c"], ids["d"]] = store.put_contexts(
        [pb.Context(type_id=ids["C"], name=f"c{unique}"), pb.Context(type_id=ids["C"], name=f"d{unique}")]
    )
    event = lambda name, kind: pb.Event(artifact_id=ids[name], execution_id=ids["e"], type=kind)
    store.put_events([event("n", pb.Event.INPUT), event("f", pb.Event.OUTPUT)])
    store.put_attributions_and_associations(
        [pb.Attribution(artifact_id=ids["n"], context_id=ids["c"]), pb.Attribution(artifact_id=ids["f"], context_id=ids["d"])],
        [pb.Association(execution_id=ids["e"], context_id=ids["c"])],
    )
    store.put_parent_contexts([pb.ParentContext(child_id=ids["d"], parent_id=ids["c"])])
    return ids


def outcome(ask):
    """An answer, or the name of the error."""
    try:
        return ask()
    except errors.StatusError as error:
        return type(error).__name__


# `@` stands for the word of the test; `{f}` for the number of a node.
ARTIFACT_QUERIES = """
name = 'f@'
name='f@' AND type='A@'
type = 'A@'
type_id = {A}
properties.foo.int_value = 3 AND type = 'A@'
properties.foo.int_value > 2 AND properties.s.string_value LIKE 'he%' AND type = 'A@'
custom_properties.`c d`.double_value = 1.5 AND type = 'A@'
custom_properties.k.string_value = 'v' AND type = 'A@'
custom_properties.b.bool_value = true AND type = 'A@'
custom_properties.k.string_value IS NULL AND type = 'A@'
custom_properties.zz.string_value IS NULL AND type = 'A@'
custom_properties.k.int_value = 3 AND type = 'A@'
NOT properties.foo.int_value = 3 AND type = 'A@'
state = LIVE AND type = 'A@'
state IS NULL AND type = 'A@'
uri LIKE 'u%' AND type = 'A@'
uri = 'u@'
id IN ({n}, {f})
id != {n} AND type = 'A@'
id BETWEEN {n} AND {f}
contexts_a.name = 'c@'
contexts_a.name = 'c@' OR contexts_b.name = 'd@'
contexts_a.type = 'C@' AND contexts_a.name = 'd@'
contexts_a.name = 'c@' AND contexts_a.name = 'd@'
contexts_a.name = 'c@' AND contexts_b.name = 'd@'
contexts_a.id = {c}
events_0.execution_id = {e}
events_0.type = INPUT AND type = 'A@'
(events_0.type = INPUT OR events_0.type = OUTPUT) AND type = 'A@'
create_time_since_epoch > 0 AND type = 'A@'
last_update_time_since_epoch < 5 AND type = 'A@'
external_id = 'x@'
name = "f@"
name = 'f@' OR name = 'n@' AND id = {f}
(name = 'f@' OR name = 'n@') AND uri = 'u@'
(properties.foo.int_value = 3 OR name = 'n@') AND type = 'A@'
name <> 'f@' AND type = 'A@'
name like 'F@'
uri = 'u@' and not (name = 'f@')
name IN ('f@', 'n@')
name NOT IN ('f@', 'n@') AND type = 'A@'
properties.foo.int_value + 1 = 4 AND type = 'A@'
'f@' = name
-1 < properties.foo.int_value AND type = 'A@'
bogus = 1
name =
name = 'f@' AND
(name = 'f@'
artifacts_0.id = 1
properties.foo = 3
""".strip().splitlines()

CONTEXT_QUERIES = """
name = 'c@'
parent_contexts_a.name = 'c@'
child_contexts_a.name = 'd@'
artifacts_a.id = {n}
executions_a.id = {e}
contexts_a.name = 'c@'
""".strip().splitlines()

EXECUTION_QUERIES = """
name = 'e@'
contexts_a.name = 'c@'
events_0.artifact_id = {n}
last_known_state = COMPLETE AND type = 'E@'
""".strip().splitlines()


def test_filters_find_the_same(ours, theirs, unique):
    differences = []
    worlds = [(store, world(store, unique)) for store in (ours, theirs)]
    for queries, call in (
        (ARTIFACT_QUERIES, "get_artifacts"),
        (CONTEXT_QUERIES, "get_contexts"),
        (EXECUTION_QUERIES, "get_executions"),
    ):
        for query in queries:
            found = []
            for store, ids in worlds:
                text = query.replace("@", unique).format(**ids)
                ask = lambda: [node.name for node in getattr(store, call)(ListOptions(filter_query=text))]
                found.append(outcome(ask))
            if found[0] != found[1]:
                differences.append((query, *found))
    assert not differences


def test_orders_and_limits_are_the_same(ours, theirs, unique):
    worlds = [(store, world(store, unique)) for store in (ours, theirs)]
    for field in (OrderByField.ID, OrderByField.CREATE_TIME, OrderByField.UPDATE_TIME):
        for ascending in (True, False):
            for limit in (1, 2, None):
                options = lambda: ListOptions(
                    limit=limit, order_by=field, is_asc=ascending, filter_query=f"type = 'A{unique}'"
                )
                found = [[node.name for node in store.get_artifacts(options())] for store, _ in worlds]
                assert found[0] == found[1], (field, ascending, limit)


def refused(ids, unique):
    """Requests that are refused, or do nothing, by what they are about."""
    typed = lambda **fields: pb.Artifact(type_id=ids["A"], **fields)
    undeclared = typed()
    undeclared.properties["zz"].int_value = 1
    mistyped = typed()
    mistyped.properties["foo"].string_value = "1"
    link = lambda **fields: lambda store: store.put_attributions_and_associations([pb.Attribution(**fields)], [])
    parent = lambda child, parent: lambda store: store.put_parent_contexts(
        [pb.ParentContext(child_id=child, parent_id=parent)]
    )
    artifacts = lambda artifact: lambda store: store.put_artifacts([artifact])
    return {
        "a type without a name": lambda store: store.put_artifact_type(pb.ArtifactType()),
        "a type of properties that is unknown": lambda store: store.put_artifact_type(
            artifact_type(f"B{unique}", x=pb.UNKNOWN)
        ),
        "another type of a property": lambda store: store.put_artifact_type(
            artifact_type(f"A{unique}", foo=pb.STRING, s=pb.STRING)
        ),
        "a new property": lambda store: store.put_artifact_type(
            artifact_type(f"A{unique}", foo=pb.INT, s=pb.STRING, t=pb.INT)
        ),
        "a missing property": lambda store: store.put_artifact_type(artifact_type(f"A{unique}", foo=pb.INT)),
        "an artifact without a type": artifacts(pb.Artifact()),
        "an unknown type": artifacts(pb.Artifact(type_id=987654321)),
        "a type of another kind": artifacts(pb.Artifact(type_id=ids["E"])),
        "an undeclared property": artifacts(undeclared),
        "a property of another type": artifacts(mistyped),
        "a name that is taken": artifacts(typed(name=f"n{unique}")),
        "a number that nobody has": artifacts(typed(id=987654321)),
        "another type than before": artifacts(pb.Artifact(id=ids["n"], type_id=ids["A"] + 1)),
        "an event that is there": lambda store: store.put_events(
            [pb.Event(artifact_id=ids["n"], execution_id=ids["e"], type=pb.Event.INPUT)]
        ),
        "an event without a type": lambda store: store.put_events(
            [pb.Event(artifact_id=ids["n"], execution_id=ids["e"])]
        ),
        "an event with an unknown artifact": lambda store: store.put_events(
            [pb.Event(artifact_id=987654321, execution_id=ids["e"], type=pb.Event.INPUT)]
        ),
        "a context without a name": lambda store: store.put_contexts([pb.Context(type_id=ids["C"])]),
        "a context that is there": lambda store: store.put_contexts(
            [pb.Context(type_id=ids["C"], name=f"c{unique}")]
        ),
        "an attribution that is there": link(artifact_id=ids["n"], context_id=ids["c"]),
        "an attribution of nobody": link(artifact_id=987654321, context_id=ids["c"]),
        "an attribution to nothing": link(artifact_id=ids["n"]),
        "a parent that is there": parent(ids["d"], ids["c"]),
        "a circle of parents": parent(ids["c"], ids["d"]),
        "its own parent": parent(ids["c"], ids["c"]),
        "contexts of an unknown artifact": lambda store: store.get_contexts_by_artifact(987654321),
        "artifacts of an unknown context": lambda store: store.get_artifacts_by_context(987654321),
        "artifacts of an unknown type": lambda store: store.get_artifacts_by_type("nobody"),
        "an artifact of an unknown type": lambda store: store.get_artifact_by_type_and_name("nobody", "x"),
        "a context of an unknown type": lambda store: store.get_context_by_type_and_name("nobody", "x"),
        "an unknown external id": lambda store: store.get_artifacts_by_external_ids([f"x{unique}"]),
        "an empty external id": lambda store: store.get_artifacts_by_external_ids([""]),
        "an unknown type by name": lambda store: store.get_artifact_type("nobody"),
    }


def test_the_same_is_refused(ours, theirs, unique):
    worlds = [(store, world(store, unique)) for store in (ours, theirs)]
    found = [
        {what: outcome(lambda: ask(store)) for what, ask in refused(ids, unique).items()} for store, ids in worlds
    ]
    assert found[0] == found[1]


def without_numbers(node):
    copy = type(node)()
    copy.CopyFrom(node)
    for field in ("id", "type_id", "create_time_since_epoch", "last_update_time_since_epoch"):
        copy.ClearField(field)
    return copy


@pytest.mark.parametrize("mask", [None, ["uri"], ["properties.foo"], ["custom_properties.k", "state"], ["properties"]])
def test_changes_leave_the_same(ours, theirs, unique, mask):
    found = []
    for store, ids in [(store, world(store, unique)) for store in (ours, theirs)]:
        change = pb.Artifact(id=ids["f"], type_id=ids["A"], uri="new", name="ignored")
        change.properties["foo"].int_value = 9
        change.custom_properties["k"].string_value = "changed"
        store.put_artifacts([change], mask)
        [stored] = store.get_artifacts_by_id([ids["f"]])
        found.append(without_numbers(stored))
    assert found[0] == found[1]
