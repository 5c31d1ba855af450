"""One task from its command line to its exit: load the source, call the function, write what it gave.

    kfp_task.py --function_to_execute NAME
                (--executor_input JSON | --executor_input_file PATH)
                [--component_module_path PATH]

The file form exists because one argument of a process cannot be longer than 128 KiB. Without a module path the
file of the function stands in `kfp_config.ini` of the working directory. Other arguments are ignored.
An error ends the process with the usual traceback and exit code 1.
"""

import os
import sys

_OPTIONS = ('component_module_path', 'function_to_execute', 'executor_input', 'executor_input_file')


def _parse(arguments):
    found = {}
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition('=')
        if name[:2] == '--' and name[2:] in _OPTIONS:
            if not equals:
                value = next(words, None)
                if value is None:
                    sys.exit('error: {} needs a value'.format(name))
            found[name[2:]] = value
    if 'function_to_execute' not in found:
        sys.exit('error: --function_to_execute is missing')
    return found


def _read_executor_input(options):
    import json
    if 'executor_input' in options:
        return json.loads(options['executor_input'])
    if 'executor_input_file' not in options:
        sys.exit('error: one of --executor_input and --executor_input_file is needed')
    with open(options['executor_input_file'], 'rb') as file:
        return json.loads(file.read())


def _module_path_from_config(function):
    import configparser
    config = configparser.ConfigParser()
    config.optionxform = str
    config.read('kfp_config.ini')
    if not config.has_option('Components', function):
        sys.exit('error: no file for component `{}`: name it with --component_module_path or in the section '
                 '[Components] of kfp_config.ini in the working directory'.format(function))
    return config.get('Components', function)


def _load_module(path):
    """Like an import by path, but without a bytecode file: the source of a task is loaded once."""
    # These two modules are the body of importlib and always there; importlib.util costs a millisecond.
    from _frozen_importlib import module_from_spec
    from _frozen_importlib_external import spec_from_file_location

    folder, file = os.path.split(path)
    spec = spec_from_file_location(file[:-len('.py')], path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    # The working directory stands first under `python3 -m`, and user code may rely on it.
    here = os.getcwd()
    sys.path[:0] = [folder] if here in (folder, *sys.path) or '' in sys.path else [folder, here]
    with open(path, 'rb') as source:
        code = compile(source.read(), path, 'exec', dont_inherit=True)
    exec(code, module.__dict__)
    return module


class _LoggingOnFirstImport:
    """Shows what user code logs at INFO, as KFP does, at no cost for code that does not log."""

    def find_spec(self, name, path=None, target=None):
        if name != 'logging':
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                break
        else:
            return None
        execute = spec.loader.exec_module

        def execute_and_configure(module):
            execute(module)
            _configure_logging(module)

        spec.loader.exec_module = execute_and_configure
        return spec


def _configure_logging(logging):
    logging.basicConfig(stream=sys.stdout, format='%(asctime)s %(levelname)s %(message)s', level=logging.INFO)


def run_task():
    options = _parse(sys.argv[1:])
    if 'logging' in sys.modules:
        _configure_logging(sys.modules['logging'])
    else:
        sys.meta_path.insert(0, _LoggingOnFirstImport())

    path = options.get('component_module_path')
    if path is None:
        path = _module_path_from_config(options['function_to_execute'])
    else:
        os.environ.setdefault('_KFP_RUNTIME', 'true')
    function = getattr(_load_module(path), options['function_to_execute'])

    from kfp._executor import execute
    execute(function, _read_executor_input(options))
