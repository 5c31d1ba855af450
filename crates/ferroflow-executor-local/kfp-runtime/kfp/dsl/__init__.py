"""What components use of `kfp.dsl` while they run.

Names of authoring load on first use, because star imports at the top of every component would pay for them.
"""

import os as _os
from typing import TypeVar as _TypeVar

from kfp.dsl.types.artifact_types import (HTML, Artifact, ClassificationMetrics, Dataset, Markdown, Metrics, Model,
                                          SlicedClassificationMetrics, get_uri)
from kfp.dsl.types.type_annotations import (Annotated as _Annotated, EmbeddedAnnotation as _EmbeddedAnnotation,
                                            InputAnnotation as _InputAnnotation, InputPath,
                                            OutputAnnotation as _OutputAnnotation, OutputPath)

__all__ = [
    'Input', 'Output', 'InputPath', 'OutputPath', 'PipelineTaskFinalStatus', 'TaskConfig', 'Artifact',
    'ClassificationMetrics', 'Dataset', 'HTML', 'Markdown', 'Metrics', 'Model', 'SlicedClassificationMetrics',
    'get_uri', 'PIPELINE_JOB_NAME_PLACEHOLDER', 'PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER',
    'PIPELINE_JOB_ID_PLACEHOLDER', 'PIPELINE_TASK_NAME_PLACEHOLDER', 'PIPELINE_TASK_ID_PLACEHOLDER',
    'PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER', 'PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER',
    'PIPELINE_ROOT_PLACEHOLDER', 'PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER',
    'PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER', 'WORKSPACE_PATH_PLACEHOLDER', 'run_notebook'
]

_AUTHORING = [
    'component', 'container_component', 'pipeline', 'importer', 'ContainerSpec', 'Condition', 'If', 'Elif', 'Else',
    'OneOf', 'ExitHandler', 'ParallelFor', 'Collected', 'IfPresentPlaceholder', 'ConcatPlaceholder', 'PipelineTask',
    'PipelineConfig', 'WorkspaceConfig', 'KubernetesWorkspaceConfig', 'TaskConfigField', 'TaskConfigPassthrough',
    'notebook_component'
]

# The source of a lightweight component runs with this flag and expects only the names of the first list.
if _os.environ.get('_KFP_RUNTIME') != 'true':
    __all__ += _AUTHORING

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
Output = _Annotated[_T, _OutputAnnotation]
EmbeddedInput = _Annotated[_T, _EmbeddedAnnotation]


class _Record:
    """Becomes a real dataclass when the first one is made: the module `dataclasses` costs more than a whole task."""

    def __new__(cls, *args, **kwargs):
        if '__dataclass_fields__' not in cls.__dict__:
            import dataclasses
            dataclasses.dataclass(cls)
        return object.__new__(cls)


class PipelineTaskFinalStatus(_Record):
    """How another task ended; `error_code` and `error_message` are None unless it failed."""
    state: str
    pipeline_job_resource_name: str
    pipeline_task_name: str
    error_code: int
    error_message: str


class TaskConfig(_Record):
    """What is configured for the task, as fragments of a Kubernetes pod spec."""
    affinity: dict = None
    tolerations: list = None
    node_selector: dict = None
    env: list = None
    volumes: list = None
    volume_mounts: list = None
    resources: dict = None


def run_notebook(**kwargs):
    """The source of a notebook component puts the real function in this place."""
    raise NotImplementedError('dsl.run_notebook works only inside of a notebook component')


def __getattr__(name):
    if name in _AUTHORING:
        from kfp.dsl import _authoring
        value = globals()[name] = getattr(_authoring, name)
        return value
    raise AttributeError("module 'kfp.dsl' has no attribute {!r}".format(name))
