"""ConfigMaps in tasks."""

from __future__ import annotations

from ferroflow.dsl.pipeline_task import PipelineTask
from ferroflow.kubernetes import common


def use_config_map_as_env(task: PipelineTask, config_map_name: common.Text, config_map_key_to_env: dict[str, str],
                          optional: bool = False) -> PipelineTask:
    """Sets variables to values of a ConfigMap."""
    keys = [{'configMapKey': key, 'envVar': variable} for key, variable in config_map_key_to_env.items()]
    return common.append(task, 'configMapAsEnv',
                         common.named(task, config_map_name, 'configMapName', keyToEnv=keys, optional=optional))


def use_config_map_as_volume(task: PipelineTask, config_map_name: common.Text, mount_path: str,
                             optional: bool = False) -> PipelineTask:
    """Mounts a ConfigMap as files."""
    return common.append(task, 'configMapAsVolume',
                         common.named(task, config_map_name, 'configMapName', mountPath=mount_path, optional=optional))
