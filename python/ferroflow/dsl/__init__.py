"""Everything that authors of components and pipelines use, under KFP's names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any as _Any
from typing import TypeVar as _TypeVar

from ferroflow.dsl.importer_node import importer
from ferroflow.dsl.pipeline_config import KubernetesWorkspaceConfig, PipelineConfig, WorkspaceConfig
from ferroflow.dsl.pipeline_task import PipelineTask
from ferroflow.dsl.placeholders import ConcatPlaceholder, IfPresentPlaceholder
from ferroflow.dsl.structures import ContainerSpec
from ferroflow.dsl.task_config import PipelineTaskFinalStatus, TaskConfig, TaskConfigField, TaskConfigPassthrough
from ferroflow.dsl.tasks_group import Condition, Elif, Else, ExitHandler, If, ParallelFor
from ferroflow.dsl.types.artifact_types import (HTML, Artifact, ClassificationMetrics, Dataset, Markdown, Metrics, Model,
                                                SlicedClassificationMetrics, get_uri)
from ferroflow.dsl.types.type_annotations import (EmbeddedAnnotation as _EmbeddedAnnotation,
                                                  InputAnnotation as _InputAnnotation, InputPath,
                                                  OutputAnnotation as _OutputAnnotation, OutputPath)

if TYPE_CHECKING:
    from typing import Annotated as _Annotated

    from ferroflow.dsl.typed import Collected, OneOf, component, container_component, notebook_component, pipeline
else:
    from ferroflow.dsl.decorators import component, container_component, notebook_component, pipeline
    from ferroflow.dsl.for_loop import Collected
    from ferroflow.dsl.pipeline_channel import OneOf
    from ferroflow.dsl.types.type_annotations import Annotated as _Annotated

__all__ = [
    'Input', 'Output', 'InputPath', 'OutputPath', 'PipelineTaskFinalStatus', 'TaskConfig', 'Artifact',
    'ClassificationMetrics', 'Dataset', 'HTML', 'Markdown', 'Metrics', 'Model', 'SlicedClassificationMetrics',
    'get_uri', 'PIPELINE_JOB_NAME_PLACEHOLDER', 'PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER',
    'PIPELINE_JOB_ID_PLACEHOLDER', 'PIPELINE_TASK_NAME_PLACEHOLDER', 'PIPELINE_TASK_ID_PLACEHOLDER',
    'PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER', 'PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER',
    'PIPELINE_ROOT_PLACEHOLDER', 'PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER',
    'PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER', 'WORKSPACE_PATH_PLACEHOLDER', 'run_notebook', 'component',
    'container_component', 'pipeline', 'importer', 'ContainerSpec', 'Condition', 'If', 'Elif', 'Else', 'OneOf',
    'ExitHandler', 'ParallelFor', 'Collected', 'IfPresentPlaceholder', 'ConcatPlaceholder', 'PipelineTask',
    'PipelineConfig', 'WorkspaceConfig', 'KubernetesWorkspaceConfig', 'TaskConfigField', 'TaskConfigPassthrough',
    'notebook_component'
]

PIPELINE_JOB_NAME_PLACEHOLDER = '{{$.pipeline_job_name}}'
PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER = '{{$.pipeline_job_resource_name}}'
PIPELINE_JOB_ID_PLACEHOLDER = '{{$.pipeline_job_uuid}}'
PIPELINE_TASK_NAME_PLACEHOLDER = '{{$.pipeline_task_name}}'
PIPELINE_TASK_ID_PLACEHOLDER = '{{$.pipeline_task_uuid}}'
PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER = '{{$.outputs.output_file}}'
PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER = '{{$}}'
PIPELINE_ROOT_PLACEHOLDER = '{{$.pipeline_root}}'
PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER = '{{$.pipeline_job_create_time_utc}}'
PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER = '{{$.pipeline_job_schedule_time_utc}}'
WORKSPACE_PATH_PLACEHOLDER = '{{$.workspace_path}}'

_T = _TypeVar('_T')
Input = _Annotated[_T, _InputAnnotation]
"""An artifact that a component takes."""
Output = _Annotated[_T, _OutputAnnotation]
"""An artifact that a component makes."""
EmbeddedInput = _Annotated[_T, _EmbeddedAnnotation]
"""Files that travel in the source of the component."""


def run_notebook(**kwargs: _Any) -> None:
    """Runs the notebook of a notebook component; the source of such a component puts the real function here."""
    raise NotImplementedError('dsl.run_notebook works only inside of a notebook component that is running')
