//! Arguments of the commands that only read.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::domain::Moment;
use crate::faces::standing::StateWord;

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
    pub(super) fn from_flags(json: bool, csv: bool) -> Self {
        match (json, csv) {
            (true, _) => Self::Json,
            (_, true) => Self::Csv,
            _ => Self::People,
        }
    }
}

/// `list`.
#[derive(Debug, Args)]
#[command(after_help = list_help())]
pub struct ListArgs {
    /// Id, name, address, glob or tag:NAME; all when none is given
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Which of them.
    #[command(flatten)]
    pub only: ListFilter,
    /// The sets that are judged and published together, instead of the sources
    #[arg(long, conflicts_with_all = ["sources", "failing", "states", "due", "removed"])]
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

/// Which sources `list` shows: those that every option lets through.
#[derive(Debug, Default, Args)]
pub struct ListFilter {
    /// Only those with which something is wrong: down, FAIL, UNPUB, SETFAIL and error
    #[arg(long)]
    pub failing: bool,
    /// Only those in this state; may be repeated
    #[arg(long = "state", value_name = "STATE", value_delimiter = ',', ignore_case = true, value_parser = state_parser())]
    pub(crate) states: Vec<StateWord>,
    /// Only those that are due now
    #[arg(long)]
    pub due: bool,
    /// Those that were removed, which `gannet restore` brings back
    #[arg(long, conflicts_with = "due")]
    pub removed: bool,
}

fn state_parser() -> impl TypedValueParser<Value = StateWord> {
    // The words that programs get are taken, too.
    let value = |(_, word, shown, _)| PossibleValue::new(shown).alias(word);
    PossibleValuesParser::new(StateWord::ALL.map(value)).try_map(|word| word.parse::<StateWord>())
}

fn list_help() -> String {
    let legend = StateWord::ALL.map(|(_, _, shown, meaning)| format!("  {shown:<8} {meaning}\n"));
    format!(
        "States:\n{}\nExamples:\n  gannet list tag:prices --failing\n  gannet list --json | jq '.[] | select(.failures > 0).name'",
        legend.concat()
    )
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
    /// Id, name or address
    pub source: String,
    /// At most so many attempts and so many versions, the newest; 0 is all [default: all]
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<usize>,
    /// An object with `attempts` and `versions`
    #[arg(long)]
    json: bool,
    /// A row for each attempt, with the fields of --json
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// With --csv, a row for each version instead
    #[arg(long, requires = "csv")]
    pub versions: bool,
}

impl HistoryArgs {
    /// Returns how many attempts and versions to print, all without a limit.
    pub fn limit(&self) -> Option<usize> {
        self.limit.filter(|limit| *limit > 0)
    }

    /// Returns what to print.
    pub fn format(&self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}

/// `log`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gannet log --since 7d --source prices\n  gannet log --source set:release\n  gannet log --follow --json"
)]
pub struct LogArgs {
    /// Stay, and print what is done from now on
    #[arg(long, short)]
    pub follow: bool,
    /// Only what was done to this source, or with set:NAME to the set
    #[arg(long, value_name = "SOURCE|SET")]
    pub source: Option<String>,
    /// Only what was done since: 30m, 2h, 7d, yesterday, a date, or a time (local, unless it ends in Z or +01:00)
    #[arg(long, value_name = "TIME")]
    pub since: Option<Moment>,
    /// At most so many, the newest; 0 is all [default: 100, or all with --since]
    #[arg(long, short = 'n', value_name = "N")]
    pub limit: Option<u32>,
    /// One object a line
    #[arg(long)]
    json: bool,
    /// A row for each, with the fields of --json
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl LogArgs {
    /// Returns what to print.
    pub fn format(&self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}

/// `dump`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gannet dump --toml > sources.toml\n  gannet dump --json")]
pub struct DumpArgs {
    /// One object with all sources, removed ones too, their settings and their versions
    #[arg(long)]
    pub json: bool,
    /// The sources as the file that `gannet apply` reads
    #[arg(long, conflicts_with = "json")]
    pub toml: bool,
}

/// `grep`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 1 says that no version contains it.

Examples:
  gannet grep 'bolt,3' prices.csv
  gannet grep -i 'error|warning' tag:feeds --json")]
pub struct GrepArgs {
    /// A regular expression, matched line by line
    pub pattern: String,
    /// Id, name, address, glob or tag:NAME
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,
    /// Take the pattern as it stands
    #[arg(short = 'F', long = "fixed")]
    pub fixed: bool,
    /// Take upper and lower case alike
    #[arg(short, long)]
    pub ignore_case: bool,
    /// An array with an object for each source
    #[arg(long)]
    pub json: bool,
}

/// `report`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  gannet report >/var/www/html/status.html")]
pub struct ReportArgs {
    /// Id, name, address, glob or tag:NAME; all when none is given
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Versions and attempts of each source
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub history: usize,
}
