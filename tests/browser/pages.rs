//! Each page at each width, light and dark: nothing is wider than the window, browsers have nothing to complain of, and axe-core
//! finds nothing.

use std::path::PathBuf;

use crate::driver::Browser;
use crate::rig::{Home, Reply, Service, sqlite, until};
use crate::stage::sign_in;

/// Names a folder for a picture of each page at each width, to be looked at.
const PICTURES: &str = "GANNET_PICTURES";
const WIDTHS: [u32; 4] = [1280, 768, 380, 360];

const VERIFIERS: &str = r#"
[[verifier]]
name = "prices-are-positive"
sources = ["prices.csv"]
command = ["sh", "-c", "if grep -q -- ',-[0-9]' \"$1\"; then echo 'line 14: the price of nut-m8 is negative: -5.05'; exit 1; fi", "sh", "{path}"]

[[verifier]]
name = "well-formed"
sources = ["countries.json"]
builtin = "json"

[[verifier]]
name = "is-picture"
sources = ["logo.gif"]
builtin = "image"

[[verifier]]
name = "review"
sources = ["release-notes.txt"]
external = true

[[verifier]]
name = "sums-agree"
scope = "set"
sources = ["tag:firmware"]
command = ["sh", "-c", "echo 'image.bin: the sum in SHA256SUMS is another'; exit 1"]

[[verifier]]
name = "released"
scope = "set"
sources = ["tag:firmware"]
external = true
"#;

/// A one-pixel GIF.
const PICTURE: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// The same picture with another second colour.
fn black_and_red() -> Vec<u8> {
    let mut picture = PICTURE.to_vec();
    picture[17..19].fill(0);
    picture
}

/// A name as long as some are, without a place to break it.
const LONG: &str = "daily-exchange-rates-of-all-currencies-since-1999-in-one-file-final-2026.csv";

/// Rows of a price list with this price for the last one.
fn prices(last: &str) -> Reply {
    let head = "article,description,unit,price,currency,valid from,supplier,warehouse,remarks\n";
    let row = |number: usize| {
        format!(
            "bolt-m{number},hexagon bolt DIN 933 galvanised,100 pcs,{number}.25,EUR,2026-01-01,Schrauben Müller GmbH & Co. KG,Hall 7,\n"
        )
    };
    let rows: String = (1..=12).map(row).collect();
    let last = format!("nut-m8,hexagon nut,100 pcs,{last},EUR,2026-01-01,Muttern AG,Hall 7,\n");
    Reply::file(format!("{head}{rows}{last}"))
}

fn notes(version: &str) -> Reply {
    let long = "A line that goes on for so long that no window shows the whole of it in one piece, whatever its width may be. ";
    Reply::file(format!(
        "Release {version}\n\n* faster\n* {}\n* https://example.org/{}\n",
        long.repeat(3),
        "x".repeat(150)
    ))
}

/// Returns a home with sources in every state, and the service over it.
fn home() -> (Home, Service) {
    let countries = r#"{"countries":[{"code":"DE","name":"Germany","borders":["DK","PL"]},{"code":"IS","name":"Iceland","borders":[]}],"count":2,"complete":true}"#;
    let home = Home::new(VERIFIERS)
        .with_member(
            "prices.csv",
            &["shop", "daily"],
            [prices("5.05"), prices("-5.05")],
        )
        .with_source("release-notes.txt", [notes("1.0"), notes("1.1")])
        .with_source("countries.json", [countries])
        .with_source("logo.gif", [PICTURE.to_vec(), black_and_red()])
        .with_source(
            "firmware.img",
            [(0..=255).cycle().take(3000).collect::<Vec<u8>>()],
        )
        .with_source("gone.txt", [Reply::status(404)])
        .with_source(LONG, ["USD,1.08\n"])
        .with_member("image.bin", &["firmware"], ["image"])
        .with_member("SHA256SUMS", &["firmware"], ["sums"]);
    home.ok(&["add", "https://example.org/never", "--disabled"]);
    home.pass();
    home.run(&["fetch", "prices.csv", "release-notes.txt", "logo.gif"]);
    home.add_person("anna", "admin");
    home.add_person("vera", "viewer");
    let service = Service::start(&home, &["--no-worker"]);
    (home, service)
}

/// What was found on the pages so far.
struct Audit {
    browser: Browser,
    pictures: Option<PathBuf>,
    faults: Vec<String>,
}

impl Audit {
    fn start(service: &Service) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
        let pictures = std::env::var_os(PICTURES).map(PathBuf::from);
        Some(Self {
            browser: Browser::start(&service.address)?,
            pictures,
            faults: Vec::new(),
        })
    }

    /// Goes to a page, and looks at it.
    fn visit(&mut self, name: &str, path: &str) {
        self.browser.goto(path);
        self.examine(name);
    }

    /// Looks at the page as it is.
    fn examine(&mut self, name: &str) {
        for is_dark in [false, true] {
            for width in WIDTHS {
                self.browser.look(width, is_dark);
                let taste = if is_dark { "dark" } else { "light" };
                let name = format!("{name}-{width}-{taste}");
                self.look(&name);
                // The colours are those of every width, and the order of the parts that of both tastes.
                if width == 1280 || width == 360 && !is_dark {
                    let found = self.browser.axe();
                    self.faults
                        .extend(found.iter().map(|fault| format!("{name}: {fault}")));
                }
            }
        }
        self.browser.look(1280, false);
        // That a page was refused is what the page says.
        let complaints = self.browser.complaints().into_iter();
        let complaints =
            complaints.filter(|one| !one.contains("the server responded with a status of 4"));
        self.faults
            .extend(complaints.map(|one| format!("{name}: {one}")));
    }

    fn look(&mut self, name: &str) {
        let wide = self.browser.evaluate(TOO_WIDE);
        if wide != serde_json::Value::Null {
            self.faults
                .push(format!("{name}: wider than the window: {wide}"));
        }
        if let Some(folder) = &self.pictures {
            let path = folder.join(format!("{name}.png"));
            self.browser.picture(&path, None).expect("a picture");
        }
    }

    #[track_caller]
    fn finds_nothing(self) {
        assert_eq!(self.faults, [""; 0], "{:#?}", self.faults);
    }
}

/// Names what reaches past the right edge of the window when the page scrolls sideways.
const TOO_WIDE: &str = "(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return null;
  const wide = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > width + 1);
  return `${document.documentElement.scrollWidth} px: ${wide.slice(0, 5).map((one) => `${one.tagName}.${one.className}`)}`;
})()";

#[test]
fn pages_of_sources_and_versions_fit_and_keep_the_rules() {
    let (home, service) = home();
    let Some(mut audit) = Audit::start(&service) else {
        return;
    };
    sign_in(&mut audit.browser, "anna");
    let id = |name: &str, field: &str| home.source(name)[field].as_i64().expect("an id");
    let version = |name: &str| id(name, "version_id");
    let prices = id("prices.csv", "id");
    let newest = version("prices.csv");
    let oldest = |name: &str| {
        let history = home.history(name);
        let versions = history["versions"].as_array().expect("versions");
        let ids = versions.iter().filter_map(|one| one["id"].as_i64());
        ids.min().expect("a version")
    };
    let first = oldest("prices.csv");
    for (name, path) in [
        ("source", format!("/sources/{prices}")),
        ("source-down", format!("/sources/{}", id("gone.txt", "id"))),
        ("source-long", format!("/sources/{}", id(LONG, "id"))),
        ("version-table", format!("/versions/{newest}")),
        (
            "version-text",
            format!("/versions/{}", version("release-notes.txt")),
        ),
        (
            "version-tree",
            format!("/versions/{}", version("countries.json")),
        ),
        (
            "version-picture",
            format!("/versions/{}", version("logo.gif")),
        ),
        (
            "version-hex",
            format!("/versions/{}", version("firmware.img")),
        ),
        ("content", format!("/versions/{newest}/content?view=text")),
        ("difference", format!("/versions/{first}/diff/{newest}")),
        (
            "difference-split",
            format!("/versions/{first}/diff/{newest}?view=split"),
        ),
        (
            "difference-pictures",
            format!(
                "/versions/{}/diff/{}",
                version("logo.gif"),
                oldest("logo.gif")
            ),
        ),
        ("remove", format!("/sources/{prices}/remove")),
    ] {
        audit.visit(name, &path);
    }
    audit.browser.goto(&format!("/sources/{prices}"));
    audit
        .browser
        .click("DisclosureTriangle", "Edit the settings");
    audit.examine("source-edit");
    audit.finds_nothing();
}

/// A message.
const ORDER: &str = r#"{"order": 17, "lines": [{"article": "a rather long name of an article without any space in it", "count": 3}], "paid": false, "note": null}"#;

#[test]
fn all_other_pages_fit_and_keep_the_rules() {
    let (home, service) = home();
    let Some(mut audit) = Audit::start(&service) else {
        return;
    };
    let dead = home.json(&["messages", "send", ORDER, "--queue", "pings", "--json"]);
    let dead = dead["id"].as_str().expect("an id");
    sqlite::ruin_queued_messages(&home.data());
    let mut consumer = home.start(&["consume"]);
    until("it is given up", || {
        home.ok(&["messages", "dead"]).contains(dead)
    });
    consumer.kill().expect("killed");
    consumer.wait().expect("ended");
    let order = home.json(&["messages", "send", ORDER, "--queue", "orders", "--json"]);
    let order = format!("/messages/{}", order["id"].as_str().expect("an id"));
    audit.visit("sign-in", "/sign-in");
    audit.browser.fill("Name", "anna");
    audit.browser.fill("Password", "wrong");
    audit.browser.click("button", "Sign in");
    audit
        .browser
        .wait_for("document.querySelector('[role=alert]') !== null");
    audit.examine("sign-in-refused");
    sign_in(&mut audit.browser, "anna");
    for (name, path) in [
        ("overview", "/"),
        ("sources", "/sources"),
        ("sources-refused", "/sources?filter=state:nonsense"),
        ("sources-none", "/sources?filter=nothing"),
        ("sets", "/sets"),
        ("set", "/sets/firmware"),
        ("images", "/images/"),
        ("published", "/published/"),
        ("messages", "/messages"),
        ("message", order.as_str()),
        ("message-dead", &format!("/messages/{dead}")),
        ("message-drop", &format!("/queues/dead/{dead}/drop")),
        ("queues", "/queues"),
        ("log", "/log"),
        ("data", "/data"),
        ("data-query", "/data?q=SELECT+*+FROM+attempt"),
        ("data-refused", "/data?q=SELECT+nonsense"),
        ("problem", "/sources/999"),
    ] {
        audit.visit(name, path);
    }
    audit.browser.goto("/sources");
    audit.browser.click("DisclosureTriangle", "Add sources");
    audit.browser.fill("Address", "nonsense");
    audit.browser.click("button", "Add");
    audit
        .browser
        .wait_for("document.querySelector('[role=alert]') !== null");
    audit.examine("add-refused");
    sign_in(&mut audit.browser, "vera");
    audit.visit("overview-viewer", "/");
    audit.visit("refused", "/data");
    audit.browser.sign_out();
    audit.visit("refused-stranger", "/data");
    audit.finds_nothing();
}
