//! What comes and goes: told of at most once in the quiet period, and then what it has come to, by one rule for all kinds.

use super::*;

const CHECK: &str = "[[verifier]]\nname = \"check\"\nscope = \"set\"\nsources = [\"tag:release\"]\ncommand = [\"sh\", \"-c\", \"! grep -r bad $1\", \"sh\", \"{path}\"]\n";

/// Passes once an hour, before each of which something happens. Returns what was told, with the hours.
async fn heard(
    app: &TestApp,
    hook: &Origin,
    hours: i64,
    mut happen: impl AsyncFnMut(i64),
) -> Vec<String> {
    let mut heard = Vec::new();
    for hour in 0..hours {
        happen(hour).await;
        app.pass().await;
        let told = told(hook).concat();
        let new = told.into_iter().skip(heard.len());
        heard.extend(
            new.collect::<Vec<_>>()
                .into_iter()
                .map(|what| format!("{hour} {what}")),
        );
        app.turn(60);
    }
    heard
}

/// Opens an app where a set is judged and a source has its tag, with a notifier that hears of these changes.
async fn with_set<R: Into<Reply>>(
    hook: &Origin,
    on: &str,
    contents: impl IntoIterator<Item = R>,
) -> TestApp {
    let toml = webhook(hook, &format!("on = [{on}]\nquiet = \"6h\"")) + CHECK;
    let app = TestApp::new()
        .toml(&toml)
        .source("/a", contents)
        .open()
        .await;
    let tags = SettingsPatch {
        tags: Some(vec!["release".to_owned()]),
        ..SettingsPatch::default()
    };
    let tagged = app.edit(&["a".to_owned()], tags).await;
    tagged.expect("tagged");
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_fails_is_told_of_until_it_is_good_again() {
    let both = "\"set-failed\", \"good-again\"";
    let cases: [(&str, &[&str], &[&str]); 6] = [
        (both, &["good", "bad"], &["1 set-failed"]),
        (
            both,
            &["good", "bad", "good 2"],
            &["1 set-failed", "7 good-again"],
        ),
        (
            both,
            &["good", "bad", "good 2", "bad 2", "good 3", "bad 3"],
            &["1 set-failed", "7 set-failed"],
        ),
        (
            both,
            &[
                "good", "bad", "bad", "bad", "bad", "bad", "bad", "bad", "good 2",
            ],
            &["1 set-failed", "8 good-again"],
        ),
        (
            "\"good-again\"",
            &["good", "bad", "good 2"],
            &["2 good-again"],
        ),
        (
            "\"set-failed\"",
            &["good", "bad", "good 2"],
            &["1 set-failed"],
        ),
    ];
    for (on, contents, expected) in cases {
        let hook = hook();
        let app = with_set(&hook, on, contents.iter().copied()).await;
        let heard = heard(&app, &hook, 14, async |_| {}).await;
        let expected: Vec<_> = expected
            .iter()
            .map(|one| one.replacen(' ', " set release ", 1))
            .collect();
        assert_eq!(heard, expected, "{on} {contents:?}");
        for request in hook.requests() {
            let message = json(&request);
            let text = message["text"].as_str().expect("a text").to_owned();
            if text.contains("good again") {
                assert!(text.starts_with("1 good again: set release\n"), "{text}");
                assert!(text.ends_with("- set release is good again\n"), "{text}");
            } else {
                assert!(text.contains("failed verification: check: "), "{text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_hear_of_the_last_of_many_changes() {
    let hook = hook();
    let contents: Vec<_> = (0..6).map(|number| number.to_string()).collect();
    let on = "\"changed\", \"set-published\"";
    let app = with_set(&hook, on, contents.clone()).await;
    app.origin.on("/b", contents);
    app.watch(["/b"]).await;
    let heard = heard(&app, &hook, 15, async |_| {}).await;
    let expected = [
        "0 set release set-published",
        "1 b changed",
        "6 set release set-published",
        "7 b changed",
    ];
    assert_eq!(heard, expected);
    let last = json(hook.requests().last().expect("a message"));
    let difference = last["changes"][0]["difference"].as_str();
    // From what was told last.
    let is_whole = |text: &str| text.contains("-1") && text.contains("+5");
    assert!(difference.is_some_and(is_whole), "{last}");
    // Which of two sources is fetched first in a pass is not said.
    let newest_first = app.versions(SourceId(2)).await.expect("a history");
    let (to, from) = (newest_first[0].id, newest_first[3].id);
    let words_of_b = format!("b changed 4 times, first to v{from}, last: v{to} ");
    for (request, times, first, words) in [
        (0, 1, Value::Null, "set release published: edition 1\n"),
        (1, 1, Value::Null, "b changed: v"),
        (
            2,
            5,
            "edition 2".into(),
            "set release published 5 times, first edition 2, last: edition 6\n",
        ),
        (3, 4, format!("v{from}").into(), words_of_b.as_str()),
    ] {
        let message = json(&hook.requests()[request]);
        let change = &message["changes"][0];
        assert_eq!(
            (&change["times"], &change["first"]),
            (&Value::from(times), &first),
            "{message}"
        );
        let text = message["text"].as_str().expect("a text");
        assert!(text.contains(words), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_one_look_finds_are_counted_from_the_first() {
    let hook = hook();
    let toml = webhook(&hook, "on = [\"changed\"]\nquiet = \"6h\"");
    let app = TestApp::new()
        .toml(&toml)
        .source("/a", (0..6).map(|number| Reply::file(number.to_string())))
        .open()
        .await;
    app.pass().await;
    // Nobody listens for three changes: each try finds more of them.
    hook.on("/hook", [500, 500, 204].map(Reply::status));
    for _ in 0..3 {
        app.turn(60);
        app.pass().await;
    }
    let told: Vec<_> = hook.requests().iter().map(json).collect();
    let runs: Vec<_> = told
        .iter()
        .map(|message| {
            let change = &message["changes"][0];
            (
                change["version_id"].clone(),
                change["times"].clone(),
                change["first"].clone(),
            )
        })
        .collect();
    let run = |version: i64, times: i64, first: Option<&str>| {
        (
            version.into(),
            times.into(),
            first.map_or(Value::Null, Into::into),
        )
    };
    assert_eq!(
        runs,
        [
            run(2, 1, None),
            run(3, 2, Some("v2")),
            run(4, 3, Some("v2"))
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_withdrawn_again_and_again_is_told_of_once() {
    for (hours, expected) in [
        (1..2, &["1 x.json withdrawn"][..]),
        (1..5, &["1 x.json withdrawn"]),
        (1..6, &["1 x.json withdrawn", "7 x.json withdrawn"]),
    ] {
        let hook = hook();
        let toml = webhook(&hook, "on = [\"withdrawn\"]\nquiet = \"6h\"") + JSON_RULE;
        let app = TestApp::new()
            .toml(&toml)
            .source("/x.json", [Reply::file("{}")])
            .open()
            .await;
        // Out and in again by turns, last as the hours end.
        let heard = heard(&app, &hook, 14, async |hour| {
            if hours.contains(&hour) {
                let outcome = match hour % 2 {
                    1 => VerdictOutcome::Failed,
                    _ => VerdictOutcome::Passed,
                };
                let given = app.verdict("x.json", "json", outcome, None).await;
                given.expect("a verdict");
            }
        })
        .await;
        assert_eq!(heard, expected, "{hours:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_published_again_and_again_is_told_of_once() {
    for (blocked, expected) in [
        (&[1, 2, 3][..], &["1 x publish-failed"][..]),
        (&[1, 3, 5], &["1 x publish-failed"]),
        (
            &[1, 3, 5, 6, 7, 8],
            &["1 x publish-failed", "7 x publish-failed"],
        ),
    ] {
        let hook = hook();
        let contents = (0..14).map(|number| Reply::file(number.to_string()));
        let toml = webhook(&hook, "on = [\"publish-failed\"]\nquiet = \"6h\"");
        let app = TestApp::new()
            .toml(&toml)
            .source("/x", contents.collect::<Vec<_>>())
            .open()
            .await;
        let file = app.published_file(&app.origin.host().replace(':', "_"));
        let file = file.join("x");
        let heard = heard(&app, &hook, 14, async |hour| {
            if file.is_dir() {
                fs::remove_dir_all(&file).expect("out of the way");
            }
            if blocked.contains(&hour) {
                let _ = fs::remove_file(&file);
                fs::create_dir_all(file.join("folder")).expect("in the way");
            }
        })
        .await;
        assert_eq!(heard, expected, "{blocked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_cannot_be_published_is_named() {
    let hook = hook();
    let app = with_set(&hook, "\"publish-failed\"", ["good"]).await;
    fs::create_dir_all(app.folder().join("sets/release/folder")).expect("in the way");
    for _ in 0..3 {
        // Its error is what the notifier is told.
        drop(app.try_pass().await);
        app.turn(60);
    }
    assert_eq!(told(&hook), [["set release publish-failed"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_removed_source_that_stays_is_named() {
    let hook = hook();
    let toml = webhook(&hook, "on = [\"publish-failed\"]\nquiet = \"6h\"");
    let app = TestApp::new()
        .toml(&toml)
        .source("/x", [Reply::file("x")])
        .open()
        .await;
    app.pass().await;
    let path = format!("{}/x", app.origin.host().replace(':', "_"));
    let file = app.published_file(&path);
    fs::remove_file(&file).expect("removed");
    fs::create_dir_all(file.join("folder")).expect("in the way");
    let removed = app.remove(&["x".to_owned()], false).await;
    removed.expect("removed");
    for _ in 0..2 {
        drop(app.try_pass().await);
        app.turn(60);
    }
    assert_eq!(told(&hook), [[format!("{path} publish-failed")]]);
    let text = json(&hook.requests()[0])["text"].to_string();
    let says = format!("- {path} of a removed source is still there: ");
    assert!(text.contains(&says), "{text}");
}

/// What waits for the end of the quiet period is not lost when the message that would tell it does not arrive.
#[tokio::test(flavor = "multi_thread")]
async fn what_waited_and_was_not_delivered_comes_later() {
    let hook = Origin::start(false);
    let answers = [200, 500, 500, 200].map(|status| match status {
        200 => Reply::ok("ok"),
        status => Reply::status(status),
    });
    hook.on("/hook", answers);
    let toml = webhook(&hook, "on = [\"changed\"]\nquiet = \"6h\"");
    let app = TestApp::new()
        .toml(&toml)
        .source("/x", ["1", "2", "3"].map(Reply::file))
        .open()
        .await;
    let heard = heard(&app, &hook, 16, async |_| {}).await;
    assert_eq!(
        heard,
        ["1 x changed", "7 x changed", "8 x changed", "9 x changed"]
    );
}

/// Trouble that comes back right after its end was told does not wait for the end of the quiet period.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_worse_is_told_right_after_what_is_better() {
    let good = || Reply::file("{}");
    // What the source answers by the hour, what is told from then on, and the same without a quiet period.
    for (answers, expected, at_once) in [
        (
            vec![fails(), good(), fails()],
            &["0 x.json failing", "6 x.json recovered", "7 x.json failing"][..],
            &["0 x.json failing", "1 x.json recovered", "2 x.json failing"][..],
        ),
        (
            vec![Reply::file("{"), good(), Reply::file("[")],
            &[
                "0 x.json version-failed",
                "6 x.json good-again",
                "7 x.json version-failed",
            ],
            &[
                "0 x.json version-failed",
                "1 x.json good-again",
                "2 x.json version-failed",
            ],
        ),
        (
            vec![fails(), good(), Reply::file("[")],
            &[
                "0 x.json failing",
                "6 x.json recovered",
                "7 x.json version-failed",
            ],
            &[
                "0 x.json failing",
                "1 x.json recovered",
                "2 x.json version-failed",
            ],
        ),
    ] {
        for (quiet, expected) in [("6h", expected), ("0s", at_once)] {
            let hook = hook();
            // Trouble is over for as long as it takes until that is told.
            let calm = if quiet == "0s" { 1 } else { 6 };
            let [first, middle, last] = &answers[..] else {
                panic!("three answers");
            };
            let calm = std::iter::repeat_n(middle.clone(), calm);
            let script = std::iter::once(first.clone())
                .chain(calm)
                .chain([last.clone()]);
            let rules = format!("quiet = \"{quiet}\"\n");
            let toml = webhook(&hook, &rules) + JSON_RULE;
            let app = TestApp::new()
                .toml(&toml)
                .source("/x.json", script.collect::<Vec<_>>())
                .open()
                .await;
            let heard = heard(&app, &hook, 9, async |_| {}).await;
            assert_eq!(heard, expected, "{quiet}");
        }
    }
}
