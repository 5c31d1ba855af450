"""The server's validator takes what our compiler makes."""

from conftest import BINARY, OURS, compiled
from test_corpus import cases


def test_the_server_takes_the_corpus(tmp_path):
    files = []
    for case in cases():
        folder = tmp_path / case.id
        folder.mkdir()
        compiled(OURS, case.values[0], folder)
        files.append(str(folder / 'ferroflow.yaml'))
    done = BINARY.run_cli('check', *files)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
