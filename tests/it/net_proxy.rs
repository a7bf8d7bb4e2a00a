//! Through a proxy: what it may be asked for, who goes past it, and who is to blame.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener};

use gannet::config::{FetchConfig, Secrets};
use gannet::domain::{Address, FailureKind};
use gannet::net::Webhooks;

use crate::rig::{Client, Gannet, Origin, RawOrigin, Relay, Reply, fetched, in_mount_namespace};

const KINDS: [&str; 3] = ["http", "socks5", "socks5h"];

fn through(config: &mut FetchConfig, proxy: &str) {
    config.proxy = Some(proxy.parse().expect("a URL"));
}

#[tokio::test]
async fn a_proxy_is_never_asked_for_a_private_host() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("a bound socket");
    let origin = Origin::start(true);
    for scheme in ["http", "https", "socks5", "socks5h"] {
        for url in [
            "https://localhost/",
            "https://localhost:8443/x",
            "https://127.0.0.1/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "http://localhost/",
        ] {
            let mut rig = Client::new(url, origin.ca_file());
            rig.settings.allow_private = false;
            through(&mut rig.config, &format!("{scheme}://{address}"));
            let detail = rig.fails(FailureKind::Forbidden).await;
            assert!(
                detail.contains("--allow-private"),
                "{scheme} {url}: {detail}"
            );
        }
    }
    assert!(listener.accept().is_err(), "nobody came to the proxy");
}

#[tokio::test]
async fn a_proxy_is_never_asked_for_a_private_host_after_a_redirect() {
    let proxy = Origin::start(false);
    proxy.on("/x", [Reply::redirect(302, "http://localhost/inside")]);
    proxy.on("/inside", [Reply::ok("inside")]);
    let mut rig = Client::new("http://8.8.8.8/x", proxy.ca_file());
    rig.settings.allow_private = false;
    through(&mut rig.config, &proxy.url("/"));
    let detail = rig.fails(FailureKind::Forbidden).await;
    assert!(detail.contains("localhost resolves to"), "{detail}");
    assert_eq!(proxy.requests().len(), 1);
    // With permission it is the proxy's to decide.
    rig.settings.allow_private = true;
    assert_eq!(fetched(rig.fetch().await).0, b"inside");
}

#[tokio::test]
async fn no_proxy_names_who_goes_past_it() {
    let origin = Origin::start(false);
    origin.on("/x", [Reply::ok("direct")]);
    let proxy = Origin::start(false);
    proxy.on("/x", [Reply::ok("by proxy")]);
    let port = origin.host().rsplit_once(':').expect("a port").1.to_owned();
    for (entries, by_address, by_name) in [
        (vec!["127.0.0.0/8"], "direct", "by proxy"),
        (vec!["localhost"], "by proxy", "direct"),
        (vec!["127.0.0.1", "localhost"], "direct", "direct"),
        (vec!["*"], "direct", "direct"),
        (vec!["example.org", "10.0.0.0/8"], "by proxy", "by proxy"),
        (vec![], "by proxy", "by proxy"),
    ] {
        for (host, expected) in [("127.0.0.1", by_address), ("localhost", by_name)] {
            let url = format!("http://{host}:{port}/x");
            let mut rig = Client::new(&url, origin.ca_file());
            through(&mut rig.config, &proxy.url("/"));
            let rules = entries.iter().map(|entry| entry.parse().expect("a rule"));
            rig.config.no_proxy = rules.collect();
            let found = fetched(rig.fetch().await).0;
            assert_eq!(found, expected.as_bytes(), "{entries:?} {url}");
        }
    }
    // Past the proxy, the guard looks at who answers.
    let mut rig = Client::of(&origin, "/x");
    through(&mut rig.config, &proxy.url("/"));
    rig.config.no_proxy = vec!["*".parse().expect("a rule")];
    rig.settings.allow_private = false;
    rig.settings.address =
        Address::parse(&format!("http://localhost:{port}/x"), true).expect("an address");
    rig.fails(FailureKind::Forbidden).await;
}

#[tokio::test]
async fn a_failure_names_the_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let gone = listener.local_addr().expect("a bound socket");
    drop(listener);
    let refusing = RawOrigin::start(vec![
        b"HTTP/1.1 407 am9lOmh1bnRlcjI= of joe:hunter2\r\n\r\n".to_vec(),
    ]);
    let garbled = RawOrigin::start(vec![b"HTTZ/1.1 200 hunter2\r\n\r\n".to_vec()]);
    let plain = Origin::start(false);
    plain.on("/x", [Reply::status(407)]);
    let refusing_name = refusing.url("").replace("http://", "");
    let named = |host: &str| format!("the proxy {host}");
    for (proxy, url, words) in [
        (
            format!("http://{gone}"),
            "https://8.8.8.8/x",
            named(&gone.to_string()),
        ),
        (
            format!("socks5://{gone}"),
            "https://8.8.8.8/x",
            named(&gone.to_string()),
        ),
        (
            refusing.url("/"),
            "https://8.8.8.8/x",
            named(&refusing_name),
        ),
        (plain.url("/"), "http://8.8.8.8/x", named(&plain.host())),
        (garbled.url("/"), "https://8.8.8.8/x", named("")),
    ] {
        let mut rig = Client::new(url, plain.ca_file());
        rig.config.max_tries = 1;
        through(&mut rig.config, &proxy.replace("://", "://joe:hunter2@"));
        let kind = if url.starts_with("https") {
            FailureKind::Connect
        } else {
            FailureKind::Status
        };
        let detail = rig.fails(kind).await;
        assert!(
            detail.contains(&words) && !detail.contains("hunter2") && !detail.contains("am9lOmh1"),
            "{detail}"
        );
    }
}

/// However a refusal of CONNECT ends, its status and its reason are what counts.
#[tokio::test]
async fn a_refusal_of_a_tunnel_keeps_its_status_and_its_reason() {
    let origin = Origin::start(false);
    let login = "407 Proxy Authentication Required: check the user name and the password";
    let many = "x".repeat(64 << 10);
    for (answer, words) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n\r\nlogin",
            login,
        ),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlogin\r\n0\r\n\r\n",
            login,
        ),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nConnection: close\r\n\r\n<html>\n<p>login</p>\n",
            login,
        ),
        (
            "HTTP/1.0 407 Proxy Authentication Required\nServer: old\n\nlogin",
            login,
        ),
        ("HTTP/1.1 403 Forbidden\r\n\r\nno\r\n", "403 Forbidden"),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 Bad Gateway\r\nX: y\r\n\r\nno host",
            "502 Bad Gateway",
        ),
        // The head breaks off, or has no end.
        ("HTTP/1.1 503 Busy\r\nRetry-Af", "503 Busy"),
        (
            &format!("HTTP/1.1 407 Proxy Authentication Required\r\nX: {many}"),
            login,
        ),
        ("HTTP/1.1 503 Bu", "closed the connection without an answer"),
        (
            "HTTP/1.1 200 OK\r\nX: y\r\n",
            "closed the connection without an answer",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nhello",
            "it sends more than the head of its answer",
        ),
        // Those who speak another protocol close when they have said so, or wait for more.
        ("hello\r\n\r\n", "its answer is no HTTP: `hello`"),
        (
            "SSH-2.0-OpenSSH_9.6\r\n",
            "its answer is no HTTP: `SSH-2.0-OpenSSH_9.6`",
        ),
        ("SSH-2.0", "its answer is no HTTP: `SSH-2.0`"),
        ("220 mail\x1b[2J\n250 ok", "`220 mail\\u{1b}[2J`"),
        ("HTTP/1.1\n\n", "its answer is no HTTP: `HTTP/1.1`"),
        (&many, "its answer is no HTTP: `xxxx"),
        ("HTTP/", "closed the connection without an answer"),
    ] {
        let proxy = RawOrigin::start(vec![answer.into()]);
        let mut rig = Client::new("https://8.8.8.8/x", origin.ca_file());
        rig.config.max_tries = 1;
        through(&mut rig.config, &proxy.url("/"));
        let detail = rig.fails(FailureKind::Connect).await;
        let start: String = answer.chars().take(60).collect();
        assert!(detail.contains(words), "{start:?}: {detail}");
    }
}

/// What a proxy refuses until somebody changes something is asked for once.
#[tokio::test]
async fn a_refusal_that_stays_is_not_tried_again_at_once() {
    let statuses = [
        (403, 1),
        (404, 1),
        (405, 1),
        (407, 1),
        (501, 1),
        (302, 1),
        (400, 1),
        (429, 3),
        (500, 3),
        (502, 3),
        (503, 3),
        (504, 3),
    ];
    let mut cases: Vec<(&str, Vec<u8>, u32)> = statuses
        .iter()
        .map(|(status, tries)| {
            let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
            ("http", answer.into_bytes(), *tries)
        })
        .collect();
    cases.push(("http", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), 1));
    cases.push(("http", Vec::new(), 3));
    for (reply, tries) in [(1, 3), (2, 1), (4, 3), (5, 3), (7, 1), (8, 1)] {
        cases.push(("socks5", vec![5, 0, 5, reply], tries));
    }
    cases.push(("socks5", vec![5, 0xff], 1));
    cases.push(("socks5", b"HTTP/1.1 400 Bad\r\n\r\n".to_vec(), 1));
    for (scheme, answer, tries) in cases {
        let proxy = answering(answer.clone());
        let mut rig = Client::new("https://8.8.8.8/x", "/dev/null".as_ref());
        rig.config.ca_files.clear();
        rig.config.max_tries = 3;
        through(&mut rig.config, &format!("{scheme}://{proxy}"));
        let report = rig.fetch().await;
        let said = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(report.tries, tries, "{scheme} {said:?}");
    }
}

#[tokio::test]
async fn the_secrets_of_a_proxy_are_filled_in_and_never_repeated() {
    use base64::Engine as _;
    let password = "p@ss:w/rd + 1";
    let proxy = Origin::start(false);
    let host = proxy.host();
    let whole = format!("http://joe:p%40ss%3Aw%2Frd%20%2B%201@{host}");
    let secrets = || {
        let values = [
            ("PASSWORD", password),
            ("NAME", "joe-doe"),
            ("PROXY", &whole),
            ("HOST", "127.0.0.1"),
            ("SHORT", "pass"),
            ("PAGE", "ftp://files.example"),
        ];
        Secrets::from_values(values.map(|(name, value)| (name.to_owned(), value.to_owned())))
    };
    let port = host.rsplit(':').next().expect("a port");
    for (address, user) in [
        (format!("http://joe:${{PASSWORD}}@{host}"), "joe"),
        (format!("http://${{NAME}}:${{PASSWORD}}@{host}"), "joe-doe"),
        (format!("http://joe:${{PASSWORD}}@${{HOST}}:{port}"), "joe"),
        ("${PROXY}".to_owned(), "joe"),
    ] {
        let login = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
        proxy.on("/x", [Reply::file("whole"), Reply::status(407)]);
        let mut rig = Client::new("http://8.8.8.8/x", proxy.ca_file());
        rig.secrets = secrets();
        rig.config.max_tries = 1;
        through(&mut rig.config, &address);
        assert_eq!(fetched(rig.fetch().await).0, b"whole", "{address}");
        let asked = proxy.requests().pop().expect("a request");
        let expected = format!("Basic {login}");
        assert_eq!(asked.header("proxy-authorization"), Some(&*expected));
        // What a proxy repeats of it.
        let reason = format!("HTTP/1.1 407 {user}:{password} {login} {password}\r\n\r\n");
        let refusing = RawOrigin::start(vec![reason.into_bytes()]);
        let refusing = refusing.url("").replace("http://", "");
        let address = address.replace(&host, &refusing);
        let address = match address.strip_suffix(&format!("${{HOST}}:{port}")) {
            Some(before) => format!("{before}{refusing}"),
            None => address,
        };
        if !address.contains(&refusing) {
            continue;
        }
        let mut rig = Client::new("https://8.8.8.8/x", proxy.ca_file());
        rig.secrets = secrets();
        rig.config.max_tries = 1;
        through(&mut rig.config, &address);
        let detail = rig.fails(FailureKind::Connect).await;
        assert!(detail.contains("${PASSWORD}"), "{address}: {detail}");
        for secret in [password, &login, "joe-doe"] {
            assert!(!detail.contains(secret), "{address}: {detail}");
        }
    }
    for (address, words) in [
        ("http://joe:${NONE}@h:3128", "the secret NONE has no value"),
        (
            "http://joe:${SHORT}@h:3128",
            "the secret SHORT has fewer than 6 bytes",
        ),
        (
            "${PAGE}",
            "not one of an http, https, socks5 or socks5h proxy",
        ),
        ("${NAME}", "with its secrets filled in is malformed"),
    ] {
        let mut config = FetchConfig::default();
        through(&mut config, address);
        let made = Webhooks::new(&config, secrets()).err().expect("no client");
        let said = made.to_string();
        assert!(
            said.starts_with("cannot use the proxy of the configuration: ") && said.contains(words),
            "{address}: {said}"
        );
        assert!(!said.contains("joe-doe"), "{said}");
    }
}

#[test]
fn a_password_of_a_proxy_comes_from_the_secrets_file() {
    let proxy = Origin::start(false);
    proxy.on("/x", [Reply::file("whole")]);
    let gannet = Gannet::new();
    let address = format!("http://joe:${{PROXY_PASSWORD}}@{}", proxy.host());
    gannet.configure(&format!(
        "secrets_file = \"secrets\"\n[fetch]\nproxy = \"{address}\"\nmax_tries = 1\n"
    ));
    let secrets = gannet.path("secrets");
    let write = |text: &str| {
        std::fs::write(&secrets, text).expect("a file");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&secrets, mode).expect("its mode");
    };
    write("OTHER=another\n");
    gannet.ok(&["add", "http://8.8.8.8/x", "--allow-http"]);
    let check = gannet.ok(&["config", "check"]);
    let warning = "warning: the proxy: ${PROXY_PASSWORD} has no value in the secrets file or in the environment of this process; the environment of a service may have one";
    assert!(check.contains(warning), "{check}");
    let refused = gannet.run(&["fetch", "x"]);
    let words = "cannot use the proxy of the configuration: the secret PROXY_PASSWORD has no value";
    assert!(
        refused.code != Some(0) && refused.err.contains(words),
        "{refused:?}"
    );
    assert!(proxy.requests().is_empty());
    write("PROXY_PASSWORD=hunter2hunter2\n");
    assert_eq!(gannet.fetch("x")["new"], 1);
    let asked = proxy.requests().pop().expect("a request");
    assert!(asked.header("proxy-authorization").is_some());
    for arguments in [
        &["config", "check"][..],
        &["config", "show"],
        &["log", "--json"],
    ] {
        let said = gannet.run(arguments);
        assert!(!format!("{said:?}").contains("hunter2"), "{said:?}");
    }
}

/// Starts a proxy that says this to everybody at once, until the end of the test's process.
fn answering(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a bound socket");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            drop(stream.write_all(&answer));
            drop(stream.shutdown(Shutdown::Write));
            drop(stream.read_to_end(&mut Vec::new()));
        }
    });
    address
}

/// Each reply of a SOCKS proxy (RFC 1928 §6, RFC 1929) is said in words, with what may help.
#[tokio::test]
async fn what_a_socks_proxy_says_is_said_in_words() {
    let reply = |code: u8| vec![5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0];
    let long = "u".repeat(256);
    for (login, answer, words) in [
        ("", reply(1), "it failed, and does not say why"),
        ("", reply(2), "its rules do not allow that"),
        ("", reply(3), "it has no way to that network"),
        ("", reply(4), "it does not reach the host"),
        ("", reply(5), "the host refused the connection"),
        ("", reply(6), "too long, or goes in circles"),
        ("", reply(7), "it makes no connections for others"),
        ("", reply(8), "it takes no address of this kind"),
        ("", reply(77), "a reason that is not known here"),
        // Some end with the reply.
        ("", vec![5, 0, 5, 5], "the host refused the connection"),
        ("", vec![5, 0xff], "it wants to know who asks: write"),
        ("", vec![5, 2], "it wants to know who asks: write"),
        ("joe:hunter2@", vec![5, 2, 1, 1], "it refuses the user name"),
        (
            "joe:hunter2@",
            vec![5, 0xff],
            "in a way that is not known here",
        ),
        (
            "joe:hunter2@",
            vec![5, 1],
            "in a way that is not known here",
        ),
        (
            &format!("{long}:hunter2@"),
            vec![5, 2],
            "longer than 255 bytes",
        ),
        (
            "",
            b"HTTP/1.1 400 Bad\r\n\r\n".to_vec(),
            "is not SOCKS 5; an HTTP proxy",
        ),
        ("", vec![5, 0, 4, 0], "is not SOCKS 5"),
        ("", vec![], "it closed the connection without an answer"),
        (
            "",
            vec![5, 0, 5],
            "it closed the connection without an answer",
        ),
        (
            "joe:hunter2@",
            vec![5, 2],
            "it closed the connection without an answer",
        ),
    ] {
        let address = answering(answer.clone());
        let mut rig = Client::new("https://localhost/x", "/dev/null".as_ref());
        rig.config.ca_files.clear();
        rig.config.max_tries = 1;
        through(&mut rig.config, &format!("socks5://{login}{address}"));
        let detail = rig.fails(FailureKind::Connect).await;
        assert!(detail.contains(words), "{answer:?}: {detail}");
        assert!(detail.contains(&address.to_string()), "{detail}");
        assert!(!detail.contains("hunter2"), "{detail}");
    }
}

/// What is sent to a SOCKS proxy, byte for byte: the login only when it is asked for (RFC 1929).
#[tokio::test]
async fn a_socks_proxy_gets_the_login_that_it_asks_for() {
    let connect = [5, 1, 0, 1, 10, 1, 2, 3, 1, 187];
    let login = b"\x01\x03joe\x0ahunter2\xc3\xa9!";
    let answer = [0, 1, 0, 0, 0, 0, 0, 0];
    for (user, answered, expected) in [
        (
            "",
            [&[5, 0, 5, 0][..], &answer].concat(),
            [&[5, 1, 0][..], &connect].concat(),
        ),
        (
            "joe:hunter2%C3%A9!@",
            [&[5, 0, 5, 0][..], &answer].concat(),
            [&[5, 2, 0, 2][..], &connect].concat(),
        ),
        (
            "joe:hunter2%C3%A9!@",
            // The address that it connects from, by a name.
            vec![5, 2, 1, 0, 5, 0, 0, 3, 2, b'h', b'x', 0, 1],
            [&[5, 2, 0, 2][..], login, &connect].concat(),
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound socket");
        let length = expected.len();
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            stream.write_all(&answered).expect("a connection");
            let mut read = vec![0; length];
            stream.read_exact(&mut read).expect("what is asked");
            // Then TLS begins: a handshake.
            let mut first = [0];
            stream.read_exact(&mut first).expect("a tunnel");
            (read, first)
        });
        let mut rig = Client::new("https://10.1.2.3/x", "/dev/null".as_ref());
        rig.config.ca_files.clear();
        rig.config.max_tries = 1;
        through(&mut rig.config, &format!("socks5://{user}{address}"));
        rig.fails(FailureKind::Connect).await;
        assert_eq!(serving.join().expect("a proxy"), (expected, [22]));
    }
}

/// Returns a proxy in front of this server.
fn relay_to(origin: &Origin, host: &str, names_only: bool) -> Option<Relay> {
    let target = origin.host().parse().expect("an address");
    Relay::start(host, target, names_only)
}

/// What resolves here is given to the proxy as an address that was checked, and the server is asked by its name; a name that
/// only the proxy knows is left to the proxy.
#[tokio::test]
async fn a_proxy_is_given_the_checked_address() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::ok("content")]);
    let relay = relay_to(&origin, "127.0.0.1", false).expect("IPv4 loopback");
    let port = relay.address().port();
    for kind in KINDS {
        let mut rig = Client::new(&format!("https://localhost:{port}/x"), origin.ca_file());
        through(&mut rig.config, &format!("{kind}://{}", relay.address()));
        assert_eq!(fetched(rig.fetch().await).0, b"content", "{kind}");
        let asked = relay.asked();
        let known = [format!("127.0.0.1:{port}"), format!("[::1]:{port}")];
        assert!(asked.iter().all(|it| known.contains(it)), "{asked:?}");
        let requests = origin.requests();
        let last = requests.last().expect("a request");
        let host = format!("localhost:{port}");
        assert_eq!(last.header("host"), Some(host.as_str()), "{kind}");
        // Its certificate is none of the server's.
        let mut rig = Client::new("https://files.invalid/x", origin.ca_file());
        rig.config.max_tries = 1;
        through(&mut rig.config, &format!("{kind}://{}", relay.address()));
        rig.fails(FailureKind::Tls).await;
        assert_eq!(relay.asked(), ["files.invalid:443"], "{kind}");
        rig.settings.allow_private = false;
        rig.fails(FailureKind::Dns).await;
        assert!(relay.asked().is_empty(), "{kind}");
    }
}

/// A proxy that answers 403 for every address may allow hosts by their names.
#[tokio::test]
async fn a_proxy_that_allows_no_addresses_is_given_the_name() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::ok("content")]);
    let relay = relay_to(&origin, "127.0.0.1", true).expect("IPv4 loopback");
    let port = relay.address().port();
    let mut rig = Client::new(&format!("https://localhost:{port}/x"), origin.ca_file());
    rig.config.max_tries = 1;
    through(&mut rig.config, &format!("http://{}", relay.address()));
    assert_eq!(fetched(rig.fetch().await).0, b"content");
    assert_eq!(relay.asked().pop(), Some(format!("localhost:{port}")));
    rig.settings.address =
        Address::parse(&format!("https://127.0.0.1:{port}/x"), true).expect("an address");
    let detail = rig.fails(FailureKind::Connect).await;
    assert!(
        detail.contains("does not connect to 127.0.0.1") && detail.ends_with("403 Forbidden"),
        "{detail}"
    );
    assert_eq!(relay.asked().len(), 1);
}

#[tokio::test]
async fn literals_of_ipv6_go_through_a_proxy_and_a_proxy_may_be_one() {
    let Some(origin) = Origin::start_ipv6() else {
        return;
    };
    origin.on("/x", [Reply::ok("content")]);
    for host in ["127.0.0.1", "::1"] {
        let relay = relay_to(&origin, host, false).expect("loopback");
        for kind in KINDS {
            let mut rig = Client::of(&origin, "/x");
            through(&mut rig.config, &format!("{kind}://{}", relay.address()));
            assert_eq!(fetched(rig.fetch().await).0, b"content", "{kind} {host}");
            assert_eq!(relay.asked(), [origin.host()], "{kind} {host}");
        }
    }
}

/// Not even for a source that may reach private hosts, by whatever name and at whatever step.
#[test]
fn a_proxy_is_never_asked_for_a_metadata_service_by_name() {
    let origin = Origin::start(true);
    origin.on("/r", [Reply::redirect(302, "https://meta.test/x")]);
    let relay = relay_to(&origin, "127.0.0.1", false).expect("IPv4 loopback");
    for kind in KINDS {
        let gannet = Gannet::trusting(
            origin.ca_file(),
            &format!("max_tries = 1\nproxy = \"{kind}://{}\"\n", relay.address()),
        );
        let urls = [
            "https://meta.test/x",
            "https://both.test/y",
            "http://meta.test/z",
            &origin.url("/r"),
        ];
        for url in urls {
            gannet.ok(&["add", url, "--allow-private", "--allow-http"]);
        }
        let hosts = gannet.path("hosts");
        std::fs::write(
            &hosts,
            "127.0.0.1 localhost\n169.254.169.254 meta.test\n169.254.169.254 both.test\n10.1.2.3 both.test\n",
        )
        .expect("a file");
        let script = format!(
            "mount --bind {} /etc/hosts; $gannet fetch '*' -q || true",
            hosts.display()
        );
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        let never = said.err.matches("metadata service, which is never");
        assert_eq!(never.count(), 3, "{kind}: {said:#?}");
        let asked = relay.asked();
        let others = asked.iter().filter(|it| **it != origin.host());
        // One of its two addresses may be connected to: that one is given.
        assert!(others.eq(["10.1.2.3:443"]), "{kind}: {asked:?}");
    }
}
