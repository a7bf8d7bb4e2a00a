//! Published files, as browsers and programs get them.

use std::process::Command;

use crate::rig::{Home, Service};

fn rig() -> (Home, Service) {
    let home = Home::new("");
    home.serve("prices.csv", "a,1\n");
    home.serve("page.html", "<script>alert(1)</script>");
    home.origin
        .on("/dot.png", [b"\x89PNG\r\n\x1a\nrest".to_vec()]);
    for name in ["prices.csv", "page.html", "dot.png"] {
        home.add(name, &["--tag", "all"]);
    }
    home.ok(&["--worker-only"]);
    let service = Service::start(&home.gannet, &["--no-worker"]);
    (home, service)
}

/// Returns the address of a source's published file.
fn address(home: &Home, name: &str) -> String {
    let path = home.file(name);
    let below = path
        .strip_prefix(home.data().join("published"))
        .expect("a published file");
    format!("/files/{}", below.display())
}

#[test]
fn published_files_are_sent_as_what_they_are_and_cannot_act() {
    let (home, service) = rig();
    for (name, media_type, disposition) in [
        ("prices.csv", "text/csv", "attachment"),
        ("page.html", "text/html", "attachment"),
        ("dot.png", "image/png", "inline"),
    ] {
        let answer = service.get(&address(&home, name));
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(media_type)),
            "{answer:?}"
        );
        assert!(
            answer
                .header("content-disposition")
                .is_some_and(|value| value.starts_with(disposition)),
            "{answer:?}"
        );
        assert_eq!(
            answer.header("content-security-policy"),
            Some("sandbox; default-src 'none'; frame-ancestors 'none'")
        );
        assert_eq!(answer.body, std::fs::read(home.file(name)).expect("a file"));
    }
    let csv = address(&home, "prices.csv");
    let tag = service.get(&csv).header("etag").expect("a tag").to_owned();
    assert_eq!(
        service
            .ask("GET", &csv, &[("If-None-Match", &tag)], "")
            .status,
        304
    );
    let part = service.ask("GET", &csv, &[("Range", "bytes=2-2")], "");
    assert_eq!(
        (part.status, part.text()),
        (206, "1".to_owned()),
        "{part:?}"
    );
    home.serve("prices.csv", "a,2\n");
    home.run(&["fetch", "prices.csv"]);
    let changed = service.ask("GET", &csv, &[("If-None-Match", &tag)], "");
    assert_eq!((changed.status, changed.text()), (200, "a,2\n".to_owned()));
    for path in [
        "/files/../gannet.db",
        "/files/%2e%2e/gannet.db",
        "/files/..%2fgannet.db",
        "/files/",
        "/files/nowhere/x",
        "/sets/none/x",
        "/sets/%2e%2e/published/x",
    ] {
        assert_eq!(service.get(path).status, 404, "{path}");
    }
}

#[test]
fn what_is_no_file_is_not_there() {
    let (home, service) = rig();
    let csv = address(&home, "prices.csv");
    let file = home.file("prices.csv");
    let beside = |name: &str| file.with_file_name(name);
    std::os::unix::fs::symlink("/etc/passwd", beside("link.csv")).expect("a link");
    std::fs::create_dir(beside("folder.csv")).expect("a folder");
    let made = Command::new("mkfifo").arg(beside("pipe.csv")).status();
    assert!(made.is_ok_and(|made| made.success()), "a pipe");
    // A folder that leads elsewhere shows nothing of what is there.
    let elsewhere = home.path("elsewhere");
    std::fs::create_dir(&elsewhere).expect("a folder");
    std::fs::write(elsewhere.join("secret.csv"), "secret").expect("a file");
    std::os::unix::fs::symlink(&elsewhere, beside("away")).expect("a link");
    let sets = home.data().join("sets");
    std::fs::create_dir_all(&sets).expect("a folder");
    std::os::unix::fs::symlink(&elsewhere, sets.join("mine")).expect("a link");
    assert_eq!(service.get("/sets/mine/secret.csv").status, 404);
    let (folder, _) = csv.rsplit_once('/').expect("a folder");
    let listing = folder.replacen("/files/", "/published/", 1);
    assert_eq!(service.get(&format!("{listing}/")).status, 200);
    assert_eq!(service.get(&format!("{listing}/away/")).status, 404);
    for name in ["link.csv", "folder.csv", "pipe.csv", "away/secret.csv"] {
        let answer = service.get(&csv.replace("prices.csv", name));
        assert_eq!(answer.status, 404, "{name}: {answer:?}");
    }
}

#[test]
fn numbers_tell_what_happened_since_the_start() {
    let (home, service) = rig();
    home.run(&["fetch", "prices.csv"]);
    home.origin
        .on("/page.html", [crate::rig::Reply::status(404)]);
    home.run(&["fetch", "page.html"]);
    service.get("/api/v1/sources/1");
    let numbers = service.get("/metrics").text();
    for family in numbers
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
    {
        let (name, _) = family.split_once(' ').expect("a name");
        let help = format!("# HELP {name} ");
        assert!(numbers.contains(&help), "{name}: {numbers}");
    }
    for line in [
        "gannet_sources{state=\"ok\"} 1",
        "gannet_sources{state=\"down\"} 1",
        "gannet_attempts_total{outcome=\"unchanged\",error_kind=\"\"} 1",
        "gannet_attempts_total{outcome=\"failed\",error_kind=\"status\"} 1",
        "gannet_attempt_duration_seconds_count 2",
        "gannet_http_requests_total{route=\"/api/v1/sources/{source}\",status=\"200\"} 1",
        "gannet_websocket_clients 0",
    ] {
        assert!(numbers.lines().any(|one| one == line), "{line}: {numbers}");
    }
}
