"""Every call, sent what no call wants: never a failure of the server, never a hang, never half an object.

The calls come from the OpenAPI document and from the lists below, so that a new call of the protos is tested as well.
"""

import http.client
import itertools
import json
import urllib.parse

import pytest

# Calls that no proto knows; `{x}` is a field of the path.
OTHERS = [
    ("GET", "/apis/v1beta1/pipelines"),
    ("GET", "/apis/v1beta1/pipelines/{x}"),
    ("DELETE", "/apis/v1beta1/pipelines/{x}"),
    ("GET", "/apis/v1beta1/pipelines/{x}/templates"),
    ("GET", "/apis/v1beta1/pipeline_versions"),
    ("GET", "/apis/v1beta1/pipeline_versions/{x}"),
    ("GET", "/apis/v1beta1/runs"),
    ("GET", "/apis/v1beta1/runs/{x}"),
    ("POST", "/apis/v1beta1/runs"),
    ("GET", "/apis/v1beta1/experiments/{x}"),
    ("GET", "/apis/v1beta1/jobs/{x}"),
    ("GET", "/apis/v2beta1/runs/{x}/nodes/{x}/log"),
    ("GET", "/apis/v2beta1/runs/{x}/nodes/{x}/artifacts/{x}:read"),
    ("GET", "/k8s/pod"),
    ("GET", "/k8s/pod/logs"),
    ("GET", "/k8s/pod/events"),
    ("GET", "/artifacts/get"),
    ("GET", "/artifacts/minio/{x}/{x}"),
    ("GET", "/metrics"),
    ("GET", "/apis/ferroflow/v1/runs/{x}"),
    ("POST", "/apis/ferroflow/v1/runs/{x}:retry"),
    ("GET", "/apis/ferroflow/v1/bootstrap"),
    ("GET", "/apis/ferroflow/v1/home"),
    ("GET", "/apis/ferroflow/v1/search"),
    ("GET", "/apis/ferroflow/v1/system"),
    ("GET", "/apis/ferroflow/v1/runs"),
    ("GET", "/apis/ferroflow/v1/runs/facets"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/overview"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/state"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/graph"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/timeline"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/artifacts"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/stream"),
    ("GET", "/apis/ferroflow/v1/compare"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/tasks/{x}"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/tasks/{x}/cache"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/tasks/{x}/log"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/tasks/{x}/log/search"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/tasks/{x}/log/raw"),
    ("GET", "/apis/ferroflow/v1/runs/{x}/tasks/{x}/log/stream"),
    ("GET", "/apis/ferroflow/v1/pipelines"),
    ("GET", "/apis/ferroflow/v1/pipelines/{x}/matrix"),
    ("GET", "/apis/ferroflow/v1/versions/{x}/graph"),
    ("GET", "/apis/ferroflow/v1/versions/{x}/diff"),
    ("GET", "/apis/ferroflow/v1/experiments"),
    ("GET", "/apis/ferroflow/v1/artifacts"),
    ("GET", "/apis/ferroflow/v1/artifacts/{x}"),
    ("GET", "/apis/ferroflow/v1/artifacts/{x}/preview"),
    ("GET", "/apis/ferroflow/v1/artifacts/{x}/content"),
    ("GET", "/apis/ferroflow/v1/artifacts/{x}/lineage"),
]

TEXTS = [
    "' OR 1=1 --",
    "'; DROP TABLE runs; --",
    "../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "\0",
    "a\nb",
    "x" * 3000,
    "\U0001f980 ünïcode",
    "{{$.inputs}}",
    "%s%n",
    "-1",
    "99999999999999999999",
    "00000000-0000-0000-0000-000000000000",
    "file:///etc/passwd",
    "",
]

# Bodies that are no request of anybody.
BODIES = [
    b"",
    b"null",
    b"[]",
    b"1",
    b'"text"',
    b"{",
    b'{"a":',
    b"\xff\xfe\x00",
    b'{"\xff": 1}',
    b'{"surprise": 1}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"display_name": 1, "name": [], "description": {}}',
    b'{"display_name": "\\ud800"}',
]

VALUES = [None, True, 1, -1.5, "x", [], {}, [[1]], {"a": {"b": 1}}]


class Sender:
    """Sends what it is told over connections of its own and notes what came back."""

    def __init__(self, server):
        self.host = server.url.removeprefix("http://")
        self.sent = 0

    def __call__(self, method, path, body=None, content_type="application/json"):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        headers = {"Content-Type": content_type} if content_type else {}
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        # Answers to a bad request are short, and a stream would never end.
        content = answer.read(1 << 20)
        connection.close()
        self.sent += 1
        status = answer.status
        assert status < 500 or status == 501, f"{method} {path} {body!r:.200}: {status} {content!r:.500}"
        if status >= 400 and path.startswith("/apis/v2beta1"):
            told = json.loads(content)
            text = told.get("message") or told["error_message"]
            assert text and "SELECT" not in text and "panicked" not in text, told
        return status, content


@pytest.fixture
def send(server):
    return Sender(server)


@pytest.fixture(scope="session")
def calls(document):
    known = [(verb.upper(), path) for path, verbs in document["paths"].items() for verb in verbs]
    return known + OTHERS


def filled(path, text):
    """The path with a text in every field."""
    quoted = urllib.parse.quote(text, safe="") or "x"
    parts = path.split("{")
    return parts[0] + "".join(quoted + part.split("}", 1)[1] for part in parts[1:])


def counts(send):
    """How many objects of each kind there are."""
    found = {}
    for kind in ("pipelines", "experiments", "runs", "recurringruns"):
        found[kind] = json.loads(send("GET", f"/apis/v2beta1/{kind}")[1]).get("total_size", 0)
    return found


def test_texts_in_paths_and_parameters(send, calls):
    before = counts(send)
    names = ["page_token", "page_size", "sort_by", "filter", "namespace", "experiment_id", "podname", "q", "runs", "id"]
    for (method, path), text in itertools.product(calls, TEXTS):
        query = urllib.parse.urlencode({name: text for name in names})
        send(method, filled(path, text))
        send(method, f"{filled(path, 'x')}?{query}")
    assert counts(send) == before
    assert send.sent > 1500


def test_bodies_that_are_no_requests(send, calls):
    before = counts(send)
    for (method, path), body in itertools.product(calls, BODIES):
        if method in ("POST", "PATCH", "PUT"):
            status, _ = send(method, filled(path, "00000000-0000-4000-8000-000000000000"), body)
            assert status >= 400, (method, path, body[:100])
    assert counts(send) == before


def test_fields_of_wrong_types(send, document):
    before = counts(send)
    made = 0
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            properties = properties_of(document, content["schema"])
            for name, value in itertools.product(properties, VALUES):
                body = json.dumps({name: value}).encode()
                status, _ = send(verb.upper(), filled(path, "00000000-0000-4000-8000-000000000000"), body)
                made += status == 200
    # A name alone is enough for some objects; nothing else was made.
    assert sum(counts(send).values()) - sum(before.values()) <= made


def properties_of(document, schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema.get("properties", {})


def test_ids_of_another_kind_and_foreign_tokens(send, server):
    experiment = json.loads(send("GET", "/apis/v2beta1/experiments")[1])["experiments"][0]["experiment_id"]
    for path in (f"/runs/{experiment}", f"/pipelines/{experiment}", f"/recurringruns/{experiment}"):
        assert send("GET", f"/apis/v2beta1{path}")[0] == 404
        assert send("DELETE", f"/apis/v2beta1{path}")[0] == 404
    for name in ("one", "two", "three"):
        server.call("POST", "/apis/v2beta1/experiments", {"display_name": f"token {name}"})
    page = server.call("GET", "/apis/v2beta1/experiments?page_size=1&sort_by=created_at")
    token = page["next_page_token"]
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    for path in (
        f"/runs?page_token={token}",
        f"/pipelines?page_token={token}",
        f"/experiments?page_token={forged}",
        f"/experiments?page_token={token}&sort_by=name",
        f"/experiments?page_token={'0' * 200}",
    ):
        assert send("GET", f"/apis/v2beta1{path}")[0] == 400, path
    assert send("GET", f"/apis/v2beta1/experiments?page_token={token}")[0] == 200


def test_a_body_that_is_too_large_is_refused(send):
    status, _ = send("POST", "/apis/v2beta1/experiments", b'{"display_name": "' + b"x" * (33 << 20) + b'"}')
    assert status in (400, 413)
