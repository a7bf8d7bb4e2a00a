//! Arguments of the commands that change sources.

use std::path::PathBuf;

use clap::Args;

use super::values::{MaxSize, OrNone, parse_header};
use crate::app::CheckedSources;
use crate::domain::{
    Address, AddressError, Interval, IntervalError, MAX_DAYS, Provider, PublishPolicy,
    SettingsPatch,
};

/// `add`.
#[derive(Debug, Args)]
#[command(
    override_usage = "gannet add [OPTIONS] <URL>... [INTERVAL]",
    after_help = "\
Examples:
  gannet add https://example.org/prices.csv 1h --tag prices
  gannet add https://example.org/private.json --header 'Authorization: Bearer ${TOKEN}'
  gannet add - --interval 6h --tag eu < addresses.txt"
)]
pub struct AddArgs {
    /// The https addresses to fetch, followed by an optional interval; - reads more addresses from stdin, one a line,
    /// each with an optional interval. ${NAME} in an address is a secret, filled in at fetch time
    #[arg(value_name = "URL|INTERVAL", required = true)]
    values: Vec<String>,
    /// The settings of the new sources.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Do not fetch the source until it is enabled
    #[arg(long)]
    pub disabled: bool,
    /// Allow what only looks like a secret in an address, such as ?token=abc: it is stored and shown. Headers and users
    /// have no such option
    #[arg(long)]
    pub literal: bool,
    /// Begin a new history, even if the address belongs to a removed source
    #[arg(long)]
    pub new: bool,
    /// The text of stdin, if it was read already.
    #[arg(skip)]
    pub stdin: Option<String>,
}

/// The settings of a source that `add` and `edit` set. Others keep their default, or their present value.
#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// The interval: whole hours or days, such as 1h, 12h, 1d, 7d; by default once a day
    #[arg(long, allow_hyphen_values = true)]
    interval: Option<Interval>,
    /// Set the name
    #[arg(long)]
    pub(in crate::faces::cli) name: Option<String>,
    /// Set a tag, replacing the present tags; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Send this request header, 'NAME: VALUE', replacing the present headers; may be repeated
    #[arg(long = "header", value_name = "HEADER", value_parser = parse_header)]
    headers: Vec<(String, String)>,
    /// Log in to the server by HTTP basic authentication; the password is a secret by name, such as 'joe:${PASSWORD}'
    #[arg(long, value_name = "NAME:PASSWORD|none")]
    user: Option<String>,
    /// Allow a private or loopback address, or not
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false")]
    allow_private: Option<bool>,
    /// Allow a plain http address, or not
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false")]
    allow_http: Option<bool>,
    /// Allow an empty file after one with content, or not
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false")]
    allow_empty: Option<bool>,
    /// Publish the newest version that passed, which is the default, or the newest whatever its verdicts
    #[arg(long, value_name = "passed|newest")]
    publish: Option<PublishPolicy>,
    /// Judge the files as the currency rates of this provider, and keep their rates
    #[arg(long, value_name = "fixer|ecb|none")]
    rates: Option<OrNone<Provider>>,
    /// Refuse larger files; `default` stands for the configuration's limit
    #[arg(long, value_name = "SIZE|default")]
    max_size: Option<MaxSize>,
    /// Ask for the files of so many days, today included, where {date} in the address stands for the day; by default 10
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_DAYS.into()))]
    days: Option<u32>,
    /// Do not ask again for a day that was fetched so many days after it began, or later; by default 3
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=MAX_DAYS.into()))]
    final_after: Option<u32>,
}

impl SettingsArgs {
    /// Returns the settings that were given.
    pub fn patch(&self) -> SettingsPatch {
        fn given<T: Clone>(list: &[T]) -> Option<Vec<T>> {
            (!list.is_empty()).then(|| list.to_vec())
        }
        SettingsPatch {
            name: self.name.clone(),
            address: None,
            interval: self.interval,
            enabled: None,
            tags: given(&self.tags),
            allow_private: self.allow_private,
            allow_http: self.allow_http,
            allow_empty: self.allow_empty,
            publish: self.publish,
            rates: self.rates.map(|OrNone(provider)| provider),
            max_size_bytes: self.max_size.map(|size| match size {
                MaxSize::Default => None,
                MaxSize::Bytes(bytes) => Some(bytes),
            }),
            days: self.days.map(Some),
            final_after: self.final_after.map(Some),
            user: self
                .user
                .clone()
                .map(|user| (user != "none").then_some(user)),
            headers: given(&self.headers),
        }
    }
}

impl AddArgs {
    /// Returns the addresses and their interval, or the problem with the arguments.
    pub fn split(&self) -> Result<(&[String], Option<Interval>), String> {
        let (last, others) = self.values.split_last().ok_or("give an address")?;
        if others.is_empty() || last == "-" || last.contains([':', '/']) {
            return Ok((&self.values, self.settings.interval));
        }
        let interval = last
            .parse()
            .map_err(|error: IntervalError| error.to_string())?;
        match self.settings.interval {
            None => Ok((others, Some(interval))),
            Some(_) => Err(format!("two intervals: `{last}` and --interval; give one")),
        }
    }
}

/// `interval`.
#[derive(Debug, Args)]
#[command(
    override_usage = "gannet interval [OPTIONS] <SOURCE>... <INTERVAL>",
    after_help = "Example:\n  gannet interval prices 'rates-*' 6h"
)]
pub struct IntervalArgs {
    /// Sources, followed by the interval: whole hours or days, such as 1h, 12h, 1d, 7d
    // One list: clap mistakes a source for the interval when an option stands between two positional arguments.
    #[arg(value_name = "SOURCE|INTERVAL", required = true)]
    values: Vec<String>,
}

impl IntervalArgs {
    /// Returns the sources and their interval, or the problem with the arguments.
    pub fn split(&self) -> Result<(&[String], Interval), String> {
        match self.values.split_last() {
            Some((last, sources)) if !sources.is_empty() => {
                let interval = last
                    .parse()
                    .map_err(|error: IntervalError| error.to_string())?;
                Ok((sources, interval))
            }
            _ => Err("give at least one source, and last the interval, such as 6h".to_owned()),
        }
    }
}

/// The arguments of commands that take only sources.
#[derive(Debug, Args)]
pub struct SelectArgs {
    /// Id, name, address, glob or tag:NAME
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,
}

/// `remove`.
#[derive(Debug, Args)]
#[command(after_help = "\
Removing several sources, and --purge, need a confirmation: a question on a terminal, --yes elsewhere.

Examples:
  gannet remove prices
  gannet remove tag:rates --yes")]
pub struct RemoveArgs {
    /// Id, name, address, glob or tag:NAME
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,
    /// Also delete every version, attempt, verdict and event of the sources; the log files stay; cannot be undone
    #[arg(long)]
    pub purge: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `restore`.
#[derive(Debug, Args)]
#[command(after_help = "\
`gannet list --removed` lists the removed sources.

Example:
  gannet restore prices")]
pub struct RestoreArgs {
    /// Id, name, address, glob or tag:NAME of removed sources
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,
}

/// `edit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gannet edit prices --name price-list --tag prices --tag eu
  gannet edit tag:eu --max-size default --allow-private=false")]
pub struct EditArgs {
    /// Id, name, address, glob or tag:NAME
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,
    /// The changes.
    #[command(flatten)]
    pub changes: EditChanges,
}

/// The changes of `edit`: at least one.
#[derive(Debug, Args)]
pub struct EditChanges {
    /// Fetch this address instead
    #[arg(long, value_name = "URL")]
    pub address: Option<String>,
    /// The settings to change.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Remove all tags
    #[arg(long, conflicts_with = "tags")]
    pub no_tags: bool,
    /// Send no request headers
    #[arg(long, conflicts_with = "headers")]
    pub no_headers: bool,
    /// Allow what only looks like a secret in --address, such as ?token=abc: it is stored and shown. Headers and users
    /// have no such option
    #[arg(long, requires = "address")]
    pub literal: bool,
}

impl EditChanges {
    /// Returns the changes; `None` without any.
    ///
    /// # Errors
    ///
    /// A text that is no address.
    pub fn patch(&self) -> Result<Option<SettingsPatch>, AddressError> {
        // Only the source's settings tell whether plain HTTP is allowed.
        let address = self
            .address
            .as_deref()
            .map(|text| Address::parse(text, true));
        let emptied = SettingsPatch {
            address: address.transpose()?,
            tags: self.no_tags.then(Vec::new),
            headers: self.no_headers.then(Vec::new),
            ..SettingsPatch::default()
        };
        let patch = self.settings.patch().and_then(emptied);
        Ok(Some(patch).filter(|patch| *patch != SettingsPatch::default()))
    }
}

/// `apply`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file holds one table for each source; `gannet dump --toml` writes it:
  [[source]]
  name = \"prices\"
  address = \"https://example.org/prices.csv\"
  interval = \"1h\"

The address of a removed source brings it back, with its history.

Example:
  gannet apply sources.toml --prune --dry-run")]
pub struct ApplyArgs {
    /// The file to read; - is stdin
    pub file: PathBuf,
    /// Remove the sources that are not in the file
    #[arg(long)]
    pub prune: bool,
    /// Only print what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask before more than half of the sources are removed
    #[arg(long, short)]
    pub yes: bool,
    /// The sources in the file, if it was read already.
    #[arg(skip)]
    pub checked: Option<CheckedSources>,
}
