//! What is wrong with the service itself: said on every page, on stderr and by a number, until it is mended.

use std::fs;
use std::sync::Arc;

use chrono::{Datelike as _, TimeDelta};
use gannet::clock::{Clock as _, SystemClock};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::visitor::Visitor;
use crate::rig::{Home, PASSWORD, Service, until};

/// The notices of a page without any.
const NONE: &str = "</div>";

/// Returns the notices of a page.
fn notices(page: &str) -> String {
    let (_, rest) = page.split_once("<div id=\"notices\">").expect("a place");
    rest.split("<h1>").next().unwrap_or_default().to_owned()
}

#[test]
fn a_rejected_configuration_is_on_every_page_until_it_is_mended() {
    for arguments in [&["--no-worker"][..], &[]] {
        let home = Home::new("").with_source("a.txt", ["a"]);
        let visitor = Visitor::of(&home, arguments);
        assert_eq!(notices(&visitor.shown("/")), NONE);
        home.configure("[fetch]\nmax_tries = \"many\"\n");
        visitor.service.hang_up();
        let shown = || notices(&visitor.shown("/"));
        until("the notice", || shown() != NONE);
        for page in ["/", "/sources", "/log", "/sources/1", "/nowhere"] {
            let notice = notices(&visitor.get(page).text());
            for word in ["max_tries", "config.toml", "stays in force"] {
                assert!(notice.contains(word), "{page}: {notice}");
            }
        }
        // Others learn no path.
        let fields = [("Accept", "text/html")];
        let page = visitor.service.ask("GET", "/", &fields, "").text();
        let notice = notices(&page);
        assert!(
            notice.contains("; an operator sees why.") && !page.contains("config.toml"),
            "{notice}"
        );
        let rejected = |number: u8| format!("gannet_config_rejected {number}\n");
        let metrics = || visitor.service.get("/metrics").text();
        assert!(metrics().contains(&rejected(1)), "{}", metrics());
        home.configure("");
        visitor.service.hang_up();
        until("the end of the notice", || shown() == NONE);
        assert!(metrics().contains(&rejected(0)), "{}", metrics());
        let (_, said) = visitor.service.end();
        assert_eq!(said.matches("max_tries").count(), 1, "{said}");
    }
}

#[test]
fn a_configuration_that_judges_nothing_is_on_every_page() {
    let home = Home::new("[[verifier]]\nname = \"ok\"\nsources = [\"*\"]\ncommand = [\"true\"]\n")
        .with_source("a.txt", ["a"]);
    home.run(&["fetch", "a.txt"]);
    let visitor = Visitor::of(&home, &[]);
    home.configure("");
    visitor.service.hang_up();
    let shown = || notices(&visitor.shown("/sources"));
    until("the notice", || {
        shown().contains("has no verifier any more")
    });
    home.run(&["config", "adopt"]);
    visitor.service.hang_up();
    until("the end of the notice", || shown() == NONE);
}

/// Writes a certificate that expires in so many days, and its key.
fn write_pair(home: &Home, days: i64) {
    let end = SystemClock.now() + TimeDelta::days(days);
    let [month, day] = [end.month(), end.day()].map(|one| u8::try_from(one).expect("small"));
    let key = rcgen::KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned()];
    let mut params = rcgen::CertificateParams::new(names).expect("a name");
    params.not_after = rcgen::date_time_ymd(end.year(), month, day);
    let certificate = params.self_signed(&key).expect("a certificate");
    fs::write(home.path("cert.pem"), certificate.pem()).expect("a file");
    fs::write(home.path("key.pem"), key.serialize_pem()).expect("a file");
}

#[test]
fn a_certificate_that_expires_soon_is_warned_of() {
    let home = Home::new("");
    home.write_config(
        "config.toml",
        "[http]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n",
    );
    for (days, words) in [
        (9, Some("expires in 8 days, on ")),
        (40, None),
        (-2, Some("expired on ")),
    ] {
        write_pair(&home, days);
        let checked = home.run(&["config", "check"]).out;
        let is_said = words.is_none_or(|words| checked.contains(words));
        assert!(
            is_said && checked.contains("([http] cert) expire") == words.is_some(),
            "{checked}"
        );
    }
}

#[test]
fn admins_see_that_the_certificate_expires() {
    let home = Home::new("").with_source("a.txt", ["a"]);
    home.write_config(
        "config.toml",
        "[http]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n",
    );
    write_pair(&home, 9);
    for (name, role) in [("ada", "admin"), ("ole", "operator")] {
        home.add_person(name, role);
    }
    let mut service = Service::start(&home, &["--no-worker"]);
    let pem = fs::read(home.path("cert.pem")).expect("a file");
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(&pem).expect("a certificate");
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions");
    let client = client.with_root_certificates(roots).with_no_client_auth();
    service.client = Arc::new(client);
    for (name, sees) in [("ada", true), ("ole", false)] {
        let cookie = service.sign_in(name, PASSWORD).cookie();
        let fields = [("Accept", "text/html"), ("Cookie", cookie.as_str())];
        let page = service.ask("GET", "/sources", &fields, "").text();
        assert_eq!(
            notices(&page).contains("expires in 8 days, on "),
            sees,
            "{page}"
        );
    }
    let metrics = service.get("/metrics").text();
    let at = metrics.lines().find_map(|line| {
        let name = "gannet_http_certificate_expires_timestamp_seconds ";
        line.strip_prefix(name)?.parse::<f64>().ok()
    });
    let now = SystemClock.now().timestamp().unsigned_abs();
    let days = at.map(|at| (at - f64::from(u32::try_from(now).expect("a time"))) / 86_400.0);
    assert!(
        days.is_some_and(|days| (7.0..10.0).contains(&days)),
        "{days:?}"
    );
    until("the warning", || {
        let log = fs::read_dir(home.data().join("log"))
            .into_iter()
            .flatten()
            .flatten();
        let mut texts = log.filter_map(|file| fs::read_to_string(file.path()).ok());
        texts.any(|text| text.contains("expires in 8 days"))
    });
    let (_, said) = service.end();
    assert_eq!(said.matches("expires in 8 days").count(), 1, "{said}");
}
