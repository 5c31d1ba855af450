"""The command line: `python -m ferroflow dsl compile --py pipeline.py --output pipeline.yaml`, and the server's objects."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Optional

if TYPE_CHECKING:
    from ferroflow.client import Client
    from ferroflow.dsl.base_component import BaseComponent


class CommandError(Exception):
    """What a user did wrong."""


def main(words: Optional[list[str]] = None) -> int:
    """Runs one command; the exit code."""
    options = _parser().parse_args(words)
    try:
        options.command(options)
    except (CommandError, ValueError, TypeError, ConnectionError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    from ferroflow import __version__
    parser = argparse.ArgumentParser(prog='python -m ferroflow', description='Compiles pipelines and talks to servers.')
    parser.add_argument('--version', action='version', version=f'ferroflow, with the behaviour of kfp {__version__}')
    parser.add_argument('--endpoint', help='the server; else KF_PIPELINES_ENDPOINT, else http://localhost:8080')
    parser.add_argument('--existing-token', help='a token to show to the server')
    for name in ('--iap-client-id', '--other-client-id', '--other-client-secret'):
        parser.add_argument(name, help='for Google\'s proxy, which is refused: pass --existing-token')
    parser.add_argument('--namespace', '-n')
    parser.add_argument('--output', dest='form', choices=('table', 'json'), default='table', help='how answers are printed')
    nouns = parser.add_subparsers(required=True, metavar='NOUN')
    _dsl(nouns.add_parser('dsl', help='compile pipelines'))
    _runs(nouns.add_parser('run', help='runs'))
    _pipelines(nouns.add_parser('pipeline', help='uploaded pipelines'))
    _experiments(nouns.add_parser('experiment', help='experiments'))
    _recurring_runs(nouns.add_parser('recurring-run', help='recurring runs'))
    return parser


def _verbs(parser: argparse.ArgumentParser) -> Callable[..., argparse.ArgumentParser]:
    group = parser.add_subparsers(required=True, metavar='VERB')

    def verb(name: str, command: Callable[[argparse.Namespace], None], *arguments: str) -> argparse.ArgumentParser:
        added = group.add_parser(name)
        added.set_defaults(command=command)
        for argument in arguments:
            added.add_argument(argument)
        return added

    return verb


def _asks(call: Callable[[Client, argparse.Namespace], Any], empty: str = 'done') -> Callable[[argparse.Namespace], None]:
    """A command that prints what the server answers; `empty` if that is nothing."""

    def command(options: argparse.Namespace) -> None:
        from ferroflow.client import ApiException, Client
        try:
            client = Client(options.endpoint, client_id=options.iap_client_id, existing_token=options.existing_token,
                            other_client_id=options.other_client_id, other_client_secret=options.other_client_secret)
            answer = call(client, options)
        except ApiException as error:
            raise CommandError(str(error)) from None
        plain = answer.to_dict() if hasattr(answer, 'to_dict') else answer
        print(json.dumps(plain, indent=2, default=str) if options.form == 'json' else _table(plain) or empty)

    return command


_IDS = ('recurring_run_id', 'run_id', 'pipeline_version_id', 'pipeline_id', 'experiment_id')
_LISTS = ('runs', 'recurringRuns', 'recurring_runs', 'pipelines', 'pipeline_versions', 'experiments')


def _table(answer: dict[str, Any]) -> str:
    """What is to be seen of things at a glance, in columns."""
    found = next((answer[name] for name in _LISTS if name in answer), None)
    things = found or ([answer] if any(name in answer for name in _IDS) else [])
    rows = [['ID', 'NAME', 'CREATED AT', 'STATE']]
    for thing in things:
        state = thing.get('state') or thing.get('status') or thing.get('storage_state')
        values = [next((thing[name] for name in _IDS if name in thing), ''), thing.get('display_name'),
                  thing.get('created_at'), state]
        rows.append([str(value or '') for value in values])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ['  '.join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]
    if answer.get('next_page_token'):
        lines.append(f'more: --page-token {answer["next_page_token"]}')
    return '\n'.join(lines) if things else ''


def _listing(verb: Callable[..., argparse.ArgumentParser], call: Callable[[Client, argparse.Namespace], Any],
             *arguments: str, name: str = 'list') -> argparse.ArgumentParser:
    added = verb(name, _asks(call, 'none'), *arguments)
    added.add_argument('--page-token', default='')
    added.add_argument('--max-size', '-m', type=int, default=100)
    added.add_argument('--sort-by', default='created_at desc')
    added.add_argument('--filter')
    return added


def _page(options: argparse.Namespace) -> dict[str, Any]:
    return {
        'page_token': options.page_token,
        'page_size': options.max_size,
        'sort_by': options.sort_by,
        'filter': options.filter
    }


def _dsl(parser: argparse.ArgumentParser) -> None:
    verb = _verbs(parser)('compile', _compile)
    verb.add_argument('--py', required=True, help='the Python file')
    verb.add_argument('--output', required=True, help='the file to write')
    verb.add_argument('--function', help='the pipeline or component, if the file has several')
    verb.add_argument('--pipeline-parameters', default='{}', help='defaults as JSON')
    verb.add_argument('--disable-type-check', action='store_true')
    verb.add_argument('--disable-execution-caching-by-default', action='store_true')
    verb.add_argument('--kubernetes-manifest-format', action='store_true', help='write objects of Kubernetes')
    manifest = verb.add_argument_group('what those objects say')
    for name in _MANIFEST[:-1]:
        # The namespace of requests is another one.
        manifest.add_argument('--' + name.replace('_', '-'), dest='manifest_' + name)
    manifest.add_argument('--include-pipeline-manifest', dest='manifest_include_pipeline_manifest', action='store_true')


_MANIFEST = ('pipeline_name', 'pipeline_display_name', 'pipeline_version_name', 'pipeline_version_display_name',
             'namespace', 'include_pipeline_manifest')


def _compile(options: argparse.Namespace) -> None:
    if options.disable_execution_caching_by_default:
        os.environ['KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT'] = 'true'
    from ferroflow.compiler import Compiler, KubernetesManifestOptions
    said = {name: getattr(options, 'manifest_' + name) for name in _MANIFEST}
    if any(said.values()) and not options.kubernetes_manifest_format:
        raise CommandError('names of objects of Kubernetes are given, but no such are written: add '
                           '--kubernetes-manifest-format')
    try:
        parameters = json.loads(options.pipeline_parameters)
    except ValueError as error:
        raise CommandError(f'--pipeline-parameters is not JSON: {error}') from None
    manifest = KubernetesManifestOptions(**said) if options.kubernetes_manifest_format else None
    Compiler().compile(_chosen(options.py, options.function), options.output, pipeline_parameters=parameters,
                       type_check=not options.disable_type_check, kubernetes_manifest_options=manifest,
                       kubernetes_manifest_format=options.kubernetes_manifest_format)
    print(os.path.abspath(options.output))


def _chosen(path: str, name: Optional[str]) -> BaseComponent:
    """The pipeline of a file, or its component if it has no pipeline."""
    from ferroflow.dsl.base_component import BaseComponent, GraphComponent
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    if spec is None or spec.loader is None:
        raise CommandError(f'{path} is not a Python file')
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found = {key: value for key, value in vars(module).items() if isinstance(value, BaseComponent)}
    if name is not None:
        if name not in found:
            raise CommandError(f'{path} has no pipeline or component {name!r}: it has {", ".join(found) or "none"}')
        return found[name]
    pipelines = {key: value for key, value in found.items() if isinstance(value, GraphComponent)}
    candidates = pipelines or found
    if len(candidates) != 1:
        raise CommandError(f'{path} has {", ".join(candidates) or "no pipeline or component"}: choose one with '
                           '--function')
    return next(iter(candidates.values()))


def _runs(parser: argparse.ArgumentParser) -> None:
    verb = _verbs(parser)
    create = verb('create', _asks(_create_run))
    create.add_argument('--experiment-name', '-e', required=True)
    create.add_argument('--run-name', '-r')
    create.add_argument('--package-file', '-f')
    create.add_argument('--pipeline-id', '-p')
    create.add_argument('--pipeline-name', '-n')
    create.add_argument('--version', '-v', help='id of the version')
    create.add_argument('--watch', '-w', action='store_true', help='wait for its end')
    create.add_argument('--timeout', '-t', type=float)
    create.add_argument('arguments', nargs='*', metavar='NAME=VALUE')
    _listing(verb, lambda client, said: client.list_runs(experiment_id=said.experiment_id, **_page(said))).add_argument(
        '--experiment-id', '-e')
    get = verb('get', _asks(_get_run), 'run_id')
    get.add_argument('--watch', '-w', action='store_true', help='wait for its end')
    get.add_argument('--detail', '-d', action='store_true', help='the old name of --output json')
    verb('archive', _asks(lambda client, said: client.archive_run(said.run_id)), 'run_id')
    verb('unarchive', _asks(lambda client, said: client.unarchive_run(said.run_id)), 'run_id')
    verb('delete', _asks(lambda client, said: client.delete_run(said.run_id)), 'run_id')


def _arguments(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition('=')
        if not equals:
            raise CommandError(f'argument {word!r} must be written as NAME=VALUE')
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def _create_run(client: Client, said: argparse.Namespace) -> Any:
    experiment = client.create_experiment(said.experiment_name, namespace=said.namespace)
    pipeline_id = said.pipeline_id or (client.get_pipeline_id(said.pipeline_name) if said.pipeline_name else None)
    if said.package_file is None and pipeline_id is None:
        raise CommandError('what is to run? name --package-file, --pipeline-id or --pipeline-name')
    run = client.run_pipeline(experiment.experiment_id, said.run_name or said.experiment_name, said.package_file,
                              _arguments(said.arguments), pipeline_id, said.version)
    return client.wait_for_run_completion(run.run_id, said.timeout) if said.watch else run


def _get_run(client: Client, said: argparse.Namespace) -> Any:
    if said.detail:
        said.form = 'json'
    return client.wait_for_run_completion(said.run_id) if said.watch else client.get_run(said.run_id)


def _pipelines(parser: argparse.ArgumentParser) -> None:
    verb = _verbs(parser)
    create = verb('create', _asks(lambda client, said: client.upload_pipeline(
        said.package_file, said.pipeline_name, said.description)), 'package_file')
    create.add_argument('--pipeline-name', '-p')
    create.add_argument('--description', '-d')
    version = verb('create-version', _asks(lambda client, said: client.upload_pipeline_version(
        said.package_file, said.pipeline_version, said.pipeline_id, said.pipeline_name, said.description)),
                   'package_file')
    version.add_argument('--pipeline-version', '-v', required=True)
    version.add_argument('--description', '-d')
    version.add_argument('--pipeline-id', '-p')
    version.add_argument('--pipeline-name', '-n')
    _listing(verb, lambda client, said: client.list_pipelines(**_page(said)))
    _listing(verb, lambda client, said: client.list_pipeline_versions(said.pipeline_id, **_page(said)), 'pipeline_id',
             name='list-versions')
    verb('get', _asks(lambda client, said: client.get_pipeline(said.pipeline_id)), 'pipeline_id')
    verb('get-version', _asks(lambda client, said: client.get_pipeline_version(said.pipeline_id, said.version_id)),
         'pipeline_id', 'version_id')
    verb('delete', _asks(lambda client, said: client.delete_pipeline(said.pipeline_id)), 'pipeline_id')
    verb('delete-version', _asks(lambda client, said: client.delete_pipeline_version(
        said.pipeline_id, said.version_id)), 'pipeline_id', 'version_id')


def _experiments(parser: argparse.ArgumentParser) -> None:
    verb = _verbs(parser)
    create = verb('create', _asks(lambda client, said: client.create_experiment(
        said.name, said.description, said.namespace)), 'name')
    create.add_argument('--description', '-d')
    _listing(verb, lambda client, said: client.list_experiments(namespace=said.namespace, **_page(said)))
    for name in ('get', 'delete'):
        verb(name, _asks(lambda client, said, name=name: getattr(client, f'{name}_experiment')(said.experiment_id)),  # type: ignore[misc]
             'experiment_id')
    for name in ('archive', 'unarchive'):
        put = verb(name, _asks(lambda client, said, name=name: getattr(client, f'{name}_experiment')(  # type: ignore[misc]
            _experiment_id(client, said))))
        put.add_argument('--experiment-id')
        put.add_argument('--experiment-name')


def _experiment_id(client: Client, said: argparse.Namespace, may_be_made: bool = False) -> str:
    """The experiment that is named in one of two ways."""
    if (said.experiment_id is None) == (said.experiment_name is None):
        raise CommandError('name the experiment by either --experiment-id or --experiment-name')
    if said.experiment_id is not None:
        return str(said.experiment_id)
    if may_be_made:
        return str(client.create_experiment(said.experiment_name, namespace=said.namespace).experiment_id)
    return str(client.get_experiment(experiment_name=said.experiment_name, namespace=said.namespace).experiment_id)


def _recurring_runs(parser: argparse.ArgumentParser) -> None:
    verb = _verbs(parser)
    create = verb('create', _asks(_create_recurring_run))
    create.add_argument('--job-name', required=True)
    create.add_argument('--experiment-id')
    create.add_argument('--experiment-name', '-e')
    create.add_argument('--pipeline-package-path', '--package-file', '-f')
    create.add_argument('--pipeline-id', '-p')
    create.add_argument('--version-id', '-v')
    create.add_argument('--cron-expression')
    create.add_argument('--interval-second', type=int)
    create.add_argument('--max-concurrency', type=int, default=1)
    create.add_argument('--description')
    create.add_argument('--start-time')
    create.add_argument('--end-time')
    _switch(create, 'catchup', 'no-catchup', 'catchup', 'whether runs whose time has passed are made up for')
    _switch(create, 'enabled', 'disabled', 'enabled', 'whether it begins at once')
    _switch(create, 'enable-caching', 'disable-caching', 'enable_caching', 'whether results are taken over')
    create.add_argument('arguments', nargs='*', metavar='NAME=VALUE')
    _listing(verb, lambda client, said: client.list_recurring_runs(
        experiment_id=said.experiment_id, **_page(said))).add_argument('--experiment-id', '-e')
    for name in ('get', 'enable', 'disable', 'delete'):
        verb(name, _asks(lambda client, said, name=name: getattr(client, f'{name}_recurring_run')(said.id)), 'id')  # type: ignore[misc]


def _switch(parser: argparse.ArgumentParser, on: str, off: str, name: str, text: str) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument('--' + on, dest=name, action='store_true', default=None, help=text)
    group.add_argument('--' + off, dest=name, action='store_false', default=None)


def _create_recurring_run(client: Client, said: argparse.Namespace) -> Any:
    if (said.interval_second is None) == (said.cron_expression is None):
        raise CommandError('when is it to run? give either --interval-second or --cron-expression')
    return client.create_recurring_run(
        _experiment_id(client, said, may_be_made=True), said.job_name, description=said.description,
        start_time=said.start_time, end_time=said.end_time, interval_second=said.interval_second,
        cron_expression=said.cron_expression, max_concurrency=said.max_concurrency,
        no_catchup=None if said.catchup is None else not said.catchup, params=_arguments(said.arguments),
        pipeline_package_path=said.pipeline_package_path, pipeline_id=said.pipeline_id, version_id=said.version_id,
        enabled=said.enabled, enable_caching=said.enable_caching)


if __name__ == '__main__':
    sys.exit(main())
