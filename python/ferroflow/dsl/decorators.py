"""Decorators that make components and pipelines of functions."""

from __future__ import annotations

import functools
import warnings
from typing import Any, Callable, Optional, Union

from ferroflow import _native
from ferroflow.dsl import component_factory as factory
from ferroflow.dsl import structures
from ferroflow.dsl.base_component import ContainerComponent, GraphComponent, PythonComponent
from ferroflow.dsl.pipeline_config import PipelineConfig
from ferroflow.dsl.task_config import TaskConfigField, TaskConfigPassthrough

_BASE_IMAGE = 'python:3.11'


def component(func: Optional[Callable[..., Any]] = None, *, base_image: Optional[str] = None,
              target_image: Optional[str] = None, packages_to_install: Optional[list[str]] = None,
              pip_index_urls: Optional[list[str]] = None, output_component_file: Optional[str] = None,
              install_kfp_package: bool = True, kfp_package_path: Optional[str] = None,
              pip_trusted_hosts: Optional[list[str]] = None, use_venv: bool = False,
              additional_funcs: Optional[list[Callable[..., Any]]] = None,
              embedded_artifact_path: Optional[str] = None,
              task_config_passthroughs: Optional[list[Union[TaskConfigField, TaskConfigPassthrough]]] = None) -> Any:
    """Makes a component of a function, which must be complete in itself: its source runs in a container."""
    if output_component_file is not None:
        warnings.warn('output_component_file is deprecated: compile the component with Compiler().compile()',
                      DeprecationWarning, stacklevel=2)
    options: dict[str, Any] = {
        'base_image': base_image,
        'target_image': target_image,
        'packages_to_install': packages_to_install,
        'pip_index_urls': pip_index_urls,
        'output_component_file': output_component_file,
        'install_kfp_package': install_kfp_package,
        'kfp_package_path': kfp_package_path,
        'pip_trusted_hosts': pip_trusted_hosts,
        'use_venv': use_venv,
        'additional_funcs': additional_funcs,
        'embedded_artifact_path': embedded_artifact_path,
        'task_config_passthroughs': task_config_passthroughs,
    }
    if func is None:
        return functools.partial(component, **options)
    return _python_component(func, **options)


def notebook_component(func: Optional[Callable[..., Any]] = None, *, notebook_path: str,
                       base_image: Optional[str] = None, packages_to_install: Optional[list[str]] = None,
                       output_component_file: Optional[str] = None, pip_index_urls: Optional[list[str]] = None,
                       pip_trusted_hosts: Optional[list[str]] = None, use_venv: bool = False,
                       kfp_package_path: Optional[str] = None, install_kfp_package: bool = True,
                       task_config_passthroughs: Optional[list[Any]] = None) -> Any:
    """Makes a component of a notebook; the function calls `dsl.run_notebook(...)` with its parameters."""
    from ferroflow.dsl import embedded
    options: dict[str, Any] = {
        'base_image': base_image,
        'packages_to_install': embedded.NOTEBOOK_PACKAGES if packages_to_install is None else packages_to_install,
        'output_component_file': output_component_file,
        'pip_index_urls': pip_index_urls,
        'pip_trusted_hosts': pip_trusted_hosts,
        'use_venv': use_venv,
        'kfp_package_path': kfp_package_path,
        'install_kfp_package': install_kfp_package,
        'task_config_passthroughs': task_config_passthroughs,
        'embedded_artifact_path': notebook_path,
        'notebook': embedded.find_notebook(notebook_path),
    }
    if func is None:
        return functools.partial(_python_component, **options)
    return _python_component(func, **options)


def _python_component(func: Callable[..., Any], *, base_image: Optional[str], packages_to_install: Optional[list[str]],
                      pip_index_urls: Optional[list[str]], output_component_file: Optional[str],
                      install_kfp_package: bool, kfp_package_path: Optional[str],
                      pip_trusted_hosts: Optional[list[str]], use_venv: bool,
                      task_config_passthroughs: Optional[list[Any]], embedded_artifact_path: Optional[str] = None,
                      target_image: Optional[str] = None,
                      additional_funcs: Optional[list[Callable[..., Any]]] = None,
                      notebook: Optional[str] = None) -> PythonComponent:
    if base_image is None:
        warnings.warn(f'component {func.__name__!r} names no base_image, so it gets {_BASE_IMAGE}, which will change '
                      'to python:3.12 on October 1, 2027: name one', FutureWarning, stacklevel=3)
        base_image = _BASE_IMAGE
    spec = factory.read_interface(func)
    command = factory.installer_command(packages_to_install, install_kfp_package and target_image is None,
                                        kfp_package_path, pip_index_urls, pip_trusted_hosts, use_venv)
    if target_image:
        command += _native.containerized()
    else:
        command += factory.lightweight_command(func, additional_funcs, embedded_artifact_path, notebook)
    if task_config_passthroughs:
        spec.task_config_passthroughs = [
            TaskConfigPassthrough(entry) if isinstance(entry, TaskConfigField) else entry
            for entry in task_config_passthroughs
        ]
    spec.implementation.container = structures.ContainerSpecImplementation(target_image or base_image, command,
                                                                           _native.arguments(func.__name__))
    made = PythonComponent(spec, func)
    if embedded_artifact_path:
        # Only its source has the files.
        spec.implementation.functions = {}
    if output_component_file:
        from ferroflow.compiler import Compiler
        Compiler().compile(made, output_component_file)
    return made


def container_component(func: Callable[..., Any]) -> ContainerComponent:
    """Makes a component of a function that returns a `ContainerSpec`; it is called at once, with placeholders."""
    import inspect
    spec = factory.read_interface(func, containerized=True)
    parameters = inspect.signature(func).parameters.items()
    container = func(*[factory.container_argument(name, parameter.annotation) for name, parameter in parameters])
    if not isinstance(container, structures.ContainerSpec):
        raise TypeError(f'{func.__name__}() is a container component, so it must return a dsl.ContainerSpec, but '
                        f'returned {container!r}')
    spec.implementation.container = structures.ContainerSpecImplementation(
        container.image, structures.words(container.command, spec.name, spec.inputs, spec.outputs),
        structures.words(container.args, spec.name, spec.inputs, spec.outputs))
    return ContainerComponent(spec, func)


def pipeline(func: Optional[Callable[..., Any]] = None, *, name: Optional[str] = None,
             description: Optional[str] = None, pipeline_root: Optional[str] = None,
             display_name: Optional[str] = None, pipeline_config: Optional[PipelineConfig] = None) -> Any:
    """Makes a pipeline of a function. Its body runs at once, and calls of components in it become tasks."""
    if func is None:
        return functools.partial(pipeline, name=name, description=description, pipeline_root=pipeline_root,
                                 display_name=display_name, pipeline_config=pipeline_config)
    spec = factory.read_interface(func, name, description)
    return GraphComponent(spec, func, display_name, pipeline_config, pipeline_root)
