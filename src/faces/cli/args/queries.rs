//! Arguments of the commands that only read.

use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::config::parse_duration;
use crate::domain::{Filter, Moment};
use crate::faces::state_word::StateWord;

/// The output format of a table.
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
    /// The filters.
    #[command(flatten)]
    pub only: ListFilter,
    /// List the sets that are judged and published together, instead of the sources
    #[arg(long, conflicts_with_all = ["sources", "failing", "states", "due", "removed", "filter"])]
    pub sets: bool,
    /// Print an array of objects
    #[arg(long)]
    json: bool,
    /// Print a CSV row for each source, with the fields of --json
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl ListArgs {
    /// Returns the output format.
    pub fn format(&self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}

/// The filters of `list`: a source must pass all of them.
#[derive(Debug, Default, Args)]
pub struct ListFilter {
    /// Only sources with a problem: down, FAIL, UNPUB, SETFAIL and error
    #[arg(long)]
    pub failing: bool,
    /// Only sources in this state; may be repeated
    #[arg(long = "state", value_name = "STATE", value_delimiter = ',', ignore_case = true, value_parser = state_parser())]
    pub(crate) states: Vec<StateWord>,
    /// Only sources that are due now
    #[arg(long)]
    pub due: bool,
    /// List removed sources, which `gannet restore` brings back
    #[arg(long, conflicts_with = "due")]
    pub removed: bool,
    /// Only sources that match all of these words; see below
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<Filter>,
}

impl ListFilter {
    /// Returns what all of the filters ask for, but for `--removed`.
    pub(crate) fn filter(&self) -> Filter {
        let states: Vec<_> = self.states.iter().map(|state| state.as_str()).collect();
        let words = [
            (self.failing, "is:failing".to_owned()),
            (self.due, "is:due".to_owned()),
            (!states.is_empty(), format!("state:{}", states.join(","))),
        ];
        let asked = words.into_iter().filter(|(is_asked, _)| *is_asked);
        let asked: Vec<_> = asked.map(|(_, word)| word).collect();
        let flags: Filter = asked.join(" ").parse().expect("the flags' words are known");
        match &self.filter {
            Some(filter) => flags.and(filter),
            None => flags,
        }
    }
}

fn state_parser() -> impl TypedValueParser<Value = StateWord> {
    // The words for programs are accepted too.
    let value = |(_, word, shown)| PossibleValue::new(shown).alias(word);
    PossibleValuesParser::new(StateWord::ALL.map(value)).try_map(|word| word.parse::<StateWord>())
}

const FILTER_HELP: &str = "\
FILTER: words separated by blanks; `!` negates one, double quotes keep blanks
  tag:NAME set:NAME host:NAME verifier:NAME         a name, or a glob
  state:down,fail  is:failing|due|off|published     its state
  is:unjudged                                       published, and never judged
  interval:1d interval:<6h changed:2d changed:>30d  < <= > >= compare
  due:now due:2h                                    due within this time
  TEXT  GLOB  ~REGEX                                in name or address
";

fn list_help() -> String {
    let legend =
        StateWord::ALL.map(|(state, _, shown)| format!("  {shown:<8} {}\n", state.meaning()));
    format!(
        "States:\n{}\n{FILTER_HELP}\nExamples:\n  gannet list tag:prices --failing\n  gannet list --filter 'host:*.org changed:>30d !state:off'\n  gannet list --json | jq '.[] | select(.failures > 0).name'",
        legend.concat()
    )
}

/// `show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gannet show prices\n  gannet show set:release")]
pub struct ShowArgs {
    /// Id, name or address; set:NAME is a set
    pub source: String,
    /// Print one object
    #[arg(long)]
    pub json: bool,
}

/// `history`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gannet history prices --limit 20\n  gannet history 3 --json")]
pub struct HistoryArgs {
    /// Id, name or address
    pub source: String,
    /// At most N attempts and N versions, the newest; 0 for all [default: all]
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<usize>,
    /// Print an object with `attempts` and `versions`
    #[arg(long)]
    json: bool,
    /// Print a CSV row for each attempt, with the fields of --json
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// With --csv, a row for each version instead
    #[arg(long, requires = "csv")]
    pub versions: bool,
}

impl HistoryArgs {
    /// Returns the largest number of attempts, and of versions; `None` for all.
    pub fn limit(&self) -> Option<usize> {
        self.limit.filter(|limit| *limit > 0)
    }

    /// Returns the output format.
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
    /// Keep running, and print new events as they happen
    #[arg(long, short)]
    pub follow: bool,
    /// Only events of this source, or with set:NAME of the set
    #[arg(long, value_name = "SOURCE|SET")]
    pub source: Option<String>,
    /// Only events since: 30m, 2h, 7d, yesterday, a date, or a time (local, unless it ends in Z or +01:00)
    #[arg(long, value_name = "TIME")]
    pub since: Option<Moment>,
    /// At most N events, the newest; 0 for all [default: 100, or all with --since]
    #[arg(long, short = 'n', value_name = "N")]
    pub limit: Option<u32>,
    /// Print one object a line
    #[arg(long)]
    json: bool,
    /// Print a CSV row for each event, with the fields of --json
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl LogArgs {
    /// Returns the output format.
    pub fn format(&self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}

/// `dump`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gannet dump --toml > sources.toml\n  gannet dump --json")]
pub struct DumpArgs {
    /// Print one object with all sources, removed ones too, their settings and their versions
    #[arg(long)]
    pub json: bool,
    /// Print the sources as the file that `gannet apply` reads
    #[arg(long, conflicts_with = "json")]
    pub toml: bool,
}

/// `grep`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 1: no version contains the text.

Examples:
  gannet grep 'bolt,3' prices.csv
  gannet grep -i 'error|warning' tag:feeds --json")]
pub struct GrepArgs {
    /// A regular expression, matched line by line
    pub pattern: String,
    /// Id, name, address, glob or tag:NAME
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,
    /// Match the pattern as plain text, not as a regular expression
    #[arg(short = 'F', long = "fixed")]
    pub fixed: bool,
    /// Ignore case
    #[arg(short, long)]
    pub ignore_case: bool,
    /// Print an array with an object for each source
    #[arg(long)]
    pub json: bool,
}

/// `sql`.
#[derive(Debug, Args)]
#[command(after_help = "\
The tables and their columns: `gannet help schema`.
At most 10,000 rows, and 64 KiB of each value. Exit code 1: there are no rows.

Examples:
  gannet sql 'SELECT name, address FROM source ORDER BY name'
  gannet sql --csv - < failures.sql")]
pub struct SqlArgs {
    /// One query that only reads; - reads it from stdin
    pub query: String,
    /// Print an array of objects; blobs are hexadecimal digits
    #[arg(long)]
    json: bool,
    /// Print CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Stop the query after this time, at most 5s
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
}

impl SqlArgs {
    /// Returns the output format.
    pub fn format(&self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}

/// `report`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  gannet report >/var/www/html/status.html")]
pub struct ReportArgs {
    /// Id, name, address, glob or tag:NAME; all when none is given
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// The number of versions and of attempts shown for each source
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub history: usize,
}
