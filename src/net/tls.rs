//! Trusted certificates: the system's, and those of the configured files, whether of authorities or of single servers.
//!
//! Never accepts a certificate for a name that is not in it, or outside of its dates.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::error::NetError;
use crate::domain::io_words;

/// Bundles of the common systems, most common first: the list that Go and OpenSSL's probes use.
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

pub(super) fn tls_config(ca_files: &[PathBuf]) -> Result<rustls::ClientConfig, NetError> {
    let mut roots = RootCertStore::empty();
    // Certificates of the system that rustls cannot parse are skipped, as in browsers.
    roots.add_parsable_certificates(system_certificates());
    let mut named = HashSet::new();
    for path in ca_files {
        for certificate in certificates_of(path)? {
            named.insert(certificate.clone());
            roots
                .add(certificate)
                .map_err(|error| NetError::Certificates {
                    path: path.clone(),
                    reason: error.to_string(),
                })?;
        }
    }
    let failed = |error: String| NetError::Client(error);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(roots);
    let chains = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trust { chains, named }))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// Checks that all files of certificates are usable; fetches and webhooks need each of them.
pub fn check_certificates(ca_files: &[PathBuf]) -> Result<(), NetError> {
    tls_config(ca_files).map(drop)
}

/// Verifies chains to a trusted root, and accepts a server's own certificate that the configuration names.
///
/// `openssl req -x509` makes certificates of authorities, which no chain accepts as a server's own (RFC 5280 §6.1).
#[derive(Debug)]
struct Trust {
    chains: Arc<WebPkiServerVerifier>,
    named: HashSet<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let checked = self.chains.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match checked {
            Err(error) if is_authority(&error) && self.named.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Returns whether a certificate was refused for being an authority's; its dates have been checked by then.
pub(super) fn is_authority(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.0.to_string() == "CaUsedAsEndEntity"
        }
        _ => false,
    }
}

/// Reads all certificates of a PEM file (RFC 7468). A file without any is an error, since the configuration names it.
fn certificates_of(path: &Path) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let failed = |reason: String| NetError::Certificates {
        path: path.to_owned(),
        reason,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| match &error {
            pem::Error::Io(error) => failed(io_words(error)),
            other => failed(other.to_string()),
        })?;
    if certificates.is_empty() {
        return Err(failed("no certificate in it".to_owned()));
    }
    Ok(certificates)
}

/// Returns the system's trusted certificates.
///
/// On Unix the bundle is read by its path: `SSL_CERT_FILE` would replace it, while here that variable only adds
/// certificates (`FetchConfig::ca_files`).
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
