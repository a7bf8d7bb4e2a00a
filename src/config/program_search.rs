//! Finds a program that the configuration gives by bare name. Reads the caller's `PATH` only for error messages.

use std::path::{Path, PathBuf};

use super::Environment;
use super::environment::is_executable;
use super::interpreter::PROGRAM_PATH;

/// Returns the first executable file of that name in the folders of [`PROGRAM_PATH`]. The caller's `PATH` is ignored,
/// so that a configuration file means the same program in a shell, cron, systemd and sudo.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    find_in(name, PROGRAM_PATH)
}

/// Resolves links in folders: where `/sbin` is a link to `/usr/bin`, a program in it is found in `/usr/bin`.
fn find_in(name: &str, folders: &str) -> Option<PathBuf> {
    let folders: Vec<_> = std::env::split_paths(folders).collect();
    let found = folders.iter().find(|one| is_executable(&one.join(name)))?;
    let real = found.canonicalize().ok();
    let real = real.filter(|real| folders.contains(real));
    Some(real.as_ref().unwrap_or(found).join(name))
}

/// Returns why a bare name is no program, and what to write instead.
pub(super) fn not_found(name: &str, environment: &Environment) -> String {
    let elsewhere = environment.find_program(name);
    let give = match &elsewhere {
        Some(path) => format!(
            "; the PATH of this process, which does not count, has it at {0}: give the whole path, `{0}`",
            path.display()
        ),
        None => "; give the whole path of an executable file".to_owned(),
    };
    format!("not found, or not executable, in {PROGRAM_PATH}, where programs are looked for{give}")
}

/// Returns the folder in which relative paths of a configuration file start, with links resolved.
pub(super) fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new("/"));
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    /// Folders of a system where `/bin` and `/sbin` are links.
    fn merged_folders(root: &Path) {
        for folder in ["usr/bin", "local", "elsewhere"] {
            fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        for (to, link) in [
            ("usr/bin", "bin"),
            ("usr/bin", "sbin"),
            ("elsewhere", "opt"),
            ("nowhere", "dangling"),
        ] {
            symlink(to, root.join(link)).expect("a link");
        }
        for (file, mode) in [
            ("usr/bin/a", 0o755),
            ("local/a", 0o644),
            ("local/b", 0o755),
            ("usr/bin/b", 0o755),
            ("elsewhere/c", 0o755),
        ] {
            let file = root.join(file);
            fs::write(&file, "").expect("a file");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
        }
        symlink("a", root.join("usr/bin/link")).expect("a link");
    }

    #[test]
    fn a_program_has_one_path_whichever_links_lead_to_it() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path().canonicalize().expect("a path");
        merged_folders(&root);
        let path = |folders: &[&str]| {
            let folders = folders.iter().map(|folder| root.join(folder));
            let joined = std::env::join_paths(folders).expect("a path");
            joined.into_string().expect("text")
        };
        for (name, folders, expected) in [
            (
                "a",
                &["dangling", "local", "sbin", "usr/bin", "bin"][..],
                Some("usr/bin/a"),
            ),
            ("a", &["usr/bin", "sbin", "bin"], Some("usr/bin/a")),
            ("a", &["bin", "usr/bin"], Some("usr/bin/a")),
            ("b", &["local", "sbin", "usr/bin"], Some("local/b")),
            ("b", &["usr/bin", "local"], Some("usr/bin/b")),
            // A folder that is listed only as a link keeps its name, and so does a program that is a link.
            ("c", &["opt"], Some("opt/c")),
            ("link", &["sbin", "usr/bin"], Some("usr/bin/link")),
            ("d", &["local", "usr/bin"], None),
        ] {
            let found = find_in(name, &path(folders));
            let expected = expected.map(|expected| root.join(expected));
            assert_eq!(found, expected, "{name} in {folders:?}");
        }
    }

    #[test]
    fn what_only_the_callers_path_has_is_told_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("gannet-check-feed");
        fs::write(&file, "").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
        let environment = |path: &str| Environment::new([("PATH", path)], None);
        let place = folder.path().display().to_string();
        assert_eq!(find("gannet-check-feed"), None);
        let said = not_found("gannet-check-feed", &environment(&place));
        assert!(said.contains(PROGRAM_PATH), "{said}");
        let give = format!("give the whole path, `{}`", file.display());
        assert!(said.ends_with(&give), "{said}");
        let said = not_found("gannet-check-feed", &environment("/nowhere"));
        assert!(
            said.ends_with("give the whole path of an executable file"),
            "{said}"
        );
    }
}
