//! Which conditions go where, and which 304 is believed.

use std::sync::Arc;

use gannet::clock::{Clock as _, ManualClock};
use gannet::config::Secrets;
use gannet::domain::{FailureKind, Validators};
use gannet::net::{Download, FetchOutcome, FetchReport, Fetcher, Limiter};

use crate::rig::{Client, Origin, Reply, fetched};

fn validators_of(report: FetchReport) -> Validators {
    match report.outcome {
        FetchOutcome::Fetched(Download { validators, .. })
        | FetchOutcome::NotModified { validators } => validators,
        other @ FetchOutcome::Failed { .. } => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_redirect_that_leads_elsewhere_is_asked_without_conditions() {
    let origin = Origin::start(true);
    let dated = |day: &str, body: &str| {
        let date = format!("Mon, {day} Jan 2023 00:00:00 GMT");
        Reply::ok(body.to_owned()).header("last-modified", date)
    };
    origin.on("/v2", [dated("02", "two"), Reply::status(304)]);
    origin.on("/v1", [dated("01", "one")]);
    let (to_one, to_two) = (Reply::redirect(302, "/v1"), Reply::redirect(302, "/v2"));
    origin.on("/latest", [to_two.clone(), to_two, to_one]);
    let mut rig = Client::of(&origin, "/latest");

    rig.validators = validators_of(rig.fetch().await);
    let report = rig.fetch().await;
    assert!(matches!(report.outcome, FetchOutcome::NotModified { .. }));
    rig.validators = validators_of(report);
    let report = rig.fetch().await;
    assert_eq!(fetched(report).0, b"one");
    let asked: Vec<(String, bool)> = origin
        .requests()
        .iter()
        .map(|request| {
            let asked = request.header("if-modified-since").is_some();
            (request.path.clone(), asked)
        })
        .collect();
    let plain = |path: &str| (path.to_owned(), false);
    assert_eq!(
        asked,
        [
            plain("/latest"),
            plain("/v2"),
            plain("/latest"),
            ("/v2".to_owned(), true),
            plain("/latest"),
            plain("/v1"),
        ]
    );
}

#[tokio::test]
async fn a_304_about_other_content_is_asked_again() {
    let origin = Origin::start(true);
    for (sent, answered) in [
        ((Some("\"a\""), None), ("etag", "\"b\"")),
        ((Some("W/\"a\""), None), ("etag", "\"b\"")),
        (
            (None, Some("Tue, 02 Jan 2024 00:00:00 GMT")),
            ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT"),
        ),
    ] {
        let wrong = Reply::status(304).header(answered.0, answered.1);
        origin.on("/x", [wrong, Reply::ok("whole").header("etag", "\"b\"")]);
        let mut rig = Client::of(&origin, "/x");
        rig.validators = Validators {
            etag: sent.0.map(str::to_owned),
            last_modified: sent.1.map(str::to_owned),
            ..Validators::default()
        };
        let report = rig.fetch().await;
        assert_eq!(report.tries, 2);
        let requests = origin.requests();
        let last = requests.last().expect("a request");
        assert_eq!(last.header("if-none-match"), None);
        assert_eq!(last.header("if-modified-since"), None);
        assert_eq!(fetched(report).0, b"whole");
    }
}

/// A file that changes once more in the second in which it was fetched keeps its date of change: a server that is asked by it
/// answers 304 for ever.
#[tokio::test]
async fn a_change_in_the_second_of_the_fetch_is_seen() {
    let origin = Origin::start(true);
    let dated = |body: &'static str, second: u8, etag: &str| {
        let date = format!("Mon, 05 Jan 2026 00:00:{second:02} GMT");
        let reply = Reply::ok(body)
            .header("last-modified", "Mon, 05 Jan 2026 00:00:07 GMT")
            .header("date", date);
        match etag {
            "" => reply,
            etag => reply.header("etag", etag),
        }
    };
    for (second, etag, by_date, by_tag) in [
        (7, "", false, false),
        (7, "\"695aff07-3\"", false, false),
        (7, "W/\"695aff07-3\"", false, false),
        (7, "\"d41d8cd9\"", false, true),
        (8, "", true, false),
        (8, "\"695aff07-3\"", true, true),
    ] {
        origin.on("/x", [dated("one", second, etag), dated("two", 59, "")]);
        let mut rig = Client::of(&origin, "/x");
        rig.validators = validators_of(rig.fetch().await);
        assert_eq!(fetched(rig.fetch().await).0, b"two");
        let requests = origin.requests();
        let last = requests.last().expect("a request");
        let asked = ["if-modified-since", "if-none-match"].map(|name| last.header(name).is_some());
        assert_eq!(asked, [by_date, by_tag], "{second} {etag}");
    }
}

/// Confirmed a while later, the date tells contents apart from then on.
#[tokio::test]
async fn a_date_of_change_that_was_confirmed_later_is_a_validator() {
    let origin = Origin::start(true);
    let dated = |reply: Reply, second: u8| {
        let date = format!("Mon, 05 Jan 2026 00:00:{second:02} GMT");
        let reply = reply.header("last-modified", "Mon, 05 Jan 2026 00:00:07 GMT");
        reply.header("date", date).header("etag", "\"a\"")
    };
    origin.on(
        "/x",
        [dated(Reply::ok("one"), 7), dated(Reply::status(304), 9)],
    );
    let mut rig = Client::of(&origin, "/x");
    rig.validators = validators_of(rig.fetch().await);
    assert_eq!(rig.validators.last_modified, None);
    rig.validators = validators_of(rig.fetch().await);
    assert!(rig.validators.last_modified.is_some());
}

#[tokio::test]
async fn an_etag_beyond_ascii_comes_back_byte_for_byte() {
    let origin = Origin::start(true);
    for etag in [&b"\"caf\xe9\""[..], b"\"\xff\xfe\"", "\"é€\"".as_bytes()] {
        origin.on(
            "/x",
            [Reply::ok("x").header("etag", etag), Reply::status(304)],
        );
        let mut rig = Client::of(&origin, "/x");
        rig.validators = validators_of(rig.fetch().await);
        rig.fetch().await;
        let requests = origin.requests();
        let sent = requests.last().expect("a request").header("if-none-match");
        assert_eq!(sent, Some(&*String::from_utf8_lossy(etag)));
    }
}

#[tokio::test]
async fn a_refusal_says_when_to_come_back() {
    let origin = Origin::start(true);
    let rig = Client::of(&origin, "/x");
    let later = (rig.clock.now().timestamp() + 900).to_string();
    for (reply, expected) in [
        (
            Reply::status(403)
                .header("x-ratelimit-remaining", "0")
                .header("x-ratelimit-reset", &later),
            Some(900),
        ),
        (
            Reply::status(429).header("x-rate-limit-reset", "900"),
            Some(900),
        ),
        (
            Reply::status(403).header("ratelimit-reset", "900"),
            Some(900),
        ),
        (Reply::status(503).header("retry-after", "899.5"), Some(900)),
        (
            Reply::status(403)
                .header("x-ratelimit-remaining", "12")
                .header("x-ratelimit-reset", &later),
            None,
        ),
        (Reply::status(404).header("x-ratelimit-reset", &later), None),
    ] {
        origin.on("/x", [reply]);
        let rig = Client::of(&origin, "/x");
        let report = rig.fetch().await;
        let FetchOutcome::Failed { retry_after, .. } = report.outcome else {
            panic!("{:?}", report.outcome)
        };
        let wait = retry_after.map(|time| (time - rig.clock.now()).num_seconds());
        assert_eq!(wait, expected);
    }
}

#[tokio::test]
async fn a_refusal_with_an_address_says_where_it_leads() {
    let origin = Origin::start(true);
    for status in [300, 305] {
        origin.on("/x", [Reply::redirect(status, "/y.csv")]);
        let detail = Client::of(&origin, "/x").fails(FailureKind::Status).await;
        assert!(
            detail.contains(&status.to_string()) && detail.contains(&origin.url("/y.csv")),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn whoever_waits_for_a_better_moment_keeps_nobody_waiting() {
    for busy in [
        Reply::status(503).header("retry-after", "60"),
        Reply::status(429).header("retry-after", "1.5"),
        Reply::status(502),
    ] {
        let origin = Origin::start(true);
        origin.on("/x", [busy, Reply::ok("x")]);
        let rig = Client::of(&origin, "/x");
        let clock = ManualClock::new(rig.clock.now());
        let temp = rig.temp.path().to_owned();
        let fetcher = Fetcher::new(
            &rig.config,
            Secrets::default(),
            temp,
            Arc::new(clock.clone()),
        )
        .expect("a client");
        let limiter = Limiter::new(1, 1);
        let mut admission = limiter.admit(&origin.host()).await;
        let fetch = fetcher.fetch_within(rig.request(), Some(&mut admission));
        tokio::pin!(fetch);
        // The only place there is becomes free while the first attempt waits.
        for host in ["other.example", &origin.host()] {
            tokio::select! {
                report = &mut fetch => panic!("it waits by a clock that stands: {report:?}"),
                _ = limiter.admit(host) => {}
            }
        }
        clock.advance(chrono::Duration::seconds(60));
        assert_eq!(fetched(fetch.await).0, b"x");
        assert_eq!(origin.requests().len(), 2);
    }
}
