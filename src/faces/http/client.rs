//! Where a request comes from, beyond the proxies that are trusted.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::Request;
use axum::http::HeaderMap;

use crate::config::HttpConfig;

/// The fields by which proxies say that they pass a request on.
const BY_PROXIES: [&str; 9] = [
    "x-forwarded-for",
    "forwarded",
    "via",
    "x-real-ip",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-server",
    "cf-connecting-ip",
    "true-client-ip",
];

/// The other end of the connection on which a request comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    /// Whether it speaks TLS with the service.
    pub(super) is_tls: bool,
}

/// The client of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Client {
    /// Its address, as a trusted proxy gives it, else that of the connection.
    pub(super) address: IpAddr,
    /// Whether any proxy says that it passed the request on.
    pub(super) is_forwarded: bool,
    /// Whether the client speaks TLS, with a trusted proxy or with the service.
    pub(super) is_tls: bool,
    is_by_trusted: bool,
}

impl Client {
    /// Returns the client of a request.
    pub(super) fn of(config: &HttpConfig, request: &Request) -> Self {
        let peer = request.extensions().get::<Peer>().copied();
        let nobody = Peer {
            address: IpAddr::from(Ipv4Addr::UNSPECIFIED),
            is_tls: false,
        };
        Self::behind(peer.unwrap_or(nobody), config, request.headers())
    }

    fn behind(peer: Peer, config: &HttpConfig, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_trusted = |address: &IpAddr| config.trusted_proxies.contains(address);
        let is_by_trusted = is_trusted(&peer.address);
        let lists = headers.get_all("x-forwarded-for").iter();
        let lists = lists.filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = lists
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .collect();
        // From the last proxy back to the first address that is no trusted one: what lies before it may be made up.
        let mut known = hops
            .iter()
            .rev()
            .map_while(|hop| hop.parse::<IpAddr>().ok());
        let client = known.find(|hop| !is_trusted(hop)).filter(|_| is_by_trusted);
        // A trusted proxy knows what its client speaks, whatever it speaks itself.
        let scheme = text("x-forwarded-proto").filter(|_| is_by_trusted);
        Self {
            address: client.unwrap_or(peer.address),
            is_forwarded: BY_PROXIES.iter().any(|name| headers.contains_key(*name)),
            is_tls: scheme.map_or(peer.is_tls, |scheme| scheme == "https"),
            is_by_trusted,
        }
    }

    /// Returns the person whom a trusted proxy let in.
    pub(super) fn user<'h>(&self, config: &HttpConfig, headers: &'h HeaderMap) -> Option<&'h str> {
        let name = config.user_header.as_ref().filter(|_| self.is_by_trusted)?;
        let user = headers.get(name.as_str())?.to_str().ok()?;
        Some(user).filter(|user| !user.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let config = HttpConfig {
            trusted_proxies: vec![IpAddr::from([127, 0, 0, 1]), IpAddr::from([10, 0, 0, 9])],
            user_header: Some("X-Remote-User".to_owned()),
            ..HttpConfig::default()
        };
        let (proxy, other, far) = ("127.0.0.1", "192.0.2.7", "198.51.100.1");
        for (peer, forwarded, address, is_forwarded, user) in [
            (other, "", other, false, None),
            (other, "198.51.100.1", other, true, None),
            (proxy, "", proxy, false, Some("anna")),
            (proxy, "198.51.100.1", far, true, Some("anna")),
            (
                proxy,
                "6.6.6.6, 198.51.100.1, 10.0.0.9",
                far,
                true,
                Some("anna"),
            ),
            (proxy, "6.6.6.6, what, 10.0.0.9", proxy, true, Some("anna")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-remote-user", "anna".parse().expect("a value"));
            if !forwarded.is_empty() {
                headers.insert("x-forwarded-for", forwarded.parse().expect("a value"));
            }
            let peer_of = Peer {
                address: peer.parse().expect("an address"),
                is_tls: false,
            };
            let client = Client::behind(peer_of, &config, &headers);
            let found = (
                client.address.to_string(),
                client.is_forwarded,
                client.user(&config, &headers),
            );
            assert_eq!(
                found,
                (address.to_owned(), is_forwarded, user),
                "{peer} {forwarded}"
            );
        }
    }

    #[test]
    fn a_client_speaks_tls_with_the_service_or_with_a_trusted_proxy() {
        let config = HttpConfig {
            trusted_proxies: vec![IpAddr::from([127, 0, 0, 1])],
            ..HttpConfig::default()
        };
        for (peer, is_tls, scheme, expected) in [
            ([127, 0, 0, 1], false, None, false),
            ([127, 0, 0, 1], false, Some("https"), true),
            ([127, 0, 0, 1], true, None, true),
            ([127, 0, 0, 1], true, Some("http"), false),
            ([192, 0, 2, 7], false, Some("https"), false),
            ([192, 0, 2, 7], true, Some("http"), true),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(scheme) = scheme {
                headers.insert("x-forwarded-proto", scheme.parse().expect("a value"));
            }
            let address = IpAddr::from(peer);
            let client = Client::behind(Peer { address, is_tls }, &config, &headers);
            assert_eq!(client.is_tls, expected, "{peer:?} {is_tls} {scheme:?}");
        }
    }
}
