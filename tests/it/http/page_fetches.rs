//! Fetch now: the page answers before the origin does, and one source is fetched once however often somebody asks.

use super::visitor::{Visitor, id_of};
use crate::rig::{Gate, Home, Reply};

#[test]
fn a_slow_fetch_is_shown_as_under_way_and_joined() {
    let gate = Gate::new();
    let home = Home::new("").with_source("slow.txt", [Reply::file("slow").behind(&gate)]);
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let id = id_of(&home, "slow.txt");
    let place = format!("/sources/{id}");
    for _ in 0..2 {
        let page = visitor.followed(&format!("{place}/fetch"), "");
        assert!(
            page.contains("Being fetched since") && page.contains("data-busy"),
            "{page}"
        );
        assert!(page.contains("<noscript>"), "{page}");
    }
    let list = visitor.followed("/sources/-", &format!("do=fetch&source={id}"));
    assert!(
        list.contains("Being fetched:") && list.contains(" fetching</span>"),
        "{list}"
    );
    gate.open();
    let joined = visitor.fetch(id);
    assert_eq!(joined.json()["outcome"], "new", "{joined:?}");
    let page = visitor.shown(&place);
    assert!(
        page.contains("Fetched: new version") && !page.contains("data-busy"),
        "{page}"
    );
    assert!(!visitor.shown("/sources").contains("data-busy"));
    let requests = home.origin.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
}

#[test]
fn a_fetch_that_fails_says_why() {
    let home = Home::new("").with_source("gone.txt", [Reply::status(404)]);
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let id = id_of(&home, "gone.txt");
    visitor.followed(&format!("/sources/{id}/fetch"), "");
    visitor.fetch(id);
    let page = visitor.shown(&format!("/sources/{id}"));
    assert!(page.contains("The fetch failed: 404 Not Found"), "{page}");
}

#[test]
fn a_fetch_beside_that_of_the_worker_is_told() {
    let gate = Gate::new();
    let home = Home::new("").with_source("slow.txt", [Reply::file("slow").behind(&gate)]);
    let mut pass = home.start(&["--worker-only"]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(home.origin.arrived(1));
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let id = id_of(&home, "slow.txt");
    // The page waits for a moment only, within which a busy machine may not find the claim.
    let is_told = |_| {
        let page = visitor.followed(&format!("/sources/{id}/fetch"), "");
        page.contains("Another worker is fetching it")
    };
    assert!((0..100).any(is_told));
    gate.open();
    assert!(pass.wait().expect("an end").success());
}
