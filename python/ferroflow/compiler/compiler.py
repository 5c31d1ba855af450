"""Writes pipelines and components to files."""

from __future__ import annotations

import json
from typing import Any, Mapping, Optional

import ferroflow
from ferroflow import _native
from ferroflow.dsl.base_component import BaseComponent


class KubernetesManifestOptions:
    """Names in a Kubernetes manifest; what is not said follows from the pipeline's name."""

    def __init__(self, pipeline_name: Optional[str] = None, pipeline_display_name: Optional[str] = None,
                 pipeline_version_name: Optional[str] = None, pipeline_version_display_name: Optional[str] = None,
                 namespace: Optional[str] = None, include_pipeline_manifest: bool = False) -> None:
        self.pipeline_name = pipeline_name
        self.pipeline_display_name = pipeline_display_name
        self.pipeline_version_name = pipeline_version_name
        self.pipeline_version_display_name = pipeline_version_display_name
        self.namespace = namespace
        self.include_pipeline_manifest = include_pipeline_manifest


class Compiler:
    """Compiles pipelines and components."""

    def compile(self, pipeline_func: BaseComponent, package_path: str, pipeline_name: Optional[str] = None,
                pipeline_display_name: Optional[str] = None, pipeline_parameters: Optional[Mapping[str, Any]] = None,
                type_check: bool = True, kubernetes_manifest_options: Optional[KubernetesManifestOptions] = None,
                kubernetes_manifest_format: bool = False) -> None:
        """Writes a pipeline or component to `package_path`, which ends with .yaml, .yml or .json."""
        if not isinstance(pipeline_func, BaseComponent):
            raise ValueError('pipeline_func must be made by @dsl.pipeline, @dsl.component or another decorator of '
                             f'dsl, or be loaded from a file, but is {pipeline_func!r}')
        before = ferroflow.TYPE_CHECK
        ferroflow.TYPE_CHECK = type_check
        try:
            text = self._text(pipeline_func, package_path, pipeline_name, pipeline_display_name, pipeline_parameters,
                              kubernetes_manifest_options if kubernetes_manifest_format else None,
                              kubernetes_manifest_format)
        finally:
            ferroflow.TYPE_CHECK = before
        with open(package_path, 'w', encoding='utf-8') as file:
            file.write(text)

    def _text(self, component: BaseComponent, path: str, name: Optional[str], display_name: Optional[str],
              parameters: Optional[Mapping[str, Any]], options: Optional[KubernetesManifestOptions],
              is_manifest: bool) -> str:
        compiled: _native.Compiled = component.compiled()
        if name is not None or display_name is not None or parameters:
            compiled = compiled.with_overrides(name, display_name, json.dumps(dict(parameters or {})))
        if is_manifest:
            return compiled.manifest(json.dumps(vars(options or KubernetesManifestOptions())), component.description)
        if path.endswith('.json'):
            import warnings
            warnings.warn('compiling to JSON is deprecated: name a file that ends with .yaml', DeprecationWarning,
                          stacklevel=3)
            return compiled.json()
        if not path.endswith(('.yaml', '.yml')):
            raise ValueError(f'package_path {path!r} should end with .yaml')
        return compiled.yaml(component.description)
