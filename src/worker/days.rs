//! Dated sources in a pass that somebody asked for: their days are fetched in their place, and give their results.
//!
//! Never claims or fetches.

use super::pass::Selection;
use super::report::PassReport;
use crate::app::{App, Error, Result, SourceOutcome, SourceResult};
use crate::domain::{AttemptOutcome, SourceId};

/// The selection of a pass, with the days in the place of dated sources.
pub(super) struct Opened {
    pub(super) selection: Selection,
    /// Each requested dated source with its days that are not settled.
    series: Vec<(SourceId, Vec<SourceId>)>,
    /// The days that could not be made, with the reasons.
    refused: Vec<String>,
    /// Why the pass cannot begin.
    pub(super) error: Option<Error>,
}

impl Opened {
    /// Opens the dated sources of a selection: of a regular pass, those that are due.
    pub(super) async fn of(app: &App, selection: Selection) -> Self {
        let mut opened = Self {
            selection,
            series: Vec::new(),
            refused: Vec::new(),
            error: None,
        };
        let done = match opened.selection.clone() {
            Selection::Due => app.open_due_days().await.map(|refused| {
                opened.refused = refused;
            }),
            Selection::These(asked) => opened.open(app, &asked).await,
        };
        opened.error = done.err();
        opened
    }

    async fn open(&mut self, app: &App, asked: &[SourceId]) -> Result<()> {
        for id in app.dated_among(asked).await? {
            let days = app.open_window(id).await?;
            self.refused.extend(days.refused);
            self.series.push((id, days.days));
        }
        let mut ids = Vec::with_capacity(asked.len());
        for id in asked {
            match self.series.iter().find(|(series, _)| series == id) {
                Some((_, days)) => ids.extend(days),
                None => ids.push(*id),
            }
        }
        self.selection = Selection::These(ids);
        Ok(())
    }

    /// Adds the results of requested sources that were not tried, and that of each dated source, which follows from
    /// those of its days.
    pub(super) fn add_results(&self, report: &mut PassReport) {
        report.add_not_tried(self.selection.asked().unwrap_or_default());
        for (series, days) in &self.series {
            let of_days = report.results.iter().filter(|one| days.contains(&one.id));
            let gravest = of_days.max_by_key(|one| gravity(one.outcome));
            let result = match gravest {
                Some(day) => SourceResult {
                    id: *series,
                    ..day.clone()
                },
                None => SourceResult::fetched(*series, AttemptOutcome::Unchanged, None),
            };
            report.results.push(result);
        }
        report.failures.extend_from_slice(&self.refused);
    }
}

fn gravity(outcome: SourceOutcome) -> u8 {
    match outcome {
        SourceOutcome::Fetched(AttemptOutcome::Absent) => 0,
        SourceOutcome::Fetched(AttemptOutcome::Unchanged) => 1,
        SourceOutcome::Fetched(AttemptOutcome::New) => 2,
        SourceOutcome::Busy => 3,
        SourceOutcome::Dropped => 4,
        SourceOutcome::Untried => 5,
        SourceOutcome::Fetched(AttemptOutcome::Failed) => 6,
    }
}
