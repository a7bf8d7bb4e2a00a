//! Which files of rates to ask for on request. Never fetches one.

use super::queries::no_source;
use crate::app::{App, Error, Result};
use crate::domain::{Day, DayFacts, Provider, Source, SourceId, Window};
use crate::store::{RateSources, SourceFilter};

/// How many days are looked at in one query.
const BATCH: usize = 500;

/// The rates to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatesIngest {
    /// The days.
    pub days: IngestDays,
    /// Only sources of this provider.
    pub provider: Option<Provider>,
    /// Only this source, by id, name or address.
    pub source: Option<String>,
    /// The most files to ask for.
    pub max_requests: Option<usize>,
    /// Whether days are asked for again that are final and held.
    pub again: bool,
}

/// The days to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IngestDays {
    /// Those that a source keeps asking for.
    Window,
    /// The last so many, today in UTC included.
    Last(u32),
    /// These.
    These(Vec<Day>),
}

/// The files to ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ingest {
    /// The sources of the files, days and others.
    pub sources: Vec<SourceId>,
    /// How many days are final and held.
    pub held: usize,
    /// How many files are left for a later request.
    pub left: usize,
    /// The days that could not be made, with the reasons.
    pub refused: Vec<String>,
}

impl App {
    /// Returns the files to ask for: of a source with one file a day the days that are not held yet, which are made when
    /// they are not there; else the one file.
    ///
    /// # Errors
    ///
    /// No such source has rates, or a day has not begun.
    pub async fn rates_to_ingest(&self, wanted: &RatesIngest) -> Result<Ingest> {
        let mut ingest = Ingest::default();
        for source in self.sources_to_ingest(wanted).await? {
            if source.settings.address.is_dated() {
                self.add_days(&source, wanted, &mut ingest).await?;
            } else {
                ingest.sources.push(source.id);
            }
        }
        let most = wanted.max_requests.unwrap_or(usize::MAX);
        ingest.left = ingest.sources.len().saturating_sub(most);
        ingest.sources.truncate(most);
        Ok(ingest)
    }

    async fn sources_to_ingest(&self, wanted: &RatesIngest) -> Result<Vec<Source>> {
        let mut sources = if let Some(selector) = &wanted.source {
            vec![self.source_with_rates(selector).await?]
        } else {
            let filter = SourceFilter {
                ids: Some(self.read(RateSources).await?),
                ..SourceFilter::default()
            };
            self.ports.store.sources(filter).await?
        };
        sources.retain(|source| {
            wanted
                .provider
                .is_none_or(|one| source.settings.rates == Some(one))
        });
        if sources.is_empty() {
            return Err(match wanted.provider {
                Some(provider) => {
                    Error::not_found(format!("no source has the rates of {provider}"))
                        .hint(format!("`gannet rates add {provider}` adds one"))
                }
                None => no_source(),
            });
        }
        Ok(sources)
    }

    async fn add_days(
        &self,
        source: &Source,
        wanted: &RatesIngest,
        ingest: &mut Ingest,
    ) -> Result<()> {
        let rules = source.settings.dated_rules();
        let last = |count| {
            let window = Window::at(self.now(), count);
            window.first.to(window.last).collect()
        };
        let days: Vec<Day> = match &wanted.days {
            IngestDays::Window => last(rules.days),
            IngestDays::Last(count) => last(*count),
            IngestDays::These(days) => days.clone(),
        };
        let opened = self.open_days(source.id, &days).await?;
        ingest.refused.extend(opened.refused);
        for batch in opened.days.chunks(BATCH) {
            let filter = SourceFilter {
                ids: Some(batch.to_vec()),
                ..SourceFilter::default()
            };
            for day in self.ports.store.sources(filter).await? {
                let facts = DayFacts {
                    version_state: day.state.version_state,
                    last_outcome: day.state.last_outcome,
                    last_attempt_at: day.state.last_attempt_at,
                };
                let is_held = day.day.is_some_and(|of| rules.is_settled(of.day, &facts));
                if is_held && !wanted.again {
                    ingest.held += 1;
                } else {
                    ingest.sources.push(day.id);
                }
            }
        }
        Ok(())
    }
}
