"""Stand-ins for parts of the SDK that have no work to do inside a task.

A file that holds components often imports the compiler or the client at its top. That import must not fail here;
using what it brought must, in words.
"""


def absent(module):
    """The `__getattr__` of a module that is not part of this package."""

    def missing(name):
        if name.startswith('__'):
            raise AttributeError('module {!r} has no attribute {!r}'.format(module, name))

        def __init__(self, *args, **kwargs):
            raise NotImplementedError(
                '`{}.{}` is not available inside this task; add `kfp` to `packages_to_install` of the component '
                'to get the whole SDK'.format(module, name))

        return type(name, (), {'__init__': __init__, '__module__': module})

    return missing
