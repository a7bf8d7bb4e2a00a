//! What the archive costs: bytes on disk against git's pack of the same versions, and the time to record, read and claim.
//!
//! Everything goes through the catalogue and the archive as a worker uses them, without the network. Run it with
//! `cargo bench --bench archive`; arguments pick parts: `csv`, `json`, `html`, `log`, `small`, `claims`, `unchanged`,
//! `large`, `publish`, `stale`, `dashboard`. It needs `git` on the path (any distribution's package).

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gannet::archive::{Archive, PublishItem};
use gannet::domain::{Content, Digest};
use tempfile::TempDir;

#[path = "catalogue.rs"]
mod catalogue;
#[path = "dashboard.rs"]
mod dashboard;
#[path = "git.rs"]
mod git;
#[path = "histories.rs"]
mod histories;
#[path = "recorder.rs"]
mod recorder;
#[path = "stale.rs"]
mod stale;

use histories::{History, Random};
use recorder::{Recorder, in_memory};

/// How many versions are read back.
const READS: usize = 200;

/// A part of the benchmark: its name, and what measures it in a folder.
type Part = (&'static str, fn(&Path));

fn main() {
    let parts: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let folder = TempDir::new().expect("a folder");
    against_git(folder.path(), &wanted);
    let parts: [Part; 7] = [
        ("small", small),
        ("claims", catalogue::claims),
        ("unchanged", catalogue::unchanged),
        ("large", large_delta),
        ("publish", publish),
        ("stale", stale::stale),
        ("dashboard", dashboard::dashboard),
    ];
    for (part, run) in parts {
        if wanted(part) {
            run(&folder.path().join(part));
        }
    }
}

/// Records each history in a store of its own and measures all of its bytes: `gannet.db` and `objects/`, but not
/// `published/`, a working copy as git's work tree is.
fn against_git(folder: &Path, wanted: &impl Fn(&str) -> bool) {
    println!(
        "history  versions  gannet.db + objects/  .git/objects  ratio  record ms  read ms  peak MiB"
    );
    let (mut ours, mut gits) = (0, 0);
    for history in histories::all() {
        let name = history.name;
        if !wanted(name) {
            continue;
        }
        let versions = dump(history, &folder.join(name)).expect("versions on disk");
        let data = folder.join(format!("{name}.data"));
        let (record, read) = record_and_read(&data, &versions);
        let stored = stored_bytes(&data);
        let git = git::pack(&folder.join(format!("{name}.git")), &versions).expect("git");
        ours += stored;
        gits += git;
        println!(
            "{name:8} {:8} {stored:21} {git:13} {:6.2} {:10.2} {:8.2} {:9}",
            versions.len(),
            ratio(stored, git),
            milliseconds(record),
            milliseconds(read),
            peak_mib(),
        );
    }
    if gits > 0 {
        println!("sum {ours:35} {gits:13} {:6.2}", ratio(ours, gits));
    }
}

/// Records all versions, then reads some at random. Returns the median times.
fn record_and_read(data: &Path, versions: &[PathBuf]) -> (Duration, Duration) {
    let mut recorder = Recorder::open(data);
    let source = recorder.add(["file".to_owned()].into_iter())[0];
    let records = versions
        .iter()
        .map(|version| {
            let content = in_memory(fs::read(version).expect("a version"));
            let claim = recorder.claim(source);
            let start = Instant::now();
            recorder.record(&claim, content);
            let time = start.elapsed();
            recorder.record_publication(source);
            time
        })
        .collect();
    let mut random = Random(99);
    let reads = (0..versions.len().min(READS))
        .map(|_| {
            let ordinal = random.below(versions.len());
            let start = Instant::now();
            let content = recorder.read(source, ordinal as u64);
            let time = start.elapsed();
            let expected = fs::read(&versions[ordinal]).expect("a version");
            assert!(
                bytes_of(&content) == expected,
                "version {ordinal} came back changed"
            );
            time
        })
        .collect();
    (median(records), median(reads))
}

/// Ten years of hours of one small file: the size must grow by the version, and every version be read fast.
fn small(data: &Path) {
    const MARKS: [u64; 2] = [10_000, 87_600];
    let mut recorder = Recorder::open(data);
    let source = recorder.add(["file".to_owned()].into_iter())[0];
    let mut digests = Vec::new();
    for content in histories::small() {
        digests.push(Digest::of(&content));
        let claim = recorder.claim(source);
        recorder.record(&claim, in_memory(content));
        recorder.record_publication(source);
        let count = digests.len() as u64;
        if MARKS.contains(&count) {
            // Closing folds the write-ahead log into the file.
            drop(recorder);
            let bytes = stored_bytes(data);
            println!("{count} versions of 2 KB: {} bytes each", bytes / count);
            recorder = Recorder::open(data);
        }
    }
    let mut random = Random(98);
    // Beside some at random, those with the most digits 7 in base 8: their chains are the longest.
    let ordinals = (0..2_000)
        .map(|_| random.below(digests.len()))
        .chain([0o777, 0o7777, 0o77777, 0o177_777, 0o251_777, 0o247_777]);
    let mut times: Vec<Duration> = ordinals
        .map(|ordinal| {
            let start = Instant::now();
            let content = recorder.read(source, ordinal as u64);
            let time = start.elapsed();
            assert!(Digest::of(&bytes_of(&content)) == digests[ordinal]);
            time
        })
        .collect();
    times.sort();
    println!(
        "read one of them: {:.2} ms, at worst {:.2} ms",
        milliseconds(times[times.len() / 2]),
        milliseconds(times[times.len() - 1]),
    );
}

/// Makes a delta of 20 MiB of text, and says how much memory it took beyond what was there before.
fn large_delta(folder: &Path) {
    const SIZE: usize = 20 << 20;
    let mut recorder = Recorder::open(folder);
    let source = recorder.add(["file".to_owned()].into_iter())[0];
    let mut text = String::new();
    let mut random = Random(5);
    while text.len() < SIZE {
        let _ = writeln!(text, "{:016x} {}", random.next(), random.below(900));
    }
    let claim = recorder.claim(source);
    let first = in_memory(text.clone().into_bytes());
    let start = Instant::now();
    recorder.record(&claim, first);
    println!(
        "first version of 20 MiB: {:.0} ms",
        milliseconds(start.elapsed())
    );
    text.insert_str(SIZE / 2, "an edit");
    let content = in_memory(text.into_bytes());
    let claim = recorder.claim(source);
    // `5` sets the peak back to what is held now (proc(5)).
    fs::write("/proc/self/clear_refs", "5").expect("Linux");
    let before = peak_mib();
    let start = Instant::now();
    recorder.record(&claim, content);
    println!(
        "delta of 20 MiB: {:.0} ms, {} MiB more than the {before} before",
        milliseconds(start.elapsed()),
        peak_mib() - before,
    );
}

/// Publishes 10,000 files of 4 KiB in 100 folders of a fresh tree, then once more over them.
fn publish(folder: &Path) {
    let archive = Archive::open(folder).expect("an archive");
    for round in ["fresh", "again"] {
        let items: Vec<_> = (0..10_000_u64)
            .map(|number| PublishItem {
                path: format!("example.org/{}/{number}.txt", number % 100),
                content: Content::Memory(Bytes::from(histories::noise(number, 4096))),
            })
            .collect();
        let start = Instant::now();
        let results = archive.published().publish(items);
        assert!(results.iter().all(Result::is_ok));
        println!(
            "publish 10,000 × 4 KiB, {round}: {:.0} ms",
            milliseconds(start.elapsed())
        );
    }
}

/// Writes each version to a file of its own, so that neither side is measured with the other's memory.
fn dump(history: History, folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir(folder)?;
    history
        .versions
        .enumerate()
        .map(|(ordinal, version)| {
            let path = folder.join(format!("{ordinal:06}"));
            fs::write(&path, version)?;
            Ok(path)
        })
        .collect()
}

/// Returns all bytes that a closed store keeps for its versions.
fn stored_bytes(data: &Path) -> u64 {
    let catalogue = fs::metadata(data.join("gannet.db")).expect("a catalogue");
    assert!(
        !data.join("gannet.db-wal").exists(),
        "the store was not closed"
    );
    catalogue.len() + git::size_of(&data.join("objects")).expect("objects")
}

fn bytes_of(content: &Content) -> Vec<u8> {
    content.as_memory().map_or_else(
        || fs::read(content.as_file().expect("a file")).expect("content"),
        <[u8]>::to_vec,
    )
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other as f64
}

/// Returns the most memory that this process has had, in MiB.
fn peak_mib() -> u64 {
    fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .map_or(0, |kib: u64| kib / 1024)
}
