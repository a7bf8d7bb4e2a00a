//! Webhooks through the proxy: which of them, where to, and what is never repeated.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;

use gannet::config::{FetchConfig, Secrets};
use gannet::net::{WebhookError, WebhookRequest, Webhooks};

use crate::rig::{Gannet, Origin, RawOrigin, Relay, Reply, in_mount_namespace};
use crate::webhook::{SECRET, assert_signed, memory, request};

const KINDS: [&str; 3] = ["http", "socks5", "socks5h"];

fn webhooks(ca_file: &Path, proxy: &str, no_proxy: &[&str]) -> Webhooks {
    let config = FetchConfig {
        ca_files: vec![ca_file.to_owned()],
        proxy: Some(proxy.parse().expect("an address")),
        no_proxy: no_proxy
            .iter()
            .map(|entry| entry.parse().expect("a rule"))
            .collect(),
        ..FetchConfig::default()
    };
    Webhooks::new(&config, Secrets::default()).expect("a client")
}

fn relay_to(origin: &Origin) -> Relay {
    let target = origin.host().parse().expect("an address");
    Relay::start("127.0.0.1", target, false).expect("IPv4 loopback")
}

#[tokio::test]
async fn a_webhook_goes_through_the_proxy_as_a_fetch_does() {
    let origin = Origin::start_self_signed(&["hooks.invalid", "10.1.2.3", "fd00::5"], false);
    origin.on("/hook", [Reply::ok("fine")]);
    let relay = relay_to(&origin);
    for kind in KINDS {
        let proxy = format!("{kind}://{}", relay.address());
        let webhooks = webhooks(
            origin.ca_file(),
            &proxy,
            &["near.invalid", "192.168.0.0/16"],
        );
        for (host, asked) in [
            ("hooks.invalid", "hooks.invalid:443"),
            ("10.1.2.3", "10.1.2.3:443"),
            ("[fd00::5]", "[fd00::5]:443"),
            ("hooks.invalid:8443", "hooks.invalid:8443"),
        ] {
            let url = format!("https://joe:pass@{host}/hook");
            let body = memory("x");
            let message = WebhookRequest {
                secret: Some(SECRET),
                ..request(&url, &body)
            };
            let answer = webhooks.post(message).await.expect("an answer");
            assert_eq!(&*answer.body, b"fine", "{kind} {host}");
            assert_eq!(relay.asked(), [asked], "{kind}");
            let recorded = origin.requests().pop().expect("a request");
            assert_signed(&recorded, message.timestamp);
            assert_eq!(recorded.header("authorization"), Some("Basic am9lOnBhc3M="));
            assert_eq!(recorded.header("proxy-authorization"), None);
        }
        let error = webhooks
            .post(request("https://near.invalid/hook", &memory("x")))
            .await
            .expect_err("no such host");
        assert_eq!(error.to_string(), "cannot resolve near.invalid");
        assert!(relay.asked().is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn a_webhook_to_this_machine_goes_past_the_proxy() {
    let origin = Origin::start(false);
    origin.on("/hook", [Reply::ok("fine")]);
    let relay = relay_to(&origin);
    for kind in KINDS {
        let proxy = format!("{kind}://{}", relay.address());
        let webhooks = webhooks(origin.ca_file(), &proxy, &[]);
        for url in [origin.url("/hook"), origin.localhost_url("/hook")] {
            let answer = webhooks.post(request(&url, &memory("x"))).await;
            assert_eq!(&*answer.expect("an answer").body, b"fine", "{url}");
        }
        assert!(relay.asked().is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn nothing_that_a_proxy_repeats_of_its_login_is_said() {
    // Base64 of `joe:hunter2pass` in the third.
    let echo = "of joe:hunter2pass hunter2%70ass am9lOmh1bnRlcjJwYXNz";
    let words = format!("{} {echo}", "pad ".repeat(15));
    let body = format!("HTTP/1.1 502 {words}\r\nContent-Type: text/x; a={echo}\r\n\r\n{echo}");
    let refusals = [
        format!("HTTP/1.1 407 {words}\r\n\r\n"),
        format!("HTTP/1.1 403 {echo}\r\n\r\n"),
        format!("HTTZ/1.1 {echo}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: {echo}\r\n\r\n"),
        body,
    ];
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let gone = listener.local_addr().expect("a bound socket");
    drop(listener);
    let mut said = String::new();
    for refusal in refusals {
        for url in ["https://10.1.2.3/hook", "http://10.1.2.3/hook"] {
            let server = RawOrigin::start(vec![refusal.clone().into_bytes()]);
            for proxy in [server.url("/"), format!("http://{gone}/")] {
                let proxy = proxy.replace("://", "://joe:hunter2pass@");
                let webhooks = webhooks(server.ca_file(), &proxy, &[]);
                let answer = webhooks.post(request(url, &memory("x"))).await;
                match answer {
                    Ok(answer) => {
                        let _ = writeln!(said, "{answer:?} {}", answer.body.escape_ascii());
                    }
                    Err(error) => {
                        assert!(!matches!(error, WebhookError::Unusable(_)), "{error}");
                        let _ = writeln!(said, "{error} {error:?}");
                    }
                }
            }
        }
    }
    for part in ["hunter", "r2pass", "am9lOmh1"] {
        assert!(!said.contains(part), "{part}: {said}");
    }
    for words in [
        "407 pad",
        "answered 407: check the user name",
        "[login of the proxy]",
        "refused by the proxy",
        "in the TLS handshake",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

/// By whatever name, in a notice and a verifier, with the real program.
#[test]
fn a_proxy_is_never_asked_for_a_metadata_service_by_a_webhook() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let relay = relay_to(&origin);
    for kind in KINDS {
        let gannet = Gannet::trusting(
            origin.ca_file(),
            &format!(
                r#"max_tries = 1
proxy = "{kind}://{}"
[[verifier]]
name = "service"
sources = ["*"]
http = "https://both.test/check"
[[verifier]]
name = "plain"
sources = ["*"]
http = "http://meta.test/check"
[[notify]]
name = "people"
webhook = "https://meta.test/hook"
on = ["changed"]
"#,
                relay.address()
            ),
        );
        gannet.ok(&["add", &origin.url("/x"), "--allow-private"]);
        let hosts = gannet.path("hosts");
        let text = "127.0.0.1 localhost\n169.254.169.254 meta.test both.test\n10.1.2.3 both.test\n";
        std::fs::write(&hosts, text).expect("a file");
        let script = format!(
            "mount --bind {} /etc/hosts; $gannet --worker-only || true; $gannet notify test people || true; $gannet verdicts x || true",
            hosts.display()
        );
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        let all = said.out + &said.err;
        let never = all.matches("metadata service, which is never").count();
        assert!(never >= 2, "{kind}: {all}");
        let asked = relay.asked();
        let others: Vec<_> = asked.iter().filter(|it| **it != origin.host()).collect();
        assert_eq!(others, ["10.1.2.3:443"], "{kind}: {asked:?} {all}");
    }
}
