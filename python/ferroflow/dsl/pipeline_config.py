"""Settings of a pipeline as a whole."""

from __future__ import annotations

from typing import Any, Optional

_UNITS = ('Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'K', 'M', 'G', 'T', 'P', 'E', '')
_INT32 = 2**31 - 1


class KubernetesWorkspaceConfig:
    """How the volume of the workspace differs from the server's default."""

    def __init__(self, pvcSpecPatch: Optional[dict[str, Any]] = None) -> None:
        self.pvcSpecPatch = pvcSpecPatch or {}

    def set_pvcSpecPatch(self, patch: dict[str, Any]) -> None:
        self.pvcSpecPatch = patch


class WorkspaceConfig:
    """A folder that all tasks of a run share."""

    def __init__(self, size: str, kubernetes: Optional[KubernetesWorkspaceConfig] = None) -> None:
        self.size = size
        self.kubernetes = kubernetes or KubernetesWorkspaceConfig()

    @property
    def size(self) -> str:
        return self._size

    @size.setter
    def size(self, size: str) -> None:
        text = str(size or '').strip()
        number = text.rstrip('KMGTPEi')
        whole, point, fraction = number.partition('.')
        is_number = whole.isdigit() and (whole == '0' or whole[0] != '0') and (not point or fraction.isdigit())
        if not is_number or text[len(number):] not in _UNITS:
            raise ValueError(f'Workspace size {text!r} is not an amount of storage: write one like 10Gi or 500Mi')
        self._size = text

    def set_size(self, size: str) -> None:
        self.size = size

    def set_kubernetes_config(self, kubernetes_config: KubernetesWorkspaceConfig) -> None:
        self.kubernetes = kubernetes_config

    def get_workspace(self) -> dict[str, Any]:
        workspace: dict[str, Any] = {'size': self.size}
        if self.kubernetes:
            workspace['kubernetes'] = {'pvcSpecPatch': self.kubernetes.pvcSpecPatch}
        return workspace


class PipelineConfig:
    """Workspace, life time of finished runs, and deadline; all optional."""

    def __init__(self, workspace: Optional[WorkspaceConfig] = None, ttl_seconds_after_finished: Optional[int] = None,
                 ttl_seconds_after_success: Optional[int] = None, ttl_seconds_after_failure: Optional[int] = None,
                 active_deadline_seconds: Optional[int] = None) -> None:
        self.workspace = workspace
        self.ttl_seconds_after_finished = _seconds('ttl_seconds_after_finished', ttl_seconds_after_finished)
        self.ttl_seconds_after_success = _seconds('ttl_seconds_after_success', ttl_seconds_after_success)
        self.ttl_seconds_after_failure = _seconds('ttl_seconds_after_failure', ttl_seconds_after_failure)
        self.active_deadline_seconds = _seconds('active_deadline_seconds', active_deadline_seconds)

    def data(self) -> dict[str, Any]:
        """What the compiler reads: nothing that is zero or not said."""
        seconds = {
            'resourceTtlOnCompletion': self.ttl_seconds_after_finished,
            'resourceTtlOnSuccess': self.ttl_seconds_after_success,
            'resourceTtlOnFailure': self.ttl_seconds_after_failure,
            'activeDeadlineSeconds': self.active_deadline_seconds,
        }
        found: dict[str, Any] = {name: value for name, value in seconds.items() if value}
        if self.workspace is not None:
            found['workspace'] = self.workspace.get_workspace()
        return found


def _seconds(name: str, value: Optional[int]) -> Optional[int]:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f'{name} must be an int, but is a {type(value).__name__}')
    if not 0 <= value <= _INT32:
        raise ValueError(f'{name} must be a non-negative integer of at most {_INT32}, but is {value}')
    return value
