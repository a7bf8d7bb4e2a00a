//! What an attempt keeps of its way: the addresses that were asked, and who answered.

use gannet::domain::{Digest, FailureKind, Peer, Provenance};
use gannet::net::FetchReport;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::rig::{Client, Origin, RawOrigin, Relay, Reply, failure, fetched};

fn provenance(report: &FetchReport) -> &Provenance {
    report.provenance.as_ref().expect("something was asked")
}

fn last_peer(report: &FetchReport) -> &Peer {
    provenance(report).last.peer.as_ref().expect("an answer")
}

/// Returns the digest of the certificate in this origin's file, which is the server's own.
fn own_certificate(origin: &Origin) -> Digest {
    Digest::of(&CertificateDer::from_pem_file(origin.ca_file()).expect("a certificate"))
}

#[tokio::test]
async fn every_request_is_kept_with_who_answered() {
    let first = Origin::start_self_signed(&["localhost", "127.0.0.1"], false);
    let second = Origin::start(true);
    let target = second.url("/c");
    first.on("/a", [Reply::redirect(302, "/b?page=1")]);
    first.on("/b", [Reply::redirect(307, &target)]);
    second.on("/c", [Reply::ok("content")]);
    let mut rig = Client::of(&first, "/a");
    rig.config.ca_files.push(second.ca_file().to_owned());
    let fetcher = rig.fetcher();
    let report = fetcher.fetch(rig.request()).await;
    assert_eq!(report.http_status, Some(200));
    let kept = provenance(&report);
    assert_eq!(kept.asked(), first.url("/a"));
    let by_page = first.url("/b?page=1");
    let led_to: Vec<_> = kept.led_to().collect();
    assert_eq!(led_to, [(302, &*by_page), (307, &*target)]);
    for redirect in &kept.redirects {
        let expected = Peer {
            address: first.host(),
            proxy: None,
            tls: Some("1.3".to_owned()),
            certificate: Some(own_certificate(&first)),
        };
        assert_eq!(redirect.request.peer.as_ref(), Some(&expected));
    }
    let peer = last_peer(&report);
    assert_eq!(peer.address, second.host());
    let leaf = peer.certificate.expect("a certificate");
    assert!(leaf != own_certificate(&second) && leaf != own_certificate(&first));
    // Over the same connections the same is known.
    let again = fetcher.fetch(rig.request()).await;
    assert_eq!(again.provenance, report.provenance);
}

#[tokio::test]
async fn what_is_not_known_is_left_out() {
    let origin = Origin::start(false);
    origin.on("/x", [Reply::ok("content")]);
    let report = Client::of(&origin, "/x").fetch().await;
    let expected = Peer {
        address: origin.host(),
        proxy: None,
        tls: None,
        certificate: None,
    };
    assert_eq!(last_peer(&report), &expected);
    // Nobody answers.
    let gone = origin.url("/x");
    drop(origin);
    let mut rig = Client::new(&gone, "/dev/null".as_ref());
    rig.config.ca_files.clear();
    rig.config.max_tries = 1;
    let report = rig.fetch().await;
    assert_eq!(provenance(&report).asked(), gone);
    assert_eq!(provenance(&report).last.peer, None);
    failure(report, FailureKind::Connect);
    // Nobody is asked.
    rig.settings.allow_http = false;
    let report = rig.fetch().await;
    assert_eq!(report.provenance, None);
    failure(report, FailureKind::Forbidden);
}

#[tokio::test]
async fn the_try_that_was_answered_is_kept() {
    let origin = RawOrigin::start(vec![
        b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
        Vec::new(),
    ]);
    let mut rig = Client::new(&origin.url("/x"), origin.ca_file());
    rig.config.max_tries = 2;
    let report = rig.fetch().await;
    assert_eq!((report.http_status, report.tries), (Some(503), 2));
    assert!(origin.url("/x").contains(&last_peer(&report).address));
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_leaves_who_sent_it() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::redirect(302, "http://example.org/plain")]);
    let report = Client::of(&origin, "/x").fetch().await;
    let kept = provenance(&report);
    assert_eq!(kept.asked(), origin.url("/x"));
    assert!(kept.redirects.is_empty());
    assert_eq!(last_peer(&report).address, origin.host());
    failure(report, FailureKind::Forbidden);
}

#[tokio::test]
async fn a_proxy_is_named_beside_the_server_behind_it() {
    let origin = Origin::start_self_signed(&["localhost"], false);
    origin.on("/x", [Reply::ok("content")]);
    let target = origin.host().parse().expect("an address");
    let relay = Relay::start("127.0.0.1", target, false).expect("IPv4 loopback");
    let port = relay.address().port();
    for kind in ["http", "socks5"] {
        let mut rig = Client::new(&format!("https://localhost:{port}/x"), origin.ca_file());
        let proxy = format!("{kind}://joe:hunter2@{}", relay.address());
        rig.config.proxy = Some(proxy.parse().expect("a URL"));
        let report = rig.fetch().await;
        let expected = Peer {
            address: relay.address().to_string(),
            proxy: Some(relay.address().to_string()),
            tls: Some("1.3".to_owned()),
            certificate: Some(own_certificate(&origin)),
        };
        assert_eq!(last_peer(&report), &expected, "{kind}");
        assert_eq!(fetched(report).0, b"content");
    }
    // Plain HTTP is answered by the proxy itself, whose own certificate proves nothing of the server.
    let proxy = Origin::start(true);
    proxy.on("/x", [Reply::ok("by proxy")]);
    let mut rig = Client::new("http://localhost/x", proxy.ca_file());
    rig.config.proxy = Some(proxy.url("/").parse().expect("a URL"));
    let report = rig.fetch().await;
    let peer = last_peer(&report);
    assert_eq!(
        (&peer.address, peer.proxy.as_ref()),
        (&proxy.host(), Some(&proxy.host()))
    );
    assert_eq!((&peer.tls, peer.certificate), (&None, None));
}

#[tokio::test]
async fn no_secret_is_kept() {
    let origin = Origin::start(true);
    let signed = "/signed?X-Amz-Date=20260131&X-Amz-Signature=0123456789abcdef0123";
    for (address, target) in [
        ("/x?token=${KEY}", "/to?page=1&again=hunter2hunter2"),
        ("/x?token=${KEY}", "/hunter2hunter2"),
        ("/x", signed),
    ] {
        let path = |address: &str| address.split('?').next().unwrap_or_default().to_owned();
        origin.on(&path(address), [Reply::redirect(302, target)]);
        origin.on(&path(target), [Reply::ok("content")]);
        let rig = Client::of(&origin, address).secret("KEY", "hunter2hunter2");
        let report = rig.fetch().await;
        let kept = provenance(&report);
        assert_eq!(kept.asked(), origin.url(address));
        let shown = &kept.last.address;
        let expected = match target.split_once('?') {
            Some((path, _)) => format!("{path}?…"),
            None => "/${KEY}".to_owned(),
        };
        assert!(shown.ends_with(&expected), "{shown}");
        let json = serde_json::to_string(kept).expect("JSON");
        assert!(
            !json.contains("hunter2") && !json.contains("0123456789"),
            "{json}"
        );
        assert_eq!(fetched(report).0, b"content");
    }
    // A proxy whose address is a secret as a whole is named by it.
    let relay = Relay::start(
        "127.0.0.1",
        origin.host().parse().expect("an address"),
        false,
    );
    let relay = relay.expect("IPv4 loopback");
    let port = relay.address().port();
    origin.on("/p", [Reply::ok("content")]);
    let mut rig = Client::new(&format!("https://localhost:{port}/p"), origin.ca_file())
        .secret("PROXY", &format!("http://{}", relay.address()));
    rig.config.proxy = Some("${PROXY}".parse().expect("a URL"));
    let report = rig.fetch().await;
    let json = serde_json::to_string(provenance(&report)).expect("JSON");
    assert!(
        json.contains("${PROXY}") && !json.contains("127.0.0.1"),
        "{json}"
    );
}
