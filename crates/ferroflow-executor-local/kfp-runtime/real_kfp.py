"""Runs one task with the real kfp of its environment instead of the files beside this one.

The real one knows neither files for the executor input nor roots of artifacts other than its own `/gcs`, `/s3` and
`/minio`. So it gets paths in the place of the URIs that lie elsewhere; whoever reads the results maps them back.
"""

import json
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _forget_slim_runtime():
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or '.') != _HERE]
    for name in [name for name in sys.modules if name == 'kfp' or name.startswith('kfp.')]:
        del sys.modules[name]
    others = [entry for entry in os.environ.get('PYTHONPATH', '').split(os.pathsep) if entry and entry != _HERE]
    if others:
        os.environ['PYTHONPATH'] = os.pathsep.join(others)
    else:
        os.environ.pop('PYTHONPATH', None)


def _local(uri, roots):
    for prefix, folder in roots:
        if uri == prefix:
            return folder
        if prefix.endswith('/') and uri.startswith(prefix):
            key = uri[len(prefix):]
            if prefix == 'oci://':
                key = key.replace('/', '_') + '/models'
            return folder.rstrip('/') + '/' + key
    return uri[len('file://'):] if uri.startswith('file:///') else uri


def with_paths(executor_input, roots):
    """The executor input with local paths for the URIs of these roots (from prefix to folder)."""
    roots = sorted(roots.items(), key=lambda root: -len(root[0]))
    for side in ('inputs', 'outputs'):
        for artifacts in executor_input.get(side, {}).get('artifacts', {}).values():
            for artifact in artifacts.get('artifacts', []):
                if 'uri' in artifact:
                    artifact['uri'] = _local(artifact['uri'], roots)
    return executor_input


def run_task():
    arguments = sys.argv[1:]
    at = arguments.index('--executor_input_file')
    with open(arguments[at + 1], 'rb') as file:
        executor_input = json.loads(file.read())
    roots = json.loads(os.environ.get('FERROFLOW_LOCAL_ROOTS') or '{}')
    arguments[at:at + 2] = ['--executor_input', json.dumps(with_paths(executor_input, roots))]
    _forget_slim_runtime()
    # The working directory stands first under `python3 -m`, which is how kfp starts this.
    sys.path.insert(0, os.getcwd())
    try:
        from kfp.dsl import executor_main
    except ImportError:
        from kfp.components import executor_main
    sys.argv[1:] = arguments
    executor_main.executor_main()
