"""Pipelines imported by URL: what is fetched, and what a server must not be talked into fetching."""

import http.server
import threading

import pytest

from ferroflow import SAMPLES, ApiError, Server

PIPELINE = (SAMPLES / "hello_world.yaml").read_bytes()


class Files(http.server.BaseHTTPRequestHandler):
    """Serves the sample below any name, and redirects."""

    def do_GET(self):
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        if self.path.startswith("/loop"):
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
            return
        status = 404 if self.path.startswith("/missing") else 200
        body = b"x" * (33 << 20) if self.path.startswith("/huge") else PIPELINE
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass

    def log_message(self, *_):
        pass


@pytest.fixture
def files():
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{web.server_address[1]}"
    web.shutdown()


def create(server, url, **fields):
    body = {"pipeline": fields, "pipeline_version": {"package_url": {"pipeline_url": url}}}
    return server.call("POST", "/apis/v2beta1/pipelines/create", body)


def refusal(ask) -> str:
    with pytest.raises(ApiError) as failure:
        ask()
    assert failure.value.status == 400
    return failure.value.body


def test_a_pipeline_and_a_version_come_from_a_url(data_dir, files):
    with Server(data_dir, env={"PIPELINE_URL_VALIDATION_ENABLED": "false"}) as server:
        made = create(server, f"{files}/hello.yaml", description="imported")
        assert (made["name"], made["description"]) == ("hello.yaml", "imported")
        versions = f"/apis/v2beta1/pipelines/{made['pipeline_id']}/versions"
        [first] = server.call("GET", versions)["pipeline_versions"]
        assert first["package_url"] == {"pipeline_url": f"{files}/hello.yaml"}
        assert first["pipeline_spec"]["pipelineInfo"]["name"] == "hello-world"
        url = f"{files}/to/{files}/again.yaml"
        body = {"pipeline_id": made["pipeline_id"], "name": "second", "package_url": {"pipeline_url": url}}
        second = server.call("POST", versions, body)
        assert second["name"] == "second"
        for path, words in (("missing.yaml", "404"), ("huge.yaml", "32 MiB"), ("loop", "redirects")):
            assert words in refusal(lambda: create(server, f"{files}/{path}", name=path))
        assert "package_url" in refusal(lambda: create(server, "", name="nothing"))
        assert server.call("GET", "/apis/v2beta1/pipelines")["total_size"] == 1


def test_the_network_behind_the_server_is_not_reached(data_dir, files):
    port = files.rsplit(":", 1)[1]
    with Server(data_dir) as server:
        for url in (files, f"https://127.0.0.1:{port}/", "https://169.254.169.254/latest", "file:///etc/passwd"):
            refusal(lambda: create(server, url, name="x"))
        assert "PIPELINE_URL_ALLOWED_DOMAINS" in refusal(lambda: create(server, "https://example.test/p.yaml"))
    # All names and http are allowed: addresses are checked all the same, also behind names and in redirects.
    open_to_names = {"PIPELINE_URL_ALLOWED_DOMAINS": "*", "PIPELINE_URL_ALLOW_HTTP": "true"}
    with Server(data_dir, env=open_to_names) as server:
        assert "this machine or its network" in refusal(lambda: create(server, "http://localhost/p.yaml"))
        assert "this machine or its network" in refusal(lambda: create(server, "http://127.0.0.1/p.yaml"))
        assert server.call("GET", "/apis/v2beta1/pipelines") == {}
