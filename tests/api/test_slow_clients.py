"""Clients that send or read too slowly: they are hung up on, and cost others nothing meanwhile."""

import os
import socket
import time
import urllib.parse
from pathlib import Path

from ferroflow import shell_pipeline

EACH = 40
# The longest of the server's limits, and then some.
PATIENCE = 90


def memory(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def sockets(pid):
    links = Path(f"/proc/{pid}/fd").iterdir()
    return sum(os.path.islink(link) and os.readlink(link).startswith("socket:") for link in links)


def connect(server):
    address = urllib.parse.urlsplit(server.url)
    connection = socket.socket()
    # Little that the kernel takes in our stead.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((address.hostname, address.port))
    return connection


def request(text):
    return (text.replace("\n", "\r\n") + "\r\n\r\n").encode()


def test_slow_clients_are_hung_up_on(server):
    text = "x" * (3 << 20)
    spec = shell_pipeline("wide", {"say": "echo said"})
    spec["root"]["inputDefinitions"] = {"parameters": {"text": {"parameterType": "STRING"}}}
    body = {"display_name": "wide", "pipeline_spec": spec, "runtime_config": {"parameters": {"text": text}}}
    run = server.call("POST", "/apis/v2beta1/runs", body)["run_id"]
    server.wait(run)
    before, open_before = memory(server.process.pid), sockets(server.process.pid)

    half_headers = [connect(server) for _ in range(EACH)]
    half_bodies = [connect(server) for _ in range(EACH)]
    readers = [connect(server) for _ in range(EACH)]
    for connection in half_headers:
        connection.sendall(b"GET /apis/v2beta1/runs HTTP/1.1\r\nHost: localhost\r\nX-A")
    for connection in half_bodies:
        head = "POST /apis/v2beta1/runs HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 900000"
        connection.sendall(request(head) + b'{"display_name": "')
    for connection in readers:
        connection.sendall(request(f"GET /apis/v2beta1/runs/{run} HTTP/1.1\nHost: localhost"))

    # Others are answered.
    for _ in range(20):
        assert server.call("GET", "/apis/v2beta1/healthz")["multi_user"] is False
    most = memory(server.process.pid)
    # Of the server's sockets: a client that reads nothing is not told.
    end = time.monotonic() + PATIENCE
    while sockets(server.process.pid) > open_before and time.monotonic() < end:
        most = max(most, memory(server.process.pid))
        time.sleep(1)
    assert sockets(server.process.pid) <= open_before
    # An answer of 3 MiB for each reader, whole and as text, and little else.
    assert most - before < EACH * 3 * 3 + 100
    assert server.call("GET", f"/apis/v2beta1/runs/{run}")["state"] == "SUCCEEDED"
