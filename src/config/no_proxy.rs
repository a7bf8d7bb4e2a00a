//! The hosts that are reached without the proxy: one entry of `no_proxy`.
//!
//! Never resolves a name: a network matches only addresses written in the URL.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

use crate::domain::text_form::{prints_text, reads_text};

/// One entry of `[fetch] no_proxy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoProxy {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    /// `*`: every host.
    All,
    /// A host with all its subdomains, in lower case, without a leading dot.
    Domain(String),
    /// The addresses that share this many leading bits.
    Network(IpAddr, u8),
}

impl NoProxy {
    /// Returns whether a request to `url` bypasses the proxy.
    pub fn matches(&self, url: &Url) -> bool {
        if self.port.is_some() && self.port != url.port_or_known_default() {
            return false;
        }
        match (&self.hosts, url.host()) {
            (Hosts::All, _) => true,
            (Hosts::Domain(name), Some(Host::Domain(host))) => {
                let host = host.trim_end_matches('.');
                host.strip_suffix(&**name)
                    .is_some_and(|below| below.is_empty() || below.ends_with('.'))
            }
            (Hosts::Network(network, bits), Some(Host::Ipv4(address))) => {
                shares(*network, address.into(), *bits)
            }
            (Hosts::Network(network, bits), Some(Host::Ipv6(address))) => {
                shares(*network, address.to_canonical(), *bits)
            }
            _ => false,
        }
    }
}

fn shares(network: IpAddr, address: IpAddr, bits: u8) -> bool {
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (
            u128::from(network.to_bits()),
            u128::from(address.to_bits()),
            32,
        ),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    // Shifting by all bits is undefined; with no bits to share, every address matches.
    (network ^ address)
        .checked_shr(width - u32::from(bits))
        .unwrap_or(0)
        == 0
}

impl FromStr for NoProxy {
    type Err = String;

    /// Parses `example.org`, `.example.org`, `10.0.0.0/8`, `[::1]:8443`, `localhost:8080` or `*`.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "`{}` is no host: give a name (with all below it), an address, a network such as 10.0.0.0/8, or *",
                text.escape_debug()
            )
        };
        let entry = text.trim().trim_start_matches("*.").to_ascii_lowercase();
        if let Some(hosts) = read_network(&entry) {
            return Ok(Self { hosts, port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| bad())?)),
            None => (&*entry, None),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let hosts = match (host, read_network(bare)) {
            ("*", _) => Hosts::All,
            (_, Some(network)) => network,
            _ => match Host::parse(host.trim_matches('.')) {
                Ok(Host::Domain(name)) => Hosts::Domain(name),
                _ => return Err(bad()),
            },
        };
        Ok(Self { hosts, port })
    }
}

/// Parses a network, or an address, which is a network of one.
fn read_network(text: &str) -> Option<Hosts> {
    let (address, bits) = text
        .split_once('/')
        .map_or((text, None), |(a, b)| (a, Some(b)));
    let address: IpAddr = address.parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(width), |bits| bits.parse().ok())?;
    (bits <= width).then_some(Hosts::Network(address, bits))
}

impl fmt::Display for NoProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::All => f.write_str("*")?,
            Hosts::Domain(name) => f.write_str(name)?,
            Hosts::Network(address, bits) => write!(f, "{address}/{bits}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

reads_text!(NoProxy);
prints_text!(NoProxy);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_networks_and_ports_match_what_they_mean() {
        for (entry, url, expected) in [
            ("localhost", "https://localhost/", true),
            ("localhost", "https://localhost:8443/", true),
            ("localhost:8443", "https://localhost:8443/", true),
            ("localhost:8443", "https://localhost/", false),
            ("example.org:443", "https://example.org/", true),
            ("example.org", "https://files.example.org/", true),
            (".example.org", "https://example.org./", true),
            ("*.example.org", "https://a.b.example.org/", true),
            ("example.org", "https://badexample.org/", false),
            ("Example.ORG", "https://example.org/", true),
            ("10.0.0.0/8", "https://10.255.0.1/", true),
            ("10.0.0.0/8", "https://11.0.0.1/", false),
            ("10.1.2.3", "https://10.1.2.3/", true),
            ("10.1.2.3", "https://10.1.2.4/", false),
            ("10.1.2.3:8443", "https://10.1.2.3:8443/", true),
            ("0.0.0.0/0", "https://8.8.8.8/", true),
            ("::/0", "https://[2606:4700::1]/", true),
            ("fd00::/8", "https://[fd12::1]/", true),
            ("[::1]:8443", "https://[::1]:8443/", true),
            ("::1", "https://[::1]/", true),
            ("127.0.0.0/8", "https://[::ffff:127.0.0.1]/", true),
            ("10.0.0.0/8", "https://ten.example/", false),
            ("*", "https://anything.example/", true),
        ] {
            let rule: NoProxy = entry.parse().expect(entry);
            let url = Url::parse(url).expect(url);
            assert_eq!(rule.matches(&url), expected, "{entry} {url}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for entry in [
            "",
            " ",
            "10.0.0.0/33",
            "a b",
            "https://h/",
            "h:port",
            "10.0.0.0/x",
        ] {
            assert!(entry.parse::<NoProxy>().is_err(), "{entry}");
        }
    }
}
