//! `rates`: sources of currency rates, and what they say.

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::{FormatArgs, TableFormat};
use crate::app::RatesDay;
use crate::domain::{Currency, Interval, Moment, Provider, parse_day};

/// `rates`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gannet rates add ecb\n  gannet rates add fixer --symbols USD,GBP\n  gannet rates show 2026-11-27 --base USD\n  gannet rates history USD --days 90"
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
    /// Set the name; by default that of the provider
    #[arg(long)]
    pub name: Option<String>,
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
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub from: Option<NaiveDate>,
    /// The last day; by default the newest that has rates
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub to: Option<NaiveDate>,
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

fn day(text: &str) -> Result<NaiveDate, String> {
    parse_day(text).ok_or_else(|| "expected a day such as 2026-11-27".to_owned())
}
