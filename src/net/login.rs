//! User name and password in the address of a proxy or a webhook.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::HeaderValue;
use url::Url;

use super::secret::Scrubber;
use crate::config::LEAST_SECRET_BYTES;
use crate::domain::decode_percent;

/// Makes the scrubber strike out the user name and password of the proxy at `url`, which may repeat them.
pub(super) fn add_login(scrubber: &mut Scrubber, url: &Url) {
    if let Some((user, password)) = login_of(url) {
        for part in [format!("{user}:{password}"), password] {
            if part.len() >= LEAST_SECRET_BYTES {
                scrubber.add_shown("[login of the proxy]", &part);
            }
        }
    }
}

/// Returns the user name and password of an address, percent-decoded; `None` when there is neither.
pub(super) fn login_of(url: &Url) -> Option<(String, String)> {
    let password = url.password().unwrap_or_default();
    (!url.username().is_empty() || !password.is_empty())
        .then(|| (decode_percent(url.username()), decode_percent(password)))
}

/// Returns the header value for a user name and password (RFC 7617).
pub(super) fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    let login = BASE64_STANDARD.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::from_str(&format!("Basic {login}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}
