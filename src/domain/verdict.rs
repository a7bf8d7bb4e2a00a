//! A verdict: what one verifier said of one version, with where it comes from.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Digest, VerdictId, VersionId};

/// What a verifier said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VerdictOutcome {
    /// The content is good.
    Passed,
    /// The content is bad.
    Failed,
    /// The verifier could not judge; says nothing of the content.
    Error,
    /// The verifier was asked and will answer later, until its deadline.
    Pending,
}

impl VerdictOutcome {
    /// Returns the word that stands for it everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Pending => "pending",
        }
    }
}

impl fmt::Display for VerdictOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for VerdictOutcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Passed, Self::Failed, Self::Error, Self::Pending]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or_else(|| {
                format!("`{text}` is not a verdict: expected passed, failed, error or pending")
            })
    }
}

/// What a verifier found, before it is a verdict on a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What it said.
    pub outcome: VerdictOutcome,
    /// Why, in one line for people.
    pub detail: String,
    /// The exit code of a program.
    pub exit_code: Option<i32>,
    /// What a program wrote to stdout and stderr, head and tail, capped; controls other than newline and tab replaced.
    pub output: String,
}

/// In the line that stands for what a program wrote between the head and the tail that are kept, behind a number.
pub const OMITTED: &str = "bytes omitted …";

/// Begins the detail of a judgement that is none.
const COULD_NOT: &str = "could not judge: ";

impl Judgement {
    /// Returns the judgement of a verifier that could not judge, with why.
    pub fn error(why: &str) -> Self {
        Self {
            outcome: VerdictOutcome::Error,
            detail: format!("{COULD_NOT}{why}"),
            exit_code: None,
            output: String::new(),
        }
    }

    /// Returns why, for a line that says already whether it was judged.
    pub fn reason(&self) -> &str {
        self.detail.strip_prefix(COULD_NOT).unwrap_or(&self.detail)
    }
}

/// Identifies a judge: another definition or another program file is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The SHA-256 digest of `definition`, in hexadecimal.
    pub hex: String,
    /// What the verifier does, as JSON: kind and parameters, `argv` of a command, digests of the program files. Never a
    /// secret.
    pub definition: String,
}

impl Fingerprint {
    /// Returns the fingerprint of a definition.
    pub fn of(definition: String) -> Self {
        let hex = Digest::of(definition.as_bytes()).to_hex();
        Self { hex, definition }
    }
}

/// A verdict that is about to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVerdict {
    /// The verifier's name in the configuration.
    pub verifier: String,
    /// Which judge it was.
    pub fingerprint: Fingerprint,
    /// What it found.
    pub judgement: Judgement,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub duration: Duration,
}

/// A verdict as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which verdict.
    pub id: VerdictId,
    /// On which version.
    pub version_id: VersionId,
    /// What was recorded.
    pub verdict: NewVerdict,
    /// Who ran the verifier or gave the verdict.
    pub actor: String,
}
