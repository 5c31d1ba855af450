"""Secrets in tasks."""

from __future__ import annotations

from ferroflow.dsl.pipeline_task import PipelineTask
from ferroflow.kubernetes import common


def use_secret_as_env(task: PipelineTask, secret_name: common.Text, secret_key_to_env: dict[str, str],
                      optional: bool = False) -> PipelineTask:
    """Sets variables to values of a Secret."""
    keys = [{'secretKey': key, 'envVar': variable} for key, variable in secret_key_to_env.items()]
    return common.append(task, 'secretAsEnv',
                         common.named(task, secret_name, 'secretName', keyToEnv=keys, optional=optional))


def use_secret_as_volume(task: PipelineTask, secret_name: common.Text, mount_path: str,
                         optional: bool = False) -> PipelineTask:
    """Mounts a Secret as files."""
    return common.append(task, 'secretAsVolume',
                         common.named(task, secret_name, 'secretName', mountPath=mount_path, optional=optional))
