"""Importers with the real compiler: artifacts of this machine and of the web, in loops, once and again."""

import functools
import http.server
import threading

import pytest
from kfp import compiler, dsl

from ferroflow import run_pipeline, task


@dsl.component
def read(data: dsl.Input[dsl.Dataset]) -> str:
    with open(data.path) as file:
        return file.read() + " " + str(data.metadata.get("of"))


@dsl.component
def name_of(folder: str, number: int) -> str:
    return f"{folder}/{number}.txt"


@dsl.component
def join(words: list) -> str:
    return ", ".join(words)


@pytest.fixture
def web(tmp_path):
    """A server with two files that counts requests."""
    folder = tmp_path / "web"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"{number}.txt").write_text(f"file {number}")
    seen = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            seen.append(self.path)

    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder, seen
    server.shutdown()
    thread.join()
    server.server_close()


def compile_to(pipeline, folder):
    path = folder / "pipeline.yaml"
    compiler.Compiler().compile(pipeline, str(path))
    return path


def test_artifacts_of_this_machine_and_of_the_web_are_read(data_dir, tmp_path, web):
    address, folder, seen = web

    @dsl.pipeline(name="imports")
    def imports(uri: str, path: str):
        one = dsl.importer(artifact_uri=path, artifact_class=dsl.Dataset, reimport=False, metadata={"of": path})
        read(data=one.output)
        two = dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset, metadata={"of": "web"})
        read(data=two.output)
        read(data=two.output).set_caching_options(False)
        with dsl.ParallelFor([1, 2]) as number:
            name = name_of(folder=f"file://{folder}", number=number)
            each = dsl.importer(artifact_uri=name.output, artifact_class=dsl.Dataset)
            text = read(data=each.output)
        join(words=dsl.Collected(text.output))

    pipeline = compile_to(imports, tmp_path)
    words = ["-p", f"uri={address}/2.txt", "-p", f"path={folder}/1.txt"]
    code, results = run_pipeline(pipeline, data_dir, *words)
    assert code == 0, results

    def output(name):
        return task(results, name)["outputs"]["parameters"]["Output"]

    assert output("read") == f"file 1 {folder}/1.txt"
    assert output("read-2") == output("read-3") == "file 2 web"
    assert output("join") == "file 1 None, file 2 None"
    assert "/2.txt" in seen
    # The importer that need not import again brings the same artifact, so what reads it is not done again.
    code, again = run_pipeline(pipeline, data_dir, *words)
    assert code == 0, again
    imported = [task(found, "importer")["outputs"]["artifacts"]["artifact"] for found in (results, again)]
    assert imported[0] == imported[1]
    assert task(again, "read")["state"] == "CACHED"


@dsl.component
def change(data: dsl.Input[dsl.Dataset]) -> str:
    import os
    name = os.path.join(data.path, "inner", "1.txt") if os.path.isdir(data.path) else data.path
    with open(name, "a") as file:
        file.write("!")
    with open(name) as file:
        return file.read()


def test_tasks_share_a_copy_in_the_workspace_and_leave_the_original(data_dir, tmp_path, web):
    address, folder, _ = web
    (folder / "inner").mkdir()
    (folder / "inner" / "1.txt").write_text("deep")

    @dsl.pipeline(
        name="copies",
        pipeline_config=dsl.PipelineConfig(
            workspace=dsl.WorkspaceConfig(size="1Gi", kubernetes=dsl.KubernetesWorkspaceConfig())
        ),
    )
    def copies():
        for uri in (str(folder), f"file://{folder}/1.txt", f"{address}/2.txt"):
            data = dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset, download_to_workspace=True).output
            first = change(data=data)
            # The same inputs in the same workspace would be the same work.
            change(data=data).after(first).set_caching_options(False)

    pipeline = compile_to(copies, tmp_path)
    for _ in range(2):
        code, results = run_pipeline(pipeline, data_dir)
        assert code == 0, results
        found = [each["outputs"]["parameters"]["Output"] for each in results["tasks"] if each["kind"] == "CONTAINER"]
        assert sorted(found) == ["deep!", "deep!!", "file 1!", "file 1!!", "file 2!", "file 2!!"], results
    assert (folder / "1.txt").read_text() == "file 1" and (folder / "inner" / "1.txt").read_text() == "deep"


def test_what_is_not_on_the_web_fails_its_reader(data_dir, tmp_path, web):
    address, _, _ = web

    @dsl.pipeline(name="gone")
    def gone():
        read(data=dsl.importer(artifact_uri=f"{address}/gone.txt", artifact_class=dsl.Dataset).output)

    code, results = run_pipeline(compile_to(gone, tmp_path), data_dir)
    assert code == 1
    assert task(results, "importer")["state"] == "SUCCEEDED"
    message = task(results, "read")["error"]["message"]
    assert f"`{address}/gone.txt` cannot be fetched" in message and "404" in message
