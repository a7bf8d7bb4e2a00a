//! Broken servers: framing that lies, connections that break, certificates that nobody signed. Never a version.

use std::net::TcpListener;

use gannet::config::{FetchConfig, Secrets};
use gannet::domain::FailureKind;
use gannet::net::{Fetcher, NetError};

use crate::rig::{Client, JumpingClock, Origin, RawOrigin, Reply, failure, fetched, folder};

fn raw(script: &str) -> Vec<u8> {
    script.replace('\n', "\r\n").into_bytes()
}

#[tokio::test]
async fn bad_framing_is_never_content() {
    for (what, script, words) in [
        (
            "a short body",
            "HTTP/1.1 200 OK\nContent-Length: 10\n\nabc",
            "after 3 of 10 bytes",
        ),
        (
            "a missing last chunk",
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n",
            "ended early, after 3 bytes",
        ),
        (
            "a cut chunk",
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nabc",
            "after 3 bytes",
        ),
        (
            "a chunk without a length",
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\nabc\n0\n\n",
            "broke off",
        ),
        (
            "conflicting lengths",
            "HTTP/1.1 200 OK\nContent-Length: 3\nContent-Length: 4\n\nabcd",
            "malformed",
        ),
        (
            "a length that is none",
            "HTTP/1.1 200 OK\nContent-Length: x\n\nabc",
            "malformed",
        ),
        ("no HTTP", "SSH-2.0-OpenSSH_9.6\n\n", "malformed"),
        (
            "half a head",
            "HTTP/1.1 200 OK\nContent-Le",
            "closed the connection",
        ),
        ("nothing", "", "closed the connection"),
    ] {
        for origin in [
            RawOrigin::start(vec![raw(script)]),
            RawOrigin::start_tls(vec![raw(script)]),
        ] {
            let mut rig = Client::new(&origin.url("/x"), origin.ca_file());
            rig.config.max_tries = 1;
            let detail = rig.fails(FailureKind::Protocol).await;
            // TLS without a farewell is cut, whatever the framing says: its words may differ.
            let tls = origin.url("/").starts_with("https");
            assert!(tls || detail.contains(words), "{what}: {detail}");
        }
    }
}

#[tokio::test]
async fn framing_that_can_be_read_in_two_ways_is_refused() {
    for (head, words) in [
        ("Content-Length: 3\nTransfer-Encoding: chunked", "both"),
        ("Transfer-Encoding: gzip, chunked", "transfer coding"),
        ("Transfer-Encoding: gzip", "transfer coding"),
        (
            "Transfer-Encoding: chunked\nTransfer-Encoding: chunked",
            "transfer coding",
        ),
    ] {
        let script = format!("HTTP/1.1 200 OK\n{head}\n\n5\nabcde\n0\n\n");
        let origin = RawOrigin::start(vec![raw(&script)]);
        let rig = Client::new(&origin.url("/x"), origin.ca_file());
        let detail = rig.fails(FailureKind::Protocol).await;
        assert!(detail.contains(words), "{detail}");
    }
}

#[tokio::test]
async fn a_body_that_broke_off_is_tried_again() {
    let short = raw("HTTP/1.1 200 OK\nContent-Length: 5\n\nab");
    let whole = raw("HTTP/1.1 200 OK\nContent-Length: 5\n\nabcde");
    let origin = RawOrigin::start(vec![short, whole]);
    let report = Client::new(&origin.url("/x"), origin.ca_file())
        .fetch()
        .await;
    assert_eq!(report.tries, 2);
    assert_eq!(fetched(report).0, b"abcde");
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_whole_only_when_tls_says_so() {
    let script = raw("HTTP/1.1 200 OK\nConnection: close\n\nabc");
    let plain = RawOrigin::start(vec![script.clone()]);
    assert_eq!(
        fetched(Client::new(&plain.url("/x"), plain.ca_file()).fetch().await).0,
        b"abc"
    );
    let cut = RawOrigin::start_tls(vec![script]);
    Client::new(&cut.url("/x"), cut.ca_file())
        .fails(FailureKind::Protocol)
        .await;
}

#[tokio::test]
async fn a_host_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a bound socket");
    drop(listener);
    let origin = Origin::start(true);
    let mut rig = Client::new(&format!("https://{address}/x"), origin.ca_file());
    rig.config.max_tries = 2;
    let report = rig.fetch().await;
    assert_eq!((report.http_status, report.tries), (None, 2));
    assert_eq!(
        failure(report, FailureKind::Connect),
        format!("connection refused by {address}")
    );

    // A label over 63 bytes (RFC 1035 §2.3.4) fails before any name server is asked; over TLS, even before that.
    let host = format!("{}.invalid", "a".repeat(64));
    let rig = Client::new(&format!("http://{host}/x"), origin.ca_file());
    let detail = rig.fails(FailureKind::Dns).await;
    assert!(detail.contains(&host), "{detail}");
}

#[tokio::test]
async fn only_trusted_certificates_are_taken() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::ok("x")]);
    let mut rig = Client::of(&origin, "/x");
    rig.config.ca_files.clear();
    let report = rig.fetch().await;
    assert_eq!(report.tries, 1);
    let detail = failure(report, FailureKind::Tls);
    assert!(
        detail.contains("not trusted") && detail.contains("ca_file in the section [fetch]"),
        "{detail}"
    );
    assert!(detail.contains(&origin.host()), "{detail}");

    let plain = Origin::start(false);
    let url = plain.url("/x").replace("http:", "https:");
    let detail = Client::new(&url, origin.ca_file())
        .fails(FailureKind::Tls)
        .await;
    assert!(
        detail.contains("TLS handshake") && detail.contains("does that port speak plain http?"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_servers_own_certificate_is_trusted_when_it_is_named() {
    for is_authority in [true, false] {
        let origin = Origin::start_self_signed(&["localhost", "127.0.0.1"], is_authority);
        origin.on("/x", [Reply::ok("x")]);
        for url in [origin.url("/x"), origin.localhost_url("/x")] {
            let report = Client::new(&url, origin.ca_file()).fetch().await;
            assert_eq!(fetched(report).0, b"x");
        }
        // Another one's is not, nor is one that nobody named.
        let other = Origin::start_self_signed(&["localhost", "127.0.0.1"], is_authority);
        let mut rig = Client::new(&other.url("/x"), origin.ca_file());
        rig.fails(FailureKind::Tls).await;
        rig.config.ca_files.clear();
        let detail = rig.fails(FailureKind::Tls).await;
        assert!(
            detail.contains("ca_file in the section [fetch]"),
            "{detail}"
        );
        // A name that is not in it stays refused.
        let elsewhere = Origin::start_self_signed(&["a.example", "b.example"], is_authority);
        let rig = Client::of(&elsewhere, "/x");
        let detail = rig.fails(FailureKind::Tls).await;
        assert!(
            detail.contains("it is for a.example, b.example"),
            "{detail}"
        );
    }
}

#[test]
fn a_certificate_file_that_cannot_be_used_is_named() {
    let folder = folder();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").expect("a file");
    for path in [empty, folder.path().join("none.pem")] {
        let config = FetchConfig {
            ca_files: vec![path.clone()],
            ..FetchConfig::default()
        };
        let clock = std::sync::Arc::new(JumpingClock::new());
        let made = Fetcher::new(&config, Secrets::default(), folder.path().to_owned(), clock);
        let Err(error @ NetError::Certificates { .. }) = made else {
            panic!("{path:?} was taken")
        };
        assert!(
            error.to_string().contains(path.to_str().expect("UTF-8")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_kept_is_a_failure_of_storage() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::ok(vec![0; 1 << 20])]);
    let rig = Client::of(&origin, "/x");
    std::fs::remove_dir(rig.temp.path()).expect("an empty folder");
    let report = rig.fetch().await;
    assert_eq!(report.tries, 1);
    let detail = failure(report, FailureKind::Storage);
    assert!(
        detail.contains(rig.temp.path().to_str().expect("UTF-8")),
        "{detail}"
    );
}

#[tokio::test]
async fn a_proxy_that_refuses_is_a_failure_to_connect() {
    let proxy = RawOrigin::start(vec![raw("HTTP/1.1 403 Forbidden\n\n")]);
    let mut rig = Client::new("https://files.invalid/x", proxy.ca_file());
    let address = proxy.url("/").replace("http://", "http://joe:hunter2@");
    rig.config.proxy = Some(address.parse().expect("a URL"));
    let detail = rig.fails(FailureKind::Connect).await;
    assert!(
        detail.starts_with("the proxy 127.0.0.1:")
            && detail.contains("does not connect to files.invalid:443: "),
        "{detail}"
    );
    assert!(!detail.contains("hunter2"), "{detail}");
}
