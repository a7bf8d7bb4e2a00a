//! Currency rates from a source to an answer, by use-cases and the worker, with an origin that answers as providers do.

use std::fs;

use chrono::NaiveDate;
use gannet::app::{
    Error, ErrorKind, NewSource, RatesAt, RatesDay, RatesError, RatesOver, RatesWanted,
};
use gannet::clock::Clock as _;
use gannet::domain::{
    Action, Currency, Judgement, Provider, SettingsPatch, Verdict, VerdictOutcome, VersionState,
};

use crate::rig::{Home, Reply, TestApp, hourly, said as said_by};

fn ecb(days: &[(&str, &str)]) -> Reply {
    let days = days.iter().map(|(day, usd)| {
        format!(r#"<Cube time="{day}"><Cube currency="USD" rate="{usd}"/><Cube currency="GBP" rate="0.8000"/></Cube>"#)
    });
    Reply::ok(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"><Cube>{}</Cube></gesmes:Envelope>"#,
        days.collect::<String>()
    ))
}

fn of_rates(test: &TestApp, path: &str, provider: Provider) -> NewSource {
    let name = path
        .trim_start_matches('/')
        .split('?')
        .next()
        .unwrap_or_default();
    let mut new = hourly(&name.replace('/', "-"), test.origin.url(path));
    new.settings.rates = Some(Some(provider));
    new
}

/// An app with a source `ecb` that answers this, fetched once.
async fn with_ecb(replies: Vec<Reply>) -> TestApp {
    let test = TestApp::new().open().await;
    test.origin.on("/ecb", replies);
    test.add(vec![of_rates(&test, "/ecb", Provider::Ecb)])
        .await
        .expect("added");
    test.good_pass().await;
    test
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn code(text: &str) -> Currency {
    text.parse().expect("a code")
}

fn on(text: &str) -> RatesAt {
    RatesAt {
        day: text.parse().expect("a day"),
        ..RatesAt::default()
    }
}

/// What the verifiers said of the newest version of a source.
async fn said(test: &TestApp, source: &str) -> Vec<String> {
    let (_, version) = test.version(source).await.expect("a version");
    let verdicts = test
        .verdicts(version.id)
        .await
        .expect("verdicts")
        .into_iter();
    let line = |verdict: Verdict| {
        let verdict = verdict.verdict;
        let Judgement {
            outcome, detail, ..
        } = verdict.judgement;
        format!("{} {}: {detail}", verdict.verifier, outcome.as_str())
    };
    verdicts.map(line).collect()
}

async fn json(test: &TestApp, at: &RatesAt) -> String {
    let answer = test.rates_on(at).await.expect("rates");
    answer.rates.rates.as_json().to_owned()
}

#[tokio::test]
async fn rates_of_a_file_with_many_days_are_answered_by_day() {
    let test = with_ecb(vec![ecb(&[
        ("2026-01-30", "1.2500"),
        ("2026-01-29", "1.2"),
    ])])
    .await;
    let verdicts = said(&test, "ecb").await;
    assert_eq!(
        verdicts,
        ["rates:ecb passed: 2 days from 2026-01-29 to 2026-01-30: 2 rates, base EUR"]
    );
    assert_eq!(
        json(&test, &on("2026-01-30")).await,
        r#"{"GBP":0.8000,"USD":1.2500}"#
    );
    assert_eq!(
        json(&test, &on("latest")).await,
        r#"{"GBP":0.8000,"USD":1.2500}"#
    );
    let mut in_dollars = on("2026-01-30");
    in_dollars.wanted.base = Some(code("USD"));
    assert_eq!(
        json(&test, &in_dollars).await,
        r#"{"EUR":0.8,"GBP":0.64,"USD":1}"#
    );
    in_dollars.wanted.symbols = Some(vec![code("EUR")]);
    assert_eq!(json(&test, &in_dollars).await, r#"{"EUR":0.8}"#);

    let error = test
        .rates_on(&on("2026-01-31"))
        .await
        .expect_err("a Saturday");
    let RatesError::NoRates { nearest, of, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*nearest, Some(day("2026-01-30")));
    assert_eq!(of.held, Some((day("2026-01-29"), day("2026-01-30"))));
    let error = Error::from(error);
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(
        error.with_hint(),
        "ecb has no rates for 2026-01-31: it has days from 2026-01-29 to 2026-01-30; the nearest earlier day is 2026-01-30"
    );
    let nearest = RatesAt {
        nearest_previous: true,
        ..on("2026-01-31")
    };
    let answer = test.rates_on(&nearest).await.expect("rates");
    assert_eq!(answer.rates.date, day("2026-01-30"));

    let mut unknown = on("latest");
    unknown.wanted.symbols = Some(vec![code("XAU")]);
    let error = Error::from(test.rates_on(&unknown).await.expect_err("no gold"));
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!("2026-1-30".parse::<RatesDay>().is_err());
}

#[tokio::test]
async fn a_correction_is_in_force_and_what_was_known_before_is_still_answered() {
    let test = with_ecb(vec![
        ecb(&[("2026-01-29", "1.2"), ("2026-01-30", "1.25")]),
        ecb(&[("2026-01-30", "1.26"), ("2026-02-02", "1.27")]),
        ecb(&[("2026-02-02", "0")]),
    ])
    .await;
    let before = test.clock.now();
    test.turn(60);
    test.good_pass().await;
    let over = RatesOver {
        from: day("2026-01-01"),
        to: day("2026-12-31"),
        wanted: RatesWanted {
            symbols: Some(vec![code("USD")]),
            ..RatesWanted::default()
        },
    };
    let days = async |over: &RatesOver| {
        let range = test.rates_range(over).await.expect("a range");
        let days = range.days.iter().map(|day| {
            let mark = if day.is_correction { "*" } else { "" };
            format!(
                "{} {}{mark} v{}",
                day.rates.date,
                day.rates.rates.as_json(),
                day.version
            )
        });
        days.collect::<Vec<_>>()
    };
    let now = [
        r#"2026-01-29 {"USD":1.2} v1"#,
        r#"2026-01-30 {"USD":1.26}* v2"#,
        r#"2026-02-02 {"USD":1.27} v2"#,
    ];
    assert_eq!(days(&over).await, now);
    let mut earlier = over.clone();
    earlier.wanted.as_of = Some(before);
    assert_eq!(
        days(&earlier).await,
        [now[0], r#"2026-01-30 {"USD":1.25} v1"#]
    );

    // A file that is refused changes nothing.
    test.turn(60);
    test.pass().await;
    assert_eq!(days(&over).await, now);
    let (_, version) = test.version("ecb").await.expect("a version");
    assert_eq!(version.state, VersionState::Failed);
    assert_eq!(
        said(&test, "ecb").await,
        ["rates:ecb failed: for 2026-02-02, the rate of USD is 0, which is not positive"]
    );

    // A refused version that was published takes its rates along.
    let failed = VerdictOutcome::Failed;
    test.verdict("v2", "rates:ecb", failed, None)
        .await
        .expect("a verdict");
    assert_eq!(days(&over).await, [now[0], r#"2026-01-30 {"USD":1.25} v1"#]);
}

#[tokio::test]
async fn an_answer_of_fixer_is_rates_or_a_failure_with_its_reason() {
    let test = TestApp::new().open().await;
    let address = "/api/2026-01-30?base=USD&symbols=EUR,JPY";
    let good = r#"{"success":true,"historical":true,"date":"2026-01-30","base":"USD","rates":{"JPY":154,"EUR":8.41e-01}}"#;
    let full = r#"{"success":false,"error":{"code":104,"type":"usage_limit_reached","info":"Your quota is used up."}}"#;
    test.origin
        .on("/api/2026-01-30", [Reply::ok(good), Reply::ok(full)]);
    test.add(vec![of_rates(&test, address, Provider::Fixer)])
        .await
        .expect("added");
    test.good_pass().await;
    assert_eq!(
        json(&test, &on("latest")).await,
        r#"{"EUR":8.41e-01,"JPY":154}"#
    );
    test.turn(60);
    test.pass().await;
    assert_eq!(
        said(&test, "api-2026-01-30").await,
        [
            "rates:fixer failed: the provider answered with error 104 (usage_limit_reached): Your quota is used up."
        ]
    );
    assert_eq!(
        json(&test, &on("latest")).await,
        r#"{"EUR":8.41e-01,"JPY":154}"#
    );
}

#[tokio::test]
async fn the_setting_says_whose_rates_a_file_holds_whenever_it_is_set() {
    let test = TestApp::new()
        .source("/ecb", [ecb(&[("2026-01-30", "1.25")])])
        .open()
        .await;
    test.good_pass().await;
    let error = test.rates_on(&on("latest")).await.expect_err("no rates");
    assert!(matches!(error, RatesError::NoSource), "{error:?}");
    let mut of_source = on("latest");
    of_source.wanted.source = Some("ecb".to_owned());
    let error = Error::from(test.rates_on(&of_source).await.expect_err("no rates"));
    assert_eq!(error.message, "ecb has no currency rates");

    let rates = |provider| SettingsPatch {
        rates: Some(provider),
        ..SettingsPatch::default()
    };
    test.edit(&["ecb".to_owned()], rates(Some(Provider::Ecb)))
        .await
        .expect("edited");
    test.good_pass().await;
    assert_eq!(
        json(&test, &of_source).await,
        r#"{"GBP":0.8000,"USD":1.25}"#
    );
    let sources = test.rate_sources().await.expect("sources");
    let found: Vec<_> = sources
        .iter()
        .map(|one| (one.name.as_str(), one.provider, one.held))
        .collect();
    let held = (day("2026-01-30"), day("2026-01-30"));
    assert_eq!(found, [("ecb", Provider::Ecb, Some(held))]);
    test.edit(&["ecb".to_owned()], rates(None))
        .await
        .expect("edited");
    assert_eq!(test.rate_sources().await.expect("sources"), []);
}

#[test]
fn rates_are_added_and_shown_on_the_command_line() {
    let home = Home::new("");
    let root = home.origin.url("");
    let config =
        home.config("") + &format!("[rates.ecb]\naddress = {root:?}\nallow_private = true\n");
    fs::write(home.path("config.toml"), config).expect("a configuration");
    let name = "/eurofxref-hist-90d.xml";
    home.origin.on(
        name,
        [
            ecb(&[("2026-01-29", "1.2"), ("2026-01-30", "1.2500")]),
            ecb(&[("2026-01-30", "1.2600"), ("2026-02-02", "1.27")]),
        ],
    );
    let said = home.run(&["rates", "show"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let added = home.ok(&["rates", "add", "ecb"]);
    assert!(added.starts_with("added ecb (1): "), "{added}");
    let empty = home.run(&["rates", "show"]);
    assert_eq!((empty.code, empty.out.as_str()), (Some(2), ""));
    assert!(empty.err.contains("ecb has no rates yet"), "{empty:?}");
    home.ok(&["fetch", "ecb"]);
    home.ok(&["fetch", "ecb"]);

    let shown = home.ok(&["rates", "show", "2026-01-30"]);
    let lines: Vec<_> = shown.lines().collect();
    assert!(
        lines[0].starts_with("2026-01-30, 1 EUR, by ecb (v2), fetched "),
        "{shown}"
    );
    assert!(lines[0].ends_with(", corrected"), "{shown}");
    assert_eq!(
        lines[1..],
        [
            "",
            "CURRENCY    RATE  SINCE 2026-01-29",
            "GBP       0.8000           +0.00 %",
            "USD       1.2600           +5.00 %",
        ]
    );
    let json = home.ok(&["rates", "show", "--symbols", "USD", "--json"]);
    assert!(json.contains(r#""rates": {"USD":1.27}"#), "{json}");
    let csv = home.ok(&["rates", "show", "2026-01-30", "--base", "USD", "--csv"]);
    let rows: Vec<_> = csv.lines().collect();
    assert_eq!(
        rows[0],
        "date,base,currency,rate,provider,version,retrieved_at,corrected"
    );
    assert!(
        rows[1].starts_with("2026-01-30,USD,EUR,0.793650793651,ecb,2,"),
        "{csv}"
    );
    let history = home.ok(&["rates", "history", "USD"]);
    let lines: Vec<_> = history.lines().collect();
    assert_eq!(
        lines,
        [
            "USD for 1 EUR, by ecb",
            "",
            "DAY           RATE   CHANGE  VERSION",
            "2026-01-29     1.2           v1",
            "2026-01-30  1.2600  +5.00 %  v2       corrected",
            "2026-02-02    1.27  +0.79 %  v2",
        ]
    );
    let json = home.json(&[
        "rates",
        "history",
        "USD",
        "--from",
        "2026-02-01",
        "--to",
        "2026-02-28",
        "--json",
    ]);
    assert_eq!(json[0]["date"], "2026-02-02");
    assert_eq!(json.as_array().map(Vec::len), Some(1));
}

#[test]
fn what_cannot_be_shown_or_added_is_refused_with_the_reason() {
    let home = Home::new("");
    home.origin.on("/ecb", [ecb(&[("2026-01-30", "1.25")])]);
    let url = home.origin.url("/ecb");
    home.ok(&["add", &url, "--rates", "ecb", "--allow-private"]);
    home.ok(&["fetch", "ecb"]);
    for (arguments, why) in [
        (
            &["rates", "show", "2026-01-31"][..],
            "the nearest earlier day is 2026-01-30",
        ),
        (
            &["rates", "show", "--symbols", "XAU"],
            "there is no rate of XAU",
        ),
        (
            &["rates", "show", "yesterday"],
            "is not a date: expected year, month and day, such as 2020-01-31, or latest",
        ),
        (&["rates", "add", "ecb", "--base", "USD"], "the base EUR"),
        (&["rates", "add", "other"], "expected fixer or ecb"),
        (
            &[
                "rates",
                "history",
                "USD",
                "--from",
                "2026-02-02",
                "--to",
                "2026-02-01",
            ],
            "ends before it begins",
        ),
    ] {
        let said = home.run(arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}: {said:?}");
        assert!(said.err.contains(why), "{arguments:?}: {said:?}");
    }
}

const FIXER: &str = "/api/{date}?access_key=${KEY}&base=EUR";

/// An app with a dated source of Fixer, whose window has so many days; its clock shows noon of 2026-01-31.
async fn with_fixer(days: u32) -> TestApp {
    let test = TestApp::new().open().await;
    let mut new = of_rates(&test, FIXER, Provider::Fixer);
    new.settings.name = Some("fixer".to_owned());
    new.settings.days = Some(Some(days));
    test.add(vec![new]).await.expect("added");
    test
}

fn serve_day(test: &TestApp, day: &str, usd: &str) {
    let answer = format!(
        r#"{{"success":true,"historical":true,"date":"{day}","base":"EUR","rates":{{"USD":{usd}}}}}"#
    );
    test.origin.on(&format!("/api/{day}"), [Reply::ok(answer)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_days_of_a_dated_source_are_one_set_of_rates() {
    let test = with_fixer(3).await;
    for (day, usd) in [
        ("2026-01-29", "1.20"),
        ("2026-01-30", "1.21"),
        ("2026-01-31", "1.22"),
    ] {
        serve_day(&test, day, usd);
    }
    test.good_pass().await;
    let sources = test.rate_sources().await.expect("sources");
    let found: Vec<_> = sources
        .iter()
        .map(|one| (one.name.as_str(), one.held))
        .collect();
    assert_eq!(
        found,
        [("fixer", Some((day("2026-01-29"), day("2026-01-31"))))]
    );
    assert_eq!(json(&test, &on("2026-01-30")).await, r#"{"USD":1.21}"#);
    let mut of_day = on("latest");
    of_day.wanted.source = Some("fixer/2026-01-29".to_owned());
    assert_eq!(json(&test, &of_day).await, r#"{"USD":1.22}"#);

    // A day is corrected, and what was known of it stays.
    let before = test.clock.now();
    serve_day(&test, "2026-01-30", "1.25");
    test.turn(60);
    test.good_pass().await;
    let corrected = test.rates_on(&on("2026-01-30")).await.expect("rates");
    assert_eq!(corrected.rates.rates.as_json(), r#"{"USD":1.25}"#);
    assert!(corrected.is_correction);
    let mut earlier = on("2026-01-30");
    earlier.wanted.as_of = Some(before);
    assert_eq!(json(&test, &earlier).await, r#"{"USD":1.21}"#);

    // A purge of the source takes all of them along.
    test.remove(&["fixer".to_owned()], true)
        .await
        .expect("purged");
    assert_eq!(test.rate_sources().await.expect("sources"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_refuses_is_not_asked_for_other_days() {
    let refusal = |code: u32| {
        let text =
            format!(r#"{{"success":false,"error":{{"code":{code},"type":"no","info":"No."}}}}"#);
        Reply::ok(text)
    };
    for (reply, until, why) in [
        (
            refusal(101),
            None,
            "stopped: the provider answered with error 101 (no): No.; put the access key",
        ),
        (
            refusal(104),
            Some("2026-02-01"),
            "stopped until 2026-02-01 00:00 UTC: the provider answered with error 104",
        ),
        (
            Reply::status(429),
            Some("2026-02-01"),
            "stopped until 2026-02-01 00:00 UTC: the provider answered 429",
        ),
    ] {
        let test = with_fixer(9).await;
        for number in 23..32 {
            test.origin
                .on(&format!("/api/2026-01-{number}"), [reply.clone()]);
        }
        let report = test.pass().await;
        let lines: Vec<_> = report
            .failures
            .iter()
            .filter(|line| line.contains("stopped"))
            .collect();
        assert_eq!(lines.len(), 1, "{:?}", report.failures);
        assert!(lines[0].starts_with(&format!("fixer: {why}")), "{lines:?}");
        // Two were under way at once.
        let requests = test.origin.requests().len();
        assert!(requests <= 2, "{requests}: {why}");
        let said = test.log(Action::SourceStopped).await;
        assert_eq!(said.len(), 1, "{said:?}");
        let asked = test.origin.requests().len();
        test.turn(60);
        test.pass().await;
        assert_eq!(test.origin.requests().len(), asked, "{why}");
        let source = test.source("fixer").await.expect("the source");
        assert_eq!(source.settings.enabled, until.is_some(), "{why}");
        // The quota begins anew with the month.
        test.turn(24 * 60);
        test.pass().await;
        assert_eq!(
            test.origin.requests().len() > asked,
            until.is_some(),
            "{why}"
        );
    }
}

#[test]
fn days_are_ingested_once_and_the_command_goes_on_where_it_was() {
    let home = Home::new("");
    let root = home.origin.url("/api");
    let toml = format!("[rates.fixer]\naddress = {root:?}\nallow_private = true\n");
    home.write_config("config.toml", &toml);
    for day in 1..=6 {
        let day = format!("2020-01-0{day}");
        let answer = format!(
            r#"{{"success":true,"date":"{day}","base":"EUR","rates":{{"USD":1.1{day}}}}}"#,
        );
        let answer = answer.replace("1.12020-01-0", "1.1");
        home.origin.on(&format!("/api/{day}"), [Reply::ok(answer)]);
    }
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        said_by(
            &command
                .env("FIXER_ACCESS_KEY", "s3cret-key")
                .output()
                .expect("gannet runs"),
        )
    };
    let added = run(&["rates", "add", "fixer", "--days", "2"]);
    assert_eq!(added.code, Some(0), "{added:?}");
    let range = ["--from", "2020-01-01", "--to", "2020-01-06"];
    let some = run(&[&["rates", "ingest", "--max-requests", "4"], &range[..]].concat());
    assert_eq!(some.code, Some(0), "{some:?}");
    assert!(some.err.contains("2 files are left"), "{some:?}");
    assert_eq!(home.origin.requests().len(), 4);
    let rest = run(&[&["ingest_rates", "--provider", "fixer"], &range[..]].concat());
    assert_eq!(rest.code, Some(0), "{rest:?}");
    assert!(rest.err.contains("4 days are held already"), "{rest:?}");
    let asked = home.origin.requests();
    assert_eq!(asked.len(), 6);
    assert!(
        asked[5].path.contains("access_key=s3cret-key"),
        "{}",
        asked[5].path
    );
    let shown = home.ok(&["rates", "history", "USD", "--csv"]);
    assert_eq!(shown.lines().count(), 7, "{shown}");
    let again = run(&["rates", "ingest", "--date", "2020-01-03", "--again"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(home.origin.requests().len(), 7);
    let ahead = run(&["rates", "ingest", "--date", "2999-01-01"]);
    assert!(ahead.err.contains("has not begun"), "{ahead:?}");
    let none = run(&["rates", "ingest", "--provider", "ecb"]);
    assert!(
        none.err.contains("`gannet rates add ecb` adds one"),
        "{none:?}"
    );
}
