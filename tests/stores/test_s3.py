"""Artifacts in a store that speaks S3: for tasks they are files, for clients they are there."""

import base64
import hashlib
import json
import os
import urllib.parse
import urllib.request

import kfp
import pytest
from kfp import compiler, dsl

from ferroflow import ApiError, Server, run_cli, wait_until


@dsl.component
def make(rows: int, table: dsl.Output[dsl.Dataset], folder: dsl.Output[dsl.Artifact], large: dsl.Output[dsl.Model]):
    import os

    with open(table.path, "w") as file:
        file.writelines(f"{row}\n" for row in range(rows))
    table.metadata["rows"] = rows
    os.makedirs(os.path.join(folder.path, "deep", "er"))
    for number in range(40):
        with open(os.path.join(folder.path, "deep", f"{number} ä~#%.txt"), "w") as file:
            file.write(str(number))
    with open(os.path.join(folder.path, "deep", "er", "top.bin"), "wb") as file:
        file.write(bytes(range(256)))
    with open(large.path, "wb") as file:
        for _ in range(40):
            file.write(os.urandom(1 << 20))


@dsl.component
def use(table: dsl.Input[dsl.Dataset], folder: dsl.Input[dsl.Artifact], large: dsl.Input[dsl.Model]) -> str:
    import hashlib
    import os

    assert table.uri.startswith("s3://"), table.uri
    with open(table.path) as file:
        rows = len(file.readlines())
    with open(os.path.join(folder.path, "deep", "er", "top.bin"), "rb") as file:
        assert file.read() == bytes(range(256))
    files = len(os.listdir(os.path.join(folder.path, "deep")))
    with open(large.path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return f"{rows} {files} {table.metadata['rows']} {digest}"


@dsl.container_component
def copy(table: dsl.Input[dsl.Dataset], copied: dsl.Output[dsl.Dataset]):
    return dsl.ContainerSpec(
        image="busybox",
        command=["sh", "-c", 'mkdir -p "$(dirname "$1")"; cat "$0" "$0" > "$1"'],
        args=[table.path, copied.path],
    )


@dsl.pipeline(name="far")
def far(rows: int = 3) -> str:
    made = make(rows=rows)
    used = use(table=made.outputs["table"], folder=made.outputs["folder"], large=made.outputs["large"])
    copy(table=made.outputs["table"])
    return used.output


def run(server, pipeline, bucket, **arguments):
    client = kfp.Client(host=server.url)
    made = client.create_run_from_pipeline_func(
        pipeline, arguments=arguments, pipeline_root=f"s3://{bucket}/root", experiment_name="far"
    )
    return made.run_id, made.wait_for_run_completion(timeout=120)


def results(server, run_id):
    return server.call("GET", f"/apis/ferroflow/v1/runs/{run_id}")


def test_tasks_find_files_and_leave_objects(store, data_dir):
    bucket = store.bucket("tasks")
    with Server(data_dir, env=store.env) as server:
        run_id, ended = run(server, far, bucket)
        assert ended.state == "SUCCEEDED", results(server, run_id)
        keys = store.keys(bucket)
        assert all(key.startswith(f"root/far/{run_id}/") for key in keys)
        table = next(key for key in keys if key.endswith("/table"))
        assert store.read(bucket, table) == b"0\n1\n2\n"
        copied = next(key for key in keys if key.endswith("/copied"))
        assert store.read(bucket, copied) == b"0\n1\n2\n" * 2
        large = next(key for key in keys if key.endswith("/large"))
        digest = hashlib.sha256(store.read(bucket, large)).hexdigest()
        text = json.dumps(results(server, run_id))
        assert f"3 41 3 {digest}" in text
        assert len([key for key in keys if "/folder/" in key]) == 41
        # Nothing of it stays behind on this machine,
        wait_until(lambda: not any((data_dir / "attempts").glob("*/s3/*")), 10, "copies are left")
        # and clients read it through the server.
        found = server.call("GET", f"/apis/ferroflow/v1/runs/{run_id}/artifacts")
        places = {one["uri"].rsplit("/", 1)[1]: one["artifact_id"] for one in found["artifacts"]}
        address = "/apis/ferroflow/v1/artifacts"
        assert server.call("GET", f"{address}/{places['table']}/content", raw=True) == "0\n1\n2\n"
        seen = server.call("GET", f"{address}/{places['folder']}")
        assert len(seen["files"]) == 41 and "deep/7 ä~#%.txt" in [file["path"] for file in seen["files"]]
        path = urllib.parse.quote("deep/7 ä~#%.txt")
        assert server.call("GET", f"{address}/{places['folder']}/content?path={path}", raw=True) == "7"


def test_results_are_taken_over_while_they_are_there(store, data_dir):
    bucket = store.bucket("cache")
    with Server(data_dir, env=store.env) as server:
        first, ended = run(server, far, bucket)
        assert ended.state == "SUCCEEDED"
        before = store.keys(bucket)
        again, ended = run(server, far, bucket)
        assert ended.state == "SUCCEEDED"
        assert store.keys(bucket) == before, "all results were there"
        table = next(key for key in before if key.endswith("/table"))
        store.client.delete_object(Bucket=bucket, Key=table)
        third, ended = run(server, far, bucket)
        assert ended.state == "SUCCEEDED"
        assert any(key.startswith(f"root/far/{third}/") for key in store.keys(bucket))


@dsl.component
def read(data: dsl.Input[dsl.Dataset]) -> str:
    with open(data.path) as file:
        return file.read()


@dsl.pipeline(name="brought")
def brought() -> str:
    got = dsl.importer(artifact_uri="s3://imported/some/data.txt", artifact_class=dsl.Dataset, reimport=True)
    return read(data=got.output).output


def test_imported_objects_are_read(store, data_dir):
    bucket = store.bucket("imported")
    store.client.put_object(Bucket=bucket, Key="some/data.txt", Body=b"from elsewhere")
    with Server(data_dir, "--pipeline-root", f"s3://{bucket}/own", env=store.env) as server:
        client = kfp.Client(host=server.url)
        made = client.create_run_from_pipeline_func(brought, arguments={})
        assert made.wait_for_run_completion(timeout=60).state == "SUCCEEDED"
        assert "from elsewhere" in json.dumps(results(server, made.run_id))


def test_settings_of_kfp_tell_where_stores_are(store, data_dir):
    """The config map `kfp-launcher` and the secret that it names, and no variable of the environment."""
    bucket = store.bucket("settings")
    config_map = data_dir / "config-maps" / "kfp-launcher"
    config_map.mkdir(parents=True)
    (config_map / "defaultPipelineRoot").write_text(f"minio://{bucket}/v2/artifacts\n")
    (config_map / "providers").write_text(
        f"""
minio:
  default:
    endpoint: {store.url.removeprefix("http://")}
    region: us-east-1
    disableSSL: true
    forcePathStyle: true
    credentials:
      secretRef: {{secretName: store-keys, accessKeyKey: accesskey, secretKeyKey: secretkey}}
"""
    )
    secret = data_dir / "secrets" / "store-keys"
    secret.mkdir(parents=True)
    (secret / "accesskey").write_text("key")
    (secret / "secretkey").write_text("secret")
    nothing = {name: "" for name in store.env}
    with Server(data_dir, env=nothing) as server:
        client = kfp.Client(host=server.url)
        for root in (None, f"minio://{bucket}/own?region=us-east-1&disableSSL=true&s3ForcePathStyle=true"):
            made = client.create_run_from_pipeline_func(
                made_and_read, arguments={}, pipeline_root=root, enable_caching=False
            )
            assert made.wait_for_run_completion(timeout=60).state == "SUCCEEDED"
            place = "own" if root else "v2/artifacts"
            [artifact] = server.call("GET", f"/apis/ferroflow/v1/artifacts?run={made.run_id}&type=system.Dataset")["artifacts"]
            assert artifact["uri"].startswith(f"minio://{bucket}/{place}/made-and-read/{made.run_id}/")
            assert artifact["uri"].removeprefix(f"minio://{bucket}/") in store.keys(bucket)
    (config_map / "providers").write_text("minio: {default: {endpont: x}}")
    with pytest.raises(AssertionError, match="did not get ready"):
        Server(data_dir, env=nothing).start()
    log = (data_dir.parent / f"{data_dir.name}.server.log").read_text()
    assert "kfp-launcher" in log and "endpont" in log


@dsl.component
def leave(data: dsl.Output[dsl.Dataset]):
    with open(data.path, "w") as file:
        file.write("left here")


@dsl.pipeline(name="made-and-read")
def made_and_read() -> str:
    return read(data=leave().output).output


@dsl.component
def write_slowly(out: dsl.Output[dsl.Artifact]):
    import os

    os.makedirs(out.path)
    for number in range(300):
        with open(os.path.join(out.path, f"{number}"), "wb") as file:
            file.write(os.urandom(100_000))


@dsl.pipeline(name="interrupted")
def interrupted():
    write_slowly()


def test_a_killed_server_leaves_all_or_nothing(store, data_dir):
    bucket = store.bucket("killed")
    with Server(data_dir, env=store.env) as server:
        client = kfp.Client(host=server.url)
        made = client.create_run_from_pipeline_func(
            interrupted, arguments={}, pipeline_root=f"s3://{bucket}", enable_caching=False
        )
        # In the middle of the copying.
        wait_until(lambda: len(store.keys(bucket)) > 20, 60, "nothing is copied")
        server.kill()
        assert len(store.keys(bucket)) < 300, "it was too fast for this test"
        server.start()
        server.wait(made.run_id)
        assert server.call("GET", f"/apis/v2beta1/runs/{made.run_id}")["state"] == "SUCCEEDED"
        assert len(store.keys(bucket)) == 300


def test_garbage_is_collected_there_too(store, data_dir):
    bucket = store.bucket("garbage")
    with Server(data_dir, env=store.env) as server:
        client = kfp.Client(host=server.url)
        runs = []
        for _ in range(2):
            made = client.create_run_from_pipeline_func(
                made_and_read, arguments={}, pipeline_root=f"s3://{bucket}/root", enable_caching=False
            )
            assert made.wait_for_run_completion(timeout=60).state == "SUCCEEDED"
            runs.append(made.run_id)
        server.call("DELETE", f"/apis/v2beta1/runs/{runs[0]}")
    orphan = "root/some/pipeline/7c9e6679-7425-40de-944b-e07fc1f90ae7/task/out"
    others = ["root/notes/out", "elsewhere/7c9e6679-7425-40de-944b-e07fc1f90ae7/task/out"]
    for key in (orphan, *others):
        store.client.put_object(Bucket=bucket, Key=key, Body=b"x")

    def gc(*flags):
        done = run_cli("gc", *flags, data_dir=data_dir, env=store.env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    own = f"s3://{bucket}/root"
    before = store.keys(bucket)
    assert orphan.removesuffix("/task/out") in gc("--dry-run", "--gc-grace", "0s", "--own-root", own)
    assert store.keys(bucket) == before
    assert gc("--gc-grace", "0s").count("removed") == 1
    kept = [key for key in before if runs[0] not in key]
    assert store.keys(bucket) == kept, "what the removed run has made is gone, and nothing else"
    assert gc("--own-root", own) == "", "not while it may be new"
    assert gc("--gc-grace", "0s", "--own-root", own).count("removed") == 1
    assert store.keys(bucket) == [key for key in kept if key != orphan]


@dsl.component
def write_much(out: dsl.Output[dsl.Artifact]):
    import os

    os.makedirs(out.path)
    for number in range(3000):
        with open(os.path.join(out.path, f"{number}"), "wb") as file:
            file.write(os.urandom(1000))


@dsl.pipeline(name="much")
def much():
    write_much()


def test_the_stream_of_a_run_tells_how_far_copies_are(store, data_dir):
    bucket = store.bucket("progress")
    with Server(data_dir, env=store.env) as server:
        client = kfp.Client(host=server.url)
        made = client.create_run_from_pipeline_func(
            much, arguments={}, pipeline_root=f"s3://{bucket}", enable_caching=False
        )
        told = []
        with urllib.request.urlopen(f"{server.url}/apis/ferroflow/v1/runs/{made.run_id}/stream", timeout=60) as stream:
            for line in stream:
                if line.startswith(b'data: {"kind":"copies"'):
                    told.append(json.loads(line.removeprefix(b"data: "))["copies"])
                # The stream stays open, also if nothing was told.
                if line.startswith(b'data: {"kind":"run"') and b"SUCCEEDED" in line:
                    break
        server.wait(made.run_id)
    states = [copy for copies in told for copy in copies]
    assert states, "3,000 files take this store longer than a second"
    assert all(one["path"] == "write-much" and one["is_output"] for one in states)
    copied = [one["copied_bytes"] for one in states]
    assert copied == sorted(copied) and copied[-1] <= 3000 * 1000
    assert all(one["copied_bytes"] <= one["known_bytes"] for one in states)


def test_stores_that_do_not_answer_fail_the_task(store, data_dir):
    env = {**store.env, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    with Server(data_dir, env=env) as server:
        run_id, ended = run(server, interrupted, "nowhere")
        assert ended.state == "FAILED"
        text = json.dumps(results(server, run_id))
        assert "what the task has made cannot be kept" in text


def test_roots_that_are_odd_are_refused(store, data_dir):
    spec = json.loads(json.dumps({"pipelineInfo": {"name": "x"}}))
    with Server(data_dir, env=store.env) as server:
        for root, text in [
            ("s3://", "names no bucket"),
            ("s3://b/../c", "is odd"),
            ("s3://b/x?endpoint=http://elsewhere", "says endpoint `elsewhere`, but this server"),
            ("s3://b/x?profile=other", "says `profile`"),
            ("gopher://b", "gopher"),
        ]:
            path = os.path.join(data_dir, "x.yaml")
            compiler.Compiler().compile(interrupted, path)
            import yaml

            with open(path) as file:
                spec = yaml.safe_load(file)
            body = {"display_name": "x", "pipeline_spec": spec, "runtime_config": {"pipeline_root": root}}
            with pytest.raises(ApiError) as refused:
                server.call("POST", "/apis/v2beta1/runs", body)
            assert refused.value.status == 400 and text in refused.value.body, refused.value.body


def test_places_that_kfp_hands_out_lead_to_artifacts_and_nowhere_else(store, data_dir):
    bucket, other = store.bucket("places"), store.bucket("others")
    store.client.put_object(Bucket=other, Key="secret", Body=b"hidden words")
    with Server(data_dir, env=store.env) as server:
        run_id, ended = run(server, far, bucket, rows=5)
        assert ended.state == "SUCCEEDED"
        keys = store.keys(bucket)
        table = next(key for key in keys if key.endswith("/table"))
        beside = f"root/far/{run_id}/beside"
        store.client.put_object(Bucket=bucket, Key=beside, Body=b"hidden words")

        def get(**query):
            return server.call("GET", f"/artifacts/get?{urllib.parse.urlencode(query)}", raw=True)

        assert get(source="s3", bucket=bucket, key=table, namespace="kubeflow") == "0\n1\n2\n3\n4\n"
        assert get(source="s3", bucket=bucket, key=table, peek=4) == "0\n1\n"
        for base in ("", "/pipeline"):
            assert server.call("GET", f"{base}/artifacts/s3/{bucket}/{table}", raw=True) == "0\n1\n2\n3\n4\n"
        odd = next(key for key in keys if key.endswith("/7 ä~#%.txt"))
        assert server.call("GET", f"/artifacts/s3/{bucket}/{urllib.parse.quote(odd)}", raw=True) == "7"

        task = next(one for one in results(server, run_id)["tasks"] if one["path"] == "make")
        read = f"/apis/v1beta1/runs/{run_id}/nodes/{task['task_id']}/artifacts"
        assert base64.b64decode(server.call("GET", f"{read}/table:read")["data"]) == b"0\n1\n2\n3\n4\n"

        folder = table.rsplit("/", 1)[0]
        refused = [
            # What is not recorded: another bucket, another file of the run, the folder above, another store.
            ({"bucket": other, "key": "secret"}, 404),
            ({"bucket": bucket, "key": beside}, 404),
            ({"bucket": bucket, "key": folder}, 404),
            ({"bucket": other, "key": table}, 404),
            ({"source": "minio", "bucket": bucket, "key": table}, 404),
            # Steps upwards, plain and encoded, and other ways out.
            ({"bucket": bucket, "key": f"{table}/../../../../../../{other}/secret"}, 404),
            ({"bucket": bucket, "key": f"{table}/%2e%2e/beside"}, 404),
            ({"bucket": bucket, "key": f"{table}/../beside"}, 404),
            ({"bucket": f"{bucket}/{folder}", "key": "../../secret"}, 404),
            ({"bucket": bucket, "key": f"/{table}"}, 404),
            ({"bucket": f"x@127.0.0.1:9/{run_id}", "key": table}, 404),
            # Other kinds of places.
            ({"source": "http", "bucket": "169.254.169.254", "key": f"latest/{run_id}"}, 400),
            ({"source": "https", "bucket": "localhost", "key": "x"}, 400),
            ({"source": "volume", "bucket": "artifact", "key": "../../etc/passwd"}, 400),
            ({"source": "file", "bucket": "etc", "key": "passwd"}, 400),
            ({"source": "s3", "bucket": bucket}, 400),
            ({"bucket": bucket, "key": table, "peek": "-1"}, 400),
        ]
        for query, status in refused:
            with pytest.raises(ApiError) as error:
                get(**{"source": "s3", **query})
            assert error.value.status == status and "hidden words" not in error.value.body, (query, error.value.body)
        # A provider of the request's own choice is not asked.
        elsewhere = json.dumps({"Provider": "s3", "Params": {"endpoint": "127.0.0.1:9", "fromEnv": "true"}})
        assert get(source="s3", bucket=bucket, key=table, providerInfo=elsewhere) == "0\n1\n2\n3\n4\n"
