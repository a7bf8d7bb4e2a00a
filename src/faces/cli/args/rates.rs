//! `rates`: sources of currency rates, and what they say.

use clap::{Args, Subcommand};

use super::{FormatArgs, TableFormat};
use crate::app::{IngestDays, RatesDay, RatesIngest};
use crate::domain::{Currency, Day, Interval, MAX_DAYS, Moment, Provider};

/// `rates`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gannet rates add ecb\n  gannet rates add fixer --symbols USD,GBP\n  gannet rates ingest --days 365\n  gannet rates show 2026-11-27 --base USD\n  gannet rates history USD --days 90"
)]
pub struct RatesArgs {
    /// What to do
    #[command(subcommand)]
    pub what: RatesWhat,
}

/// What to do with rates.
#[derive(Debug, Subcommand)]
pub enum RatesWhat {
    /// Watch the rates of a provider
    Add(RatesAddArgs),
    /// Fetch rates now, due or not; what is held already is not asked for again
    Ingest(RatesIngestArgs),
    /// Show the rates of a day
    Show(RatesShowArgs),
    /// Show the rate of a currency day by day
    History(RatesHistoryArgs),
}

impl RatesWhat {
    /// Returns whether nothing is changed by it.
    pub(super) fn only_reads(&self) -> bool {
        matches!(self, Self::Show(_) | Self::History(_))
    }
}

/// `rates add`.
#[derive(Debug, Args)]
pub struct RatesAddArgs {
    /// The provider: fixer (one file a day, needs a key) or ecb (the European Central Bank)
    #[arg(value_name = "PROVIDER")]
    pub provider: Provider,
    /// Ask for rates of this base
    #[arg(long, value_name = "CURRENCY")]
    pub base: Option<Currency>,
    /// Ask for these currencies only
    #[arg(long, value_name = "CURRENCIES", value_delimiter = ',')]
    pub symbols: Vec<Currency>,
    /// Ask for all days since 1999 instead of the last 90 (ecb)
    #[arg(long)]
    pub full: bool,
    /// Send the key in the header `apikey` instead of the address (fixer by way of api.apilayer.com)
    #[arg(long)]
    pub key_in_header: bool,
    /// The interval: whole hours or days, such as 6h; by default once a day
    #[arg(long, value_name = "INTERVAL")]
    pub every: Option<Interval>,
    /// Keep asking for the last N days, today included; by default 10 (fixer)
    #[arg(long, value_name = "N")]
    pub days: Option<u32>,
    /// Set the name; by default that of the provider
    #[arg(long)]
    pub name: Option<String>,
}

/// `rates ingest`.
#[derive(Debug, Args)]
#[command(
    after_help = "A provider with one file a day is asked for each day; one with a file of many days is asked for that file. A command that was ended goes on where it was when it is repeated.\n\nExamples:\n  gannet rates ingest\n  gannet rates ingest --days 365 --max-requests 90\n  gannet rates ingest --from 2020-01-01 --to 2020-12-31\n\nAlso: gannet ingest_rates"
)]
pub struct RatesIngestArgs {
    /// The last N days, today in UTC included; by default as many as the source keeps asking for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DAYS)), conflicts_with_all = ["dates", "from"])]
    pub days: Option<u32>,
    /// This day; may be repeated
    #[arg(long = "date", value_name = "DATE", conflicts_with = "from")]
    pub dates: Vec<Day>,
    /// The days from this one on
    #[arg(long, value_name = "DATE", requires = "to")]
    pub from: Option<Day>,
    /// Up to this one
    #[arg(long, value_name = "DATE", requires = "from")]
    pub to: Option<Day>,
    /// Only sources of this provider
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Option<Provider>,
    /// Only this source, by id, name or address
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    /// Ask for so many files at most
    #[arg(long, value_name = "N")]
    pub max_requests: Option<usize>,
    /// Ask also for days that are final and held
    #[arg(long)]
    pub again: bool,
}

impl RatesIngestArgs {
    /// Returns what is asked for.
    pub fn wanted(&self) -> RatesIngest {
        let days = match (self.days, self.from.zip(self.to)) {
            (Some(days), _) => IngestDays::Last(days),
            (None, Some((from, to))) => IngestDays::These(from.to(to).collect()),
            (None, None) if self.dates.is_empty() => IngestDays::Window,
            (None, None) => IngestDays::These(self.dates.clone()),
        };
        RatesIngest {
            days,
            provider: self.provider,
            source: self.source.clone(),
            max_requests: self.max_requests,
            again: self.again,
        }
    }
}

/// Which rates to show.
#[derive(Debug, Args)]
pub struct RatesWantedArgs {
    /// The source, by id, name or address; by default the first one with rates that was added
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    /// Convert to this base
    #[arg(long, value_name = "CURRENCY")]
    pub base: Option<Currency>,
    /// As the rates were known then: 2h, yesterday, 2026-11-27, or a time
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<Moment>,
}

/// `rates show`.
#[derive(Debug, Args)]
pub struct RatesShowArgs {
    /// The day, such as 2026-11-27, or latest
    #[arg(value_name = "DATE", default_value = "latest")]
    pub day: RatesDay,
    /// Which rates.
    #[command(flatten)]
    pub wanted: RatesWantedArgs,
    /// Only these currencies
    #[arg(long, value_name = "CURRENCIES", value_delimiter = ',')]
    pub symbols: Option<Vec<Currency>>,
    /// Show the nearest earlier day when this one has no rates
    #[arg(long)]
    pub nearest: bool,
    /// Print one object
    #[arg(long)]
    json: bool,
    /// Print a CSV row for each currency
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl RatesShowArgs {
    /// Returns the output format.
    pub fn format(&self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}

/// `rates history`.
#[derive(Debug, Args)]
pub struct RatesHistoryArgs {
    /// The currency, such as USD
    #[arg(value_name = "CURRENCY")]
    pub currency: Currency,
    /// The first day; by default so many days before the last one
    #[arg(long, value_name = "DATE")]
    pub from: Option<Day>,
    /// The last day; by default the newest that has rates
    #[arg(long, value_name = "DATE")]
    pub to: Option<Day>,
    /// The number of days
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "from")]
    pub days: u32,
    /// Which rates.
    #[command(flatten)]
    pub wanted: RatesWantedArgs,
    /// The output format.
    #[command(flatten)]
    pub format: FormatArgs,
}
