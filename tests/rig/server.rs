//! What the tests' origins share: a listening thread with a runtime of its own, and certificates by the one authority of the
//! process. Dropping a server stops it and waits for it. Never leaves loopback.

use std::future::Future;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use gannet::demo::Authority;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tempfile::NamedTempFile;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A listening thread.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    tls: bool,
    pub(super) ca_file: NamedTempFile,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on `bind`, each connection with a task of its own; nothing on a machine without that address.
    pub(super) fn start<F, Fut>(bind: &str, tls: bool, handle: F) -> Option<Self>
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = StdListener::bind(bind).ok()?;
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("a bound socket");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async move {
                let listener = TcpListener::from_std(listener).expect("a runtime");
                let mut connections = JoinSet::new();
                tokio::pin!(stopped);
                loop {
                    tokio::select! {
                        _ = &mut stopped => return,
                        Some(_) = connections.join_next() => {}
                        Ok((stream, _)) = listener.accept() => {
                            connections.spawn(handle(stream));
                        }
                    }
                }
            });
        });
        let mut ca_file = NamedTempFile::with_suffix(".pem").expect("a file");
        ca_file
            .write_all(authority().pem().as_bytes())
            .expect("a file");
        Some(Self {
            address,
            tls,
            ca_file,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(super) fn url(&self, authority: &str, path: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{authority}{path}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the origin panicked"
            );
        }
    }
}

/// The one authority of the process: every origin's certificate is trusted through any origin's `ca_file`.
fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority::new().expect("an authority"))
}

/// Returns a certificate of the authority for these names, and its private key, as PEM.
pub(crate) fn certificate(names: &[&str]) -> (String, String) {
    authority().certificate(names).expect("a certificate")
}

/// Returns a client's TLS that trusts the authority.
pub(crate) fn trusting_client() -> Arc<rustls::ClientConfig> {
    let pem = authority().pem();
    let mut roots = rustls::RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions");
    Arc::new(client.with_root_certificates(roots).with_no_client_auth())
}

/// Returns what accepts clients that speak one of these protocols.
pub(super) fn acceptor(protocols: &[&[u8]]) -> TlsAcceptor {
    let config = authority().server_config(&["localhost", "127.0.0.1", "::1"]);
    acceptor_with(protocols, config.expect("a certificate"))
}

pub(super) fn acceptor_with(protocols: &[&[u8]], mut config: ServerConfig) -> TlsAcceptor {
    config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}
