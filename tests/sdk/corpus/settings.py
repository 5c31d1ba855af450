"""Settings of tasks and pipelines."""

from corpus import variants


def _component(sdk):

    @sdk.dsl.container_component
    def work(text: str = 'x'):
        return sdk.dsl.ContainerSpec(image='alpine:3', command=['echo'], args=[text])

    return work


def _secret(sdk):

    @sdk.dsl.container_component
    def name_it(name: sdk.dsl.OutputPath(str)):
        return sdk.dsl.ContainerSpec(image='alpine:3', args=[name])

    return name_it


def _whole(sdk, change):
    work = _component(sdk)

    @sdk.dsl.pipeline
    def whole(text: str = 'x', fields: dict = {}):
        change(sdk, work(), text)

    return whole


@variants({
    'cache-off': lambda sdk, task, text: task.set_caching_options(False),
    'cache-key': lambda sdk, task, text: task.set_caching_options(True, 'a key'),
    'cache-off-key': lambda sdk, task, text: task.set_caching_options(False, cache_key='k'),
    'display-name': lambda sdk, task, text: task.set_display_name('A name: "quoted"'),
    'retry': lambda sdk, task, text: task.set_retry(3),
    'retry-none': lambda sdk, task, text: task.set_retry(0),
    'retry-all': lambda sdk, task, text: task.set_retry(2, '30s', 1.5, '2 hours'),
    'retry-units': lambda sdk, task, text: task.set_retry(2, '1 minute', 3, '1w'),
    'env': lambda sdk, task, text: task.set_env_variable('A', 'b').set_env_variable('C', '').set_env_variable('A', 'd'),
    'image': lambda sdk, task, text: task.set_container_image('alpine:4'),
    'image-given': lambda sdk, task, text: task.set_container_image(text),
    'image-text': lambda sdk, task, text: task.set_container_image(f'registry/{text}:1'),
    'cpu': lambda sdk, task, text: task.set_cpu_request('500m').set_cpu_limit('2'),
    'cpu-fraction': lambda sdk, task, text: task.set_cpu_limit('0.5'),
    'cpu-given': lambda sdk, task, text: task.set_cpu_limit(text),
    'memory-given': lambda sdk, task, text: task.set_memory_request(text).set_memory_limit('1Gi'),
    'accelerator': lambda sdk, task, text: task.set_accelerator_type('nvidia.com/gpu'),
    'accelerators': lambda sdk, task, text: task.set_accelerator_type('TPU').set_accelerator_limit(4),
    'accelerators-text': lambda sdk, task, text: task.set_accelerator_limit('2').set_accelerator_type('TPU'),
    'accelerator-given': lambda sdk, task, text: task.set_accelerator_type(text).set_accelerator_limit(2),
    'debug': lambda sdk, task, text: task.set_debug_pause(),
    'debug-before': lambda sdk, task, text: task.set_debug_pause(before=True, after=False),
    'debug-error': lambda sdk, task, text: task.set_debug_pause(on_error=True),
})
def tasks(sdk, change):
    return _whole(sdk, change)


@variants(['1', '1024', '3K', '3Ki', '3M', '3Mi', '3G', '3Gi', '3T', '3Ti', '3P', '3Pi', '3E', '3Ei'])
def memory(sdk, amount):
    return _whole(sdk, lambda sdk, task, text: task.set_memory_limit(amount))


@variants({
    'secret-env': lambda k8s, task, text: k8s.use_secret_as_env(task, 's', {'key': 'VAR', 'other': 'OTHER'}),
    'secret-env-given': lambda k8s, task, text: k8s.use_secret_as_env(task, text, {'key': 'VAR'}, optional=True),
    'secret-volume': lambda k8s, task, text: k8s.use_secret_as_volume(task, 's', '/mnt', optional=True),
    'secret-volume-given': lambda k8s, task, text: k8s.use_secret_as_volume(task, text, '/mnt'),
    'config-map-env': lambda k8s, task, text: k8s.use_config_map_as_env(task, 'c', {'key': 'VAR'}),
    'config-map-volume': lambda k8s, task, text: k8s.use_config_map_as_volume(task, text, '/mnt'),
    'field': lambda k8s, task, text: k8s.use_field_path_as_env(task, 'VAR', 'metadata.name'),
    'pull-policy': lambda k8s, task, text: k8s.set_image_pull_policy(task, 'Always'),
    'pull-secrets': lambda k8s, task, text: k8s.set_image_pull_secrets(task, ['a', 'b']),
    'pull-secrets-given': lambda k8s, task, text: k8s.set_image_pull_secrets(task, [text]),
    'selector': lambda k8s, task, text: k8s.add_node_selector(k8s.add_node_selector(task, 'a', 'b'), 'c', 'd'),
    'selector-json': lambda k8s, task, text: k8s.add_node_selector_json(task, {'a': 'b'}),
    'labels': lambda k8s, task, text: k8s.add_pod_label(k8s.add_pod_annotation(task, 'a', 'b'), 'c', 'd'),
    'toleration': lambda k8s, task, text: k8s.add_toleration(task, 'k', 'Equal', 'v', 'NoExecute', 10),
    'toleration-short': lambda k8s, task, text: k8s.add_toleration(task, operator='Exists'),
    'toleration-zero': lambda k8s, task, text: k8s.add_toleration(task, 'k', toleration_seconds=0),
    'toleration-list': lambda k8s, task, text: k8s.add_toleration_json(task, [{'key': 'a', 'operator': 'Exists'}]),
    'security': lambda k8s, task, text: k8s.set_security_context(task, 1000, 0, True),
    'security-root': lambda k8s, task, text: k8s.set_security_context(task, run_as_non_root=False),
    'timeout': lambda k8s, task, text: k8s.set_timeout(task, 20),
    'timeout-taken-away': lambda k8s, task, text: k8s.set_timeout(k8s.set_timeout(task, 20), 0),
    'empty-dir': lambda k8s, task, text: k8s.empty_dir_mount(task, 'v', '/mnt', 'Memory', '1Gi'),
    'empty-dir-short': lambda k8s, task, text: k8s.empty_dir_mount(task, 'v', '/mnt'),
    'ephemeral': lambda k8s, task, text: k8s.add_ephemeral_volume(task, 'v', '/mnt', ['ReadWriteOnce'], '1Gi'),
    'ephemeral-all': lambda k8s, task, text: k8s.add_ephemeral_volume(task, 'v', '/mnt', ['ReadWriteOnce'], '1Gi', 'fast',
                                                                     {'a': 'b'}, {'c': 'd'}),
    'pvc': lambda k8s, task, text: k8s.mount_pvc(task, 'claim', '/mnt', sub_path='inner'),
    'pvc-given': lambda k8s, task, text: k8s.mount_pvc(task, text, '/mnt'),
    'affinity': lambda k8s, task, text: k8s.add_node_affinity(
        task, [{'key': 'disk', 'operator': 'In', 'values': ['ssd']}, {'key': 'x', 'operator': 'Exists'}],
        [{'key': 'metadata.name', 'operator': 'NotIn', 'values': ['a', 'b']}], weight=50),
    'affinity-json': lambda k8s, task, text: k8s.add_node_affinity_json(
        task, {'requiredDuringSchedulingIgnoredDuringExecution': {'nodeSelectorTerms': []}}),
    'several': lambda k8s, task, text: k8s.use_secret_as_env(k8s.set_timeout(k8s.use_secret_as_env(
        task, 'a', {'b': 'c'}), 5), 'd', {'e': 'f'}),
})
def kubernetes(sdk, change):
    return _whole(sdk, lambda sdk, task, text: change(sdk.kubernetes, task, text))


def kubernetes_of_a_result(sdk):
    work, name_it = _component(sdk), _secret(sdk)

    @sdk.dsl.pipeline
    def whole():
        named = name_it()
        sdk.kubernetes.use_secret_as_env(work(), named.output, {'a': 'B'})
        sdk.kubernetes.mount_pvc(work(), named.output, '/mnt')

    return whole


def kubernetes_in_groups(sdk):
    work, name_it, dsl = _component(sdk), _secret(sdk), sdk.dsl

    @dsl.pipeline
    def whole(secret: str = 's'):
        named = name_it()
        with dsl.ParallelFor([1, 2]):
            sdk.kubernetes.use_secret_as_env(work(), secret, {'a': 'B'})
            sdk.kubernetes.use_secret_as_volume(work(), named.output, '/mnt')
        with dsl.ExitHandler(sdk.kubernetes.set_timeout(work(), 7)):
            sdk.kubernetes.use_config_map_as_volume(work(), secret, '/mnt')

    return whole


def kubernetes_in_nested_pipelines(sdk):
    work, name_it, dsl = _component(sdk), _secret(sdk), sdk.dsl

    @dsl.pipeline
    def inner():
        sdk.kubernetes.set_timeout(work(), 5)
        sdk.kubernetes.set_timeout(work(), 6)

    @dsl.pipeline
    def whole():
        sdk.kubernetes.set_timeout(name_it(), 4)
        inner()

    return whole


@variants({
    'workspace': lambda dsl: dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size='10Gi')),
    'workspace-patch': lambda dsl: dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(
        '1.5Gi', dsl.KubernetesWorkspaceConfig({'storageClassName': 'fast', 'number': 1}))),
    'ttl': lambda dsl: dsl.PipelineConfig(ttl_seconds_after_finished=10, ttl_seconds_after_success=20,
                                          ttl_seconds_after_failure=30, active_deadline_seconds=40),
    'zero': lambda dsl: dsl.PipelineConfig(ttl_seconds_after_finished=0),
    'nothing': lambda dsl: dsl.PipelineConfig(),
})
def pipelines(sdk, config):
    work = _component(sdk)

    @sdk.dsl.pipeline(pipeline_config=config(sdk.dsl))
    def whole():
        work()

    return whole


def settings_of_a_component_with_passthroughs(sdk):
    dsl = sdk.dsl

    @dsl.component(base_image='python:3.11', task_config_passthroughs=list(dsl.TaskConfigField))
    def work(config: dsl.TaskConfig):
        print(config)

    @dsl.pipeline
    def whole():
        task = work().set_cpu_limit('1').set_env_variable('A', 'b')
        sdk.kubernetes.add_toleration(task, 'k')
        sdk.kubernetes.mount_pvc(task, 'claim', '/mnt')

    return whole
