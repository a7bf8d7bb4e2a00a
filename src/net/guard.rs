//! The address guard: which IP addresses a source may reach, and the resolver that enforces it.
//!
//! Checks literals in a URL, every address of a resolved name, and the peer of a connection. Names are resolved by the
//! system's resolver; the guard queries no name server itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns;
use tower_service::Service;

use super::failure::BoxError;
use crate::files::exhausted_resource;

/// Who may reach an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Every source.
    Public,
    /// Sources that allow private hosts; the text names the range.
    Private(&'static str),
    /// No source; the text names the range.
    Never(&'static str),
}

/// An address that must not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.words())]
pub(super) struct RefusedAddress {
    /// The name that resolved to the address; `None` for a literal.
    pub(super) host: Option<String>,
    pub(super) address: IpAddr,
    reach: Reach,
}

impl RefusedAddress {
    /// Adds the name that resolved to the address.
    pub(super) fn of_host(self, host: &str) -> Self {
        Self {
            host: Some(host.to_owned()),
            ..self
        }
    }

    fn words(&self) -> String {
        let subject = match &self.host {
            Some(host) => format!("{host} resolves to {},", self.address),
            None => format!("{} is", self.address),
        };
        match self.reach {
            Reach::Never(what) => format!("{subject} {what}, which is never connected to"),
            Reach::Private(what) => {
                format!("{subject} {what}: allow it for this source with --allow-private")
            }
            Reach::Public => subject,
        }
    }
}

/// Checks whether `address` may be reached.
pub(super) fn check(address: IpAddr, allow_private: bool) -> Result<(), RefusedAddress> {
    let reach = reach(address);
    match reach {
        Reach::Public => Ok(()),
        Reach::Private(_) if allow_private => Ok(()),
        Reach::Private(_) | Reach::Never(_) => Err(RefusedAddress {
            host: None,
            address,
            reach,
        }),
    }
}

/// Checks the host of `url` when it is a literal; the URL parser has normalised `127.1`, `2130706433` and the like. A
/// name is checked when it is resolved.
pub(super) fn check_literal(url: &url::Url, allow_private: bool) -> Result<(), RefusedAddress> {
    match url.host() {
        Some(url::Host::Ipv4(address)) => check(address.into(), allow_private),
        Some(url::Host::Ipv6(address)) => check(address.into(), allow_private),
        Some(url::Host::Domain(_)) | None => Ok(()),
    }
}

/// Explains why a source with this permission can never reach a host, if the address alone shows so: a literal, or a
/// name of this machine. `None` when the host may be reached.
pub fn unreachable_host(url: &url::Url, allow_private: bool) -> Option<String> {
    if let Err(refused) = check_literal(url, allow_private) {
        return Some(refused.to_string());
    }
    let host = url.host_str()?;
    // A trailing dot denotes the root (RFC 1034 §3.1).
    let mut parts = host.strip_suffix('.').unwrap_or(host).split('.');
    if parts.any(str::is_empty) {
        return Some(format!(
            "`{host}` is no name of a host: a part beside a dot is empty"
        ));
    }
    let host = host.trim_end_matches('.');
    (is_this_machine(url) && !allow_private)
        .then(|| format!("{host} is this machine: allow it for this source with --allow-private"))
}

/// Returns whether an address names this machine: a loopback address, or `localhost`, which always resolves to one (RFC
/// 6761 §6.3).
pub(super) fn is_this_machine(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Some(url::Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// The system's resolver without refused addresses, for the clients of sources and of webhooks.
#[derive(Clone)]
pub(super) struct GuardedResolver {
    allow_private: bool,
}

impl GuardedResolver {
    pub(super) fn new(allow_private: bool) -> Self {
        Self { allow_private }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the name has no address")]
pub(super) struct Unresolved;

impl Service<dns::Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: dns::Name) -> Self::Future {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|error| match exhausted_resource(&error) {
                Some(_) => BoxError::from(error),
                None => Unresolved.into(),
            })?;
            Ok(filter(name.as_str(), found, allow_private)?.into_iter())
        })
    }
}

/// Removes refused addresses. Fails when that leaves none of several.
fn filter(
    host: &str,
    found: impl Iterator<Item = SocketAddr>,
    allow_private: bool,
) -> Result<Vec<SocketAddr>, BoxError> {
    let mut allowed = Vec::new();
    let mut refused = None;
    for address in found {
        match check(address.ip(), allow_private) {
            Ok(()) => allowed.push(address),
            Err(refusal) => refused = Some(refusal),
        }
    }
    match refused {
        Some(refusal) if allowed.is_empty() => Err(Box::new(refusal.of_host(host))),
        _ => Ok(allowed),
    }
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

/// The registry of special-purpose addresses (RFC 6890, maintained by IANA), and the services of cloud hosts.
fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [169, 254, 169, 254] | [100, 100, 100, 200] | [168, 63, 129, 16] => {
            Reach::Never("a cloud host's metadata service")
        }
        [0, ..] => Reach::Never("an unspecified address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Private("a private address"),
        [100, 64..=127, ..] => Reach::Private("a shared address of a carrier (RFC 6598)"),
        [127, ..] => Reach::Private("a loopback address"),
        [169, 254, ..] => Reach::Never("a link-local address"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Reach::Never("an address for documentation")
        }
        [198, 18..=19, ..] => Reach::Never("an address for benchmarks"),
        [255, 255, 255, 255] => Reach::Never("the broadcast address"),
        [224..=239, ..] => Reach::Never("a multicast address"),
        [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => Reach::Never("a reserved address"),
        _ => Reach::Public,
    }
}

/// Forms that carry an IPv4 address end at that address: they are judged by it.
#[expect(
    clippy::match_same_arms,
    reason = "the order decides, from special to general"
)]
fn reach_v6(address: Ipv6Addr) -> Reach {
    let groups = address.segments();
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        reach_v4(Ipv4Addr::new(a, b, c, d))
    };
    match groups {
        [0, 0, 0, 0, 0, 0, 0, 0] => Reach::Never("the unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private("a loopback address"),
        // IPv4-mapped, IPv4-translated (RFC 2765) and NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 1, ..] => Reach::Never("an address of a local translator (RFC 8215)"),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => v4(high, low),
        // Teredo (RFC 4380): a server, and a client whose bits are inverted.
        [0x2001, 0, high, low, _, _, client_high, client_low] => {
            v4(high, low).max(v4(!client_high, !client_low))
        }
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => {
            Reach::Never("a cloud host's metadata service")
        }
        [0xfc00..=0xfdff, ..] => Reach::Private("a unique local address"),
        [0xfe80..=0xfebf, ..] => Reach::Never("a link-local address"),
        [0xff00..=0xffff, ..] => Reach::Never("a multicast address"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => {
            Reach::Never("an address for documentation")
        }
        [0x2001, 0..=0x1ff, ..] => Reach::Never("a reserved address"),
        // ISATAP (RFC 5214): the interface is an IPv4 address.
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => v4(high, low),
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never("a reserved address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: [&str; 7] = [
        "8.8.8.8",
        "100.128.0.1",
        "172.32.0.1",
        "2606:4700::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ];
    const PRIVATE: [&str; 13] = [
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "127.0.0.1",
        "127.255.0.3",
        "100.64.0.1",
        "::1",
        "fc00::1",
        "fd12:3456::1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
    ];
    const NEVER: [&str; 27] = [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "169.254.1.1",
        "100.100.100.200",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::8.8.8.8",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:5601:5601",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "3fff::1",
        "2606:4700::5efe:a9fe:a9fe",
        "100::1",
    ];

    #[test]
    fn judges_addresses_by_where_they_lead() {
        let ip = |text: &str| text.parse::<IpAddr>().expect(text);
        for text in PUBLIC {
            assert_eq!(check(ip(text), false), Ok(()), "{text}");
        }
        for text in PRIVATE {
            assert!(check(ip(text), false).is_err(), "{text}");
            assert_eq!(check(ip(text), true), Ok(()), "{text}");
        }
        for text in NEVER {
            assert!(check(ip(text), true).is_err(), "{text}");
        }
    }

    #[test]
    fn sees_through_every_way_to_write_a_literal() {
        for text in [
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://[::ffff:7f00:1]/",
            "https://127.0.0.1./",
            "https://%31%32%37.0.0.1/",
        ] {
            let url = url::Url::parse(text).expect(text);
            let refused = check_literal(&url, false).expect_err(text).to_string();
            assert!(
                refused.contains("loopback") && refused.contains("--allow-private"),
                "{refused}"
            );
            assert_eq!(check_literal(&url, true), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_name_keeps_only_what_may_be_reached() {
        let at = |text: &str| SocketAddr::new(text.parse().expect("an address"), 0);
        let mixed = [at("10.0.0.1"), at("8.8.8.8"), at("169.254.169.254")];
        let kept = filter("h", mixed.into_iter(), false).expect("one is public");
        assert_eq!(kept, [at("8.8.8.8")]);
        let kept = filter("h", mixed.into_iter(), true).expect("two may be reached");
        assert_eq!(kept, [at("10.0.0.1"), at("8.8.8.8")]);
        let error = filter("db.example", [at("10.0.0.1")].into_iter(), false).expect_err("none");
        assert_eq!(
            error.to_string(),
            "db.example resolves to 10.0.0.1, a private address: allow it for this source with --allow-private"
        );
        assert!(filter("h", std::iter::empty(), false).is_ok());
    }
}
