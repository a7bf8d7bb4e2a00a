//! Arguments of the commands that fetch, read and judge versions.

use std::path::PathBuf;

use clap::Args;

use crate::domain::VerdictOutcome;

const VERSION_HELP: &str =
    "217 or v217, SOURCE (its newest), SOURCE~N (N versions back) or SOURCE@TIME";

/// `fetch`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  gannet fetch prices tag:rates")]
pub struct FetchArgs {
    /// Id, name, address, glob or tag:NAME
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,
    /// Print the pass's summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// `cat`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gannet cat prices\n  gannet cat prices@2026-01-31T12:00 > prices.csv"
)]
pub struct CatArgs {
    #[arg(help = VERSION_HELP)]
    /// Which version.
    pub version: String,
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
    /// Which version; alone, it is compared with the one before it.
    pub version: String,
    /// Compare with this one; without it, VERSION is compared with the one before it
    #[arg(value_name = "VERSION")]
    pub other: Option<String>,
}

/// `export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Files are DIR/<source>/<time fetched>-v<version>-<file name>; DIR/manifest.json names each with its digest. Every file is checked against its digest. One that is there already stays; a different one in its place is an error.

Example:
  gannet export /srv/backup prices")]
pub struct ExportArgs {
    /// The folder; made when it is not there
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Id, name, address, glob or tag:NAME; all when none is given
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
}

/// `verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
SOURCE means all its versions, oldest first. A bare number is a source's id here; v217, SOURCE~N and SOURCE@TIME are single versions.

Examples:
  gannet verify prices
  gannet verify v217 prices~1")]
pub struct VerifyArgs {
    /// A source (all its versions), or a version as v217, SOURCE~N or SOURCE@TIME
    #[arg(value_name = "SOURCE|VERSION", required = true)]
    pub targets: Vec<String>,
    /// An array with an object for each version
    #[arg(long)]
    pub json: bool,
}

/// `verdict`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  gannet verdict 217 legal failed --detail 'licence missing'")]
pub struct VerdictArgs {
    #[arg(help = VERSION_HELP)]
    /// On which version.
    pub version: String,
    /// The name of the verifier that says so
    pub verifier: String,
    /// What it says
    #[arg(value_name = "passed|failed", value_parser = parse_outcome)]
    pub outcome: VerdictOutcome,
    /// Why, in one line
    #[arg(long, value_name = "TEXT")]
    pub detail: Option<String>,
}

fn parse_outcome(text: &str) -> Result<VerdictOutcome, String> {
    match text.parse()? {
        VerdictOutcome::Error | VerdictOutcome::Pending => Err(
            "a verdict is passed or failed; error and pending are what gannet records when a verifier could not judge, or has not yet".to_owned(),
        ),
        outcome => Ok(outcome),
    }
}
