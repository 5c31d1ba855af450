"""Starts a server, loads the sample pipelines through its API, runs the training one, and keeps serving.

`make run` calls it. It needs the standard library only: a server is an ordinary HTTP service.
"""

import argparse
import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent / "pipelines"
TRAINING = "train_flowers"


def call(url, body=None, content_type="application/json"):
    request = urllib.request.Request(url, data=body, headers={"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def upload(url, file):
    """Uploads a pipeline; returns its ids, or those of the pipeline that has the name already."""
    name = file.stem.replace("_", "-")
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="uploadfile"; filename="{file.name}"\r\n\r\n'
    body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    address = f"{url}/apis/v2beta1/pipelines/upload?{urllib.parse.urlencode({'name': name})}"
    try:
        return call(address, body, f"multipart/form-data; boundary={boundary}")["pipeline_id"]
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise
        return call(f"{url}/apis/v2beta1/pipelines/names/{name}")["pipeline_id"]


def run_to_its_end(url, pipeline_id):
    wanted = {
        "display_name": "first training",
        "pipeline_version_reference": {"pipeline_id": pipeline_id},
    }
    run_id = call(f"{url}/apis/v2beta1/runs", json.dumps(wanted).encode())["run_id"]
    while True:
        results = call(f"{url}/apis/ferroflow/v1/runs/{run_id}")
        if results["state"] in ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"):
            return results
        time.sleep(0.1)


def tell(url, results):
    print(f"\nThe run `{results['display_name']}` {results['state'].lower()} in {results['seconds']:.1f} s.")
    for name, value in results["outputs"].get("parameters", {}).items():
        print(f"  {name} = {json.dumps(value)}")
    for name, artifacts in results["outputs"].get("artifacts", {}).items():
        for artifact in artifacts:
            print(f"  {name}: {artifact['type']} at {artifact['uri']}")
    print(f"\nSee it at {url}/#/runs/details/{results['run_id']}")
    print(f'From Python: kfp.Client(host="{url}"). Ctrl-C ends the server.\n', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("--binary", "--data-dir", "--listen"):
        parser.add_argument(flag, required=True)
    given = parser.parse_args()
    command = [given.binary, "up", "--listen", given.listen, "--data-dir", given.data_dir]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    # Ctrl-C reaches the server as well: it ends, and so does this script.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    line = server.stdout.readline()
    ready = re.search(r"ready: (http://\S+)", line)
    if not ready:
        return server.wait()
    print(line, end="", flush=True)
    url = ready.group(1)
    state = "FAILED"
    try:
        pipelines = {file.stem: upload(url, file) for file in sorted(SAMPLES.glob("*.yaml"))}
        print(f"Loaded {', '.join(pipelines)}; running {TRAINING} …", flush=True)
        results = run_to_its_end(url, pipelines[TRAINING])
        state = results["state"]
        tell(url, results)
    except OSError as error:
        print(f"The server at {url} does not answer: {error}", file=sys.stderr)
    if state != "SUCCEEDED":
        server.terminate()
        server.wait()
        return 1
    return server.wait()


sys.exit(main())
