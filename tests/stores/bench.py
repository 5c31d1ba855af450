"""Copies to and from a store that speaks S3: ours beside a bare loop over object_store, and beside boto3.

    python tests/stores/bench.py [--mib MIB] [--files FILES]

All go to the same store of this machine, one after another. A ratio above 1 is faster than the other.
"""

import argparse
import concurrent.futures
import os
import subprocess
import tempfile
import time
from pathlib import Path

import s3

BUCKET = "transfers"
ROOT = Path(__file__).resolve().parents[2]


def seconds(work) -> float:
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


def with_boto3(store, folder: Path) -> dict:
    client = store.client
    large, many, back = folder / "large", folder / "many", folder / "boto3-many"
    back.mkdir()
    names = sorted(path.name for path in many.iterdir())

    def each(work):
        # As many at once as ours.
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(work, names))

    return {
        "upload-large": seconds(lambda: client.upload_file(str(large), BUCKET, "boto3/large")),
        "download-large": seconds(lambda: client.download_file(BUCKET, "boto3/large", str(folder / "boto3-large"))),
        "upload-many": seconds(
            lambda: each(lambda name: client.upload_file(str(many / name), BUCKET, f"boto3/many/{name}"))
        ),
        "download-many": seconds(
            lambda: each(lambda name: client.download_file(BUCKET, f"boto3/many/{name}", str(back / name)))
        ),
    }


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--mib", type=int, default=2048, help="size of the large file")
    words.add_argument("--files", type=int, default=10_000, help="number of the small ones, 4 KiB each")
    chosen = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="ferroflow-transfers-") as temporary, s3.serving() as store:
        folder = Path(temporary)
        with open(folder / "large", "wb") as file:
            for _ in range(chosen.mib):
                file.write(os.urandom(1 << 20))
        (folder / "many").mkdir()
        for number in range(chosen.files):
            (folder / "many" / f"{number:05}").write_bytes(os.urandom(4096))
        store.bucket(BUCKET)
        words = ["cargo", "bench", "-q", "--package", "ferroflow-artifacts", "--bench", "transfers", "--"]
        done = subprocess.run(
            [*words, str(folder), BUCKET], cwd=ROOT, env={**os.environ, **store.env}, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        rows = [line.split() for line in done.stdout.splitlines() if len(line.split()) == 3]
        times = {name: (float(ours), float(bare)) for name, ours, bare in rows}
        memory, _ = times.pop("memory")
        boto3 = with_boto3(store, folder)
    print(f"{chosen.mib} MiB in one file, and {chosen.files} files of 4 KiB; bounds: 0.8 x the loop, 1 x boto3")
    print(f"{'':<16}{'ours s':>9}{'loop s':>9}{'boto3 s':>9}{'x loop':>9}{'x boto3':>9}")
    for name, (ours, bare) in times.items():
        print(
            f"{name:<16}{ours:>9.2f}{bare:>9.2f}{boto3[name]:>9.2f}{bare / ours:>9.2f}{boto3[name] / ours:>9.2f}"
        )
    print(f"most memory of ours and the loop: {memory / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
