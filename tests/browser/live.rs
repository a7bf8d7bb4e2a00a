//! Pages follow what other processes do, and keep what somebody types, marks and has in focus meanwhile.

use std::fs::{self, File};
use std::time::{Duration, Instant};

use crate::driver::Browser;
use crate::rig::{Home, Service, Terminal, until};
use crate::stage::sign_in;

/// A service over two sources with a version each, and an operator.
fn home() -> (Home, Service) {
    home_judged_by("")
}

fn home_judged_by(policy: &str) -> (Home, Service) {
    let home = Home::new(policy)
        .with_source("a.txt", ["a"])
        .with_source("b.txt", ["b"]);
    home.add_person("anna", "operator");
    let service = Service::start(&home, &["--no-worker"]);
    (home, service)
}

/// Waits until the page follows, and marks it: a page that was loaded again lacks the mark.
fn follow(browser: &mut Browser, path: &str) {
    browser.goto(path);
    browser.wait_for("document.getElementById('live-state').innerText === 'live'");
    browser.evaluate("window.isKept = true");
}

#[test]
fn pages_follow_and_keep_what_is_typed() {
    let (home, service) = home();
    let Some(mut browser) = Browser::start(&service.address) else {
        return;
    };
    // What happens before the page can follow is seen, too.
    browser.goto_while("/log", || drop(home.fetch("a.txt")));
    browser.wait_for_text("pass.finished");
    sign_in(&mut browser, "anna");
    follow(&mut browser, "/");
    home.fetch("a.txt");
    browser.wait_for("document.querySelectorAll('#passes ~ .scroll tbody tr').length === 2");
    assert_eq!(browser.evaluate("window.isKept"), true);

    follow(&mut browser, "/sources");
    browser.click("checkbox", "Mark a.txt");
    browser.fill_in("searchbox", "Filter", "tag:");
    browser.click("DisclosureTriangle", "Add sources");
    browser.fill("Address", "https://exam");
    home.add("c.txt", &[]);
    browser.wait_for_text("c.txt");
    // What follows goes on where the typing stopped.
    browser.type_text("ple.org/d.txt");
    let kept = "[document.activeElement.value, document.getElementById('filter').value,
        document.querySelector('[aria-label=\"Mark a.txt\"]').checked, window.isKept].join(' ')";
    assert_eq!(
        browser.evaluate(kept),
        "https://example.org/d.txt tag: true true"
    );

    follow(&mut browser, "/log");
    browser.fill_in("searchbox", "Source", "a.t");
    home.fetch("b.txt");
    browser.wait_for("document.querySelector('#log tbody tr').innerText.includes('pass.finished')");
    browser.type_text("xt");
    let kept = "[document.activeElement.value, window.isKept].join(' ')";
    assert_eq!(browser.evaluate(kept), "a.txt true");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_verdict_that_is_being_given_stays_with_the_edition_that_was_looked_at() {
    let policy = "[[verifier]]\nname = \"legal\"\nscope = \"set\"\nsources = [\"tag:eu\"]\nexternal = true\n";
    let home = Home::new(policy)
        .with_member("a.txt", &["eu"], ["a1", "a2"])
        .fetched(&["a.txt"]);
    home.add_person("anna", "operator");
    let service = Service::start(&home, &["--no-worker"]);
    let Some(mut browser) = Browser::start(&service.address) else {
        return;
    };
    sign_in(&mut browser, "anna");
    browser.wait_for_text("legal owes a verdict on edition 1");
    follow(&mut browser, "/sets/eu");
    browser.click("radio", "passed");
    home.fetch("a.txt");
    browser.wait_for_text("edition 2,");
    browser.click("button", "Record the verdict");
    browser.wait_for_text("the newest edition of the set eu is 2, not 1");
    // What was chosen was chosen for the other edition.
    browser.click("radio", "passed");
    browser.click("button", "Record the verdict");
    browser.wait_for_text("The verdict was recorded.");
    browser.click("link", "Overview");
    browser.wait_for_text("all 1 good");
    // Chromium reports the refusal itself.
    let complaints = browser.complaints();
    assert!(
        complaints.iter().all(|one| one.contains("412")),
        "{complaints:?}"
    );
}

#[test]
fn messages_show_as_they_come() {
    let (home, service) = home();
    let Some(mut browser) = Browser::start(&service.address) else {
        return;
    };
    let mut consumer = home.start(&["consume"]);
    sign_in(&mut browser, "anna");
    follow(&mut browser, "/messages");
    home.ok(&["messages", "send", "{\"order\": 17}", "--queue", "orders"]);
    browser.wait_for_text("{\"order\": 17}");
    follow(&mut browser, "/queues");
    home.ok(&["messages", "send", "\"ping\"", "--queue", "pings"]);
    browser.wait_for_text("pings");
    assert_eq!(browser.evaluate("window.isKept"), true);
    browser.goto("/messages");
    browser.click("DisclosureTriangle", "Send a message");
    browser.fill("JSON", "{\"by\": [\"hand\"]}");
    browser.click("button", "Send");
    browser.wait_for_text("The message was sent.");
    browser.wait_for_text("hand");
    consumer.kill().expect("killed");
    consumer.wait().expect("ended");
}

/// Each message waits until the browser showed the one before: ten of them took 20 seconds with a page that is fetched every
/// two seconds.
const TEN_SHOWN: Duration = Duration::from_secs(10);

#[test]
fn messages_are_shown_at_once_and_many_together() {
    let (home, service) = home();
    let Some(mut browser) = Browser::start(&service.address) else {
        return;
    };
    let mut consumer = home.start(&["consume"]);
    sign_in(&mut browser, "anna");
    follow(&mut browser, "/messages");
    let begun = Instant::now();
    for number in 0..10 {
        home.ok(&["messages", "send", &format!("\"single {number}\"")]);
        browser.wait_for_text(&format!("single {number}"));
    }
    assert!(begun.elapsed() < TEN_SHOWN, "{:?}", begun.elapsed());
    let begun = Instant::now();
    browser.evaluate("performance.clearResourceTimings()");
    let lines: Vec<_> = (0..1000)
        .map(|number| format!("\"many {number}\"\n"))
        .collect();
    home.run_with(&["messages", "send", "--lines"], &lines.concat());
    browser.wait_for_text("many 999");
    let fetches = browser.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name === location.href).length",
    );
    let most = begun.elapsed().as_millis() / 250 + 2;
    assert!(
        u128::from(fetches.as_u64().expect("a number")) <= most,
        "{fetches} of {most}"
    );
    consumer.kill().expect("killed");
    consumer.wait().expect("ended");
}

#[test]
fn the_page_of_a_message_says_what_became_of_it() {
    let (home, service) = home_judged_by(
        "[[verifier]]\nname = \"small\"\nscope = \"message\"\nbuiltin = \"size\"\nmax = \"9B\"\n",
    );
    let Some(mut browser) = Browser::start(&service.address) else {
        return;
    };
    sign_in(&mut browser, "anna");
    browser.goto("/messages");
    browser.click("DisclosureTriangle", "Send a message");
    browser.fill("JSON", "{\"n\": 1}");
    browser.click("button", "Send");
    browser.wait_for_text("not yet: it is on its queue");
    browser.evaluate("window.isKept = true");
    let mut consumer = home.start(&["consume"]);
    browser.wait_for_text("passed");
    browser.wait_for("!document.querySelector('#message').innerText.includes('not yet')");
    browser.wait_for("document.querySelector('#message-verdicts').innerText.includes('small')");
    assert_eq!(browser.evaluate("window.isKept"), true);
    consumer.kill().expect("killed");
    consumer.wait().expect("ended");
}

#[test]
fn a_browser_two_tails_and_the_dashboard_show_the_same_messages() {
    let (home, service) = home();
    let Some(mut browser) = Browser::start(&service.address) else {
        return;
    };
    // Its worker persists what the others show.
    let mut dashboard = Terminal::start(&home, &[]);
    dashboard.wait_for("a.txt");
    dashboard.press("4");
    dashboard.wait_for("No messages yet");
    let outputs = ["one", "two"].map(|name| home.path(name));
    let mut tails = outputs.each_ref().map(|output| {
        let mut tail = home.command(&["messages", "tail"]);
        tail.stdout(File::create(output).expect("a file"));
        tail.spawn().expect("gannet starts")
    });
    let tailed = || {
        let texts = outputs.each_ref().map(fs::read_to_string);
        texts.map(|text| text.expect("text"))
    };
    sign_in(&mut browser, "anna");
    follow(&mut browser, "/messages");
    until("both tails follow", || {
        home.ok(&["messages", "send", "\"ping\""]);
        tailed().iter().all(|text| text.contains("ping"))
    });
    let orders = [1, 2, 3].map(|n| format!("{{\"order\":{n}}}"));
    for order in &orders {
        home.ok(&["messages", "send", order, "--queue", "orders"]);
        browser.wait_for_text(order);
        dashboard.wait_for(order);
        until("both tails show it", || {
            tailed().iter().all(|text| text.contains(order))
        });
    }
    let is_in_order = |text: &str| {
        let places = orders.each_ref().map(|order| text.find(order));
        assert!(places.iter().all(Option::is_some), "{text}");
        places.is_sorted()
    };
    assert!(tailed().iter().all(|text| is_in_order(text)));
    // The latest is on top.
    assert!(!is_in_order(&dashboard.screen().contents()));
    for tail in &mut tails {
        tail.kill().expect("it is there");
        tail.wait().expect("it ends");
    }
}
