//! Whoever may read a store may run every command that reads, and leaves no trace: on a read-only mount, on a full disk, as
//! another account, beside a writer that lives and after one that died.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use gannet::store::{SourceFilter, Store};

use crate::rig::{Gannet, Home, Reply, in_mount_namespace, left_out, said};

/// Every command that reads, with arguments that the store below has an answer to; `{export}` is an empty folder.
const COMMANDS: &[&str] = &[
    "list",
    "list --json",
    "list --csv",
    "list --sets",
    "show a.txt",
    "history a.txt",
    "log",
    "cat a.txt",
    "cat a.txt~1",
    "cat large.bin",
    "diff a.txt~1 a.txt",
    "export {export}",
    "dump --json",
    "dump --toml",
    "verdicts",
    "sql SELECT/**/name/**/FROM/**/source",
    "apply sources.toml --dry-run",
];

/// A store with two versions of a small file, one of a large one, and verdicts.
fn home() -> Home {
    let gannet =
        Home::new("[[verifier]]\nname = \"text\"\nsources = [\"a.txt\"]\nbuiltin = \"utf8\"\n");
    let origin = &gannet.origin;
    origin.on("/a.txt", ["one\n", "one\ntwo\n"].map(Reply::file));
    let large: Vec<u8> = (0..1_500_000_u32)
        .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
        .collect();
    origin.on("/large.bin", [Reply::file(large)]);
    for path in ["/a.txt", "/large.bin"] {
        gannet.ok(&["add", &origin.url(path), "1h", "--allow-private"]);
    }
    gannet.fetch("*");
    gannet.fetch("a.txt");
    fs::write(gannet.path("sources.toml"), gannet.ok(&["dump", "--toml"])).expect("a file");
    gannet
}

/// Returns a script that runs every command and says which of them failed.
fn all_commands(gannet: &Gannet, prefix: &str) -> String {
    let lines = COMMANDS.iter().enumerate().map(|(n, command)| {
        let export = format!("$out/export-{n}");
        let command = command.replace("{export}", &export);
        format!("{prefix} \"$gannet\" {command} >\"$out/said\" 2>&1 || {{ echo \"failed: {command}\"; cat \"$out/said\"; }}\n")
    });
    let home = gannet.path("").display().to_string();
    format!(
        "cd {home}; out=$(mktemp -d); chmod 777 $out\n{}rm -rf $out\n",
        lines.collect::<String>()
    )
}

/// What lies in a folder, with what would show that it was touched.
fn state_of(folder: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let metadata = entry.metadata().expect("an entry");
            if metadata.is_dir() {
                folders.push(entry.path());
            }
            found.insert(
                entry.path(),
                (metadata.size(), metadata.mtime(), metadata.mtime_nsec()),
            );
        }
    }
    found
}

#[test]
fn commands_that_read_leave_no_trace() {
    let gannet = home();
    fs::remove_dir_all(gannet.data().join("log")).expect("a log");
    let before = state_of(&gannet.data());
    for (n, command) in COMMANDS.iter().enumerate() {
        let export = gannet.path(&format!("export-{n}")).display().to_string();
        let command = command.replace("{export}", &export);
        let mut run = gannet.command(&command.split(' ').collect::<Vec<_>>());
        run.current_dir(gannet.path(""));
        let said = said(&run.output().expect("gannet runs"));
        assert_eq!(said.code, Some(0), "{command}: {said:#?}");
    }
    assert_eq!(state_of(&gannet.data()), before);
}

#[test]
fn an_unwritable_log_folder_keeps_nobody_from_reading() {
    let mut gannet = home();
    gannet.set("GANNET_LOG_DIR", "/proc/no/such/folder");
    assert!(gannet.ok(&["list"]).contains("a.txt"));
    assert_eq!(gannet.ok(&["cat", "a.txt"]), "one\ntwo\n");
}

#[test]
fn a_read_only_mount_and_a_full_disk_can_be_read() {
    let gannet = home();
    let commands = all_commands(&gannet, "");
    let read_only =
        format!("mount --bind \"$data\" \"$data\"; mount -o remount,bind,ro \"$data\"\n{commands}");
    let full = format!(
        "mkdir -p \"$HOME/disk\"; mount -t tmpfs -o size=24m none \"$HOME/disk\"; cp -r \"$data\" \"$HOME/disk/data\"
         cat /dev/zero >\"$HOME/disk/fill\" 2>/dev/null || true
         export GANNET_DATA_DIR=\"$HOME/disk/data\"\n{commands}"
    );
    for (what, script) in [("read-only", read_only), ("full", full)] {
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        assert_eq!(
            (said.code, said.out.as_str()),
            (Some(0), ""),
            "{what}: {said:#?}"
        );
    }
}

#[test]
fn another_account_with_the_right_to_read_needs_no_more() {
    let gannet = home();
    if !rustix::process::getuid().is_root() {
        left_out(
            "what needs two accounts",
            "only root can become another account",
        );
        return;
    }
    let open = Command::new("chmod")
        .args(["-R", "a+rX"])
        .arg(gannet.path(""))
        .status();
    assert!(open.expect("chmod runs").success());
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    let script = all_commands(&gannet, nobody);
    let Some(said) = in_mount_namespace(&gannet, &script) else {
        return;
    };
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:#?}");
}

/// Copies the catalogue's files that end so into a store of its own, as a crash or a snapshot of the disk leaves them.
fn copy(gannet: &Gannet, to: &Path, suffixes: &[&str]) {
    fs::create_dir_all(to).expect("a folder");
    for suffix in suffixes {
        let name = format!("gannet.db{suffix}");
        fs::copy(gannet.data().join(&name), to.join(&name)).expect("a copy");
    }
}

/// What a live writer committed is in the log, not in the catalogue's file: nobody may miss it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_is_seen_beside_a_live_writer_and_after_a_dead_one() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/old"]);
    let writer = Store::open(&gannet.data().join("gannet.db")).expect("a store");
    assert!(writer.sources(SourceFilter::default()).await.is_ok());
    // Beside the writer, whose open files keep the log from being folded in.
    gannet.ok(&["add", "https://example.org/new"]);
    let log = fs::metadata(gannet.data().join("gannet.db-wal")).expect("a log");
    assert!(log.len() > 0);
    copy(&gannet, &gannet.path("killed"), &["", "-wal", "-shm"]);
    copy(&gannet, &gannet.path("snapshot"), &["", "-wal"]);
    let read_only = "mount --bind \"$from\" \"$from\"; mount -o remount,bind,ro \"$from\"
                     GANNET_DATA_DIR=\"$from\" \"$gannet\" list";
    for folder in ["data", "killed", "snapshot"] {
        let path = gannet.path(folder);
        let before = state_of(&path);
        let mut list = gannet.command(&["list"]);
        list.env("GANNET_DATA_DIR", &path);
        let seen = said(&list.output().expect("gannet runs"));
        assert!(
            seen.out.contains("old") && seen.out.contains("new"),
            "{folder}: {seen:#?}"
        );
        assert_eq!(state_of(&path), before, "{folder}");
        let script = format!("from={}\n{read_only}", path.display());
        if let Some(said) = in_mount_namespace(&gannet, &script) {
            assert!(
                said.out.contains("old") && said.out.contains("new"),
                "{folder}: {said:#?}"
            );
        }
    }
    drop(writer);
    assert!(gannet.ok(&["list"]).contains("new"));
}

/// A killed process leaves its shared memory as it was at that moment, which need not fit the log beside it.
#[tokio::test(flavor = "multi_thread")]
async fn shared_memory_that_a_killed_process_left_half_way_is_not_believed() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/old"]);
    let (database, killed) = (gannet.data().join("gannet.db"), gannet.path("killed"));
    let writer = Store::open(&database).expect("a store");
    assert!(writer.sources(SourceFilter::default()).await.is_ok());
    gannet.ok(&["add", "https://example.org/new"]);
    copy(&gannet, &killed, &["-wal", "-shm"]);
    drop(writer);
    copy(&gannet, &killed, &[""]);
    let log = fs::read(killed.join("gannet.db-wal")).expect("a log");
    let shared = fs::read(killed.join("gannet.db-shm")).expect("shared memory");
    // Begun anew: another salt, and no page yet (the layout is in <https://sqlite.org/fileformat2.html#the_write_ahead_log>).
    let mut begun = log[..32].to_vec();
    begun[16] ^= 1;
    let half: Vec<u8> = [&shared[..20], &vec![0; shared.len() - 20]].concat();
    for (what, log, shared) in [
        ("the log begun anew", &begun, &shared),
        ("a log of a header, cut off", &log[..20].to_vec(), &shared),
        ("an index half-written", &log, &half),
        ("an index of zeros", &log, &vec![0; shared.len()]),
        ("an index of another size", &log, &vec![7; 100]),
        ("an empty index", &log, &Vec::new()),
        ("an empty log", &Vec::new(), &shared),
    ] {
        fs::write(killed.join("gannet.db-wal"), log).expect("a log");
        fs::write(killed.join("gannet.db-shm"), shared).expect("an index");
        let begun = std::time::Instant::now();
        let mut list = gannet.command(&["list"]);
        list.env("GANNET_DATA_DIR", &killed);
        let seen = said(&list.output().expect("gannet runs"));
        assert!(
            seen.out.contains("old") && seen.out.contains("new"),
            "{what}: {seen:#?}"
        );
        // SQLite alone gives up after 10 s.
        assert!(begun.elapsed().as_secs() < 8, "{what}");
    }
}

#[test]
fn readers_beside_writers_that_come_and_go_never_fail_and_see_all_that_was_answered() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/0"]);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for n in 1..30 {
                gannet.ok(&["add", &format!("https://example.org/{n}")]);
            }
        });
        let mut least = 1;
        while !writing.is_finished() {
            let sources = gannet.json(&["list", "--json"]);
            let count = sources.as_array().map_or(0, Vec::len);
            assert!(count >= least, "{count} after {least}");
            least = count;
        }
    });
    let sources = gannet.json(&["list", "--json"]);
    assert_eq!(sources.as_array().map(Vec::len), Some(30));
}

#[test]
fn a_file_that_may_not_be_read_is_named_with_the_reason() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a"]);
    if !rustix::process::getuid().is_root() {
        left_out(
            "what needs two accounts",
            "only root can become another account",
        );
        return;
    }
    let open = Command::new("chmod")
        .arg("a+rx")
        .arg(gannet.path(""))
        .status();
    assert!(open.expect("chmod runs").success());
    let mut list = Command::new("setpriv");
    list.env("HOME", gannet.path(""))
        .env_remove("XDG_CONFIG_HOME");
    list.args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(env!("CARGO_BIN_EXE_gannet"))
        .arg("--data-dir")
        .arg(gannet.data())
        .arg("list");
    let said = said(&list.output().expect("setpriv runs"));
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert!(
        said.err.contains("gannet.db") && said.err.contains("Permission denied"),
        "{said:#?}"
    );
}
