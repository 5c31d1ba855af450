"""Settings that a component hands on to what it starts itself."""

from __future__ import annotations

import enum
from typing import Any, Optional


class TaskConfigField(enum.IntEnum):
    """Kinds of settings."""
    RESOURCES = 1
    ENV = 2
    KUBERNETES_AFFINITY = 3
    KUBERNETES_TOLERATIONS = 4
    KUBERNETES_NODE_SELECTOR = 5
    KUBERNETES_VOLUMES = 6


class TaskConfigPassthrough:
    """A kind of settings, and whether it counts for the task itself, too."""

    def __init__(self, field: TaskConfigField, apply_to_task: bool = False) -> None:
        self.field = field
        self.apply_to_task = apply_to_task


class TaskConfig:
    """Annotates an argument that gets the settings, as fragments of a Kubernetes pod spec."""

    def __init__(self, affinity: Optional[dict[str, Any]] = None, tolerations: Optional[list[dict[str, Any]]] = None,
                 node_selector: Optional[dict[str, str]] = None, env: Optional[list[dict[str, Any]]] = None,
                 volumes: Optional[list[dict[str, Any]]] = None, volume_mounts: Optional[list[dict[str, Any]]] = None,
                 resources: Optional[dict[str, Any]] = None) -> None:
        self.affinity = affinity
        self.tolerations = tolerations
        self.node_selector = node_selector
        self.env = env
        self.volumes = volumes
        self.volume_mounts = volume_mounts
        self.resources = resources


class PipelineTaskFinalStatus:
    """Annotates an argument that tells how another task ended."""

    def __init__(self, state: str, pipeline_job_resource_name: str, pipeline_task_name: str,
                 error_code: Optional[int] = None, error_message: Optional[str] = None) -> None:
        self.state = state
        self.pipeline_job_resource_name = pipeline_job_resource_name
        self.pipeline_task_name = pipeline_task_name
        self.error_code = error_code
        self.error_message = error_message
