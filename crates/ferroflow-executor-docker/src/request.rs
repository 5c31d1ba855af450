//! From an order to what the daemon is asked for.

use bollard::models::{
    ContainerCreateBody, DeviceRequest, HostConfig, HostConfigLogConfig, Mount as DockerMount, MountType,
};
use ferroflow_executor_local::container::order::{Mount, Order, Resources};

/// Docker refuses less memory.
const LEAST_MEMORY: u64 = 6 * 1024 * 1024;
/// Shares of one core.
const SHARES_PER_CORE: f64 = 1024.0;

/// The container of an order on a machine with so many cores.
pub(crate) fn of_order(order: &Order, cores: Option<i64>) -> ContainerCreateBody {
    let env = order.env.iter().map(|(name, value)| format!("{name}={value}"));
    let words = |words: &[String]| (!words.is_empty()).then(|| words.to_vec());
    ContainerCreateBody {
        image: Some(order.image.clone()),
        entrypoint: words(&order.entrypoint),
        cmd: words(&order.words),
        env: Some(env.collect()),
        user: order.user.clone(),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        labels: Some(order.labels.clone().into_iter().collect()),
        host_config: Some(host(order, cores)),
        ..ContainerCreateBody::default()
    }
}

fn host(order: &Order, cores: Option<i64>) -> HostConfig {
    let Resources { cpu_limit, cpu_request, memory_limit, memory_request, accelerator, shared_memory } =
        &order.resources;
    let memory = memory_limit.map(|bytes| signed(bytes.max(LEAST_MEMORY)));
    HostConfig {
        mounts: Some(mounts(&order.mounts)),
        network_mode: order.network.clone(),
        // What user code says is passed on at once, so nobody else need keep it.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        // User code is not the first process, as on a cluster: signals act on it, and orphans are waited for.
        init: Some(true),
        nano_cpus: cpu_limit.map(|limit| {
            // More than there are is refused.
            let most = cores.map_or(i64::MAX, |cores| cores.saturating_mul(1_000_000_000));
            whole(limit * 1e9).clamp(10_000_000, most)
        }),
        cpu_shares: cpu_request.map(|request| whole(request * SHARES_PER_CORE).clamp(2, 262_144)),
        memory,
        // Else the same again would be there as swap.
        memory_swap: memory,
        memory_reservation: memory_request
            .map(|bytes| signed(bytes.max(LEAST_MEMORY)))
            .map(|bytes| memory.map_or(bytes, |limit| bytes.min(limit))),
        device_requests: accelerator.as_ref().map(|(kind, count)| vec![device(kind, *count)]),
        shm_size: shared_memory.map(signed),
        ..HostConfig::default()
    }
}

/// Accelerators by the driver that gives them: the vendor before `.com/`.
fn device(kind: &str, count: u64) -> DeviceRequest {
    let vendor = kind.split(['.', '/']).next().unwrap_or_default().to_lowercase();
    // Names of models, such as `NVIDIA_TESLA_K80`, begin with the vendor as well.
    let vendor = vendor.split(['_', '-']).next().unwrap_or_default().to_owned();
    DeviceRequest {
        driver: Some(vendor),
        count: Some(signed(count)),
        capabilities: Some(vec![vec!["gpu".to_owned()]]),
        ..DeviceRequest::default()
    }
}

/// Each path once; what was named last lies over what was named before.
fn mounts(mounts: &[Mount]) -> Vec<DockerMount> {
    let mut kept: Vec<&Mount> = Vec::new();
    for mount in mounts {
        let path = |mount: &Mount| mount.target.trim_end_matches('/').to_owned();
        kept.retain(|known| path(known) != path(mount));
        kept.push(mount);
    }
    let bind = |mount: &Mount| DockerMount {
        typ: Some(MountType::BIND),
        source: Some(mount.source.clone()),
        target: Some(mount.target.clone()),
        read_only: Some(mount.read_only),
        ..DockerMount::default()
    };
    kept.into_iter().map(bind).collect()
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and fractions do not matter")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_of(resources: Resources) -> HostConfig {
        of_order(&Order { resources, ..Order::default() }, Some(2)).host_config.unwrap()
    }

    #[test]
    fn limits_fit_the_machine_and_the_daemon() {
        let host = host_of(Resources {
            cpu_limit: Some(16.0),
            cpu_request: Some(0.5),
            memory_limit: Some(1),
            memory_request: Some(1 << 30),
            ..Resources::default()
        });
        assert_eq!((host.nano_cpus, host.cpu_shares), (Some(2_000_000_000), Some(512)));
        assert_eq!((host.memory, host.memory_swap), (Some(6 << 20), Some(6 << 20)));
        assert_eq!(host.memory_reservation, Some(6 << 20), "not above the limit");
        let host = host_of(Resources::default());
        assert_eq!(
            (host.nano_cpus, host.memory, host.memory_swap, host.device_requests),
            (None, None, None, None)
        );
    }

    #[test]
    fn accelerators_are_asked_for_by_their_vendor() {
        for (kind, driver) in
            [("nvidia.com/gpu", "nvidia"), ("NVIDIA_TESLA_K80", "nvidia"), ("amd.com/gpu", "amd")]
        {
            let host = host_of(Resources { accelerator: Some((kind.to_owned(), 2)), ..Resources::default() });
            let asked = host.device_requests.unwrap().remove(0);
            assert_eq!((asked.driver.as_deref(), asked.count), (Some(driver), Some(2)), "{kind}");
        }
    }

    #[test]
    fn no_path_is_mounted_twice() {
        let mount = |source: &str, target: &str| Mount {
            source: source.to_owned(),
            target: target.to_owned(),
            read_only: false,
        };
        let found = mounts(&[mount("/a", "/x"), mount("/b", "/y"), mount("/c", "/x/")]);
        let sources: Vec<_> = found.iter().filter_map(|mount| mount.source.as_deref()).collect();
        assert_eq!(sources, ["/b", "/c"]);
    }

    #[test]
    fn an_empty_command_leaves_the_image_its_own() {
        let order = Order { words: vec!["x".to_owned()], ..Order::default() };
        let body = of_order(&order, None);
        assert_eq!((body.entrypoint, body.cmd), (None, Some(vec!["x".to_owned()])));
    }
}
