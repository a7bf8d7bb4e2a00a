//! The client for sources: one attempt, with its tries and the pauses between them.
//!
//! Never decides when the first request goes out; the worker does. From there on, the limits of each host hold wherever
//! redirects lead.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::client::{Clients, Reuse};
use super::error::NetError;
use super::exchange::{Exchange, TryOptions, TryOutcome};
use super::failure::Failure;
use super::rate_limiter::Admission;
use super::report::{Download, FetchOutcome, FetchReport, FetchRequest};
use super::retry::{Delays, LONGEST_WAIT};
use super::route::proxy_name;
use super::secret::{Scrubber, expand_address, expand_value};
use super::trail::Trail;
use crate::clock::Clock;
use crate::config::{FetchConfig, Secrets};
use crate::domain::{FailureKind, Provenance, RESERVED_HEADERS, SourceSettings, safe_part};

/// Fetches files over HTTP. Made once: it holds connections and trusted certificates.
pub struct Fetcher {
    clients: Clients,
    config: FetchConfig,
    secrets: Secrets,
    temp_dir: Arc<Path>,
    clock: Arc<dyn Clock>,
}

impl Fetcher {
    /// Returns a client for this configuration.
    ///
    /// `temp_dir` is the folder of bodies over 256 KiB while they arrive; the first such body needs it. Pauses between
    /// tries go by `clock`. Fails when a certificate file cannot be read, or a secret of the proxy has no value.
    pub fn new(
        config: &FetchConfig,
        secrets: Secrets,
        temp_dir: PathBuf,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NetError> {
        Ok(Self {
            clients: Clients::new(config, &secrets)?,
            config: config.clone(),
            secrets,
            temp_dir: temp_dir.into(),
            clock,
        })
    }

    /// Makes one attempt, with redirects and retries. Dropping the future cancels the attempt and leaves no temporary
    /// file.
    pub async fn fetch(&self, request: FetchRequest<'_>) -> FetchReport {
        self.fetch_within(request, None).await
    }

    /// Makes one attempt within limits: `admission` is to the source's host, and moves along with redirects.
    pub async fn fetch_within(
        &self,
        request: FetchRequest<'_>,
        admission: Option<&mut Admission>,
    ) -> FetchReport {
        let mut trail = Trail::default();
        let mut provenance = None;
        let mut scrubber = self.clients.ways.login().clone();
        let result = match self.prepare(request.settings, &mut scrubber) {
            Ok((url, headers)) => {
                let exchange = Exchange {
                    clients: &self.clients,
                    config: &self.config,
                    temp_dir: &self.temp_dir,
                    settings: request.settings,
                    url: &url,
                    scrubber: &scrubber,
                    headers: &headers,
                    clock: &*self.clock,
                };
                let result = self.attempt(&exchange, &request, &mut trail, admission);
                let result = result.await;
                provenance = self.provenance(&exchange, &mut trail);
                result
            }
            Err(failure) => Err(failure),
        };
        let outcome = match result {
            Ok(TryOutcome::Fetched(fetched)) => fetched_outcome(*fetched, &scrubber),
            Ok(TryOutcome::NotModified(validators)) => FetchOutcome::NotModified { validators },
            Ok(TryOutcome::Unrequested(status)) => failed_outcome(unrequested(status), &scrubber),
            Err(failure) => failed_outcome(failure, &scrubber),
        };
        FetchReport {
            outcome,
            http_status: trail.http_status,
            tries: trail.tries,
            provenance,
        }
    }

    /// Returns the stored form of the attempt's trail.
    fn provenance(&self, exchange: &Exchange<'_>, trail: &mut Trail) -> Option<Provenance> {
        let scrubber = exchange.scrubber;
        let proxy = self.clients.ways.proxy();
        let proxy = proxy.map(|proxy| scrubber.scrub(proxy_name(proxy)));
        trail.provenance(|url| exchange.kept(url), proxy.as_deref(), scrubber)
    }

    fn prepare(
        &self,
        settings: &SourceSettings,
        scrubber: &mut Scrubber,
    ) -> Result<(Url, HeaderMap), Failure> {
        let url = expand_address(&settings.address, &self.secrets, scrubber)?;
        let mut headers = HeaderMap::with_capacity(settings.headers.len());
        for (name, value) in &settings.headers {
            let field = HeaderName::from_bytes(name.as_bytes())
                .ok()
                .filter(|field| !RESERVED_HEADERS.contains(&field.as_str()))
                .ok_or_else(|| {
                    let detail = format!("the header `{name}` cannot be set");
                    Failure::new(FailureKind::Forbidden, detail)
                })?;
            let text = expand_value(value, &self.secrets, scrubber)?;
            let mut content = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
                let detail = format!("the header `{name}` has a value that no header can carry");
                Failure::new(FailureKind::Secret, detail)
            })?;
            // Excluded from debug output and from HTTP/2's compression tables, and removed for other origins.
            content.set_sensitive(may_carry_secret(field.as_str(), value));
            headers.append(field, content);
        }
        if let Some(user) = &settings.user {
            let login = expand_value(user, &self.secrets, scrubber)?;
            headers.insert(AUTHORIZATION, basic_authorization(&login));
        }
        Ok((url, headers))
    }

    /// Tries until there is an outcome, or no further try can help.
    async fn attempt(
        &self,
        exchange: &Exchange<'_>,
        request: &FetchRequest<'_>,
        trail: &mut Trail,
        mut admission: Option<&mut Admission>,
    ) -> Result<TryOutcome, Failure> {
        let mut ask = TryOptions::first(request.validators);
        let mut delays = Delays::new();
        let mut asked_again = false;
        loop {
            let run = exchange.run(ask, trail, admission.as_deref_mut());
            match run.await {
                // The server or a cache gave a response that was not requested: ask once more, for the whole file.
                Ok(TryOutcome::Unrequested(_)) if !asked_again => {
                    asked_again = true;
                    ask.validators = None;
                }
                Ok(outcome) => return check_not_emptied(&outcome, request).map(|()| outcome),
                Err(failure) if failure.wants_http1 && !ask.http1_only => ask.http1_only = true,
                Err(failure) if failure.is_stale && ask.reuse == Reuse::Long => {
                    ask.reuse = Reuse::Never;
                }
                Err(failure) => {
                    let Some(time) = self.next_try(&failure, trail.tries, &mut delays) else {
                        return Err(failure);
                    };
                    if let Some(admission) = admission.as_deref_mut() {
                        admission.release();
                    }
                    // A server that closed one idle connection has closed others too, some without notice.
                    if failure.kind != FailureKind::Status {
                        ask.reuse = Reuse::Never;
                    }
                    self.clock.sleep_until(time).await;
                }
            }
        }
    }

    /// Returns the time of the next try; `None` when none can help, or the server asked for a longer pause than an
    /// attempt may wait.
    fn next_try(
        &self,
        failure: &Failure,
        tries: u32,
        delays: &mut Delays,
    ) -> Option<DateTime<Utc>> {
        if !failure.transient || tries >= self.config.max_tries {
            return None;
        }
        let now = self.clock.now();
        let delay = TimeDelta::from_std(delays.next()).unwrap_or(LONGEST_WAIT);
        let time = failure.retry_after.unwrap_or(now).max(now + delay);
        (time - now <= LONGEST_WAIT).then_some(time)
    }
}

/// Returns `Authorization` for HTTP basic authentication (RFC 7617) with `NAME:PASSWORD`.
fn basic_authorization(login: &str) -> HeaderValue {
    let text = format!("Basic {}", STANDARD.encode(login));
    let mut value = HeaderValue::from_str(&text).expect("base64 is visible ASCII");
    value.set_sensitive(true);
    value
}

/// Returns whether a source's header may carry a secret, by its configured value or by its name.
fn may_carry_secret(name: &str, value: &str) -> bool {
    const MARKS: [&str; 9] = [
        "auth",
        "cookie",
        "credential",
        "key",
        "password",
        "proxy-",
        "secret",
        "session",
        "token",
    ];
    value.contains("${") || MARKS.iter().any(|mark| name.contains(mark))
}

/// Refuses an empty body where the newest version has content, unless the source allows that.
fn check_not_emptied(outcome: &TryOutcome, request: &FetchRequest<'_>) -> Result<(), Failure> {
    let TryOutcome::Fetched(fetched) = outcome else {
        return Ok(());
    };
    let last = request.last_size_bytes.unwrap_or(0);
    if last == 0 || fetched.content.size_bytes() > 0 || request.settings.allow_empty {
        return Ok(());
    }
    let detail = format!(
        "the body is empty, and the newest version has {last} bytes: the source does not allow that"
    );
    Err(Failure::new(FailureKind::Empty, detail))
}

fn unrequested(status: StatusCode) -> Failure {
    let what = if status == StatusCode::NOT_MODIFIED {
        "about other content than the one that was asked about"
    } else {
        "to a request for the whole file"
    };
    let detail = format!("the server answered {status} {what}, twice");
    Failure::new(FailureKind::Protocol, detail)
}

fn fetched_outcome(mut fetched: Download, scrubber: &Scrubber) -> FetchOutcome {
    let name = scrubber.scrub(fetched.name);
    // Striking out a secret may have made the name too long.
    fetched.name = safe_part(&name).unwrap_or(name);
    FetchOutcome::Fetched(fetched)
}

fn failed_outcome(failure: Failure, scrubber: &Scrubber) -> FetchOutcome {
    FetchOutcome::Failed {
        kind: failure.kind,
        detail: scrubber.scrub(failure.detail),
        retry_after: failure.retry_after,
    }
}
