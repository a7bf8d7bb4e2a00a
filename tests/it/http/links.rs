//! Links that a verifier is sent instead of the bytes: the content once, the verdict once, across processes and kills.

use std::fs;
use std::path::Path;

use gannet::app::LinkRefusal;
use gannet::domain::{VerdictOutcome, VersionState};
use serde_json::{Value, json};

use crate::rig::{Answer, Home, Origin, Reply, Service, TestApp, until};

fn scanner() -> Origin {
    let scanner = Origin::start(false);
    scanner.on("/check", [Reply::status(202)]);
    scanner
}

fn policy(scanner: &Origin) -> String {
    format!(
        "[[verifier]]\nname = \"scanner\"\nsources = [\"*\"]\nhttp = \"{}\"\nsend = \"link\"\ndeadline = \"2h\"\n",
        scanner.url("/check")
    )
}

/// Returns what the verifier was sent last.
fn message(scanner: &Origin) -> Value {
    let requests = scanner.requests();
    let last = requests.last().expect("a request");
    assert_eq!(last.header("content-type"), Some("application/json"));
    serde_json::from_slice(&last.body).expect("JSON")
}

/// Returns the path of a link.
fn path(message: &Value, key: &str) -> String {
    let url = message[key].as_str().expect("an address");
    let (_, behind) = url.split_once("://").expect("a scheme");
    behind[behind.find('/').expect("a path")..].to_owned()
}

/// Returns the secret of a link.
fn secret(message: &Value, key: &str) -> String {
    let path = path(message, key);
    path.rsplit('/').next().expect("a part").to_owned()
}

fn give(service: &Service, path: &str, verdict: &str) -> Answer {
    let fields = [("Content-Type", "application/json")];
    let detail = "by hand and eye, http://127.0.0.1:1/links/content/never-shown";
    let body = json!({"verdict": verdict, "detail": detail});
    service.ask("POST", path, &fields, &body.to_string())
}

/// Returns whether a file below a folder has these bytes.
fn is_written(folder: &Path, text: &str) -> bool {
    let entries = fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .any(|path| {
            if path.is_dir() {
                return is_written(&path, text);
            }
            let bytes = fs::read(&path).unwrap_or_default();
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        })
}

#[test]
fn content_and_verdict_go_by_links_that_open_once() {
    let scanner = scanner();
    let toml = format!("[http]\nread = \"users\"\n{}", policy(&scanner));
    let home = Home::new(&toml).with_source("a", ["first"]);
    let service = Service::start(&home, &["--no-worker"]);
    // The worker is another process.
    home.fetch("a");
    let message = message(&scanner);
    for (key, expected) in [
        ("verifier", json!("scanner")),
        ("source", json!("a")),
        ("address", json!(home.url("a"))),
        ("size_bytes", json!(5)),
        ("version_id", json!(1)),
    ] {
        assert_eq!(message[key], expected, "{key}: {message}");
    }
    assert_eq!(home.source("a")["verified"], "pending");
    let (content, verdict) = (path(&message, "content"), path(&message, "verdict"));
    let base = format!("http://{}/links/", service.address);
    assert!(
        message["content"]
            .as_str()
            .is_some_and(|url| url.starts_with(&base))
    );
    // Neither opens what the other opens, and HEAD uses nothing up.
    let swapped = |from: &str, to: &str, path: &str| path.replace(from, to);
    let wrong = service.get(&swapped("verdict", "content", &verdict));
    assert_eq!(
        (wrong.status, wrong.json()["kind"].clone()),
        (404, json!("not-found"))
    );
    assert_eq!(
        give(&service, &swapped("content", "verdict", &content), "passed").status,
        404
    );
    assert_eq!(service.get("/links/content/nonsense").status, 404);
    assert_eq!(service.ask("HEAD", &content, &[], "").status, 405);
    assert_eq!(service.get(&format!("{content}/x")).status, 404);
    assert_eq!(service.get("/api/v1/sources").status, 401);
    let first = service.ask("GET", &content, &[("Range", "bytes=0-1")], "");
    assert_eq!((first.status, first.text()), (200, "first".to_owned()));
    let again = service.get(&content);
    assert_eq!(
        (again.status, again.json()["kind"].clone()),
        (410, json!("gone"))
    );
    assert_eq!(give(&service, &verdict, "perhaps").status, 400);
    assert_eq!(give(&service, &verdict, "passed").status, 204);
    let source = home.source("a");
    assert_eq!(
        (&source["verified"], &source["published_version_id"]),
        (&json!("passed"), &json!(1))
    );
    assert_eq!(give(&service, &verdict, "failed").status, 410);
    assert_eq!(home.source("a")["verified"], "passed");
    let log = home.ok(&["log"]);
    assert!(log.contains("scanner by http"), "{log}");
    let verdicts = home.ok(&["verdicts", "a"]);
    assert!(verdicts.contains("by hand and eye"), "{verdicts}");
    for mistyped in ["//links/content/", "/x/Links/verdict/", "/%6cinks/content/"] {
        assert_eq!(service.get(&format!("{mistyped}never-shown")).status, 404);
    }
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(!is_written(&home.data(), "never-shown"), "{verdicts}");
    // Nothing that is kept shows a link.
    assert!(
        is_written(&home.data(), "/links/content/{link}"),
        "the access log"
    );
    for key in ["content", "verdict"] {
        assert!(!is_written(&home.data(), &secret(&message, key)), "{key}");
    }
}

#[test]
fn a_verifier_that_is_asked_again_answers_the_last_request() {
    let scanner = scanner();
    let home = Home::new(&policy(&scanner)).with_source("a", ["first"]);
    let service = Service::start(&home, &["--no-worker"]);
    home.fetch("a");
    let first = message(&scanner);
    home.run(&["verify", "a"]);
    let second = message(&scanner);
    assert_eq!(service.get(&path(&first, "content")).status, 410);
    assert_eq!(
        give(&service, &path(&first, "verdict"), "passed").status,
        410
    );
    assert_eq!(
        give(&service, &path(&second, "verdict"), "failed").status,
        204
    );
    assert_eq!(home.source("a")["verified"], "failed");
}

#[test]
fn links_outlive_the_service_that_they_name() {
    let scanner = scanner();
    let home = Home::new(&policy(&scanner)).with_source("a", ["first"]);
    let start = || Service::start(&home, &["--no-worker"]);
    // Dropping it is a kill.
    drop({
        let service = start();
        home.fetch("a");
        service
    });
    let message = message(&scanner);
    let service = start();
    let content = service.get(&path(&message, "content"));
    assert_eq!((content.status, content.text()), (200, "first".to_owned()));
    drop(service);
    let service = start();
    assert_eq!(service.get(&path(&message, "content")).status, 410);
    assert_eq!(
        give(&service, &path(&message, "verdict"), "failed").status,
        204
    );
    drop(service);
    let service = start();
    assert_eq!(
        give(&service, &path(&message, "verdict"), "passed").status,
        410
    );
    assert_eq!(home.source("a")["verified"], "failed");
}

#[test]
fn without_a_service_the_verifier_is_not_asked() {
    let scanner = scanner();
    let home = Home::new(&policy(&scanner)).with_source("a", ["first"]);
    home.fetch("a");
    assert_eq!(home.source("a")["verified"], "error");
    let why = home.ok(&["verdicts", "a"]);
    assert!(why.contains("no service runs on this catalogue"), "{why}");
    assert!(scanner.requests().is_empty());
    let service = Service::start(&home, &["--no-worker"]);
    home.run(&["verify", "a"]);
    assert_eq!(home.source("a")["verified"], "pending");
    assert_eq!(service.end().0, Some(0));
    home.run(&["verify", "a"]);
    assert_eq!(home.source("a")["verified"], "error");
    assert_eq!(scanner.requests().len(), 1);
}

#[test]
fn links_name_the_address_that_the_configuration_gives() {
    let scanner = scanner();
    let toml = |url: &str| format!("[http]\nurl = \"{url}\"\n{}", policy(&scanner));
    let home = Home::new(&toml("https://Gannet.example.org/")).with_source("a", ["first"]);
    let service = Service::start(&home, &[]);
    until("the worker asks", || !scanner.requests().is_empty());
    let message = message(&scanner);
    let base = "https://gannet.example.org/links/content/";
    assert!(
        message["content"]
            .as_str()
            .is_some_and(|url| url.starts_with(base)),
        "{message}"
    );
    let host = [("Host", "gannet.example.org")];
    assert_eq!(
        service
            .ask("GET", &path(&message, "content"), &host, "")
            .status,
        200
    );
    for url in [
        "gannet.example.org",
        "ftp://h/",
        "https://h/path",
        "https://joe:pw@h/",
        "https://h/?a",
    ] {
        home.write_config("config.toml", &toml(url));
        let said = home.run(&["config", "check"]);
        assert_eq!(said.code, Some(2), "{url}: {said:?}");
        assert!(
            said.err
                .contains("expected scheme, host and perhaps a port"),
            "{said:?}"
        );
    }
}

/// Has the verifier asked about the first version, with new links.
async fn ask(app: &TestApp, scanner: &Origin) -> Value {
    let (address, url) = ("127.0.0.1:1", "http://127.0.0.1:1");
    let announced = app.announce_service(address.to_owned(), Some(url.to_owned()));
    announced.await.expect("a service");
    let (source, version) = app.version("1").await.expect("a version");
    let asked = app.asked_now().await.expect("an id");
    app.verify(&source, &version, asked).await.expect("asked");
    message(scanner)
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_with_its_version() {
    let scanner = scanner();
    let setup = TestApp::new().toml(&policy(&scanner));
    let app = setup.source("/a", ["first"]).open().await;
    app.try_pass().await;
    let content = async |message: &Value| {
        let opened = app.linked_content(&secret(message, "content")).await;
        opened
            .expect("an answer")
            .map(|(_, content)| content.size_bytes())
    };
    let verdict = async |message: &Value, outcome| {
        let link = secret(message, "verdict");
        let given = app.verdict_by_link(&link, outcome, None).await;
        given.expect("an answer")
    };
    let passed = VerdictOutcome::Passed;
    let message = ask(&app, &scanner).await;
    let wrong = app.linked_content(&secret(&message, "verdict")).await;
    assert_eq!(wrong.expect("an answer").err(), Some(LinkRefusal::Unknown));
    app.turn(59);
    assert_eq!(content(&message).await, Ok(5));
    assert_eq!(content(&message).await, Err(LinkRefusal::Used));
    let message = ask(&app, &scanner).await;
    app.turn(60);
    assert_eq!(content(&message).await, Err(LinkRefusal::Expired));
    assert_eq!(app.state().await, VersionState::Pending);
    assert_eq!(verdict(&message, passed).await, Ok(()));
    assert_eq!(app.state().await, VersionState::Passed);
    assert_eq!(verdict(&message, passed).await, Err(LinkRefusal::Used));
    let message = ask(&app, &scanner).await;
    app.turn(120);
    assert_eq!(verdict(&message, passed).await, Err(LinkRefusal::Expired));
    let message = ask(&app, &scanner).await;
    app.turn(1);
    let by_hand = app.verdict("1", "scanner", VerdictOutcome::Failed, None);
    by_hand.await.expect("a verdict");
    assert_eq!(verdict(&message, passed).await, Err(LinkRefusal::Judged));
    assert_eq!(app.state().await, VersionState::Failed);
    let message = ask(&app, &scanner).await;
    app.remove(&["a".to_owned()], false).await.expect("removed");
    assert_eq!(content(&message).await, Err(LinkRefusal::Removed));
    assert_eq!(verdict(&message, passed).await, Err(LinkRefusal::Removed));
}

#[tokio::test]
async fn a_link_of_a_purged_version_or_another_verifier_opens_nothing() {
    let scanner = scanner();
    let setup = TestApp::new().toml(&policy(&scanner));
    let app = setup.source("/a", ["first"]).open().await;
    app.try_pass().await;
    let message = ask(&app, &scanner).await;
    let elsewhere = policy(&scanner).replace("/check", "/other");
    let other = app.again().toml(&elsewhere).open().await;
    let link = secret(&message, "verdict");
    let adopted = other.adopt_policy().await;
    adopted.expect("another policy");
    let given = other
        .verdict_by_link(&link, VerdictOutcome::Passed, None)
        .await;
    assert_eq!(given.expect("an answer"), Err(LinkRefusal::OtherVerifier));
    other.remove(&["a".to_owned()], true).await.expect("purged");
    let opened = other.linked_content(&secret(&message, "content")).await;
    assert_eq!(opened.expect("an answer").err(), Some(LinkRefusal::Removed));
}

#[test]
fn a_link_ends_with_its_verifier() {
    let scanner = scanner();
    let home = Home::new(&policy(&scanner)).with_source("a", ["first"]);
    let service = Service::start(&home, &["--no-worker"]);
    home.fetch("a");
    let message = message(&scanner);
    drop(service);
    let other = policy(&scanner).replace("\"scanner\"", "\"other\"");
    home.write_config("config.toml", &other);
    home.pass();
    let service = Service::start(&home, &["--no-worker"]);
    let content = service.get(&path(&message, "content"));
    assert_eq!(content.status, 410, "{content:?}");
    let given = give(&service, &path(&message, "verdict"), "passed");
    assert_eq!(given.status, 410, "{given:?}");
}
