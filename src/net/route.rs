//! Which way a request takes: straight to its host, or through the proxy of the configuration.
//!
//! Never shows the user name and password of a proxy.

use std::time::Duration;

use url::{Host, Url};

use super::exchange::host_of;
use super::failure::{Failure, seconds};
use super::guard;
use crate::config::FetchConfig;
use crate::domain::FailureKind;

/// Returns the proxy for requests to `url`; nothing when there is none, or when `no_proxy` names the host.
pub(super) fn proxy_for<'a>(config: &'a FetchConfig, url: &Url) -> Option<&'a Url> {
    let proxy = config.proxy.as_ref()?;
    let passes_by = config.no_proxy.iter().any(|rule| rule.matches(url));
    (!passes_by).then_some(proxy)
}

/// Names a proxy in a message: its host and port.
pub(super) fn proxy_name(proxy: &Url) -> String {
    host_of(proxy)
}

/// Makes sure that the proxy is asked for public hosts only: the name is resolved and checked here first, since the
/// proxy may stand where private hosts can be reached. Every address of the name has to be public, for the proxy takes
/// whichever it likes.
pub(super) async fn check_before_proxy(
    url: &Url,
    proxy: &Url,
    limit: Duration,
) -> Result<(), Failure> {
    let Some(Host::Domain(name)) = url.host() else {
        // A literal was judged already.
        return Ok(());
    };
    let lookup = tokio::net::lookup_host((name, 0));
    let found = match tokio::time::timeout(limit, lookup).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) => return Err(unresolved(name, proxy, "it has no address here")),
        Err(_) => {
            let what = format!("no answer within {}", seconds(limit));
            return Err(unresolved(name, proxy, &what));
        }
    };
    for address in found {
        guard::check(address.ip(), false).map_err(|refused| refused.of_host(name))?;
    }
    Ok(())
}

fn unresolved(name: &str, proxy: &Url, what: &str) -> Failure {
    let detail = format!(
        "cannot resolve {name}: {what}, and a public source's host is checked before the proxy {} is asked for it; \
         --allow-private leaves it to the proxy",
        proxy_name(proxy)
    );
    Failure::passing(FailureKind::Dns, detail)
}
