//! The pages of messages and queues: what came, a form that sends, and what could not be persisted.

use serde_json::json;

use super::visitor::Visitor;
use crate::rig::{Gannet, sqlite, until};

/// A catalogue without anything to fetch.
fn rig() -> Gannet {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.ok(&["disable", "a"]);
    gannet
}

/// Returns the path of the page of a message that was sent just now.
fn send(gannet: &Gannet, body: &str, queue: &str) -> String {
    let sent = gannet.json(&["messages", "send", body, "--queue", queue, "--json"]);
    format!("/messages/{}", sent["id"].as_str().expect("an id"))
}

#[test]
fn messages_are_listed_filtered_and_shown_as_a_tree() {
    let gannet = rig();
    let visitor = Visitor::of(&gannet, &[]);
    assert!(visitor.shown("/queues").contains("No queues."));
    assert!(visitor.shown("/messages").contains("No messages."));
    let order = send(
        &gannet,
        "{\"order\": 17, \"to\": \"<b>Zo\u{eb}</b>\"}",
        "orders",
    );
    send(&gannet, "\"ping\"", "default");
    until("both are persisted", || {
        visitor.shown("/messages").matches("/messages/01").count() == 2
    });
    for (path, has_order, has_ping) in [
        ("/messages", true, true),
        ("/messages?queue=orders", true, false),
        ("/messages?filter=zo%C3%AB+17", true, false),
        ("/messages?filter=PING", false, true),
        ("/messages?queue=orders&filter=ping", false, false),
        ("/messages?queue=nope", false, false),
    ] {
        let page = visitor.shown(path);
        let has = |words: &str| page.contains(words);
        assert_eq!(
            (has(&order), has(">&quot;ping&quot;<") || has(">\"ping\"<")),
            (has_order, has_ping),
            "{path}: {page}"
        );
    }
    let page = visitor.shown(&order);
    for words in [
        "span class=\"key\">order</span>: <span class=\"value\">17<",
        "&lt;b&gt;Zo\u{eb}&lt;/b&gt;",
        "href=\"/messages?queue=orders\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for (path, status) in [
        ("/messages?queue=a/b", 400),
        ("/messages/nonsense", 404),
        ("/messages/0190163d-8694-739b-aea5-966c26f8ad91", 404),
    ] {
        assert_eq!(visitor.get(path).status, status, "{path}");
    }
    let nope = visitor.shown("/messages?queue=nope");
    assert!(
        nope.contains("<option value=\"nope\" selected>nope</option>"),
        "{nope}"
    );
    let known = "<datalist id=\"queue-names\"><option value=\"default\"></option><option value=\"orders\"></option></datalist>";
    assert!(nope.contains(known), "{nope}");
    let stranger = visitor.service.get("/messages").text();
    assert!(
        stranger.contains("href=\"/sign-in?to=%2Fmessages\">Sign in</a> as an operator to send"),
        "{stranger}"
    );
    assert!(!stranger.contains("<textarea"), "{stranger}");
    let queues = visitor.shown("/queues");
    assert!(queues.contains("In, a minute") && queues.contains("orders"));
}

#[test]
fn a_message_is_shown_as_it_was_sent() {
    let gannet = rig();
    let visitor = Visitor::of(&gannet, &["--no-worker"]);
    let body = "{\"z\":1,\"big\":123456789012345678901234567890,\"d\":1.10}";
    let page = visitor.shown(&send(&gannet, body, "default"));
    for number in ["123456789012345678901234567890", "1.10"] {
        assert!(
            page.contains(&format!("<span class=\"value\">{number}</span>")),
            "{page}"
        );
    }
    assert!(page.find(">z<") < page.find(">big<"), "{page}");
    let deepest = format!("{}{}", "[".repeat(128), "]".repeat(128));
    let page = visitor.shown(&send(&gannet, &deepest, "default"));
    assert_eq!(page.matches("[<span class=\"dim\">").count(), 128);
}

#[test]
fn a_form_sends_a_message_or_says_what_is_wrong_where() {
    let gannet = rig();
    let visitor = Visitor::of(&gannet, &["--no-worker"]);
    let page = visitor.followed("/messages", "queue=orders&body=%7B%22n%22%3A+1%7D");
    assert!(
        page.contains("The message was sent.") && page.contains("not yet: it is on its queue"),
        "{page}"
    );
    assert!(visitor.shown("/messages").contains("1 on their way"));
    for (form, words) in [
        ("body=%7B%22n%22%3A+1%2C+%22n%22%3A2%7D", "at /n: "),
        ("body=", "EOF"),
        ("queue=a+b&body=1", "not the name of a queue"),
    ] {
        let refused = visitor.post("/messages", form);
        let page = refused.text();
        assert_eq!(refused.status, 400, "{form}: {page}");
        assert!(page.contains(words), "{form}: {page}");
    }
    assert_eq!(
        gannet.json(&["messages", "queues", "--json"])[0]["depth"],
        1
    );
}

#[test]
fn what_cannot_be_persisted_is_tried_again_or_deleted() {
    let gannet = rig();
    let ids = [1, 2].map(|n| send(&gannet, &format!("{{\"n\": {n}}}"), "orders"));
    // No such body was queued: the checksum says so.
    sqlite::ruin_queued_messages(&gannet.data());
    let visitor = Visitor::of(&gannet, &[]);
    until("both are given up", || {
        visitor.shown("/queues").matches("Try again").count() == 4
    });
    let page = visitor.shown("/queues");
    for words in [
        "its row on the queue is damaged, after 5 tries",
        "class=\"state bad\" href=\"#dead\">2<",
        &format!("href=\"{}\"", ids[0]),
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // They stand between the table of the queues and the plots.
    let places = ["<h1>Queues", "<table", "id=\"dead\"", "<svg"].map(|part| page.find(part));
    assert!(places.is_sorted(), "{places:?}: {page}");
    let overview = visitor.shown("/");
    assert!(
        overview.contains("href=\"/queues#dead\">2 messages<"),
        "{overview}"
    );
    let page = visitor.shown(&ids[0]);
    for words in ["> dead<", "is damaged", "Try again", "span class=\"key\""] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let dead = |id: &str, deed: &str, form: &str| {
        let id = id.trim_start_matches("/messages/");
        visitor.followed(&format!("/queues/dead/{id}/{deed}"), form)
    };
    let page = dead(&ids[0], "drop", "");
    assert!(page.contains("This cannot be undone."), "{page}");
    let page = dead(&ids[0], "drop", "confirmed=yes");
    assert!(page.contains("The message was deleted."), "{page}");
    let page = dead(&ids[1], "retry", "");
    assert!(page.contains("is on its queue again."), "{page}");
    until("one is persisted", || {
        let page = visitor.get(&ids[1]).text();
        page.contains("span class=\"key\">m<") && !page.contains("not yet")
    });
    assert_eq!(visitor.get(&ids[0]).status, 404);
    let list = gannet.json(&["messages", "list", "--json"]);
    assert_eq!(list["body"], json!({"m": 2}));
    let log = gannet.ok(&["log"]);
    for action in ["message.dead", "message.retried", "message.deleted"] {
        assert!(log.contains(action), "{action}: {log}");
    }
}
