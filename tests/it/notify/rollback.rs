//! What readers see after it changed for them: also an older version, when the one that they saw is failed later.

use super::*;
use VerdictOutcome::{Failed, Passed};

/// The changes of all messages, as (version, what it replaces, why it is back).
fn changes(hook: &Origin) -> Vec<(Value, Value, Value)> {
    let changes = hook.requests().into_iter().flat_map(|request| {
        let message = json(&request);
        message["changes"].as_array().cloned().expect("changes")
    });
    let facts = |change: Value| {
        let [version, replaces, because] =
            ["version_id", "replaces", "because"].map(|key| change[key].clone());
        (version, replaces, because)
    };
    changes.map(facts).collect()
}

/// Opens an app in which so many versions of a source were published, and told of since the second.
async fn with_versions(hook: &Origin, count: usize, rules: &str) -> TestApp {
    let bodies = ["[\n1\n]\n", "[\n2\n]\n", "[\n3\n]\n"];
    let toml = webhook(hook, rules) + JSON_RULE;
    let app = TestApp::new().toml(&toml);
    let app = app
        .source("/x.json", bodies.into_iter().take(count))
        .open()
        .await;
    for _ in 0..count {
        Box::pin(app.good_pass()).await;
        app.turn(60);
    }
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_hear_that_an_older_version_is_back() {
    let fact = |version: i64, replaces: &str, why: Option<&str>| {
        let why = why.map_or(Value::Null, Value::from);
        (Value::from(version), Value::from(replaces), why)
    };
    let why = "hand (json): no good";
    let second = fact(2, "v1", None);
    let third = fact(3, "v2", None);
    // How many versions there are, and which of them are failed or passed before the next pass.
    for (count, verdicts, expected) in [
        (
            2,
            &[("2", Failed)][..],
            vec![second.clone(), fact(1, "v2", Some(why))],
        ),
        (
            3,
            &[("3", Failed)],
            vec![second.clone(), third.clone(), fact(2, "v3", Some(why))],
        ),
        (
            3,
            &[("3", Failed), ("2", Failed)],
            vec![second.clone(), third, fact(1, "v3", Some(why))],
        ),
        // As it was before anybody was told.
        (2, &[("2", Failed), ("2", Passed)], vec![second]),
    ] {
        let hook = hook();
        let app = with_versions(&hook, count, "on = [\"changed\"]\nquiet = \"1s\"").await;
        for (version, outcome) in verdicts {
            let why = Some("no good".to_owned());
            let given = app.verdict(version, "json", *outcome, why).await;
            given.expect("a verdict");
        }
        for _ in 0..2 {
            app.pass().await;
            assert_eq!(changes(&hook), expected, "{count} {verdicts:?}");
            app.turn(60);
        }
        let message = json(hook.requests().last().expect("a message"));
        let text = message["text"].as_str().expect("a text");
        let (version, replaces, because) = expected.last().expect("one or more");
        let replaces = replaces.as_str().expect("a version");
        if because.is_null() {
            assert!(!text.contains("back"), "{text}");
        } else {
            let line = format!(": v{version}, back in the place of {replaces}, failed by {why} (");
            assert!(text.contains(&line), "{text}");
            assert!(text.contains(&format!("\n    +{version}")), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_that_is_back_waits_while_it_is_quiet() {
    for (verdicts, expected) in [
        (&[Failed][..], &[2, 1][..]),
        // The one that was told is there again.
        (&[Failed, Passed], &[2]),
        (&[Failed, Passed, Failed], &[2, 1]),
    ] {
        let hook = hook();
        let app = with_versions(&hook, 2, "on = [\"changed\"]\nquiet = \"6h\"").await;
        for outcome in verdicts {
            let given = app.verdict("2", "json", *outcome, None).await;
            given.expect("a verdict");
            app.pass().await;
            assert_eq!(changes(&hook).len(), 1, "{verdicts:?}");
            app.turn(30);
        }
        for _ in 0..8 {
            app.pass().await;
            app.turn(60);
        }
        let versions: Vec<_> = changes(&hook)
            .into_iter()
            .map(|(version, ..)| version)
            .collect();
        assert_eq!(versions, expected, "{verdicts:?}");
    }
}

/// Somebody who heard only that the file was withdrawn hears that it is there again.
#[tokio::test(flavor = "multi_thread")]
async fn readers_hear_that_a_withdrawn_file_is_there_again() {
    for passes_between in [0, 1] {
        let hook = hook();
        let app = with_versions(
            &hook,
            1,
            "on = [\"changed\", \"withdrawn\"]\nquiet = \"1s\"",
        )
        .await;
        for outcome in [Failed, Passed] {
            let given = app.verdict("1", "json", outcome, None).await;
            given.expect("a verdict");
            for _ in 0..passes_between {
                app.pass().await;
                app.turn(60);
            }
        }
        app.pass().await;
        let expected = ["x.json withdrawn", "x.json changed"];
        assert_eq!(told(&hook).concat(), expected[..2 * passes_between]);
        let texts = hook
            .requests()
            .into_iter()
            .map(|request| json(&request)["text"].to_string());
        let is_said = texts
            .last()
            .is_some_and(|text| text.contains("x.json v1 is there again"));
        assert_eq!(is_said, passes_between > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_a_set_hear_that_an_older_edition_is_back() {
    let set = "[[verifier]]\nname = \"check\"\nscope = \"set\"\nsources = [\"tag:release\"]\ncommand = [\"true\"]\n";
    for (outcomes, expected) in [(&[Failed][..], 3), (&[Failed, Passed], 2)] {
        let hook = hook();
        let toml = webhook(&hook, "on = [\"set-published\"]\nquiet = \"1s\"") + set;
        let app = TestApp::new()
            .toml(&toml)
            .source("/a", ["1", "2"].map(Reply::file))
            .open()
            .await;
        let tags = SettingsPatch {
            tags: Some(vec!["release".to_owned()]),
            ..SettingsPatch::default()
        };
        let tagged = app.edit(&["a".to_owned()], tags).await;
        tagged.expect("tagged");
        for _ in 0..2 {
            app.pass().await;
            app.turn(60);
        }
        for outcome in outcomes {
            let why = Some("no good".to_owned());
            let given = app.app.set_verdict("release", None, "check", *outcome, why);
            given.await.expect("a verdict");
        }
        app.pass().await;
        assert_eq!(changes(&hook).len(), expected, "{outcomes:?}");
        let message = json(hook.requests().last().expect("a message"));
        let text = message["text"].as_str().expect("a text");
        let line = if expected == 3 {
            "- set release published: edition 1, back in the place of edition 2, failed by hand (check): no good\n"
        } else {
            "- set release published: edition 2\n"
        };
        assert!(text.ends_with(line), "{text}");
    }
}
