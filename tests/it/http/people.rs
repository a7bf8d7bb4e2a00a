//! How people sign in, and when that ends.

use crate::rig::{Gannet, PASSWORD, Service};

fn rig() -> (Gannet, Service) {
    let gannet = Gannet::new();
    gannet.configure("[http]\nread = \"users\"\n");
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.add_person("anna", "operator");
    let service = Service::start(&gannet, &["--no-worker"]);
    (gannet, service)
}

#[test]
fn a_wrong_name_and_a_wrong_password_are_answered_alike() {
    let (_gannet, service) = rig();
    let [wrong_name, wrong_password] =
        [("ben", PASSWORD), ("anna", "wrong")].map(|(name, password)| {
            let answer = service.sign_in(name, password);
            assert_eq!(
                (answer.status, answer.header("set-cookie")),
                (401, None),
                "{answer:?}"
            );
            answer.text().replace(&format!("\"{name}\""), "NAME")
        });
    assert_eq!(wrong_name, wrong_password);
    for form in ["", "name=anna", "name=anna&password=%ff&x"] {
        let fields = [("Content-Type", "application/x-www-form-urlencoded")];
        let answer = service.ask("POST", "/sign-in", &fields, form);
        assert!((400..500).contains(&answer.status), "{form}: {answer:?}");
    }
}

#[test]
fn a_session_ends_by_signing_out_another_password_and_disabling() {
    let (gannet, service) = rig();
    let list = |cookie: &str| {
        service
            .ask("GET", "/api/v1/sources", &[("Cookie", cookie)], "")
            .status
    };
    let [one, two, three] = [(); 3].map(|()| service.sign_in("anna", PASSWORD).cookie());
    assert_eq!([list(&one), list(&two), list(&three)], [200; 3]);
    let signed_out = service.ask(
        "POST",
        "/sign-out",
        &[("Cookie", &one), ("Sec-Fetch-Site", "same-origin")],
        "",
    );
    assert!(
        signed_out
            .header("set-cookie")
            .is_some_and(|cookie| cookie.contains("Max-Age=0"))
    );
    assert_eq!([list(&one), list(&two), list(&three)], [401, 200, 200]);
    let changed = gannet.run_with(&["user", "passwd", "anna"], "another good password\n");
    assert_eq!(changed.code, Some(0), "{changed:?}");
    assert_eq!([list(&two), list(&three)], [401, 401]);
    let again = service.sign_in("anna", "another good password").cookie();
    assert_eq!(list(&again), 200);
    gannet.ok(&["user", "disable", "anna"]);
    assert_eq!(
        (
            list(&again),
            service.sign_in("anna", "another good password").status
        ),
        (401, 401)
    );
}

#[test]
fn signing_in_ends_the_session_of_whoever_used_the_browser_before() {
    let (gannet, service) = rig();
    gannet.add_person("ben", "admin");
    let before = service.sign_in("ben", PASSWORD).cookie();
    let fields = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Cookie", before.as_str()),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    let form = format!("name=anna&password={}", PASSWORD.replace(' ', "+"));
    let after = service.ask("POST", "/sign-in", &fields, &form).cookie();
    let read = |cookie: &str| service.ask("GET", "/api/v1/sources", &[("Cookie", cookie)], "");
    assert_eq!((read(&before).status, read(&after).status), (401, 200));
}

#[test]
fn a_write_that_another_site_caused_is_refused() {
    let (_gannet, service) = rig();
    let cookie = service.sign_in("anna", PASSWORD).cookie();
    let own = format!("http://{}", service.address);
    for (fields, is_allowed) in [
        (vec![("Sec-Fetch-Site", "same-origin")], true),
        (vec![("Sec-Fetch-Site", "cross-site")], false),
        (vec![("Sec-Fetch-Site", "same-site")], false),
        (vec![("Sec-Fetch-Site", "none")], false),
        (vec![("Origin", own.as_str())], true),
        (vec![("Origin", "https://evil.example")], false),
        (vec![("Origin", "null")], false),
        (vec![], false),
    ] {
        let mut all = fields.clone();
        all.extend([
            ("Cookie", cookie.as_str()),
            ("Content-Type", "application/json"),
        ]);
        let answer = service.ask("PATCH", "/api/v1/sources/a", &all, "{\"interval\": \"6h\"}");
        assert_eq!(answer.status == 200, is_allowed, "{fields:?}: {answer:?}");
        assert!(is_allowed || answer.status == 403, "{fields:?}: {answer:?}");
    }
}

#[test]
fn behind_a_proxy_reading_needs_a_person() {
    let gannet = Gannet::new();
    gannet
        .configure("[http]\ntrusted_proxies = [\"127.0.0.1\"]\nuser_header = \"X-Remote-User\"\n");
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.add_person("anna", "viewer");
    let service = Service::start(&gannet, &["--no-worker"]);
    for (fields, status) in [
        (vec![], 200),
        (vec![("X-Forwarded-For", "192.0.2.7")], 401),
        (vec![("X-Real-IP", "192.0.2.7")], 401),
        (vec![("Via", "1.1 proxy")], 401),
        (
            vec![("X-Forwarded-For", "192.0.2.7"), ("X-Remote-User", "anna")],
            200,
        ),
        (
            vec![("X-Forwarded-For", "192.0.2.7"), ("X-Remote-User", "ben")],
            403,
        ),
        // One of them may be the client's own.
        (
            vec![("X-Remote-User", "anna"), ("X-Remote-User", "anna")],
            400,
        ),
    ] {
        let answer = service.ask("GET", "/api/v1/sources", &fields, "");
        assert_eq!(answer.status, status, "{fields:?}: {answer:?}");
    }
    let fields = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Forwarded-For", "192.0.2.7"),
        ("X-Forwarded-Proto", "https"),
    ];
    let form = format!("name=anna&password={}", PASSWORD.replace(' ', "+"));
    let signed_in = service.ask("POST", "/sign-in", &fields, &form);
    let cookie = signed_in.header("set-cookie").unwrap_or_default();
    assert!(
        cookie.starts_with("__Host-gannet_session=") && cookie.contains("; Secure"),
        "{cookie}"
    );
}

#[test]
fn who_signs_in_comes_back_to_the_page() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.add_person("anna", "operator");
    let service = Service::start(&gannet, &["--no-worker"]);
    let html = [("Accept", "text/html")];
    let shown = |path: &str| service.ask("GET", path, &html, "").text();
    for (path, place) in [
        (
            "/sources?filter=tag:eu",
            "/sign-in?to=%2Fsources%3Ffilter%3Dtag%3Aeu",
        ),
        ("/", "/sign-in\""),
        ("/sources/9", "/sign-in?to=%2Fsources%2F9"),
        ("/sources/1/remove", "/sign-in?to=%2Fsources%2F1%2Fremove"),
        ("/sign-in?to=/log", "/sign-in\""),
    ] {
        let page = shown(path);
        assert!(page.contains(&format!("href=\"{place}")), "{path}: {page}");
    }
    let fields = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Accept", "text/html"),
    ];
    for (to, expected) in [
        ("/sources?filter=tag:eu", Some("/sources?filter=tag:eu")),
        ("//evil.example", None),
        ("/\\evil.example", None),
        ("https://evil.example/", None),
        ("/\t/evil.example", None),
    ] {
        let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
        let page = shown(&format!("/sign-in?to={to}"));
        assert_eq!(
            page.contains("name=\"to\""),
            expected.is_some(),
            "{to}: {page}"
        );
        let form = |password: &str| format!("name=anna&password={password}&to={to}");
        let wrong = service.ask("POST", "/sign-in", &fields, &form("wrong"));
        assert_eq!(
            wrong.text().contains("name=\"to\""),
            expected.is_some(),
            "{wrong:?}"
        );
        let right = service.ask("POST", "/sign-in", &fields, &form(PASSWORD));
        let place = expected.unwrap_or("/");
        assert_eq!(
            (right.status, right.header("location")),
            (303, Some(place)),
            "{to}"
        );
    }
    let used = service.ask("GET", "/sign-in/never", &html, "");
    assert!(
        used.status == 403 && used.text().contains("this link was used"),
        "{used:?}"
    );
}
