//! Heads that are not quite right, as servers send them: taken like curl and browsers do, as far as nothing is at stake.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use gannet::domain::FailureKind;

use crate::rig::{Client, Origin, RawOrigin, Reply, fetched};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn raw(head: &str, body: &str) -> RawOrigin {
    let script = format!("HTTP/1.1 200 OK\n{head}\n\n").replace('\n', "\r\n") + body;
    RawOrigin::start(vec![script.into_bytes()])
}

#[tokio::test]
async fn a_slip_in_the_head_does_not_hide_the_body() {
    let many = "X-Many: v\n".repeat(119);
    for head in [
        format!("{many}Content-Length: 3"),
        "PHP Warning: x\nContent-Length: 3".to_owned(),
        "Content-Length: 3\nPHP Deprecated: y in /z.php on line 3".to_owned(),
        "just a line\nContent-Length: 3".to_owned(),
        ": no name\nContent-Length: 3".to_owned(),
        "<br />\nContent-Length: 3".to_owned(),
        "X-A : b\nContent-Length: 3".to_owned(),
        "Content-Length : 3".to_owned(),
        "X-A: b\n  c\nContent-Length: 3".to_owned(),
        "X-A: b\n\tc\nContent-Length: 3".to_owned(),
        "X-A: a\u{1}b\nContent-Length: 3".to_owned(),
        "X-A: a\u{7f}b\nContent-Length: 3".to_owned(),
        "X-\u{e9}: b\nContent-Length: 3".to_owned(),
        "Content-Length: 3\nContent-Length: 3".to_owned(),
    ] {
        let origin = raw(&head, "abc");
        let rig = Client::new(&origin.url("/x"), origin.ca_file());
        let report = rig.fetch().await;
        assert_eq!(fetched(report).0, b"abc", "{head}");
    }
}

#[tokio::test]
async fn a_head_that_can_be_read_in_two_ways_is_refused() {
    for (head, words) in [
        (
            "Content-Length: 3\nContent-Length: 4",
            "`Content-Length: 3` and `Content-Length: 4`",
        ),
        ("Content-Length: 3, 4", "`Content-Length: 3, 4`"),
        ("Content-Length: +3", "`Content-Length: +3`"),
        ("Content-Length: 3\nTransfer-Encoding: chunked", "both"),
        ("Content-Length : 3\nTransfer-Encoding : chunked", "both"),
        ("Content-Length: 3\nTransfer-Encoding:\n chunked", "both"),
        ("X-A: a\0b\nContent-Length: 3", "`X-A: a\\u{0}b`"),
        ("X\0: b\nContent-Length: 3", "`X\\u{0}: b`"),
    ] {
        let origin = raw(head, "abcd");
        let mut rig = Client::new(&origin.url("/x"), origin.ca_file());
        rig.config.max_tries = 1;
        let detail = rig.fails(FailureKind::Protocol).await;
        assert!(detail.contains(words), "{head}: {detail}");
    }
}

/// What stands behind the last chunk takes nothing from the body before it; a chunk that cannot be read does.
#[tokio::test]
async fn a_slip_behind_a_chunked_body_does_not_hide_it() {
    let chunks = "3\r\nabc\r\n0\r\n";
    for behind in [
        "\r\n",
        "X-Sum: 1\r\n\r\n",
        "PHP Warning: x\r\n\r\n",
        "X-Sum: 1\r\nPHP Warning: x in /y.php\r\n\r\n",
        "<br />\r\n\r\n",
        "just a line\r\n\r\n",
        ": no name\r\n\r\n",
        "X-A : b\r\n\r\n",
        "X-A: a\u{1}b\r\n\r\n",
    ] {
        let origin = raw("Transfer-Encoding: chunked", &format!("{chunks}{behind}"));
        let report = Client::new(&origin.url("/x"), origin.ca_file())
            .fetch()
            .await;
        assert_eq!(fetched(report).0, b"abc", "{behind}");
    }
    for broken in [
        "3\r\nabc\r\nPHP Warning: x\r\n\r\n",
        "3\r\nabc\r\n",
        "3\r\nabc\r\n0\r\n",
        "3\r\nabc\r\n0\r\nX-Sum: 1\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
    ] {
        let origin = raw("Transfer-Encoding: chunked", broken);
        let mut rig = Client::new(&origin.url("/x"), origin.ca_file());
        rig.config.max_tries = 1;
        rig.fails(FailureKind::Protocol).await;
    }
}

#[tokio::test]
async fn a_token_that_is_no_coding_leaves_the_bytes_as_they_are() {
    let origin = Origin::start(true);
    for coding in [
        "utf-8",
        "UTF8",
        "none",
        "binary",
        "8bit",
        "iso-8859-1",
        "",
        "aws-chunked",
    ] {
        origin.on(
            "/x",
            [Reply::ok("plain").header("content-encoding", coding)],
        );
        let report = Client::of(&origin, "/x").fetch().await;
        assert_eq!(fetched(report).0, b"plain", "{coding}");
    }
    for coding in [
        "br",
        "zstd",
        "deflate",
        "compress",
        "x-compress",
        "gzip, br",
        "xz",
        "dcz",
    ] {
        origin.on(
            "/x",
            [Reply::ok("coded").header("content-encoding", coding)],
        );
        let detail = Client::of(&origin, "/x").fails(FailureKind::Decode).await;
        assert!(
            detail.contains(&format!("`{coding}`: only ")),
            "{coding}: {detail}"
        );
    }
    origin.on(
        "/x",
        [Reply::ok(gzip(b"plain")).header("content-encoding", "utf-8, gzip;q=1")],
    );
    assert_eq!(fetched(Client::of(&origin, "/x").fetch().await).0, b"plain");
}

#[tokio::test]
async fn one_layer_of_gzip_is_undone() {
    let origin = Origin::start(true);
    let file = gzip(b"a,b\n1,2\n");
    for (path, media_type) in [
        ("/data.csv.gz", "text/csv"),
        ("/data.tgz", "application/octet-stream"),
        ("/data", "application/gzip"),
        ("/data", "application/x-gzip"),
    ] {
        for wire in [gzip(&file), file.clone()] {
            let reply = Reply::ok(wire)
                .header("content-encoding", "gzip")
                .header("content-type", media_type);
            origin.on(path, [reply]);
            assert_eq!(
                fetched(Client::of(&origin, path).fetch().await).0,
                file,
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_body_is_empty_whatever_its_coding() {
    let origin = Origin::start(true);
    for (path, coding) in [
        ("/x", "gzip"),
        ("/x.gz", "gzip"),
        ("/x", "utf-8"),
        ("/x", "br"),
        ("/x", "gzip, gzip"),
        ("/x", "zstd"),
    ] {
        origin.on(path, [Reply::ok("").header("content-encoding", coding)]);
        let mut rig = Client::of(&origin, path);
        rig.last_size_bytes = Some(5);
        rig.fails(if coding == "utf-8" {
            FailureKind::Empty
        } else {
            FailureKind::Decode
        })
        .await;
        rig.settings.allow_empty = true;
        assert!(fetched(rig.fetch().await).0.is_empty());
        origin.on(
            path,
            [Reply::ok("").header("content-encoding", coding).chunked()],
        );
        assert!(fetched(rig.fetch().await).0.is_empty());
    }
    for coding in ["br", "gzip, gzip"] {
        let reply = Reply::ok("x").header("content-encoding", coding);
        origin.on("/y", [reply.clone(), reply.chunked()]);
        for _ in 0..2 {
            let mut rig = Client::of(&origin, "/y");
            rig.settings.allow_empty = true;
            let detail = rig.fails(FailureKind::Decode).await;
            assert!(detail.contains(&format!("`{coding}`: only ")), "{detail}");
        }
    }
}

#[tokio::test]
async fn a_location_in_any_bytes_is_followed() {
    let origin = Origin::start(true);
    for (location, path) in [
        (&b"/caf\xe9.csv"[..], "/caf%E9.csv"),
        ("/café.csv".as_bytes(), "/caf%C3%A9.csv"),
        (b"/a b.csv", "/a%20b.csv"),
    ] {
        origin.on("/x", [Reply::status(302).header("location", location)]);
        origin.on(path, [Reply::ok("end")]);
        assert_eq!(fetched(Client::of(&origin, "/x").fetch().await).0, b"end");
        assert_eq!(origin.requests().last().expect("a request").path, path);
    }
}

/// The parser leaves out what no field may hold; the message shows it all the same.
#[tokio::test]
async fn a_location_that_no_field_may_hold_is_shown() {
    for (line, words) in [
        ("Location: /a\u{1b}[31mb", "`Location: /a\\u{1b}[31mb`"),
        ("location: /a\u{7f}", "`location: /a\\u{7f}`"),
        ("X-Location: /a", "without a Location"),
    ] {
        let script = format!("HTTP/1.1 302 Found\r\n{line}\r\nContent-Length: 0\r\n\r\n");
        let origin = RawOrigin::start(vec![script.into_bytes()]);
        let rig = Client::new(&origin.url("/x"), origin.ca_file());
        let detail = rig.fails(FailureKind::Redirect).await;
        assert!(detail.contains(" answered 302 with"), "{line:?}: {detail}");
        assert!(detail.contains(words), "{line:?}: {detail}");
    }
}
