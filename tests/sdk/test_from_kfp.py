"""Claims of docs/from-kfp.md that no other test makes, and that every claim has a test."""

import ast
import email.message
import http.server
import importlib.metadata
import importlib.util
import json
import pathlib
import re
import subprocess
import sys
import threading

import pytest
from conftest import BINARY, KFP, OURS, compiled

import ferroflow
from ferroflow import local

HERE = pathlib.Path(__file__).parent
PAGE = HERE.parents[1] / 'docs' / 'from-kfp.md'
dsl = OURS.dsl


def test_every_claim_has_a_test():
    known = {
        f'{path.stem}::{node.name}'
        for path in HERE.glob('test_*.py') for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith('test_')
    }
    claims = [line for line in PAGE.read_text().splitlines() if line.startswith('| ') and not line.startswith('| ---')
              and line != '| | test |']
    assert len(claims) >= 35
    for claim in claims:
        words, tests = claim.strip('| ').rsplit(' | ', 1)
        named = re.findall('`([^`]*)`', tests)
        assert named and words.endswith('.') and set(named) <= known, claim


def test_the_package_needs_no_other():
    needed = importlib.metadata.requires('ferroflow')
    assert needed == ['ferroflow-server ; extra == \'server\'']


@pytest.mark.parametrize('head', ['from ferroflow import compiler, dsl', 'import ferroflow as kfp\nfrom ferroflow import '
                                  'compiler\ndsl = kfp.dsl'])  # yapf: disable
def test_both_ways_to_import(head, tmp_path):
    (tmp_path / 'program.py').write_text(f'{head}\n\n\n@dsl.component(base_image="python:3.11")\n'
                                         'def double(number: int) -> int:\n    return 2 * number\n\n\n'
                                         'compiler.Compiler().compile(double, "double.yaml")\n')
    subprocess.run([sys.executable, 'program.py'], check=True, cwd=tmp_path)
    assert 'name: double' in (tmp_path / 'double.yaml').read_text()


def _double(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def double(number: int) -> int:
        return 2 * number

    return double


def test_files_are_those_of_kfp_to_its_servers(tmp_path):
    [pipeline], text = compiled(OURS, _double, tmp_path)
    assert pipeline['sdkVersion'] == 'kfp-2.17.0' and 'kfp==2.17.0' in text
    assert text == compiled(KFP, _double, tmp_path)[1]


def test_inside_of_components_the_sdk_is_kfp(tmp_path):

    @dsl.component(base_image='python:3.11')
    def name(data: dsl.Output[dsl.Dataset]) -> str:
        import kfp
        assert isinstance(data, kfp.dsl.Dataset)
        return kfp.__name__

    local.init(local.SubprocessRunner(), pipeline_root=str(tmp_path))
    assert name().outputs['Output'] == 'kfp'


def test_annotations_cannot_say_ferroflow():
    with pytest.raises(TypeError, match=r'(?s)ferroflow\.dsl.*from ferroflow import dsl'):

        @dsl.component(base_image='python:3.11')
        def work(data: ferroflow.dsl.Output[ferroflow.dsl.Dataset]):
            pass

    @dsl.component(base_image='python:3.11')
    def works(data: dsl.Output[dsl.Dataset]):
        import ferroflow  # noqa: F401


def test_local_runs_are_cached_when_that_is_asked_for(tmp_path):

    @dsl.component(base_image='python:3.11')
    def draw() -> float:
        import random
        return random.random()

    local.init(local.SubprocessRunner(), pipeline_root=str(tmp_path))
    assert draw().output != draw().output
    local.init(local.SubprocessRunner(), pipeline_root=str(tmp_path), enable_caching=True)
    assert draw().output == draw().output


def test_everything_of_local_runs_is_in_one_folder(tmp_path):
    local.init(local.SubprocessRunner(), pipeline_root=str(tmp_path / 'root'))
    assert _double(OURS)(number=2).output == 4
    assert (tmp_path / 'root').is_dir()
    for argument in ('workspace_root', 'cache_root'):
        with pytest.raises(ValueError, match='pipeline_root'):
            local.init(local.SubprocessRunner(), **{argument: str(tmp_path)})


def test_docker_takes_two_settings():
    local.DockerRunner(network='host', user='1000')
    with pytest.raises(ValueError, match='privileged: it takes network and user'):
        local.DockerRunner(privileged=True)


class _Server(http.server.BaseHTTPRequestHandler):
    """Remembers the headers of requests."""

    def do_GET(self):
        self.server.seen.append(self.headers)
        content = json.dumps({'run_id': 'x'}).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words):
        pass


@pytest.fixture
def seen():
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), _Server) as server:
        server.seen = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{server.server_port}', server.seen
        server.shutdown()


def test_logins_of_the_client(seen):
    url, requests = seen

    class Credentials:

        def refresh_api_key_hook(self, configuration):
            configuration.api_key['authorization'] = 'fresh'
            configuration.api_key_prefix['authorization'] = 'Bearer'

    for options in ({'existing_token': 'a-token'}, {'cookies': 'session=1'}, {'credentials': Credentials()}, {}):
        ferroflow.Client(host=url, **options).get_run('x')
    empty = email.message.Message()
    assert [(one['Authorization'], one['Cookie']) for one in requests] == [
        ('Bearer a-token', None), (None, 'session=1'), ('Bearer fresh', None), (empty['x'], None)
    ]


def test_where_the_client_looks_for_the_server(seen, monkeypatch):
    url, requests = seen
    monkeypatch.setenv('KF_PIPELINES_ENDPOINT', url)
    ferroflow.Client().get_run('x')
    assert len(requests) == 1
    monkeypatch.setenv('KF_PIPELINES_ENDPOINT', 'http://127.0.0.1:9')
    ferroflow.Client(host=url).get_run('x')
    assert len(requests) == 2
    monkeypatch.delenv('KF_PIPELINES_ENDPOINT')
    assert ferroflow.Client()._connection.host == 'http://localhost:8080'


def test_certificates(tmp_path):
    cert, key = tmp_path / 'cert.pem', tmp_path / 'key.pem'
    words = ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost']
    words += ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert]
    subprocess.run(words, check=True, capture_output=True)
    with BINARY.Server(tmp_path / 'data', '--tls-cert', str(cert), '--tls-key', str(key)) as server:
        assert server.url.startswith('https://')
        for options in ({'ssl_ca_cert': str(cert)}, {'verify_ssl': False}):
            client = ferroflow.Client(host=server.url, **options)
            assert client.create_run_from_pipeline_func(_double(OURS), arguments={'number': 2}).wait_for_run_completion(
                timeout=120).outputs == {'Output': 4}
        with pytest.raises(ConnectionError, match='CERTIFICATE_VERIFY_FAILED.*ssl_ca_cert'):
            ferroflow.Client(host=server.url).get_run('x')


def test_proxies(seen):
    url, requests = seen
    ferroflow.Client(host='http://pipelines.example.org', proxy=url).get_run('x')
    assert requests[0]['Host'] == 'pipelines.example.org'


def test_logins_that_are_refused():
    for argument in ('client_id', 'other_client_id', 'other_client_secret'):
        with pytest.raises(ValueError, match='existing_token'):
            ferroflow.Client(**{argument: 'x'})
    with pytest.raises(ValueError, match='forward a port'):
        ferroflow.Client(kube_context='x')


def test_what_is_not_there():
    assert importlib.util.find_spec('ferroflow.kubeflow_client') is None
    for words in (['component', 'build'], ['diagnose-me']):
        done = subprocess.run([sys.executable, '-m', 'ferroflow', *words], capture_output=True, text=True)
        assert done.returncode != 0 and 'invalid choice' in done.stderr
