//! Where a request comes from, beyond the proxies that are trusted.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::Request;
use axum::http::HeaderMap;

use crate::config::HttpConfig;

/// The address that a request comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

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
        let peer = request.extensions().get::<Peer>();
        let peer = peer.map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |Peer(address)| {
            *address
        });
        Self::behind(peer, config, request.headers())
    }

    fn behind(peer: IpAddr, config: &HttpConfig, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_trusted = |address: &IpAddr| config.trusted_proxies.contains(address);
        let is_by_trusted = is_trusted(&peer);
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
        let says_so = ["x-forwarded-for", "forwarded", "via"];
        Self {
            address: client.unwrap_or(peer),
            is_forwarded: says_so.iter().any(|name| headers.contains_key(*name)),
            is_tls: is_by_trusted && text("x-forwarded-proto") == Some("https"),
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
            let client = Client::behind(peer.parse().expect("an address"), &config, &headers);
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
}
