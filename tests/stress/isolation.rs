//! A thousand runs of hostile programs as verifiers: nothing of them is left, and a good one passes.
//!
//! They are in a process of their own, where every child, open file and byte of memory is theirs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use gannet::config::ResourceLimits;
use gannet::domain::{Judgement, VerdictOutcome};
use gannet::verify::Verifier;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::rig::verifiers::{PATIENCE, content, facts, limited};

use crate::rig::{folder, until};

/// Says to the test that it is in its own process.
const ALONE: &str = "GANNET_TEST_ALONE";
const ROUNDS: usize = 10;
const AT_ONCE: usize = 16;
const GRACE: Duration = Duration::from_millis(40);
const TIMEOUT: Duration = Duration::from_millis(150);
/// What is full of processes, or keeps both cores busy, gets less time to be so.
const SHORT: Duration = Duration::from_millis(60);
/// Allocators keep some of what was used; a leak of a kilobyte a run would be as much.
const MOST_GROWTH_KIB: u64 = 8 << 10;

/// One way to be a nuisance. Each says `ready` when it is about to be one.
struct Hostile {
    name: &'static str,
    body: &'static str,
    timeout: Duration,
    /// How many of the 100 runs of a round.
    share: usize,
}

const fn hostile(
    name: &'static str,
    share: usize,
    timeout: Duration,
    body: &'static str,
) -> Hostile {
    Hostile {
        name,
        body,
        timeout,
        share,
    }
}

const HOSTILES: [Hostile; 16] = [
    hostile(
        "forks",
        8,
        TIMEOUT,
        "sleep 1000 & sleep 1000 & echo ready; wait",
    ),
    hostile(
        "daemon",
        8,
        TIMEOUT,
        "(setsid sh -c 'sleep 1000 & exec sleep 1000' >/dev/null 2>&1 &); echo ready; sleep 1000",
    ),
    hostile(
        "deaf",
        8,
        TIMEOUT,
        "trap '' TERM HUP INT; sleep 1000 & echo ready; while :; do sleep 1000; done",
    ),
    hostile("floods", 2, SHORT, "echo ready; yes & yes >&2"),
    hostile(
        "fills",
        3,
        PATIENCE,
        "echo ready; while :; do head -c 65536 /dev/zero >$((n+=1)); done",
    ),
    hostile(
        "mute",
        8,
        TIMEOUT,
        "echo ready; exec <&- >&- 2>&-; sleep 1000",
    ),
    hostile("sleeps", 9, TIMEOUT, "echo ready; exec sleep 1000"),
    hostile(
        "stops",
        8,
        TIMEOUT,
        "sh -c 'kill -STOP $$' & setsid sh -c 'kill -STOP $$' & echo ready; kill -STOP $$",
    ),
    hostile(
        "holds pipes",
        8,
        PATIENCE,
        "sleep 1000 & echo ready; exit 0",
    ),
    hostile(
        "quits",
        8,
        PATIENCE,
        "setsid sleep 1000 & (setsid sh -c 'sleep 1000 & sleep 1000' &); echo ready; exit 1",
    ),
    hostile(
        "cascades",
        6,
        TIMEOUT,
        "f() { [ $1 -gt 0 ] || exec sleep 1000; f $(($1 - 1)) & f $(($1 - 1)) & wait; }; echo ready; f 3",
    ),
    hostile(
        "hides",
        8,
        TIMEOUT,
        "setsid env -i sh -c 'sleep 1000 & exec sleep 1000' & echo ready; sleep 1000",
    ),
    hostile(
        "fakes",
        5,
        TIMEOUT,
        // What it is marked with is gone, but not that it is marked.
        "prlimit --rttime=1000000:1000000 setsid env -i sh -c 'sleep 1000 & exec sleep 1000' & echo ready; wait",
    ),
    hostile(
        "runs away",
        4,
        TIMEOUT,
        // Each generation is a session of its own and ends at once.
        "[ \"$1\" ] || echo ready; n=${1:-12}; [ $n -gt 0 ] || exec sleep 1000; setsid env -i \"$0\" $((n - 1)) &",
    ),
    hostile(
        "abandons",
        6,
        TIMEOUT,
        // Its children end, and nobody waits for them.
        "true & setsid true & (setsid env -i true &); echo ready; exec sleep 1000",
    ),
    hostile(
        "digs",
        1,
        SHORT,
        "echo ready; while mkdir d && chmod 300 . && cd d; do :; done; exec sleep 1000",
    ),
];

#[test]
fn of_a_thousand_hostile_runs_nothing_is_left() {
    #[expect(clippy::disallowed_methods, reason = "about this test's own process")]
    let alone = std::env::var_os(ALONE).is_some();
    if alone {
        return hostile_runs();
    }
    let name = "isolation::of_a_thousand_hostile_runs_nothing_is_left";
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args([name, "--exact", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .expect("a process");
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    print!("{said}");
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_runs() {
    assert_eq!(
        HOSTILES.iter().map(|hostile| hostile.share).sum::<usize>(),
        100
    );
    let bench = Arc::new(Bench::new());
    let good = Bench::verifier(&bench.program("good", "exit 0"), PATIENCE);
    let mut ready = BTreeMap::new();
    let mut used = Vec::new();
    for _ in 0..ROUNDS {
        for name in round(&bench).await {
            *ready.entry(name).or_insert(0) += 1;
        }
        assert_eq!(children(), [] as [String; 0], "dead or alive");
        let fine = bench.judge(&good, "good").await;
        assert_eq!(fine.outcome, VerdictOutcome::Passed, "{fine:?}");
        // What a thread of the runtime still has open is closed in a moment.
        let before = used.first().map_or_else(open_files, |(_, files)| *files);
        until("no file stays open", || open_files() == before);
        used.push((resident_kib(), open_files()));
    }
    println!("KiB of memory and open files after each round: {used:?}");
    println!("came as far as they wanted: {ready:?}");
    // A machine under load may end all of a kind before they have begun: those get more time.
    for (kind, hostile) in HOSTILES.iter().enumerate() {
        if !ready.contains_key(hostile.name) {
            bench.let_be_a_nuisance(kind).await;
        }
    }
    let (first, last) = (used[1], used[ROUNDS - 1]);
    assert!(last.0 < first.0 + MOST_GROWTH_KIB, "{used:?}");
}

/// Runs each hostile as often as its share says; returns the names of those that were ready, once for each run.
async fn round(bench: &Arc<Bench>) -> Vec<&'static str> {
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut runs = JoinSet::new();
    // One of each, then the next of each: neighbours are of different kinds.
    let most = HOSTILES.iter().map(|hostile| hostile.share).max();
    let turns = (0..most.expect("some")).flat_map(|turn| {
        let kinds = HOSTILES.iter().enumerate();
        kinds.filter(move |(_, hostile)| turn < hostile.share)
    });
    for (kind, hostile) in turns {
        let (bench, gate) = (Arc::clone(bench), Arc::clone(&gate));
        runs.spawn(async move {
            let _permit = gate.acquire().await.expect("an open gate");
            let judgement = bench.judge(&bench.hostiles[kind], hostile.name).await;
            assert_judgement(hostile, &judgement);
            judgement.output.contains("ready\n").then_some(hostile.name)
        });
    }
    let said = runs.join_all().await;
    said.into_iter().flatten().collect()
}

fn assert_judgement(hostile: &Hostile, judgement: &Judgement) {
    let expected = match hostile.name {
        "holds pipes" => VerdictOutcome::Passed,
        "quits" => VerdictOutcome::Failed,
        // Its first generation is done at once.
        "runs away" if judgement.exit_code == Some(0) => VerdictOutcome::Passed,
        _ => VerdictOutcome::Error,
    };
    let name = hostile.name;
    assert_eq!(judgement.outcome, expected, "{name}: {judgement:?}");
    let is_full = judgement.detail.contains("limits.folder");
    assert_eq!(is_full, name == "fills", "{name}: {judgement:?}");
}

struct Bench {
    root: TempDir,
    /// In the order of the table.
    hostiles: Vec<Verifier>,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self {
            root: folder(),
            hostiles: Vec::new(),
        };
        let hostiles = HOSTILES.iter().map(|hostile| {
            let path = bench.program(hostile.name, hostile.body);
            Bench::verifier(&path, hostile.timeout)
        });
        bench.hostiles = hostiles.collect();
        bench
    }

    fn program(&self, name: &str, body: &str) -> PathBuf {
        let path = self.root.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("room");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        path
    }

    fn verifier(program: &Path, timeout: Duration) -> Verifier {
        let limits = ResourceLimits {
            folder_bytes: 1 << 20,
            ..ResourceLimits::default()
        };
        limited(&[program.to_str().expect("UTF-8")], limits, timeout).with_grace(GRACE)
    }

    /// Runs one of a kind with ever more time, until it comes as far as it wants.
    async fn let_be_a_nuisance(&self, kind: usize) {
        let hostile = &HOSTILES[kind];
        for factor in [4, 16, 64] {
            let path = self.root.path().join(hostile.name);
            let verifier = Self::verifier(&path, hostile.timeout * factor);
            let judgement = self.judge(&verifier, hostile.name).await;
            assert_judgement(hostile, &judgement);
            if judgement.output.contains("ready\n") {
                return;
            }
        }
        panic!("{} never comes to be a nuisance", hostile.name);
    }

    /// Runs the verifier in a folder of its own, in which nothing and nobody may be afterwards.
    async fn judge(&self, verifier: &Verifier, name: &str) -> Judgement {
        let work_dir = TempDir::with_prefix_in("run-", self.root.path()).expect("a folder");
        let judgement = verifier.judge(&content(), &facts(), work_dir.path()).await;
        let here = inhabitants(work_dir.path());
        assert!(here.is_empty(), "{name} lives on: {here:?}");
        let left: Vec<_> = fs::read_dir(work_dir.path()).expect("a folder").collect();
        assert!(left.is_empty(), "{name} left {left:?}");
        judgement
    }
}

/// Returns the living processes whose working folder is, or was, below this one: programs inherit it.
fn inhabitants(folder: &Path) -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").expect("proc").flatten();
    processes
        .map(|process| process.path())
        .filter(|process| {
            fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
        })
        .collect()
}

/// Returns the children of this process, zombies included, each as its line in proc(5).
fn children() -> Vec<String> {
    let own = format!(" {} ", std::process::id());
    let processes = fs::read_dir("/proc").expect("proc").flatten();
    let stats =
        processes.filter_map(|process| fs::read_to_string(process.path().join("stat")).ok());
    // After the program's name in parentheses: state, parent, …
    stats
        .filter(|stat| {
            let after = stat.rsplit(')').next().and_then(|rest| rest.get(2..));
            after.is_some_and(|after| after.starts_with(&own))
        })
        .collect()
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("a number")
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").expect("proc").count()
}
