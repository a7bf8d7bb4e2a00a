//! Everything useful goes by links and forms alone: scripts are switched off.

use std::fs;

use crate::driver::Browser;
use crate::rig::Service;
use crate::stage::{HOST, Stage, address_of, sign_in};

#[test]
fn sources_are_added_fetched_and_judged_without_script() {
    let stage = Stage::new();
    let home = &stage.home;
    home.serve("prices.csv", "name,price\nnut,2\n");
    home.add_person("anna", "operator");
    let service = Service::start(home, &["--no-worker"]);
    let Some(mut browser) = Browser::start(&service.address) else {
        return;
    };
    browser.without_script();
    sign_in(&mut browser, "anna");
    browser.click("link", "Sources");
    browser.wait_for_page("Sources");
    browser.click("DisclosureTriangle", "Add sources");
    browser.fill("Address", "prices.csv");
    browser.click("button", "Add");
    browser.wait_for("document.querySelector('[role=alert]') !== null");
    browser.fill("Address", &address_of("prices.csv"));
    browser.click("button", "Add");
    browser.wait_for_page("prices.csv");
    browser.click("link", "Sources");
    browser.wait_for_page("Sources");
    browser.fill_in("searchbox", "Filter", "prices*");
    browser.click("button", "Show");
    browser.wait_for("document.querySelectorAll('tbody tr').length === 1");
    browser.click("checkbox", "Mark prices.csv");
    browser.click("button", "Fetch now");
    browser.wait_for_text("Fetched");
    browser.goto("/sources");
    browser.click("link", "prices.csv");
    browser.wait_for_page("prices.csv");
    browser.click("link", "v2");
    browser.wait_for_page("v2 of prices.csv");
    browser.click("radio", "passed");
    browser.click("button", "Record the verdict");
    browser.wait_for_text("The verdict was recorded.");
    let published = home.data().join("published").join(HOST).join("prices.csv");
    let published = fs::read_to_string(published).expect("a published file");
    assert_eq!(published, "name,price\nnut,2\n");
    browser.click("link", "Log");
    browser.wait_for_page("Log");
    browser.wait_for_text("anna by http");
    browser.click("button", "Sign out");
    browser.wait_for_text("not signed in");
}
