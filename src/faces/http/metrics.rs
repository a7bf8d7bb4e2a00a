//! The numbers of `/metrics` in Prometheus' text format, of what every process did on this store since the service began.
//!
//! Attempts and events are counted every few seconds, so that an answer never has many of them to read.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{
    counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tokio::sync::Mutex;

use super::state_counts::all_state_counts;
use crate::app::{App, EventFilter, QueueFacts, Result};
use crate::domain::{Action, AttemptId, Event, EventId, FailureKind};

/// The upper bounds of durations, in seconds.
const SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];
/// The time after which new attempts and events are counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// The attempts or events that are read at once.
const BATCH: usize = 1_000;

/// The counts of what happened, with their meaning.
const COUNTERS: [(&str, &str); 3] = [
    (
        "gannet_attempts_total",
        "Attempts to fetch a source, by outcome and kind of error.",
    ),
    (
        "gannet_verdicts_total",
        "Verdicts that verifiers gave, by outcome.",
    ),
    (
        "gannet_http_requests_total",
        "Requests that the service answered, by route and status.",
    ),
];
/// The durations, with their meaning.
const TIMES: [(&str, &str); 3] = [
    (
        "gannet_attempt_duration_seconds",
        "The time that an attempt to fetch a source took.",
    ),
    (
        "gannet_pass_duration_seconds",
        "The time that a pass over the due sources took.",
    ),
    (
        "gannet_http_request_duration_seconds",
        "The time until the service answered a request, by route.",
    ),
];
/// The present numbers, with their meaning.
const GAUGES: [(&str, &str); 14] = [
    ("gannet_sources", "Sources by state."),
    (
        "gannet_sources_watched",
        "Sources that are fetched when due.",
    ),
    (
        "gannet_sources_due",
        "Sources that are due and wait to be fetched.",
    ),
    (
        "gannet_sets_failing",
        "Sets whose newest edition failed or could not be judged.",
    ),
    (
        "gannet_sets_pending",
        "Sets whose newest edition waits for a verdict.",
    ),
    (
        "gannet_queue_server_up",
        "1 while the Redis server on which messages wait can be used, else 0; left out without a server.",
    ),
    (
        "gannet_queue_messages",
        "Messages that are on a queue and not persisted yet; left out while the server on which they wait cannot be used.",
    ),
    (
        "gannet_queue_oldest_age_seconds",
        "How long the oldest message on a queue waits; 0 while none does; left out as their number is.",
    ),
    (
        "gannet_queue_dead_messages",
        "Dead messages of a queue: those that could not be persisted.",
    ),
    ("gannet_store_bytes", "The size of the catalogue's files."),
    (
        "gannet_websocket_clients",
        "Clients that follow the live feed.",
    ),
    (
        "gannet_last_pass_timestamp_seconds",
        "The end of the last pass that fetched or judged something, or of the last one of this process, in seconds since 1970.",
    ),
    (
        "gannet_http_certificate_expires_timestamp_seconds",
        "When the certificate of the service expires, in seconds since 1970.",
    ),
    (
        "gannet_config_rejected",
        "1 while the configuration's file cannot be used, or not for judging.",
    ),
];

/// Sets the numbers of the queues.
fn set_queues(queues: &[QueueFacts], is_server_up: Option<bool>, now: DateTime<Utc>) {
    if let Some(is_up) = is_server_up {
        gauge!("gannet_queue_server_up").set(precise(is_up.into()));
    }
    for queue in queues {
        let name = || queue.name.to_string();
        let age = queue.oldest_at.map(|at| (now - at).num_seconds().max(0));
        let age = age.unwrap_or_default().unsigned_abs();
        gauge!("gannet_queue_messages", "queue" => name()).set(precise(queue.waiting));
        gauge!("gannet_queue_oldest_age_seconds", "queue" => name()).set(precise(age));
        gauge!("gannet_queue_dead_messages", "queue" => name()).set(precise(queue.dead));
    }
}

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
    /// The end of the last pass that the log has.
    last_pass: Option<DateTime<Utc>>,
}

impl Numbers {
    /// Begins to count what happens from now on.
    pub(super) async fn begin(app: &App) -> Result<Self> {
        // The bounds are not empty, which is the only error.
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS);
        let builder = builder.unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        with_local_recorder(&recorder, describe);
        Ok(Self {
            recorder,
            counted: Mutex::new(Counted {
                attempt: app.newest_attempt().await?,
                event: app.newest_event().await?,
                passes: HashMap::new(),
                last_pass: last_pass(app).await?,
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

    /// Counts new attempts and events for ever. A store that cannot be read is tried again: its other users report it.
    pub(super) async fn keep_counting(&self, app: &App) -> Infallible {
        loop {
            tokio::time::sleep(COUNT_EVERY).await;
            if let Err(error) = self.count(app).await {
                tracing::debug!("the numbers wait: {error}");
            }
            // Recorded times take memory until they are sorted into their buckets.
            self.recorder.handle().run_upkeep();
        }
    }

    /// Counts the attempts and events that were recorded since it was last called.
    async fn count(&self, app: &App) -> Result<()> {
        let mut counted = self.counted.lock().await;
        self.count_attempts(app, &mut counted).await?;
        self.count_events(app, &mut counted).await
    }

    /// Returns the numbers as text; `clients` follow the live feed, the last pass of this process, if it made one, ended at
    /// `pass`, and the certificate expires at `expiry`.
    pub(super) async fn text(
        &self,
        app: &App,
        clients: usize,
        pass: Option<DateTime<Utc>>,
        expiry: Option<DateTime<Utc>>,
    ) -> Result<String> {
        self.count(app).await?;
        let pass = pass.max(self.counted.lock().await.last_pass);
        let states = all_state_counts(app).await?;
        let (watched, due, _) = app.outlook().await?;
        let failing = app.failing_sets().await?.len() as u64;
        let pending = app.waiting_sets().await?.len() as u64;
        let read = app.queues(Duration::ZERO).await?;
        let is_server_up = app.queues_on_redis().then_some(read.trouble.is_none());
        let bytes = app.catalogue_bytes().await;
        let is_rejected = app.config_trouble().is_some();
        with_local_recorder(&self.recorder, || {
            for (state, count) in states {
                gauge!("gannet_sources", "state" => state).set(precise(count));
            }
            gauge!("gannet_sources_watched").set(precise(watched));
            gauge!("gannet_sources_due").set(precise(due));
            gauge!("gannet_sets_failing").set(precise(failing));
            gauge!("gannet_sets_pending").set(precise(pending));
            set_queues(&read.queues, is_server_up, app.now());
            gauge!("gannet_store_bytes").set(precise(bytes));
            gauge!("gannet_websocket_clients").set(precise(clients as u64));
            if let Some(pass) = pass {
                let at = pass.timestamp().unsigned_abs();
                gauge!("gannet_last_pass_timestamp_seconds").set(precise(at));
            }
            if let Some(expiry) = expiry {
                gauge!("gannet_http_certificate_expires_timestamp_seconds")
                    .set(precise(expiry.timestamp().unsigned_abs()));
            }
            gauge!("gannet_config_rejected").set(precise(is_rejected.into()));
        });
        Ok(self.rendered(unknown(is_server_up)))
    }

    /// Returns the numbers as text, without those that are not known now: a recorder keeps what was set once.
    fn rendered(&self, unknown: &[&str]) -> String {
        let handle = self.recorder.handle();
        handle.run_upkeep();
        let text = handle.render();
        let is_known = |line: &&str| {
            let comment = ["# HELP ", "# TYPE "].iter();
            let series = comment.fold(*line, |line, mark| line.trim_start_matches(mark));
            let name = series.split(['{', ' ']).next().unwrap_or_default();
            !unknown.contains(&name)
        };
        text.split_inclusive('\n').filter(is_known).collect()
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
                    count_event(event, counted);
                }
            });
            let Some(last) = events.last() else {
                return Ok(());
            };
            counted.event = last.id;
        }
    }
}

/// Returns the numbers that are not known when the server on which messages wait can be used, cannot, or is none.
fn unknown(is_server_up: Option<bool>) -> &'static [&'static str] {
    match is_server_up {
        Some(true) => &[],
        Some(false) => &["gannet_queue_messages", "gannet_queue_oldest_age_seconds"],
        None => &["gannet_queue_server_up"],
    }
}

/// Returns the end of the last pass that the log has.
async fn last_pass(app: &App) -> Result<Option<DateTime<Utc>>> {
    let filter = EventFilter {
        action: Some(Action::PassFinished),
        limit: 1,
        ..EventFilter::default()
    };
    let events = app.events(filter).await?;
    Ok(events.last().map(|event| event.stamp.at))
}

/// Says what each number means.
fn describe() {
    for (name, meaning) in COUNTERS {
        describe_counter!(name, meaning);
    }
    for (name, meaning) in TIMES {
        describe_histogram!(name, meaning);
    }
    for (name, meaning) in GAUGES {
        describe_gauge!(name, meaning);
    }
}

/// Counts a verdict, or the end of a pass.
fn count_event(event: &Event, counted: &mut Counted) {
    let outcome = match event.event.action {
        Action::VerdictPassed => "passed",
        Action::VerdictFailed => "failed",
        Action::VerdictError => "error",
        Action::VerdictPending => "pending",
        Action::PassStarted => {
            let passes = &mut counted.passes;
            passes.insert(event.stamp.actor.0.clone(), event.stamp.at);
            return;
        }
        Action::PassFinished => {
            let began = counted.passes.remove(&event.stamp.actor.0);
            let took = began.and_then(|began| (event.stamp.at - began).to_std().ok());
            if let Some(took) = took {
                histogram!("gannet_pass_duration_seconds").record(took);
            }
            counted.last_pass = counted.last_pass.max(Some(event.stamp.at));
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
