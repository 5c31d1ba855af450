"""TLS in front of REST, the page and gRPC, with a certificate made on the spot."""

import json
import socket
import ssl
import subprocess
from pathlib import Path

import grpc
import kfp
import pytest

from ferroflow import Server, binary, shell_pipeline


@pytest.fixture
def certificate(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


def test_everything_is_spoken_over_tls(data_dir, certificate):
    cert, key = certificate
    with Server(data_dir, "--tls-cert", str(cert), "--tls-key", str(key)) as server:
        assert server.url.startswith("https://")
        client = kfp.Client(host=server.url, ssl_ca_cert=str(cert))
        assert client.get_kfp_healthz().multi_user is False
        address = server.url.removeprefix("https://")
        with grpc.secure_channel(address, grpc.ssl_channel_credentials(cert.read_bytes())) as channel:
            ask = channel.unary_unary("/grpc.health.v1.Health/Check")
            assert ask(b"", timeout=10) == b"\x08\x01"
        # The command line asks the server that holds the directory, by its certificate.
        pipeline = Path(data_dir).parent / "said.json"
        pipeline.write_text(json.dumps(shell_pipeline("said", {"say": "echo said over TLS"})))
        flags = ["--data-dir", str(data_dir)]
        ran = subprocess.run([binary(), "run", pipeline, "--json", *flags], capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        run_id = json.loads(ran.stdout)["run_id"]
        log = subprocess.run([binary(), "logs", run_id, "say", *flags], capture_output=True, text=True, timeout=60)
        assert log.stdout == "said over TLS\n", log.stderr
        # Whoever does not begin TLS, or does not trust the certificate, gets nothing.
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert not plain.recv(100).startswith(b"HTTP/1.1 200")
        with pytest.raises(ssl.SSLError):
            ssl.create_default_context().wrap_socket(
                socket.create_connection((host, int(port))), server_hostname="localhost"
            )


def test_files_that_are_no_certificates_are_named(data_dir, certificate, tmp_path):
    cert, key = certificate
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")
    for words in ([str(broken), str(key)], [str(cert), str(broken)], [str(cert), str(tmp_path / "missing.pem")]):
        server = Server(data_dir, "--tls-cert", words[0], "--tls-key", words[1])
        with pytest.raises(AssertionError):
            server.start()
        log = (data_dir.parent / f"{data_dir.name}.server.log").read_text()
        assert "in PEM form" in log
