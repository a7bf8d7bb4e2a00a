//! Opens the days of dated sources: those of a window that is due, or those that somebody asks for.
//!
//! Never fetches one.

use crate::app::{App, Error, Result};
use crate::domain::{Day, Source, SourceId, named_day};
use crate::store::{
    Condition, DatedAmong, ListedDays, OpenDays, OpenedDays, SourceFilter, WithDays,
};

/// The most days opened in one transaction: others can write between two.
const BATCH: usize = 500;

impl App {
    /// Opens the windows of the dated sources that are due. Returns the days that could not be made, with the reasons.
    pub(crate) async fn open_due_days(&self) -> Result<Vec<String>> {
        if !self.read(Condition::DatedDue(self.now())).await? {
            return Ok(Vec::new());
        }
        self.join_archive_once().await?;
        let opened = self.ports.store.open_days(OpenDays::Due, self.stamp());
        Ok(opened.await?.refused)
    }

    /// Opens the window of a dated source, due or not. Returns the days that are not settled.
    pub(crate) async fn open_window(&self, series: SourceId) -> Result<OpenedDays> {
        self.join_archive_once().await?;
        let window = OpenDays::Window(series);
        Ok(self.ports.store.open_days(window, self.stamp()).await?)
    }

    /// Opens days of a dated source, in its window or not, for a fetch on request: new ones are not due by themselves.
    ///
    /// # Errors
    ///
    /// A day that has not begun yet in UTC.
    pub async fn open_days(&self, series: SourceId, days: &[Day]) -> Result<OpenedDays> {
        let today = Day::containing(self.now());
        if let Some(ahead) = days.iter().find(|day| **day > today) {
            return Err(Error::invalid(format!(
                "{ahead} has not begun: today is {today} in UTC"
            )));
        }
        self.join_archive_once().await?;
        let mut opened = OpenedDays::default();
        for batch in days.chunks(BATCH) {
            let these = OpenDays::These {
                series,
                days: batch.to_vec(),
            };
            let more = self.ports.store.open_days(these, self.stamp()).await?;
            opened.days.extend(more.days);
            opened.refused.extend(more.refused);
        }
        Ok(opened)
    }

    /// Returns the selected present sources, like [`Self::kept_sources`]; a day that is named, such as
    /// `fixer/2020-01-31`, is made when there is none.
    pub async fn sources_to_fetch(&self, selectors: &[String]) -> Result<Vec<Source>> {
        for selector in selectors {
            self.make_named_day(selector).await?;
        }
        self.kept_sources(selectors).await
    }

    /// Returns every present source, days too, by name.
    pub async fn sources_and_days(&self) -> Result<Vec<Source>> {
        Ok(self.ports.store.sources(SourceFilter::with_days()).await?)
    }

    /// Returns the newest days of a dated source, so many at most, newest first.
    pub async fn days_of(&self, series: SourceId, limit: usize) -> Result<Vec<Source>> {
        let filter = SourceFilter {
            days: ListedDays::Of(series),
            ..SourceFilter::default()
        };
        let mut days = self.ports.store.sources(filter).await?;
        days.sort_by_key(|source| std::cmp::Reverse(source.day.map(|of| of.day)));
        days.truncate(limit);
        Ok(days)
    }

    /// Returns these sources, with the days of dated ones in their place.
    pub async fn days_in_place(&self, sources: Vec<Source>) -> Result<Vec<Source>> {
        let mut found = Vec::with_capacity(sources.len());
        for source in sources {
            if source.state.days.is_some() {
                let mut days = self.days_of(source.id, usize::MAX).await?;
                days.reverse();
                found.append(&mut days);
            } else {
                found.push(source);
            }
        }
        Ok(found)
    }

    /// Returns these ids, and those of the days of dated sources among them, removed ones too.
    pub(in crate::app) async fn with_days(&self, ids: Vec<SourceId>) -> Result<Vec<SourceId>> {
        self.read(WithDays(ids)).await
    }

    /// Returns those of these sources that are dated.
    pub(crate) async fn dated_among(&self, ids: &[SourceId]) -> Result<Vec<SourceId>> {
        self.read(DatedAmong(ids.to_vec())).await
    }

    async fn make_named_day(&self, selector: &str) -> Result<()> {
        let Some((series, day)) = named_day(selector) else {
            return Ok(());
        };
        if self.is_source(selector).await? {
            return Ok(());
        }
        let Some(series) = self.ports.store.find_source(series).await? else {
            return Ok(());
        };
        if !series.settings.address.is_dated() || series.removed_at.is_some() {
            return Ok(());
        }
        let opened = self.open_days(series.id, &[day]).await?;
        match opened.refused.into_iter().next() {
            Some(why) => Err(Error::invalid(why)),
            None => Ok(()),
        }
    }
}
