//! `[http]`: where the HTTP service listens, its certificate, who may read, and which secrets its users may name.
//!
//! Never reads the certificate or its key.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

use super::values::{host_names, listen_address, own_url};
use crate::domain::text_form::{prints_text, reads_text};
use crate::domain::words::words;

/// The settings of the HTTP service.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// The address and port on which the service listens; by default `127.0.0.1:8080`.
    #[serde(deserialize_with = "listen_address")]
    pub listen: SocketAddr,
    /// The PEM file of the certificate with which the service speaks TLS, and of those of its issuers. Set with `key`.
    #[serde(serialize_with = "print_path")]
    pub cert: Option<PathBuf>,
    /// The PEM file of the certificate's private key. Set with `cert`.
    #[serde(serialize_with = "print_path")]
    pub key: Option<PathBuf>,
    /// The names by which clients reach the service, besides `localhost` and the addresses of this machine: a request
    /// for another `Host` is refused.
    #[serde(deserialize_with = "host_names")]
    pub hosts: Vec<String>,
    /// The address at which verifiers, and people, reach the service, without a slash at its end. Its host counts among
    /// `hosts`. By default that of the socket, on loopback.
    #[serde(deserialize_with = "own_url")]
    pub url: Option<String>,
    /// Who may read.
    pub read: ReadAccess,
    /// The addresses of proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `user_header` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The field in which a trusted proxy names the person whom it let in; that person must be known here.
    pub user_header: Option<String>,
    /// The names of the secrets that users of the service may write as `${NAME}` in settings of sources.
    pub allowed_secrets: Vec<String>,
}

impl HttpConfig {
    /// Returns the files of the certificate and of its key; `None` when the service speaks plain HTTP.
    pub fn certificate(&self) -> Option<(&Path, &Path)> {
        self.cert.as_deref().zip(self.key.as_deref())
    }

    /// Returns whether clients reach the service by this host, besides `localhost` and addresses.
    pub fn is_known_as(&self, host: &str) -> bool {
        let own = self
            .url
            .as_deref()
            .and_then(|url| url::Url::parse(url).ok());
        self.hosts.iter().any(|known| known == host)
            || own.is_some_and(|own| own.host_str() == Some(host))
    }
}

/// Prints a path as text: TOML has no other bytes.
#[expect(clippy::ref_option, reason = "serde hands the field over so")]
fn print_path<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = path.as_ref().map(|path| path.to_string_lossy());
    text.serialize(serializer)
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            cert: None,
            key: None,
            hosts: Vec::new(),
            url: None,
            read: ReadAccess::default(),
            trusted_proxies: Vec::new(),
            user_header: None,
            allowed_secrets: Vec::new(),
        }
    }
}

words!(
    "an access":
    /// Who may read through the HTTP service.
    #[derive(Default)]
    pub enum ReadAccess {
        /// Everybody who reaches a service that listens on loopback.
        #[default]
        Local = "local",
        /// People who signed in, and holders of tokens.
        Users = "users",
    }
);
reads_text!(ReadAccess);
prints_text!(ReadAccess);
