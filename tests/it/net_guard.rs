//! What the client refuses: hosts, redirects, and letting a secret out.

use gannet::domain::FailureKind;
use gannet::net::FetchOutcome;

use crate::rig::{Client, Origin, Reply, failure, fetched};

#[tokio::test]
async fn private_hosts_need_permission_by_literal_and_by_name() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::ok("inside")]);
    let port = origin.host().rsplit_once(':').expect("a port").1.to_owned();
    for (url, shown) in [
        (origin.url("/x"), "127.0.0.1"),
        (origin.localhost_url("/x"), "localhost"),
        (format!("https://127.1:{port}/x"), "127.0.0.1"),
        (format!("https://2130706433:{port}/x"), "127.0.0.1"),
        (
            format!("https://[::ffff:7f00:1]:{port}/x"),
            "::ffff:127.0.0.1",
        ),
    ] {
        let mut rig = Client::new(&url, origin.ca_file());
        rig.settings.allow_private = false;
        let detail = rig.fails(FailureKind::Forbidden).await;
        assert!(
            detail.contains(shown) && detail.contains("--allow-private"),
            "{detail}"
        );
        assert!(detail.contains("loopback"), "{detail}");
    }
    assert!(origin.requests().is_empty());
    for url in [origin.url("/x"), origin.localhost_url("/x")] {
        assert_eq!(
            fetched(Client::new(&url, origin.ca_file()).fetch().await).0,
            b"inside"
        );
    }
}

#[tokio::test]
async fn some_hosts_are_never_reached() {
    let origin = Origin::start(true);
    for host in [
        "169.254.169.254",
        "0.0.0.0",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "224.0.0.1",
    ] {
        let rig = Client::new(
            &format!("https://{host}/latest/meta-data"),
            origin.ca_file(),
        );
        let detail = rig.fails(FailureKind::Forbidden).await;
        assert!(detail.contains("never connected to"), "{detail}");
        origin.on("/x", [Reply::redirect(302, &format!("https://{host}/"))]);
        let detail = Client::of(&origin, "/x")
            .fails(FailureKind::Forbidden)
            .await;
        assert!(detail.contains("never connected to"), "{detail}");
    }
}

#[tokio::test]
async fn an_ipv6_literal_is_fetched() {
    // A machine without an IPv6 loopback has nothing to fetch from.
    let Some(origin) = Origin::start_ipv6() else {
        return;
    };
    origin.on("/x", [Reply::ok("six")]);
    assert!(origin.url("/x").starts_with("https://[::1]:"));
    let mut rig = Client::of(&origin, "/x");
    assert_eq!(fetched(rig.fetch().await).0, b"six");
    rig.settings.allow_private = false;
    rig.fails(FailureKind::Forbidden).await;
}

#[tokio::test]
async fn follows_redirects_and_keeps_the_name_of_the_source() {
    for status in [301, 302, 303, 307, 308] {
        let origin = Origin::start(true);
        origin.on("/a/first.csv", [Reply::redirect(status, "../b?q=1#part")]);
        origin.on("/b", [Reply::redirect(status, &origin.localhost_url("/c"))]);
        origin.on("/c", [Reply::file("end")]);
        let mut rig = Client::of(&origin, "/a/first.csv");
        rig.validators.etag = Some("\"old\"".to_owned());
        let report = rig.fetch().await;
        assert_eq!((report.http_status, report.tries), (Some(200), 1));
        assert_eq!(fetched(report), (b"end".to_vec(), "first.csv".to_owned()));
        let requests = origin.requests();
        assert_eq!(requests[1].path, "/b?q=1");
        assert!(
            requests
                .iter()
                .map(|request| request.header("if-none-match"))
                .eq([Some("\"old\""), None, None]),
            "what the source's address gave goes to no other address"
        );
        assert!(
            requests
                .iter()
                .all(|request| request.header("referer").is_none())
        );
    }
}

#[tokio::test]
async fn the_callers_headers_stay_with_their_origin() {
    let origin = Origin::start(true);
    origin.on("/a", [Reply::redirect(302, "/b")]);
    origin.on("/b", [Reply::redirect(302, &origin.localhost_url("/c"))]);
    origin.on("/c", [Reply::redirect(302, &origin.url("/d"))]);
    origin.on("/d", [Reply::ok("end")]);
    let rig = Client::of(&origin, "/a")
        .secret("TOKEN", "s3cr3t-value")
        .header("Authorization", "Bearer ${TOKEN}")
        .header("X-Key", "${TOKEN}")
        .header("Cookie", "session=1")
        .header("X-Session-Token", "literal")
        .header("X-Flavour", "${TOKEN}")
        .header("User-Agent", "mine")
        .header("Accept", "text/csv");
    assert_eq!(fetched(rig.fetch().await).0, b"end");
    let requests = origin.requests();
    for request in &requests[..2] {
        assert_eq!(request.header("authorization"), Some("Bearer s3cr3t-value"));
        assert_eq!(request.header("x-key"), Some("s3cr3t-value"));
        assert_eq!(request.header("accept"), Some("text/csv"));
    }
    for request in &requests[2..] {
        for secret in [
            "authorization",
            "x-key",
            "cookie",
            "x-session-token",
            "x-flavour",
        ] {
            assert_eq!(request.header(secret), None, "{secret}");
        }
        assert_eq!(request.header("accept"), Some("text/csv"));
        assert_eq!(request.header("user-agent"), Some("mine"));
    }
}

#[tokio::test]
async fn a_user_logs_in_by_basic_authentication_with_its_origin_alone() {
    let origin = Origin::start(true);
    origin.on("/a", [Reply::redirect(302, &origin.localhost_url("/b"))]);
    origin.on("/b", [Reply::ok("end")]);
    // The last has a header of its own, in place of which the user comes.
    for (user, login) in [
        ("joe:${PASSWORD}", "am9lOmh1bnRlcjI6w6Q="),
        (":${PASSWORD}", "Omh1bnRlcjI6w6Q="),
        ("joe:${PASSWORD}", "am9lOmh1bnRlcjI6w6Q="),
    ] {
        let mut rig = Client::of(&origin, "/a").secret("PASSWORD", "hunter2:ä");
        if origin.requests().len() > 2 {
            rig = rig.header("authorization", "Bearer ${PASSWORD}");
        }
        rig.settings.user = Some(user.to_owned());
        assert_eq!(fetched(rig.fetch().await).0, b"end");
        let requests = origin.requests();
        let [first, second] = &requests[requests.len() - 2..] else {
            panic!("two requests: {requests:?}");
        };
        let sent = first.header("authorization");
        assert_eq!(sent, Some(format!("Basic {login}").as_str()), "{user}");
        assert_eq!(second.header("authorization"), None, "{user}");
    }
    // What a server repeats of the login is struck out.
    let login = "am9lOmh1bnRlcjI6w6Q=";
    let to = format!("http://h/?login={login}&password=hunter2%3A%C3%A4");
    origin.on("/a", [Reply::redirect(302, &to)]);
    let mut rig = Client::of(&origin, "/a").secret("PASSWORD", "hunter2:ä");
    rig.settings.user = Some("joe:${PASSWORD}".to_owned());
    rig.config.max_tries = 1;
    let text = format!("{:?}", rig.fetch().await);
    for form in ["hunter2", "aHVudGVyMj", "odW50ZXIy"] {
        assert!(!text.contains(form), "{text}");
    }
    let mut rig = Client::of(&origin, "/a");
    rig.settings.user = Some("joe:${NONE}".to_owned());
    let detail = rig.fails(FailureKind::Secret).await;
    assert!(detail.contains("NONE"), "{detail}");
}

#[tokio::test]
async fn redirects_without_end_or_sense_are_failures() {
    let origin = Origin::start(true);
    for hop in 0..=11 {
        origin.on(
            &format!("/{hop}"),
            [Reply::redirect(302, &format!("/{}", hop + 1))],
        );
    }
    let detail = Client::of(&origin, "/0").fails(FailureKind::Redirect).await;
    assert!(
        detail.contains("more than 10 redirects") && detail.contains("/11"),
        "{detail}"
    );
    assert_eq!(origin.requests().len(), 11);
    origin.on("/11", [Reply::ok("ten are followed")]);
    assert_eq!(
        fetched(Client::of(&origin, "/1").fetch().await).0,
        b"ten are followed"
    );

    origin.on("/loop", [Reply::redirect(302, "/pool")]);
    origin.on("/pool", [Reply::redirect(302, "/loop")]);
    let detail = Client::of(&origin, "/loop")
        .fails(FailureKind::Redirect)
        .await;
    assert!(
        detail.starts_with("redirect loop: ") && detail.contains("/pool"),
        "{detail}"
    );

    origin.on("/lost", [Reply::status(302)]);
    let detail = Client::of(&origin, "/lost")
        .fails(FailureKind::Redirect)
        .await;
    assert!(
        detail.contains("answered 302 without a Location"),
        "{detail}"
    );
    origin.on("/odd", [Reply::redirect(302, "https://[/")]);
    let detail = Client::of(&origin, "/odd")
        .fails(FailureKind::Redirect)
        .await;
    assert!(detail.contains("not an address"), "{detail}");
}

#[tokio::test]
async fn redirects_to_forbidden_places_are_failures() {
    let origin = Origin::start(true);
    let plain = Origin::start(false);
    plain.on("/x", [Reply::ok("plain")]);
    for (target, words) in [
        ("file:///etc/passwd", "the scheme `file`"),
        ("ftp://example.org/", "the scheme `ftp`"),
        (&plain.url("/x"), "plain http"),
        ("https://joe:pass@127.0.0.1/", "user name or password"),
    ] {
        origin.on("/x", [Reply::redirect(302, target)]);
        let mut rig = Client::of(&origin, "/x");
        // Permission for plain http is for the source's own address: https is never left.
        rig.settings.allow_http = true;
        let detail = rig.fails(FailureKind::Forbidden).await;
        assert!(
            detail.contains(words) && !detail.contains("pass@"),
            "{detail}"
        );
    }
    assert!(plain.requests().is_empty());
    plain.on("/up", [Reply::redirect(302, &origin.url("/y"))]);
    origin.on("/y", [Reply::ok("secure")]);
    assert_eq!(
        fetched(Client::of(&plain, "/up").fetch().await).0,
        b"secure"
    );
    let mut rig = Client::of(&plain, "/x");
    rig.settings.allow_http = false;
    assert!(
        rig.fails(FailureKind::Forbidden)
            .await
            .contains("--allow-http")
    );
}

#[tokio::test]
async fn secrets_are_filled_in_and_never_shown() {
    const VALUE: &str = "Sesame/Open+1";
    const ENCODED: &str = "Sesame%2FOpen%2B1";
    let origin = Origin::start(true);
    let make = |path: &str| {
        Client::of(&origin, path)
            .secret("KEY", VALUE)
            .header("X-Api-Key", "${KEY}")
    };
    let path = format!("/{ENCODED}/x");
    origin.on(&path, [Reply::ok("open")]);
    let (body, name) = fetched(make("/${KEY}/x?k=${KEY}").fetch().await);
    assert_eq!((body, name), (b"open".to_vec(), "x".to_owned()));
    let sent = &origin.requests()[0];
    assert_eq!(sent.path, format!("{path}?k={ENCODED}"));
    assert_eq!(sent.header("x-api-key"), Some(VALUE));

    let to = |target: String| Reply::redirect(302, &target);
    for reply in [
        Reply::status(404),
        to(path.clone()),
        to(format!("http://h/?k={VALUE}")),
        to(format!("{ENCODED}:x")),
        to(format!(
            "https://{}/{}",
            origin.host(),
            VALUE.to_lowercase()
        )),
        to(format!("https://{VALUE}@h/")),
    ] {
        origin.on(&path, [reply]);
        origin.on(
            &format!("/{}", VALUE.to_lowercase()),
            [to("/".to_owned()), Reply::status(302)],
        );
        let mut rig = make("/${KEY}/x");
        rig.config.max_tries = 1;
        let report = rig.fetch().await;
        let text = format!("{report:?}");
        assert!(
            matches!(report.outcome, FetchOutcome::Failed { .. }),
            "{text}"
        );
        for form in [VALUE, ENCODED] {
            assert!(
                !text.to_lowercase().contains(&form.to_lowercase()),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn a_secret_without_a_value_is_named() {
    let origin = Origin::start(true);
    for rig in [
        Client::of(&origin, "/x?k=${API_KEY}"),
        Client::of(&origin, "/x").header("Authorization", "Bearer ${API_KEY}"),
    ] {
        let report = rig.fetch().await;
        assert_eq!((report.http_status, report.tries), (None, 0));
        let detail = failure(report, FailureKind::Secret);
        assert!(
            detail.contains("API_KEY") && detail.contains("set it"),
            "{detail}"
        );
    }
    let rig = Client::of(&origin, "/x")
        .secret("API_KEY", "two\nlines")
        .header("X-Key", "${API_KEY}");
    let detail = rig.fails(FailureKind::Secret).await;
    assert!(
        detail.contains("X-Key") && !detail.contains("two"),
        "{detail}"
    );
    assert!(origin.requests().is_empty());
}

#[tokio::test]
async fn fields_that_change_the_meaning_of_an_answer_cannot_be_set() {
    let origin = Origin::start(true);
    for name in ["Range", "If-None-Match", "Host", "transfer-encoding", "a b"] {
        let detail = Client::of(&origin, "/x")
            .header(name, "x")
            .fails(FailureKind::Forbidden)
            .await;
        assert!(detail.contains(name), "{detail}");
    }
    assert!(origin.requests().is_empty());
}

#[tokio::test]
async fn only_the_configured_proxy_is_used() {
    let origin = Origin::start(false);
    origin.on("/x", [Reply::ok("direct")]);
    let proxy = Origin::start(false);
    proxy.on("/x", [Reply::ok("by proxy")]);
    let mut rig = Client::of(&origin, "/x");
    rig.config.proxy = Some(proxy.url("/").parse().expect("a URL"));
    assert_eq!(fetched(rig.fetch().await).0, b"by proxy");
    assert!(origin.requests().is_empty());
    assert_eq!(
        proxy.requests()[0].header("host"),
        Some(origin.host().as_str())
    );
    // The proxy stands on loopback by the operator's word; a source gains nothing by it.
    rig.settings.allow_private = false;
    rig.fails(FailureKind::Forbidden).await;
    let port = proxy.host().rsplit_once(':').expect("a port").1.to_owned();
    rig.config.proxy = Some(format!("http://localhost:{port}").parse().expect("a URL"));
    rig.settings.address =
        gannet::domain::Address::parse("http://files.invalid/x", true).expect("an address");
    // A name that is not known here cannot be checked here.
    let detail = rig.fails(FailureKind::Dns).await;
    assert!(
        detail.contains("files.invalid") && detail.contains("--allow-private"),
        "{detail}"
    );
    rig.settings.allow_private = true;
    assert_eq!(fetched(rig.fetch().await).0, b"by proxy");
}

/// Runs itself again with the variables that other clients obey, since a test cannot set its own environment.
#[tokio::test]
async fn the_environment_names_no_proxy() {
    const INNER: &str = "GANNET_TEST_INNER";
    #[expect(
        clippy::disallowed_methods,
        reason = "how it knows that it was started by itself"
    )]
    let is_inner = std::env::var_os(INNER).is_some();
    if is_inner {
        let origin = Origin::start(false);
        origin.on("/x", [Reply::ok("direct")]);
        assert_eq!(
            fetched(Client::of(&origin, "/x").fetch().await).0,
            b"direct"
        );
        return;
    }
    let test = "net_guard::the_environment_names_no_proxy";
    let mut command = std::process::Command::new(std::env::current_exe().expect("a program"));
    command
        .args(["--exact", test])
        .env(INNER, "1")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy");
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env(name, "http://127.0.0.1:9/");
    }
    let output = command.output().expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
}
