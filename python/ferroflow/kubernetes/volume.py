"""Volumes in tasks."""

from typing import Any, Dict, List, Optional

from ferroflow import dsl
from ferroflow.dsl.pipeline_task import PipelineTask
from ferroflow.kubernetes import common


@dsl.container_component
def CreatePVC(name: dsl.OutputPath(str), access_modes: List[str], size: str, pvc_name: Optional[str] = None,  # type: ignore[valid-type]
              pvc_name_suffix: Optional[str] = None, storage_class_name: Optional[str] = '',
              volume_name: Optional[str] = None, annotations: Optional[Dict[str, str]] = None,
              data_source: Optional[Dict[str, str]] = None) -> dsl.ContainerSpec:
    return dsl.ContainerSpec(image='argostub/createpvc')


@dsl.container_component
def DeletePVC(pvc_name: str) -> dsl.ContainerSpec:
    return dsl.ContainerSpec(image='argostub/deletepvc')


def mount_pvc(task: PipelineTask, pvc_name: common.Text, mount_path: str, sub_path: str = '') -> PipelineTask:
    """Mounts the volume of a PersistentVolumeClaim."""
    parameter = common.value(task, pvc_name, 'pvc_name')
    entry = common.set_fields(mountPath=mount_path, subPath=sub_path, pvcNameParameter=parameter)
    # Older servers read these.
    if isinstance(pvc_name, str):
        entry['constant'] = pvc_name
    else:
        entry.update(parameter)
    return common.append(task, 'pvcMount', entry)


def empty_dir_mount(task: PipelineTask, volume_name: str, mount_path: str, medium: Optional[str] = None,
                    size_limit: Optional[str] = None) -> PipelineTask:
    """Mounts a new folder that lives as long as the pod."""
    entry: Dict[str, Any] = common.set_fields(volumeName=volume_name, mountPath=mount_path)
    for field, value in (('medium', medium), ('sizeLimit', size_limit)):
        if value is not None:
            entry[field] = value
    return common.append(task, 'emptyDirMounts', entry)


def add_ephemeral_volume(task: PipelineTask, volume_name: str, mount_path: str, access_modes: List[str], size: str,
                         storage_class_name: Optional[str] = None, labels: Optional[Dict[str, str]] = None,
                         annotations: Optional[Dict[str, str]] = None) -> PipelineTask:
    """Mounts a new volume that lives as long as the pod."""
    entry = common.set_fields(volumeName=volume_name, mountPath=mount_path, accessModes=access_modes, size=size,
                              storageClassName=storage_class_name,
                              metadata=common.set_fields(annotations=annotations, labels=labels))
    if storage_class_name is None:
        entry['defaultStorageClass'] = True
    return common.append(task, 'genericEphemeralVolume', entry)
