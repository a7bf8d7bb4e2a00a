//! Arguments of the commands that fetch, read and judge versions.

use std::path::PathBuf;

use clap::Args;

use super::TableFormat;
use crate::domain::VerdictOutcome;

const VERSION_HELP: &str =
    "217 or v217, SOURCE (its newest), SOURCE~N (N versions back), SOURCE@TIME or SOURCE:published";

/// `fetch`.
#[derive(Debug, Args)]
#[command(
    after_help = "Versions that a verifier could not judge are judged again. Exit code 1: a fetch failed, or the newest version \
of a source failed or could not be judged.\n\nExamples:\n  gannet fetch prices tag:rates\n  gannet fetch prices --whole"
)]
pub struct FetchArgs {
    /// Id, name, address, glob or tag:NAME
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,
    /// Fetch the whole file, even if the server would report it unchanged: servers may be wrong
    #[arg(long)]
    pub whole: bool,
    /// Print the pass's summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// `cat`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gannet cat prices\n  gannet cat prices:published > prices.csv\n  gannet cat prices@yesterday\n  gannet cat prices:published@2026-01-31T12:00"
)]
pub struct CatArgs {
    #[arg(help = VERSION_HELP)]
    /// The version.
    pub version: String,
    /// Write to this file; - is stdout, even for binary content on a terminal
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Text is compared line by line, as patch reads it; other content by sizes, digests and the place where it differs.

Examples:
  gannet diff prices
  gannet diff prices~3 prices")]
pub struct DiffArgs {
    #[arg(help = VERSION_HELP)]
    /// The version; alone, it is compared with the one before it.
    pub version: String,
    /// Compare VERSION with this version instead of the one before it
    #[arg(value_name = "VERSION")]
    pub other: Option<String>,
}

/// `export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Files are DIR/<source>/<time fetched>-v<version>-<file name>; DIR/manifest.json names each with its digest. Every file is checked against its digest. An equal file that exists already stays; a different one is an error.

Example:
  gannet export /srv/backup prices")]
pub struct ExportArgs {
    /// The folder; created if it does not exist
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Id, name, address, glob or tag:NAME; all, removed ones too, when none is given
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
}

/// `verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
SOURCE means all its versions, oldest first. A bare number is a source's id here; v217, SOURCE~N, SOURCE@TIME and SOURCE:published are single versions.

With --stale, a verifier judges every version again on which it has no verdict yet, or one from before its definition or program changed. The command can be stopped at any time: the next one continues there.

Examples:
  gannet verify prices
  gannet verify v217 prices~1
  gannet verify set:release
  gannet verify --stale")]
pub struct VerifyArgs {
    /// A source (all its versions), a version as v217, SOURCE~N, SOURCE@TIME or SOURCE:published, or set:NAME (the
    /// newest edition of a set); only sources with --stale
    #[arg(value_name = "SOURCE|VERSION|SET", required_unless_present = "stale")]
    pub targets: Vec<String>,
    /// Judge versions again whose verifier has changed since its verdict; all sources by default
    #[arg(long)]
    pub stale: bool,
    /// Start with the newest versions
    #[arg(long, requires = "stale")]
    pub newest_first: bool,
    /// Print an array with an object for each version; with --stale, a summary with the versions whose state changed
    #[arg(long)]
    pub json: bool,
}

/// `verdicts`.
#[derive(Debug, Args)]
#[command(after_help = "\
Newest first. A bare number is a source's id here; v217, SOURCE~N, SOURCE@TIME and SOURCE:published are single versions. A fingerprint is the digest of a verifier's definition and program files; its first digits are enough.

Examples:
  gannet verdicts --verifier schema --outcome failed
  gannet verdicts v217 --full
  gannet verdicts prices --fingerprint 3f9a --json")]
pub struct VerdictsArgs {
    /// Id, name, address, glob or tag:NAME, a version as v217, SOURCE~N, SOURCE@TIME or SOURCE:published, or one set:NAME; all when none
    /// is given
    #[arg(value_name = "SOURCE|VERSION|SET")]
    pub sources: Vec<String>,
    /// Only verdicts of this verifier
    #[arg(long, value_name = "VERIFIER")]
    pub verifier: Option<String>,
    /// Only verdicts of verifiers whose fingerprint begins with these digits
    #[arg(long, value_name = "HEX", value_parser = parse_fingerprint)]
    pub fingerprint: Option<String>,
    /// Only verdicts with this outcome
    #[arg(long, value_name = "passed|failed|error|pending")]
    pub outcome: Option<VerdictOutcome>,
    /// At most N verdicts; 0 for all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    pub limit: u32,
    /// Print the stored output of the verifiers, instead of a line for each verdict
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    pub full: bool,
    /// Print an array with an object for each verdict, with the output
    #[arg(long)]
    json: bool,
    /// Print a CSV row for each verdict, with the fields of --json except the definition
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl VerdictsArgs {
    /// Returns the output format.
    pub fn format(&self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}

fn parse_fingerprint(text: &str) -> Result<String, String> {
    let hex = text.to_ascii_lowercase();
    if hex.is_empty() || hex.len() > 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("expected hexadecimal digits, 64 at most".to_owned());
    }
    Ok(hex)
}

/// `verdict`.
#[derive(Debug, Args)]
#[command(
    after_help = "Give the id of the version that was read: SOURCE means the newest version, which may have changed since.\n\nExamples:\n  gannet verdict v217 legal failed --detail 'licence missing'\n  gannet verdict set:release legal passed"
)]
pub struct VerdictArgs {
    #[arg(help = format!("{VERSION_HELP}; set:NAME is the newest edition of a set"), value_name = "VERSION|SET")]
    /// The version.
    pub version: String,
    /// The name of the verifier
    pub verifier: String,
    /// The verdict
    #[arg(value_name = "passed|failed", value_parser = parse_outcome)]
    pub outcome: VerdictOutcome,
    /// The reason, in one line
    #[arg(long, value_name = "TEXT")]
    pub detail: Option<String>,
}

fn parse_outcome(text: &str) -> Result<VerdictOutcome, String> {
    let expected = |_| format!("`{text}` is not a verdict: expected passed or failed");
    match text.parse().map_err(expected)? {
        VerdictOutcome::Error | VerdictOutcome::Pending => Err(
            "a verdict is passed or failed; gannet itself records error and pending when a verifier could not judge, or has not yet".to_owned(),
        ),
        outcome => Ok(outcome),
    }
}
