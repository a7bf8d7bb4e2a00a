//! The certificate with which the service speaks TLS, and the reading of its files.
//!
//! Never prints a byte of the private key, and never lets a pair of files that cannot be used replace one that can.

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use chrono::{DateTime, Utc};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificate_expiry::{expiry, expiry_words};
use crate::app::{Error, Result};
use crate::domain::io_words;

/// The largest file that is read: a chain of certificates has some kilobytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The certificate of the service, for the handshakes to come.
pub struct Tls(RwLock<Loaded>);

/// A certificate as it was read.
struct Loaded {
    config: Arc<ServerConfig>,
    /// When it, or one of its issuers', expires; `None` if that cannot be read.
    expiry: Option<DateTime<Utc>>,
}

impl Tls {
    /// Reads the certificate with those of its issuers, and its private key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::app::ErrorKind::Invalid), with a hint, for files that cannot be read or used.
    pub fn read(files: (&Path, &Path)) -> Result<Self> {
        read(files).map(|loaded| Self(RwLock::new(loaded)))
    }

    /// Reads them again. After an error the former ones stay in use.
    pub fn read_again(&self, files: (&Path, &Path)) -> Result<()> {
        let loaded = read(files)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// Returns, from two weeks before, that the certificate expires.
    pub fn expiry_words(&self, now: DateTime<Utc>) -> Option<String> {
        expiry_words(self.expiry()?, now)
    }

    /// Returns when the certificate expires; `None` if that cannot be read.
    pub(super) fn expiry(&self) -> Option<DateTime<Utc>> {
        self.loaded().expiry
    }

    fn loaded(&self) -> RwLockReadGuard<'_, Loaded> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the handshake with a client.
    pub(super) async fn accept<I>(&self, stream: I) -> io::Result<TlsStream<I>>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        let config = Arc::clone(&self.loaded().config);
        TlsAcceptor::from(config).accept(stream).await
    }
}

fn read((certificate, key): (&Path, &Path)) -> Result<Loaded> {
    let chain = certificates(certificate)?;
    let expiry = expiry(&chain);
    let secret = private_key(key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, secret));
    let mut config = config.map_err(|error| unusable(certificate, key, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Loaded {
        config: Arc::new(config),
        expiry,
    })
}

/// Says why a certificate and a key, both well-formed, cannot be used together.
fn unusable(certificate: &Path, key: &Path, error: &rustls::Error) -> Error {
    let (certificate, key) = (certificate.display(), key.display());
    if let rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) = error {
        let message =
            format!("the private key in {key} is not that of the certificate in {certificate}");
        return Error::invalid(message).hint(
            "give the two files that were made together; the service's own certificate comes first in its file, those of its issuers after it",
        );
    }
    let message =
        format!("cannot use the certificate in {certificate} with the key in {key}: {error}");
    Error::invalid(message)
        .hint("ECDSA (P-256, P-384), Ed25519 and RSA keys (2048 to 4096 bits) are supported")
}

/// Reads a chain of certificates in PEM (RFC 7468), the service's own first.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let what = "the certificate ([http] cert)";
    let text = contents(what, path)?;
    let chain = CertificateDer::pem_slice_iter(&text).collect::<std::result::Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| malformed(what, path, &error))?;
    if chain.is_empty() {
        return Err(Error::invalid(format!("{} holds no certificate", path.display())).hint(
            "[http] cert is a PEM file (-----BEGIN CERTIFICATE-----): the service's own certificate, then those of its issuers",
        ));
    }
    Ok(chain)
}

/// Reads a private key in PEM: PKCS #8, PKCS #1 or SEC 1.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    let what = "the private key ([http] key)";
    let text = contents(what, path)?;
    let place = path.display();
    let holds = |word: &[u8]| text.windows(word.len()).any(|part| part == word);
    if holds(b"BEGIN ENCRYPTED PRIVATE KEY") || holds(b"Proc-Type: 4,ENCRYPTED") {
        let message = format!(
            "the private key in {place} is encrypted, and a service has nobody to ask for the passphrase"
        );
        let hint = format!(
            "`openssl pkey -in {place} -out FILE` writes it without; let nobody but the service read FILE"
        );
        return Err(Error::invalid(message).hint(hint));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            let hint = "[http] key is a PEM file (-----BEGIN PRIVATE KEY-----)";
            Error::invalid(format!("{place} holds no private key")).hint(hint)
        }
        error => malformed(what, path, &error),
    })
}

/// Returns the bytes of a file that is no pipe and not too long.
fn contents(what: &str, path: &Path) -> Result<Vec<u8>> {
    let failed = |why: String| {
        let message = format!("cannot read {what} in {}: {why}", path.display());
        Error::invalid(message)
            .hint("[http] cert and key name two PEM files that the service's account may read")
    };
    let found = std::fs::metadata(path).map_err(|error| failed(io_words(&error)))?;
    if !found.is_file() {
        return Err(failed("it is no file".to_owned()));
    }
    if found.len() > MAX_FILE_BYTES {
        return Err(failed(format!("it is longer than {MAX_FILE_BYTES} bytes")));
    }
    std::fs::read(path).map_err(|error| failed(io_words(&error)))
}

/// Says that a file is no PEM, without its text: it may be a key.
fn malformed(what: &str, path: &Path, error: &pem::Error) -> Error {
    let why = match error {
        pem::Error::MissingSectionEnd { .. } => "its end is missing: was it written in full?",
        pem::Error::Base64Decode(_) => "its text is no Base64",
        _ => "it is no PEM (RFC 7468)",
    };
    Error::invalid(format!("cannot use {what} in {}: {why}", path.display()))
}
