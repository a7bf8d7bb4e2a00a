//! Somebody who has never seen gannet signs in, adds, edits, fetches, compares and judges a source by the pages alone.

use std::fs;

use crate::driver::{Browser, started};
use crate::rig::Start;
use crate::stage::{HOST, Stage, address_of};

#[test]
fn a_newcomer_does_the_whole_job_by_the_pages_alone() {
    let stage = Stage::new();
    let home = &stage.home;
    home.serve("prices.csv", "name,price\nnut,2\nbolt of steel,3\n");
    let (_terminal, address, link) =
        started(Start::gannet(home, &["serve", "--listen", "127.0.0.1:0"]));
    let Some(mut browser) = Browser::start(&address) else {
        return;
    };
    browser.goto(&link);
    browser.click("button", "Sign in");
    browser.wait_for_page("Overview");
    browser.click("link", "Sources");
    browser.click("DisclosureTriangle", "Add sources");
    browser.fill("Address", &address_of("prices.csv"));
    browser.fill("Interval", "6h");
    browser.click("button", "Add");
    browser.wait_for_page("prices.csv");
    // The worker of the service fetches the source, and the page shows it.
    browser.wait_for_text("v2");
    browser.click("DisclosureTriangle", "Edit the settings");
    browser.fill("Name", "price list");
    browser.fill("Tags", "shop, daily");
    browser.click("button", "Save");
    browser.wait_for_page("price list");
    browser.wait_for_text("daily, shop");
    home.serve("prices.csv", "name,price\nnut,2\nbolt of steel,4\n");
    browser.click("button", "Fetch now");
    browser.wait_for_text("Fetched");
    browser.click("link", "to v2");
    browser.wait_for_page("v2 to v3 of price list");
    let marked =
        "[...document.querySelectorAll('.diff mark')].map((mark) => mark.innerText).join()";
    assert_eq!(browser.evaluate(marked), "3,4");
    browser.click("link", "v3");
    browser.wait_for_page("v3 of price list");
    browser.click("radio", "passed");
    browser.fill("Reason", "a plausible price");
    browser.click("button", "Record the verdict");
    browser.wait_for_text("The verdict was recorded.");
    browser.wait_for_text("a plausible price");
    let published = home.data().join("published").join(HOST).join("prices.csv");
    let published = fs::read_to_string(published).expect("a published file");
    assert_eq!(published, "name,price\nnut,2\nbolt of steel,4\n");
    browser.click("link", "Overview");
    browser.wait_for_text("all 2 good");
    assert_eq!(browser.complaints(), [""; 0]);
}
