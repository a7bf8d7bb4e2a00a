//! Stops a source whose provider answers that it gives nothing for now: an unpaid key, a quota that is used up. The other
//! days of a dated source are not asked in the same pass either.
//!
//! Never judges an answer: the verifier of rates says what is wrong with it.

use chrono::{DateTime, Utc};

use super::pipeline::Pipeline;
use crate::app::Result;
use crate::domain::{Source, Stop};
use crate::net::{FetchOutcome, FetchReport};
use crate::store::StoreError;

/// The longest answer that is looked at: a refusal is short.
const MAX_BYTES: usize = 64 << 10;

/// Why a provider is not asked for more, and until when; without a time, until somebody acts.
pub(super) struct Refusal {
    until: Option<DateTime<Utc>>,
    why: String,
    /// Whether it is the first one of its source in the pass: only this one is reported.
    is_first: bool,
}

impl Pipeline {
    /// Returns the refusal in an answer to a source of rates. From now on no attempt of the source, or of its other days,
    /// begins in this pass.
    pub(super) fn refusal(&self, source: &Source, report: &FetchReport) -> Option<Refusal> {
        let provider = source.settings.rates?;
        let now = self.app.now();
        let mut refusal = match &report.outcome {
            FetchOutcome::Fetched(download) => {
                let answer = download.content.as_memory();
                let answer = answer.filter(|answer| answer.len() <= MAX_BYTES)?;
                let read = provider.read(source.settings.address.as_str(), answer);
                let refused = read.err()?;
                let stop = refused.stop?;
                let what = match stop {
                    Stop::Operator(what) => format!("; {what}"),
                    Stop::Quota => String::new(),
                };
                Refusal {
                    until: stop.until(now),
                    why: refused.why + &what,
                    is_first: false,
                }
            }
            FetchOutcome::Failed { retry_after, .. } if report.http_status == Some(429) => {
                Refusal {
                    until: retry_after.or_else(|| Stop::Quota.until(now)),
                    why: "the provider answered 429: its quota is used up".to_owned(),
                    is_first: false,
                }
            }
            _ => return None,
        };
        refusal.is_first = self.stopped.add(source);
        Some(refusal)
    }

    /// Lets a source rest, or disables it, after its attempt was recorded.
    pub(super) async fn stop(&self, source: &Source, refusal: Refusal) -> Result<()> {
        let Refusal {
            until,
            why,
            is_first,
        } = refusal;
        let what = match until {
            Some(until) => format!(
                "stopped until {}: {why}",
                until.format("%Y-%m-%d %H:%M UTC")
            ),
            None => format!("stopped: {why}"),
        };
        let stamp = self.app.stamp();
        let store = &self.app.ports().store;
        match store
            .stop_source(source.id, until, is_first.then(|| what.clone()), stamp)
            .await
        {
            Ok(name) if is_first => self.add_failure(|| format!("{name}: {what}")),
            // Stopped, or removed meanwhile.
            Ok(_) | Err(StoreError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
