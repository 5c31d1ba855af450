"""kfp's own unit tests, which its wheel brings, with our SDK in the place of kfp: `make sdk-upstream`.

No part of `make test`: what they look into is often internal, and our errors have words of their own. Printed is how many
pass, how many fail by the words of an error alone, and the others with their reasons.
"""

import collections
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

TESTS = {'compiler': 'compiler/compiler_test.py', 'executor': 'dsl/executor_test.py'}
CONFTEST = '''
import importlib
import importlib.abc
import importlib.util
import sys
import types

# The messages of the real one: tests compare with them.
import kfp.pipeline_spec.pipeline_spec_pb2

for name in [name for name in sys.modules if name.split('.')[0] == 'kfp']:
    if not name.startswith('kfp.pipeline_spec'):
        del sys.modules[name]


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):

    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] != 'kfp' or name.startswith('kfp.pipeline_spec'):
            return None
        return importlib.util.spec_from_loader(name, self)

    def create_module(self, spec):
        return importlib.import_module('ferroflow' + spec.name[len('kfp'):])

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Alias())

import ferroflow._executor
import ferroflow.dsl
from ferroflow.dsl.types import artifact_types


class Executor:
    """The shape of kfp's."""

    def __init__(self, executor_input, function_to_execute):
        self.arguments = function_to_execute, executor_input

    def execute(self):
        return ferroflow._executor.execute(*self.arguments)


class Mounts(types.ModuleType):
    """Tests move the folders where remote artifacts lie by names of kfp's."""
    prefixes = {'_GCS_LOCAL_MOUNT_PREFIX': 'gs://', '_MINIO_LOCAL_MOUNT_PREFIX': 'minio://', '_S3_LOCAL_MOUNT_PREFIX': 's3://'}

    def __getattr__(self, name):
        if name not in self.prefixes:
            raise AttributeError(name)
        return dict(self._ROOTS)[self.prefixes[name]]

    def __setattr__(self, name, value):
        if name in self.prefixes:
            name, value = '_ROOTS', [*{**dict(self._ROOTS), self.prefixes[name]: value}.items()]
        super().__setattr__(name, value)


artifact_types.__class__ = Mounts


def module(name, **members):
    made = sys.modules[name] = types.ModuleType(name)
    vars(made).update(members)
    return made


ferroflow.dsl.executor = module('kfp.dsl.executor', Executor=Executor)
module('kfp.dsl.task_final_status', PipelineTaskFinalStatus=ferroflow.dsl.PipelineTaskFinalStatus)
# Only tests of the command line use it.
module('kfp.cli', cli=module('kfp.cli.cli'))
'''


def outcomes(path):
    """How many tests there are, and why those that failed did."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / 'report.xml'
        (pathlib.Path(folder) / 'conftest.py').write_text(CONFTEST)
        (pathlib.Path(folder) / path.name).write_text(path.read_text())
        words = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', f'--junit-xml={report}', path.name]
        subprocess.run([sys.executable, *words], cwd=folder, stdout=subprocess.DEVNULL)
        cases = xml.etree.ElementTree.parse(report).getroot().iter('testcase')
        found = [(case.get('name'), [*case.findall('failure'), *case.findall('error')]) for case in cases]
    return len(found), [(name, ' '.join((failed[0].get('message') or '').split())) for name, failed in found if failed]


def main():
    # Where the real one is installed; importing it would load it.
    folder = pathlib.Path(importlib.util.find_spec('kfp').submodule_search_locations[0])
    for title, name in TESTS.items():
        count, failed = outcomes(folder / name)
        by_words = [name for name, reason in failed if re.search(r'does not match|not triggered|not found in "', reason)]
        others = [(name, reason) for name, reason in failed if name not in by_words]
        print(f'{title}: {count - len(failed)} of {count} pass, {len(by_words)} differ in words, {len(others)} in more')
        for reason, alike in collections.Counter(reason[:140] for _, reason in others).most_common():
            print(f'    {alike} × {reason}')


if __name__ == '__main__':
    main()
