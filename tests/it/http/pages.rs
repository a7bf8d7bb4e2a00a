//! The pages: their words and links, hostile text, forms without script, and what browsers are told of each page.

use std::collections::HashMap;
use std::ops::Deref;

use super::visitor::Visitor;
use crate::rig::{Home, Reply};

const POLICIES: &str = r#"
[[verifier]]
name = "smell"
sources = ["rates.txt"]
command = ["sh", "-c", "echo '<script>alert(2)</script> bad'; exit 1"]

[[verifier]]
name = "review"
sources = ["release.txt"]
external = true

[[verifier]]
name = "whole"
scope = "set"
sources = ["tag:eu"]
command = ["true"]
"#;

const HOSTILE: &str = "<script>alert(1)</script>\n\u{202e}abc\u{1b}[2J\n";

/// A one-pixel GIF.
const PICTURE: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// A home with sources in several states, a set, and an operator.
struct Rig {
    home: Home,
    visitor: Visitor,
}

fn rig() -> Rig {
    let home = Home::new(POLICIES)
        .with_source("a.txt", [HOSTILE])
        .with_source("rates.txt", ["bad"])
        .with_source(
            "release.txt",
            ["one\ntwo 2 words\nthree\n", "one\ntwo 22 words\nthree\n"],
        )
        .with_source("gone.txt", [Reply::status(404)])
        .with_source("dot.gif", [PICTURE.to_vec()])
        .with_source("table.csv", ["id,name\n1,<b>\n"])
        .with_source("tree.json", [r#"{"a":{"<i>":[1]}}"#])
        .with_source("raw.bin", [b"\0\x01\xff".to_vec()])
        .with_member("m.txt", &["eu"], ["m"]);
    let all = [
        "a.txt",
        "rates.txt",
        "gone.txt",
        "dot.gif",
        "table.csv",
        "tree.json",
        "raw.bin",
        "m.txt",
    ];
    home.run(&[&["fetch", "release.txt"][..], &all].concat());
    home.run(&["fetch", "release.txt"]);
    let visitor = Visitor::of(&home, &[]);
    Rig { home, visitor }
}

impl Deref for Rig {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl Rig {
    /// The id of a source, and that of its newest version.
    fn ids(&self, name: &str) -> (i64, i64) {
        let source = self.home.source(name);
        let id = |field: &str| source[field].as_i64().unwrap_or_default();
        (id("id"), id("version_id"))
    }
}

/// Returns what a page must not have or must have, by the rules that hold for every page.
fn faults(page: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let count = |what: &str| page.matches(what).count();
    for (what, expected) in [
        ("</title><link ", 1),
        ("<h1>", 1),
        ("<main", 1),
        ("<html lang=\"en\">", 1),
    ] {
        if count(what) != expected {
            faults.push(format!("{} × {what}", count(what)));
        }
    }
    for inline in [
        " style=",
        "<style",
        " onclick=",
        " onload=",
        "javascript:",
        "<script>",
    ] {
        if page.contains(inline) {
            faults.push(format!("inline: {inline}"));
        }
    }
    for address in page
        .split("src=\"")
        .skip(1)
        .chain(page.split("<link rel=\"stylesheet\" href=\"").skip(1))
    {
        if !address.starts_with('/') {
            faults.push(format!(
                "from elsewhere: {}",
                address.split('"').next().unwrap_or_default()
            ));
        }
    }
    for tag in ["<input ", "<select ", "<textarea "] {
        for field in page.split(tag).skip(1) {
            let field = field.split('>').next().unwrap_or_default();
            let attribute =
                |name: &str| field.split(&format!("{name}=\"")).nth(1)?.split('"').next();
            let is_labelled = attribute("aria-label").is_some()
                || attribute("type") == Some("hidden")
                || ["checkbox", "radio"].map(Some).contains(&attribute("type"))
                    && page.contains(&format!("<label class=\"check\"><input {field}>"))
                || attribute("id").is_some_and(|id| page.contains(&format!("<label for=\"{id}\"")));
            if !is_labelled {
                faults.push(format!("without a label: {tag}{field}"));
            }
        }
    }
    let mut ids = HashMap::<&str, usize>::new();
    for id in page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        *ids.entry(id).or_default() += 1;
    }
    faults.extend(
        ids.into_iter()
            .filter(|(_, count)| *count > 1)
            .map(|(id, _)| format!("{id} twice")),
    );
    if page
        .chars()
        .any(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{1b}' | '\u{0}'))
    {
        faults.push("controls".to_owned());
    }
    faults
}

#[test]
fn every_page_has_its_words_and_keeps_the_rules() {
    let rig = rig();
    let (release, newest) = rig.ids("release.txt");
    let version = |name: &str| format!("/versions/{}", rig.ids(name).1);
    let older = newest_before(&rig, release);
    let pages: Vec<(String, &[&str])> = vec![
        (
            "/".to_owned(),
            &[
                "need attention",
                "rates.txt",
                "alert(2)",
                "404 Not Found",
                "Last passes",
                "Fetches in the last 24 hours",
                "anna (operator)",
            ],
        ),
        (
            "/sources".to_owned(),
            &["Add sources", "down(1)", "FAIL", "a.txt", "Fetch now"],
        ),
        (
            "/sources?sort=-last".to_owned(),
            &["aria-sort=\"descending\""],
        ),
        (
            "/sources?filter=state:fail".to_owned(),
            &["rates.txt", "value=\"state:fail\""],
        ),
        (
            format!("/sources/{release}"),
            &[
                "release.txt",
                "pending",
                "Fetch now",
                "Edit the settings",
                "The last 2 attempts",
                "role=\"img\"",
                "Attempts",
                "to v",
            ],
        ),
        (
            format!("/sources/{release}/remove"),
            &["Remove release.txt?", "2 versions"],
        ),
        (
            version("a.txt"),
            &[
                "&lt;script&gt;alert(1)&lt;/script&gt;",
                "abc[2J",
                "SHA-256",
                "answered by",
            ],
        ),
        (
            version("rates.txt"),
            &["&lt;script&gt;alert(2)&lt;/script&gt; bad", "exit code 1"],
        ),
        (
            version("release.txt"),
            &["A verdict is owed", "review (owes one)", "two 22 words"],
        ),
        (
            version("table.csv"),
            &["<th scope=\"col\">name</th>", "&lt;b&gt;"],
        ),
        (version("tree.json"), &["<details open>", "&lt;i&gt;"]),
        (version("raw.bin"), &["00000000  00 01 ff"]),
        (
            version("dot.gif"),
            &["/picture\"", "alt=\"Picture dot.gif\""],
        ),
        (
            format!("/versions/{newest}/content?view=text&line=2"),
            &["two 22 words", "2–3"],
        ),
        (
            format!("/versions/{older}/diff/{newest}"),
            &["<mark>2</mark>", "<mark>22</mark>", "Side by side"],
        ),
        (
            format!("/versions/{older}/diff/{newest}?view=split"),
            &["<mark>2</mark>", "<mark>22</mark>"],
        ),
        ("/sets".to_owned(), &["eu", "passed"]),
        ("/sets/eu".to_owned(), &["m.txt", "Newest edition", "whole"]),
        (
            "/log".to_owned(),
            &["fetch.failed", "gone.txt", "person.added"],
        ),
        (
            "/log?source=gone.txt&action=fetch.failed".to_owned(),
            &["status: 404 Not Found"],
        ),
        ("/sign-in".to_owned(), &["Password"]),
    ];
    for (path, words) in pages {
        keeps_the_rules(&rig, &path, words);
    }
}

/// Checks that a page has these words, and what every page must have.
fn keeps_the_rules(rig: &Rig, path: &str, words: &[&str]) {
    let answer = rig.get(path);
    let page = answer.text();
    assert_eq!(answer.status, 200, "{path}: {page}");
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self';"),
        "{path}: {policy}"
    );
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    for word in words {
        assert!(page.contains(word), "{path} lacks {word}: {page}");
    }
    assert_eq!(faults(&page), [""; 0], "{path}: {page}");
}

/// Returns the id of the version before the newest one of a source.
fn newest_before(rig: &Rig, source: i64) -> i64 {
    let versions = rig
        .service
        .get(&format!("/api/v1/sources/{source}/versions"))
        .json();
    versions["versions"][1]["id"].as_i64().expect("an id")
}

#[test]
fn a_filter_leaves_others_out() {
    let rig = rig();
    let page = rig.shown("/sources?filter=state:fail");
    assert!(
        page.contains("rates.txt") && !page.contains("a.txt"),
        "{page}"
    );
    let wrong = rig.get("/sources?filter=state:nonsense");
    assert_eq!((wrong.status, faults(&wrong.text())), (400, Vec::new()));
    assert!(
        wrong.text().contains("value=\"state:nonsense\""),
        "{wrong:?}"
    );
    let listed = rig.service.get("/api/v1/sources?filter=state:fail").json();
    assert_eq!(
        listed["sources"].as_array().map(Vec::len),
        Some(1),
        "{listed}"
    );
    assert_eq!(
        rig.service
            .get("/api/v1/sources?filter=state:nonsense")
            .status,
        400
    );
}

#[test]
fn a_picture_is_sent_inline_and_nothing_else() {
    let rig = rig();
    let picture = rig.get(&format!("/versions/{}/picture", rig.ids("dot.gif").1));
    assert_eq!(picture.body, PICTURE);
    assert_eq!(picture.header("content-type"), Some("image/gif"));
    let shown = picture.header("content-disposition");
    assert_eq!(shown, Some("inline; filename=\"dot.gif\""));
    let policy = picture
        .header("content-security-policy")
        .unwrap_or_default();
    assert!(policy.starts_with("sandbox;"), "{policy}");
    let text = rig.get(&format!("/versions/{}/picture", rig.ids("a.txt").1));
    assert_eq!(text.status, 404);
}

#[test]
fn refusals_are_pages_for_browsers_and_json_for_programs() {
    let rig = rig();
    for path in ["/sources/999", "/nothing", "/versions/v999", "/sets/none"] {
        let page = rig.get(path);
        assert_eq!(page.status, 404, "{path}: {page:?}");
        assert!(
            page.header("content-type")
                .is_some_and(|one| one.starts_with("text/html")),
            "{path}: {page:?}"
        );
        assert_eq!(faults(&page.text()), [""; 0], "{path}");
        let json = rig.service.get(path);
        let detail = json.json()["detail"].as_str().expect("words").to_owned();
        assert!(page.text().contains(&detail), "{path}: {detail}");
    }
    let hostile = rig.get("/log?action=%3Cscript%3E");
    assert_eq!((hostile.status, faults(&hostile.text())), (400, Vec::new()));
}

#[test]
fn somebody_unknown_reads_and_is_shown_no_form() {
    let rig = rig();
    let fields = [("Accept", "text/html")];
    for path in ["/", "/sources", &format!("/sources/{}", rig.ids("a.txt").0)] {
        let page = rig.service.ask("GET", path, &fields, "").text();
        assert!(
            page.contains("not signed in: reading only") && page.contains("href=\"/sign-in"),
            "{page}"
        );
        assert!(!page.contains("method=\"post\""), "{path}: {page}");
    }
    let fields = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
    ];
    let form = "address=https://example.org/x";
    let refused = rig.service.ask("POST", "/sources", &fields, form);
    assert_eq!(refused.status, 401);
    assert!(refused.text().contains("Sign in first"), "{refused:?}");
}

#[test]
fn the_job_is_done_by_forms_alone() {
    let rig = rig();
    let page = rig.followed(
        "/sources",
        "address=https://example.org/new.csv&interval=6h&tags=x,+y",
    );
    assert!(
        page.contains("new.csv") && page.contains("Added."),
        "{page}"
    );
    let (id, _) = rig.ids("new.csv");
    let several = "address=&lines=https://example.org/one.csv+7d%0D%0Ahttps://example.org/two.csv%0D%0A&interval=2h";
    let page = rig.followed("/sources", several);
    assert!(
        page.contains("one.csv") && page.contains("two.csv"),
        "{page}"
    );
    let form = rig.shown(&format!("/sources/{id}"));
    let seen = form
        .split("name=\"seen\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next().map(str::to_owned));
    let seen = seen
        .expect("the tag of the settings")
        .replace("&quot;", "%22");
    let settings = format!(
        "seen={seen}&name=newer.csv&address=https://example.org/new.csv&interval=12h&publish=newest&headers=Accept:+text/csv"
    );
    let page = rig.followed(&format!("/sources/{id}/edit"), &settings);
    assert!(
        page.contains("newer.csv") && page.contains("Accept: text/csv") && page.contains("12h"),
        "{page}"
    );
    let again = rig.post(&format!("/sources/{id}/edit"), &settings);
    assert_eq!(again.status, 412, "{again:?}");
    let page = rig.followed(&format!("/sources/{id}/enabled"), "");
    assert!(page.contains("Switched off"), "{page}");
    let (a, _) = rig.ids("a.txt");
    rig.followed(&format!("/sources/{a}/fetch"), "");
    rig.fetch(a);
    let page = rig.shown(&format!("/sources/{a}"));
    assert!(page.contains("Fetched:"), "{page}");
    let (_, version) = rig.ids("release.txt");
    let verdict = "verifier=review&outcome=passed&detail=read+it";
    let page = rig.followed(&format!("/versions/{version}/verdicts"), verdict);
    assert!(
        page.contains("read it") && page.contains("anna by http"),
        "{page}"
    );
    let page = rig.followed(&format!("/versions/{version}/verify"), "");
    assert!(page.contains("verifiers were run again"), "{page}");
    let asked = rig.post("/sources/-", &format!("do=remove&source={id}&source={a}"));
    assert!(asked.text().contains("Remove 2 sources?"), "{asked:?}");
    let page = rig.followed(
        "/sources/-",
        &format!("do=remove&confirmed=yes&source={id}&source={a}"),
    );
    assert!(!page.contains("newer.csv"), "{page}");
    let page = rig.followed(&format!("/sources/{id}/restore"), "");
    assert!(page.contains("Brought back"), "{page}");
}

#[test]
fn a_refused_form_keeps_what_was_typed() {
    let rig = rig();
    let (id, version) = rig.ids("release.txt");
    for (path, form, status, words) in [
        (
            "/sources".to_owned(),
            "address=https://example.org/%22%3E%3Cb%3E&interval=1y",
            400,
            &[
                "is not an interval",
                "value=\"https://example.org/&quot;&gt;&lt;b&gt;\"",
                "id=\"add\" open",
                "aria-invalid=\"true\"",
            ][..],
        ),
        (
            "/sources".to_owned(),
            "lines=https://example.org/a%0Anonsense",
            400,
            &["line 2: ", "https://example.org/a\nnonsense</textarea>"],
        ),
        (
            "/sources".to_owned(),
            "address=http://example.org/x",
            400,
            &["http://example.org/x"],
        ),
        (
            format!("/sources/{id}/edit"),
            "seen=x&name=other",
            412,
            &[
                "somebody else changed the settings",
                "value=\"other\"",
                "id=\"edit\" open",
            ],
        ),
        (
            format!("/versions/{version}/verdicts"),
            "verifier=review&outcome=maybe&detail=well",
            400,
            &["expected passed or failed", "value=\"well\""],
        ),
    ] {
        let answer = rig.post(&path, form);
        let page = answer.text();
        assert_eq!(answer.status, status, "{path} {form}: {page}");
        for word in words {
            assert!(page.contains(word), "{path} {form} lacks {word}: {page}");
        }
        assert_eq!(faults(&page), [""; 0], "{path} {form}");
    }
    assert_eq!(rig.post("/sources/-", "do=nonsense&source=1").status, 400);
    let evil = "https://evil.example";
    let refused = rig.post_from("Origin", evil, "/sources/-", "do=off&source=1");
    assert_eq!(refused.status, 403, "{refused:?}");
}

#[test]
fn the_stylesheet_and_the_script_are_kept_by_browsers() {
    let rig = rig();
    let page = rig.shown("/");
    for (begin, media_type) in [
        ("/assets/style-", "text/css; charset=utf-8"),
        ("/assets/script-", "text/javascript; charset=utf-8"),
    ] {
        let name = page
            .split(begin)
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect(begin);
        let asset = rig.service.get(&format!("{begin}{name}"));
        assert_eq!(
            (asset.status, asset.header("content-type")),
            (200, Some(media_type))
        );
        assert!(
            asset
                .header("cache-control")
                .is_some_and(|one| one.contains("immutable"))
        );
        assert!(asset.text().lines().count() < 500);
    }
    assert_eq!(rig.service.get("/assets/style-0.css").status, 404);
}

#[test]
fn the_log_shows_seconds_and_the_filter_names_every_word() {
    let rig = rig();
    let log = rig.shown("/log");
    let times = log.split("<time class=\"clock\"").skip(1);
    let shown = times.filter_map(|rest| rest.split(['>', '<']).nth(1));
    let shown: Vec<_> = shown.map(str::len).collect();
    assert!(!shown.is_empty(), "{log}");
    assert!(
        shown
            .iter()
            .all(|length| *length == "2026-01-31 14:07:09".len()),
        "{shown:?}"
    );
    let sources = rig.shown("/sources");
    for key in gannet::domain::filter_keys() {
        assert!(sources.contains(&format!("<code>{key}:</code>")), "{key}");
    }
}
