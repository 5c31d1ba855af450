"""A store that speaks S3: a server of this machine, and a client that sees what is in it."""

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


def until_open(server, port):
    """Waits until a server of ours listens."""
    for _ in range(300):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert server.poll() is None, "the store has ended"
            time.sleep(0.1)
    raise AssertionError("the store does not listen")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Store:
    def __init__(self, url):
        self.url = url
        self.env = {**KEYS, "AWS_ENDPOINT_URL": url}
        self.client = boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            region_name="us-east-1",
        )

    def bucket(self, name):
        self.client.create_bucket(Bucket=name)
        return name

    def keys(self, bucket):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return sorted(item["Key"] for page in pages for item in page.get("Contents", []))

    def read(self, bucket, key):
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()


@contextlib.contextmanager
def serving():
    """A store for as long as the block lasts."""
    port = free_port()
    program = Path(sys.executable).parent / "moto_server"
    moto = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until_open(moto, port)
        yield Store(f"http://127.0.0.1:{port}")
    finally:
        moto.kill()
        moto.wait()
