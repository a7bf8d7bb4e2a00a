//! The demo's origin, seen by a client over real TLS.

use std::io::{BufRead as _, BufReader};
use std::sync::Arc;

use bytes::Bytes;
use gannet::demo::{CHECK_PRICES_SH, Demo, LAST_STEP};
use reqwest::{Client, StatusCode, header};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::rig::Gannet;

fn client(demo: &Demo) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(demo.ca_pem().as_bytes()).expect("PEM");
    roots.add(authority).expect("a trust anchor");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .build()
        .expect("a client")
}

async fn get(
    client: &Client,
    url: &str,
    etag: Option<&str>,
) -> (StatusCode, Option<String>, Bytes) {
    let mut request = client.get(url);
    if let Some(etag) = etag {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let etag = answer
        .headers()
        .get(header::ETAG)
        .map(|value| value.to_str().expect("text").to_owned());
    (status, etag, answer.bytes().await.expect("a body"))
}

#[tokio::test]
async fn files_change_break_and_come_back_as_the_script_says() {
    let demo = Demo::start().expect("a demo");
    let client = client(&demo);
    let mut statuses = Vec::new();
    let mut etags = vec![None; demo.sources().len()];
    for step in 1..=LAST_STEP + 1 {
        demo.set_step(step);
        let mut row = Vec::new();
        for (source, known) in demo.sources().iter().zip(&mut etags) {
            let url = format!("{}/{}", demo.url(), source.path);
            let (status, etag, body) = get(&client, &url, known.as_deref()).await;
            assert_eq!(status == StatusCode::OK, etag != *known && etag.is_some());
            assert_eq!(status == StatusCode::NOT_MODIFIED, body.is_empty());
            *known = etag.or(known.take());
            row.push(status.as_u16());
        }
        statuses.push(row);
    }
    // prices.csv, countries.json, rates.json, status.txt, blocklist.csv, firmware.bin, chart.png
    assert_eq!(
        statuses,
        [
            [200, 200, 200, 200, 200, 200, 200],
            [200, 304, 200, 200, 404, 304, 304],
            [200, 304, 200, 200, 304, 200, 200],
            [304, 304, 304, 304, 304, 304, 304],
        ]
    );
    demo.shutdown().await;
}

#[tokio::test]
async fn shutdown_ends_kept_connections_and_frees_the_port() {
    let demo = Demo::start().expect("a demo");
    let client = client(&demo);
    let url = format!("{}/prices.csv", demo.url());
    let (status, ..) = get(&client, &url, None).await;
    assert_eq!(status, StatusCode::OK);
    demo.shutdown().await;
    assert!(client.get(&url).send().await.is_err());
}

#[test]
fn the_price_verifier_judges_by_its_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("check.sh");
    std::fs::write(&script, CHECK_PRICES_SH).expect("written");
    let judge = |content: Option<&str>| {
        let file = folder.path().join("prices.csv");
        let _ = std::fs::remove_file(&file);
        if let Some(content) = content {
            std::fs::write(&file, content).expect("written");
        }
        let output = std::process::Command::new("/bin/sh")
            .arg(&script)
            .arg(&file)
            .output()
            .expect("sh runs");
        let text = String::from_utf8(output.stdout).expect("text");
        (output.status.code(), text)
    };
    let good = "item,price,currency\nbolt,12.40,EUR\n";
    assert_eq!(judge(Some(good)), (Some(0), String::new()));
    for (bad, says) in [
        (
            "item,price,currency\nbolt,-1,EUR\n",
            "line 2: bolt has the price \"-1\"\n",
        ),
        (
            "item,price,currency\nbolt,,EUR\n",
            "line 2: bolt has the price \"\"\n",
        ),
        (
            "item,price,currency\nbolt,0,EUR\n",
            "line 2: bolt has the price \"0\"\n",
        ),
        ("item,price,currency\n", "no prices\n"),
        ("", "no prices\n"),
    ] {
        assert_eq!(judge(Some(bad)), (Some(1), says.to_owned()), "{bad:?}");
    }
    assert_eq!(judge(None).0, Some(2), "a missing file is no verdict");
}

/// As `gannet demo --worker-only | head -1` does.
#[test]
fn a_reader_that_has_enough_ends_the_account_quietly() {
    let mut demo = Gannet::new().start(&["demo", "--worker-only"]);
    let mut account = BufReader::new(demo.stdout.take().expect("a pipe"));
    let mut line = String::new();
    account.read_line(&mut line).expect("a line");
    assert!(line.starts_with("An HTTPS origin"), "{line}");
    drop(account);
    let ended = crate::rig::said(&demo.wait_with_output().expect("the end"));
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
}
