"""Importers: tasks that bring artifacts from elsewhere."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Union

from ferroflow.dsl.base_component import BaseComponent
from ferroflow.dsl.pipeline_channel import PipelineParameterChannel, extract_pipeline_channels_from_any
from ferroflow.dsl.structures import ComponentSpec, Implementation, InputSpec, OutputSpec


def importer(artifact_uri: Union[PipelineParameterChannel, str], artifact_class: Any, reimport: bool = False,
             metadata: Optional[Mapping[str, Any]] = None, download_to_workspace: bool = False) -> Any:
    """A task that brings an artifact from a URI; its output is `.output`."""
    inputs = _Inputs()
    kind = f'{artifact_class.schema_title}@{artifact_class.schema_version}'
    spec = ComponentSpec(
        'importer',
        Implementation(
            importer={
                'type': kind,
                'reimport': reimport,
                'metadata': inputs.replace(dict(metadata)) if metadata else None,
                'download_to_workspace': download_to_workspace,
            }),
        outputs={'artifact': OutputSpec(kind)})
    spec.inputs = {'uri': InputSpec('String'), **inputs.specs}
    return BaseComponent(spec)(uri=artifact_uri, **inputs.values)


class _Inputs:
    """Channels in the metadata become inputs, each once."""

    def __init__(self) -> None:
        self.values: dict[str, PipelineParameterChannel] = {}
        self.specs: dict[str, InputSpec] = {}

    def _placeholder(self, channel: PipelineParameterChannel) -> str:
        for name, known in self.values.items():
            if known.pattern == channel.pattern:
                break
        else:
            name = f'metadata-{len(self.values) + 1}' if self.values else 'metadata'
            self.values[name] = channel
            self.specs[name] = InputSpec(channel.channel_type)
        return f"{{{{$.inputs.parameters['{name}']}}}}"

    def replace(self, value: Any) -> Any:
        if isinstance(value, PipelineParameterChannel):
            return self._placeholder(value)
        if isinstance(value, dict):
            return {self.replace(key): self.replace(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.replace(inner) for inner in value]
        if isinstance(value, str):
            for channel in extract_pipeline_channels_from_any(value):
                value = value.replace(channel.pattern, self._placeholder(channel))  # type: ignore[arg-type]
        return value
