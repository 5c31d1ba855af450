"""Fills a new environment with packages: `ENVIRONMENT/bin/python3 make_environment.py ENVIRONMENT`.

What to install stands in `requirements.json` there. uv does it if it is on PATH, else pip, which need not be inside of
the environment. pip's own settings of this machine (variables and configuration files) hold for both. An index that
the component names goes before them, except for the public one: that is the default, and what stands in for it here
must stand in for it there too.

In a container, where only the container's own Python knows what it is, the environment is a folder with that file and
nothing more: `python3 make_environment.py ENVIRONMENT` makes the rest of it first.
"""

import configparser
import json
import os
import shutil
import subprocess
import sys
from urllib.parse import urlsplit

_PUBLIC_HOSTS = ('pypi.org', 'www.pypi.org', 'pypi.python.org')


def _config_files():
    own = os.environ.get('PIP_CONFIG_FILE')
    if own == os.devnull:
        return []
    home = os.path.expanduser('~')
    roots = (os.environ.get('XDG_CONFIG_DIRS') or '/etc/xdg').split(':')
    files = [os.path.join(root, 'pip', 'pip.conf') for root in reversed(roots) if root] + ['/etc/pip.conf']
    files += [os.path.join(home, '.pip', 'pip.conf')]
    files += [os.path.join(os.environ.get('XDG_CONFIG_HOME') or os.path.join(home, '.config'), 'pip', 'pip.conf')]
    return files + ([own] if own else [])


class HostSettings:
    """What pip is told about this machine: later files go before earlier ones, variables before all files."""

    def __init__(self, base_prefixes):
        self._sections = [{}, {}]
        files = _config_files()
        # The file of a virtual environment lies in its folder.
        files[-1:-1] = [os.path.join(prefix, 'pip.conf') for prefix in base_prefixes]
        for path in files:
            config = configparser.RawConfigParser()
            try:
                config.read(path, encoding='utf-8')
            except (OSError, UnicodeDecodeError, configparser.Error):
                continue
            for values, section in zip(self._sections, ('global', 'install')):
                if config.has_section(section):
                    values.update(config.items(section))

    def get(self, name):
        value = os.environ.get('PIP_' + name.upper().replace('-', '_'))
        for values in reversed(self._sections):
            value = value or values.get(name) or values.get(name.replace('-', '_'))
        return value or ''

    def all(self, name):
        return self.get(name).split()


def _is_public(url):
    parts = urlsplit(url)
    return parts.hostname in _PUBLIC_HOSTS and parts.path.rstrip('/') in ('', '/simple')


def _host_of(trusted):
    """Host and port. Older SDKs give whole URLs; of those only plain ones count, as nothing is verified there."""
    if '://' not in trusted:
        return trusted
    parts = urlsplit(trusted)
    return parts.netloc.rpartition('@')[2] if parts.scheme == 'http' else None


def index_options(wanted, host):
    """The index, further indexes and trusted hosts to install from; None for what pip's own settings say."""
    index, extra = wanted['index_url'], wanted['extra_index_urls']
    stand_in = host.get('index-url')
    if index is not None and _is_public(index):
        index = stand_in or None
    extra = [stand_in if stand_in and _is_public(url) else url for url in extra]
    trusted = [found for found in map(_host_of, wanted['trusted_hosts']) if found]
    return index, extra or None, trusted


def pip_arguments(wanted, host):
    index, extra, trusted = index_options(wanted, host)
    arguments = ['--disable-pip-version-check', '--no-input', 'install', '--ignore-installed',
                 '--no-warn-script-location', '--progress-bar', 'off']
    arguments += ['--index-url', index] if index else []
    for url in extra or ():
        arguments += ['--extra-index-url', url]
    for name in trusted + host.all('trusted-host'):
        arguments += ['--trusted-host', name]
    return arguments + (['--no-deps'] if wanted['no_deps'] else []) + ['--'] + wanted['packages']


def uv_arguments(wanted, host, python):
    """uv does not read pip's settings, so it is told them, unless it has some of its own."""
    index, extra, trusted = index_options(wanted, host)
    arguments = ['pip', 'install', '--python', python, '--compile-bytecode', '--no-progress', '--color', 'never',
                 '--index-strategy', 'unsafe-best-match']
    if not any(os.environ.get(name) for name in ('UV_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_INDEX', 'UV_EXTRA_INDEX_URL')):
        index = index or host.get('index-url')
        extra = host.all('extra-index-url') if extra is None else extra
    arguments += ['--index-url', index] if index else []
    for url in extra or ():
        arguments += ['--extra-index-url', url]
    for name in trusted + host.all('trusted-host'):
        arguments += ['--allow-insecure-host', name]
    for place in host.all('find-links'):
        arguments += ['--find-links', place]
    arguments += ['--no-index'] if host.get('no-index').lower() in ('1', 'true', 'yes', 'on') else []
    return arguments + (['--no-deps'] if wanted['no_deps'] else []) + ['--'] + wanted['packages']


def _run_uv(uv, arguments, host):
    environment = dict(os.environ)
    certificates = host.get('cert')
    if certificates:
        environment.setdefault('SSL_CERT_FILE', certificates)
    return subprocess.call([uv] + arguments, env=environment)


def _run_pip(arguments):
    """pip of the interpreter below, else the one that Python carries to install it."""
    environment = dict(os.environ)
    probe = [sys.executable, '-m', 'pip']
    if subprocess.call(probe + ['--version'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) != 0:
        carried = _carried_pip()
        if carried is None:
            print('error: packages must be installed, but there is neither uv on PATH nor pip for {}; install one of '
                  'them'.format(os.path.realpath(sys.executable)))
            return 1
        environment['PYTHONPATH'] = carried
    return subprocess.call(probe + arguments, env=environment)


def _carried_pip():
    try:
        import ensurepip
    except ImportError:
        return None
    folder = os.path.join(os.path.dirname(ensurepip.__file__), '_bundled')
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return next((os.path.join(folder, name) for name in names if name.startswith('pip-')), None)


def _size_of(folder):
    total = 0
    for path, _, names in os.walk(folder):
        total += sum(os.lstat(os.path.join(path, name)).st_size for name in names)
    return total


def _make_skeleton(folder):
    """The files that make a folder a virtual environment on top of the Python that runs this."""
    library = os.path.join('lib', 'python{}.{}'.format(*sys.version_info[:2]), 'site-packages')
    os.makedirs(os.path.join(folder, library))
    os.makedirs(os.path.join(folder, 'bin'))
    is_environment = sys.prefix != sys.base_prefix
    home = os.path.dirname(sys.executable)
    if is_environment:
        with open(os.path.join(sys.prefix, 'pyvenv.cfg'), encoding='utf-8') as file:
            entries = dict(line.partition('=')[::2] for line in file)
        home = next((value.strip() for name, value in entries.items() if name.strip() == 'home'), home)
        # Python knows no environments on top of environments: the one below is added by hand, behind.
        with open(os.path.join(folder, library, '_base.pth'), 'w', encoding='utf-8') as file:
            file.write('import site; site.addsitedir({!r})\n'.format(os.path.join(sys.prefix, library)))
    with open(os.path.join(folder, 'pyvenv.cfg'), 'w', encoding='utf-8') as file:
        file.write('home = {}\ninclude-system-site-packages = true\nversion = {}.{}\n'.format(
            home, *sys.version_info[:2]))
    os.symlink(sys.executable, os.path.join(folder, 'bin', 'python3'))
    os.symlink('python3', os.path.join(folder, 'bin', 'python'))


def main(folder):
    python = os.path.join(folder, 'bin', 'python3')
    if not os.path.lexists(python):
        _make_skeleton(folder)
        os.execv(python, [python] + sys.argv)
    with open(os.path.join(folder, 'requirements.json'), encoding='utf-8') as file:
        wanted = json.load(file)
    base = os.path.dirname(os.path.dirname(os.readlink(python)))
    host = HostSettings([sys.base_prefix, base])
    uv = shutil.which('uv')
    if uv:
        code = _run_uv(uv, uv_arguments(wanted, host, sys.executable), host)
    else:
        code = _run_pip(pip_arguments(wanted, host))
    if code == 0:
        with open(os.path.join(folder, 'size'), 'w') as file:
            file.write(str(_size_of(folder)))
    return code


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
