//! Opens the days of dated sources: those of a window that is due, or those that somebody asks for.
//!
//! Never fetches one.

use crate::app::{App, Error, Result};
use crate::domain::{Day, Source, SourceId, named_day};
use crate::store::{Condition, DatedAmong, OpenDays, OpenedDays};

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
