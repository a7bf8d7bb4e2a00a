//! What was so and is over when a message is made: nobody is told of it.

use super::*;

/// Puts something in the way of a published file.
pub(super) fn block(file: &Path) {
    let _ = fs::remove_file(file);
    fs::create_dir_all(file.join("folder")).expect("in the way");
}

/// A pass of the next hour, which tries again to bring published files in line; its error is what the notifier is told.
async fn next_pass(app: &TestApp) {
    app.turn(60);
    drop(app.try_pass().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_removed_source_that_went_at_last_is_not_told() {
    for (restored, in_the_way, expected) in [
        (false, true, Some("publish-failed")),
        (false, false, None),
        (true, false, None),
    ] {
        let hook = hook();
        let toml = webhook(&hook, "on = [\"publish-failed\"]");
        let app = TestApp::new()
            .toml(&toml)
            .source("/x", [Reply::file("x")])
            .open()
            .await;
        app.good_pass().await;
        let path = format!("{}/x", app.origin.host().replace(':', "_"));
        let file = app.published_file(&path);
        block(&file);
        let removed = app.remove(&["x".to_owned()], false).await;
        removed.expect("removed");
        let failed = app.log(Action::PublishFailed).await;
        assert!(failed[0].contains("is still there"), "{failed:?}");
        if !in_the_way {
            fs::remove_dir_all(&file).expect("out of the way");
            fs::write(&file, "x").expect("as it was");
        }
        if restored {
            let restored = app.restore(&["1".to_owned()]).await;
            restored.expect("restored");
        }
        next_pass(&app).await;
        assert_eq!(file.is_file(), restored, "{restored} {in_the_way}");
        let expected: Vec<_> = expected
            .map(|kind| format!("{path} {kind}"))
            .into_iter()
            .collect();
        assert_eq!(told(&hook).concat(), expected, "{restored} {in_the_way}");
    }
}

/// A verdict by hand cannot bring the file in line; the next pass can, or cannot for another reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_published_at_last_is_not_told() {
    for is_over in [true, false] {
        let hook = hook();
        let toml = webhook(&hook, "on = [\"publish-failed\"]") + JSON_RULE;
        let app = TestApp::new()
            .toml(&toml)
            .source("/x.json", ["{}", "[]"].map(Reply::file))
            .open()
            .await;
        app.good_pass().await;
        app.turn(60);
        app.good_pass().await;
        let path = format!("{}/x.json", app.origin.host().replace(':', "_"));
        let file = app.published_file(&path);
        block(&file);
        let given = app
            .app
            .verdict("x.json", "json", VerdictOutcome::Failed, None);
        given.await.expect("a verdict");
        assert_eq!(app.log(Action::PublishFailed).await.len(), 1);
        if is_over {
            fs::remove_dir_all(&file).expect("out of the way");
        }
        next_pass(&app).await;
        assert_eq!(file.is_file(), is_over);
        let expected: &[_] = if is_over {
            &[]
        } else {
            &["x.json publish-failed"]
        };
        assert_eq!(told(&hook).concat(), expected);
    }
}

/// A process with another configuration judges nothing; the one with the right configuration does, and has nothing to tell of that.
#[test]
fn a_configuration_that_one_process_used_is_not_told_by_the_one_that_is_in_force() {
    let verifier = "[[verifier]]\nname = \"a\"\nsources = [\"*\"]\nbuiltin = \"json\"\n";
    for is_told_by_other in [false, true] {
        let hook = hook();
        let on = webhook(&hook, "on = [\"config-rejected\"]");
        let gannet = home(&(on.clone() + verifier));
        gannet.serve("x", "{}");
        gannet.pass();
        let other = gannet.path("other.toml");
        let on = if is_told_by_other { &on } else { "" };
        gannet.write_config("other.toml", &format!("{on}{verifier}"));
        let data = gannet.data().display().to_string();
        let other = other.display().to_string();
        gannet.run(&["--config", &other, "--data-dir", &data, "fetch", "x"]);
        assert_eq!(gannet.ok(&["log"]).matches("config.rejected").count(), 1);
        gannet.run(&["fetch", "x"]);
        let requests = hook.requests();
        assert_eq!(requests.len(), usize::from(is_told_by_other));
        if let Some(request) = requests.first() {
            let text = text_of(request);
            assert!(
                text.starts_with("the configuration was rejected\n\n- "),
                "{text}"
            );
            assert!(text.contains("this process uses "), "{text}");
        }
    }
}

/// A message about the newest version gives its own reason, also when an older one failed later.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_failed_is_told_with_its_own_reason() {
    for order in [["2", "1"], ["1", "2"]] {
        let hook = hook();
        let toml = webhook(&hook, "on = [\"version-failed\"]") + JSON_RULE;
        let app = TestApp::new()
            .toml(&toml)
            .source("/x.json", ["{}", "[]"].map(Reply::file))
            .open()
            .await;
        for _ in 0..2 {
            app.good_pass().await;
            app.turn(60);
        }
        for version in order {
            let why = Some(format!("reason {version}"));
            let given = app
                .app
                .verdict(version, "json", VerdictOutcome::Failed, why);
            given.await.expect("a verdict");
        }
        next_pass(&app).await;
        let change = &json(&hook.requests()[0])["changes"][0];
        assert_eq!(change["version_id"], 2, "{order:?}");
        assert_eq!(change["detail"], "json, by hand: reason 2", "{order:?}");
    }
}
