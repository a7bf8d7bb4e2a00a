//! Runs passes: one, or one after the other for ever.

use std::sync::Arc;

use super::pass::{Pass, PassReport, Selection};
use super::progress::Progress;
use super::stop::Stop;
use crate::app::{App, Error, ErrorKind, PassSummary, Result};
use crate::archive::Archive;
use crate::net::Fetcher;

/// How often a worker that stays looks at the wall clock: a laptop that slept catches up within this.
const WAKE_EVERY: chrono::Duration = chrono::Duration::minutes(1);

/// Does the work of a store.
pub struct Worker {
    app: Arc<App>,
    /// The owner of its claims: the name that the archive tells live processes from dead ones by.
    owner: String,
    /// Made when first needed: reading the system's certificates costs more than finding that nothing is due.
    fetcher: tokio::sync::OnceCell<Arc<Fetcher>>,
}

impl Worker {
    /// Returns a worker for the store and the archive of `app`.
    pub fn new(app: Arc<App>) -> Self {
        let owner = app.archive.owner();
        Self {
            app,
            owner,
            fetcher: tokio::sync::OnceCell::new(),
        }
    }

    /// Does one pass. Work that an earlier one left undone (a published file, an undecided version) comes first.
    pub async fn pass(&self, selection: Selection, stop: &Stop, progress: &Progress) -> PassReport {
        match self.try_pass(selection, stop, progress).await {
            Ok(report) => report,
            Err(error) => {
                tracing::error!("{error}");
                PassReport {
                    summary: PassSummary::default(),
                    busy: Vec::new(),
                    troubles: Vec::new(),
                    error: Some(error),
                }
            }
        }
    }

    async fn try_pass(
        &self,
        selection: Selection,
        stop: &Stop,
        progress: &Progress,
    ) -> Result<PassReport> {
        let unsettled = self.app.settle_all().await?;
        let undecided = match &selection {
            Selection::Due => self.app.undecided().await?,
            Selection::These(_) => Vec::new(),
        };
        let total = match &selection {
            Selection::Due => self.app.store.due(self.app.now()).await?.0,
            Selection::These(ids) => ids.len() as u64,
        };
        progress.begin(total);
        let mut report = if total == 0 && undecided.is_empty() {
            PassReport {
                summary: PassSummary::default(),
                busy: Vec::new(),
                troubles: Vec::new(),
                error: None,
            }
        } else {
            self.free_claims_of_the_dead().await?;
            let fetcher = Arc::clone(self.fetcher().await?);
            Pass::run(
                &self.app,
                &self.owner,
                selection,
                stop,
                progress,
                fetcher,
                undecided,
            )
            .await
        };
        if let Some((count, first)) = unsettled {
            let message = format!(
                "{count} published files could not be brought up to date; the first: {first}"
            );
            report.error.get_or_insert(Error { message, ..first });
        }
        Ok(report)
    }

    /// Does a pass whenever something is due, until asked to stop. `after_pass` is told of each that did something.
    ///
    /// A pass that fails is logged and tried again a minute later: the disk may have room again by then.
    pub async fn stay(&self, stop: &Stop, progress: &Progress, after_pass: impl Fn(&PassReport)) {
        while !stop.is_requested() {
            let report = self.pass(Selection::Due, stop, progress).await;
            if report.summary.attempts > 0 || report.error.is_some() {
                after_pass(&report);
            }
            let wake_at = self.app.now() + WAKE_EVERY;
            tokio::select! {
                () = self.app.clock.sleep_until(wake_at) => {}
                () = stop.requested() => {}
            }
        }
    }

    /// Ends the claims of workers that were killed: their sources need not wait until the leases lapse.
    async fn free_claims_of_the_dead(&self) -> Result<()> {
        for owner in self.app.with_archive(Archive::dead_owners).await? {
            tracing::warn!("worker {owner} ended without releasing its claims: released");
            // What tells that it is dead goes last, so that a worker killed in between leaves it to the next.
            self.app.store.release_claims(owner.clone()).await?;
            self.app
                .with_archive(move |archive| archive.bury(&owner))
                .await?;
        }
        Ok(())
    }

    async fn fetcher(&self) -> Result<&Arc<Fetcher>> {
        self.fetcher
            .get_or_try_init(|| async {
                let app = &self.app;
                let temp_dir = app.archive.temp_dir().to_owned();
                Fetcher::new(
                    &app.config.fetch,
                    app.config.secrets.clone(),
                    temp_dir,
                    Arc::clone(&app.clock),
                )
                .map(Arc::new)
                .map_err(|error| Error::new(ErrorKind::Unavailable, error.to_string()))
            })
            .await
    }
}
