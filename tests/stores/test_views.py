"""What clients see of artifacts does not depend on where they are: the same run here and in S3."""

import io
import json
import tarfile
import urllib.request

import kfp
import pytest
from kfp import dsl

from ferroflow import Server

V1 = "/apis/ferroflow/v1/artifacts"


@dsl.component
def make_all(
    table: dsl.Output[dsl.Dataset],
    page: dsl.Output[dsl.HTML],
    text: dsl.Output[dsl.Markdown],
    numbers: dsl.Output[dsl.Metrics],
    curve: dsl.Output[dsl.ClassificationMetrics],
    folder: dsl.Output[dsl.Model],
    image: dsl.Output[dsl.Artifact],
    data: dsl.Output[dsl.Artifact],
    nothing: dsl.Output[dsl.Artifact],
):
    import os

    with open(f"{page.path}", "w") as file:
        file.write("<p>page</p>")
    with open(text.path, "w") as file:
        file.write("# words")
    with open(data.path, "w") as file:
        file.write('{"a": [1, 2]}')
    with open(image.path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
    os.makedirs(os.path.join(folder.path, "deep"))
    with open(os.path.join(folder.path, "rows.csv"), "w") as file:
        file.write("name,size\n" + "".join(f"n{row},{row}\n" for row in range(500)))
    with open(os.path.join(folder.path, "deep", "weights.bin"), "wb") as file:
        file.write(bytes(range(256)) * 5000)
    with open(table.path, "w") as file:
        file.write("plain text\n")
    numbers.log_metric("accuracy", 0.5)
    curve.log_confusion_matrix(["a", "b"], [[1, 2], [3, 4]])


@dsl.component
def look(folder: dsl.Input[dsl.Model], numbers: dsl.Input[dsl.Metrics]):
    pass


@dsl.pipeline(name="views")
def views():
    made = make_all()
    look(folder=made.outputs["folder"], numbers=made.outputs["numbers"])


def fetch(server, path, **headers):
    request = urllib.request.Request(server.url + path, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, answer.headers.get("content-range"), answer.read()


@pytest.fixture(scope="module")
def both(store, tmp_path_factory):
    """A server with the same run twice: artifacts by name, of here and of the store."""
    folder = tmp_path_factory.mktemp("views") / "data"
    folder.mkdir()
    bucket = store.bucket("views")
    with Server(folder, env=store.env) as server:
        client = kfp.Client(host=server.url)
        found = []
        for root in (None, f"s3://{bucket}/root"):
            made = client.create_run_from_pipeline_func(
                views, arguments={}, pipeline_root=root, enable_caching=False
            )
            assert made.wait_for_run_completion(timeout=60).state == "SUCCEEDED"
            listed = server.call("GET", f"{V1}?run={made.run_id}&task=make-all")["artifacts"]
            assert all(one["uri"].startswith("s3://") == bool(root) for one in listed)
            found.append({one["name"]: one["artifact_id"] for one in listed})
        assert len(found[0]) == 9 and found[0].keys() == found[1].keys()
        yield server, *found


def shown(server, path, artifact):
    """An answer without what names the artifact and its place."""
    text = json.dumps(server.call("GET", f"{V1}/{artifact}{path}"), sort_keys=True)
    return text.replace(f'"artifact_id": {artifact}', '"artifact_id": 0')


def test_previews_are_equal(both):
    server, here, there = both
    for name in here:
        assert shown(server, "/preview", here[name]) == shown(server, "/preview", there[name]), name
    paths = ("rows.csv", "deep/weights.bin", "none", "../table")
    for path in paths:
        asked = f"/preview?path={path}"
        assert shown(server, asked, here["folder"]) == shown(server, asked, there["folder"]), path
    table = server.call("GET", f"{V1}/{there['folder']}/preview?path=rows.csv")["content"]["table"]
    assert (len(table["rows"]), table["counted_rows"]) == (200, 500)
    assert table["statistics"][1]["mean"] == 249.5


def test_files_and_sizes_are_equal(both):
    server, here, there = both
    for name in here:
        one, other = (server.call("GET", f"{V1}/{of[name]}") for of in (here, there))
        assert (one["files"], one["size_bytes"]) == (other["files"], other["size_bytes"]), name


def test_bytes_are_equal(both):
    server, here, there = both
    whole = bytes(range(256)) * 5000
    for of in (here, there):
        address = f"{V1}/{of['folder']}/content?path=deep/weights.bin"
        assert fetch(server, address) == (200, None, whole)
        part = fetch(server, address, Range="bytes=1000000-1000009")
        assert part == (206, f"bytes 1000000-1000009/{len(whole)}", whole[1_000_000:1_000_010])
        last = fetch(server, address, Range="bytes=-5")
        assert last == (206, f"bytes {len(whole) - 5}-{len(whole) - 1}/{len(whole)}", whole[-5:])
        _, _, packed = fetch(server, f"{V1}/{of['folder']}/content?archive=tar.gz")
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            assert archive.getnames() == ["folder/deep/weights.bin", "folder/rows.csv"]
            assert archive.extractfile("folder/deep/weights.bin").read() == whole


def test_lineage_is_equal(both):
    server, here, there = both

    def picture(artifact):
        found = server.call("GET", f"{V1}/{artifact}/lineage?depth=5")
        names = {}
        for node in found["nodes"]:
            names[node["id"]] = node["path"] if node["kind"] == "task" else node["artifact"]["name"]
        return sorted((names[edge["from"]], names[edge["to"]], edge["name"]) for edge in found["edges"])

    assert picture(here["folder"]) == picture(there["folder"])
    assert ("folder", "look", "folder") in picture(there["folder"])
