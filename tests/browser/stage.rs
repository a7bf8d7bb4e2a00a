//! What the tests of the pages begin with: a home whose sources lie at an address that anybody may add, and people.

use crate::driver::Browser;
use crate::rig::{Gannet, Home, Origin, PASSWORD, Relay};

/// The host of the sources. Private addresses, as the origin's own, are for those at the machine itself.
pub(crate) const HOST: &str = "8.8.8.8";

const REVIEW: &str = r#"
[[verifier]]
name = "review"
sources = ["price*"]
external = true
"#;

/// A home whose proxy takes everybody to its origin, under an address of the internet.
pub(crate) struct Stage {
    pub(crate) home: Home,
    _relay: Relay,
}

impl Stage {
    /// Begins a catalogue with a source, `notes.txt`, and its version `v1`. Others whose names begin with `price` wait for a verdict
    /// of somebody.
    pub(crate) fn new() -> Self {
        let origin = Origin::start_self_signed(&[HOST], true);
        let target = origin.host().parse().expect("an address");
        let relay = Relay::start("127.0.0.1", target, false).expect("IPv4 loopback");
        let home = Home {
            origin,
            gannet: Gannet::new(),
        };
        let proxy = format!("proxy = \"http://{}\"\n", relay.address());
        home.write_config("config.toml", &(proxy + REVIEW));
        home.serve("notes.txt", "of no matter\n");
        home.ok(&["add", &address_of("notes.txt")]);
        home.ok(&["fetch", "notes.txt"]);
        Self {
            home,
            _relay: relay,
        }
    }
}

/// Returns the address of a file of the origin.
pub(crate) fn address_of(name: &str) -> String {
    format!("https://{HOST}/{name}")
}

/// Signs in by name and password.
#[track_caller]
pub(crate) fn sign_in(browser: &mut Browser, name: &str) {
    browser.goto("/sign-in");
    browser.fill("Name", name);
    browser.fill("Password", PASSWORD);
    browser.click("button", "Sign in");
    browser.wait_for_page("Overview");
}
