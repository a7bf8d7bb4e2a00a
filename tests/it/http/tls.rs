//! The service over TLS: its certificate and how it is replaced, limits of handshakes, cookies and origins.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConnection, ProtocolVersion, Stream};

use crate::rig::{Gannet, PASSWORD, Service, certificate, trusting_client, until};

const NAMES: &[&str] = &["localhost", "127.0.0.1"];

/// Writes a certificate and its key into a home, as the configuration names them.
fn write_pair(gannet: &Gannet, (certificate, key): &(String, String)) {
    for (name, pem) in [("cert.pem", certificate), ("key.pem", key)] {
        let path = gannet.path(name);
        fs::write(&path, pem).expect("a file");
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&path, mode).expect("a mode");
    }
}

fn rig() -> Gannet {
    let gannet = Gannet::new();
    gannet.configure("[http]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n");
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    write_pair(&gannet, &certificate(NAMES));
    gannet
}

/// What a client learns by a handshake: the service's certificate, the version of TLS and the protocol.
type Learned = (CertificateDer<'static>, ProtocolVersion, Option<Vec<u8>>);

/// Makes a handshake, with these protocols on offer and no version but those of the client.
fn shake(service: &Service, protocols: &[&[u8]]) -> Result<Learned, String> {
    let mut config = (*trusting_client()).clone();
    config.alpn_protocols = protocols.iter().map(|one| one.to_vec()).collect();
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = ClientConnection::new(config.into(), name).expect("a client");
    let mut stream = service.connect();
    while client.is_handshaking() {
        let done = client.complete_io(&mut stream);
        done.map_err(|error| error.to_string())?;
    }
    let chain = client.peer_certificates().expect("a certificate");
    Ok((
        chain[0].clone().into_owned(),
        client.protocol_version().expect("a version"),
        client.alpn_protocol().map(<[u8]>::to_vec),
    ))
}

fn shown(service: &Service) -> CertificateDer<'static> {
    shake(service, &[]).expect("a handshake").0
}

/// Returns the rest of what comes on a connection until the service closes it.
fn rest(mut stream: TcpStream) -> String {
    let mut rest = Vec::new();
    // A service that closes while bytes are unread resets the connection.
    let _ = stream.read_to_end(&mut rest);
    String::from_utf8_lossy(&rest).into_owned()
}

#[test]
fn a_refusal_reaches_a_client_that_sends_all_of_its_body_first() {
    let gannet = rig();
    let service = Service::start(&gannet, &["--no-worker"]);
    let answer = service.ask("POST", "/api/v1/messages", &[], &"1".repeat(8 << 20));
    assert_eq!(answer.status, 401, "{answer:?}");
}

#[test]
fn pages_and_sessions_are_safe_over_tls() {
    let gannet = rig();
    gannet.add_person("anna", "operator");
    let service = Service::start(&gannet, &["--no-worker"]);
    assert_eq!(service.get("/healthz").text(), "alive\n");
    let (_, version, protocol) = shake(&service, &[b"h2", b"http/1.1"]).expect("a handshake");
    assert_eq!(version, ProtocolVersion::TLSv1_3);
    assert_eq!(protocol.as_deref(), Some(&b"http/1.1"[..]));
    assert!(shake(&service, &[b"h2"]).is_err(), "it speaks HTTP/1.1");
    let signed_in = service.sign_in("anna", PASSWORD);
    let cookie = signed_in.header("set-cookie").expect("a cookie");
    assert!(
        cookie.starts_with("__Host-gannet_session=") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    assert!(signed_in.header("strict-transport-security").is_none());
    let cookie = signed_in.cookie();
    let (secure, plain) = (
        format!("https://{}", service.address),
        format!("http://{}", service.address),
    );
    for (origin, status) in [(&secure, 200), (&plain, 403)] {
        let fields = [
            ("Cookie", cookie.as_str()),
            ("Origin", origin.as_str()),
            ("Content-Type", "application/json"),
        ];
        let answer = service.ask(
            "PATCH",
            "/api/v1/sources/a",
            &fields,
            "{\"interval\": \"6h\"}",
        );
        assert_eq!(answer.status, status, "{origin}: {answer:?}");
    }
    // A cookie without the prefix may be another site's.
    let bare = cookie.trim_start_matches("__Host-");
    let fields = [("Cookie", bare), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(
        service
            .ask("DELETE", "/api/v1/sources/a", &fields, "")
            .status,
        401
    );
}

#[test]
fn plain_http_is_told_to_speak_tls() {
    let gannet = rig();
    let service = Service::start(&gannet, &["--no-worker"]);
    let mut stream = service.connect();
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("a request");
    let answer = rest(stream);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(
        answer.contains("https://") && !answer.contains("alive"),
        "{answer}"
    );
}

#[test]
fn a_replaced_pair_is_used_without_a_restart_and_a_broken_one_is_not() {
    let gannet = rig();
    let service = Service::start(&gannet, &["--no-worker"]);
    let first = shown(&service);
    // A connection goes on with what it began with.
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = ClientConnection::new(trusting_client(), name).expect("a client");
    let mut socket = service.connect();
    let mut kept = Stream::new(&mut client, &mut socket);
    let mut ask = || {
        let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        kept.write_all(request.as_bytes()).expect("a request");
        let mut begin = [0; 12];
        kept.read_exact(&mut begin).expect("an answer");
        assert_eq!(&begin, b"HTTP/1.1 200");
        let mut rest = Vec::new();
        while !rest.ends_with(b"alive\n") {
            let mut byte = [0];
            kept.read_exact(&mut byte).expect("an answer");
            rest.extend(byte);
        }
    };
    ask();
    write_pair(&gannet, &certificate(NAMES));
    until("the new certificate", || shown(&service) != first);
    ask();
    let second = shown(&service);
    // The key of another certificate.
    let (_, other) = certificate(NAMES);
    fs::write(gannet.path("key.pem"), other).expect("a file");
    service.hang_up();
    let count = |action: &str| gannet.ok(&["log"]).matches(action).count();
    until("an event", || count("certificate.rejected") == 1);
    assert_eq!(shown(&service), second);
    write_pair(&gannet, &certificate(NAMES));
    until("the third certificate", || shown(&service) != second);
    until("an event", || count("certificate.reloaded") == 2);
    assert_eq!(count("certificate.rejected"), 1);
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("is not that of the certificate in"), "{said}");
    assert_eq!(
        said.matches("goes on with the certificate").count(),
        1,
        "{said}"
    );
}

#[test]
fn a_pair_that_cannot_be_used_is_refused_at_the_start() {
    let gannet = rig();
    let (good, key) = certificate(NAMES);
    let (other, _) = certificate(NAMES);
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let cut: String = key.chars().take(key.len() / 2).collect();
    let files: [(&str, &str, &[&str]); 8] = [
        (
            &other,
            &key,
            &[
                "is not that of the certificate in",
                "cert.pem",
                "key.pem",
                "made together",
            ],
        ),
        (
            &good,
            &encrypted,
            &["key.pem is encrypted", "openssl pkey -in"],
        ),
        (
            &good,
            "",
            &["key.pem holds no private key", "BEGIN PRIVATE KEY"],
        ),
        (
            "",
            &key,
            &["cert.pem holds no certificate", "BEGIN CERTIFICATE"],
        ),
        (&key, &key, &["cert.pem holds no certificate"]),
        (&good, &cut, &["key.pem", "was it written in full?"]),
        (
            &good,
            "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n",
            &["key.pem", "no Base64"],
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            &key,
            &["cannot use the certificate in", "cert.pem"],
        ),
    ];
    let refused = |words: &[&str]| {
        for arguments in [
            &["serve", "--listen", "127.0.0.1:0"][..],
            &["config", "check"],
        ] {
            let said = gannet.run(arguments);
            assert_eq!(said.code, Some(2), "{words:?}: {said:#?}");
            for word in words {
                assert!(said.err.contains(word), "{words:?}: {said:#?}");
            }
            assert!(!said.err.contains(&key[40..60]), "{said:#?}");
        }
    };
    for (certificate, key, words) in files {
        write_pair(&gannet, &(certificate.to_owned(), key.to_owned()));
        refused(words);
    }
    fs::remove_file(gannet.path("cert.pem")).expect("a file");
    refused(&[
        "cannot read the certificate ([http] cert) in",
        "cert.pem",
        "No such file",
    ]);
    fs::create_dir(gannet.path("cert.pem")).expect("a folder");
    refused(&["cert.pem", "it is no file"]);
    for (toml, words) in [
        (
            "cert = \"cert.pem\"",
            "a certificate needs its private key: give `key` too",
        ),
        (
            "key = \"key.pem\"",
            "a private key needs its certificate: give `cert` too",
        ),
    ] {
        gannet.configure(&format!("[http]\n{toml}\n"));
        refused(&[words]);
    }
}

#[test]
fn a_key_that_everybody_may_read_is_warned_of() {
    let gannet = rig();
    let key = gannet.path("key.pem");
    let check = || gannet.ok(&["config", "check"]);
    assert!(!check().contains("every account may read the private key"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("a mode");
    assert!(check().contains("every account may read the private key"));
}

#[test]
fn handshakes_are_limited_in_time_and_keep_nobody_out() {
    let gannet = rig();
    let service = Service::start(&gannet, &["--no-worker"]);
    let idle: Vec<TcpStream> = (0..300).map(|_| service.connect()).collect();
    // The head of a TLS record whose rest does not come.
    let mut half = service.connect();
    half.write_all(&[22, 3, 1, 2, 0, 1, 0])
        .expect("a beginning");
    assert_eq!(service.get("/healthz").text(), "alive\n");
    assert_eq!(rest(half), "", "ended after 10 s");
    for stream in idle {
        assert_eq!(rest(stream), "");
    }
    assert_eq!(service.get("/healthz").text(), "alive\n");
    // A stop waits for no handshake.
    let silent = service.connect();
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    drop(silent);
}

#[test]
fn the_live_feed_is_over_tls() {
    let gannet = rig();
    let service = Service::start(&gannet, &["--no-worker"]);
    let mut stream = service.open();
    let head = format!(
        "GET /live?after=0 HTTP/1.1\r\nHost: {0}\r\nOrigin: https://{0}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        service.address
    );
    stream.write_all(head.as_bytes()).expect("a request");
    let mut came = Vec::new();
    while !String::from_utf8_lossy(&came).contains("source.added") {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).expect("an event");
        assert!(read > 0, "{}", String::from_utf8_lossy(&came));
        came.extend(&piece[..read]);
    }
    assert!(came.starts_with(b"HTTP/1.1 101"));
}
