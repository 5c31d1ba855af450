"""Old runs go into the archive, and from there for good, as KFP's settings say."""

from ferroflow import Server, shell_pipeline, wait_until


def storage(server):
    runs = server.call("GET", "/apis/v2beta1/runs").get("runs", [])
    return {run["run_id"]: run["storage_state"] for run in runs}


def test_old_runs_are_archived_and_removed(data_dir):
    pipeline = shell_pipeline("kept", {"say": "echo said"})
    slow = shell_pipeline("slow", {"nap": "sleep 100"})
    with Server(data_dir) as server:
        old = server.create_run(pipeline, "old")
        server.wait(old)
        running = server.create_run(slow, "running")
        assert storage(server) == {old: "AVAILABLE", running: "AVAILABLE"}
    archive = {"RUNS_RETENTION_TIME": "1s", "RUNS_GC_INTERVAL": "1s", "RUNS_GC_BATCH_SIZE": "1"}
    with Server(data_dir, env=archive) as server:
        wait_until(lambda: storage(server)[old] == "ARCHIVED", 30, "the run is not archived")
        # What has not ended is not old.
        assert storage(server)[running] == "AVAILABLE"
        server.call("POST", f"/apis/v2beta1/runs/{running}:archive")
    with Server(data_dir, "--archived-runs-retention-time", "1s", "--runs-gc-interval", "1s") as server:
        wait_until(lambda: old not in storage(server), 30, "the run is not removed")
        assert storage(server) == {running: "ARCHIVED"}
        server.call("POST", f"/apis/v2beta1/runs/{running}:terminate")
        wait_until(lambda: storage(server) == {}, 30, "the run is not removed after its end")
