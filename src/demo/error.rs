//! The errors of starting the demo's origin.

/// Why the demo's origin could not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No certificate could be generated.
    #[error("cannot make the demo's certificate")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refuses the certificate.
    #[error("cannot set up TLS for the demo's origin")]
    Tls(#[from] rustls::Error),
    /// No port could be bound.
    #[error("cannot listen on a port of 127.0.0.1")]
    Listen(#[from] std::io::Error),
}
