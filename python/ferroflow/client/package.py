"""Pipeline files as servers take them."""

from __future__ import annotations

import json
import tarfile
import zipfile
from typing import Any, Optional

from ferroflow import _native


def read(path: str) -> tuple[dict[str, Any], Optional[dict[str, Any]]]:
    """The pipeline and the settings of its platform, out of a file or an archive."""
    compiled = _native.load(_text(path))[1]
    if compiled is None:
        raise ValueError(f'{path} holds a component of the older format, which cannot run by itself: use it in a '
                         'pipeline')
    platform = compiled.platform_json()
    return json.loads(compiled.pipeline_json()), json.loads(platform) if platform else None


def _text(path: str) -> str:
    if path.endswith('.zip'):
        with zipfile.ZipFile(path) as archive:
            return archive.read(_only(archive.namelist(), path)).decode()
    if path.endswith(('.tar.gz', '.tgz')):
        with tarfile.open(path, 'r:gz') as tar:
            member = tar.extractfile(_only(tar.getnames(), path))
            if member is None:
                raise ValueError(f'{path} holds no file')
            return member.read().decode()
    with open(path, encoding='utf-8') as file:
        return file.read()


def _only(names: list[str], path: str) -> str:
    found = [name for name in names if name.endswith(('.yaml', '.yml'))]
    if len(found) != 1 and 'pipeline.yaml' not in found:
        raise ValueError(f'{path} must hold one YAML file, or one named pipeline.yaml, but holds {len(found)}')
    return found[0] if len(found) == 1 else 'pipeline.yaml'


def set_caching(pipeline: dict[str, Any], enable: bool, key: Optional[str]) -> None:
    """Switches the cache on or off for all tasks."""
    components = [pipeline['root'], *pipeline.get('components', {}).values()]
    for component in components:
        for task in component.get('dag', {}).get('tasks', {}).values():
            options: dict[str, Any] = {'enableCache': True} if enable else {}
            if key:
                options['cacheKey'] = key
            task['cachingOptions'] = options
