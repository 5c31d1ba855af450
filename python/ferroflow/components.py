"""Loads components from files."""

from __future__ import annotations

from typing import Optional

from ferroflow.dsl import placeholders
from ferroflow.dsl.base_component import BaseComponent, ContainerComponent, PythonComponent, YamlComponent

__all__ = [
    'BaseComponent', 'ContainerComponent', 'PythonComponent', 'YamlComponent', 'load_component_from_file',
    'load_component_from_text', 'load_component_from_url', 'placeholders'
]


def load_component_from_text(text: str) -> YamlComponent:
    """A component from the text of its file."""
    return YamlComponent(text)


def load_component_from_file(file_path: str) -> YamlComponent:
    """A component from a file."""
    with open(file_path, encoding='utf-8') as file:
        return load_component_from_text(file.read())


def load_component_from_url(url: str, auth: Optional[tuple[str, str]] = None) -> YamlComponent:
    """A component from a URL; `auth` is a user's name and password. Public objects of gs:// work, too."""
    from urllib.request import Request, urlopen
    if url.startswith('gs://'):
        url = 'https://storage.googleapis.com/' + url[len('gs://'):]
    if not url.startswith(('https://', 'http://')):
        raise ValueError(f'{url!r} is not a URL that components can be loaded from: use https://')
    request = Request(url)
    if auth is not None:
        import base64
        token = base64.b64encode(':'.join(auth).encode()).decode()
        request.add_header('Authorization', f'Basic {token}')
    with urlopen(request) as response:
        return load_component_from_text(response.read().decode('utf-8'))
