//! The numbers of `/metrics` in Prometheus' text format, of what every process did on this store since the service began.
//!
//! Attempts and events are read when somebody asks: a service that nobody watches counts nothing but its requests.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tokio::sync::Mutex;

use super::state_counts::state_counts;
use crate::app::{App, EventFilter, Result};
use crate::domain::{Action, AttemptId, Event, EventId, FailureKind};

/// The upper bounds of durations, in seconds.
const SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];
/// The attempts or events that are read at once.
const BATCH: usize = 1_000;

/// The numbers.
pub(super) struct Numbers {
    recorder: PrometheusRecorder,
    counted: Mutex<Counted>,
}

/// What was counted so far.
struct Counted {
    attempt: AttemptId,
    event: EventId,
    /// When each actor's pass began.
    passes: HashMap<String, DateTime<Utc>>,
}

impl Numbers {
    /// Begins to count what happens from now on.
    pub(super) async fn begin(app: &App) -> Result<Self> {
        // The bounds are not empty, which is the only error.
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS);
        let builder = builder.unwrap_or_else(|_| PrometheusBuilder::new());
        Ok(Self {
            recorder: builder.build_recorder(),
            counted: Mutex::new(Counted {
                attempt: app.newest_attempt().await?,
                event: app.newest_event().await?,
                passes: HashMap::new(),
            }),
        })
    }

    /// Counts a request that was answered.
    pub(super) fn count_request(&self, route: &str, status: u16, took: Duration) {
        with_local_recorder(&self.recorder, || {
            let (route, status) = (route.to_owned(), status.to_string());
            counter!("gannet_http_requests_total", "route" => route.clone(), "status" => status)
                .increment(1);
            histogram!("gannet_http_request_duration_seconds", "route" => route).record(took);
        });
    }

    /// Returns the numbers as text; `clients` follow the live feed.
    pub(super) async fn text(&self, app: &App, clients: usize) -> Result<String> {
        let mut counted = self.counted.lock().await;
        self.count_attempts(app, &mut counted).await?;
        self.count_events(app, &mut counted).await?;
        let states = state_counts(&app.sources(&[]).await?);
        let bytes = app.catalogue_bytes().await;
        with_local_recorder(&self.recorder, || {
            for (state, count) in states {
                gauge!("gannet_sources", "state" => state).set(precise(count));
            }
            gauge!("gannet_store_bytes").set(precise(bytes));
            gauge!("gannet_websocket_clients").set(precise(clients as u64));
        });
        let handle = self.recorder.handle();
        handle.run_upkeep();
        Ok(handle.render())
    }

    async fn count_attempts(&self, app: &App, counted: &mut Counted) -> Result<()> {
        loop {
            let attempts = app.attempts_after(counted.attempt, BATCH).await?;
            with_local_recorder(&self.recorder, || {
                for attempt in &attempts {
                    let kind = attempt.error_kind.map_or("", FailureKind::as_str);
                    let outcome = attempt.outcome.as_str();
                    counter!("gannet_attempts_total", "outcome" => outcome, "error_kind" => kind)
                        .increment(1);
                    histogram!("gannet_attempt_duration_seconds").record(attempt.duration);
                }
            });
            let Some(last) = attempts.last() else {
                return Ok(());
            };
            counted.attempt = last.id;
        }
    }

    async fn count_events(&self, app: &App, counted: &mut Counted) -> Result<()> {
        loop {
            let filter = EventFilter {
                after: Some(counted.event),
                limit: BATCH,
                ..EventFilter::default()
            };
            let events = app.events(filter).await?;
            with_local_recorder(&self.recorder, || {
                for event in &events {
                    count_event(event, &mut counted.passes);
                }
            });
            let Some(last) = events.last() else {
                return Ok(());
            };
            counted.event = last.id;
        }
    }
}

/// Counts a verdict, or the end of a pass.
fn count_event(event: &Event, passes: &mut HashMap<String, DateTime<Utc>>) {
    let outcome = match event.event.action {
        Action::VerdictPassed => "passed",
        Action::VerdictFailed => "failed",
        Action::VerdictError => "error",
        Action::VerdictPending => "pending",
        Action::PassStarted => {
            passes.insert(event.stamp.actor.0.clone(), event.stamp.at);
            return;
        }
        Action::PassFinished => {
            let began = passes.remove(&event.stamp.actor.0);
            let took = began.and_then(|began| (event.stamp.at - began).to_std().ok());
            if let Some(took) = took {
                histogram!("gannet_pass_duration_seconds").record(took);
            }
            let at = event.stamp.at.timestamp().unsigned_abs();
            gauge!("gannet_last_pass_timestamp_seconds").set(precise(at));
            return;
        }
        _ => return,
    };
    counter!("gannet_verdicts_total", "outcome" => outcome).increment(1);
}

/// Returns a number of less than 2^53 as Prometheus has numbers.
#[expect(
    clippy::cast_precision_loss,
    reason = "no count of bytes or seconds is that large"
)]
fn precise(number: u64) -> f64 {
    number as f64
}
