//! The fingerprint of a verifier: another definition or another program file is another judge.
//!
//! Name, sources and time limit are no part of it: they do not change what a verifier says of given content.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::config::{Builtin, VerifierKind};
use crate::domain::{Digest, Digester, Fingerprint, masked};

/// Raised when a built-in rule or the way programs are run changes what a verdict means.
const RULES_VERSION: u32 = 1;

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileState {
    device: u64,
    inode: u64,
    size_bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// The digest of a verifier's program, read again only when the file's metadata says that it may be another.
#[derive(Debug, Default)]
pub(super) struct ProgramDigest(Mutex<Option<(FileState, Digest)>>);

impl ProgramDigest {
    /// Returns the digest of the file as of now. Blocks.
    fn of(&self, program: &Path) -> io::Result<Digest> {
        let mut file = File::open(program)?;
        let metadata = file.metadata()?;
        let state = FileState {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        // A digest is complete or absent, so one that a panic left behind is as good as any.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known_state, digest)) = *known
            && known_state == state
        {
            return Ok(digest);
        }
        let digest = digest_of(&mut file)?;
        *known = Some((state, digest));
        Ok(digest)
    }
}

fn digest_of(file: &mut File) -> io::Result<Digest> {
    let mut digester = Digester::default();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digester.finish()),
            count => digester.update(&buffer[..count]),
        }
    }
}

/// Returns the fingerprint as of now; a program that cannot be read has one too. Blocks.
pub(super) fn fingerprint(kind: &VerifierKind, known: &ProgramDigest) -> Fingerprint {
    let program = match kind {
        VerifierKind::Command { argv, .. } => {
            let digest = argv.first().map(|program| known.of(Path::new(program)));
            json!(digest.and_then(Result::ok).map(|digest| digest.to_string()))
        }
        VerifierKind::Builtin(_) | VerifierKind::Http { .. } | VerifierKind::External { .. } => {
            Value::Null
        }
    };
    let text = json!({"rules": RULES_VERSION, "definition": definition(kind), "program": program});
    Fingerprint::of(text.to_string())
}

fn definition(kind: &VerifierKind) -> Value {
    match kind {
        VerifierKind::Command {
            argv,
            stdin,
            failed,
        } => json!({"command": argv, "stdin": stdin, "failed": failed}),
        VerifierKind::Builtin(Builtin::Utf8) => json!({"builtin": "utf8"}),
        VerifierKind::Builtin(Builtin::Json) => json!({"builtin": "json"}),
        VerifierKind::Builtin(Builtin::Size { min, max }) => {
            json!({"builtin": "size", "min": min, "max": max})
        }
        VerifierKind::Builtin(Builtin::Sha256(digest)) => {
            json!({"builtin": "sha256", "digest": digest.to_string()})
        }
        VerifierKind::Builtin(Builtin::NotHtml) => json!({"builtin": "not-html"}),
        // An address may hold a password, which must not get into the store.
        VerifierKind::Http { url, .. } => json!({"http": masked(url)}),
        VerifierKind::External { .. } => json!({"external": true}),
    }
}
