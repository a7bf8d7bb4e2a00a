//! Conditional requests and ranges: of every route that sends content, and of changes of a source.

use image::ImageFormat;
use serde_json::json;

use super::images::picture;
use crate::rig::{Gannet, Home, Service};

const POLICY: &str = r#"
[[verifier]]
name = "picture"
sources = ["dot.png"]
builtin = "image"
[[verifier]]
name = "whole"
scope = "set"
sources = ["tag:eu"]
command = ["sh", "-c", "true", "sh", "{path}"]
"#;
const BEFORE: &str = "Fri, 02 Jan 1970 00:00:00 GMT";

#[test]
fn every_content_is_sent_on_the_conditions_of_the_request() {
    let dot = picture(ImageFormat::Png, 2, 2);
    let home = Home::new(POLICY)
        .with_source("dot.png", [dot.clone()])
        .with_member("member.png", &["eu"], [dot.clone()])
        .fetched(&["dot.png", "member.png"]);
    let service = Service::start(&home.gannet, &["--no-worker"]);
    let file = home.file("dot.png");
    let below = file.strip_prefix(home.data().join("published"));
    let size = dot.len().to_string();
    for path in [
        format!("/files/{}", below.expect("a published file").display()),
        "/sets/eu/member.png".to_owned(),
        "/images/dot.png".to_owned(),
        "/api/v1/versions/1/content".to_owned(),
    ] {
        let whole = service.get(&path);
        assert_eq!(
            (whole.status, &whole.body),
            (200, &dot),
            "{path}: {whole:?}"
        );
        let tag = whole.header("etag").expect("a tag");
        let at = whole.header("last-modified").expect("a date");
        let range = ("Range", "Bytes=0-1");
        for (fields, status) in [
            (vec![("If-None-Match", tag)], 304),
            (
                vec![("If-None-Match", "\"x\""), ("If-None-Match", tag)],
                304,
            ),
            (vec![("If-Modified-Since", at)], 304),
            (vec![("If-Modified-Since", BEFORE)], 200),
            (
                vec![("If-Modified-Since", at), ("If-None-Match", "\"x\"")],
                200,
            ),
            (vec![("If-Match", tag)], 200),
            (vec![("If-Match", "\"x\""), ("If-Match", tag)], 200),
            (vec![("If-Match", "\"x\"")], 412),
            (vec![("If-Match", "\"x\""), ("If-None-Match", tag)], 412),
            (vec![("If-Unmodified-Since", at)], 200),
            (vec![("If-Unmodified-Since", BEFORE)], 412),
            (vec![range], 206),
            (vec![range, ("If-Range", tag)], 206),
            (vec![range, ("If-Range", at)], 206),
            (vec![range, ("If-Range", "\"x\"")], 200),
            (vec![range, ("If-Range", BEFORE)], 200),
            (vec![range, ("If-None-Match", tag)], 304),
            (vec![range, ("If-Match", "\"x\"")], 412),
            (vec![("Range", "bytes=9999-")], 416),
        ] {
            let answer = service.ask("GET", &path, &fields, "");
            assert_eq!(answer.status, status, "{path} {fields:?}: {answer:?}");
            let expected = match status {
                200 => &dot[..],
                206 => &dot[..2],
                304 => &[],
                _ => continue,
            };
            assert_eq!(answer.body, expected, "{path} {fields:?}");
            assert_eq!(answer.header("etag"), Some(tag), "{path} {fields:?}");
        }
        let known = service.ask("HEAD", &path, &[("If-None-Match", tag)], "");
        assert_eq!(known.status, 304, "{path}: {known:?}");
        assert_eq!(known.header("content-length"), None, "{path}");
        for range in ["bytes=0-1", "bytes=9999-"] {
            let head = service.ask("HEAD", &path, &[("Range", range)], "");
            assert_eq!(
                (head.status, head.header("content-length")),
                (200, Some(size.as_str())),
                "{path} {range}: {head:?}"
            );
        }
    }
}

#[test]
fn a_source_is_changed_and_removed_only_as_it_was_seen() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let token = gannet.ok(&["token", "create", "ci", "--role", "operator"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    let bearer = format!("Bearer {}", token.trim());
    let tag = |query: &str| {
        let shown = service.get(&format!("/api/v1/sources/1{query}"));
        shown.header("etag").expect("a tag").to_owned()
    };
    let first = tag("");
    let ask = |method: &str, query: &str, tags: &[&str], body: &str| {
        let mut fields = vec![
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
        ];
        fields.extend(tags.iter().map(|tag| ("If-Match", *tag)));
        let answer = service.ask(method, &format!("/api/v1/sources/1{query}"), &fields, body);
        answer.status
    };
    let patch = json!({"interval": "6h"}).to_string();
    assert_eq!(ask("PATCH", "", &["\"x\", \"y\""], &patch), 412);
    assert_eq!(ask("PATCH", "", &["\"x\"", &first], &patch), 200);
    let second = tag("");
    for tags in [&[first.as_str()][..], &["\"x\""], &[&format!("W/{second}")]] {
        assert_eq!(ask("DELETE", "", tags, ""), 412, "{tags:?}");
    }
    assert_eq!(ask("DELETE", "", &["\"x\"", &second], ""), 204);
    let removed = tag("?removed=true");
    assert_eq!(ask("DELETE", "?purge=true", &[&first], ""), 412);
    assert_eq!(ask("DELETE", "?purge=true", &[&removed], ""), 204);
}

#[test]
fn what_is_published_again_is_no_older_than_what_was_between() {
    let policy =
        "[[verifier]]\nname = \"eyes\"\nsources = [\"*\"]\ncommand = [\"sh\", \"-c\", \"true\"]\n";
    let home = Home::new(policy)
        .with_source("a", ["one", "two"])
        .fetched(&["a"]);
    let service = Service::start(&home.gannet, &["--no-worker"]);
    let newest = service.get("/api/v1/versions/a/content");
    assert!(newest.header("last-modified").is_some(), "{newest:?}");
    home.fetch("a");
    let published = || service.get("/api/v1/versions/a:published/content");
    assert_eq!(published().text(), "two");
    home.ok(&["verdict", "a", "eyes", "failed"]);
    let again = published();
    assert_eq!(again.text(), "one");
    // Its time would go back.
    assert_eq!(again.header("last-modified"), None, "{again:?}");
    assert!(again.header("etag").is_some());
}
