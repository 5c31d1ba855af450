"""A registry with one tiny image, on loopback, for which Docker asks no encryption."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IMAGE_NAME = "ferroflow/tiny"
ACCOUNT = base64.b64encode(b"ann:secret").decode()
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _image():
    """The manifest and the blobs of an image that holds one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("readme")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"tiny"))
    layer = gzip.compress(packed.getvalue())
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [_digest(packed.getvalue())]},
    }).encode()
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": _digest(config)},
        "layers": [{
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": len(layer), "digest": _digest(layer),
        }],
    }).encode()
    return manifest, {_digest(content): content for content in (manifest, config, layer)}


class Registry:
    """Answers while the `with` lasts; `image` is the full name of what it has. A private one answers ACCOUNT only."""

    def __init__(self, is_private=False):
        self._is_private = is_private

    def __enter__(self):
        manifest, blobs = _image()
        is_private = self._is_private

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if is_private and self.headers.get("Authorization") != f"Basic {ACCOUNT}":
                    return self.answer(401, b"{}", "application/json")
                if self.path == "/v2/":
                    return self.answer(200, b"{}", "application/json")
                last = self.path.rsplit("/", 1)[-1]
                if f"/{IMAGE_NAME}/" in self.path and (last == "latest" or last in blobs):
                    content = manifest if last == "latest" else blobs[last]
                    return self.answer(200, content, MANIFEST if content == manifest else "application/octet-stream")
                unknown = json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}).encode()
                return self.answer(404, unknown, "application/json")

            do_HEAD = do_GET

            def answer(self, code, content, kind):
                self.send_response(code)
                if code == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="tests"')
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Docker-Content-Digest", _digest(content))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.image = f"{self.host}/{IMAGE_NAME}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
