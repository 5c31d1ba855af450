"""Calls the function of a component with its inputs and writes its outputs as ExecutorOutput."""

import json
import os

from . import dsl
from .dsl.types import artifact_types
from .dsl.types.type_annotations import (EmbeddedAnnotation, InputAnnotation, InputPath, OutputAnnotation, OutputPath,
                                         artifact_of_list, is_artifact_class, is_named_tuple, is_parameter,
                                         is_pydantic_model, marker, strip_optional)

# Of the nodes of one distributed training only these write, because all share the file.
_WRITING_NODES = ('workerpool0', 'chief', 'master')


def execute(function, executor_input):
    """Runs one task; returns the path of the written file, or None on a node that must not write."""
    return _Task(getattr(function, 'python_func', function), executor_input).run()


class _Task:

    def __init__(self, function, executor_input):
        self.function = function
        self.annotations, self.return_annotation = _annotations_of(function)
        inputs = executor_input.get('inputs', {})
        outputs = executor_input['outputs']
        self.parameters = inputs.get('parameterValues') or {}
        self.output_parameters = outputs.get('parameters') or {}
        self.output_file = outputs['outputFile']
        artifact_types.task_folder = os.path.dirname(self.output_file)

        # What the written file will hold.
        self.values = {}

        self.input_artifacts = {}
        for name, artifacts in inputs.get('artifacts', {}).items():
            if artifacts.get('artifacts'):
                self.input_artifacts[name] = self._input_artifact(name, artifacts['artifacts'])
        self.output_artifacts = {}
        for name, artifacts in outputs.get('artifacts', {}).items():
            if artifacts.get('artifacts'):
                artifact = self._artifact(name, artifacts['artifacts'][0], self.function.__annotations__.get(name))
                self.output_artifacts[name] = artifact
                _make_parent(artifact.path)

    def run(self):
        arguments = {}
        for name, annotation in self.annotations.items():
            self._bind(arguments, name, annotation)
        result = self.function(**arguments)

        self._take_result(result)
        return self._write()

    # Inputs.

    def _input_artifact(self, name, artifacts):
        annotation = strip_optional(self.function.__annotations__[name])
        if marker(annotation) is not None:
            annotation = annotation.__origin__
        # A list of lists comes flat, so only the class inside matters.
        inner = _innermost_of_list(annotation)
        if inner is None:
            return self._artifact(name, artifacts[0], annotation)
        if not is_artifact_class(inner):
            raise TypeError('input `{}` gets a list of artifacts, but its annotation {!r} holds no artifact class'.format(
                name, annotation))
        return [self._artifact(name, artifact, inner) for artifact in artifacts]

    def _artifact(self, name, fields, annotation):
        """An object of the class that the schema title names, else of the annotated class."""
        cls = artifact_types.CLASSES.get(fields.get('type', {}).get('schemaTitle', ''))
        if cls is None:
            cls = self._annotated_class(name, strip_optional(annotation))
        make = getattr(cls, '_from_executor_fields', cls)
        artifact = make(uri=fields.get('uri', ''), name=fields.get('name', ''), metadata=fields.get('metadata', {}))
        custom_path = fields.get('customPath') or fields.get('custom_path')
        if custom_path:
            artifact.custom_path = custom_path
        return artifact

    def _annotated_class(self, name, annotation):
        if marker(annotation) is not None:
            annotation = annotation.__origin__
        inner = artifact_of_list(annotation)
        if inner is not None:
            return inner
        if isinstance(annotation, (InputPath, OutputPath)):
            annotation = artifact_types.CLASSES.get(annotation.type.split('@')[0])
        if not callable(annotation):
            raise TypeError('artifact `{}` has no schema title, and the function does not annotate its class'.format(name))
        return annotation

    def _bind(self, arguments, name, annotation):
        """Adds the argument `name`; without a value of its own it is left out, so that the default applies."""
        annotation = strip_optional(annotation)
        mark = marker(annotation)
        if annotation is dsl.PipelineTaskFinalStatus:
            arguments[name] = self._final_status(name)
        elif annotation is dsl.TaskConfig:
            arguments[name] = _task_config(self.parameters.get(name) or {})
        elif artifact_of_list(annotation) is not None:
            arguments[name] = self.input_artifacts.get(name)
        elif mark is None and is_parameter(annotation):
            value = self.parameters.get(name)
            if value is not None:
                arguments[name] = annotation.model_validate(value) if is_pydantic_model(annotation) else value
        elif mark is InputAnnotation:
            arguments[name] = self.input_artifacts.get(name)
        elif mark is OutputAnnotation:
            arguments[name] = self.output_artifacts.get(name)
        elif mark is EmbeddedAnnotation:
            arguments[name] = self._embedded(annotation.__origin__)
        elif type(annotation) is type and is_artifact_class(annotation):
            arguments[name] = self.input_artifacts.get(name)
        elif isinstance(annotation, OutputPath):
            arguments[name] = self._output_path(name, annotation)
        elif isinstance(annotation, InputPath):
            if name not in self.input_artifacts:
                raise ValueError('input artifact `{}` is missing'.format(name))
            arguments[name] = self.input_artifacts[name].path

    def _final_status(self, name):
        value = self.parameters.get(name)
        if value is None:
            raise ValueError('the final status of the task that `{}` reports on is missing'.format(name))

        def either(camel, snake):
            return value[camel] if value.get(camel) is not None else value.get(snake)

        error = value.get('error', {})
        return dsl.PipelineTaskFinalStatus(
            state=value.get('state'),
            pipeline_job_resource_name=either('pipelineJobResourceName', 'pipeline_job_resource_name'),
            pipeline_task_name=either('pipelineTaskName', 'pipeline_task_name'),
            error_code=error.get('code'),
            error_message=error.get('message'))

    def _embedded(self, cls):
        found = self.function.__globals__.get('__KFP_EMBEDDED_ASSET_FILE') or self.function.__globals__.get(
            '__KFP_EMBEDDED_ASSET_DIR')
        if not found:
            raise RuntimeError('an argument is annotated with EmbeddedInput, but the source carries no embedded files')
        artifact = (cls if is_artifact_class(cls) else artifact_types.Artifact)()
        artifact.path = found
        return artifact

    def _output_path(self, name, annotation):
        if not is_parameter(annotation.type):
            if name not in self.output_artifacts:
                raise ValueError('output artifact `{}` is missing'.format(name))
            return self.output_artifacts[name].path
        path = self.output_parameters.get(name, {}).get('outputFile')
        if path:
            _make_parent(path)
        return path

    # Outputs.

    def _take_result(self, result):
        annotation = self.return_annotation
        if is_named_tuple(strip_optional(annotation)):
            if result is not None:
                self._take_fields(strip_optional(annotation), result)
        elif result is not None:
            self._take_value('Output', annotation, result)
        elif _is_optional_parameter(annotation):
            self.values['Output'] = None

    def _take_fields(self, annotation, result):
        fields = annotation._fields
        if len(fields) != len(result):
            raise RuntimeError('function `{}` must return {} values, got {}'.format(
                self.function.__name__, len(fields), len(result)))
        for index, field in enumerate(fields):
            value = result[index] if type(result) is tuple else getattr(result, field)
            self._take_value(field, annotation.__annotations__[field], value)

    def _take_value(self, name, annotation, value):
        stripped = strip_optional(annotation)
        if is_parameter(stripped):
            if value is None and stripped is not annotation:
                # An explicit null says: left empty on purpose. A missing value would be an error.
                self.values[name] = None
                return
            wanted = getattr(stripped, '__origin__', None) or stripped
            if not isinstance(value, (int, float) if wanted is float else wanted):
                raise ValueError('function `{}` returned a value of type {} for output `{}`; want {}'.format(
                    self.function.__name__, type(value), name, wanted))
            if is_pydantic_model(wanted):
                value = value.model_dump(mode='json', by_alias=True)
            self.values[name] = value
        elif type(stripped) is type and is_artifact_class(stripped):
            if isinstance(value, artifact_types.Artifact):
                self.output_artifacts[name] = value
            elif name in self.output_artifacts:
                with open(self.output_artifacts[name].path, 'w', encoding='utf-8') as file:
                    file.write(str(value))
            else:
                raise ValueError('output artifact `{}` is missing'.format(name))
        else:
            raise RuntimeError('function `{}` returned a value, but its return annotation {!r} is neither a parameter '
                               'type, nor an artifact class, nor a NamedTuple of these'.format(
                                   self.function.__name__, annotation))

    def _write(self):
        output = {}
        if self.values:
            output['parameterValues'] = self.values
        if self.output_artifacts:
            output['artifacts'] = {name: {'artifacts': [_fields_of(artifact)]}
                                   for name, artifact in self.output_artifacts.items()}
        cluster = os.environ.get('CLUSTER_SPEC')
        if cluster and json.loads(cluster)['task']['type'] not in _WRITING_NODES:
            return None
        _make_parent(self.output_file)
        text = json.dumps(output)
        with open(self.output_file, 'w') as file:
            file.write(text)
        return self.output_file


def _annotations_of(function):
    """The annotations of the arguments in their order, and that of the return value (None without one)."""
    code = getattr(function, '__code__', None)
    if code is None:
        import inspect
        given = inspect.getfullargspec(function).annotations
        return {name: value for name, value in given.items() if name != 'return'}, given.get('return')
    given = function.__annotations__
    names = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
    return {name: given[name] for name in names if name in given}, given.get('return')


def _innermost_of_list(annotation):
    inner = None
    while getattr(annotation, '__origin__', None) is list:
        annotation = inner = annotation.__args__[0]
    return inner


def _is_optional_parameter(annotation):
    stripped = strip_optional(annotation)
    return stripped is not annotation and is_parameter(stripped)


def _task_config(value):
    return dsl.TaskConfig(
        affinity=value.get('affinity'), tolerations=value.get('tolerations'), node_selector=value.get('nodeSelector'),
        env=value.get('env'), volumes=value.get('volumes'), volume_mounts=value.get('volumeMounts'),
        resources=value.get('resources'))


def _fields_of(artifact):
    fields = {'name': artifact.name, 'uri': artifact.uri, 'metadata': artifact.metadata}
    if artifact.custom_path:
        fields['custom_path'] = artifact.custom_path
    return fields


def _make_parent(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
