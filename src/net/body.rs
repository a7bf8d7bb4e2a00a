//! Receives a body: enforces the pace, gathers batches, and passes each batch to the sink, large ones on a blocking
//! thread.
//!
//! Never interprets the body. Holds one batch for each body, so that many downloads at once take little memory.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use tokio::time::Instant;

use super::failure::Failure;
use super::incoming::Incoming;
use super::response_head::Coding;
use super::sink::{self, Sink};
use crate::config::FetchConfig;
use crate::domain::{Content, Digest, FailureKind, duration_words};

/// Size of a batch: few trips to another thread, and little memory for each body.
const BATCH_BYTES: usize = 128 << 10;

/// A batch up to this size is digested in a fraction of a millisecond, which is cheaper than a trip to another thread.
const INLINE_BYTES: usize = 64 << 10;

/// The same for gzip, which may grow a thousandfold.
const INLINE_GZIP_BYTES: usize = 4 << 10;

/// Receives the body of `response`, at most `cap` bytes before and after decoding. An empty body of any coding is empty
/// content, if the source allows that.
pub(super) async fn receive(
    response: Response,
    coding: Coding,
    cap: u64,
    allow_empty: bool,
    host: &str,
    config: &FetchConfig,
    temp_dir: &Arc<Path>,
) -> Result<(Content, Digest), Failure> {
    let mut body = Incoming::new(response);
    let announced = body.announced();
    if announced.is_some_and(|length| length > cap) {
        return Err(sink::too_large(cap, ""));
    }
    let mut sink = Sink::new(coding, cap, announced, temp_dir);
    let mut pace = Pace::new(config);
    let expected = announced.map_or(0, |length| usize::try_from(length).unwrap_or(BATCH_BYTES));
    let mut batch = Vec::with_capacity(expected.min(BATCH_BYTES));
    loop {
        let next = pace.next(&mut body).await?;
        let chunk = next.map_err(|error| body.failure(&error, host))?;
        let Some(chunk) = chunk else { break };
        if body.received() > cap {
            return Err(sink::too_large(cap, ""));
        }
        // Written before it would exceed its size: a batch never reallocates.
        if !batch.is_empty() && batch.len() + chunk.len() > BATCH_BYTES {
            (sink, batch) = put(sink, batch, coding).await?;
        }
        batch.extend_from_slice(&chunk);
    }
    body.check_end()?;
    if body.received() == 0 && coding != Coding::Identity && !allow_empty {
        let detail =
            "the gzip stream is cut short: the body is empty, which the source does not allow";
        return Err(Failure::new(FailureKind::Decode, detail));
    }
    finish(sink, batch, coding).await
}

/// Writes a batch to the sink. Returns the batch empty.
async fn put(sink: Sink, mut batch: Vec<u8>, coding: Coding) -> Result<(Sink, Vec<u8>), Failure> {
    maybe_blocking(is_small(&batch, coding), move || {
        let sink = sink.write(&batch)?;
        batch.clear();
        Ok((sink, batch))
    })
    .await
}

async fn finish(sink: Sink, batch: Vec<u8>, coding: Coding) -> Result<(Content, Digest), Failure> {
    maybe_blocking(is_small(&batch, coding), move || {
        sink.write(&batch)?.finish()
    })
    .await
}

fn is_small(batch: &[u8], coding: Coding) -> bool {
    let limit = match coding {
        Coding::Identity => INLINE_BYTES,
        Coding::Gzip | Coding::GzipFile => INLINE_GZIP_BYTES,
    };
    batch.len() <= limit
}

/// Runs short `work` here, other work on a blocking thread. When the caller is dropped meanwhile, the work runs to its
/// end and then removes its temporary file.
async fn maybe_blocking<T: Send + 'static>(
    short: bool,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    if short {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Failure::new(FailureKind::Storage, "gannet is stopping")),
        },
    }
}

/// Enforces the pace of a body: no silence longer than the read time-out, and the least mean rate over windows of the
/// same length. Only the time spent waiting for the server counts.
struct Pace {
    limit: Duration,
    min_rate_bytes: u64,
    waited: Duration,
    in_window: u64,
}

impl Pace {
    fn new(config: &FetchConfig) -> Self {
        Self {
            limit: config.read_timeout,
            min_rate_bytes: config.min_rate_bytes,
            waited: Duration::ZERO,
            in_window: 0,
        }
    }

    async fn next(
        &mut self,
        body: &mut Incoming,
    ) -> Result<Result<Option<Bytes>, reqwest::Error>, Failure> {
        let start = Instant::now();
        let Ok(next) = tokio::time::timeout(self.limit, body.next()).await else {
            let limit = duration_words(self.limit);
            let detail = format!("timed out after {limit} waiting for more of the body");
            return Err(Failure::new(FailureKind::Timeout, detail));
        };
        self.waited += start.elapsed();
        if let Ok(Some(chunk)) = &next {
            self.in_window += chunk.len() as u64;
            if self.waited >= self.limit {
                self.check_rate()?;
            }
        }
        Ok(next)
    }

    fn check_rate(&mut self) -> Result<(), Failure> {
        let millis = self.waited.as_millis().max(1);
        let rate = u128::from(self.in_window) * 1000 / millis;
        if rate < u128::from(self.min_rate_bytes) {
            let detail = format!(
                "the body came at {rate} bytes a second, below the least rate of {} over {}",
                self.min_rate_bytes,
                duration_words(self.limit)
            );
            return Err(Failure::new(FailureKind::Slow, detail));
        }
        self.waited = Duration::ZERO;
        self.in_window = 0;
        Ok(())
    }
}
