//! The pages by the keyboard alone: the order of the stops, the link past the navigation, and a focus that is seen.

use crate::driver::{Browser, Key};
use crate::rig::{Home, Service};
use crate::stage::sign_in;

/// Describes the element in focus: its place in the document, its name, and what is wrong with how it is shown.
const FOCUSED: &str = "(() => {
  const focused = document.activeElement;
  if (focused === document.body) return null;
  const box = focused.getClientRects()[0] ?? { width: 0 };
  const style = getComputedStyle(focused);
  const faults = [];
  if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) faults.push('no outline');
  if (!(box.width > 2) || box.bottom < 0 || box.top > innerHeight || box.right < 0 || box.left > innerWidth) faults.push('not in view');
  const name = `${focused.tagName} ${focused.ariaLabel ?? focused.name ?? ''} ${focused.innerText ?? ''}`;
  return [[...document.querySelectorAll('*')].indexOf(focused), name, faults.join()];
})()";

/// Goes through all stops of a page; returns what is wrong with them.
fn faults_of_stops(browser: &mut Browser, path: &str) -> Vec<String> {
    browser.goto(path);
    let (mut faults, mut last, mut stops) = (Vec::new(), -1, 0);
    loop {
        browser.press(Key::Tab);
        let focused = browser.evaluate(FOCUSED);
        // Behind the last stop comes the browser's own frame, and then the page again.
        let Some(place) = focused[0].as_i64() else {
            break;
        };
        if place <= last {
            faults.push(format!("{path}: backwards to {focused}"));
            break;
        }
        if focused[2] != "" {
            faults.push(format!("{path}: {focused}"));
        }
        (last, stops) = (place, stops + 1);
    }
    if stops < 10 {
        faults.push(format!("{path}: {stops} stops"));
    }
    faults
}

#[test]
fn every_stop_is_seen_and_in_order() {
    let home = Home::new("")
        .with_source("a.txt", ["one\n", "two\n"])
        .with_source("b.txt", ["b"]);
    home.add_person("anna", "operator");
    home.fetch("a.txt");
    home.fetch("a.txt");
    let service = Service::start(&home, &["--no-worker"]);
    let Some(mut browser) = Browser::start(&service.address) else {
        return;
    };
    sign_in(&mut browser, "anna");
    let faults: Vec<_> = [
        "/",
        "/sources",
        "/sources/1",
        "/versions/v2",
        "/versions/v1/diff/v2",
        "/log",
    ]
    .into_iter()
    .flat_map(|path| faults_of_stops(&mut browser, path))
    .collect();
    assert_eq!(faults, [""; 0]);
    skips_the_navigation(&mut browser);
    adds_a_source(&mut browser);
    assert_eq!(browser.complaints(), [""; 0]);
}

fn skips_the_navigation(browser: &mut Browser) {
    browser.goto("/sources");
    browser.press(Key::Tab);
    let focused = browser.evaluate("document.activeElement.innerText");
    assert_eq!(focused, "Skip to the content");
    browser.press(Key::Enter);
    browser.wait_for("document.activeElement.id === 'main'");
    browser.press(Key::Tab);
    assert_eq!(
        browser.evaluate("document.activeElement.innerText"),
        "Add sources"
    );
}

fn adds_a_source(browser: &mut Browser) {
    browser.goto("/");
    browser.type_text("gs");
    browser.wait_for_page("Sources");
    browser.type_text("a");
    browser.wait_for("document.activeElement.name === 'address'");
    browser.type_text("https://example.org/c.txt");
    browser.press(Key::Tab);
    browser.type_text("12h");
    browser.press(Key::Enter);
    browser.wait_for_page("c.txt");
    browser.wait_for_text("12h");
    browser.type_text("e");
    browser.wait_for("document.activeElement.name === 'name'");
    browser.press(Key::SelectAll);
    browser.type_text("renamed.txt");
    browser.press(Key::Enter);
    browser.wait_for_page("renamed.txt");
}
