"""Files that travel in the source of a component.

The archive is the same for the same files, whoever packs it when: otherwise nothing could be taken from the cache.
"""

from __future__ import annotations

import base64
import gzip
import io
import os
import tarfile
import warnings
from typing import Optional

NOTEBOOK_PACKAGES = ['nbclient>=0.10,<1', 'ipykernel>=6,<7', 'jupyter_client>=7,<9']

_UNPACK = '''__KFP_EMBEDDED_ARCHIVE_B64 = '{archive}'


def __kfp_unpack():
    import atexit, base64, io, shutil, sys, tarfile, tempfile
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(__KFP_EMBEDDED_ARCHIVE_B64)), mode='r:gz') as archive:
        archive.extractall(folder)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return folder


__KFP_EMBEDDED_ASSET_DIR = __kfp_unpack()
'''

_FILE = "__KFP_EMBEDDED_ASSET_FILE = __KFP_EMBEDDED_ASSET_DIR + '/{name}'\n"

_NOTEBOOK = '''

def __kfp_run_notebook(**parameters):
    import json, os, sys
    from nbclient import NotebookClient
    import nbformat

    def say(output):
        data = output.get('data', {{}})
        text = output.get('text') or data.get('text/plain') or data.get('text/markdown')
        if output.get('output_type') == 'error':
            print('\\n'.join(output.get('traceback', [])), file=sys.stderr, flush=True)
        elif text:
            print(text, end='' if text.endswith('\\n') else '\\n', flush=True)

    class Client(NotebookClient):
        # Says what cells print while they print it.
        def process_message(self, message, cell, cell_index):
            output = super().process_message(message, cell, cell_index)
            if output is not None:
                say(output)
            return output

    notebook = nbformat.read(os.path.join(__KFP_EMBEDDED_ASSET_DIR, {notebook!r}), as_version=4)
    if parameters:
        lines = ['import json']
        lines += ['{{}} = json.loads({{!r}})'.format(name, json.dumps(value)) for name, value in parameters.items()]
        cell = nbformat.v4.new_code_cell('\\n'.join(lines))
        cell.metadata['tags'] = ['injected-parameters']
        tagged = [place for place, found in enumerate(notebook.cells)
                  if found.cell_type == 'code' and 'parameters' in found.metadata.get('tags', [])]
        notebook.cells.insert(tagged[0] + 1 if tagged else 0, cell)
    # The kernel that the notebook was written with may have another name, which nobody knows here.
    Client(notebook, timeout=None, kernel_name='python3').execute(cwd=__KFP_EMBEDDED_ASSET_DIR)


dsl.run_notebook = run_notebook = __kfp_run_notebook
'''


def find_notebook(path: str) -> str:
    """The notebook at a path, below the folder that is embedded."""
    if os.path.isfile(path):
        if not path.endswith('.ipynb'):
            raise ValueError(f'notebook_path {path!r} is not a notebook: its name must end with .ipynb')
        return os.path.basename(path)
    if not os.path.isdir(path):
        raise ValueError(f'notebook_path {path!r} does not exist')
    found = [name for name in _files(path) if name.endswith('.ipynb')]
    if len(found) != 1:
        raise ValueError(f'notebook_path {path!r} holds {len(found)} notebooks, but must hold one: name the file')
    return found[0]


def _files(folder: str) -> list[str]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != '.ipynb_checkpoints')
        found += [os.path.relpath(os.path.join(place, name), folder) for name in names]
    return sorted(found)


def helper_source(path: str, notebook: Optional[str] = None) -> str:
    """Source that unpacks the files when the component starts."""
    if not os.path.exists(path):
        raise ValueError(f'embedded_artifact_path {path!r} does not exist')
    archive = _archive(path)
    if len(archive) > 2**20:
        warnings.warn(f'the files embedded from {path!r} have {len(archive) >> 20} MiB, which every run carries: '
                      'consider an image or an artifact', UserWarning, stacklevel=5)
    source = _UNPACK.format(archive=base64.b64encode(archive).decode())
    if os.path.isfile(path):
        source += _FILE.format(name=os.path.basename(path))
    return source + _NOTEBOOK.format(notebook=notebook) if notebook else source


def _archive(path: str) -> bytes:
    names = _files(path) if os.path.isdir(path) else [os.path.basename(path)]
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode='w', format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            with open(os.path.join(folder, name), 'rb') as file:
                content = file.read()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if os.access(os.path.join(folder, name), os.X_OK) else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)
