//! Which addresses belong to the world, and a resolver that gives no others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Looks names up and leaves out what is not of the world.
#[derive(Debug, Default)]
pub(super) struct CheckedResolver(DefaultResolver);

impl Resolver for CheckedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.0.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in &found {
            if is_of_the_world(address.ip()) {
                allowed.push(*address);
            }
        }
        if allowed.is_empty() {
            let why = "the host stands for addresses of this machine or its network";
            return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, why).into());
        }
        Ok(allowed)
    }
}

/// Whether an address is neither of this machine, nor of its network, nor kept for special use.
pub(super) fn is_of_the_world(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_of_the_world_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_of_the_world_v4(inner),
            None => is_of_the_world_v6(address),
        },
    }
}

/// The address of version 4 within one of version 6: mapped, translated (64:ff9b::/96) or tunnelled (2002::/16).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] if high != 0 => Some(join(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(join(high, low)),
        _ => address.to_ipv4_mapped(),
    }
}

fn is_of_the_world_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_special = matches!(
        (first, second, third),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !is_special
}

/// Only 2000::/3 is given out to the world; documentation is left out.
fn is_of_the_world_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    first & 0xe000 == 0x2000 && (first, second) != (0x2001, 0x0db8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let rows = [
            ("1.1.1.1", true),
            ("140.82.121.4", true),
            ("2606:4700:4700::1111", true),
            ("::ffff:1.1.1.1", true),
            ("127.0.0.1", false),
            ("127.8.8.8", false),
            ("0.0.0.0", false),
            ("10.0.0.1", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("ff02::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("::127.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("2002:7f00:1::", false),
            ("2002:a00:1::", false),
            ("2001:db8::1", false),
        ];
        for (address, expected) in rows {
            assert_eq!(is_of_the_world(address.parse().unwrap()), expected, "{address}");
        }
    }
}
