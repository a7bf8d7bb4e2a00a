//! Currency rates: of a day, over a range of days, and the sources that have them.
//!
//! Answers only with the day that was asked for, unless the request allows an earlier one.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};

use crate::app::{App, Error, ErrorKind, Result};
use crate::domain::{
    Currency, Day, DayRates, Provider, Source, SourceId, UnknownCurrency, VersionId,
};
use crate::store::{HeldRates, LastRates, RateDay, RateSources, RatesOf, SourceFilter};

/// Which rates are wanted, and how they are to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RatesWanted {
    /// The source, by id, name or address; by default the first one with rates that was added.
    pub source: Option<String>,
    /// The currency whose unit is valued; by default the one that is recorded.
    pub base: Option<Currency>,
    /// The currencies; by default all.
    pub symbols: Option<Vec<Currency>>,
    /// As the rates were known at this time; by default as they are known now.
    pub as_of: Option<DateTime<Utc>>,
}

/// A day of which rates are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RatesDay {
    /// The newest day that has rates.
    #[default]
    Latest,
    /// This day.
    On(NaiveDate),
}

impl FromStr for RatesDay {
    type Err = String;

    /// Reads `latest` or a day such as `2026-11-27`.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let day = text
            .parse::<Day>()
            .map_err(|error| format!("{error}, or latest"))?;
        Ok(Self::On(day.date()))
    }
}

/// The rates of one day that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RatesAt {
    /// The day.
    pub day: RatesDay,
    /// Whether the nearest earlier day with rates may stand in.
    pub nearest_previous: bool,
    /// Which rates.
    pub wanted: RatesWanted,
}

/// The rates of a range of days that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatesOver {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// Which rates.
    pub wanted: RatesWanted,
}

/// The rates of one day, and where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatesAnswer {
    /// The rates, as they are to be shown.
    pub rates: DayRates,
    /// Who gave them.
    pub provider: Provider,
    /// The version that gave them first.
    pub version: VersionId,
    /// When that version was fetched.
    pub retrieved_at: DateTime<Utc>,
    /// When that version was published: since then they are in force.
    pub known_at: DateTime<Utc>,
    /// Whether other rates were in force for the day before.
    pub is_correction: bool,
}

/// The rates of a range of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatesRange {
    /// The source.
    pub source: RateSource,
    /// The days that have rates, oldest first. A symbol without a rate on a day is left out of that day.
    pub days: Vec<RatesAnswer>,
}

/// A source with rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateSource {
    /// Its id.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// The provider.
    pub provider: Provider,
    /// The first and the last day with rates.
    pub held: Option<(NaiveDate, NaiveDate)>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RatesError {
    /// No source has rates.
    #[error("no source has currency rates")]
    NoSource,
    /// The source has no rates for the day.
    #[error("{}", no_rates(*day, of))]
    NoRates {
        /// The day; `None` for the newest.
        day: Option<NaiveDate>,
        /// The nearest earlier day with rates.
        nearest: Option<NaiveDate>,
        /// The source.
        of: RateSource,
    },
    /// A currency has no rate on the day.
    #[error(transparent)]
    UnknownCurrency(#[from] UnknownCurrency),
    /// Anything else: a source that is not there or has no rates, a damaged row.
    #[error(transparent)]
    Other(#[from] Error),
}

fn no_rates(day: Option<NaiveDate>, source: &RateSource) -> String {
    let name = &source.name;
    match (day, source.held) {
        (_, None) => format!("{name} has no rates yet"),
        (None, Some(_)) => format!("{name} has no rates"),
        (Some(day), Some((first, last))) => {
            format!("{name} has no rates for {day}: it has days from {first} to {last}")
        }
    }
}

impl From<RatesError> for Error {
    fn from(error: RatesError) -> Self {
        let message = error.to_string();
        match error {
            RatesError::NoSource => no_source(),
            RatesError::NoRates {
                nearest: Some(day), ..
            } => Self::not_found(message).hint(format!("the nearest earlier day is {day}")),
            RatesError::NoRates { .. } => Self::not_found(message),
            RatesError::UnknownCurrency(_) => Self::invalid(message),
            RatesError::Other(error) => error,
        }
    }
}

/// Returns the error for a catalogue without rates.
pub(in crate::app) fn no_source() -> Error {
    Error::not_found(RatesError::NoSource.to_string())
        .hint("`gannet rates add ecb` adds those of the European Central Bank")
}

type Answer<T> = std::result::Result<T, RatesError>;

impl App {
    /// Returns the rates of one day.
    ///
    /// # Errors
    ///
    /// [`RatesError::NoRates`] with the days held when the day has none, and [`RatesError::UnknownCurrency`] for a base or
    /// symbol without a rate.
    pub async fn rates_on(&self, at: &RatesAt) -> Answer<RatesAnswer> {
        let wanted = &at.wanted;
        let (source, provider) = self.source_of_rates(wanted.source.as_deref()).await?;
        let day = match at.day {
            RatesDay::Latest => None,
            RatesDay::On(day) => Some(day),
        };
        let last = self.read(LastRates(source.id, day, wanted.as_of)).await?;
        let nearest = last.as_ref().map(|last| last.rates.date);
        let is_fine =
            |found: &RateDay| at.nearest_previous || day.is_none_or(|day| found.rates.date == day);
        match last.filter(is_fine) {
            Some(found) => {
                let rates = found.rates.shown(wanted.base, wanted.symbols.as_deref())?;
                Ok(answer(&found, rates, provider))
            }
            None => Err(RatesError::NoRates {
                day,
                nearest,
                of: self.with_held(source, provider, wanted.as_of).await?,
            }),
        }
    }

    /// Returns the rates of a range of days. Days without rates are left out, as are days on which the wanted base has none.
    ///
    /// # Errors
    ///
    /// [`RatesError::UnknownCurrency`] for a base or symbol without a rate on any of the days; an invalid request when the
    /// range ends before it begins.
    pub async fn rates_range(&self, over: &RatesOver) -> Answer<RatesRange> {
        let RatesOver { from, to, wanted } = over;
        if to < from {
            let message = format!("the range from {from} to {to} ends before it begins");
            return Err(Error::invalid(message).into());
        }
        let (source, provider) = self.source_of_rates(wanted.source.as_deref()).await?;
        let asked = RatesOf {
            source: source.id,
            from: *from,
            to: *to,
            as_of: wanted.as_of,
        };
        let found = self.read(asked).await?;
        refuse_absent(&found, wanted)?;
        let symbols = wanted.symbols.as_deref();
        let mut days = Vec::with_capacity(found.len());
        for day in found {
            let there = symbols.map(|symbols| {
                let symbols = symbols.iter().copied();
                symbols.filter(|one| day.rates.rate_of(*one).is_some())
            });
            let there: Option<Vec<_>> = there.map(Iterator::collect);
            if let Ok(rates) = day.rates.shown(wanted.base, there.as_deref()) {
                days.push(answer(&day, rates, provider));
            }
        }
        let source = self.with_held(source, provider, wanted.as_of).await?;
        Ok(RatesRange { source, days })
    }

    /// Returns the sources with rates, in the order in which they were added, each with its first and last day.
    pub async fn rate_sources(&self) -> Result<Vec<RateSource>> {
        let ids = self.read(RateSources).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let filter = SourceFilter {
            ids: Some(ids),
            ..SourceFilter::default()
        };
        let mut sources = self.ports.store.sources(filter).await?;
        sources.sort_by_key(|source| source.id);
        let mut found = Vec::new();
        for source in sources {
            if let Some(provider) = source.settings.rates {
                found.push(self.with_held(source, provider, None).await?);
            }
        }
        Ok(found)
    }

    /// Returns the source whose rates are wanted: this one, or the first that was added.
    async fn source_of_rates(&self, selector: Option<&str>) -> Answer<(Source, Provider)> {
        let source = if let Some(selector) = selector {
            self.source_with_rates(selector).await?
        } else {
            let first = self.read(RateSources).await?.into_iter().next();
            let first = first.ok_or(RatesError::NoSource)?;
            self.source(&first.to_string()).await?
        };
        let provider = source.settings.rates.ok_or(RatesError::NoSource)?;
        Ok((source, provider))
    }

    /// Returns the source that the text names; of a day, the dated source, whose rates those of its days are.
    pub(in crate::app) async fn source_with_rates(&self, selector: &str) -> Result<Source> {
        let mut source = self.source(selector).await?;
        if let Some(day) = source.day {
            source = self.source(&day.series.to_string()).await?;
        }
        if source.settings.rates.is_some() {
            return Ok(source);
        }
        let name = &source.settings.name;
        let error = Error::new(ErrorKind::Invalid, format!("{name} has no currency rates"));
        let hint = format!("`gannet edit {name} --rates ecb` says whose rates its files hold");
        Err(error.hint(hint))
    }

    async fn with_held(
        &self,
        source: Source,
        provider: Provider,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<RateSource> {
        Ok(RateSource {
            id: source.id,
            held: self.read(HeldRates(source.id, as_of)).await?,
            name: source.settings.name,
            provider,
        })
    }
}

fn answer(day: &RateDay, rates: DayRates, provider: Provider) -> RatesAnswer {
    RatesAnswer {
        rates,
        provider,
        version: day.version,
        retrieved_at: day.retrieved_at,
        known_at: day.known_at,
        is_correction: day.is_correction,
    }
}

/// Refuses a wanted currency that has no rate on any of the days.
fn refuse_absent(days: &[RateDay], wanted: &RatesWanted) -> Answer<()> {
    let Some(last) = days.last() else {
        return Ok(());
    };
    let is_absent = |one: &Currency| days.iter().all(|day| day.rates.rate_of(*one).is_none());
    let mut asked = wanted.base.iter().chain(wanted.symbols.iter().flatten());
    match asked.find(|one| is_absent(one)) {
        Some(&currency) => Err(UnknownCurrency {
            currency,
            date: last.rates.date,
        }
        .into()),
        None => Ok(()),
    }
}
