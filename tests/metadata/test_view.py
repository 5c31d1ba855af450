"""Runs as clients of ML Metadata see them, with nothing but the package."""

import threading

from ml_metadata import ListOptions
from ml_metadata.proto import metadata_store_pb2 as pb
import pytest
import yaml

from conftest import client_of
from ferroflow import SAMPLES


@pytest.fixture(scope="module")
def run(server):
    """A run of the sample that trains, ended."""
    run_id = server.create_run(yaml.safe_load((SAMPLES / "train_flowers.yaml").read_text()), "trained")
    assert server.wait(run_id)["state"] == "SUCCEEDED"
    return {"run_id": run_id}


def run_context(store, run):
    return store.get_context_by_type_and_name("system.PipelineRun", run["run_id"])


def test_a_run_is_a_context_with_its_pipeline_above(ours, run):
    context = run_context(ours, run)
    assert context.custom_properties["resource_name"].string_value == "run-resource"
    [pipeline] = ours.get_parent_contexts_by_context(context.id)
    assert (pipeline.type, pipeline.name) == ("system.Pipeline", "train-flowers")
    assert run["run_id"] in [child.name for child in ours.get_children_contexts_by_context(pipeline.id)]


def test_tasks_are_executions_with_parents_and_states(ours, run):
    executions = ours.get_executions_by_context(run_context(ours, run).id)
    by_id = {execution.id: execution for execution in executions}
    [root] = [execution for execution in executions if execution.name == f"run/{run['run_id']}"]
    assert root.type == "system.DAGExecution"
    states = {pb.Execution.State.Name(execution.last_known_state) for execution in executions}
    assert states <= {"COMPLETE", "CACHED"}
    for execution in executions:
        if execution.id != root.id:
            assert execution.custom_properties["parent_dag_id"].int_value in by_id
    loops = [execution for execution in executions if "iteration_count" in execution.custom_properties]
    passes = [execution for execution in executions if "iteration_index" in execution.custom_properties]
    assert [loop.custom_properties["iteration_count"].int_value for loop in loops] == [3]
    assert sorted(one.custom_properties["iteration_index"].int_value for one in passes) == [0, 1, 2]
    query = f"custom_properties.parent_dag_id.int_value = {root.id}"
    below = ours.get_executions(ListOptions(filter_query=query))
    assert {execution.id for execution in below} == {
        execution.id
        for execution in executions
        if execution.custom_properties["parent_dag_id"].int_value == root.id
    }


def test_the_lineage_is_that_of_our_own_api(ours, server, run):
    context = run_context(ours, run)
    edges = set()
    executions = [
        execution for execution in ours.get_executions_by_context(context.id) if execution.type != "system.DAGExecution"
    ]
    for event in ours.get_events_by_execution_ids([execution.id for execution in executions]):
        kind = pb.Event.Type.Name(event.type)
        edges.add((event.execution_id, kind, event.path.steps[0].key, event.artifact_id))
    expected = set()
    details = server.call("GET", f"/apis/v2beta1/runs/{run['run_id']}")["run_details"]["task_details"]
    leaves = {execution.id for execution in executions}
    for task in details:
        for kind, lists in (("INPUT", task.get("inputs", {})), ("OUTPUT", task.get("outputs", {}))):
            for name, found in lists.items():
                for artifact in found.get("artifact_ids", []):
                    if int(task["execution_id"]) in leaves:
                        expected.add((int(task["execution_id"]), kind, name, int(artifact)))
    assert edges == expected and edges


def test_artifacts_have_type_place_and_metadata(ours, server, run):
    artifacts = ours.get_artifacts_by_context(run_context(ours, run).id)
    assert artifacts
    for artifact in artifacts:
        shown = server.call("GET", f"/apis/ferroflow/v1/artifacts/{artifact.id}")
        assert shown["artifact"]["uri"] == artifact.uri
        assert artifact.type.startswith("system.")
        assert artifact.state == pb.Artifact.LIVE
    metrics = [artifact for artifact in artifacts if artifact.type == "system.Metrics"]
    assert metrics and all("accuracy" in artifact.custom_properties for artifact in metrics)
    [again] = ours.get_artifacts_by_uri(artifacts[0].uri)
    assert again == artifacts[0]


def test_lineage_goes_up_and_down(ours, run):
    context = run_context(ours, run)
    artifacts = ours.get_artifacts_by_context(context.id)
    model = max((artifact for artifact in artifacts if artifact.type == "system.Model"), key=lambda found: found.id)
    query = pb.LineageSubgraphQueryOptions(
        starting_artifacts=pb.LineageSubgraphQueryOptions.StartingNodes(filter_query=f"id = {model.id}"),
        max_num_hops=20,
        direction=pb.LineageSubgraphQueryOptions.UPSTREAM,
    )
    graph = ours.get_lineage_subgraph(query)
    tasks = {execution.custom_properties["task_name"].string_value for execution in graph.executions}
    assert "make-flowers" in tasks
    assert {one.name for one in graph.contexts} == {run["run_id"], "train-flowers"}


def test_the_lineage_of_each_artifact_is_that_of_our_own_api(ours, server, run):
    """Both ways, as far as it goes: the same tasks, the same artifacts, the same steps between them."""
    for artifact in ours.get_artifacts_by_context(run_context(ours, run).id):
        edges, nodes = set(), set()
        for direction in ("UPSTREAM", "DOWNSTREAM"):
            graph = ours.get_lineage_subgraph(
                pb.LineageSubgraphQueryOptions(
                    starting_artifacts=pb.LineageSubgraphQueryOptions.StartingNodes(
                        filter_query=f"id = {artifact.id}"
                    ),
                    # A step of ours is from artifact to artifact; theirs are from node to node.
                    max_num_hops=20,
                    direction=direction,
                )
            )
            tasks = {one.id for one in graph.executions if one.type != "system.DAGExecution"}
            nodes |= {f"t{task}" for task in tasks} | {f"a{one.id}" for one in graph.artifacts}
            for event in graph.events:
                if event.execution_id in tasks:
                    ends = (f"a{event.artifact_id}", f"t{event.execution_id}")
                    key = event.path.steps[0].key
                    edges.add((*(ends if event.type == pb.Event.INPUT else reversed(ends)), key))
        found = server.call("GET", f"/apis/ferroflow/v1/artifacts/{artifact.id}/lineage?depth=10")
        assert {(edge["from"], edge["to"], edge["name"]) for edge in found["edges"]} == edges
        assert {node["id"] for node in found["nodes"]} == nodes


def test_old_clients_may_write_about_rows_of_runs(ours, run, unique):
    artifact = ours.get_artifacts_by_context(run_context(ours, run).id)[0]
    change = pb.Artifact(id=artifact.id, type_id=artifact.type_id)
    change.custom_properties["reviewed_by"].string_value = unique
    ours.put_artifacts([change])
    [changed] = ours.get_artifacts_by_id([artifact.id])
    assert changed.custom_properties["reviewed_by"].string_value == unique
    assert changed.uri == artifact.uri
    assert set(artifact.custom_properties) < set(changed.custom_properties)
    # An execution of their own may use an artifact of a run.
    kind = ours.put_execution_type(pb.ExecutionType(name=f"Review{unique}"))
    pair = (pb.Artifact(id=artifact.id), pb.Event(type=pb.Event.INPUT, artifact_id=artifact.id))
    execution, [same], _ = ours.put_execution(pb.Execution(type_id=kind), [pair], [])
    assert same == artifact.id
    assert execution in [event.execution_id for event in ours.get_events_by_artifact_ids([artifact.id])]


def test_64_writers_at_once(server, unique):
    failures = []
    numbers = []

    def write(index):
        try:
            store = client_of(server)
            kind = store.put_artifact_type(pb.ArtifactType(name=f"Shared{unique}", properties={"n": pb.INT}))
            execution_kind = store.put_execution_type(pb.ExecutionType(name=f"Writer{unique}"))
            context_kind = store.put_context_type(pb.ContextType(name=f"Group{unique}"))
            for turn in range(5):
                artifact = pb.Artifact(type_id=kind, uri=f"u/{index}/{turn}")
                artifact.properties["n"].int_value = turn
                pair = (artifact, pb.Event(type=pb.Event.OUTPUT))
                context = pb.Context(type_id=context_kind, name=f"all{unique}")
                store.put_execution(
                    pb.Execution(type_id=execution_kind), [pair], [context], reuse_context_if_already_exist=True
                )
            numbers.append((kind, execution_kind, context_kind))
        except Exception as error:  # Whatever it is, the test is to show it.
            failures.append(repr(error))

    threads = [threading.Thread(target=write, args=(index,)) for index in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(set(numbers)) == 1
    store = client_of(server)
    context = store.get_context_by_type_and_name(f"Group{unique}", f"all{unique}")
    assert len(store.get_artifacts_by_context(context.id)) == 64 * 5
