//! Folders that go with the test: in memory where there is room for it. What is tested does not depend on what a disk takes to
//! keep it, and a suite that waits for a disk at each commit takes three times as long.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

const MEMORY: &str = "/dev/shm";
/// What all tests that run at once write, by far.
const ROOM: u64 = 2 << 30;

/// Makes an empty folder.
pub(crate) fn folder() -> TempDir {
    static MEMORY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = match MEMORY.get_or_init(memory) {
        Some(memory) => TempDir::new_in(memory),
        None => TempDir::new(),
    };
    folder.expect("a temporary folder")
}

/// Returns a place in memory, if there is a fit one. It has a name in the usual folder, since the program takes no file below `/dev` for
/// a configuration.
fn memory() -> Option<PathBuf> {
    let user = rustix::process::getuid().as_raw();
    let place = std::env::temp_dir().join(format!("gannet-tests-{user}"));
    // Another test may have made it a moment ago.
    let _ = symlink(MEMORY, &place);
    let is_ours = fs::read_link(&place).is_ok_and(|target| target == Path::new(MEMORY));
    (is_ours && is_fit(&place)).then_some(place)
}

/// Whether programs may lie there and there is room: the memory of a container has a few MiB, and runs nothing.
fn is_fit(place: &Path) -> bool {
    let has_room =
        rustix::fs::statvfs(place).is_ok_and(|found| found.f_bavail * found.f_frsize > ROOM);
    has_room && TempDir::new_in(place).is_ok_and(|folder| runs_programs(folder.path()))
}

fn runs_programs(folder: &Path) -> bool {
    let program = folder.join("program");
    fs::write(&program, "#!/bin/sh\n").is_ok()
        && fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).is_ok()
        && Command::new(program)
            .status()
            .is_ok_and(|status| status.success())
}
