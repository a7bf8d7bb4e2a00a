//! Currency rates over HTTP: of a day and over a range, converted, as they were known, as JSON and CSV, and on conditions.

use serde_json::json;

use crate::rig::{Answer, Home, Reply, Service};

fn ecb(days: &[(&str, &str)]) -> Reply {
    let days = days.iter().map(|(day, usd)| {
        format!(r#"<Cube time="{day}"><Cube currency="USD" rate="{usd}"/><Cube currency="GBP" rate="0.8000"/></Cube>"#)
    });
    Reply::ok(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"><Cube>{}</Cube></gesmes:Envelope>"#,
        days.collect::<String>()
    ))
}

/// A service over rates of two days, of which the first was corrected.
fn rig() -> (Home, Service) {
    let home = Home::new("");
    let first = [("2026-01-08", "1.1000"), ("2026-01-05", "1.25")];
    let second = [("2026-01-08", "1.1000"), ("2026-01-05", "1.20")];
    home.origin.on("/ecb", [ecb(&first), ecb(&second)]);
    let url = home.origin.url("/ecb");
    home.ok(&[
        "add",
        &url,
        "--name",
        "ecb",
        "--rates",
        "ecb",
        "--allow-private",
    ]);
    home.ok(&["fetch", "ecb"]);
    home.ok(&["fetch", "ecb"]);
    let service = Service::start(&home.gannet, &["--no-worker"]);
    (home, service)
}

fn refused(service: &Service, path: &str, status: u16, words: &[&str]) {
    let answer = service.get(path);
    let text = answer.text();
    assert_eq!(answer.status, status, "{path}: {text}");
    for word in words {
        assert!(text.contains(word), "{path}: {text}");
    }
}

fn with(service: &Service, path: &str, field: (&str, &str)) -> Answer {
    service.ask("GET", path, &[field], "")
}

#[test]
fn a_day_has_its_rates_and_no_other_day_stands_in_unasked() {
    let (_home, service) = rig();
    let day = service.get("/rates/2026-01-08/").json();
    assert_eq!(day["date"], "2026-01-08");
    assert_eq!(
        (&day["base"], &day["provider"]),
        (&json!("EUR"), &json!("ecb"))
    );
    assert!(
        day["version"].is_u64() && day["retrieved_at"].is_string(),
        "{day}"
    );
    // The digits that they came with.
    let text = service.get("/rates/2026-01-08/").text();
    assert!(
        text.contains(r#""rates":{"GBP":0.8000,"USD":1.1000}"#),
        "{text}"
    );
    for (path, date) in [
        ("/rates/latest/", "2026-01-08"),
        ("/rates/2026-01-08", "2026-01-08"),
        ("/rates/2026-01-07/?nearest=previous", "2026-01-05"),
    ] {
        assert_eq!(service.get(path).json()["date"], date, "{path}");
    }
    let weekend = [
        "2026-01-05 to 2026-01-08",
        "the nearest earlier day is 2026-01-05",
    ];
    refused(&service, "/rates/2026-01-07/", 404, &weekend);
    refused(&service, "/rates/2025-12-31/", 404, &weekend[..1]);
    for (path, words) in [
        ("/rates/2026-1-7/", "is not a da"),
        ("/rates/yesterday/", "is not a da"),
        ("/rates/2026-02-30/", "is not a da"),
        ("/rates/latest/?base=usd", "`base`"),
        ("/rates/latest/?symbols=USD,,GBP", "`symbols`"),
        ("/rates/latest/?as_of=tomorrow", "as_of"),
        ("/rates/latest/?nearest=next", "nearest"),
        ("/rates/latest/?bases=USD", "bases"),
        ("/rates/latest/?base=XAU", "XAU"),
    ] {
        refused(&service, path, 400, &[words]);
    }
    refused(&service, "/rates/latest/?source=nobody", 404, &["nobody"]);
}

#[test]
fn rates_are_converted_selected_and_known_at_their_time() {
    let (home, service) = rig();
    let text = |path: &str| service.get(path).text();
    let converted = text("/rates/2026-01-08/?base=USD&symbols=EUR,GBP,USD");
    assert!(converted.contains(r#""base":"USD""#), "{converted}");
    assert!(
        converted.contains(r#""EUR":0.909090909091,"GBP":0.727272727273"#),
        "{converted}"
    );
    assert!(text("/rates/2026-01-05/?symbols=USD").contains(r#"{"USD":1.20}"#));
    let list = home.json(&["history", "ecb", "--json"]);
    let versions = list["versions"].as_array().expect("a list");
    let second = versions[0]["fetched_at"].as_str().expect("a time");
    // Before the second version was there, the first one was in force.
    let before = format!("/rates/2026-01-05/?symbols=USD&as_of={second}");
    let known = text(&before.replace(':', "%3A"));
    assert!(known.contains(r#"{"USD":1.2"#), "{known}");
    refused(
        &service,
        "/rates/2026-01-05/?as_of=2026-01-01",
        404,
        &["no rates"],
    );
}

#[test]
fn a_range_is_json_or_csv_on_conditions() {
    let (_home, service) = rig();
    let path = "/api/v1/rates?from=2026-01-01&to=2026-01-31&symbols=USD";
    let range = service.get(path).json();
    assert_eq!(range["source"], "ecb");
    let days = range["days"].as_array().expect("a list");
    let dates: Vec<_> = days.iter().map(|day| day["date"].clone()).collect();
    assert_eq!(dates, [json!("2026-01-05"), json!("2026-01-08")]);
    let csv = with(&service, path, ("Accept", "text/csv"));
    assert_eq!(csv.header("content-type"), Some("text/csv"));
    let rows: Vec<_> = csv.text().lines().map(str::to_owned).collect();
    assert!(
        rows[0].starts_with("date,base,currency,rate,provider"),
        "{rows:?}"
    );
    assert!(
        rows[1].starts_with("2026-01-05,EUR,USD,1.20,ecb,"),
        "{rows:?}"
    );
    assert!(
        rows[1].ends_with(",true") && rows[2].ends_with(",false"),
        "{rows:?}"
    );
    assert_eq!(
        service.get(&format!("{path}&format=csv")).text(),
        csv.text()
    );
    for path in [path, "/rates/2026-01-08/"] {
        let first = service.get(path);
        let tag = first.header("etag").expect("a tag").to_owned();
        let again = with(&service, path, ("If-None-Match", &tag));
        assert_eq!((again.status, again.text().as_str()), (304, ""), "{path}");
        assert_eq!(with(&service, path, ("If-Match", "\"other\"")).status, 412);
        assert_eq!(
            with(&service, path, ("If-None-Match", "\"other\"")).status,
            200
        );
    }
    for (query, words) in [
        ("from=2026-01-31&to=2026-01-01", "ends before it begins"),
        ("from=2000-01-01&to=2026-01-01", "too long"),
        ("from=1.1.2026", "is not a da"),
        ("symbols=XAU&from=2026-01-01&to=2026-01-31", "XAU"),
        ("format=xml", "xml"),
    ] {
        refused(&service, &format!("/api/v1/rates?{query}"), 400, &[words]);
    }
}

#[test]
fn without_a_source_there_are_no_rates() {
    let home = Home::new("");
    home.ok(&["build_db"]);
    let service = Service::start(&home.gannet, &["--no-worker"]);
    for path in ["/rates/latest/", "/api/v1/rates"] {
        refused(
            &service,
            path,
            404,
            &["no source has currency rates", "gannet rates add"],
        );
    }
}
