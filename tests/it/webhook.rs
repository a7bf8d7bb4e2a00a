//! Webhooks, sent to real servers on loopback: what arrives, byte for byte, and what is said of what comes back.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gannet::config::{FetchConfig, Secrets};
use gannet::domain::Content;
use gannet::net::{NetError, WebhookError, WebhookRequest, WebhookResponse, Webhooks};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::rig::{Gate, Origin, RawOrigin, Recorded, Reply, at};

const KEY: &[u8] = b"a key with 24 odd bytes!";

/// The same in base64.
pub(crate) const SECRET: &str = "whsec_YSBrZXkgd2l0aCAyNCBvZGQgYnl0ZXMh";

const NAMES: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

fn webhooks(ca_file: &Path) -> Webhooks {
    with_secrets(ca_file, &[])
}

fn with_secrets(ca_file: &Path, secrets: &[(&str, &str)]) -> Webhooks {
    let config = FetchConfig {
        ca_files: vec![ca_file.to_owned()],
        user_agent: "gannet/test".to_owned(),
        // Nothing listens there, and what is on this machine does not go through it.
        proxy: Some("http://127.0.0.1:1".parse().expect("an address")),
        ..FetchConfig::default()
    };
    let secrets = secrets
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Webhooks::new(&config, Secrets::from_values(secrets)).expect("a client")
}

pub(crate) fn memory(bytes: impl Into<Bytes>) -> Content {
    Content::Memory(bytes.into())
}

fn file(bytes: &[u8]) -> Content {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("a file");
    Content::File {
        path: Arc::new(file.into_temp_path()),
        size_bytes: bytes.len() as u64,
    }
}

/// Several MiB that repeat nowhere, and end within a piece.
fn large() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0_u32..1_200_000).flat_map(u32::to_le_bytes).collect();
    bytes.push(b'!');
    bytes
}

pub(crate) fn request<'a>(url: &'a str, body: &'a Content) -> WebhookRequest<'a> {
    WebhookRequest {
        url,
        secret: None,
        id: "msg_1",
        timestamp: at("2026-01-31T12:00:00.9Z"),
        headers: &[],
        media_type: None,
        body,
        timeout: Duration::from_secs(30),
    }
}

async fn post(origin: &Origin, url: &str, body: &Content) -> Result<WebhookResponse, WebhookError> {
    webhooks(origin.ca_file()).post(request(url, body)).await
}

/// HMAC-SHA256 by its definition (RFC 2104), for keys no longer than a block.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block
            .iter_mut()
            .zip(key)
            .for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message);
    let outer = Sha256::new().chain_update(pad(0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

/// Checks a signature as a receiver does: over the headers and the body that arrived.
pub(crate) fn assert_signed(recorded: &Recorded, timestamp: DateTime<Utc>) {
    let [id, time, signature] = NAMES.map(|name| recorded.header(name).expect(name));
    assert_eq!(time, timestamp.timestamp().to_string());
    let message = [format!("{id}.{time}.").as_bytes(), &recorded.body].concat();
    let code = hmac(KEY, &message);
    let expected = base64_of(&code);
    assert_eq!(signature, format!("v1,{expected}"));
}

/// Base64 by its definition (RFC 4648 §4).
fn base64_of(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | usize::from(*group.get(at).unwrap_or(&0))
        });
        for at in 0..4 {
            let index = bits >> (18 - 6 * at) & 63;
            text.push(if at <= group.len() {
                char::from(ALPHABET[index])
            } else {
                '='
            });
        }
    }
    text
}

#[tokio::test]
async fn a_body_arrives_byte_for_byte_and_signed() {
    for origin in [
        Origin::start(false),
        Origin::start(true),
        Origin::start_http2(),
    ] {
        origin.on("/hook", [Reply::ok("{}")]);
        let webhooks = webhooks(origin.ca_file());
        let url = origin.url("/hook?a=1");
        let bodies = [Vec::new(), b"{\"test\": 2432232314}".to_vec(), large()];
        for bytes in &bodies {
            for body in [memory(bytes.clone()), file(bytes)] {
                let request = WebhookRequest {
                    secret: Some(SECRET),
                    media_type: Some("text/csv; charset=utf-8"),
                    ..request(&url, &body)
                };
                let answer = webhooks.post(request).await.expect("an answer");
                assert_eq!((answer.status, &*answer.body), (200, &b"{}"[..]));
                let recorded = origin.requests().pop().expect("a request");
                assert_eq!(recorded.method, "POST");
                assert_eq!(recorded.path, "/hook?a=1");
                assert!(recorded.body == *bytes, "{} bytes", bytes.len());
                let length = bytes.len().to_string();
                assert_eq!(recorded.header("content-length"), Some(&*length));
                assert_eq!(recorded.header("transfer-encoding"), None);
                assert_eq!(recorded.header("user-agent"), Some("gannet/test"));
                let media_type = recorded.header("content-type");
                assert_eq!(media_type, Some("text/csv; charset=utf-8"));
                assert_signed(&recorded, request.timestamp);
            }
        }
        assert_eq!(origin.requests().len(), 2 * bodies.len());
    }
}

#[tokio::test]
async fn without_a_secret_a_message_has_no_signature() {
    let origin = Origin::start(false);
    origin.on("/hook", [Reply::status(204)]);
    let url = origin.url("/hook");
    let answer = post(&origin, &url, &memory("x")).await.expect("an answer");
    assert_eq!((answer.status, answer.media_type), (204, None));
    let recorded = origin.requests().remove(0);
    let found = NAMES.map(|name| recorded.header(name));
    assert_eq!(found, [Some("msg_1"), Some("1769860800"), None]);
    let media_type = recorded.header("content-type");
    assert_eq!(media_type, Some("application/octet-stream"));
}

#[tokio::test]
async fn values_survive_in_any_script_and_take_no_ones_place() {
    let origin = Origin::start(true);
    origin.on("/hook", [Reply::ok("")]);
    let url = origin.url("/hook");
    let body = memory("x");
    let headers = [
        ("Gannet-File-Name", "ceník 50% 価格.csv".to_owned()),
        ("gannet-source-name", "a\r\nx-evil: 1".to_owned()),
        ("webhook-id", "msg_forged".to_owned()),
        ("content-length", "99".to_owned()),
        ("content-type", "text/html".to_owned()),
    ];
    let request = WebhookRequest {
        headers: &headers,
        media_type: Some("not\na type"),
        ..request(&url, &body)
    };
    let webhooks = webhooks(origin.ca_file());
    webhooks.post(request).await.expect("an answer");
    let recorded = origin.requests().remove(0);
    for (name, expected) in [
        (
            "gannet-file-name",
            Some("cen%C3%ADk 50%25 %E4%BE%A1%E6%A0%BC.csv"),
        ),
        ("gannet-source-name", Some("a%0D%0Ax-evil: 1")),
        ("x-evil", None),
        ("webhook-id", Some("msg_1")),
        ("content-length", Some("1")),
        ("content-type", Some("application/octet-stream")),
    ] {
        assert_eq!(recorded.header(name), expected, "{name}");
    }
}

#[tokio::test]
async fn every_status_is_an_answer() {
    let origin = Origin::start(true);
    let url = origin.url("/hook");
    let body = file(&large());
    for (reply, status) in [
        (Reply::redirect(302, &origin.url("/elsewhere")), 302),
        (Reply::redirect(307, &origin.url("/elsewhere")), 307),
        (Reply::status(202), 202),
        (Reply::status(404), 404),
        (Reply::status(503).header("retry-after", "1"), 503),
    ] {
        origin.on("/hook", [reply]);
        let answer = post(&origin, &url, &body).await.expect("an answer");
        assert_eq!(answer.status, status);
    }
    let paths: Vec<_> = origin.requests().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, ["/hook"; 5]);

    origin.on(
        "/hook",
        [Reply::ok("{\"verdict\":\"passed\"}").header("content-type", "application/json")],
    );
    let answer = post(&origin, &url, &body).await.expect("an answer");
    assert_eq!(answer.media_type.as_deref(), Some("application/json"));
    assert_eq!(&*answer.body, b"{\"verdict\":\"passed\"}");
}

#[tokio::test]
async fn a_heartbeat_is_a_get() {
    let origin = Origin::start(true);
    origin.on("/ping/hunter2", [Reply::ok("OK")]);
    let webhooks = with_secrets(origin.ca_file(), &[("PING", "hunter2")]);
    let limit = Duration::from_secs(30);
    let answer = webhooks.get(&origin.url("/ping/${PING}"), limit).await;
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, &*answer.body), (200, &b"OK"[..]));
    let recorded = origin.requests().remove(0);
    assert_eq!(
        (recorded.method.as_str(), &*recorded.body),
        ("GET", &b""[..])
    );
    assert_eq!(recorded.header("webhook-id"), None);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_an_error() {
    let origin = Origin::start(false);
    let url = origin.url("/hook");
    let exact = vec![b'x'; 64 << 10];
    let over = vec![b'x'; (64 << 10) + 1];
    for (reply, fits) in [
        (Reply::ok(exact.clone()), true),
        (Reply::ok(exact).chunked(), true),
        (Reply::ok(over.clone()), false),
        (Reply::ok(over.clone()).chunked(), false),
        // Refused as soon as it is too long: the rest never comes.
        (
            Reply::ok([over.as_slice(), b"rest"].concat())
                .chunked()
                .stall_after(over.len()),
            false,
        ),
    ] {
        origin.on("/hook", [reply]);
        let result = post(&origin, &url, &memory("x")).await;
        match result {
            Ok(answer) => assert!(fits && answer.body.len() == 64 << 10),
            Err(error) => {
                assert!(
                    !fits && matches!(error, WebhookError::TooLarge { .. }),
                    "{error}"
                );
                let expected = format!("the answer of {} is longer than 64 KiB", origin.host());
                assert_eq!(error.to_string(), expected);
            }
        }
    }
}

#[tokio::test]
async fn who_does_not_answer_is_given_up() {
    let gate = Gate::new();
    for origin in [Origin::start(false), Origin::start(true)] {
        let url = origin.url("/hook");
        for reply in [
            Reply::ok("late").behind(&gate),
            Reply::ok("half of it").stall_after(4),
        ] {
            origin.on("/hook", [reply]);
            let webhooks = webhooks(origin.ca_file());
            let body = memory("x");
            let request = WebhookRequest {
                timeout: Duration::from_millis(200),
                ..request(&url, &body)
            };
            let error = webhooks.post(request).await.expect_err("no answer");
            assert!(matches!(error, WebhookError::Timeout(_)), "{error:?}");
            let host = origin.host();
            let expected = format!("no complete answer from {host} within 200 ms");
            assert_eq!(error.to_string(), expected);
        }
    }
}

/// The head confirms a delivery; only a verdict stands in the body.
#[tokio::test]
async fn a_delivery_is_decided_by_the_head_of_the_answer() {
    // What a server has not read when it hangs up resets the connection, which may lose its answer.
    let body = memory("");
    for (script, status, arrived) in [
        ("HTTP/1.0 200 OK\r\n\r\n", 200, ""),
        ("HTTP/1.0 200 OK\r\nServer: old\r\n\r\nok\n", 200, "ok\n"),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (
            "HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nabc",
            202,
            "abc",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
            200,
            "ok",
        ),
        (
            "HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nlater",
            503,
            "later",
        ),
    ] {
        for tls in [false, true] {
            let scripts = vec![script.into()];
            let origin = if tls {
                RawOrigin::start_tls(scripts)
            } else {
                RawOrigin::start(scripts)
            };
            let trusted = Origin::start(true);
            // Each by a connection of its own: the server closes it after its answer.
            let hooks = || webhooks(trusted.ca_file());
            let url = origin.url("/hook");
            let limit = Duration::from_secs(30);
            for answer in [
                hooks().deliver(request(&url, &body)).await,
                hooks().get(&url, limit).await,
            ] {
                let answer = answer.expect(script);
                assert_eq!((answer.status, &*answer.body), (status, arrived.as_bytes()));
            }
            // A body that ends with the connection cannot be told from one that was cut, but by TLS's own farewell.
            let is_whole = status == 204 || (!tls && script.starts_with("HTTP/1.0"));
            let verdict = hooks().post(request(&url, &body)).await;
            assert_eq!(verdict.is_ok(), is_whole, "{script:?}: {verdict:?}");
        }
    }
}

#[tokio::test]
async fn of_a_delivery_s_answer_as_much_is_kept_as_arrives() {
    let origin = Origin::start(true);
    let webhooks = with_secrets(origin.ca_file(), &[("PART", "hunter2-hunter3")]);
    let (url, body) = (origin.url("/hook/${PART}"), memory("x"));
    for (reply, arrived) in [
        (Reply::ok("half of it").stall_after(4), "half"),
        // What is cut shows nothing of a secret either.
        (
            Reply::ok("no /hook/hunter2-hunter3").stall_after(18),
            "no /hook/${PART}",
        ),
    ] {
        origin.on("/hook/hunter2-hunter3", [reply]);
        let request = WebhookRequest {
            timeout: Duration::from_secs(1),
            ..request(&url, &body)
        };
        let answer = webhooks.deliver(request).await.expect("an answer");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!((answer.status, &*text), (200, arrived));
    }
    let over = vec![b'x'; (64 << 10) + 1];
    origin.on("/hook/hunter2-hunter3", [Reply::ok(over)]);
    let answer = webhooks.deliver(request(&url, &body)).await;
    let answer = answer.expect("an answer");
    assert!(answer.status == 200 && answer.body.len() <= 64 << 10);
}

#[tokio::test]
async fn broken_connections_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("IPv4 loopback");
    let address = listener.local_addr().expect("a bound socket");
    drop(listener);
    let trusted = Origin::start(true);
    let webhooks = webhooks(trusted.ca_file());
    let body = memory("x");
    let url = format!("http://{address}/hook");
    let error = webhooks.post(request(&url, &body)).await;
    let error = error.expect_err("nobody listens");
    assert!(matches!(error, WebhookError::Connect(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("connection refused by {address}")
    );

    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    for (script, body) in [
        ("", memory("x")),
        ("", file(&large())),
        (half, memory("")),
        ("SSH-2.0-OpenSSH\r\n\r\n", memory("")),
    ] {
        for origin in [
            RawOrigin::start(vec![script.into()]),
            RawOrigin::start_tls(vec![script.into()]),
        ] {
            let url = origin.url("/hook");
            let error = webhooks.post(request(&url, &body)).await;
            let error = error.expect_err("no answer");
            assert!(matches!(error, WebhookError::Broken(_)), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused() {
    let origin = Origin::start(true);
    let config = FetchConfig::default();
    let webhooks = Webhooks::new(&config, Secrets::default()).expect("a client");
    let url = origin.url("/hook");
    let error = webhooks.post(request(&url, &memory("x"))).await;
    let error = error.expect_err("not trusted");
    assert!(matches!(error, WebhookError::Tls(_)), "{error:?}");
    assert!(error.to_string().contains("unknown issuer"), "{error}");

    let config = FetchConfig {
        ca_files: vec!["/nonexistent.pem".into()],
        ..FetchConfig::default()
    };
    let made = Webhooks::new(&config, Secrets::default());
    assert!(matches!(made.err(), Some(NetError::Certificates { .. })));
}

#[tokio::test]
async fn a_file_that_is_not_what_it_was_is_an_error_of_its_own() {
    let origin = Origin::start(true);
    origin.on("/hook", [Reply::ok("")]);
    let url = origin.url("/hook");
    let bytes = large();
    let longer = |content: Content, by: u64| match content {
        Content::File { path, size_bytes } => Content::File {
            path,
            size_bytes: size_bytes + by,
        },
        Content::Memory(_) => unreachable!("a file"),
    };
    let gone = file(b"x");
    std::fs::remove_file(gone.as_file().expect("a file")).expect("a file to remove");
    for (body, words) in [
        (longer(file(&bytes), 1), "has become shorter"),
        (gone, "No such file"),
    ] {
        let error = post(&origin, &url, &body).await.expect_err("not readable");
        assert!(matches!(error, WebhookError::Body(_)), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn secrets_are_filled_in_and_never_seen() {
    let origin = Origin::start(true);
    let whole = origin.url("/services/T0/hunter2");
    let webhooks = with_secrets(
        origin.ca_file(),
        &[("WHOLE", &whole), ("PART", "hunter2"), ("SIGN", SECRET)],
    );
    let body = memory("x");
    // A server that does not know an address likes to repeat it.
    let echo = "Cannot POST /services/T0/hunter2";
    origin.on("/services/T0/hunter2", [Reply::ok(echo)]);
    let part = origin.url("/services/T0/${PART}");
    for (url, echoed) in [
        ("${WHOLE}", "Cannot POST ${WHOLE}"),
        (&part, "Cannot POST /services/T0/${PART}"),
    ] {
        let request = WebhookRequest {
            secret: Some("${SIGN}"),
            ..request(url, &body)
        };
        let answer = webhooks.post(request).await.expect("an answer");
        assert_eq!(answer.body, echoed);
        let recorded = origin.requests().pop().expect("a request");
        assert_eq!(recorded.path, "/services/T0/hunter2");
        assert_signed(&recorded, request.timestamp);
    }
}

#[tokio::test]
async fn a_user_name_and_password_go_as_basic_authorization() {
    let origin = Origin::start(true);
    origin.on("/hook", [Reply::ok("")]);
    let host = origin.host();
    let webhooks = with_secrets(origin.ca_file(), &[("PASSWORD", "a:b@/é")]);
    let url = format!("https://user:${{PASSWORD}}@{host}/hook");
    let body = memory("x");
    webhooks
        .post(request(&url, &body))
        .await
        .expect("an answer");
    let recorded = origin.requests().remove(0);
    let expected = format!("Basic {}", base64_of("user:a:b@/é".as_bytes()));
    assert_eq!(recorded.header("authorization"), Some(&*expected));
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_without_repeating_it() {
    let origin = Origin::start(false);
    let webhooks = with_secrets(origin.ca_file(), &[("WHOLE", "hunter2")]);
    let url = origin.url("/hook");
    let body = memory("x");
    let good = request(&url, &body);
    let bad_name = [("no name", "x".to_owned())];
    for (request, words) in [
        (
            WebhookRequest {
                secret: Some("whsec_hunter2!"),
                ..good
            },
            "signing secret",
        ),
        (
            WebhookRequest {
                secret: Some("${NONE}"),
                ..good
            },
            "NONE has no value",
        ),
        (
            WebhookRequest {
                url: "${NONE}",
                ..good
            },
            "NONE has no value",
        ),
        (
            WebhookRequest {
                url: "${WHOLE}",
                ..good
            },
            "malformed",
        ),
        (
            WebhookRequest {
                url: "ftp://u:hunter2@h/",
                ..good
            },
            "neither http nor https",
        ),
        (
            WebhookRequest {
                url: "http://169.254.169.254/hunter2",
                ..good
            },
            "metadata service",
        ),
        (
            WebhookRequest {
                url: "http://u:hunter2@0.0.0.0/",
                ..good
            },
            "unspecified",
        ),
        (
            WebhookRequest {
                url: "http://[fe80::1]/hunter2",
                ..good
            },
            "link-local",
        ),
        (WebhookRequest { id: "a.b", ..good }, "message id `a.b`"),
        (
            WebhookRequest {
                id: "a b\n",
                ..good
            },
            "message id `a b%0A`",
        ),
        (WebhookRequest { id: "", ..good }, "message id"),
        (
            WebhookRequest {
                headers: &bad_name,
                ..good
            },
            "header `no name`",
        ),
    ] {
        let error = webhooks.post(request).await.expect_err(words);
        assert!(matches!(error, WebhookError::Unusable(_)), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    assert_eq!(origin.requests().len(), 0);

    let listener = TcpListener::bind("127.0.0.1:0").expect("IPv4 loopback");
    let address = listener.local_addr().expect("a bound socket");
    drop(listener);
    let url = format!("http://hunter2:hunter2@{address}/hunter2?hunter2#hunter2");
    for result in [
        webhooks.post(request(&url, &body)).await,
        webhooks.get(&url, good.timeout).await,
    ] {
        let error = result.expect_err("nobody listens");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}
