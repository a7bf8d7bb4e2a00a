//! The client against a scripted origin: what is sent, what comes back, what is tried again.

use std::time::Duration;

use chrono::TimeDelta;
use gannet::clock::Clock as _;
use gannet::domain::{Digest, FailureKind, LastModified, Validators};
use gannet::net::{Download, FetchOutcome};

use crate::rig::{
    Client, Gate, JumpingClock, Origin, Reply, at, bytes_of, comes, failure, fetched,
};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

#[tokio::test]
async fn fetches_a_file_with_all_that_its_head_says() {
    let origin = Origin::start(true);
    let reply = Reply::ok("a,b\n")
        .header("etag", "W/\"7-gzip\"")
        .header("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")
        .header("content-type", "text/csv; charset=utf-8")
        .header(
            "content-disposition",
            "attachment; filename=\"../p.csv\"; filename*=UTF-8''pr%C3%A9.csv",
        );
    origin.on("/x", [reply]);
    let rig = Client::of(&origin, "/x?y=1");
    let report = rig.fetch().await;
    assert_eq!((report.http_status, report.tries), (Some(200), 1));
    let FetchOutcome::Fetched(Download {
        content,
        validators,
        name,
        media_type,
        last_modified,
        ..
    }) = report.outcome
    else {
        panic!("{:?}", report.outcome)
    };
    assert_eq!(content.as_memory(), Some(&b"a,b\n"[..]));
    assert_eq!(validators.etag.as_deref(), Some("W/\"7-gzip\""));
    assert_eq!(
        validators.last_modified.as_deref(),
        Some("Sun, 06 Nov 1994 08:49:37 GMT")
    );
    assert_eq!(name, "pré.csv");
    assert_eq!(media_type.as_deref(), Some("text/csv; charset=utf-8"));
    assert_eq!(
        last_modified,
        Some(LastModified::At(at("1994-11-06T08:49:37Z")))
    );

    let sent = &origin.requests()[0];
    assert_eq!(
        (sent.method.as_str(), sent.path.as_str()),
        ("GET", "/x?y=1")
    );
    assert_eq!(sent.header("accept-encoding"), Some("gzip"));
    assert_eq!(
        sent.header("user-agent"),
        Some(rig.config.user_agent.as_str())
    );
    for absent in [
        "if-none-match",
        "if-modified-since",
        "referer",
        "range",
        "cookie",
    ] {
        assert_eq!(sent.header(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn asks_with_both_validators_verbatim_and_keeps_what_a_304_renews() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::status(304).header("etag", "W/\"8\"")]);
    let mut rig = Client::of(&origin, "/x");
    rig.validators = Validators {
        etag: Some("W/\"7-gzip\"".to_owned()),
        last_modified: Some("Sun Nov  6 08:49:37 1994".to_owned()),
        ..Validators::default()
    };
    let report = rig.fetch().await;
    assert_eq!((report.http_status, report.tries), (Some(304), 1));
    let FetchOutcome::NotModified { validators } = report.outcome else {
        panic!("{:?}", report.outcome)
    };
    assert_eq!(validators.etag.as_deref(), Some("W/\"8\""));
    assert_eq!(validators.last_modified, rig.validators.last_modified);
    let sent = &origin.requests()[0];
    assert_eq!(sent.header("if-none-match"), Some("W/\"7-gzip\""));
    assert_eq!(
        sent.header("if-modified-since"),
        Some("Sun Nov  6 08:49:37 1994")
    );
}

#[tokio::test]
async fn an_answer_that_was_not_asked_for_leads_to_one_plain_request() {
    for (status, conditional) in [(304, false), (206, false), (206, true)] {
        let origin = Origin::start(true);
        origin.on("/x", [Reply::status(status), Reply::ok("whole")]);
        let mut rig = Client::of(&origin, "/x");
        if conditional {
            rig.validators.etag = Some("\"a\"".to_owned());
        }
        let report = rig.fetch().await;
        assert_eq!(report.tries, 2);
        assert_eq!(fetched(report).0, b"whole");
        assert_eq!(origin.requests()[1].header("if-none-match"), None);

        origin.on("/x", [Reply::status(status)]);
        let detail = rig.fails(FailureKind::Protocol).await;
        assert!(
            detail.contains(&status.to_string()) && detail.contains("twice"),
            "{detail}"
        );
        assert_eq!(origin.requests().len(), 4);
    }
}

#[tokio::test]
async fn decodes_gzip_whole() {
    let origin = Origin::start(true);
    let two_members = [gzip(b"first,"), gzip(b"second")].concat();
    let large = b"0123456789abcdef".repeat(100_000);
    for (coding, wire, expected) in [
        ("gzip", two_members.clone(), b"first,second".to_vec()),
        ("x-gzip", two_members, b"first,second".to_vec()),
        ("identity", b"plain".to_vec(), b"plain".to_vec()),
        ("gzip", gzip(&large), large.clone()),
    ] {
        let reply = Reply::ok(wire).header("content-encoding", coding);
        origin.on("/x", [reply.clone().chunked(), reply]);
        for _ in 0..2 {
            let rig = Client::of(&origin, "/x");
            assert!(fetched(rig.fetch().await).0 == expected, "{coding}");
        }
    }
}

#[tokio::test]
async fn a_gzip_file_stays_as_it_is() {
    let origin = Origin::start(true);
    let wire = gzip(b"content");
    let coded = Reply::ok(wire.clone()).header("content-encoding", "gzip");
    origin.on("/x.tar.gz", [coded.clone()]);
    origin.on(
        "/x",
        [coded.clone().header("content-type", "application/gzip")],
    );
    origin.on(
        "/y",
        [coded.header("content-disposition", "attachment; filename=y.tgz")],
    );
    for path in ["/x.tar.gz", "/x", "/y"] {
        assert_eq!(
            fetched(Client::of(&origin, path).fetch().await).0,
            wire,
            "{path}"
        );
    }
}

#[tokio::test]
async fn broken_or_unknown_codings_are_failures() {
    let origin = Origin::start(true);
    let wire = gzip(&b"content that is long enough ".repeat(9));
    let rig = Client::of(&origin, "/x");
    for (coding, body, words) in [
        ("gzip", wire[..wire.len() - 5].to_vec(), "cut short"),
        ("gzip", [&wire[..], b"trailing"].concat(), "broken"),
        ("gzip", Vec::new(), "cut short"),
        ("br", b"x".to_vec(), "`br`"),
        ("gzip, gzip", wire.clone(), "`gzip, gzip`"),
    ] {
        origin.on("/x", [Reply::ok(body).header("content-encoding", coding)]);
        let detail = rig.fails(FailureKind::Decode).await;
        assert!(detail.contains(words), "{detail}");
    }
}

#[tokio::test]
async fn sizes_are_capped_before_and_after_decoding() {
    let origin = Origin::start(true);
    let mut rig = Client::of(&origin, "/x");
    rig.settings.max_size_bytes = Some(100_000);
    let bomb = gzip(&vec![0; 1_000_000]);
    assert!(bomb.len() < 100_000);
    for reply in [
        // The stated length is enough: not one byte of this body ever comes.
        Reply::ok(vec![0; 100_001]).stall_after(0),
        Reply::ok(vec![0; 100_001]).chunked(),
        Reply::ok(bomb).header("content-encoding", "gzip"),
    ] {
        origin.on("/x", [reply]);
        let detail = rig.fails(FailureKind::TooLarge).await;
        assert!(
            detail.contains("97.7 KiB") && detail.contains("--max-size"),
            "{detail}"
        );
    }
    origin.on("/x", [Reply::ok(vec![0; 100_000]).chunked()]);
    assert_eq!(fetched(rig.fetch().await).0.len(), 100_000);
    rig.settings.max_size_bytes = None;
    rig.config.max_size_bytes = 99_999;
    rig.fails(FailureKind::TooLarge).await;
}

#[tokio::test]
async fn large_bodies_go_to_a_file_that_goes_with_the_content() {
    let origin = Origin::start(true);
    let body: Vec<u8> = (0..3_000_000_u32)
        .map(|n| n.to_le_bytes()[n as usize % 4])
        .collect();
    origin.on("/x", [Reply::ok(body.clone())]);
    let rig = Client::of(&origin, "/x");
    let report = rig.fetch().await;
    let FetchOutcome::Fetched(Download {
        content, digest, ..
    }) = report.outcome
    else {
        panic!("{:?}", report.outcome)
    };
    assert!(
        content
            .as_file()
            .is_some_and(|path| path.starts_with(rig.temp.path()))
    );
    assert!(bytes_of(&content) == body && digest == Digest::of(&body));
    drop(content);
    assert_eq!(rig.temp_files(), 0);
}

#[tokio::test]
async fn a_fetch_that_is_dropped_leaves_nothing() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::ok(vec![1; 2 << 20]).stall_after(1 << 20)]);
    let rig = Client::of(&origin, "/x");
    let fetcher = rig.fetcher();
    {
        let fetch = fetcher.fetch(rig.request());
        tokio::pin!(fetch);
        let spilled = comes(|| rig.temp_files() > 0);
        tokio::select! {
            report = &mut fetch => panic!("{report:?}"),
            () = spilled => {}
        }
    }
    // A batch may still be on its way to the disk: the file goes when that is done.
    comes(|| rig.temp_files() == 0).await;
}

#[tokio::test]
async fn an_empty_body_does_not_replace_content() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::ok("")]);
    let mut rig = Client::of(&origin, "/x");
    assert_eq!(fetched(rig.fetch().await).0, b"");
    rig.last_size_bytes = Some(77);
    let detail = rig.fails(FailureKind::Empty).await;
    assert!(detail.contains("77 bytes"), "{detail}");
    rig.settings.allow_empty = true;
    assert_eq!(fetched(rig.fetch().await).0, b"");
}

#[tokio::test]
async fn tries_again_what_may_pass() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let origin = Origin::start(true);
        origin.on(
            "/x",
            [
                Reply::status(status),
                Reply::status(status),
                Reply::ok("good"),
            ],
        );
        let rig = Client::of(&origin, "/x");
        let report = rig.fetch().await;
        assert_eq!((report.http_status, report.tries), (Some(200), 3));
        assert_eq!(fetched(report).0, b"good");
        let waited = rig.clock.now() - JumpingClock::new().now();
        assert!(waited <= TimeDelta::milliseconds(1500), "{waited}");
    }
    let origin = Origin::start(true);
    origin.on("/x", [Reply::status(503)]);
    let mut rig = Client::of(&origin, "/x");
    rig.config.max_tries = 2;
    let report = rig.fetch().await;
    assert_eq!((report.http_status, report.tries), (Some(503), 2));
    assert_eq!(
        failure(report, FailureKind::Status),
        "503 Service Unavailable"
    );
}

#[tokio::test]
async fn other_statuses_are_final() {
    let origin = Origin::start(true);
    let rig = Client::of(&origin, "/x");
    for (status, words) in [
        (404, "404 Not Found"),
        (403, "403 Forbidden"),
        (204, "204 No Content"),
        (300, "300 Multiple Choices"),
        (501, "501 Not Implemented"),
        (599, "599"),
    ] {
        origin.on("/x", [Reply::status(status)]);
        let report = rig.fetch().await;
        assert_eq!((report.http_status, report.tries), (Some(status), 1));
        assert_eq!(failure(report, FailureKind::Status), words);
    }
    origin.on("/x", [Reply::status(203)]);
    assert_eq!(fetched(rig.fetch().await).0, b"");
}

#[tokio::test]
async fn retry_after_is_a_floor_and_a_long_one_ends_the_attempt() {
    for (field, waits) in [
        ("30", Some(30)),
        ("Sat, 31 Jan 2026 12:00:45 GMT", Some(45)),
        ("61", None),
    ] {
        let origin = Origin::start(true);
        origin.on(
            "/x",
            [
                Reply::status(429).header("retry-after", field),
                Reply::ok("good"),
            ],
        );
        let rig = Client::of(&origin, "/x");
        let start = rig.clock.now();
        let report = rig.fetch().await;
        if let Some(seconds) = waits {
            assert_eq!(report.tries, 2, "{field}");
            assert_eq!(rig.clock.now() - start, TimeDelta::seconds(seconds));
            assert_eq!(fetched(report).0, b"good");
        } else {
            assert_eq!(report.tries, 1);
            let FetchOutcome::Failed { retry_after, .. } = report.outcome else {
                panic!("{:?}", report.outcome)
            };
            assert_eq!(retry_after, Some(start + TimeDelta::seconds(61)));
        }
    }
    // It counts from the answer, not from the start of the attempt.
    let origin = Origin::start(true);
    let asks = |field: &str| Reply::status(503).header("retry-after", field);
    origin.on("/x", [asks("50"), asks("100")]);
    let rig = Client::of(&origin, "/x");
    let start = rig.clock.now();
    let FetchOutcome::Failed { retry_after, .. } = rig.fetch().await.outcome else {
        panic!("503 is a failure")
    };
    assert_eq!(retry_after, Some(start + TimeDelta::seconds(150)));

    let origin = Origin::start(true);
    origin.on("/x", [Reply::status(404).header("retry-after", "999999")]);
    let rig = Client::of(&origin, "/x");
    let FetchOutcome::Failed { retry_after, .. } = rig.fetch().await.outcome else {
        panic!("404 is a failure")
    };
    assert_eq!(retry_after, Some(rig.clock.now() + TimeDelta::hours(24)));
}

#[tokio::test]
async fn connections_are_kept_and_http2_is_spoken() {
    for origin in [Origin::start(true), Origin::start_http2()] {
        origin.on("/x", [Reply::file("body")]);
        let mut rig = Client::of(&origin, "/x");
        let fetcher = rig.fetcher();
        let report = fetcher.fetch(rig.request()).await;
        let FetchOutcome::Fetched(download) = report.outcome else {
            panic!("{:?}", report.outcome)
        };
        rig.validators = download.validators;
        let gate = Gate::new();
        origin.on("/x", [Reply::file("body").behind(&gate)]);
        let both =
            futures_util::future::join(fetcher.fetch(rig.request()), fetcher.fetch(rig.request()));
        let release = async {
            origin.arrived(3).await;
            gate.open();
        };
        let ((one, two), ()) = futures_util::future::join(both, release).await;
        for report in [one, two] {
            assert!(matches!(report.outcome, FetchOutcome::NotModified { .. }));
        }
    }
}

#[tokio::test]
async fn time_limits_end_a_try() {
    let origin = Origin::start(true);
    let gate = Gate::new();
    origin.on("/silent", [Reply::ok("x").behind(&gate)]);
    origin.on("/stalled", [Reply::ok(vec![0; 9]).stall_after(3)]);
    origin.on(
        "/slow",
        [Reply::ok(vec![0; 100_000]).drip(Duration::from_millis(20))],
    );
    let mut rig = Client::of(&origin, "/silent");
    rig.config.read_timeout = Duration::from_millis(300);
    rig.config.max_tries = 2;
    let report = rig.fetch().await;
    assert_eq!(report.tries, 2);
    let detail = failure(report, FailureKind::Timeout);
    assert_eq!(
        detail,
        "timed out after 300 ms waiting for the server's answer"
    );

    let mut stalled = Client::of(&origin, "/stalled");
    stalled.config.read_timeout = Duration::from_secs(3);
    let mut slow = Client::of(&origin, "/slow");
    slow.config.read_timeout = Duration::from_secs(3);
    slow.config.min_rate_bytes = 1000;
    let mut total = Client::of(&origin, "/stalled");
    total.config.total_timeout = Duration::from_secs(1);
    let (stalled, slow, total) = futures_util::future::join3(
        stalled.fails(FailureKind::Timeout),
        slow.fails(FailureKind::Slow),
        total.fails(FailureKind::Timeout),
    )
    .await;
    assert_eq!(stalled, "timed out after 3 s waiting for more of the body");
    assert!(
        slow.contains("below the least rate of 1000 over 3 s"),
        "{slow}"
    );
    assert_eq!(total, "timed out after 1 s, the time for one try");
}
