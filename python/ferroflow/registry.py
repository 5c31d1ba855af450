"""Keeps compiled pipelines in a registry, such as Google's Artifact Registry: packages with versions and tags."""

from __future__ import annotations

import json
import os
import re
from types import SimpleNamespace
from typing import Any, Mapping, Optional, Union
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from ferroflow.client.connection import ApiException, form

__all__ = ['ApiAuth', 'RegistryClient']

_GOOGLE = re.compile(r'https://(?P<location>[\w-]+)-kfp\.pkg\.dev/(?P<project_id>.*)/(?P<repo_id>.*)')
_GOOGLE_NAMES = 'projects/{project_id}/locations/{location}/repositories/{repo_id}/'
_GOOGLE_SCOPES = 'https://www.googleapis.com/auth/cloud-platform'
_FOLDER = os.path.expanduser('~/.config/kfp')
_CONTEXT = os.path.join(_FOLDER, 'registry_context.json')
_CREDENTIAL = os.path.join(_FOLDER, 'registry_credentials.json')
_VERSION = 'sha256:'


class ApiAuth:
    """Shows a token to the registry."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        request.headers['authorization'] = 'Bearer ' + self._token
        return request


class RegistryClient:
    """Talks to a registry. `auth` is an `ApiAuth`, another callable of `requests`, or credentials of `google.auth`.

    The host may also stand in `config_file`, and so may addresses that differ from the usual ones; a token may stand in
    `auth_file`. Without them, `registry_context.json` and `registry_credentials.json` of `~/.config/kfp` are read.
    """

    def __init__(self, host: Optional[str], auth: Any = None, config_file: Optional[str] = None,
                 auth_file: Optional[str] = None) -> None:
        chosen = _read(config_file, 'config_file') if config_file else {}
        context = _read(_CONTEXT, '') if os.path.exists(_CONTEXT) else {}
        host = host or chosen.get('host') or (None if config_file else context.get('host'))
        if not host:
            raise ValueError('the registry has no host: pass host, or write it into config_file')
        self._host = host.rstrip('/')
        google = _GOOGLE.match(self._host)
        self._config = _config(self._host, google, {**({} if google else context), **chosen})
        self._auth = auth or self._default_auth(google is not None, auth_file)

    def _default_auth(self, is_google: bool, auth_file: Optional[str]) -> Any:
        if is_google:
            try:
                import google.auth  # type: ignore[import-not-found,import-untyped,unused-ignore]
            except ImportError:
                raise ValueError('Google\'s registry needs a login: pass auth=ApiAuth(token), with what `gcloud auth '
                                 'print-access-token` prints, or install google-auth') from None
            return google.auth.default(scopes=self._config['auth_scopes'].split(','))[0]
        if auth_file:
            return ApiAuth(_read(auth_file, 'auth_file'))
        return ApiAuth(_read(_CREDENTIAL, '')) if os.path.exists(_CREDENTIAL) else None

    # Pipelines

    def upload_pipeline(self, file_name: str, tags: Optional[Union[str, list[str]]] = None,
                        extra_headers: Optional[Mapping[str, str]] = None) -> tuple[str, str]:
        """Uploads a file; the name of its package, and its version."""
        fields = {'tags': tags if isinstance(tags, str) else ','.join(tags)} if tags else {}
        body, kind = form('content', file_name, fields)
        answer = self._send('POST', self._config['upload_url'], body, {**(extra_headers or {}), 'Content-Type': kind})
        package, _, version = answer.decode().partition('/')
        return package, version

    def download_pipeline(self, package_name: str, version: Optional[str] = None, tag: Optional[str] = None,
                          file_name: Optional[str] = None) -> str:
        """Downloads a pipeline by its version or tag; the name of the file."""
        if version:
            address = self._address('download_version_url', package_name, version=version)
        elif tag:
            address = self._address('download_tag_url', package_name, tag=tag)
        else:
            raise ValueError('download_pipeline needs version or tag')
        content = self._send('GET', address)
        if file_name is None:
            word = version[len(_VERSION):] if version else tag
            file_name = f'{package_name}_{word}.yaml'
        with open(file_name, 'wb') as file:
            file.write(content)
        return file_name

    # Packages

    def get_package(self, package_name: str) -> dict[str, Any]:
        return self._json('GET', self._address('get_package_url', package_name))

    def list_packages(self) -> list[dict[str, Any]]:
        return self._list(self._config['list_packages_url'], 'packages')

    def delete_package(self, package_name: str) -> bool:
        """Whether it is gone already."""
        return bool(self._json('DELETE', self._address('delete_package_url', package_name)).get('done'))

    # Versions

    def get_version(self, package_name: str, version: str) -> dict[str, Any]:
        return self._json('GET', self._address('get_version_url', package_name, version=version))

    def list_versions(self, package_name: str) -> list[dict[str, Any]]:
        return self._list(self._address('list_versions_url', package_name), 'versions')

    def delete_version(self, package_name: str, version: str) -> bool:
        """Whether it is gone already."""
        address = self._address('delete_version_url', package_name, version=version)
        return bool(self._json('DELETE', address).get('done'))

    # Tags

    def create_tag(self, package_name: str, version: str, tag: str) -> dict[str, Any]:
        return self._tag('POST', 'create_tag_url', package_name, version, tag)

    def get_tag(self, package_name: str, tag: str) -> dict[str, Any]:
        return self._json('GET', self._address('get_tag_url', package_name, tag=tag))

    def update_tag(self, package_name: str, version: str, tag: str) -> dict[str, Any]:
        """Moves a tag to another version."""
        return self._tag('PATCH', 'update_tag_url', package_name, version, tag)

    def list_tags(self, package_name: str) -> list[dict[str, Any]]:
        return self._list(self._address('list_tags_url', package_name), 'tags')

    def delete_tag(self, package_name: str, tag: str) -> dict[str, Any]:
        return self._json('DELETE', self._address('delete_tag_url', package_name, tag=tag))

    # Requests

    def _tag(self, method: str, key: str, package_name: str, version: str, tag: str) -> dict[str, Any]:
        address = self._address(key, package_name, tag=tag)
        target = self._address('version_format', package_name, version=version)
        body = json.dumps({'name': '', 'version': target}).encode()
        return self._json(method, address, body, {'Content-type': 'application/json'})

    def _address(self, key: str, package_name: str, version: Optional[str] = None, tag: Optional[str] = None) -> str:
        if version is not None and not version.startswith(_VERSION):
            raise ValueError(f'version {version!r} must start with {_VERSION!r}')
        if tag is not None and tag.startswith(_VERSION):
            raise ValueError(f'tag {tag!r} must not start with {_VERSION!r}: that is how versions look')
        given = {'package_name': package_name, 'version': version, 'tag': tag}
        return _filled(self._config[key], {name: quote(value, safe=':') for name, value in given.items() if value})

    def _list(self, address: str, key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._json('GET', address).get(key, [])
        return found

    def _json(self, method: str, address: str, body: Optional[bytes] = None,
              headers: Optional[Mapping[str, str]] = None) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._send(method, address, body, headers) or b'{}')
        return answer

    def _send(self, method: str, address: str, body: Optional[bytes] = None,
              headers: Optional[Mapping[str, str]] = None) -> bytes:
        request = Request(address, data=body, method=method, headers={**(headers or {}), **self._login()})
        try:
            with urlopen(request) as response:
                content: bytes = response.read()
        except HTTPError as error:
            raise ApiException(error.code, error.reason, error.read().decode(errors='replace')) from None
        except URLError as error:
            raise ConnectionError(f'no registry answers at {self._host} ({error.reason})') from None
        return content

    def _login(self) -> dict[str, str]:
        """The headers of the login."""
        auth = self._auth
        if auth is None:
            return {}
        if hasattr(auth, 'valid') and hasattr(auth, 'refresh'):
            # The interface of google.auth's credentials.
            if not auth.valid:
                import google.auth.transport.requests as transport  # type: ignore[import-not-found,unused-ignore]
                auth.refresh(transport.Request())
            auth = ApiAuth(auth.token)
        request = SimpleNamespace(headers={})
        auth(request)
        headers: dict[str, str] = request.headers
        return headers


def _config(host: str, google: Optional[re.Match[str]], others: Mapping[str, str]) -> dict[str, str]:
    """Addresses and names, with everything filled in but package, version and tag."""
    names = _GOOGLE_NAMES if google else ''
    root = 'https://artifactregistry.googleapis.com/v1/' + names if google else '{host}/'
    package, view = 'packages/{package_name}', '?view=FULL' if google else ''
    config = {
        'host': '{host}',
        'upload_url': '{host}',
        'download_version_url': '{host}/{package_name}/{version}',
        'download_tag_url': '{host}/{package_name}/{tag}',
        'list_packages_url': f'{root}packages',
        'get_package_url': root + package,
        'delete_package_url': root + package,
        'list_versions_url': f'{root}{package}/versions{view}',
        'get_version_url': f'{root}{package}/versions/{{version}}{view}',
        'delete_version_url': f'{root}{package}/versions/{{version}}',
        'list_tags_url': f'{root}{package}/tags',
        'get_tag_url': f'{root}{package}/tags/{{tag}}',
        'delete_tag_url': f'{root}{package}/tags/{{tag}}',
        'create_tag_url': f'{root}{package}/tags?tagId={{tag}}',
        'update_tag_url': f'{root}{package}/tags/{{tag}}?updateMask=version',
        'version_format': f'{names}{package}/versions/{{version}}',
        'auth_scopes': _GOOGLE_SCOPES,
        **others,
    }
    match = google or (re.match(config['regex'], host) if 'regex' in config else None)
    known = {**(match.groupdict() if match else {}), 'host': host}
    return {key: _filled(text, known) if isinstance(text, str) else text for key, text in config.items()}


def _filled(text: str, values: Mapping[str, str]) -> str:
    """The text with the values in it; what has none stays."""
    return re.sub(r'\{(\w+)\}', lambda found: values.get(found[1], found[0]), text)


def _read(path: str, argument: str) -> Any:
    if not os.path.exists(path):
        raise ValueError(f'{argument} {path!r} does not exist')
    with open(path, encoding='utf-8') as file:
        return json.load(file)
