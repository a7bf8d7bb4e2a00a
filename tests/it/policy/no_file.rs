//! What is no file in the place of the configuration, for a moment: the file that comes back is read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::{Scene, Service, json_verifier, verifier};
use crate::rig::{Reply, seen};

fn folder(path: &Path) {
    fs::create_dir(path).expect("a folder");
}

fn device(path: &Path) {
    symlink("/dev/null", path).expect("a link");
}

fn fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.is_ok_and(|status| status.success()), "a FIFO");
}

#[test]
fn a_worker_that_stays_reads_the_file_that_comes_back() {
    for put in [folder, device, fifo] {
        let rig = Scene::new(["1", "2"].map(Reply::file));
        let service = Service::start(&rig);
        let told = |action: &str| rig.actions().iter().filter(|one| *one == action).count();
        seen("its first pass", || {
            (told("pass.finished") > 0).then_some(())
        });
        let heard = |action: &str, times: usize| {
            seen(action, || {
                service.hang_up();
                (told(action) >= times).then_some(())
            });
        };
        let path = rig.path("config.toml");
        fs::remove_file(&path).expect("removed");
        put(&path);
        heard("config.rejected", 1);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => fs::remove_dir(&path).expect("removed"),
            _ => fs::remove_file(&path).expect("removed"),
        }
        let both = json_verifier() + &verifier("utf8", "builtin = \"utf8\"");
        rig.write_config("config.toml", &both);
        heard("policy.adopted", 2);
    }
}
