"""`dsl` as type checkers see it, where that is more than the code says. There is no such module when a program runs.

Arguments that stand for outputs have no value of the caller's, and no type can leave them out of a signature. So calls of
components show the signature of the function, and those that do not fit it are not refused; pipelines, which have no such
arguments, are checked.
"""

from typing import Any, Callable, Generic, Optional, Protocol, TypeVar, Union, overload

from typing_extensions import ParamSpec

from ferroflow.dsl import base_component
from ferroflow.dsl.pipeline_config import PipelineConfig
from ferroflow.dsl.pipeline_task import PipelineTask
from ferroflow.dsl.structures import ContainerSpec
from ferroflow.dsl.task_config import TaskConfigField, TaskConfigPassthrough

_P = ParamSpec('_P')
_R = TypeVar('_R')

class Task(PipelineTask, Generic[_R]):
    """A task in the body of a pipeline; elsewhere what has run here, see `local`."""
    state: str
    @property
    def output(self) -> _R: ...

class PythonComponent(base_component.PythonComponent, Generic[_P, _R]):
    python_func: Callable[_P, _R]
    # What returns nothing may still have an output among its arguments.
    @overload
    def __call__(self: PythonComponent[_P, None], *args: _P.args, **kwargs: _P.kwargs) -> Task[Any]: ...
    @overload
    def __call__(self: PythonComponent[_P, None], **kwargs: Any) -> Task[Any]: ...
    @overload
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> Task[_R]: ...
    @overload
    def __call__(self, **kwargs: Any) -> Task[_R]: ...
    def execute(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...

class ContainerComponent(base_component.ContainerComponent, Generic[_P]):
    pipeline_func: Callable[_P, ContainerSpec]
    @overload
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> Task[Any]: ...
    @overload
    def __call__(self, **kwargs: Any) -> Task[Any]: ...

class GraphComponent(base_component.GraphComponent, Generic[_P, _R]):
    pipeline_func: Callable[_P, _R]
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> Task[_R]: ...

class ComponentDecorator(Protocol):
    def __call__(self, func: Callable[_P, _R]) -> PythonComponent[_P, _R]: ...

class PipelineDecorator(Protocol):
    def __call__(self, func: Callable[_P, _R]) -> GraphComponent[_P, _R]: ...

# With all options, too: that is what `functools.partial` calls.
@overload
def component(func: Callable[_P, _R], *, base_image: Optional[str] = None, target_image: Optional[str] = None,
              packages_to_install: Optional[list[str]] = None, pip_index_urls: Optional[list[str]] = None,
              output_component_file: Optional[str] = None, install_kfp_package: bool = True,
              kfp_package_path: Optional[str] = None, pip_trusted_hosts: Optional[list[str]] = None,
              use_venv: bool = False, additional_funcs: Optional[list[Callable[..., Any]]] = None,
              embedded_artifact_path: Optional[str] = None,
              task_config_passthroughs: Optional[list[Union[TaskConfigField, TaskConfigPassthrough]]] = None
              ) -> PythonComponent[_P, _R]: ...
@overload
def component(func: None = None, *, base_image: Optional[str] = None, target_image: Optional[str] = None,
              packages_to_install: Optional[list[str]] = None, pip_index_urls: Optional[list[str]] = None,
              output_component_file: Optional[str] = None, install_kfp_package: bool = True,
              kfp_package_path: Optional[str] = None, pip_trusted_hosts: Optional[list[str]] = None,
              use_venv: bool = False, additional_funcs: Optional[list[Callable[..., Any]]] = None,
              embedded_artifact_path: Optional[str] = None,
              task_config_passthroughs: Optional[list[Union[TaskConfigField, TaskConfigPassthrough]]] = None
              ) -> ComponentDecorator: ...
def notebook_component(func: None = None, *, notebook_path: str, base_image: Optional[str] = None,
                       packages_to_install: Optional[list[str]] = None, output_component_file: Optional[str] = None,
                       pip_index_urls: Optional[list[str]] = None, pip_trusted_hosts: Optional[list[str]] = None,
                       use_venv: bool = False, kfp_package_path: Optional[str] = None,
                       install_kfp_package: bool = True,
                       task_config_passthroughs: Optional[list[Any]] = None) -> ComponentDecorator: ...
def container_component(func: Callable[_P, ContainerSpec]) -> ContainerComponent[_P]: ...
@overload
def pipeline(func: Callable[_P, _R], *, name: Optional[str] = None, description: Optional[str] = None,
             pipeline_root: Optional[str] = None, display_name: Optional[str] = None,
             pipeline_config: Optional[PipelineConfig] = None) -> GraphComponent[_P, _R]: ...
@overload
def pipeline(func: None = None, *, name: Optional[str] = None, description: Optional[str] = None,
             pipeline_root: Optional[str] = None, display_name: Optional[str] = None,
             pipeline_config: Optional[PipelineConfig] = None) -> PipelineDecorator: ...

# Values whose type is that of what they collect or join.
def Collected(output: Any) -> Any: ...
def OneOf(*channels: Any) -> Any: ...
