//! A notifier that is new: it hears of what fails when its first pass ends, and of nothing else that was before.

use gannet::domain::ChangeKind;

use super::over::block;
use super::*;

const JSON: &str = "[[verifier]]\nname = \"json\"\nsources = [\"x\"]\nbuiltin = \"json\"\n";
const SET: &str = "[[verifier]]\nname = \"whole\"\nscope = \"set\"\nsources = [\"tag:eu\"]\ncommand = [\"grep\", \"-rq\", \"good\", \"{path}\"]\n";

/// A source `x` with the tag `eu`, and what happens to its file.
struct Case {
    name: &'static str,
    verifiers: &'static str,
    /// What it is in the hour before the notifier is added, and in the two hours after.
    replies: [Reply; 3],
    /// What is in the way of being published before the notifier is added, and out of it after its first pass.
    blocked: Option<&'static str>,
    first: &'static [&'static str],
    second: &'static [&'static str],
}

/// Returns a case in which nothing is wrong.
fn well(name: &'static str) -> Case {
    Case {
        name,
        verifiers: JSON,
        replies: ["1", "1", "1"].map(Reply::file),
        blocked: None,
        first: &[],
        second: &[],
    }
}

fn cases() -> Vec<Case> {
    let file = |text: &'static str| Reply::file(text);
    vec![
        well("well"),
        Case {
            replies: [fails(), fails(), file("1")],
            first: &["x failing"],
            second: &["x recovered"],
            ..well("fails to be fetched")
        },
        Case {
            replies: [fails(), file("1"), file("1")],
            ..well("failed to be fetched until then")
        },
        Case {
            replies: [file("{"), file("{"), file("1")],
            first: &["x version-failed"],
            second: &["x good-again"],
            ..well("no good file")
        },
        Case {
            replies: [file("{"), file("1"), file("1")],
            ..well("no good file until then")
        },
        Case {
            replies: [file("1"), file("{"), file("1")],
            first: &["x version-failed"],
            second: &["x good-again"],
            ..well("no good file from then on")
        },
        Case {
            verifiers: SET,
            replies: [file("bad"), file("bad"), file("good")],
            first: &["set eu set-failed"],
            second: &["set eu good-again"],
            ..well("no good set")
        },
        Case {
            blocked: Some("published/HOST/x"),
            first: &["x publish-failed"],
            ..well("something in the way of its file")
        },
        Case {
            verifiers: SET,
            replies: ["good", "good", "good"].map(Reply::file),
            blocked: Some("sets/eu"),
            first: &["set eu publish-failed"],
            ..well("something in the way of its set")
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_notifier_hears_what_fails_at_present() {
    for case in cases() {
        let name = case.name;
        let hook = hook();
        let [before, first, second] = case.replies;
        // What stays is fetched once more where something is put in its way.
        let hours = if case.blocked.is_some() { 2 } else { 1 };
        let mut replies = vec![before.clone(); hours];
        replies.extend([first, second]);
        let app = TestApp::new().toml(case.verifiers).open().await;
        app.origin.on("/x", replies);
        let mut new = hourly("x", app.origin.url("/x"));
        new.settings.tags = Some(vec!["eu".to_owned()]);
        app.add(vec![new]).await.expect("added");
        drop(app.pass().await);
        let host = app.origin.host().replace(':', "_");
        let in_the_way = case
            .blocked
            .map(|path| app.folder().join(path.replace("HOST", &host)));
        if let Some(path) = &in_the_way {
            block(path);
            app.turn(60);
            drop(app.pass().await);
            let failed = app.log(Action::PublishFailed).await;
            assert_eq!(failed.len(), 1, "{name}: {failed:?}");
        }

        let on: Vec<_> = ChangeKind::default_kinds()
            .iter()
            .map(|kind| kind.as_str())
            .collect();
        let more = format!("on = {on:?}\nquiet = \"0s\"");
        let toml = case.verifiers.to_owned() + &webhook(&hook, &more);
        let app = app.closed().hours_later(1).toml(&toml).open().await;
        drop(app.pass().await);
        assert_eq!(told(&hook).concat(), case.first, "{name}");
        if let Some(path) = &in_the_way {
            fs::remove_dir_all(path).expect("out of the way");
        }
        app.turn(60);
        drop(app.pass().await);
        let all = [case.first, case.second].concat();
        assert_eq!(told(&hook).concat(), all, "{name}");
        // What was told is not told once more.
        app.turn(60);
        drop(app.pass().await);
        assert_eq!(told(&hook).concat(), all, "{name}");
    }
}
