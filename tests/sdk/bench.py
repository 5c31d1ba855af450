"""What our SDK costs beside the real kfp, in CPU time of the same minutes.

usage: bench.py WHEEL    (both SDKs are installed in this interpreter, ours from this wheel)
"""

import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

COMPILE = '''
import json, resource, sys, warnings
warnings.simplefilter('ignore')
name, count, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if name == 'kfp':
    from kfp import compiler, dsl
else:
    from ferroflow import compiler, dsl


@dsl.component(base_image='python:3.11')
def step(text: str) -> str:
    return text


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


begin = cpu()


@dsl.pipeline
def chain(text: str = 'x'):
    task = step(text=text)
    for _ in range(count - 1):
        task = step(text=task.output)


compiler.Compiler().compile(chain, path)
print(cpu() - begin)
'''


def cpu_of(*words):
    """CPU seconds of an interpreter with these words."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, cwd=tempfile.gettempdir())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imports(repeats=9):
    """Median CPU seconds that importing takes on top of a bare interpreter: ours and kfp's."""
    codes = {'bare': 'pass', 'ours': 'from ferroflow import dsl, compiler', 'kfp': 'from kfp import dsl, compiler'}
    # In turns, so that all see the same neighbours.
    rounds = [{name: cpu_of('-c', code) for name, code in codes.items()} for _ in range(repeats)]
    return tuple(statistics.median(one[name] - one['bare'] for one in rounds) for name in ('ours', 'kfp'))


def compiles(name, count, repeats):
    """Median CPU seconds of trace, compile and YAML of a chain."""
    with tempfile.TemporaryDirectory() as folder:
        # A file, because the SDKs read the source of components.
        source = pathlib.Path(folder) / 'chain.py'
        source.write_text(COMPILE)
        words = [sys.executable, str(source), name, str(count), f'{folder}/chain.yaml']
        done = [subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder) for _ in range(repeats)]
    return statistics.median(float(one.stdout) for one in done)


def installs(what):
    """CPU seconds that pip takes for it, how many distributions that brings, and their bytes without bytecode."""
    with tempfile.TemporaryDirectory() as folder:
        words = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', folder, what]
        seconds = cpu_of(*words)
        files = [path for path in pathlib.Path(folder).rglob('*') if path.is_file() and path.suffix != '.pyc']
        count = len(list(pathlib.Path(folder).glob('*.dist-info')))
        return seconds, count, sum(path.stat().st_size for path in files)


def row(what, value, bound, text):
    print(f'{"ok  " if value <= bound else "MISS"} {what}: {text} (bound {bound:.3g})')


def main():
    ours, theirs = imports()
    row('import, ms CPU over bare Python', 1000 * ours, 30, f'{1000 * ours:.1f}')
    row('import, part of kfp\'s', ours / theirs, 1 / 12, f'{ours / theirs:.3f}, kfp {1000 * theirs:.0f} ms')
    thousand, kfp = compiles('ferroflow', 1000, 5), compiles('kfp', 1000, 1)
    row('1,000 tasks, part of kfp\'s CPU', thousand / kfp, 1 / 30, f'{thousand / kfp:.4f}, {thousand:.3f} s to {kfp:.2f} s')
    many = compiles('ferroflow', 10_000, 3)
    # Ten times, and what caches forget on the way; a quadratic part would show as a hundred.
    row('10,000 tasks, times those of 1,000', many / thousand, 15, f'{many / thousand:.1f}, {many:.2f} s')
    seconds, count, size = installs(sys.argv[1])
    row('packages that come', count, 1, f'{count}')
    row('installed, MB', size / 1e6, 15, f'{size / 1e6:.1f}')
    # The first time fills pip's cache, which no user of kfp is to blame for.
    installs('kfp==2.17.0')
    slow, packages, bytes_of_kfp = installs('kfp==2.17.0')
    row('install, part of kfp\'s CPU', seconds / slow, 1 / 5,
        f'{seconds / slow:.3f}, {seconds:.1f} s to {slow:.1f} s for {packages} packages of {bytes_of_kfp / 1e6:.0f} MB')
    print(json.dumps({'import': ours, 'import_kfp': theirs, 'thousand': thousand, 'thousand_kfp': kfp, 'many': many,
                      'install': seconds, 'install_kfp': slow}))


if __name__ == '__main__':
    main()
