//! Large lists, contents and differences by pages; versions that are compared; what is published; verdicts that count.

use super::visitor::{Visitor, id_of};
use crate::rig::{Gannet, Home, Reply};

/// Returns the address behind the first link with these words.
fn link(page: &str, words: &str) -> String {
    let before = page.split(&format!(">{words}</a>")).next().expect("a page");
    let address = before.rsplit("href=\"").next().expect("a link");
    let address = address.split('"').next().expect("an address");
    address.replace("&amp;", "&")
}

/// Returns what stands for the sources that a question is about.
fn these(page: &str) -> String {
    let value = page.split("name=\"these\" value=\"").nth(1);
    let value = value.and_then(|rest| rest.split('"').next());
    value.expect("a question").to_owned()
}

#[test]
fn all_that_match_are_changed_after_a_question_with_their_number() {
    let gannet = Gannet::new();
    let addresses: Vec<_> = (1..=130)
        .map(|at| format!("https://example.org/f{at}.csv"))
        .collect();
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    gannet.ok(&[&["add"], &addresses[..]].concat());
    gannet.ok(&["add", "https://example.net/other.txt"]);
    let visitor = Visitor::of(&gannet, &["--no-worker"]);
    let page = visitor.shown("/sources?filter=*.csv");
    assert!(
        page.contains("1–100 of 130") && page.contains("all 130 that match"),
        "{page}"
    );
    let next = visitor.shown(&link(&page, "Next page"));
    assert!(next.contains("101–130 of 130"), "{next}");
    let unfiltered = visitor.shown("/sources");
    assert!(unfiltered.contains("1–100 of 131"), "{unfiltered}");
    let next = visitor.shown(&link(&unfiltered, "Next page"));
    assert!(next.contains("101–131 of 131"), "{next}");
    let all = "all=yes&do=off&filter=*.csv&back=/sources?sort%3D-id";
    let asked = |confirmed: &str| {
        let form = format!("{all}{confirmed}");
        let asked = visitor.post("/sources/-", &form).text();
        assert!(asked.contains("Switch off 130 sources?"), "{asked}");
        these(&asked)
    };
    let before = format!("&confirmed=yes&these={}", asked(""));
    // As many as before, but not the same.
    gannet.ok(&["remove", "f7.csv"]);
    gannet.ok(&["add", "https://example.org/new.csv"]);
    let confirmed = format!("&confirmed=yes&these={}", asked(&before));
    assert_ne!(before, confirmed);
    let done = visitor.post("/sources/-", &format!("{all}{confirmed}"));
    assert_eq!(
        done.header("location"),
        Some("/sources?sort=-id&done=off"),
        "{done:?}"
    );
    let off = visitor
        .service
        .get("/api/v1/sources?filter=state:off&limit=500")
        .json();
    assert_eq!(off["sources"].as_array().map(Vec::len), Some(130));
    let elsewhere = visitor.post("/sources/-", "do=off&source=1&back=//evil.example");
    assert_eq!(elsewhere.header("location"), Some("/sources?done=off"));
}

#[test]
fn removed_sources_are_brought_back_together_and_not_fetched() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "https://example.org/b"]);
    let visitor = Visitor::of(&gannet, &["--no-worker"]);
    let overview = visitor.shown("/");
    assert!(overview.contains("2 of 2 not fetched yet"), "{overview}");
    gannet.ok(&["remove", "1", "2", "--yes"]);
    let page = visitor.shown("/sources?filter=state:removed");
    assert!(
        page.contains("Bring back") && !page.contains(">Fetch now<"),
        "{page}"
    );
    let fetched = visitor.post("/sources/-", "do=fetch&source=1");
    assert_eq!(fetched.status, 409, "{fetched:?}");
    let back = "all=yes&do=restore&filter=state:removed&back=/sources";
    let asked = these(&visitor.post("/sources/-", back).text());
    let restored = visitor.post("/sources/-", &format!("{back}&confirmed=yes&these={asked}"));
    assert_eq!(
        restored.header("location"),
        Some("/sources?done=restored"),
        "{restored:?}"
    );
    let page = visitor.shown("/sources");
    assert!(page.contains(">Fetch now<"), "{page}");
}

#[test]
fn large_contents_and_differences_are_read_by_windows() {
    let lines = |word: &str| {
        let lines = (1..=600).map(|at| format!("{word} {at}\n"));
        lines.collect::<Vec<_>>().concat()
    };
    let long = format!("{{\"a\":\"{}end\"}}", "x".repeat(70_000));
    let home = Home::new("")
        .with_source("lines.txt", [lines("old"), lines("new")])
        .with_source("long.txt", [long]);
    home.run(&["fetch", "lines.txt", "long.txt"]);
    home.run(&["fetch", "lines.txt"]);
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let newest = |name: &str| home.source(name)["version_id"].as_i64().expect("an id");
    let version = newest("lines.txt");
    let page = visitor.shown(&format!("/versions/{version}"));
    assert!(
        page.contains("1–500 of 600 lines") && page.contains("new 500<"),
        "{page}"
    );
    let page = visitor.shown(&link(&page, "Later"));
    assert!(page.contains("501–600 of 600 lines"), "{page}");
    let page = visitor.shown(&format!("/versions/{}", newest("long.txt")));
    assert!(page.contains("cut: the line has 70,011 bytes"), "{page}");
    let page = visitor.shown(&link(&page, "read it"));
    assert!(page.contains("line 1, bytes 0–65,536 of 70,011"), "{page}");
    let page = visitor.shown(&link(&page, "Later"));
    assert!(
        page.contains("xend&quot;}") && page.contains("65,536–70,011"),
        "{page}"
    );

    let old = visitor
        .service
        .get(&format!(
            "/api/v1/sources/{}/versions",
            id_of(&home, "lines.txt")
        ))
        .json();
    let old = old["versions"][1]["id"].as_i64().expect("an id");
    let compared = visitor.get(&format!("/compare?version={old}&version=v{version}"));
    let place = format!("/versions/{old}/diff/{version}");
    assert_eq!(
        compared.header("location"),
        Some(place.as_str()),
        "{compared:?}"
    );
    let page = visitor.shown(&place);
    assert!(
        page.contains("1–500 of 601 lines") && page.contains("lines 1–600 → 1–600"),
        "{page}"
    );
    assert!(
        visitor
            .shown(&link(&page, "Later"))
            .contains("501–601 of 601 lines")
    );
    let one = visitor.get("/compare?version=1");
    assert!(
        one.status == 400 && one.text().contains("two versions are compared"),
        "{one:?}"
    );
}

#[test]
fn published_files_are_found_by_links() {
    let home = Home::new("[[verifier]]\nname = \"whole\"\nscope = \"set\"\nsources = [\"tag:eu\"]\ncommand = [\"true\"]\n")
        .with_source("a.txt", ["a"])
        .with_member("m.txt", &["eu"], ["m"]);
    home.pass();
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let host = home.origin.folder_name();
    let page = visitor.shown("/");
    let page = visitor.shown(&link(&page, "Published files"));
    let page = visitor.shown(&link(&page, &format!("{host}/")));
    assert_eq!(visitor.get(&link(&page, "a.txt")).text(), "a");
    let set = visitor.shown("/sets/eu");
    let published = set.split("Published edition").nth(1).expect("an edition");
    assert_eq!(visitor.get(&link(published, "m.txt")).text(), "m");
    let member = visitor.shown(&format!("/sources/{}", id_of(&home, "m.txt")));
    assert!(member.contains("href=\"/sets/eu\""), "{member}");
    let log = visitor.shown("/log?action=set.published");
    assert!(log.contains("href=\"/sets/eu\""), "{log}");
    for path in [
        "/published/..%2f..",
        "/published/none/",
        "/published/.hidden",
    ] {
        assert_eq!(visitor.get(path).status, 404, "{path}");
    }
}

#[test]
fn verdicts_that_count_stand_apart_and_who_owes_one_is_named() {
    let policy = "[[verifier]]\nname = \"review\"\nsources = [\"*\"]\nexternal = true\n[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n";
    let home = Home::new(policy)
        .with_source("a.txt", ["a"])
        .fetched(&["a.txt"]);
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let version = home.source("a.txt")["version_id"].as_i64().expect("an id");
    let place = format!("/versions/{version}");
    let owed = format!("review owes a verdict on <a href=\"{place}#verdicts\">");
    assert!(visitor.shown("/").contains(&owed));
    let page = visitor.shown(&place);
    assert!(
        page.contains("review owes a verdict: <a href=\"#judge\">") && page.contains("waits since"),
        "{page}"
    );
    for outcome in ["passed", "failed"] {
        visitor.followed(
            &format!("{place}/verdicts"),
            &format!("verifier=review&outcome={outcome}&detail={outcome}-it"),
        );
    }
    let page = visitor.shown(&place);
    let (counting, old) = page.split_once("no longer count (2)").expect("two rounds");
    assert!(
        counting.contains("failed-it") && !counting.contains("passed-it"),
        "{page}"
    );
    assert!(
        counting.contains("given by anna by http") && counting.contains("automatic, "),
        "{page}"
    );
    assert!(
        old.contains("passed-it") && old.contains("replaced by a later verdict"),
        "{page}"
    );
    assert!(!page.contains("owes a verdict"), "{page}");
}

#[test]
fn a_log_of_an_unknown_source_keeps_its_form() {
    let home = Home::new("").with_source("a.txt", [Reply::status(404)]);
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let answer = visitor.get("/log?source=nosuch&action=fetch.new");
    let page = answer.text();
    assert_eq!(answer.status, 404, "{page}");
    for expected in [
        "No events.",
        "value=\"nosuch\"",
        "<option value=\"fetch.new\" selected",
        "<optgroup label=\"Sources\">",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
}

#[test]
fn the_address_of_a_refused_form_leads_back_to_its_page() {
    let home = Home::new("").with_source("a.txt", ["a"]);
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let refused = visitor.post("/sources/1/edit", "seen=x&name=other");
    assert!(
        refused
            .text()
            .contains("<a href=\"/sources/1\">Show the present settings"),
        "{refused:?}"
    );
    for (path, above) in [
        ("/sources/1/edit", "/sources/1"),
        ("/versions/1/verify", "/versions/1"),
        ("/sources/-", "/sources"),
        ("/sign-out", "/"),
    ] {
        let answer = visitor.get(path);
        assert_eq!(answer.header("location"), Some(above), "{path}: {answer:?}");
        assert_eq!(visitor.service.get(path).status, 405, "{path}");
    }
}

#[test]
fn refusals_name_what_their_reader_can_do() {
    let home = Home::new("").with_source("a.txt", ["a"]);
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let json = visitor.service.get("/api/v1/sources/nosuch").text();
    assert!(
        json.contains("GET /api/v1/sources ") && !json.contains("gannet list"),
        "{json}"
    );
    let page = visitor.get("/sources/nosuch").text();
    assert!(
        page.contains("the page Sources") && !page.contains("gannet list"),
        "{page}"
    );
    let unmatched = visitor.shown("/sources?filter=nosuch");
    assert!(
        unmatched.contains("No source matches <code>nosuch</code>"),
        "{unmatched}"
    );
    let form = visitor.post("/sources", "address=http://example.org/x");
    assert!(form.text().contains("`allow http` below"), "{form:?}");
}

#[test]
fn what_was_published_and_never_judged_is_counted_and_listed() {
    let home = Home::new("")
        .with_source("a.txt", ["a"])
        .with_source("b.txt", ["b"])
        .fetched(&["a.txt", "b.txt"]);
    home.judge_by("[[verifier]]\nname = \"text\"\nsources = [\"a.txt\"]\nbuiltin = \"utf8\"\n");
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let page = visitor.shown("/");
    let words = "<a href=\"/sources?filter=is:unjudged\">1 version published, and never judged</a>";
    assert!(
        page.contains(words) && page.contains("1 unjudged version needs attention"),
        "{page}"
    );
    let listed = visitor.shown("/sources?filter=is:unjudged");
    assert!(
        listed.contains("a.txt") && !listed.contains("b.txt"),
        "{listed}"
    );
    let version = home.source("a.txt")["version_id"].as_i64();
    let verify = format!("/versions/{}/verify", version.expect("an id"));
    visitor.followed(&verify, "");
    let page = visitor.shown("/");
    assert!(
        page.contains("all 2 good") && !page.contains("never judged"),
        "{page}"
    );
}
