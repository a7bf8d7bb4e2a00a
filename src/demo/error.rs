//! Why the demo's origin could not be started.

/// The demo's origin could not be started.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No certificate could be made.
    #[error("cannot make the demo's certificate")]
    Certificate(#[from] rcgen::Error),
    /// The certificate cannot be served with.
    #[error("cannot set up TLS for the demo's origin")]
    Tls(#[from] rustls::Error),
    /// No port could be had.
    #[error("cannot listen on a port of 127.0.0.1")]
    Listen(#[from] std::io::Error),
}
