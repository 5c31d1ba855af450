"""The real kfp clients against a real server: versions 2.17, 2.13, 2.7 and 2.0, each in an environment of its own."""

import html.parser
import os
import re
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml

from ferroflow import ROOT, SAMPLES, Server

CLIENTS = ["2.17.0", "2.13.0", "2.7.0", "2.0.1"]
SCRIPT = Path(__file__).with_name("client_script.py")


def client_python(version) -> Path:
    folder = Path(os.environ.get("FERROFLOW_VENVS", ROOT / ".venvs"))
    python = folder / f"kfp-{version}" / "bin" / "python"
    assert python.exists(), f"there is no environment with kfp {version}: run `make venvs`"
    return python


class References(html.parser.HTMLParser):
    """Files that a page loads."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        for name in ("src", "href"):
            if attributes.get(name):
                self.found.append(attributes[name])


def check_link(link):
    """A link of the client opens the page, and so does everything that the page loads."""
    with urllib.request.urlopen(link, timeout=10) as answer:
        base, page = answer.url, answer.read().decode()
    assert "<script" in page, link
    references = References()
    references.feed(page)
    assert references.found
    for reference in references.found:
        with urllib.request.urlopen(urllib.request.Request(urllib.parse.urljoin(base, reference)), timeout=10) as file:
            assert file.status == 200


@pytest.mark.parametrize("version", CLIENTS)
def test_the_real_client_finds_everything_as_it_should(version, server, tmp_path):
    done = subprocess.run(
        [client_python(version), "-W", "ignore", SCRIPT, server.url, tmp_path],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"kfp {version}" in done.stdout and "all is well" in done.stdout
    links = set(re.findall(r"https?://\S+/#/\S+", done.stdout))
    assert {link.split("/#/")[1].split("/")[0] for link in links} == {"experiments", "pipelines", "runs"}
    for link in links:
        check_link(link)


def test_samples_are_what_the_compiler_makes_of_them(tmp_path):
    for source in sorted(SAMPLES.glob("*.py")):
        made = tmp_path / f"{source.stem}.yaml"
        kfp = client_python("2.17.0").with_name("kfp")
        command = [kfp, "dsl", "compile", "--py", source, "--function", source.stem, "--output", made]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        kept = yaml.safe_load(source.with_suffix(".yaml").read_text())
        assert yaml.safe_load(made.read_text()) == kept, f"compile {source.name} again"


def test_a_second_server_is_refused_in_words(server):
    second = Server(server.data_dir)
    with pytest.raises(AssertionError, match="exit code"):
        second.start()
    assert second.process.wait(10) == 1
    log = server.data_dir.parent / f"{server.data_dir.name}.server.log"
    assert server.url in log.read_text() and "in use" in log.read_text()
