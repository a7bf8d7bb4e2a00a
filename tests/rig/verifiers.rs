//! Verifiers alone: real programs over a content, in a folder where nothing may be left.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gannet::config::{ResourceLimits, VerifierConfig, VerifierKind};
use gannet::domain::{Content, Digest, Judgement, Scope, SourceId, VersionId, Weight};
use gannet::verify::{Verifier, VersionFacts};
use tempfile::TempDir;

/// Long enough for any machine; only what is meant to time out takes less.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);
pub(crate) const CONTENT: &[u8] = b"{\"price\": 1}\n";

pub(crate) struct Bench {
    root: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let root = TempDir::new().expect("a temporary folder");
        fs::create_dir(root.path().join("tmp")).expect("a folder");
        Self { root }
    }

    pub(crate) fn work_dir(&self) -> PathBuf {
        self.root.path().join("tmp")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn script(&self, body: &str) -> String {
        let path = self.path("check");
        // Renamed into place, so that an older script is replaced, not written to.
        let mut file = tempfile::NamedTempFile::new_in(self.root.path()).expect("a file");
        write!(file, "#!/bin/sh\n{body}\n").expect("room");
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
        file.into_temp_path().persist(&path).expect("a rename");
        path.to_str().expect("UTF-8").to_owned()
    }

    pub(crate) async fn judge(&self, verifier: &Verifier, content: &Content) -> Judgement {
        let judgement = verifier.judge(content, &facts(), &self.work_dir()).await;
        self.assert_nothing_left();
        judgement
    }

    /// Runs a script over the usual content.
    pub(crate) async fn run(&self, body: &str) -> Judgement {
        self.judge(
            &command(&[&self.script(body), "{path}"], PATIENCE),
            &content(),
        )
        .await
    }

    pub(crate) fn assert_nothing_left(&self) {
        let left: Vec<_> = fs::read_dir(self.work_dir())
            .expect("a folder")
            .flatten()
            .map(|entry| entry.path())
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

pub(crate) fn content() -> Content {
    Content::Memory(Bytes::from_static(CONTENT))
}

pub(crate) fn content_file(bytes: &[u8]) -> Content {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("room");
    Content::File {
        path: Arc::new(file.into_temp_path()),
        size_bytes: bytes.len() as u64,
    }
}

pub(crate) fn facts() -> VersionFacts {
    VersionFacts {
        source_id: SourceId(7),
        source_name: "prices".to_owned(),
        address: "https://example.org/p.json?key=${KEY}".to_owned(),
        version_id: VersionId(42),
        digest: Digest::of(CONTENT),
        size_bytes: CONTENT.len() as u64,
        name: "-p.json".to_owned(),
        media_type: Some("application/json\0\n".to_owned()),
        fetched_at: "2026-01-31T12:00:00Z".parse().expect("a time"),
        last_modified: None,
    }
}

pub(crate) fn verifier(kind: VerifierKind, timeout: Duration) -> Verifier {
    let sources = vec!["tag:t".parse().expect("a pattern")];
    Verifier::new(VerifierConfig {
        name: "v".to_owned(),
        sources,
        kind,
        weight: Weight::Required,
        scope: Scope::Source,
        timeout,
    })
    .with_grace(Duration::from_millis(100))
}

pub(crate) fn kind(argv: &[&str], stdin: bool, failed: &[i32]) -> VerifierKind {
    let argv = argv.iter().map(|&argument| argument.to_owned()).collect();
    VerifierKind::Command {
        argv,
        stdin,
        failed: failed.to_vec(),
        limits: ResourceLimits::default(),
    }
}

pub(crate) fn command(argv: &[&str], timeout: Duration) -> Verifier {
    verifier(kind(argv, false, &[1]), timeout)
}

/// Returns a command verifier under limits.
pub(crate) fn limited(argv: &[&str], limits: ResourceLimits, timeout: Duration) -> Verifier {
    let mut kind = kind(argv, false, &[1]);
    if let VerifierKind::Command { limits: own, .. } = &mut kind {
        *own = limits;
    }
    verifier(kind, timeout)
}
