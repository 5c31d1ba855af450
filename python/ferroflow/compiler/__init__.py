"""Writes pipelines and components to files."""

from ferroflow.compiler.compiler import Compiler, KubernetesManifestOptions

__all__ = ['Compiler', 'KubernetesManifestOptions']
