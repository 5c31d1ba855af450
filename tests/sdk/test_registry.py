"""The client of registries beside that of kfp: the same requests to the same server, and the same answers."""

import email
import hashlib
import http.server
import inspect
import json
import threading
import urllib.parse

import kfp.registry
import pytest
import requests

from ferroflow import registry
from ferroflow.client import ApiException


class Registry(http.server.BaseHTTPRequestHandler):
    """Packages in memory. Their name is the first line of the file that is uploaded."""

    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        path, content = self._seen()
        if path == ['kfp']:
            head = b'Content-Type: ' + self.headers['Content-Type'].encode() + b'\n\n'
            parts = email.message_from_bytes(head + content)
            found = {part.get_param('name', header='Content-Disposition'): part for part in parts.get_payload()}
            file = found['content'].get_payload(decode=True)
            name, version = file.decode().splitlines()[0][2:], 'sha256:' + hashlib.sha256(file).hexdigest()
            package = self.server.packages.setdefault(name, {'versions': {}, 'tags': {}})
            package['versions'][version] = file
            tags = found['tags'].get_payload().split(',') if 'tags' in found else []
            package['tags'].update(dict.fromkeys(tags, version))
            return self._answer(f'{name}/{version}'.encode())
        return self._tag(urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)['tagId'][0], path, content)

    def do_PATCH(self):
        path, content = self._seen()
        return self._tag(path[-1], path, content)

    def _tag(self, tag, path, content):
        wanted = json.loads(content)
        self.server.packages[path[2]]['tags'][tag] = wanted['version'].split('/')[-1]
        return self._answer(json.dumps({'name': tag, **wanted}).encode())

    def do_GET(self):
        path, _ = self._seen()
        packages = self.server.packages
        try:
            if path[1] != 'packages':
                package = packages[path[1]]
                return self._answer(package['versions'][package['tags'].get(path[2], path[2])])
            found = {'packages': [{'name': name} for name in packages]} if len(path) == 2 else {'name': path[2]}
            if len(path) == 4:
                found = {path[3]: [{'name': name} for name in packages[path[2]][path[3]]]}
            elif len(path) == 5:
                found = {'name': path[4], 'of': packages[path[2]][path[3]] and path[2]}
        except KeyError as error:
            return self._answer(f'no {error}'.encode(), 404)
        return self._answer(json.dumps(found).encode())

    def do_DELETE(self):
        path, _ = self._seen()
        where = self.server.packages if len(path) == 3 else self.server.packages[path[2]][path[3]]
        del where[path[-1]]
        return self._answer(b'{"done": true}')

    def _seen(self):
        content = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        login = self.headers.get('Authorization')
        kind = (self.headers.get('Content-Type') or '').partition(';')[0]
        text = content if kind != 'multipart/form-data' else b''
        self.server.seen.append((self.command, self.path, login, kind, text, self.headers.get('X-Extra')))
        path = urllib.parse.unquote(urllib.parse.urlparse(self.path).path)
        return path.strip('/').split('/'), content

    def _answer(self, content, status=200):
        self.send_response(status)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Registry) as server:
        server.packages, server.seen = {}, []
        server.url = f'http://127.0.0.1:{server.server_port}/kfp'
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def no_files_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, '_CONTEXT', str(tmp_path / 'context.json'))
    monkeypatch.setattr(registry, '_CREDENTIAL', str(tmp_path / 'credentials.json'))


def story(client, folder):
    """Every method once, and what each gave."""
    file = folder / 'pipeline.yaml'
    file.write_text('# a-package\nfirst\n')
    name, first = client.upload_pipeline(str(file), tags=['latest', 'v1'], extra_headers={'X-Extra': 'yes'})
    file.write_text('# a-package\nsecond\n')
    second = client.upload_pipeline(str(file), tags='v2')[1]
    by_tag = client.download_pipeline(name, tag='latest', file_name=str(folder / 'by-tag.yaml'))
    by_version = client.download_pipeline(name, version=second, file_name=str(folder / 'by-version.yaml'))
    return [
        name, first, second, *(open(path).read() for path in (by_tag, by_version)),
        client.get_package(name), client.list_packages(), client.get_version(name, first), client.list_versions(name),
        client.create_tag(name, first, 'stable'), client.update_tag(name, second, 'stable'), client.get_tag(name, 'stable'),
        client.list_tags(name), client.delete_tag(name, 'v1'), client.delete_version(name, first),
        client.delete_package(name), client.list_packages(),
    ]  # yapf: disable


def test_methods_and_their_arguments_are_those_of_kfp():
    for name, method in inspect.getmembers(kfp.registry.RegistryClient, inspect.isfunction):
        if not name.startswith('_') or name == '__init__':
            ours = getattr(registry.RegistryClient, name)
            assert list(inspect.signature(ours).parameters) == list(inspect.signature(method).parameters), name


def test_requests_and_answers_are_those_of_kfp(server, tmp_path):
    answers, requested = [], []
    for module in (kfp.registry, registry):
        client = module.RegistryClient(server.url, auth=module.ApiAuth('a-token'))
        answers.append(story(client, tmp_path))
        requested.append(server.seen[:])
        server.seen.clear()
    assert answers[0] == answers[1]
    assert requested[0] == requested[1]
    assert {login for _, _, login, *_ in requested[1]} == {'Bearer a-token'}


def test_addresses_of_google_are_those_of_kfp():
    host = 'https://us-central1-kfp.pkg.dev/a-project/a-repository'
    expected = kfp.registry.RegistryClient(host, auth=kfp.registry.ApiAuth('x'))._config
    found = registry.RegistryClient(host + '/', auth=registry.ApiAuth('x'))._config
    # kfp reads these two from its files and never uses them.
    assert found == {key: value for key, value in expected.items() if key not in ('package_format', 'tag_format')}


def test_hosts_addresses_and_tokens_from_files(server, tmp_path):
    config, token = tmp_path / 'config.json', tmp_path / 'token.json'
    config.write_text(json.dumps({'host': server.url, 'list_packages_url': '{host}/packages?all={where}',
                                  'regex': '(?P<where>http)://.*'}))
    token.write_text('"from-a-file"')
    client = registry.RegistryClient(None, config_file=str(config), auth_file=str(token))
    assert client.list_packages() == []
    assert server.seen[-1][1:3] == ('/kfp/packages?all=http', 'Bearer from-a-file')
    (tmp_path / 'context.json').write_text(json.dumps({'host': server.url}))
    (tmp_path / 'credentials.json').write_text('"of-the-user"')
    registry.RegistryClient(None).list_packages()
    assert server.seen[-1][1:3] == ('/kfp/packages', 'Bearer of-the-user')


def test_other_logins(server):

    class Credentials:
        """As those of google.auth."""
        valid, token = True, 'of-google'

        def refresh(self, request):
            raise AssertionError('it is valid')

    registry.RegistryClient(server.url, auth=Credentials()).list_packages()
    registry.RegistryClient(server.url, auth=requests.auth.HTTPBasicAuth('ada', 'secret')).list_packages()
    registry.RegistryClient(server.url).list_packages()
    assert [login for _, _, login, *_ in server.seen] == ['Bearer of-google', 'Basic YWRhOnNlY3JldA==', None]


def test_refusals_say_why(server, tmp_path):
    client = registry.RegistryClient(server.url)
    with pytest.raises(ApiException) as refused:
        client.download_pipeline('nothing', tag='x', file_name=str(tmp_path / 'x'))
    assert refused.value.status == 404 and not (tmp_path / 'x').exists()
    with pytest.raises(ValueError, match='version or tag'):
        client.download_pipeline('a')
    with pytest.raises(ValueError, match='must start with'):
        client.get_version('a', '1')
    with pytest.raises(ValueError, match='must not start with'):
        client.get_tag('a', 'sha256:1')
    with pytest.raises(ValueError, match='has no host'):
        registry.RegistryClient(None)
    with pytest.raises(ValueError, match='config_file .* does not exist'):
        registry.RegistryClient(None, config_file=str(tmp_path / 'none.json'))
    with pytest.raises(ConnectionError, match='no registry answers'):
        registry.RegistryClient('http://127.0.0.1:9').list_packages()
