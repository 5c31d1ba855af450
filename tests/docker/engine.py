"""A Docker daemon and images for tests: what is missing is installed, started and built.

    python tests/docker/engine.py [COMMAND...]      # runs the command while a daemon with the images is there

A daemon that answers is used as it is. Otherwise Debian's packages are installed (as root) and a daemon is started, which
ends with whoever started it. No image comes from a registry: one Debian with Python is made by debootstrap and tagged with
the names that pipelines use.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BASE = "ferroflow-tests/base:bookworm-1"
# Label of all images that are made here.
MARK = "ferroflow-tests"
PACKAGES = ["python3", "python3-pip", "ca-certificates"]
START_PATIENCE_SECONDS = 60


class Unusable(Exception):
    """Containers cannot run on this machine; the message says why and what to do."""


def call(*words, check=True, **options) -> subprocess.CompletedProcess:
    """Runs a program; an error that says what it said if it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise Unusable(f"`{' '.join(map(str, words))}` failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done


def docker(*words, check=True, **options) -> subprocess.CompletedProcess:
    return call("docker", *words, check=check, **options)


def answers() -> bool:
    return shutil.which("docker") is not None and docker("version", check=False).returncode == 0


def install(*packages):
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unusable(
            f"the Debian packages {', '.join(packages)} are needed and can only be installed as root on Debian: install them, "
            "or start a Docker daemon yourself"
        )
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    call("apt-get", "update", env=env)
    call("apt-get", "install", "--yes", "--no-install-recommends", *packages, env=env)


def start_daemon():
    """Starts a daemon and waits until it answers. It is ended when this process ends; its images stay."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ferroflow-dockerd"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["DOCKER_HOST"] = f"unix://{folder / 'docker.sock'}"
    if answers():
        # Of another process that is at the same, or was killed.
        return
    with open(folder / "log", "w") as log:
        daemon = subprocess.Popen(
            ["dockerd", "--host", os.environ["DOCKER_HOST"], "--data-root", str(folder / "data"),
             "--exec-root", str(folder / "exec"), "--pidfile", str(folder / "pid")],
            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
        )

    def end():
        daemon.terminate()
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()

    atexit.register(end)
    deadline = time.monotonic() + START_PATIENCE_SECONDS
    while not answers():
        if daemon.poll() is not None or time.monotonic() > deadline:
            said = (folder / "log").read_text()[-3000:]
            raise Unusable(f"dockerd does not start on this machine; it said last:\n{said}")
        time.sleep(0.1)


def ensure_daemon():
    """A daemon answers from now on at DOCKER_HOST, or at its usual place."""
    if answers():
        return
    if not shutil.which("dockerd"):
        install("docker.io", "iptables")
        # Where there is a service manager, it starts the daemon by itself.
        deadline = time.monotonic() + START_PATIENCE_SECONDS
        while Path("/run/systemd/system").is_dir() and not answers() and time.monotonic() < deadline:
            time.sleep(0.2)
    if not answers():
        start_daemon()


def image(name: str):
    """The id of an image and whether it was made here; None if there is none."""
    found = docker("image", "inspect", "--format", f'{{{{.Id}}}} {{{{index .Config.Labels "{MARK}"}}}}', name, check=False)
    if found.returncode != 0:
        return None
    identity, _, mark = found.stdout.strip().partition(" ")
    return identity, mark == "1"


def ensure_base():
    """The image that stands for all others."""
    ensure_daemon()
    if image(BASE):
        return
    if not shutil.which("debootstrap"):
        install("debootstrap")
    with tempfile.TemporaryDirectory(prefix="ferroflow-rootfs-") as folder:
        root = Path(folder) / "root"
        call("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", "bookworm", root)
        for left in (root / "var/cache/apt", root / "var/lib/apt/lists"):
            shutil.rmtree(left, ignore_errors=True)
        for marker in (root / "usr/lib").glob("python3*/EXTERNALLY-MANAGED"):
            # Images of Python let pip do what it wants.
            marker.unlink()
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        packed = Path(folder) / "root.tar"
        call("tar", "--directory", root, "--create", "--file", packed, ".")
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        docker("import", "--change", f"ENV {path}", "--change", f"LABEL {MARK}=1", packed, BASE)
    probe = docker("run", "--rm", BASE, "true", check=False)
    if probe.returncode != 0:
        raise Unusable(f"the kernel or the sandbox of this machine refuses containers: {probe.stderr.strip()}")


def ensure_tags(names):
    """Each of these names an image; those that came from elsewhere stay what they are."""
    ensure_base()
    base, _ = image(BASE)
    for name in names:
        found = image(name)
        if not found or (found[1] and found[0] != base):
            docker("tag", BASE, name)


def derive(name: str, script: str):
    """Makes the image `name`: the base after this shell script has run in it. One from elsewhere stays what it is."""
    ensure_base()
    found = image(name)
    if found and not found[1]:
        return
    docker("rm", "--force", "ferroflow-tests-derive", check=False)
    docker("run", "--name", "ferroflow-tests-derive", BASE, "sh", "-ec", script)
    docker("commit", "ferroflow-tests-derive", name)
    docker("rm", "ferroflow-tests-derive")


if __name__ == "__main__":
    try:
        ensure_tags(["python:3.11", "alpine", "busybox"])
    except Unusable as problem:
        sys.exit(f"error: {problem}")
    if len(sys.argv) > 1:
        sys.exit(subprocess.run(sys.argv[1:]).returncode)
    print(f"{BASE} is at {os.environ.get('DOCKER_HOST', 'the daemon of this machine')}")
