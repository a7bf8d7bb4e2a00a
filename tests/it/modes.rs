//! Modes and owners of what is written: nobody else may write to it, readers reach what is published, and root leaves nothing
//! in another account's folder that the account could not replace.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::rig::{Gannet, Home, Origin, Reply, Said, left_out, said, sqlite};

const NOBODY: u32 = 65534;

/// An origin of a small and a large file, and a home that publishes them, the small one in a set.
fn home() -> Home {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on(
        "/deep/er/a.txt",
        ["one\n", "two\n", "three\n"].map(Reply::file),
    );
    let large: Vec<u8> = (0..1_000_000_u32)
        .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
        .collect();
    origin.on("/large.bin", [Reply::file(large)]);
    // Where other accounts may read it.
    let ca_file = gannet.path("ca.pem");
    fs::write(&ca_file, fs::read(origin.ca_file()).expect("a certificate")).expect("a file");
    fs::set_permissions(&ca_file, fs::Permissions::from_mode(0o644)).expect("a mode");
    gannet.configure(&format!(
        "[fetch]\nca_file = '{}'\n[[verifier]]\nname = \"set\"\nscope = \"set\"\nsources = [\"tag:release\"]\ncommand = [\"true\"]\n",
        ca_file.display()
    ));
    gannet
}

/// Runs gannet from a shell, after these shell commands.
fn run_after(gannet: &Gannet, shell: &str, arguments: &[&str]) -> Said {
    let template = gannet.command(&[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{shell} exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_gannet"))
        .args(arguments)
        .env_clear();
    let variables = template.get_envs();
    command.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    said(&command.output().expect("a shell"))
}

/// Adds both files and fetches them, and the small one again, under this umask.
fn work(gannet: &Gannet, origin: &Origin, shell: &str) {
    let (small, large) = (origin.url("/deep/er/a.txt"), origin.url("/large.bin"));
    let commands: &[&[&str]] = &[
        &["add", &small, "1h", "--allow-private", "--tag", "release"],
        &["add", &large, "1h", "--allow-private"],
        &["--worker-only"],
        &["fetch", "a.txt"],
    ];
    for arguments in commands {
        let said = run_after(gannet, shell, arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:#?}");
    }
}

/// Returns what lies below a folder, the folder first, links not followed.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(path) = all.get(next).cloned() {
        next += 1;
        if path.symlink_metadata().expect("it is there").is_dir() {
            let entries = fs::read_dir(&path).expect("a folder").flatten();
            all.extend(entries.map(|entry| entry.path()));
        }
    }
    all
}

fn mode(path: &Path) -> u32 {
    let found = path.symlink_metadata().expect("it is there");
    found.permissions().mode() & 0o777
}

#[test]
fn with_no_umask_nobody_else_may_write() {
    let gannet = home();
    let origin = &gannet.origin;
    work(&gannet, origin, "umask 000;");
    let (export, manual) = (gannet.path("export"), gannet.path("man"));
    for arguments in [
        ["export", &export.display().to_string()],
        ["man", &manual.display().to_string()],
    ] {
        let said = run_after(&gannet, "umask 000;", &arguments);
        assert_eq!(said.code, Some(0), "{said:#?}");
    }
    let folders = [gannet.data(), export, manual];
    for path in folders.iter().flat_map(|folder| all_below(folder)) {
        if !path.is_symlink() {
            assert_eq!(
                mode(&path) & 0o022,
                0,
                "{}: {:o}",
                path.display(),
                mode(&path)
            );
        }
    }
}

#[test]
fn with_a_narrow_umask_readers_reach_what_is_published_and_nothing_else() {
    let gannet = home();
    let origin = &gannet.origin;
    work(&gannet, origin, "umask 077;");
    let data = gannet.data();
    assert_eq!(mode(&data), 0o755);
    for path in ["published", "sets"]
        .iter()
        .flat_map(|name| all_below(&data.join(name)))
    {
        let found = path.symlink_metadata().expect("it is there");
        let expected = match found.file_type() {
            kind if kind.is_dir() => 0o755,
            kind if kind.is_symlink() => continue,
            _ => 0o444,
        };
        assert_eq!(
            mode(&path) & expected,
            expected,
            "{}: {:o}",
            path.display(),
            mode(&path)
        );
    }
    for (name, expected) in [("gannet.db", 0o600), ("objects", 0o700), ("tmp", 0o700)] {
        assert_eq!(mode(&data.join(name)), expected, "{name}");
    }
    for path in all_below(&data.join("log")) {
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn a_copy_before_a_migration_is_for_its_owner_alone() {
    let gannet = Gannet::new();
    fs::create_dir(gannet.data()).expect("a folder");
    sqlite::make_of_schema_1(&gannet.data());
    let said = run_after(&gannet, "umask 000;", &["add", "https://example.org/a"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(mode(&gannet.data().join("gannet.db.before-002")), 0o600);
}

#[test]
fn root_leaves_nothing_of_its_own_in_another_accounts_folder() {
    if !rustix::process::getuid().is_root() {
        left_out(
            "what needs two accounts",
            "only root can work in another account's folder",
        );
        return;
    }
    let gannet = home();
    let origin = &gannet.origin;
    fs::set_permissions(gannet.path(""), fs::Permissions::from_mode(0o755)).expect("a mode");
    fs::create_dir(gannet.data()).expect("a folder");
    chown(gannet.data(), Some(NOBODY), Some(NOBODY)).expect("another owner");
    work(&gannet, origin, "");
    for path in all_below(&gannet.data()) {
        let found = path.symlink_metadata().expect("it is there");
        assert_eq!(
            (found.uid(), found.gid()),
            (NOBODY, NOBODY),
            "{}",
            path.display()
        );
    }
    // What the service's account does next works, publication included.
    let nobody = "exec setpriv --reuid=65534 --regid=65534 --clear-groups";
    let template = format!("{nobody} \"$0\" \"$@\"; ");
    for arguments in [
        &["fetch", "a.txt"][..],
        &["--worker-only"],
        &["disable", "a.txt"],
    ] {
        let said = run_after(&gannet, &template, arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:#?}");
    }
    let host = origin.host().replace(':', "_");
    let published = gannet.data().join("published").join(host).join("large.bin");
    assert!(published.exists(), "{}", published.display());
    assert_eq!(gannet.bytes(&["cat", "a.txt"]), b"three\n");
}
