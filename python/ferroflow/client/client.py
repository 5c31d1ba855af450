"""The client: methods of `kfp.Client` under the same names."""

from __future__ import annotations

import datetime
import json
import os
import tempfile
import time
import warnings
from typing import Any, Mapping, Optional

from ferroflow.client import package
from ferroflow.client.connection import SILENCE, ApiException, Connection
from ferroflow.client.resource import Resource
from ferroflow.client.run import Run
from ferroflow.display.live import Live, live
from ferroflow.dsl.base_component import BaseComponent

_CONTEXT = os.path.expanduser('~/.config/kfp/context.json')
# Seconds, so that a picture is no burden for a run of many tasks.
_BETWEEN_PICTURES = 0.3
_ENDED = ('SUCCEEDED', 'SKIPPED', 'FAILED', 'ERROR', 'CANCELED')


class RunPipelineResult:
    """A run that was created."""

    def __init__(self, client: Client, run_info: Run) -> None:
        self._client = client
        self.run_info = run_info
        self.run_id: str = run_info.run_id

    def wait_for_run_completion(self, timeout: Optional[float] = None) -> Run:
        return self._client.wait_for_run_completion(self.run_id, timeout)

    def _repr_html_(self) -> str:
        return self._now()._repr_html_()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self._now()._repr_mimebundle_()

    def _now(self) -> Run:
        try:
            return self._client.get_run(self.run_id)
        except (ApiException, ConnectionError):
            return self.run_info

    def __repr__(self) -> str:
        return f'RunPipelineResult(run_id={self.run_id})'


class Client:
    """Talks to a server. The host is the argument, else `KF_PIPELINES_ENDPOINT`, else http://localhost:8080."""

    def __init__(self, host: Optional[str] = None, client_id: Optional[str] = None, namespace: str = 'kubeflow',
                 other_client_id: Optional[str] = None, other_client_secret: Optional[str] = None,
                 existing_token: Optional[str] = None, cookies: Optional[str] = None, proxy: Optional[str] = None,
                 ssl_ca_cert: Optional[str] = None, kube_context: Optional[str] = None, credentials: Any = None,
                 ui_host: Optional[str] = None, verify_ssl: Optional[bool] = None) -> None:
        if client_id or other_client_id or other_client_secret:
            raise ValueError('client_id, other_client_id and other_client_secret belong to Google\'s proxy, which this '
                             'client does not ask: get a token and pass existing_token')
        if kube_context:
            raise ValueError('kube_context cannot be used: forward a port of the cluster and pass host')
        host = host or os.environ.get('KF_PIPELINES_ENDPOINT') or 'http://localhost:8080'
        self._connection = Connection(host, existing_token, cookies, proxy, ssl_ca_cert, verify_ssl, credentials)
        self._ui_host = (ui_host or self._connection.host).rstrip('/')
        self._context = _read_context()
        self._specs: dict[str, dict[str, Any]] = {}

    # Server and user

    def get_kfp_healthz(self, sleep_duration: int = 5) -> Resource:
        """Whether the server is well; tries five times."""
        for _ in range(4):
            try:
                return self._connection.get('healthz')
            except (ApiException, ConnectionError):
                time.sleep(sleep_duration)
        return self._connection.get('healthz')

    def get_user_namespace(self) -> str:
        return self._context.get('namespace', '')

    def set_user_namespace(self, namespace: str) -> None:
        """Remembers the namespace for later clients, too."""
        self._context['namespace'] = namespace
        os.makedirs(os.path.dirname(_CONTEXT), exist_ok=True)
        with open(_CONTEXT, 'w', encoding='utf-8') as file:
            json.dump(self._context, file)

    # Experiments

    def create_experiment(self, name: str, description: Optional[str] = None,
                          namespace: Optional[str] = None) -> Resource:
        """The experiment of that name, made if there is none."""
        namespace = namespace or self.get_user_namespace()
        try:
            return self.get_experiment(experiment_name=name, namespace=namespace)
        except ValueError:
            body = {'display_name': name, 'description': description or '', 'namespace': namespace}
            return Resource(self._connection.post('experiments', body))

    def get_experiment(self, experiment_id: Optional[str] = None, experiment_name: Optional[str] = None,
                       namespace: Optional[str] = None) -> Resource:
        """By its id or its name."""
        if experiment_id is not None:
            return self._connection.get(f'experiments/{experiment_id}')
        if experiment_name is None:
            raise ValueError('get_experiment needs experiment_id or experiment_name')
        found = self.list_experiments(page_size=100, namespace=namespace, filter=_named(experiment_name)).experiments
        if not found:
            raise ValueError(f'there is no experiment named {experiment_name!r}: make one with create_experiment')
        if len(found) > 1:
            raise ValueError(f'several experiments are named {experiment_name!r}: look for the id with list_experiments')
        experiment: Resource = found[0]
        return experiment

    def list_experiments(self, page_token: str = '', page_size: int = 10, sort_by: str = '',
                         namespace: Optional[str] = None, filter: Optional[str] = None) -> Resource:
        return self._connection.get('experiments', page_token=page_token, page_size=page_size, sort_by=sort_by,
                                    namespace=namespace or self.get_user_namespace(), filter=filter)

    def archive_experiment(self, experiment_id: str) -> dict[str, Any]:
        return self._connection.post(f'experiments/{experiment_id}:archive')

    def unarchive_experiment(self, experiment_id: str) -> dict[str, Any]:
        return self._connection.post(f'experiments/{experiment_id}:unarchive')

    def delete_experiment(self, experiment_id: str) -> dict[str, Any]:
        return self._connection.delete(f'experiments/{experiment_id}')

    # Runs

    def run_pipeline(self, experiment_id: str, job_name: str, pipeline_package_path: Optional[str] = None,
                     params: Optional[Mapping[str, Any]] = None, pipeline_id: Optional[str] = None,
                     version_id: Optional[str] = None, pipeline_root: Optional[str] = None,
                     enable_caching: Optional[bool] = None, cache_key: Optional[str] = None,
                     service_account: Optional[str] = None) -> Run:
        """Starts a run of a file, or of an uploaded pipeline."""
        body = self._job(experiment_id, job_name, pipeline_package_path, params, pipeline_id, version_id, pipeline_root,
                         enable_caching, cache_key, service_account)
        run = Run(self._connection.post('runs', body), self)
        _show(self._run_url(run.run_id), 'Run details')
        return run

    def create_run_from_pipeline_func(self, pipeline_func: BaseComponent, arguments: Optional[Mapping[str, Any]] = None,
                                      run_name: Optional[str] = None, experiment_name: Optional[str] = None,
                                      namespace: Optional[str] = None, pipeline_root: Optional[str] = None,
                                      enable_caching: Optional[bool] = None, cache_key: Optional[str] = None,
                                      service_account: Optional[str] = None,
                                      experiment_id: Optional[str] = None) -> RunPipelineResult:
        """Compiles a pipeline and starts a run of it."""
        with tempfile.TemporaryDirectory() as folder:
            path = _compile(pipeline_func, folder)
            return self.create_run_from_pipeline_package(path, arguments, run_name, experiment_name, namespace,
                                                         pipeline_root, enable_caching, cache_key, service_account,
                                                         experiment_id)

    def create_run_from_pipeline_package(self, pipeline_file: str, arguments: Optional[Mapping[str, Any]] = None,
                                         run_name: Optional[str] = None, experiment_name: Optional[str] = None,
                                         namespace: Optional[str] = None, pipeline_root: Optional[str] = None,
                                         enable_caching: Optional[bool] = None, cache_key: Optional[str] = None,
                                         service_account: Optional[str] = None,
                                         experiment_id: Optional[str] = None) -> RunPipelineResult:
        """Starts a run of a file."""
        if experiment_id is None:
            name = (experiment_name or os.environ.get('KF_PIPELINES_OVERRIDE_EXPERIMENT_NAME') or
                    os.environ.get('KF_PIPELINES_DEFAULT_EXPERIMENT_NAME') or 'Default')
            experiment_id = self.create_experiment(name, namespace=namespace).experiment_id
        if run_name is None:
            name = package.read(pipeline_file)[0]['pipelineInfo']['name']
            run_name = f'{name} {datetime.datetime.now():%Y-%m-%d %H-%M-%S}'
        run = self.run_pipeline(experiment_id, run_name, pipeline_file, arguments, pipeline_root=pipeline_root,
                                enable_caching=enable_caching, cache_key=cache_key, service_account=service_account)
        return RunPipelineResult(self, run)

    def get_run(self, run_id: str) -> Run:
        return Run(self._connection.fetch(f'runs/{run_id}'), self)

    def list_runs(self, page_token: str = '', page_size: int = 10, sort_by: str = '',
                  experiment_id: Optional[str] = None, namespace: Optional[str] = None,
                  filter: Optional[str] = None) -> Resource:
        answer = self._connection.fetch('runs', page_token=page_token, page_size=page_size, sort_by=sort_by,
                                        experiment_id=experiment_id, filter=filter,
                                        namespace=None if experiment_id else namespace or self.get_user_namespace())
        if 'runs' in answer:
            answer['runs'] = [Run(run, self) for run in answer['runs']]
        return Resource(answer)

    def archive_run(self, run_id: str) -> dict[str, Any]:
        return self._connection.post(f'runs/{run_id}:archive')

    def unarchive_run(self, run_id: str) -> dict[str, Any]:
        return self._connection.post(f'runs/{run_id}:unarchive')

    def terminate_run(self, run_id: str) -> dict[str, Any]:
        return self._connection.post(f'runs/{run_id}:terminate')

    def delete_run(self, run_id: str) -> dict[str, Any]:
        return self._connection.delete(f'runs/{run_id}')

    def wait_for_run_completion(self, run_id: str, timeout: Optional[float] = None,
                                sleep_duration: float = 5) -> Run:
        """The run when it has ended. Notebooks show how far it is.

        Ferroflow's servers tell the end at once; others are asked, often at first.
        """
        end = None if timeout is None else time.monotonic() + timeout
        picture = live()
        told = self._told_end(run_id, end, picture)
        if told is not None:
            return told
        pause = min(0.1, sleep_duration)
        while True:
            run = self._look(run_id, picture)
            if _has_ended(run):
                return run
            left = pause if end is None else end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f'run {run_id} has not ended within {timeout} s; its state is {run.state}')
            time.sleep(min(pause, left))
            pause = min(1.5 * pause, sleep_duration)

    def _told_end(self, run_id: str, end: Optional[float], picture: Optional[Live]) -> Optional[Run]:
        """The run when the server says that it has ended; None where it says nothing, or when little time is left."""
        looked = 0.0
        for event in self._connection.events(f'runs/{run_id}/stream'):
            now = time.monotonic()
            if event not in ('tasks', 'artifacts') or picture is not None and now - looked > _BETWEEN_PICTURES:
                looked = now
                run = self._look(run_id, picture)
                if _has_ended(run):
                    return run
            if end is not None and end - now < SILENCE:
                return None
        return None

    def _look(self, run_id: str, picture: Optional[Live]) -> Run:
        run = self.get_run(run_id)
        if picture is not None:
            picture.show(run._shown(brief=True))
        return run

    # Recurring runs

    def create_recurring_run(self, experiment_id: str, job_name: str, description: Optional[str] = None,
                             start_time: Optional[str] = None, end_time: Optional[str] = None,
                             interval_second: Optional[int] = None, cron_expression: Optional[str] = None,
                             max_concurrency: Optional[int] = 1, no_catchup: Optional[bool] = None,
                             params: Optional[Mapping[str, Any]] = None, pipeline_package_path: Optional[str] = None,
                             pipeline_id: Optional[str] = None, version_id: Optional[str] = None,
                             enabled: Optional[bool] = None, pipeline_root: Optional[str] = None,
                             enable_caching: Optional[bool] = None, cache_key: Optional[str] = None,
                             service_account: Optional[str] = None) -> Resource:
        """Lets runs be made by interval or by cron."""
        if (interval_second is None) == (cron_expression is None):
            raise ValueError('create_recurring_run needs either interval_second or cron_expression')
        if max_concurrency is not None and not 1 <= max_concurrency <= 10:
            raise ValueError(f'max_concurrency must be between 1 and 10, but is {max_concurrency}')
        body = self._job(experiment_id, job_name, pipeline_package_path, params, pipeline_id, version_id, pipeline_root,
                         enable_caching, cache_key, service_account)
        times = {'start_time': start_time, 'end_time': end_time}
        times = {name: value for name, value in times.items() if value is not None}
        if interval_second is not None:
            body['trigger'] = {'periodic_schedule': {'interval_second': interval_second, **times}}
        else:
            body['trigger'] = {'cron_schedule': {'cron': cron_expression, **times}}
        body.update(description=description or '', max_concurrency=max_concurrency, no_catchup=bool(no_catchup),
                    mode='DISABLE' if enabled is False else 'ENABLE')
        return Resource(self._connection.post('recurringruns', body))

    def get_recurring_run(self, recurring_run_id: str, job_id: Optional[str] = None) -> Resource:
        return self._connection.get(f'recurringruns/{recurring_run_id or job_id}')

    def list_recurring_runs(self, page_token: str = '', page_size: int = 10, sort_by: str = '',
                            experiment_id: Optional[str] = None, namespace: Optional[str] = None,
                            filter: Optional[str] = None) -> Resource:
        return self._connection.get('recurringruns', page_token=page_token, page_size=page_size, sort_by=sort_by,
                                    experiment_id=experiment_id, filter=filter,
                                    namespace=None if experiment_id else namespace or self.get_user_namespace())

    def enable_recurring_run(self, recurring_run_id: str) -> dict[str, Any]:
        return self._connection.post(f'recurringruns/{recurring_run_id}:enable')

    def disable_recurring_run(self, recurring_run_id: str) -> dict[str, Any]:
        return self._connection.post(f'recurringruns/{recurring_run_id}:disable')

    def delete_recurring_run(self, recurring_run_id: str) -> dict[str, Any]:
        return self._connection.delete(f'recurringruns/{recurring_run_id}')

    def enable_job(self, job_id: str) -> dict[str, Any]:
        """The old name of `enable_recurring_run`."""
        _deprecated('enable_job', 'enable_recurring_run')
        return self.enable_recurring_run(job_id)

    def disable_job(self, job_id: str) -> dict[str, Any]:
        """The old name of `disable_recurring_run`."""
        _deprecated('disable_job', 'disable_recurring_run')
        return self.disable_recurring_run(job_id)

    def delete_job(self, job_id: str) -> dict[str, Any]:
        """The old name of `delete_recurring_run`."""
        _deprecated('delete_job', 'delete_recurring_run')
        return self.delete_recurring_run(job_id)

    # Pipelines

    def upload_pipeline(self, pipeline_package_path: str, pipeline_name: Optional[str] = None,
                        description: Optional[str] = None, namespace: Optional[str] = None) -> Resource:
        name = pipeline_name or os.path.splitext(os.path.basename(pipeline_package_path))[0]
        return self._connection.upload('pipelines/upload', pipeline_package_path, name=name, description=description,
                                       namespace=namespace or self.get_user_namespace())

    def upload_pipeline_from_pipeline_func(self, pipeline_func: BaseComponent, pipeline_name: Optional[str] = None,
                                           description: Optional[str] = None,
                                           namespace: Optional[str] = None) -> Resource:
        with tempfile.TemporaryDirectory() as folder:
            return self.upload_pipeline(_compile(pipeline_func, folder), pipeline_name, description, namespace)

    def upload_pipeline_version(self, pipeline_package_path: str, pipeline_version_name: str,
                                pipeline_id: Optional[str] = None, pipeline_name: Optional[str] = None,
                                description: Optional[str] = None) -> Resource:
        if (pipeline_id is None) == (pipeline_name is None):
            raise ValueError('upload_pipeline_version needs either pipeline_id or pipeline_name')
        if pipeline_name is not None:
            pipeline_id = self.get_pipeline_id(pipeline_name)
            if pipeline_id is None:
                raise ValueError(f'there is no pipeline named {pipeline_name!r}')
        return self._connection.upload('pipelines/upload_version', pipeline_package_path, name=pipeline_version_name,
                                       pipelineid=pipeline_id, description=description)

    def upload_pipeline_version_from_pipeline_func(self, pipeline_func: BaseComponent, pipeline_version_name: str,
                                                   pipeline_id: Optional[str] = None,
                                                   pipeline_name: Optional[str] = None,
                                                   description: Optional[str] = None) -> Resource:
        with tempfile.TemporaryDirectory() as folder:
            return self.upload_pipeline_version(_compile(pipeline_func, folder), pipeline_version_name, pipeline_id,
                                                pipeline_name, description)

    def get_pipeline(self, pipeline_id: str) -> Resource:
        return self._connection.get(f'pipelines/{pipeline_id}')

    def get_pipeline_id(self, name: str) -> Optional[str]:
        """The id of the only pipeline of that name."""
        found = self.list_pipelines(page_size=2, filter=_named(name)).pipelines
        if not found:
            return None
        if len(found) > 1:
            raise ValueError(f'several pipelines are named {name!r}: look for the id with list_pipelines')
        pipeline_id: str = found[0].pipeline_id
        return pipeline_id

    def list_pipelines(self, page_token: str = '', page_size: int = 10, sort_by: str = '',
                       filter: Optional[str] = None, namespace: Optional[str] = None) -> Resource:
        return self._connection.get('pipelines', page_token=page_token, page_size=page_size, sort_by=sort_by,
                                    filter=filter, namespace=namespace or self.get_user_namespace())

    def delete_pipeline(self, pipeline_id: str) -> dict[str, Any]:
        return self._connection.delete(f'pipelines/{pipeline_id}')

    def get_pipeline_version(self, pipeline_id: str, pipeline_version_id: str) -> Resource:
        return self._connection.get(f'pipelines/{pipeline_id}/versions/{pipeline_version_id}')

    def list_pipeline_versions(self, pipeline_id: str, page_token: str = '', page_size: int = 10, sort_by: str = '',
                               filter: Optional[str] = None) -> Resource:
        return self._connection.get(f'pipelines/{pipeline_id}/versions', page_token=page_token, page_size=page_size,
                                    sort_by=sort_by, filter=filter)

    def delete_pipeline_version(self, pipeline_id: str, pipeline_version_id: str) -> dict[str, Any]:
        return self._connection.delete(f'pipelines/{pipeline_id}/versions/{pipeline_version_id}')

    def _run_url(self, run_id: str) -> str:
        return f'{self._ui_host}/#/runs/details/{run_id}'

    def _job(self, experiment_id: str, name: str, path: Optional[str], params: Optional[Mapping[str, Any]],
             pipeline_id: Optional[str], version_id: Optional[str], pipeline_root: Optional[str],
             enable_caching: Optional[bool], cache_key: Optional[str],
             service_account: Optional[str]) -> dict[str, Any]:
        """What runs and recurring runs have in common."""
        body: dict[str, Any] = {'experiment_id': experiment_id, 'display_name': name}
        if path is not None:
            pipeline, platform = package.read(path)
            if enable_caching is not None:
                package.set_caching(pipeline, enable_caching, cache_key)
            whole = {'pipeline_spec': pipeline, 'platform_spec': platform}
            body['pipeline_spec'] = whole if platform else pipeline
        elif pipeline_id is not None:
            if version_id is None:
                newest = self.list_pipeline_versions(pipeline_id, page_size=1, sort_by='created_at desc')
                if not newest.pipeline_versions:
                    raise ValueError(f'pipeline {pipeline_id} has no version: upload one')
                version_id = newest.pipeline_versions[0].pipeline_version_id
            body['pipeline_version_reference'] = {'pipeline_id': pipeline_id, 'pipeline_version_id': version_id}
        else:
            raise ValueError('a run needs pipeline_package_path or pipeline_id')
        configuration: dict[str, Any] = {'parameters': dict(params or {})}
        if pipeline_root is not None:
            configuration['pipeline_root'] = pipeline_root
        body['runtime_config'] = configuration
        if service_account is not None:
            body['service_account'] = service_account
        return body


def _has_ended(run: Run) -> bool:
    return (run.state or '').upper() in _ENDED


def _named(name: str) -> str:
    return json.dumps({'predicates': [{'operation': 'EQUALS', 'key': 'display_name', 'stringValue': name}]})


def _compile(pipeline: BaseComponent, folder: str) -> str:
    from ferroflow.compiler import Compiler
    path = os.path.join(folder, f'{pipeline.name}.yaml')
    Compiler().compile(pipeline, path)
    return path


def _read_context() -> dict[str, str]:
    try:
        with open(_CONTEXT, encoding='utf-8') as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _show(url: str, what: str) -> None:
    """A link, where a notebook shows it."""
    import sys
    if 'IPython' in sys.modules:
        shell = sys.modules['IPython'].get_ipython()
        if shell is not None and shell.has_trait('kernel'):
            sys.modules['IPython'].display.display(sys.modules['IPython'].display.HTML(f'<a href="{url}">{what}</a>'))


def _deprecated(old: str, new: str) -> None:
    warnings.warn(f'{old} is deprecated: use {new}', DeprecationWarning, stacklevel=3)
