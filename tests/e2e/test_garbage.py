"""What removed runs leave is removed when nothing refers to it, and only then."""

import json
import os
import time

from kfp import compiler, dsl

from ferroflow import Server, run_cli, wait_until


@dsl.component
def make(text: str, out: dsl.Output[dsl.Dataset]):
    with open(out.path, "w") as file:
        file.write(text)


@dsl.pipeline(name="leaves")
def leaves(text: str = "x"):
    make(text=text)


def spec(tmp_path, cached):
    import yaml

    path = tmp_path / "leaves.yaml"
    compiler.Compiler().compile(leaves, str(path))
    read = yaml.safe_load(path.read_text())
    if not cached:
        read["root"]["dag"]["tasks"]["make"]["cachingOptions"] = {}
    return read


def files(data_dir):
    return sorted(path for path in (data_dir / "artifacts").rglob("*") if path.is_file() and path.name == "out")


def gc(data_dir, *flags):
    done = run_cli("gc", *flags, data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_nothing_refers_to_goes_after_its_grace(data_dir, tmp_path):
    with Server(data_dir) as server:
        plain = server.create_run(spec(tmp_path, cached=False), "plain")
        server.wait(plain)
        first = server.create_run(spec(tmp_path, cached=True), "first")
        server.wait(first)
        second = server.create_run(spec(tmp_path, cached=True), "second")
        server.wait(second)
        assert len(files(data_dir)) == 2, "the second run takes over what the first has made"
        for run in (plain, first):
            server.call("DELETE", f"/apis/v2beta1/runs/{run}")
    assert gc(data_dir, "--dry-run", "--gc-grace", "0s").count("would be removed") == 1
    assert len(files(data_dir)) == 2
    assert "in its grace time" in gc(data_dir, "--gc-grace", "1h")
    assert len(files(data_dir)) == 2
    assert gc(data_dir, "--gc-grace", "0s").count("removed: ") == 1
    [left] = files(data_dir)
    assert first in str(left), "another run has taken it over"
    with Server(data_dir) as server:
        again = server.create_run(spec(tmp_path, cached=True), "again")
        server.wait(again)
        assert len(files(data_dir)) == 1, "and so does a further one"
        for run in (second, again):
            server.call("DELETE", f"/apis/v2beta1/runs/{run}")
    # The cached result still names it, until that is too old.
    assert gc(data_dir, "--gc-grace", "0s") == ""
    time.sleep(1.1)
    assert gc(data_dir, "--gc-grace", "0s", "--cache-max-age", "1").count("removed: ") == 1
    assert files(data_dir) == []


def test_folders_of_unknown_runs_are_found(data_dir, tmp_path):
    unknown = data_dir / "artifacts" / "some" / "pipeline" / "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    with Server(data_dir) as server:
        run = server.create_run(spec(tmp_path, cached=False), "kept")
        server.wait(run)
        (unknown / "task").mkdir(parents=True)
        (unknown / "task" / "out").write_text("x")
        (data_dir / "artifacts" / "notes").mkdir()
    assert gc(data_dir) == "", "not while it may be new"
    old = time.time() - 2 * 24 * 3600
    os.utime(unknown, (old, old))
    os.utime(unknown / "task", (old, old))
    assert str(unknown) in gc(data_dir)
    assert not unknown.exists() and (data_dir / "artifacts" / "notes").exists()
    assert len(files(data_dir)) == 1


def test_a_server_collects_itself(data_dir, tmp_path):
    with Server(data_dir, "--gc-interval", "1s", "--gc-grace", "1s") as server:
        busy = run_cli("gc", data_dir=data_dir)
        assert busy.returncode == 1 and "is in use" in busy.stderr
        run = server.create_run(spec(tmp_path, cached=False), "short")
        server.wait(run)
        assert len(files(data_dir)) == 1
        time.sleep(2.5)
        assert len(files(data_dir)) == 1, json.dumps(server.call("GET", "/apis/v2beta1/runs"))
        server.call("DELETE", f"/apis/v2beta1/runs/{run}")
        wait_until(lambda: not files(data_dir), 30, "the artifact is not removed")
