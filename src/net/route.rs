//! The way of a request: directly to its host, or through the configured proxy; and the name or addresses that the
//! proxy gets.
//!
//! Never shows the user name and password of a proxy.

use std::net::IpAddr;
use std::time::Duration;

use url::Url;

use super::error::NetError;
use super::failure::Failure;
use super::guard;
use super::login::add_login;
use super::secret::{Scrubber, expand_configured};
use crate::config::{FetchConfig, NoProxy, ProxyAddress, Secrets};
use crate::domain::{FailureKind, Template, duration_words};

/// Checks the proxy's address, with its secrets filled in, for fetches and webhooks. An address with an unset secret is
/// not checked: the environment of the fetching process may have the secret.
///
/// # Errors
///
/// [`NetError::Proxy`] when no request could be made through the proxy.
pub fn check_proxy(config: &FetchConfig, secrets: &Secrets) -> Result<(), NetError> {
    let names = config
        .proxy
        .iter()
        .flat_map(|proxy| Template(proxy.as_str()).names());
    if names.into_iter().any(|name| secrets.get(name).is_none()) {
        return Ok(());
    }
    Routes::new(config, secrets).map(drop)
}

/// The direct way and the configured proxy.
pub(super) struct Routes {
    /// With its secrets filled in.
    proxy: Option<Url>,
    no_proxy: Vec<NoProxy>,
    login: Scrubber,
}

impl Routes {
    pub(super) fn new(config: &FetchConfig, secrets: &Secrets) -> Result<Self, NetError> {
        let mut login = Scrubber::default();
        let proxy = config.proxy.as_ref();
        let proxy = proxy.map(|proxy| read_proxy(proxy, secrets, &mut login));
        Ok(Self {
            proxy: proxy.transpose()?,
            no_proxy: config.no_proxy.clone(),
            login,
        })
    }

    pub(super) fn proxy(&self) -> Option<&Url> {
        self.proxy.as_ref()
    }

    /// Returns the proxy for requests to `url`; `None` when there is none, or when `no_proxy` names the host.
    pub(super) fn proxy_for(&self, url: &Url) -> Option<&Url> {
        let passes_by = self.no_proxy.iter().any(|rule| rule.matches(url));
        self.proxy().filter(|_| !passes_by)
    }

    /// Returns a scrubber for what the proxy may repeat: its secrets, user name and password.
    pub(super) fn login(&self) -> &Scrubber {
        &self.login
    }
}

fn read_proxy(
    proxy: &ProxyAddress,
    secrets: &Secrets,
    login: &mut Scrubber,
) -> Result<Url, NetError> {
    let mut named = Scrubber::default();
    let url = expand_configured(proxy.as_str(), secrets, &mut named)
        .map_err(|failure| NetError::Proxy(failure.detail))?;
    if !ProxyAddress::is_usable(&url) {
        let detail = "its address with the secrets filled in is not one of an http, https, socks5 or socks5h proxy";
        return Err(NetError::Proxy(detail.to_owned()));
    }
    if proxy.as_str().contains("${") {
        *login = named;
    }
    add_login(login, &url);
    Ok(url)
}

/// Names a proxy in a message: host and port.
pub(super) fn proxy_name(proxy: &Url) -> String {
    host_of(proxy)
}

/// The host of a proxied request, as far as this machine can resolve it.
#[derive(Debug)]
pub(super) struct Resolved {
    /// The allowed addresses; none when only the proxy can resolve the name.
    pub(super) addresses: Vec<IpAddr>,
    /// Set when the name itself must not go to the proxy, which would connect to whichever address it likes.
    pub(super) refused: Option<guard::RefusedAddress>,
}

/// Resolves `host` here and checks each address, since the proxy may reach other hosts than this machine. A name
/// without an address here is left to the proxy if the source allows private hosts, else refused.
pub(super) async fn resolve(
    host: &str,
    proxy: &Url,
    allow_private: bool,
    limit: Duration,
) -> Result<Resolved, Failure> {
    let found = match host.parse::<IpAddr>() {
        Ok(literal) => vec![literal],
        Err(_) => match look_up(host, limit).await {
            Ok(found) => found,
            Err(_) if allow_private => Vec::new(),
            Err(why) => return Err(unresolved(host, proxy, &why)),
        },
    };
    let mut resolved = Resolved {
        addresses: Vec::new(),
        refused: None,
    };
    for address in found {
        match guard::check(address, allow_private) {
            Ok(()) => resolved.addresses.push(address),
            Err(refused) => resolved.refused = Some(refused.of_host(host)),
        }
    }
    match resolved.refused {
        Some(refused) if resolved.addresses.is_empty() => Err(refused.into()),
        _ => Ok(resolved),
    }
}

/// Returns the distinct addresses of a name, or why there are none.
async fn look_up(name: &str, limit: Duration) -> Result<Vec<IpAddr>, String> {
    let lookup = tokio::net::lookup_host((name, 0));
    let mut found: Vec<IpAddr> = match tokio::time::timeout(limit, lookup).await {
        Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
        Ok(Err(_)) => Vec::new(),
        Err(_) => return Err(format!("no answer within {}", duration_words(limit))),
    };
    found.dedup();
    if found.is_empty() {
        return Err("it has no address here".to_owned());
    }
    Ok(found)
}

fn unresolved(name: &str, proxy: &Url, why: &str) -> Failure {
    let detail = format!(
        "cannot resolve {name}: {why}, and a public source's host is checked before the proxy {} is asked for it; \
         --allow-private leaves it to the proxy",
        proxy_name(proxy)
    );
    Failure::passing(FailureKind::Dns, detail)
}

pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
