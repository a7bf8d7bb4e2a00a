//! Dated sources: an address with `{date}` has one file a day, each of which is fetched, judged and published by itself.

use gannet::app::NewSource;
use gannet::domain::{Action, AttemptOutcome, SettingsPatch, Source, StateWord, VersionState};
use gannet::worker::{Progress, Selection, Stop};

use crate::rig::{Gannet, Origin, Reply, TestApp, hourly, soon, verifier};

/// Returns a dated source that is fetched every hour, and asks for so many days.
fn dated(app: &TestApp, days: u32) -> NewSource {
    let mut new = hourly("fx", app.origin.url("/fx/{date}.csv"));
    new.settings.days = Some(Some(days));
    new
}

/// Opens an app, whose clock shows noon of 2026-01-31, with a dated source of so many days.
async fn with_days(days: u32) -> TestApp {
    let app = TestApp::new().open().await;
    let new = dated(&app, days);
    app.add(vec![new]).await.expect("added");
    app
}

fn serve(app: &TestApp, days: &[&str]) {
    for day in days {
        let content = format!("rates of {day}");
        app.origin
            .on(&format!("/fx/{day}.csv"), [Reply::file(content)]);
    }
}

/// Returns the days that were asked for since so many requests, in their order.
fn asked(app: &TestApp, since: usize) -> Vec<String> {
    let requests = app.origin.requests();
    let mut days: Vec<_> = requests[since..]
        .iter()
        .map(|request| {
            let day = request.path.trim_start_matches("/fx/");
            day.trim_end_matches(".csv").to_owned()
        })
        .collect();
    days.sort();
    days
}

async fn source(app: &TestApp, name: &str) -> Source {
    app.source(name).await.expect(name)
}

async fn state(app: &TestApp, name: &str) -> StateWord {
    StateWord::of(&source(app, name).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_days_of_a_window_are_fetched_until_they_are_settled() {
    let app = with_days(5).await;
    let all = [
        "2026-01-27",
        "2026-01-28",
        "2026-01-29",
        "2026-01-30",
        "2026-01-31",
        "2026-02-01",
    ];
    serve(&app, &all);
    assert_eq!(state(&app, "fx").await, StateWord::Never);
    assert_eq!(app.pass().await.summary.new, 5);
    assert_eq!(asked(&app, 0), all[..5]);
    assert_eq!(state(&app, "fx").await, StateWord::New);
    // The lists have the dated source, and it is not due before its interval is over.
    assert_eq!(app.sources(&[]).await.expect("sources").len(), 1);
    assert_eq!(app.pass().await.summary.attempts, 0);
    // Two days were final when they were fetched.
    app.turn(60);
    let summary = app.pass().await.summary;
    assert_eq!((summary.attempts, summary.unchanged), (3, 3));
    assert_eq!(asked(&app, 5), all[2..5]);
    assert_eq!(state(&app, "fx").await, StateWord::Ok);
    // The next day comes, and another one becomes final.
    app.turn(12 * 60);
    assert_eq!(app.pass().await.summary.new, 1);
    assert_eq!(asked(&app, 8), all[2..]);
    app.turn(60);
    app.pass().await;
    assert_eq!(asked(&app, 12), all[3..]);
    let days = source(&app, "fx").await.state.days.expect("days");
    let range = days.range.expect("a range");
    assert_eq!(
        (days.held, range.0.to_string(), range.1.to_string()),
        (6, all[0].to_owned(), all[5].to_owned())
    );
    assert_eq!((days.missing, days.failing), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_day_has_versions_verdicts_and_a_file_of_its_own() {
    let rule = verifier("small", "builtin = \"size\"\nmax = \"20B\"");
    let app = TestApp::new().toml(&rule).open().await;
    app.add(vec![dated(&app, 2)]).await.expect("added");
    serve(&app, &["2026-01-30", "2026-01-31"]);
    app.pass().await;
    app.origin
        .on("/fx/2026-01-30.csv", [Reply::file("corrected")]);
    app.turn(60);
    assert_eq!(app.pass().await.summary.new, 1);
    let day = source(&app, "fx/2026-01-30").await;
    let versions = app.versions(day.id).await.expect("versions");
    assert_eq!(versions.len(), 2);
    let file = app.published_folder().join(&day.published_path);
    assert!(day.published_path.ends_with("/fx/2026-01-30.csv"));
    let content = std::fs::read_to_string(file).expect("a file");
    assert_eq!(content, "corrected");
    // A version that fails leaves its day's file, and makes the dated source fail.
    let bad = "corrected again, and too long";
    app.origin.on("/fx/2026-01-30.csv", [Reply::file(bad)]);
    app.turn(60);
    app.pass().await;
    let day = source(&app, "fx/2026-01-30").await;
    assert_eq!(day.state.version_state, Some(VersionState::Failed));
    assert_eq!(state(&app, "fx").await, StateWord::Fail);
    assert_eq!(state(&app, "fx/2026-01-31").await, StateWord::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_yet_is_no_failure() {
    let app = with_days(2).await;
    serve(&app, &["2026-01-30"]);
    let report = app.pass().await;
    assert_eq!((report.summary.absent, report.summary.failed), (1, 0));
    assert!(report.failures.is_empty() && !report.summary.has_problems());
    assert_eq!(state(&app, "fx/2026-01-31").await, StateWord::Absent);
    assert_eq!(state(&app, "fx").await, StateWord::New);
    assert_eq!(app.log(Action::SourceFailing).await, [""; 0]);
    assert_eq!(app.log(Action::FetchAbsent).await.len(), 1);
    // It is asked for again with the window, and is there.
    serve(&app, &["2026-01-31"]);
    assert_eq!(app.pass().await.summary.attempts, 0);
    app.turn(60);
    assert_eq!(app.pass().await.summary.new, 1);
    // A file that was there and is gone is a failure.
    app.origin.on("/fx/2026-01-31.csv", [Reply::status(404)]);
    app.turn(60);
    assert_eq!(app.pass().await.summary.failed, 1);
    assert_eq!(state(&app, "fx").await, StateWord::Down);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_failed_is_tried_again_by_itself() {
    let app = TestApp::new().open().await;
    let mut new = dated(&app, 2);
    new.settings.interval = Some("1d".parse().expect("an interval"));
    app.add(vec![new]).await.expect("added");
    serve(&app, &["2026-01-30"]);
    app.origin.on("/fx/2026-01-31.csv", [Reply::status(500)]);
    assert_eq!(app.pass().await.summary.failed, 1);
    let day = source(&app, "fx/2026-01-31").await;
    assert_eq!(day.state.last_outcome, Some(AttemptOutcome::Failed));
    assert_eq!(state(&app, "fx").await, StateWord::Down);
    serve(&app, &["2026-01-31"]);
    app.turn(60);
    assert_eq!(app.pass().await.summary.new, 1);
    assert_eq!(asked(&app, 2), ["2026-01-31"]);
    assert_eq!(state(&app, "fx").await, StateWord::New);
}

/// Has a worker fetch sources on request.
async fn fetch(app: &TestApp, names: &[&str]) -> gannet::worker::PassReport {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let sources = app.sources_to_fetch(&names).await.expect("sources");
    let ids = sources.iter().map(|source| source.id).collect();
    let (stop, progress) = (Stop::default(), Progress::default());
    let pass = app.worker.pass(Selection::These(ids), &stop, &progress);
    soon(pass).await
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_fetched_on_request() {
    let app = with_days(2).await;
    serve(&app, &["2020-01-01", "2026-01-30", "2026-01-31"]);
    let report = fetch(&app, &["fx"]).await;
    assert_eq!(report.summary.new, 2);
    // Two days, and the dated source itself.
    assert_eq!(report.results.len(), 3);
    let report = fetch(&app, &["fx/2020-01-01"]).await;
    assert_eq!(report.summary.new, 1);
    assert_eq!(asked(&app, 2), ["2020-01-01"]);
    // It is in no window: nothing asks for it again.
    app.turn(60);
    app.pass().await;
    assert_eq!(asked(&app, 3), ["2026-01-30", "2026-01-31"]);
    let ahead = app.sources_to_fetch(&["fx/2026-02-01".to_owned()]).await;
    let error = ahead.expect_err("a day that has not begun").to_string();
    assert!(error.contains("2026-01-31 in UTC"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_go_to_the_days() {
    let app = with_days(2).await;
    serve(&app, &["2026-01-30", "2026-01-31"]);
    app.pass().await;
    let edit = async |patch: SettingsPatch| {
        app.edit(&["1".to_owned()], patch).await.expect("edited");
    };
    let tags = Some(vec!["rates".to_owned()]);
    edit(SettingsPatch {
        name: Some("rates".to_owned()),
        tags: tags.clone(),
        ..SettingsPatch::default()
    })
    .await;
    let day = source(&app, "rates/2026-01-31").await;
    assert_eq!(Some(day.settings.tags), tags);
    // Another address is due at once, settled days of the window too.
    let address = app.origin.url("/new/{date}.csv");
    let address = gannet::domain::Address::parse(&address, false).expect("an address");
    edit(SettingsPatch {
        address: Some(address),
        ..SettingsPatch::default()
    })
    .await;
    assert_eq!(app.pass().await.summary.attempts, 2);
    assert!(app.origin.requests()[2].path.starts_with("/new/"));
    edit(SettingsPatch {
        enabled: Some(false),
        ..SettingsPatch::default()
    })
    .await;
    app.turn(60);
    assert_eq!(app.pass().await.summary.attempts, 0);
    assert_eq!(state(&app, "rates").await, StateWord::Off);
    // By themselves they do not change.
    let renamed = SettingsPatch {
        interval: Some("7d".parse().expect("an interval")),
        ..SettingsPatch::default()
    };
    let own = app.edit(&["rates/2026-01-31".to_owned()], renamed).await;
    let error = own.expect_err("a day").to_string();
    assert!(error.contains("a day of the dated source rates"), "{error}");
    let removed = app.remove(&["rates/2026-01-31".to_owned()], false).await;
    removed.expect_err("a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn days_go_and_come_back_with_their_dated_source() {
    let app = with_days(2).await;
    serve(&app, &["2026-01-30", "2026-01-31"]);
    app.pass().await;
    let day = source(&app, "fx/2026-01-31").await;
    let file = app.published_folder().join(&day.published_path);
    assert!(file.exists());
    let fx = ["fx".to_owned()];
    app.remove(&fx, false).await.expect("removed");
    app.pass().await;
    assert!(!file.exists());
    assert_eq!(app.sources(&[]).await.expect("sources").len(), 0);
    app.restore(&fx).await.expect("restored");
    app.pass().await;
    assert!(file.exists());
    app.turn(60);
    assert_eq!(app.pass().await.summary.unchanged, 2);
    app.remove(&fx, true).await.expect("purged");
    assert!(!file.exists());
    app.source("fx/2026-01-31").await.expect_err("purged");
    assert!(app.pass().await.error.is_none());
}

#[test]
fn a_dated_source_on_the_command_line() {
    let origin = Origin::start(true);
    let home = Gannet::trusting(origin.ca_file(), "");
    let address = origin.url("/fx/{date}.csv");
    let private = "--allow-private";
    let said = home.run(&["add", &origin.url("/x.csv"), "--days", "3", private]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("one file a day"), "{said:?}");
    home.ok(&["add", &address, "--days", "3", "--name", "fx", private]);
    let said = home.ok(&["fetch", "fx"]);
    assert!(said.contains("3 not there yet"), "{said}");
    // A line for each day, and none for the dated source.
    assert_eq!(said.matches("fx").count(), 3, "{said}");
    origin.on("/fx/2020-01-31.csv", [Reply::ok("1,2")]);
    home.ok(&["fetch", "fx/2020-01-31"]);
    assert_eq!(home.ok(&["cat", "fx/2020-01-31"]), "1,2");
    let list: serde_json::Value =
        serde_json::from_str(&home.ok(&["list", "--json"])).expect("JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list[0]["state"], "absent", "{list}");
    let json = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&home.ok(arguments)).expect("JSON")
    };
    let days = json(&["list", "--filter", "of:fx", "--json"]);
    let names: Vec<_> = days.as_array().expect("a list").iter().collect();
    assert_eq!(names.len(), 4, "{days}");
    assert_eq!(names[0]["name"], "fx/2020-01-31");
    assert_eq!(
        (&names[0]["day"], &names[0]["dated_id"]),
        (&"2020-01-31".into(), &list[0]["id"])
    );
    let fx = json(&["show", "fx", "--json"]);
    assert_eq!(
        (&fx["days"], &fx["dated"]["held"], &fx["dated"]["missing"]),
        (&3.into(), &1.into(), &3.into())
    );
    assert_eq!(fx["dated"]["last"], "2020-01-31");
    let shown = home.ok(&["show", "fx"]);
    for words in ["1 day, 2020-01-31", "missing       3 of", "2020-01-31  new"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    // A pattern means days where it matches nothing else.
    let said = home.ok(&["fetch", "fx/2020-*"]);
    assert!(said.contains("fx/2020-01-31"), "{said}");
    let said = home.run(&["edit", "fx", "--address", &origin.url("/x.csv")]);
    assert_eq!(said.code, Some(2), "{said:?}");
}
