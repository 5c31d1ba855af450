"""Runs KFP's reference pipelines with the real binary and compares states and outputs with the table `cases.yaml`.

    python tests/conformance/run.py [--slow] [--again] [--executor NAME] [--s3] [PATTERN...]

The pipelines are not part of this repository: they are looked for in FERROFLOW_REFERENCE, else in `../shared` beside
the checkout. Every one of them has an entry in the table: what it is given, how it must end, or why it is left out.
Each call uses a data directory of its own. `--again` runs each case twice and wants the second run to do nothing anew.
With `--executor docker` or `auto` the images of the pipelines are one local Debian with Python under their names, see
`tests/docker/engine.py`. With `--s3` artifacts go to a store that speaks S3, see `tests/stores/s3.py`; it needs the
packages of `tests/stores/requirements.txt`.
"""

import argparse
import contextlib
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests" / "docker"), str(ROOT / "tests" / "stores")]

import engine  # noqa: E402

# Of the store, if there is one.
BUCKET = "conformance"
TABLE = ROOT / "tests" / "conformance" / "cases.yaml"
CLASSES = {"S", "SP", "SE", "H", "D", "K", "G", "X"}
FIELDS = {
    "class", "left_out", "lane", "arguments", "state", "states", "skips", "outputs", "artifacts", "tasks", "logs",
    "passes", "needs", "again", "note", "local_only",
}
NEEDS = {"secrets", "config_maps", "volumes", "images", "files", "programs", "shell"}
# What a data directory keeps from case to case; the supervisor may still be ending.
KEPT = {"environments", "kfp-runtime", "supervisor.lock", "supervisor.sock", "supervisor.log", "supervisor.journal", "server.lock"}


def reference() -> Path:
    folder = Path(os.environ.get("FERROFLOW_REFERENCE", ROOT.parent / "shared"))
    return folder / "upstream" / "valid"


def binary() -> str:
    chosen = os.environ.get("FERROFLOW_BIN")
    if chosen:
        return chosen
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    builds = [path for path in (target / "release" / "ferroflow", target / "debug" / "ferroflow") if path.exists()]
    if not builds:
        sys.exit("there is no binary: run `cargo build`, or set FERROFLOW_BIN")
    return str(max(builds, key=lambda path: path.stat().st_mtime))


def read_table(folder: Path) -> dict:
    """The table, which must have one entry for each pipeline and nothing that nobody reads."""
    table = yaml.safe_load(TABLE.read_text())
    found = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml")}
    problems = [f"no entry for {name}" for name in sorted(found - set(table))]
    problems += [f"no pipeline for the entry {name}" for name in sorted(set(table) - found)]
    for name, case in table.items():
        problems += [f"{name}: unknown field {field}" for field in set(case) - FIELDS]
        problems += [f"{name}: unknown need {need}" for need in set(case.get("needs", {})) - NEEDS]
        if case.get("class") not in CLASSES:
            problems.append(f"{name}: its class is none of {sorted(CLASSES)}")
        if case.get("state", "SUCCEEDED") not in ("SUCCEEDED", "FAILED"):
            problems.append(f"{name}: no such state")
    if problems:
        sys.exit("\n".join(problems))
    return table


class Place:
    """A data directory, and what stands on this machine for things of a cluster; `store` has the artifacts, if it is not
    the data directory."""

    def __init__(self, folder: Path, store=None):
        self.store = store
        self.data = folder / "data"
        self.tmp = folder / "tmp"
        self.programs = folder / "programs"
        for path in (self.data, self.tmp, self.programs):
            path.mkdir(parents=True, exist_ok=True)

    def forget(self):
        """Removes what earlier cases have left, but for environments, which would take long to build anew."""
        for entry in self.data.iterdir():
            if entry.name not in KEPT:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def prepare(self, needs: dict) -> dict:
        """Makes the stand-ins of a case; returns the environment for it."""
        shutil.rmtree(self.tmp)
        self.tmp.mkdir()
        for kind, folder in (("secrets", "secrets"), ("config_maps", "config-maps")):
            for name, keys in needs.get(kind, {}).items():
                for key, value in keys.items():
                    write(self.data / folder / name / key, value)
        for name in needs.get("volumes", []):
            (self.data / "volumes" / name).mkdir(parents=True, exist_ok=True)
        for name, files in needs.get("images", {}).items():
            for file in files:
                write(self.data / "images" / name / "models" / file, "")
        for name, text in needs.get("files", {}).items():
            write(self.tmp / name, text)
        shutil.rmtree(self.programs)
        self.programs.mkdir()
        if needs.get("shell"):
            found = shutil.which(needs["shell"]) or sys.exit(f"the program {needs['shell']} is missing")
            (self.programs / "sh").symlink_to(found)
        for name, text in needs.get("programs", {}).items():
            if not shutil.which(name):
                write(self.programs / name, text)
                (self.programs / name).chmod(0o755)
        env = {**os.environ, "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"}
        if self.store:
            env |= {**self.store.env, "FERROFLOW_PIPELINE_ROOT": f"s3://{self.store.bucket(BUCKET)}/root"}
        return env

    def files(self, uri: str) -> dict:
        """What is at and below the place of an artifact, by path: bytes. The artifact itself is the empty path."""
        if uri.startswith(f"s3://{BUCKET}/") and self.store:
            key = uri.removeprefix(f"s3://{BUCKET}/")
            keys = [found for found in self.store.keys(BUCKET) if found == key or found.startswith(f"{key}/")]
            return {found.removeprefix(key).lstrip("/"): self.store.read(BUCKET, found) for found in keys}
        path = Path(uri.removeprefix("file://"))
        if path.is_file():
            return {"": path.read_bytes()}
        return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}

    def fill(self, value):
        """The value with `{tmp}` replaced by the folder of the case."""
        if isinstance(value, str):
            return value.replace("{tmp}", str(self.tmp))
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items()}
        return value


def write(path: Path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def prepare_images(pipeline: Path, needs: dict):
    """Images for all names in the pipeline, with the programs of the case in them."""
    names = set()
    for part in yaml.safe_load_all(pipeline.read_text()):
        executors = ((part or {}).get("deploymentSpec") or {}).get("executors", {}).values()
        names |= {executor["container"]["image"] for executor in executors if "container" in executor}
    names = {name for name in names if name and not name.startswith("argostub/")}
    script = "".join(
        f"cat > /usr/local/bin/{name} <<'END'\n{text}\nEND\nchmod 755 /usr/local/bin/{name}\n"
        for name, text in needs.get("programs", {}).items()
    )
    if needs.get("shell"):
        script += f"ln -sf {needs['shell']} /bin/sh\n"
    if script:
        for name in names:
            engine.derive(name, script)
    else:
        engine.ensure_tags(names)


def run(pipeline: Path, case: dict, place: Place, words: list) -> dict:
    """Runs a case to its end and returns its results; a sentence as `problem` if there are none."""
    env = place.prepare(case.get("needs", {}))
    arguments = place.tmp / "arguments.json"
    arguments.write_text(json.dumps(place.fill(case.get("arguments", {}))))
    command = [binary(), "run", str(pipeline), "--json", "--params", str(arguments), "--data-dir", str(place.data), *words]
    limit = 900 if case.get("lane") == "slow" else 300
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"problem": f"it did not end within {limit} s"}
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"problem": f"exit code {done.returncode}: {done.stderr.strip()[-2000:]}"}


def check(case: dict, results: dict, place: Place) -> list:
    """What is not as the table says."""
    if "problem" in results:
        return [results["problem"]]
    problems = []
    wanted = case.get("state", "SUCCEEDED")
    if results["state"] != wanted:
        reason = (results.get("error") or {}).get("message", "")
        problems.append(f"the run {results['state']}, not {wanted}: {reason}")
    tasks = {task["path"]: task for task in results["tasks"]}
    problems += check_states(case, tasks)
    problems += check_passes(case, results["tasks"])
    given = {**results["outputs"].get("parameters", {})}
    for name, expected in case.get("outputs", {}).items():
        problems += compare(f"output {name}", place.fill(expected), given.get(name, "nothing"))
    for path, outputs in case.get("tasks", {}).items():
        found = tasks.get(path, {}).get("outputs", {}).get("parameters", {})
        for name, expected in outputs.items():
            problems += compare(f"output {name} of {path}", place.fill(expected), found.get(name, "nothing"))
    for path, artifacts in case.get("artifacts", {}).items():
        holder = results if path == "pipeline" else tasks.get(path, {"outputs": {}})
        for name, expected in artifacts.items():
            found = holder.get("outputs", {}).get("artifacts", {}).get(name, [])
            problems += check_artifacts(f"artifact {name} of {path}", place.fill(expected), found, place)
    for path, text in case.get("logs", {}).items():
        # One that took over the result of its twin has no log of its own.
        if tasks.get(path, {}).get("state") == "CACHED":
            continue
        log = log_of(results, tasks.get(path), place)
        if place.fill(text) not in log:
            problems.append(f"the log of {path} does not say {text!r}: {log[-500:]!r}")
    return problems


def check_states(case: dict, tasks: dict) -> list:
    states = case.get("states", {})
    problems = [f"there is no task {path}" for path in states if path not in tasks]
    usual = {"SUCCEEDED", "CACHED"} | ({"SKIPPED"} if case.get("skips") == "any" else set())
    for path, task in tasks.items():
        if not path:
            continue
        wanted = {states[path]} if path in states else usual
        if task["state"] not in wanted:
            reason = (task.get("error") or {}).get("message", "")
            problems.append(f"task {path} {task['state']}, not {' or '.join(sorted(wanted))}: {reason}")
    return problems


def check_passes(case: dict, tasks: list) -> list:
    """How often loops went round, by the path of the loop."""
    problems = []
    for loop, wanted in case.get("passes", {}).items():
        found = [task for task in tasks if task["kind"] == "ITERATION" and task["path"].rpartition("/")[0] == loop]
        if len(found) != wanted:
            problems.append(f"loop {loop} went round {len(found)} times, not {wanted}")
    return problems


def compare(what: str, expected, found) -> list:
    """Equal, or as a rule says: `{$any_of: [...]}`, `{$matches: regular expression}`, `{$same_as: ...}`."""
    if isinstance(expected, dict) and len(expected) == 1:
        [(rule, value)] = expected.items()
        if rule == "$any_of":
            return [] if found in value else [f"{what} is {found!r}, none of {value!r}"]
        if rule == "$matches":
            is_match = isinstance(found, str) and re.fullmatch(value, found, re.DOTALL)
            return [] if is_match else [f"{what} is {found!r}, which does not match {value!r}"]
    # JSON knows no difference between 2 and 2.0, but between 1 and true.
    is_same = json.dumps(number(found), sort_keys=True) == json.dumps(number(expected), sort_keys=True)
    return [] if is_same else [f"{what} is {found!r}, not {expected!r}"]


def number(value):
    if isinstance(value, list):
        return [number(item) for item in value]
    if isinstance(value, dict):
        return {name: number(item) for name, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def check_artifacts(what: str, expected, found: list, place: Place) -> list:
    """A text is the content, a list that of several artifacts; an object has `content`, `metadata`, `uri`, `files`."""
    wanted = expected if isinstance(expected, list) else [expected]
    if len(found) != len(wanted):
        return [f"{what}: {len(found)} artifacts, not {len(wanted)}"]
    problems = []
    for expected, artifact in zip(wanted, found):
        rules = expected if isinstance(expected, dict) and not next(iter(expected)).startswith("$") else {"content": expected}
        files = place.files(artifact["uri"]) if {"content", "files"} & set(rules) else {}
        if "content" in rules:
            content = files[""].decode() if "" in files else "nothing"
            problems += compare(f"{what}", rules["content"], content)
        if "files" in rules:
            problems += compare(f"files of {what}", sorted(rules["files"]), sorted(files))
        if "uri" in rules:
            problems += compare(f"the URI of {what}", rules["uri"], artifact["uri"])
        for name, value in rules.get("metadata", {}).items():
            problems += compare(f"metadata {name} of {what}", value, artifact.get("metadata", {}).get(name, "nothing"))
    return problems


def log_of(results: dict, task, place: Place) -> str:
    if task is None:
        return ""
    file = place.data / "logs" / results["run_id"] / f"{task['task_id']}-{max(task.get('attempt', 1), 1)}.log"
    return file.read_text(errors="replace") if file.exists() else ""


def may_be_cached(spec: dict, path: str) -> bool:
    """Whether the pipeline lets the task at this path take over earlier results. Passes of loops are no tasks."""
    component, task = spec["root"], {}
    for step in path.split("/"):
        if task.get("parameterIterator") or task.get("artifactIterator"):
            task = {}
            continue
        task = component["dag"]["tasks"][step]
        component = spec["components"][task["componentRef"]["name"]]
    return task.get("cachingOptions", {}).get("enableCache", False)


def check_again(case: dict, results: dict, pipeline: Path) -> list:
    """A second run does nothing anew: no attempt but those of tasks that do not cache, or are named."""
    spec = next(part for part in yaml.safe_load_all(pipeline.read_text()) if part and "root" in part)
    if "problem" in results:
        return [results["problem"]]
    fresh = set(case["again"]) if isinstance(case.get("again"), list) else set()
    problems = []
    for task in results["tasks"]:
        is_anew = task["kind"] == "CONTAINER" and task["state"] == "SUCCEEDED" and task["path"] not in fresh
        if is_anew and may_be_cached(spec, task["path"]):
            problems.append(f"task {task['path']} ran again")
    return problems


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("patterns", nargs="*", metavar="PATTERN", help="names of cases, with * and ?")
    words.add_argument("--slow", action="store_true", help="the slow lane, too: minutes of sleeping")
    words.add_argument("--again", action="store_true", help="run each case a second time, which must be all cache hits")
    words.add_argument("--executor", help="passed on to `ferroflow run`")
    words.add_argument("--s3", action="store_true", help="artifacts in a store that speaks S3")
    words.add_argument("--list", action="store_true", help="only say what is left out and why")
    chosen = words.parse_args()
    folder = reference()
    if not folder.is_dir():
        print(f"the reference pipelines are absent (no {folder}); set FERROFLOW_REFERENCE to the folder that holds upstream/")
        return 0
    table = read_table(folder)
    names = [name for name in table if not chosen.patterns or any(fnmatch.fnmatch(name, p) for p in chosen.patterns)]
    if chosen.s3:
        for case in table.values():
            if "local_only" in case:
                case["left_out"] = case["local_only"]
    left_out = [(name, table[name]["left_out"]) for name in names if "left_out" in table[name]]
    slow = [name for name in names if table[name].get("lane") == "slow" and not chosen.slow]
    cases = [name for name in names if "left_out" not in table[name] and name not in slow]
    good = 0
    if not chosen.list:
        with tempfile.TemporaryDirectory(prefix="ferroflow-conformance-") as temporary, serving(chosen.s3) as store:
            place = Place(Path(temporary), store)
            good = sum(run_case(name, folder, table[name], place, chosen) for name in cases)
    for name, reason in left_out:
        print(f"left out: {name}: {reason}")
    for name in slow:
        print(f"in the slow lane: {name}")
    if not chosen.list:
        print(f"{good} of {len(cases)} as expected")
    return 0 if chosen.list or good == len(cases) else 1


def serving(is_wanted: bool):
    """A store that speaks S3 for as long as the block lasts, if one is wanted."""
    if not is_wanted:
        return contextlib.nullcontext()
    import s3

    return s3.serving()


def run_case(name: str, folder: Path, case: dict, place: Place, chosen) -> bool:
    words = ["--executor", chosen.executor] if chosen.executor else []
    if chosen.executor in ("docker", "auto"):
        prepare_images(folder / f"{name}.yaml", case.get("needs", {}))
        words += ["--mount", str(place.tmp)]
    began = time.monotonic()
    place.forget()
    results = run(folder / f"{name}.yaml", case, place, words)
    problems = check(case, results, place)
    if chosen.again and not problems and case.get("state", "SUCCEEDED") == "SUCCEEDED" and case.get("again") is not False:
        pipeline = folder / f"{name}.yaml"
        problems = check_again(case, run(pipeline, case, place, words), pipeline)
    print(f"{'ok  ' if not problems else 'FAIL'} {name} ({time.monotonic() - began:.1f} s)", flush=True)
    for problem in problems:
        print(f"     {problem}", flush=True)
    return not problems


if __name__ == "__main__":
    sys.exit(main())
