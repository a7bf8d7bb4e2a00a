//! The units of systemd and the workflows are taken by the programs that read them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::{files, has, path_of, yaml};
use crate::rig::{folder, left_out, said};

#[test]
fn systemd_takes_every_unit() {
    if !has("systemd-analyze", "--version", "systemd-analyze verify") {
        return;
    }
    let verify = |units: &[PathBuf], change: &dyn Fn(&str) -> String| {
        let folder = folder();
        let mut verify = Command::new("systemd-analyze");
        verify.args(["verify", "--man=no"]);
        for unit in units {
            let text = fs::read_to_string(unit).expect("a unit");
            let text = text.replace("/usr/local/bin/gannet", env!("CARGO_BIN_EXE_gannet"));
            let place = folder.path().join(unit.file_name().expect("a name"));
            fs::write(&place, change(&text)).expect("a file");
            verify.arg(place);
        }
        said(&verify.output().expect("systemd-analyze runs"))
    };
    let ends = [".service", ".socket", ".timer"];
    let units: Vec<_> = ends
        .iter()
        .flat_map(|end| files("assets/deploy", end))
        .collect();
    assert_eq!(units.len(), 5, "{units:?}");
    let found = verify(&units, &str::to_owned);
    let of_ours = found.err.lines().filter(|line| line.contains("gannet"));
    assert_eq!(of_ours.collect::<Vec<_>>(), [""; 0], "{found:#?}");
    let wrong = verify(&units, &|text| text.replace("UMask=", "UMaks="));
    assert!(wrong.err.contains("UMaks"), "{wrong:#?}");
}

#[test]
fn every_workflow_runs_what_a_change_has_to_pass() {
    let read = |name: &str| yaml(&path_of(&format!(".github/workflows/{name}")));
    let (Some(ci), Some(release)) = (read("ci.yml"), read("release.yml")) else {
        left_out("the workflows", "Python's yaml is not there");
        return;
    };
    for workflow in [&ci, &release] {
        assert_eq!(workflow["permissions"], json!({"contents": "read"}));
        for job in workflow["jobs"].as_object().expect("jobs").values() {
            let steps = job["steps"].as_array();
            let is_step = |step: &Value| step["run"].is_string() || step["uses"].is_string();
            let are_steps = steps.is_some_and(|steps| steps.iter().all(is_step));
            assert!(are_steps || job["uses"].is_string(), "{job}");
        }
    }
    let steps = ci["jobs"]["check"]["steps"].as_array().expect("steps");
    assert!(steps.contains(&json!({"run": ".ci/run"})), "{steps:?}");
    assert_eq!(
        release["jobs"]["check"]["uses"],
        "./.github/workflows/ci.yml"
    );
    assert_eq!(release["jobs"]["build"]["needs"], "check");
    assert_eq!(release["jobs"]["publish"]["needs"], "build");
}
