//! What the archive makes of histories: bytes stored against git's pack of the same versions, time to record and to read.
//!
//! Run it with `cargo bench --bench archive`, and with fewer versions with `cargo bench --bench archive -- 100`. A
//! second argument picks one history. It needs `git` on the path (any distribution's package).

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gannet::archive::{Archive, PublishItem};
use gannet::domain::{BlobId, BlobLink, Content, Digest, StoredBody, base_ordinal};
use tempfile::TempDir;

#[path = "histories.rs"]
mod histories;

use histories::{History, Random};

/// What one scheme made of a history.
struct Measured {
    stored_bytes: u64,
    record: Duration,
    read: Duration,
}

/// Keeps versions and reads them back: the archive alone here, a whole store elsewhere.
trait Scheme {
    /// Keeps the next version.
    fn record(&mut self, content: &[u8]);
    /// Reads the version with this ordinal.
    fn read(&self, ordinal: usize) -> Content;
    /// Returns how many bytes all versions take.
    fn stored_bytes(&self) -> u64;
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let limit = arguments
        .first()
        .map_or(500, |count| count.parse().expect("a number of versions"));
    let folder = TempDir::new().expect("a folder");
    println!("history  versions      stored  git pack  ratio  record ms  read ms  peak MiB");
    let (mut ours, mut gits) = (0, 0);
    for history in histories::all(limit) {
        let name = history.name;
        if arguments.get(1).is_some_and(|only| only != name) {
            continue;
        }
        let versions = dump(history, &folder.path().join(name)).expect("versions on disk");
        let mut scheme = ArchiveAlone::new(&folder.path().join(format!("{name}.data")));
        let measured = measure(&mut scheme, &versions);
        let git = pack(&folder.path().join(format!("{name}.git")), &versions).expect("git");
        ours += measured.stored_bytes;
        gits += git;
        println!(
            "{name:8} {:8} {:11} {git:9} {:6.2} {:10.2} {:8.2} {:9}",
            versions.len(),
            measured.stored_bytes,
            ratio(measured.stored_bytes, git),
            milliseconds(measured.record),
            milliseconds(measured.read),
            peak_mib(),
        );
    }
    println!(
        "sum                {ours:11} {gits:9} {:6.2}",
        ratio(ours, gits)
    );
    large_delta(&folder.path().join("large"));
    publish(&folder.path().join("publish"));
}

/// Makes and reads a delta of 20 MiB of text, and says how much memory each took beyond what was there before.
fn large_delta(folder: &Path) {
    const SIZE: usize = 20 << 20;
    let mut scheme = ArchiveAlone::new(folder);
    let mut text = String::new();
    let mut random = Random(5);
    while text.len() < SIZE {
        let _ = writeln!(text, "{:016x} {}", random.next(), random.below(900));
    }
    let file = tempfile::NamedTempFile::new_in(scheme.archive.temp_dir()).expect("a file");
    fs::write(&file, &text).expect("written");
    scheme.record(text.as_bytes());
    text.truncate(SIZE / 2);
    text.push_str("an edit");
    let edited = fs::read(&file).expect("content")[SIZE / 2..].to_vec();
    let content = [text.as_bytes(), &edited].concat();
    let digest = Digest::of(&content);
    fs::write(&file, &content).expect("written");
    let content = Content::File {
        size_bytes: content.len() as u64,
        path: std::sync::Arc::new(file.into_temp_path()),
    };
    drop((text, edited));
    let chain = scheme.chain(0);
    // `5` sets the peak back to what is held now (proc(5)).
    fs::write("/proc/self/clear_refs", "5").expect("Linux");
    let before = peak_mib();
    let start = Instant::now();
    let blob = scheme
        .archive
        .encode(&content, digest, &chain)
        .expect("a blob");
    println!(
        "delta of 20 MiB: {} bytes, {:.0} ms, {} MiB more than the {before} before",
        blob.stored_bytes,
        milliseconds(start.elapsed()),
        peak_mib() - before,
    );
}

/// Records all versions, then reads some at random.
fn measure(scheme: &mut impl Scheme, versions: &[std::path::PathBuf]) -> Measured {
    let mut records = Vec::new();
    for version in versions {
        let content = fs::read(version).expect("a version");
        let start = Instant::now();
        scheme.record(&content);
        records.push(start.elapsed());
    }
    let mut random = Random(99);
    let mut reads = Vec::new();
    for _ in 0..versions.len().min(200) {
        let ordinal = random.below(versions.len());
        let start = Instant::now();
        let content = scheme.read(ordinal);
        reads.push(start.elapsed());
        let expected = fs::read(&versions[ordinal]).expect("a version");
        let found = content.as_memory().map_or_else(
            || fs::read(content.as_file().expect("a file")).expect("content"),
            <[u8]>::to_vec,
        );
        assert!(found == expected, "version {ordinal} came back changed");
    }
    Measured {
        stored_bytes: scheme.stored_bytes(),
        record: median(records),
        read: median(reads),
    }
}

/// The stored forms by themselves, without the catalogue that keeps them.
struct ArchiveAlone {
    archive: Archive,
    blobs: Vec<BlobLink>,
    bases: Vec<Option<usize>>,
    stored_bytes: u64,
}

impl ArchiveAlone {
    fn new(folder: &Path) -> Self {
        Self {
            archive: Archive::open(folder).expect("an archive"),
            blobs: Vec::new(),
            bases: Vec::new(),
            stored_bytes: 0,
        }
    }

    fn chain(&self, ordinal: usize) -> Vec<BlobLink> {
        std::iter::successors(Some(ordinal), |ordinal| self.bases[*ordinal])
            .map(|ordinal| self.blobs[ordinal].clone())
            .collect()
    }
}

impl Scheme for ArchiveAlone {
    fn record(&mut self, content: &[u8]) {
        let ordinal = self.blobs.len() as u64;
        let base = base_ordinal(ordinal).map(|base| usize::try_from(base).expect("an index"));
        let chain = base.map(|base| self.chain(base)).unwrap_or_default();
        let digest = Digest::of(content);
        let content = Content::Memory(Bytes::copy_from_slice(content));
        let blob = self
            .archive
            .encode(&content, digest, &chain)
            .expect("a blob");
        self.stored_bytes += blob.stored_bytes;
        self.bases.push(base.filter(|_| blob.base.is_some()));
        self.blobs.push(BlobLink {
            id: BlobId(i64::try_from(ordinal).expect("an id")),
            digest,
            size_bytes: blob.size_bytes,
            form: blob.form,
            depth: blob.depth,
            body: blob.body,
        });
    }

    fn read(&self, ordinal: usize) -> Content {
        self.archive.read(&self.chain(ordinal)).expect("content")
    }

    fn stored_bytes(&self) -> u64 {
        let inline: u64 = self
            .blobs
            .iter()
            .map(|blob| match &blob.body {
                StoredBody::Inline(form) => form.len() as u64,
                StoredBody::Object(_) => 0,
            })
            .sum();
        assert!(inline <= self.stored_bytes);
        self.stored_bytes
    }
}

/// Writes each version to a file of its own, so that neither side is measured with the other's memory.
fn dump(history: History, folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
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

/// Commits the versions in turn, runs `git gc` and returns the size of `.git/objects`.
fn pack(folder: &Path, versions: &[std::path::PathBuf]) -> io::Result<u64> {
    let git = |arguments: &[&str]| -> io::Result<Command> {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(arguments);
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        Ok(command)
    };
    fs::create_dir(folder)?;
    expect_success(git(&["init", "-q"])?.status()?)?;
    let mut import = git(&["fast-import", "--quiet"])?
        .stdin(Stdio::piped())
        .spawn()?;
    let mut stream = BufWriter::new(import.stdin.take().expect("stdin is a pipe"));
    for (ordinal, version) in versions.iter().enumerate() {
        let content = fs::read(version)?;
        let seconds = 1_700_000_000 + ordinal * 3_600;
        write!(
            stream,
            "commit refs/heads/main\ncommitter a <a@b> {seconds} +0000\ndata 1\nv\nM 100644 inline data\ndata {}\n",
            content.len()
        )?;
        stream.write_all(&content)?;
        stream.write_all(b"\n")?;
    }
    stream.flush()?;
    drop(stream);
    expect_success(import.wait()?)?;
    // What fast-import packs on the way is delta-coded against the last blob only: gc has to look anew, as it does
    // for commits that were made one by one.
    expect_success(git(&["repack", "-a", "-d", "-F", "-q"])?.status()?)?;
    expect_success(git(&["gc", "-q"])?.status()?)?;
    size_of(&folder.join(".git/objects"))
}

fn expect_success(status: std::process::ExitStatus) -> io::Result<()> {
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("git failed: {status}")))
    }
}

fn size_of(folder: &Path) -> io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        total += if entry.file_type()?.is_dir() {
            size_of(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(total)
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
        let results = archive.publish(items);
        assert!(results.iter().all(Result::is_ok));
        println!(
            "publish 10,000 × 4 KiB, {round}: {:.0} ms",
            milliseconds(start.elapsed())
        );
    }
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
