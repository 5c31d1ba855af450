"""Weaknesses that were published of Kubeflow Pipelines' own server of artifacts, played against this one.

Numbers are those of CVEs, and of issues and pull requests of kubeflow/pipelines.
"""

import http.server
import json
import threading
import urllib.error
import urllib.parse
import urllib.request

import kfp
import pytest
import yaml
from kfp import compiler, dsl

from ferroflow import ApiError, Server

SCRIPT = "<script>alert(document.cookie)</script>"


@dsl.component
def make(page: dsl.Output[dsl.HTML], plain: dsl.Output[dsl.Artifact]):
    for artifact in (page, plain):
        with open(artifact.path, "w") as file:
            file.write("<script>alert(document.cookie)</script>")
    print("<script>alert(document.cookie)</script>")


@dsl.pipeline(name="weak")
def weak():
    make()


class Trap:
    """A machine that nobody should be made to talk to, and what it was asked."""

    def __init__(self):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.path, dict(self.headers)))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"caught")

            do_POST = do_PUT = do_HEAD = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.host = f"127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def trap():
    trap = Trap()
    yield trap
    trap.server.shutdown()


@pytest.fixture(scope="module")
def place(store, tmp_path_factory):
    """A server with a run whose artifacts are in the store."""
    folder = tmp_path_factory.mktemp("weak") / "data"
    folder.mkdir()
    bucket = store.bucket("weak")
    store.client.put_object(Bucket=store.bucket("others"), Key="secret", Body=b"hidden words")
    with Server(folder, env=store.env) as server:
        made = kfp.Client(host=server.url).create_run_from_pipeline_func(
            weak, arguments={}, pipeline_root=f"s3://{bucket}/root", enable_caching=False
        )
        assert made.wait_for_run_completion(timeout=60).state == "SUCCEEDED"
        keys = {key.rsplit("/", 1)[1]: key for key in store.keys(bucket)}
        yield server, bucket, keys, made.run_id


def ask(server, path, method="GET", body=None):
    """Status, headers and text, whatever they are."""
    headers = {"Content-Type": "application/json"} if body else {}
    request = urllib.request.Request(server.url + path, method=method, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode(errors="replace")


def artifact(server, **query):
    return ask(server, f"/artifacts/get?{urllib.parse.urlencode(query)}")


def test_a_namespace_does_not_choose_a_machine(place, trap):
    """CVE-2023-6570: the name of a machine was made of the parameter `namespace`."""
    server, bucket, keys, _ = place
    for namespace in (trap.host, f"x@{trap.host}", f"x.{trap.host}/", "../../etc", f"http://{trap.host}"):
        status, _, text = artifact(server, source="s3", bucket=bucket, key=keys["page"], namespace=namespace)
        # It says nothing to a server without namespaces.
        assert (status, text) == (200, SCRIPT)
        assert artifact(server, source="minio", bucket="b", key="k", namespace=namespace)[0] == 404
    assert trap.asked == []


def test_an_artifact_does_not_choose_a_machine(place, trap):
    """14046: what a URI or a request said of its store went before what the administrator had said."""
    server, bucket, keys, _ = place
    params = {"fromEnv": "true", "endpoint": trap.host, "region": "r", "disableSSL": "true", "forcePathStyle": "true"}
    info = json.dumps({"Provider": "s3", "Params": params})
    status, _, text = artifact(server, source="s3", bucket=bucket, key=keys["page"], providerInfo=info)
    assert (status, text) == (200, SCRIPT)
    for key in (f"{keys['page']}?endpoint={trap.host}&disableSSL=true", f"k?endpoint={trap.host}"):
        assert artifact(server, source="s3", bucket=bucket, key=key)[0] == 404
    with pytest.raises(ApiError) as refused:
        path = server.data_dir.parent / "weak.yaml"
        compiler.Compiler().compile(weak, str(path))
        root = f"s3://{bucket}/x?endpoint={trap.host}&disableSSL=true&s3ForcePathStyle=true"
        body = {"pipeline_spec": yaml.safe_load(path.read_text()), "runtime_config": {"pipeline_root": root}}
        server.call("POST", "/apis/v2beta1/runs", {"display_name": "x", **body})
    assert refused.value.status == 400 and "endpoint" in refused.value.body
    assert trap.asked == []


def test_addresses_of_the_web_are_not_fetched_for_requests(place, trap):
    """The sources `http` and `https` fetched what a request named; so did imports of pipelines, before they had rules."""
    server, *_ = place
    for source in ("http", "https"):
        for bucket, key in ((trap.host, "x"), ("169.254.169.254", "latest/meta-data"), ("localhost", "x")):
            status, _, text = artifact(server, source=source, bucket=bucket, key=key)
            assert status in (400, 404) and "caught" not in text
    for url in (f"http://{trap.host}/p.yaml", f"https://{trap.host}/p.yaml", "file:///etc/passwd", "gopher://x/"):
        with pytest.raises(ApiError) as refused:
            body = {"display_name": "x", "name": "x"}
            pipeline = server.call("POST", "/apis/v2beta1/pipelines", {**body, "name": f"p{abs(hash(url))}"})
            address = f"/apis/v2beta1/pipelines/{pipeline['pipeline_id']}/versions"
            server.call("POST", address, {**body, "package_url": {"pipeline_url": url}})
        assert refused.value.status == 400, refused.value.body
    assert trap.asked == []


def test_nothing_beside_the_artifacts_is_read(place):
    """Buckets and keys were read as named (6662, 9889); `volume` followed `..` and links."""
    server, bucket, keys, _ = place
    folder = keys["page"].rsplit("/", 1)[0]
    for query in (
        {"source": "s3", "bucket": "others", "key": "secret"},
        {"source": "s3", "bucket": bucket, "key": f"{folder}/../../../../../others/secret"},
        {"source": "s3", "bucket": f"{bucket}/../others", "key": "secret"},
        {"source": "s3", "bucket": bucket, "key": f"{keys['page']}/../plain"},
        {"source": "s3", "bucket": bucket, "key": f"{folder}/%2e%2e/secret"},
        {"source": "volume", "bucket": "artifact", "key": "../../../../../../etc/passwd"},
        {"source": "volume", "bucket": "..", "key": "etc/passwd"},
        {"source": "file", "bucket": "", "key": "/etc/passwd"},
    ):
        status, _, text = artifact(server, **query)
        assert status in (400, 404) and "hidden words" not in text and "root:" not in text, (query, text)
    for path in (
        f"/artifacts/s3/{bucket}/{folder}/..%2f..%2f..%2f..%2fothers/secret",
        "/artifacts/s3/others/secret",
        "/artifacts/volume/artifact/..%252f..%252fetc%252fpasswd",
        "/k8s/pod/logs?podname=..%2f..%2fetc%2fpasswd&podnamespace=kubeflow",
        "/../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
    ):
        status, _, text = ask(server, path)
        assert "hidden words" not in text and "root:" not in text, (path, status)


def test_what_tasks_have_written_is_never_a_page_of_ours(place):
    """14263: artifacts and logs were shown in the page's own origin."""
    server, bucket, keys, run_id = place
    ids = {one["name"]: one["artifact_id"] for one in server.call("GET", f"/apis/ferroflow/v1/artifacts?run={run_id}")["artifacts"]}
    task = next(one for one in server.results(run_id)["tasks"] if one["path"] == "make")["task_id"]
    logs = [f"/apis/v1beta1/runs/{run_id}/nodes/{task}/log", f"/apis/v2beta1/runs/{run_id}/nodes/{task}/log"]
    logs += [f"/apis/ferroflow/v1/runs/{run_id}/tasks/make/log/raw", f"/k8s/pod/logs?podname={task}&runid={run_id}"]
    own = [f"/apis/ferroflow/v1/artifacts/{number}/content" for number in ids.values()]
    old = [f"/artifacts/get?source=s3&bucket={bucket}&key={urllib.parse.quote(keys[name])}" for name in ids]
    seen = 0
    for path in logs + own + old:
        status, headers, text = ask(server, path)
        if status != 200:
            assert SCRIPT not in text, path
            continue
        seen += SCRIPT in text
        assert headers["x-content-type-options"] == "nosniff", path
        kind = headers["content-type"] or ""
        policy = headers.get("content-security-policy") or ""
        is_boxed = policy.startswith("sandbox") and "allow-same-origin" not in policy
        assert is_boxed or not any(word in kind for word in ("html", "svg", "xml")), (path, kind, policy)
    assert seen >= 7


def test_errors_are_no_pages(place):
    """12670: the text of an error held the key of the request, as HTML."""
    server, bucket, *_ = place
    for key in (SCRIPT, SCRIPT + "a" * 2000):
        for path in (
            f"/artifacts/get?source=s3&bucket={bucket}&key={urllib.parse.quote(key)}",
            f"/artifacts/get?source={urllib.parse.quote(key)}&bucket=b&key=k",
            f"/apis/ferroflow/v1/artifacts/{urllib.parse.quote(key, safe='')}",
            f"/apis/v2beta1/runs/{urllib.parse.quote(key, safe='')}",
            f"/{urllib.parse.quote(key)}",
        ):
            status, headers, text = ask(server, path)
            assert status >= 400 and "html" not in (headers["content-type"] or ""), (path, status, headers["content-type"])
            assert headers["x-content-type-options"] == "nosniff", path


def test_nobody_is_talked_to_on_behalf_of_a_request(place, trap):
    """13510: a proxy to any machine. 14436: pods by the words of a request. The server of visualizations ran code."""
    server, *_ = place
    spec = urllib.parse.quote(json.dumps({"spec": {"hostNetwork": True, "containers": [{"image": "x"}]}}))
    for method, path in (
        ("GET", f"/_proxy/http://{trap.host}/x"),
        ("GET", f"/_proxy/{urllib.parse.quote(f'http://{trap.host}/x', safe='')}"),
        ("GET", f"/apis/v1beta1/_proxy/{trap.host}/x"),
        ("GET", f"/apps/tensorboard/proxy/{trap.host}/x"),
        ("GET", f"/apps/tensorboard?logdir=http://{trap.host}&namespace=kubeflow"),
        ("POST", f"/apps/tensorboard?logdir=x&namespace=kubeflow&image=x&podtemplatespec={spec}"),
        ("POST", "/apis/v1beta1/visualizations/kubeflow"),
    ):
        status, _, text = ask(server, path, method, b"{}" if method == "POST" else None)
        assert status in (404, 405, 410, 501) and "caught" not in text, (path, status)
    assert trap.asked == []
