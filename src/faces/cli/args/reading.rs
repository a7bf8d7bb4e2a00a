//! Arguments of the commands that only read.

use clap::Args;

use super::Since;

/// What a table is printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Aligned columns.
    People,
    /// JSON (RFC 8259).
    Json,
    /// CSV (RFC 4180).
    Csv,
}

impl TableFormat {
    fn from_flags(json: bool, csv: bool) -> Self {
        match (json, csv) {
            (true, _) => Self::Json,
            (_, true) => Self::Csv,
            _ => Self::People,
        }
    }
}

/// `list`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gannet list tag:prices\n  gannet list --json | jq '.[] | select(.failures > 0).name'"
)]
pub struct ListArgs {
    /// Id, name, address, glob or tag:NAME; all when none is given
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// The sets that are judged and published together, instead of the sources
    #[arg(long, conflicts_with = "sources")]
    pub sets: bool,
    /// An array of objects
    #[arg(long)]
    json: bool,
    /// A row for each source, with the fields of --json
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl ListArgs {
    /// Returns what to print.
    pub fn format(&self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}

/// `show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gannet show prices\n  gannet show set:release")]
pub struct ShowArgs {
    /// Id, name or address; set:NAME is a set
    pub source: String,
    /// One object
    #[arg(long)]
    pub json: bool,
}

/// `history`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gannet history prices --limit 20\n  gannet history 3 --json")]
pub struct HistoryArgs {
    /// Id, name or address; a removed source by its id
    pub source: String,
    /// At most so many attempts and so many versions, the newest
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// An object with `attempts` and `versions`
    #[arg(long)]
    json: bool,
    /// A row for each attempt, with the fields of --json
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl HistoryArgs {
    /// Returns what to print.
    pub fn format(&self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}

/// `log`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gannet log --since 7d --source prices\n  gannet log --follow --json"
)]
pub struct LogArgs {
    /// Stay, and print what is done from now on
    #[arg(long, short)]
    pub follow: bool,
    /// Only what was done to this source
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    /// Only what was done since: 30m, 2h, 7d, a date or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub since: Option<Since>,
    /// At most so many, the newest [default: 100, or all with --since]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// One object a line
    #[arg(long)]
    pub json: bool,
}

/// `dump`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gannet dump --toml > sources.toml\n  gannet dump --json")]
pub struct DumpArgs {
    /// One object with all sources, their settings and their versions
    #[arg(long)]
    pub json: bool,
    /// The sources as the file that `gannet apply` reads
    #[arg(long, conflicts_with = "json")]
    pub toml: bool,
}
