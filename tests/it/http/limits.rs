//! The limits of the service, and its start and end.

use std::io::{Read as _, Write as _};

use crate::rig::{Gannet, Service, Terminal, until};

fn rig() -> Gannet {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet
}

/// The system resets a connection that is closed with bytes that were not read: the client would never learn why.
#[test]
fn a_refusal_reaches_a_client_that_sends_all_of_its_body_first() {
    let gannet = rig();
    let token = gannet.ok(&["token", "create", "sensor", "--role", "ingest"]);
    let (good, bad) = (format!("Bearer {}", token.trim()), "Bearer none".to_owned());
    let service = Service::start(&gannet, &["--no-worker"]);
    let long = "1".repeat(8 << 20);
    for (path, token, kind, status) in [
        ("/api/v1/messages", &bad, "application/json", 401),
        ("/api/v1/messages", &good, "text/plain", 415),
        ("/api/v1/messages", &good, "application/json", 413),
        ("/api/v1/sources", &good, "application/json", 403),
        ("/nowhere", &good, "application/json", 404),
    ] {
        let fields = [("Authorization", token.as_str()), ("Content-Type", kind)];
        let answer = service.ask("POST", path, &fields, &long);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.header("connection"), Some("close"), "{path}");
    }
}

#[test]
fn strange_requests_are_refused_and_the_next_one_is_answered() {
    let gannet = rig();
    gannet.configure("[http]\nhosts = [\"gannet.example.org\"]\n");
    let service = Service::start(&gannet, &["--no-worker"]);
    for (host, status) in [
        ("localhost", 200),
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("gannet.example.org", 200),
        ("GANNET.example.org:443", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("a b", 421),
        ("127.0.0.1/evil", 421),
        ("127.0.0.1#.evil.example", 421),
        ("evil.example:80@127.0.0.1", 421),
        ("", 421),
    ] {
        let answer = service.ask("GET", "/healthz", &[("Host", host)], "");
        assert_eq!(answer.status, status, "{host}: {answer:?}");
    }
    for (request, expected) in [
        (
            format!(
                "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "x".repeat(9_000)
            ),
            "HTTP/1.1 4",
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
                "x".repeat(9_000)
            ),
            "HTTP/1.1 431",
        ),
        ("nonsense\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        (
            "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"
                .to_owned(),
            "HTTP/1.1 400",
        ),
        (
            "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n".to_owned(),
            "HTTP/1.1 4",
        ),
    ] {
        let mut stream = service.connect();
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with(expected), "{request:.60}: {answer}");
    }
    assert_eq!(service.get("/healthz").text(), "alive\n");
    assert_eq!(service.get("/readyz").text(), "ready\n");
}

#[test]
fn readiness_and_numbers_follow_the_passes_of_the_worker() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://gannet.invalid/a", "--name", "a"]);
    gannet.ok(&["disable", "a"]);
    let service = Service::start(&gannet, &[]);
    until("a pass ends with nothing due", || {
        let ready = service.get("/readyz");
        ready.status == 200 && ready.text().starts_with("ready; the last pass ended at 20")
    });
    let numbers = service.get("/metrics").text();
    let last = numbers
        .lines()
        .find_map(|line| line.strip_prefix("gannet_last_pass_timestamp_seconds "));
    assert!(
        last.is_some_and(|at| at.parse().is_ok_and(|at: f64| at > 1e9)),
        "{numbers}"
    );
}

#[test]
fn a_service_that_can_keep_nothing_is_not_ready() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    assert_eq!(service.get("/readyz").status, 200);
    let objects = gannet.path("data/objects");
    let aside = gannet.path("data/objects.aside");
    std::fs::rename(&objects, &aside).expect("moved");
    let ready = service.get("/readyz");
    assert_eq!(ready.status, 503, "{ready:?}");
    let detail = ready.json()["detail"].to_string();
    assert!(detail.contains("keep objects in"), "{detail}");
    std::fs::rename(&aside, &objects).expect("moved back");
    assert_eq!(service.get("/readyz").status, 200);
}

#[test]
fn the_service_begins_and_ends_in_order() {
    let gannet = rig();
    let service = Service::start(&gannet, &[]);
    let taken = gannet.run(&["serve", "--listen", &service.address]);
    assert_eq!(taken.code, Some(3), "{taken:?}");
    assert!(
        taken
            .err
            .contains(&format!("cannot listen on {}", service.address)),
        "{taken:?}"
    );
    let everywhere = gannet.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(everywhere.code, Some(2), "{everywhere:?}");
    assert!(
        everywhere.err.contains("nobody could sign in"),
        "{everywhere:?}"
    );
    gannet.ok(&["token", "create", "old", "--role", "viewer"]);
    gannet.ok(&["token", "revoke", "old"]);
    let everywhere = gannet.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(everywhere.code, Some(2), "{everywhere:?}");
    let child = gannet.start(&["serve", "--listen", "localhost:0", "--no-worker"]);
    let local = Service::of(child).address.clone();
    assert!(local.starts_with("127.0.0.1:"), "{local}");
    let empty = Gannet::new().run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(
        empty.code == Some(3) && empty.err.contains("no catalogue"),
        "{empty:?}"
    );
    // A client that keeps its connection open does not keep the service from ending.
    let idle = service.connect();
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    drop(idle);
}

#[test]
fn a_service_without_a_worker_reads_its_configuration_again() {
    let gannet = rig();
    gannet.configure("");
    let service = Service::start(&gannet, &["--no-worker"]);
    let status = || {
        let host = [("Host", "gannet.example.org")];
        service.ask("GET", "/healthz", &host, "").status
    };
    assert_eq!(status(), 421);
    gannet.configure("[http]\nhosts = [\"gannet.example.org\"]\n");
    service.hang_up();
    until("the new host is known", || status() == 200);
    // A configuration that cannot be used leaves the former one in force.
    gannet.configure("[http]\nhosts = 7\n");
    service.hang_up();
    let rejected = || gannet.ok(&["log"]).contains("config.rejected");
    until("the event", rejected);
    assert_eq!(status(), 200);
    let (_, said) = service.end();
    assert!(
        said.contains("hosts") && said.contains("in force"),
        "{said}"
    );
}

#[test]
fn no_answer_may_be_kept_framed_or_guessed_at() {
    let service_of = rig();
    let service = Service::start(&service_of, &["--no-worker"]);
    for path in ["/api/v1/sources", "/nowhere", "/sign-in"] {
        let answer = service.get(path);
        for name in [
            "x-content-type-options",
            "referrer-policy",
            "cache-control",
            "x-frame-options",
            "content-security-policy",
        ] {
            assert!(
                answer.header(name).is_some(),
                "{path} lacks {name}: {answer:?}"
            );
        }
    }
}

#[test]
fn the_link_to_sign_in_leads_to_the_address_that_is_configured() {
    for (toml, begin) in [
        ("", "once within 10 minutes: http://127.0.0.1:"),
        (
            "[http]\nurl = \"https://gannet.example.org\"\n",
            "once within 10 minutes: https://gannet.example.org/sign-in/",
        ),
    ] {
        let gannet = rig();
        gannet.configure(toml);
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--no-worker"];
        let mut terminal = Terminal::start(&gannet, &arguments);
        terminal.wait_for(begin);
        terminal.press("\x03");
        terminal.ended();
    }
}
