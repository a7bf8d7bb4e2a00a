//! A certificate authority for origins on loopback, and the certificates that it signs for them.
//!
//! All are generated for every run and stay in memory; the private keys are never written.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::error::DemoError;

/// A certificate authority that clients must trust.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Generates a key, and the authority's certificate.
    pub fn new() -> Result<Self, DemoError> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "gannet demo authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self(issuer))
    }

    /// Returns the authority's certificate as PEM (RFC 7468).
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Generates a certificate for these host names and IP addresses; returns the TLS configuration of its server.
    pub fn server_config(&self, names: &[&str]) -> Result<ServerConfig, DemoError> {
        let (certificate, key) = self.signed(names)?;
        server_config(certificate.der().clone(), &key)
    }

    /// Generates a certificate likewise; returns it and its private key as PEM.
    pub fn certificate(&self, names: &[&str]) -> Result<(String, String), DemoError> {
        let (certificate, key) = self.signed(names)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    fn signed(&self, names: &[&str]) -> Result<(Certificate, KeyPair), DemoError> {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "gannet demo origin");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok((certificate, key))
    }
}

/// Returns the TLS configuration of a server with this certificate, without protocols to agree on (ALPN).
pub fn server_config(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> Result<ServerConfig, DemoError> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(config)
}
