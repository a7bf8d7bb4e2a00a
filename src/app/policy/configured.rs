//! The configuration of a process and the objects made from it; a long-lived process may replace it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::OnceCell;

use crate::app::judging::redactors::Redactors;
use crate::config::{Builtin, Config, ConfigError, VerifierConfig, VerifierKind};
use crate::domain::{Policy, PolicyVerifier, Provider};
use crate::net::Webhooks;
use crate::verify::Verifier;

/// One configuration and the objects made from it.
pub(in crate::app) struct Configured {
    pub(in crate::app) config: Arc<Config>,
    /// The verifiers, in their order; last those of rates, which every policy has.
    pub(in crate::app) verifiers: Vec<Arc<Verifier>>,
    /// The verifiers and sets, as the catalogue stores them.
    pub(in crate::app) policy: Arc<Policy>,
    /// The client of webhooks, once needed.
    pub(in crate::app) webhooks: OnceCell<Arc<Webhooks>>,
    /// The redactors of secrets.
    pub(in crate::app) redactors: Redactors,
    /// The state of the configuration file when it was read.
    file: FileState,
    /// Whether the configuration came through a pipe or the like, which cannot be read a second time.
    pub(in crate::app) is_read_once: bool,
    /// Why the file, which has changed since, cannot be used.
    pub(in crate::app) rejected: Option<String>,
}

impl Configured {
    pub(in crate::app) fn new(config: Arc<Config>) -> Self {
        let file = FileState::of(config.config_file.as_deref());
        // An unusable file was not read: a folder in its place may become a file later.
        let is_read_once = file == FileState::Special && config.unusable.is_none();
        Self {
            is_read_once,
            ..Self::read_as(config, file)
        }
    }

    /// Returns the same for a configuration file whose state was taken before reading.
    pub(in crate::app) fn read_as(config: Arc<Config>, file: FileState) -> Self {
        let made = |config: VerifierConfig| Arc::new(Verifier::new(config));
        let mut verifiers: Vec<_> = config.verifiers.iter().cloned().map(made).collect();
        let policy = Arc::new(Policy {
            verifiers: verifiers
                .iter()
                .map(|verifier| policy_verifier(verifier))
                .collect(),
        });
        verifiers.extend(Provider::ALL.map(VerifierConfig::of_rates).map(made));
        Self {
            config,
            verifiers,
            policy,
            webhooks: OnceCell::new(),
            redactors: Redactors::default(),
            file,
            is_read_once: false,
            rejected: None,
        }
    }

    /// Returns the same configuration, marked as outdated by a file in this state, which cannot be used.
    pub(in crate::app) fn outdated(config: Arc<Config>, file: FileState, why: String) -> Self {
        Self {
            rejected: Some(why),
            ..Self::read_as(config, file)
        }
    }

    /// Returns the absolute path of the configuration file, if there is one.
    pub(in crate::app) fn path(&self) -> Option<&Path> {
        self.config.config_file.as_deref()
    }

    /// Returns the configuration file's state if it differs from the one that was read.
    pub(in crate::app) fn changed_file(&self) -> Option<FileState> {
        let now = FileState::of(self.path());
        (now != self.file).then_some(now)
    }

    /// Returns whether the configuration file was written since `then`, and which of the schemas and programs that its
    /// verifiers name were changed since.
    pub(in crate::app) fn changed_since(
        &self,
        then: DateTime<Utc>,
        verifiers: &[String],
    ) -> ChangedFiles {
        // A file's time is that of the kernel clock's last tick.
        let then = then - TimeDelta::milliseconds(10);
        let is_newer = |(seconds, nanos): (i64, i64)| {
            let time = u32::try_from(nanos).ok();
            let time = time.and_then(|nanos| DateTime::from_timestamp(seconds, nanos));
            time.is_some_and(|time| time > then)
        };
        let named = self.config.verifiers.iter();
        let named = named.filter(|one| verifiers.contains(&one.name));
        let mut files: Vec<_> = named.filter_map(|one| named_file(&one.kind)).collect();
        files.retain(|file| match FileState::of(Some(file)) {
            FileState::Present {
                modified, changed, ..
            } => is_newer(modified.max(changed)),
            FileState::Absent | FileState::Special => false,
        });
        files.dedup();
        let is_config_edited = match FileState::of(self.path()) {
            FileState::Present { modified, .. } => is_newer(modified),
            FileState::Absent | FileState::Special => false,
        };
        ChangedFiles {
            is_config_edited,
            named: files.into_iter().map(Path::to_owned).collect(),
        }
    }
}

/// What is wrong with the configuration.
#[derive(Debug, Default)]
pub(in crate::app) struct Trouble {
    /// Why a changed configuration was not used, until somebody reports it.
    pub(super) rejected: Option<String>,
    /// Why this process may not judge or publish, by the last look at the policy.
    pub(super) standing: Option<String>,
}

/// Files changed since a policy was adopted.
#[derive(Debug, Default)]
pub(in crate::app) struct ChangedFiles {
    /// The configuration file.
    pub(in crate::app) is_config_edited: bool,
    /// The changed files among those that the configuration names.
    pub(in crate::app) named: Vec<PathBuf>,
}

/// Returns the file that a verifier's definition depends on: its schema, or its program, which may be found elsewhere
/// by now.
fn named_file(kind: &VerifierKind) -> Option<&Path> {
    match kind {
        VerifierKind::Builtin(Builtin::Json(rule)) => rule.schema.as_ref()?.file(),
        VerifierKind::Command { argv, .. } => argv.first().map(Path::new),
        _ => None,
    }
}

fn policy_verifier(verifier: &Verifier) -> PolicyVerifier {
    PolicyVerifier {
        name: verifier.name().to_owned(),
        kind: verifier.kind_name(),
        weight: verifier.weight(),
        scope: verifier.scope().clone(),
        sources: verifier.sources().to_vec(),
        definition: verifier.definition_digest().to_hex(),
    }
}

/// The state of a file, as far as it shows without reading the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum FileState {
    /// No file, or none that can be examined.
    Absent,
    /// A pipe, a device, or a path such as `/dev/stdin` that differs by process.
    Special,
    Present {
        device: u64,
        inode: u64,
        size_bytes: u64,
        modified: (i64, i64),
        changed: (i64, i64),
    },
}

impl FileState {
    /// Returns the state of a file as of now.
    pub(in crate::app) fn of(path: Option<&Path>) -> Self {
        let Some(path) = path else {
            return Self::Absent;
        };
        let is_own = ["/dev", "/proc"].iter().any(|own| path.starts_with(own));
        match std::fs::metadata(path) {
            Err(_) => Self::Absent,
            Ok(metadata) if is_own || !metadata.is_file() => Self::Special,
            Ok(metadata) => Self::Present {
                device: metadata.dev(),
                inode: metadata.ino(),
                size_bytes: metadata.size(),
                modified: (metadata.mtime(), metadata.mtime_nsec()),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            },
        }
    }
}

/// Returns whether both paths lead to one file, by text or by links.
pub(in crate::app) fn is_same_file(one: Option<&Path>, other: Option<&Path>) -> bool {
    let real = |path: &Path| -> Option<PathBuf> { std::fs::canonicalize(path).ok() };
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            one == other || real(one).is_some_and(|real_one| Some(real_one) == real(other))
        }
        _ => false,
    }
}

/// Reads the configuration again, with the same flags and environment.
pub type ReadConfig = Arc<dyn Fn() -> std::result::Result<Config, ConfigError> + Send + Sync>;
