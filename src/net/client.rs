//! Makes the clients: for sources, one for public hosts only and one for private hosts too; for webhooks, one of its own.
//! All over the same roots of trust.
//!
//! Reads certificate files once, at the start. Never reads the environment: neither its proxy variables nor its
//! certificate variables have a say here; the configuration has taken in what counts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::error::NetError;
use super::guard::GuardedResolver;
use crate::config::FetchConfig;

/// Bundles of the common systems, most common first; the same list that Go and OpenSSL's probes use.
#[cfg(all(unix, not(target_os = "macos")))]
const SYSTEM_BUNDLES: [&str; 7] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// How long a webhook's connection is kept for the next one: long enough for a burst, and shorter than what servers
/// commonly wait (2 s and more). A request that crosses with the server's farewell would be lost.
const WEBHOOK_IDLE: Duration = Duration::from_secs(1);

/// A client for each permission. Connections are never shared between them, so that one that was made to a private
/// host with permission is not used without.
pub(super) struct Clients {
    public: reqwest::Client,
    private: reqwest::Client,
}

impl Clients {
    /// Makes both.
    pub(super) fn new(config: &FetchConfig) -> Result<Self, NetError> {
        let tls = tls_config(&config.ca_files)?;
        Ok(Self {
            public: build(builder(config, tls.clone(), false)?)?,
            private: build(builder(config, tls, true)?)?,
        })
    }

    /// Returns the one for a source that may, or may not, reach private hosts.
    pub(super) fn get(&self, allow_private: bool) -> &reqwest::Client {
        if allow_private {
            &self.private
        } else {
            &self.public
        }
    }
}

/// Makes the client for webhooks, whose addresses are the operator's own: private hosts are allowed, and what no one
/// may reach stays out of reach. Never through a proxy.
pub(super) fn webhook_client(config: &FetchConfig) -> Result<reqwest::Client, NetError> {
    let direct = FetchConfig {
        proxy: None,
        ..config.clone()
    };
    let tls = tls_config(&config.ca_files)?;
    build(builder(&direct, tls, true)?.pool_idle_timeout(WEBHOOK_IDLE))
}

fn builder(
    config: &FetchConfig,
    tls: rustls::ClientConfig,
    allow_private: bool,
) -> Result<reqwest::ClientBuilder, NetError> {
    let proxy_host = config.proxy.as_ref().and_then(url::Url::host_str);
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(&config.user_agent)
        .connect_timeout(config.connect_timeout)
        .pool_max_idle_per_host(config.total)
        .dns_resolver(Arc::new(GuardedResolver::new(allow_private, proxy_host)))
        .no_proxy();
    let Some(proxy) = &config.proxy else {
        return Ok(builder);
    };
    let proxy = reqwest::Proxy::all(proxy.clone())
        .map_err(|_| failed("the address of the proxy is not usable"))?;
    Ok(builder.proxy(proxy))
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, NetError> {
    builder
        .build()
        .map_err(|_| failed("its settings (user agent, proxy or TLS) are not usable"))
}

/// The text of a reqwest error may hold the proxy's address, and with it a password: it is not repeated.
fn failed(what: &str) -> NetError {
    NetError::Client(what.to_owned())
}

fn tls_config(ca_files: &[PathBuf]) -> Result<rustls::ClientConfig, NetError> {
    let mut roots = RootCertStore::empty();
    // Some systems ship certificates that rustls cannot use: those are passed over, like browsers do.
    roots.add_parsable_certificates(system_certificates());
    for path in ca_files {
        for certificate in certificates_of(path)? {
            roots
                .add(certificate)
                .map_err(|error| NetError::Certificates {
                    path: path.clone(),
                    reason: error.to_string(),
                })?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| NetError::Client(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// Tells whether the files with certificates can be used; fetches and webhooks need all of them.
pub fn check_certificates(ca_files: &[PathBuf]) -> Result<(), NetError> {
    tls_config(ca_files).map(drop)
}

/// Reads every certificate of a PEM file (RFC 7468); one without any is an error, since it was named on purpose.
fn certificates_of(path: &Path) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let failed = |reason: String| NetError::Certificates {
        path: path.to_owned(),
        reason,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() {
        return Err(failed("no certificate in it".to_owned()));
    }
    Ok(certificates)
}

/// Returns the certificates that the system trusts.
///
/// On Unix the system's bundle is read by its path: `SSL_CERT_FILE` would replace it, and here it only adds
/// (`FetchConfig::ca_files`).
fn system_certificates() -> Vec<CertificateDer<'static>> {
    #[cfg(all(unix, not(target_os = "macos")))]
    for path in SYSTEM_BUNDLES {
        let found = rustls_native_certs::load_certs_from_paths(Some(Path::new(path)), None).certs;
        if !found.is_empty() {
            return found;
        }
    }
    rustls_native_certs::load_native_certs().certs
}
