"""Names of authoring as no-ops: files with components carry decorators and whole pipelines at module level."""


def _decorator(function=None, **options):
    """Leaves the function as it is, with or without options. The body of a pipeline is never run here."""
    if function is None:
        return lambda given: _decorator(given)
    try:
        function.python_func = function
    except AttributeError:
        pass
    return function


component = container_component = notebook_component = pipeline = _decorator


class _Inert:
    """Takes any arguments; as a context it does nothing."""

    def __init__(self, *args, **kwargs):
        self.__dict__.update(kwargs)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


def importer(*args, **kwargs):
    return _Inert(**kwargs)


class ContainerSpec(_Inert):
    pass


class Condition(_Inert):
    pass


class If(_Inert):
    pass


class Elif(_Inert):
    pass


class Else(_Inert):
    pass


class OneOf(_Inert):
    pass


class ExitHandler(_Inert):
    pass


class ParallelFor(_Inert):
    pass


class Collected(_Inert):
    pass


class IfPresentPlaceholder(_Inert):
    pass


class ConcatPlaceholder(_Inert):
    pass


class PipelineTask(_Inert):
    pass


class PipelineConfig(_Inert):
    pass


class WorkspaceConfig(_Inert):
    pass


class KubernetesWorkspaceConfig(_Inert):
    pass


class TaskConfigPassthrough(_Inert):
    pass


class TaskConfigField:
    RESOURCES = 'RESOURCES'
    KUBERNETES_TOLERATIONS = 'KUBERNETES_TOLERATIONS'
    KUBERNETES_NODE_SELECTOR = 'KUBERNETES_NODE_SELECTOR'
    KUBERNETES_AFFINITY = 'KUBERNETES_AFFINITY'
    ENV = 'ENV'
    KUBERNETES_VOLUMES = 'KUBERNETES_VOLUMES'
