"""A run as the client hands it out: what the API tells, what it has made, and a picture of it in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ferroflow.client.connection import ApiException
from ferroflow.client.resource import Resource

if TYPE_CHECKING:
    from ferroflow.client.client import Client

# Logs that are asked for, in this order.
_MOST_LOGS = 8
_LOGGED = ('FAILED', 'RUNNING', 'SUCCEEDED')
_LINES = 20


class Run(Resource):
    """A run. What it has made is asked for when it is first wanted, so it may be newer than the rest."""

    def __init__(self, data: dict[str, Any], client: Client) -> None:
        super().__init__(data)
        self._client = client

    @property
    def url(self) -> str:
        """Its page."""
        return self._client._run_url(self.run_id)

    @property
    def outputs(self) -> dict[str, Any]:
        """Parameters that the pipeline has given. Only Ferroflow's servers tell them."""
        return dict((self._results().get('outputs') or {}).get('parameters') or {})

    @property
    def metrics(self) -> dict[str, Any]:
        """Numbers that tasks have logged, by their names; of several with one name, the last."""
        from ferroflow.display import plots
        return {name: value for _, found in plots.metrics(self._results()['tasks']) for name, value in found.items()}

    def _results(self) -> dict[str, Any]:
        from ferroflow.display import progress
        try:
            results: dict[str, Any] = self._client._connection.own(f'runs/{self.run_id}')
        except (ApiException, ConnectionError, ValueError):
            # Another kind of server, or none any more: then what it has told has to do.
            return progress.of_details(self.to_dict())
        return results if 'tasks' in results else progress.of_details(self.to_dict())

    def _spec(self) -> Optional[dict[str, Any]]:
        """The pipeline, which runs of uploaded versions refer to."""
        if self.pipeline_spec:
            return dict(self.pipeline_spec)
        version = self.pipeline_version_reference
        if not version or not version.pipeline_id or not version.pipeline_version_id:
            return None
        # A version never changes.
        known = self._client._specs
        if version.pipeline_version_id not in known:
            try:
                found = self._client.get_pipeline_version(version.pipeline_id, version.pipeline_version_id)
            except (ApiException, ConnectionError):
                return None
            known[version.pipeline_version_id] = dict(found.pipeline_spec or {})
        return known[version.pipeline_version_id] or None

    def _logs(self, results: dict[str, Any]) -> dict[str, str]:
        """The ends of the logs of some tasks: those that failed before those at work before the others."""
        found = {}
        logged = [task for task in results['tasks'] if task.get('log_node') and task['state'] in _LOGGED]
        for task in sorted(logged, key=lambda task: _LOGGED.index(task['state']))[:_MOST_LOGS]:
            try:
                text = self._client._connection.text(f'runs/{self.run_id}/nodes/{task["log_node"]}/log')
            except (ApiException, ConnectionError):
                continue
            found[task['path']] = '\n'.join(text.rstrip().splitlines()[-_LINES:])
        return found

    def _previews(self) -> list[str]:
        from ferroflow.display import previews
        connection, found = self._client._connection, []
        try:
            artifacts = connection.own(f'runs/{self.run_id}/artifacts').get('artifacts', [])
        except (ApiException, ConnectionError, ValueError):
            return []
        shown = [artifact for artifact in artifacts if artifact['artifact_type'] not in previews.SKIPPED]
        for artifact in shown[:previews.MOST_ARTIFACTS]:
            try:
                content = connection.own_bytes(f'artifacts/{artifact["artifact_id"]}/content', previews.MOST_BYTES + 1)
            except (ApiException, ConnectionError):
                # A folder, or gone.
                continue
            title = f'{artifact["task"]}: {artifact["name"]}'
            found.append(previews.preview(title, artifact['artifact_type'], content))
        return [preview for preview in found if preview]

    def _shown(self, brief: bool = False) -> dict[str, str]:
        """The run as it is now, as text and as HTML."""
        from ferroflow.display import page
        results, spec = self._results(), self._spec()
        if brief:
            html = page.of_run(results, spec, self.url, brief=True)
        else:
            html = page.of_run(results, spec, self.url, self._logs(results), self._previews())
        return {'text/plain': page.text_of_run(results, self.url), 'text/html': html}

    def _repr_html_(self) -> str:
        return self._shown()['text/html']

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self._shown()
