"""Scenarios of what KFP's own API tests ask, as steps in YAML; README.md says which test is which scenario.

A step sends one request (`get`, `post`, `patch`, `delete`, or `upload` with a `file`) and says what must come back:
`status` (200 if not said), `expect` (fields that the answer must have; `null` for one that must be absent), `values` (the
values of a field in the items of a list, in their order), `error` (words of the message). `save` keeps fields for later steps, which say
`${name}`; `${unique}` is a word of this run of the scenario. `until` repeats a step until the answer is as expected.
"""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

import pytest
import yaml

from ferroflow import SAMPLES

FOLDER = Path(__file__).parent / "scenarios"
FILES = {"hello": SAMPLES / "hello_world.yaml", "flowers": SAMPLES / "train_flowers.yaml"}


def scenarios():
    for path in sorted(FOLDER.glob("*.yaml")):
        for scenario in yaml.safe_load(path.read_text()):
            yield pytest.param(scenario, id=f"{path.stem}: {scenario['name']}")


class Player:
    """Plays the steps of one scenario."""

    def __init__(self, server):
        self.server = server
        self.saved = {"unique": uuid.uuid4().hex[:10]}

    def fill(self, value):
        """The value with what was saved in place of `${name}`."""
        if isinstance(value, str):
            for name, saved in self.saved.items():
                value = value.replace("${" + name + "}", str(saved))
            return value
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {self.fill(key): self.fill(item) for key, item in value.items()}
        return value

    def send(self, step):
        verb = next(verb for verb in ("get", "post", "patch", "delete", "upload") if verb in step)
        path = step[verb] if step[verb].startswith("/apis") else f"/apis/v2beta1{step[verb]}"
        if "query" in step:
            query = {key: json.dumps(value) if isinstance(value, dict) else value for key, value in step["query"].items()}
            path += "?" + urllib.parse.urlencode(query)
        headers = {"Content-Type": "application/json"}
        data = json.dumps(step["body"]).encode() if "body" in step else None
        if verb == "upload":
            verb, (headers["Content-Type"], data) = "post", form(step)
        request = urllib.request.Request(self.server.url + path, method=verb.upper(), data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read())

    def play(self, step):
        step = self.fill(step)
        deadline = time.monotonic() + step.get("until", 0)
        while True:
            status, answer = self.send(step)
            try:
                self.check(step, status, answer)
                break
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        for name, path in step.get("save", {}).items():
            self.saved[name] = dig(answer, path)

    def check(self, step, status, answer):
        assert status == step.get("status", 200), answer
        holds(answer, step.get("expect", {}), "answer")
        for key, fields in step.get("values", {}).items():
            for field, values in fields.items():
                assert [item.get(field) for item in answer.get(key, [])] == values, answer
        text = answer.get("message") or answer.get("error_message") or ""
        assert step.get("error", "") in text, answer


def form(step):
    """A multipart body with one file."""
    content = FILES[step["file"]].read_bytes() if step["file"] in FILES else step["file"].encode("latin-1")
    name = step.get("file_name", "pipeline.yaml")
    head = f'--frontier\r\nContent-Disposition: form-data; name="uploadfile"; filename="{name}"\r\n\r\n'
    return "multipart/form-data; boundary=frontier", head.encode() + content + b"\r\n--frontier--\r\n"


def dig(answer, path):
    for key in path.split("."):
        answer = answer[int(key)] if isinstance(answer, list) else answer[key]
    return answer


def holds(found, expected, place):
    if expected is None:
        assert found is None, f"{place} should be absent: {found}"
    elif isinstance(expected, dict):
        assert isinstance(found, dict), f"{place}: {found}"
        for key, value in expected.items():
            holds(found.get(key), value, f"{place}.{key}")
    elif isinstance(expected, list):
        assert isinstance(found, list) and len(found) == len(expected), f"{place}: {found}"
        for index, (one, other) in enumerate(zip(found, expected)):
            holds(one, other, f"{place}[{index}]")
    else:
        assert found == expected, f"{place}: {found!r} is not {expected!r}"


@pytest.mark.parametrize("scenario", scenarios())
def test_scenario(scenario, server):
    player = Player(server)
    for number, step in enumerate(scenario["steps"], 1):
        try:
            player.play(step)
        except AssertionError as failure:
            raise AssertionError(f"step {number} {step}: {failure}") from None
