"""Where KFP has the exception for pipelines that cannot be, and the options of manifests."""

from ferroflow._native import InvalidTopologyException
from ferroflow.compiler.compiler import KubernetesManifestOptions

__all__ = ['InvalidTopologyException', 'KubernetesManifestOptions']
