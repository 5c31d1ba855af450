"""The wheels as users get them: into an empty environment, with no index to take anything else from."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

# What `make wheels` has made.
WHEELS = pathlib.Path(os.environ['FERROFLOW_WHEELS'])
PROGRAM = '''
import sys
from {module} import Client, compiler, dsl, local


@dsl.component(base_image='python:3.11')
def double(number: int) -> int:
    return 2 * number


@dsl.pipeline
def twice(number: int = 3) -> int:
    return double(number=double(number=number).output).output


compiler.Compiler().compile(twice, 'twice.yaml')
local.init(local.SubprocessRunner(), pipeline_root='local')
print('local', twice(number=5).output)
run = Client(sys.argv[1]).create_run_from_pipeline_func(twice).wait_for_run_completion(timeout=120)
print('server', run.state, run.outputs)
'''


class Environment:
    """An environment with nothing but what is asked for."""

    def __init__(self, folder, *packages):
        self.folder = folder
        self.bin = folder / 'environment' / 'bin'
        subprocess.run([sys.executable, '-m', 'venv', folder / 'environment'], check=True)
        self.run('pip', 'install', '--quiet', '--no-index', '--find-links', str(WHEELS), *packages)

    def start(self, *words):
        # Nothing of the environment of the tests may help.
        known = {'PATH': f'{self.bin}:/usr/bin:/bin', 'HOME': str(self.folder)}
        return subprocess.Popen([self.bin / words[0], *words[1:]], cwd=self.folder, env=known, text=True,
                                stdout=subprocess.PIPE)

    def run(self, *words):
        with self.start(*words) as process:
            said = process.communicate(timeout=300)[0]
        assert process.returncode == 0, words
        return said

    def packages(self):
        found = json.loads(self.run('pip', 'list', '--format', 'json', '--disable-pip-version-check'))
        return {package['name'] for package in found} - {'pip', 'setuptools'}


def test_the_sdk_is_one_small_package(tmp_path):
    environment = Environment(tmp_path, 'ferroflow')
    assert environment.packages() == {'ferroflow'}
    [wheel] = WHEELS.glob('ferroflow-*.whl')
    assert wheel.stat().st_size <= 15e6


@pytest.mark.parametrize('packages, module', [(['ferroflow[server]'], 'ferroflow'),
                                              (['ferroflow-kfp', 'ferroflow-server'], 'kfp')])
def test_they_run_pipelines_here_and_on_a_server(packages, module, tmp_path):
    environment = Environment(tmp_path, *packages)
    assert environment.packages() - {'ferroflow-kfp'} == {'ferroflow', 'ferroflow-server'}
    (tmp_path / 'program.py').write_text(PROGRAM.format(module=module))
    with environment.start('ferroflow', 'up', '--listen', '127.0.0.1:0', '--data-dir', str(tmp_path / 'data')) as server:
        try:
            url = re.search(r'ready: (\S+)', server.stdout.readline())[1]
            said = environment.run('python', 'program.py', url)
        finally:
            server.terminate()
    if module == 'kfp':
        assert 'kfp 2.17.0' in environment.run('kfp', '--version')
    assert said.splitlines()[-2:] == ['local 20', "server SUCCEEDED {'Output': 12}"]
    assert 'sdkVersion: kfp-2.17.0' in (tmp_path / 'twice.yaml').read_text()
