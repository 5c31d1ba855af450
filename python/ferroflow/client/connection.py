"""Requests over HTTP, by the standard library."""

from __future__ import annotations

import json
import os
import ssl
import uuid
from http.client import HTTPException
from types import SimpleNamespace
from typing import Any, Iterator, Optional
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

from ferroflow.client.resource import Resource

_ROOT = '/apis/v2beta1'
_OWN = '/apis/ferroflow/v1'
# Servers give a sign of life every 15 s.
SILENCE = 20.0


class ApiException(Exception):
    """The server refused a request; `status`, `reason` and `body` are those of its answer."""

    def __init__(self, status: int, reason: str, body: str) -> None:
        self.status = status
        self.reason = reason
        self.body = body
        super().__init__(f'({status}) {reason}: {_message(body)}')


def _message(body: str) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    return str(answer.get('message') or answer.get('error') or body) if isinstance(answer, dict) else body


def _object(text: str) -> dict[str, Any]:
    answer = json.loads(text) if text.strip() else {}
    return answer if isinstance(answer, dict) else {'value': answer}


def form(field: str, file: str, fields: dict[str, str]) -> tuple[bytes, str]:
    """A file and texts as a form has them, and the type of that."""
    edge = uuid.uuid4().hex
    with open(file, 'rb') as opened:
        content = opened.read()
    name = os.path.basename(file).replace('"', '')
    head = ''.join(f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
                   for key, value in fields.items())
    head += (f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
             'Content-Type: application/octet-stream\r\n\r\n')
    return head.encode() + content + f'\r\n--{edge}--\r\n'.encode(), f'multipart/form-data; boundary={edge}'


class Connection:
    """A server, and who asks it."""

    def __init__(self, host: str, token: Optional[str], cookies: Optional[str], proxy: Optional[str],
                 ssl_ca_cert: Optional[str], verify_ssl: Optional[bool], credentials: Any) -> None:
        host = host if '://' in host else 'http://' + host
        self.host = host.rstrip('/')
        self._token = token
        self._cookies = cookies
        self._credentials = credentials
        self._opener = _opener(proxy, ssl_ca_cert, verify_ssl)

    def get(self, path: str, **query: Any) -> Resource:
        return Resource(self.fetch(path, **query))

    def fetch(self, path: str, **query: Any) -> dict[str, Any]:
        """The answer as it came."""
        return self._send('GET', path, query)

    def own(self, path: str) -> dict[str, Any]:
        """What Ferroflow's servers tell beyond KFP's API."""
        return _object(self._text('GET', f'{_OWN}/{path}', None, None))

    def own_bytes(self, path: str, most: int) -> bytes:
        """The begin of a content."""
        return self._content(self._request('GET', f'{_OWN}/{path}'), most)

    def text(self, path: str) -> str:
        return self._text('GET', f'{_ROOT}/{path}', None, None)

    def delete(self, path: str) -> dict[str, Any]:
        return self._send('DELETE', path, {})

    def post(self, path: str, body: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        text = json.dumps(body or {}).encode()
        return self._send('POST', path, {}, text, 'application/json')

    def upload(self, path: str, file: str, **query: Any) -> Resource:
        """Sends a file as a form does."""
        return Resource(self._send('POST', path, query, *form('uploadfile', file, {})))

    def _send(self, method: str, path: str, query: dict[str, Any], body: Optional[bytes] = None,
              kind: Optional[str] = None) -> dict[str, Any]:
        said = {name: value for name, value in query.items() if value not in (None, '')}
        return _object(self._text(method, f'{_ROOT}/{path}' + ('?' + urlencode(said) if said else ''), body, kind))

    def events(self, path: str) -> Iterator[str]:
        """Kinds of events that Ferroflow's servers send, as they come; empty ones in between are signs of life.

        Ends with the connection, and where no events are sent.
        """
        try:
            with self._opener.open(self._request('GET', f'{_OWN}/{path}'), timeout=SILENCE) as response:
                if response.headers.get_content_type() != 'text/event-stream':
                    return
                for line in response:
                    if line.startswith(b'event: '):
                        yield line[len(b'event: '):].decode().strip()
                    elif line.startswith(b':'):
                        yield ''
        except (HTTPException, OSError):
            # Whoever follows has other ways to ask.
            return

    def _request(self, method: str, address: str, body: Optional[bytes] = None) -> Request:
        request = Request(self.host + address, data=body, method=method)
        token = self._current_token()
        if token:
            request.add_header('Authorization', token)
        if self._cookies:
            request.add_header('Cookie', self._cookies)
        return request

    def _text(self, method: str, address: str, body: Optional[bytes], kind: Optional[str]) -> str:
        request = self._request(method, address, body)
        if kind is not None:
            request.add_header('Content-Type', kind)
        return self._content(request).decode(errors='replace')

    def _content(self, request: Request, most: Optional[int] = None) -> bytes:
        try:
            with self._opener.open(request) as response:
                content: bytes = response.read(most)
        except HTTPError as error:
            raise ApiException(error.code, error.reason, error.read().decode(errors='replace')) from None
        except URLError as error:
            if isinstance(error.reason, ssl.SSLError):
                raise ConnectionError(f'the certificate of {self.host} is not trusted ({error.reason}): name the file of '
                                      'its authority by Client(ssl_ca_cert=...)') from None
            raise ConnectionError(f'no server answers at {self.host} ({error.reason}): start one with `ferroflow up`, '
                                  'or name another by Client(host=...)') from None
        return content

    def _current_token(self) -> Optional[str]:
        if self._credentials is not None:
            # The interface of KFP's credentials: they write into a configuration.
            configuration = SimpleNamespace(api_key={}, api_key_prefix={})
            self._credentials.refresh_api_key_hook(configuration)
            token = configuration.api_key.get('authorization')
            prefix = configuration.api_key_prefix.get('authorization', 'Bearer')
            return f'{prefix} {token}' if token else None
        return f'Bearer {self._token}' if self._token else None


def _opener(proxy: Optional[str], ssl_ca_cert: Optional[str], verify_ssl: Optional[bool]) -> OpenerDirector:
    context = ssl.create_default_context(cafile=ssl_ca_cert)
    if verify_ssl is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    handlers: list[Any] = [HTTPSHandler(context=context)]
    if proxy:
        handlers.append(ProxyHandler({'http': proxy, 'https': proxy}))
    return build_opener(*handlers)
