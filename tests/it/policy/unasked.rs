//! A configuration that was cut for a moment: what was published meanwhile, and never judged, is counted afterwards.

use super::{PAGE, Scene, json_verifier};
use crate::rig::Reply;

#[test]
fn what_was_published_without_a_verifier_that_is_required_again_is_counted() {
    let rig = Scene::new(["1", PAGE].map(Reply::file));
    let other = "[[verifier]]\nname = \"other\"\nsources = [\"zzz*\"]\nbuiltin = \"utf8\"\n";
    let whole = other.to_owned() + &json_verifier();
    rig.write_config("config.toml", &whole);
    rig.fetch("x.json");
    let words = "published, and never judged by json, as is required by now: x.json";
    let is_said = |said: bool, when: &str| {
        for arguments in [
            &["config", "check"][..],
            &["show", "x.json"],
            &["list", "--failing"],
        ] {
            let told = rig.run(arguments);
            let told_all = format!("{}{}", told.out, told.err);
            let told_all = told_all.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(told_all.contains(words), said, "{when}: {told:#?}");
        }
        let listed = rig.ok(&["list", "--filter", "is:unjudged"]);
        assert_eq!(listed.contains("x.json"), said, "{when}: {listed}");
    };
    is_said(false, "all was judged");
    rig.write_config("config.toml", other);
    rig.fetch("x.json");
    assert_eq!(rig.published().as_deref(), Some(PAGE));
    rig.write_config("config.toml", &whole);
    let said = rig.run(&["interval", "x.json", "2h"]);
    let counted = "1 published version was never judged by all that it requires";
    assert!(said.err.contains(counted), "{said:#?}");
    is_said(true, "after it");
    rig.run(&["verify", "--stale"]);
    assert_eq!(rig.published().as_deref(), Some("1"));
    is_said(false, "judged");
}
