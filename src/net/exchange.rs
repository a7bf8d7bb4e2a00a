//! One try: a chain of redirects, each hop checked, that ends in a response. Conditions go only to the address that
//! gave them, secrets only to the origin of the source.
//!
//! Never tries twice and never waits for a better moment: the fetcher decides on retries.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use reqwest::{Method, Request, Response, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::body;
use super::cause::RequestPeer;
use super::client::{ClientKind, Clients, Reuse};
use super::conditions::{self, RequestIdentity};
use super::failure::Failure;
use super::guard;
use super::rate_limiter::Admission;
use super::raw_head::RawHead;
use super::redirect::{self, RedirectRefusal};
use super::report::Download;
use super::response_head::{self, Coding};
use super::retry;
use super::route::{self, host_of};
use super::secret::Scrubber;
use super::trail::Trail;
use crate::clock::Clock;
use crate::config::FetchConfig;
use crate::domain::{
    Content, Digest, FailureKind, SourceSettings, Validators, duration_words, masked, safe_part,
    segment_name, shortened,
};

/// Longest address that a message repeats.
const MAX_SHOWN_CHARS: usize = 200;

pub(super) struct Exchange<'a> {
    pub(super) clients: &'a Clients,
    pub(super) config: &'a FetchConfig,
    pub(super) temp_dir: &'a Arc<Path>,
    pub(super) settings: &'a SourceSettings,
    /// The source's address, with secrets filled in.
    pub(super) url: &'a Url,
    pub(super) scrubber: &'a Scrubber,
    /// The source's fields, with secrets filled in; sensitive ones are sent to the origin of `url` only.
    pub(super) headers: &'a HeaderMap,
    /// The clock from which `Retry-After` counts; read when a response arrives.
    pub(super) clock: &'a dyn Clock,
}

/// How a try asks.
#[derive(Clone, Copy)]
pub(super) struct TryOptions<'a> {
    /// Validators of the stored content; `None` for an unconditional request.
    pub(super) validators: Option<&'a Validators>,
    pub(super) http1_only: bool,
    pub(super) reuse: Reuse,
}

impl<'a> TryOptions<'a> {
    /// Returns how the first try of an attempt asks.
    pub(super) fn first(validators: &'a Validators) -> Self {
        Self {
            validators: Some(validators).filter(|validators| !validators.is_empty()),
            http1_only: false,
            reuse: Reuse::Long,
        }
    }
}

struct HopRequest<'a> {
    url: &'a Url,
    /// The server's name in messages.
    host: &'a str,
    proxy: Option<&'a Url>,
    /// The source's fields that this request carries.
    fields: HeaderMap,
    identity: RequestIdentity,
    /// With the validators that the same request gave.
    ask: TryOptions<'a>,
}

/// How a try ended without a failure.
pub(super) enum TryOutcome {
    Fetched(Box<Download>),
    /// A 304 to a conditional request.
    NotModified(Validators),
    /// A 206, or a 304 that was not requested or is about other content than the stored one.
    Unrequested(StatusCode),
}

/// The result of one request: another hop or an outcome.
enum Hop {
    Outcome(TryOutcome),
    Redirect(Url),
}

impl Exchange<'_> {
    /// Makes the try within its total time, and records requests and responses in `trail`. With an admission, each hop
    /// waits for its turn at its host; that wait does not count.
    pub(super) async fn run(
        &self,
        ask: TryOptions<'_>,
        trail: &mut Trail,
        mut admission: Option<&mut Admission>,
    ) -> Result<TryOutcome, Failure> {
        let mut deadline = Instant::now() + self.config.total_timeout;
        let mut url = self.url.clone();
        trail.begin_try();
        let mut same_origin = true;
        loop {
            self.check_address(&url)?;
            let host = if trail.visited().is_empty() {
                self.settings.address.host()
            } else {
                host_of(&url)
            };
            if let Some(admission) = admission.as_deref_mut() {
                let asked = Instant::now();
                admission.move_to(&host).await;
                deadline += asked.elapsed();
            }
            trail.ask(url.clone());
            let step = self.step(&url, &host, same_origin, ask);
            let hop = tokio::time::timeout_at(deadline, self.hop(&step, trail)).await;
            let target = match hop.map_err(|_| self.out_of_time())?? {
                Hop::Outcome(answer) => return Ok(answer),
                Hop::Redirect(target) => target,
            };
            let shown = |url: &Url| self.shown(url);
            if let Some(problem) = redirect::chain_problem(trail.visited(), &target, shown) {
                return Err(Failure::new(FailureKind::Redirect, problem));
            }
            // Once off the origin, the sensitive fields stay off, even when the chain returns.
            same_origin &= target.origin() == self.url.origin();
            url = target;
        }
    }

    fn step<'a>(
        &'a self,
        url: &'a Url,
        host: &'a str,
        same_origin: bool,
        ask: TryOptions<'a>,
    ) -> HopRequest<'a> {
        let fields = self.fields(same_origin);
        let identity = RequestIdentity::new(url, self.url, &fields, self.scrubber);
        let validators = conditions::for_request(ask.validators, &identity);
        HopRequest {
            url,
            host,
            proxy: self.clients.ways.proxy_for(url),
            fields,
            identity,
            ask: TryOptions { validators, ..ask },
        }
    }

    fn out_of_time(&self) -> Failure {
        let limit = duration_words(self.config.total_timeout);
        let detail = format!("timed out after {limit}, the time for one try");
        Failure::new(FailureKind::Timeout, detail)
    }

    /// Makes one request and reads its response.
    async fn hop(&self, step: &HopRequest<'_>, trail: &mut Trail) -> Result<Hop, Failure> {
        let mut response = self.send(step).await?;
        self.scrubber.scrub_fields(response.headers_mut());
        trail.record_response(&response);
        let headers = response.headers();
        let answer = match response.status() {
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => {
                self.receive(response, step).await?
            }
            StatusCode::NOT_MODIFIED => not_modified(headers, step, self.clock.now()),
            StatusCode::PARTIAL_CONTENT => TryOutcome::Unrequested(StatusCode::PARTIAL_CONTENT),
            code if matches!(code.as_u16(), 301 | 302 | 303 | 307 | 308) => {
                return self.target(&response, step.url).map(Hop::Redirect);
            }
            refusal => return Err(self.status_failure(refusal, headers, step)),
        };
        Ok(Hop::Outcome(answer))
    }

    /// Checks an address against the source's permissions: scheme and literal hosts.
    fn check_address(&self, url: &Url) -> Result<(), Failure> {
        let allowed = match url.scheme() {
            "https" => true,
            "http" => self.settings.allow_http,
            _ => false,
        };
        if !allowed {
            let detail = format!(
                "{} is not https: allow plain http for this source with --allow-http",
                self.shown(url)
            );
            return Err(Failure::new(FailureKind::Forbidden, detail));
        }
        guard::check_literal(url, self.settings.allow_private)?;
        Ok(())
    }

    /// Returns the fields of the source and the configuration for a request to the source's origin, or to another one.
    fn fields(&self, same_origin: bool) -> HeaderMap {
        let mut fields = HeaderMap::new();
        if self.config.has_own_user_agent()
            && let Ok(user_agent) = HeaderValue::from_str(&self.config.user_agent)
        {
            fields.insert(USER_AGENT, user_agent);
        }
        for name in self.headers.keys() {
            let values = self.headers.get_all(name).iter();
            let mut values = values
                .filter(|value| same_origin || !value.is_sensitive())
                .peekable();
            if values.peek().is_some() {
                fields.remove(name);
            }
            for value in values {
                fields.append(name, value.clone());
            }
        }
        fields
    }

    async fn send(&self, step: &HopRequest<'_>) -> Result<Response, Failure> {
        let allow_private = self.settings.allow_private;
        let kind = ClientKind {
            allow_private,
            proxied: step.proxy.is_some(),
            http1_only: step.ask.http1_only,
            reuse: step.ask.reuse,
        };
        let limit = self.config.read_timeout;
        let sent = self.clients.execute(kind, request_of(step));
        let Ok(result) = tokio::time::timeout(limit, sent).await else {
            let limit = duration_words(limit);
            let detail = format!("timed out after {limit} waiting for the server's answer");
            return Err(Failure::passing(FailureKind::Timeout, detail));
        };
        let response = result.map_err(|error| {
            let via = RequestPeer {
                host: step.host,
                proxy: step.proxy.map(route::proxy_name),
                scrubber: self.scrubber,
            };
            Failure::of_request(&*error, &via, self.config.connect_timeout)
        })?;
        self.check_peer(&response, step)?;
        Ok(response)
    }

    /// The last of the guard's three checks: the address that the bytes come from, whatever way led there.
    fn check_peer(&self, response: &Response, step: &HopRequest<'_>) -> Result<(), Failure> {
        if step.proxy.is_some() {
            return Ok(());
        }
        let Some(peer) = response.remote_addr() else {
            let detail = "the server's address is not known, so it cannot be checked";
            return Err(Failure::new(FailureKind::Forbidden, detail));
        };
        guard::check(peer.ip(), self.settings.allow_private)?;
        Ok(())
    }

    /// Returns the target of a redirect. Fails for a forbidden target.
    fn target(&self, response: &Response, from: &Url) -> Result<Url, Failure> {
        let target = redirect::target(response.headers(), from, |url| self.shown(url));
        target.map_err(|refusal| {
            let from = self.shown(from);
            match refusal {
                RedirectRefusal::Unreadable(what) => {
                    let status = response.status().as_u16();
                    let detail = match self.dropped_location(response) {
                        Some(line) => format!("{from} answered {status} with a line that holds a character that no field may contain: {line}"),
                        None => format!("{from} answered {status} {what}"),
                    };
                    Failure::new(FailureKind::Redirect, detail)
                }
                RedirectRefusal::Forbidden(what) => {
                    let detail = format!("{from} redirects to {what}");
                    Failure::new(FailureKind::Forbidden, detail)
                }
            }
        })
    }

    /// Returns the raw line of a Location that the parser left out, since no field may hold such characters.
    fn dropped_location(&self, response: &Response) -> Option<String> {
        let head = response.extensions().get::<RawHead>()?;
        let is_read = response.headers().contains_key(LOCATION);
        head.fields("location", self.scrubber).filter(|_| !is_read)
    }

    async fn receive(
        &self,
        response: Response,
        step: &HopRequest<'_>,
    ) -> Result<TryOutcome, Failure> {
        let headers = response.headers();
        response_head::check_framing(headers)?;
        let name = response_head::file_name(headers, self.scrubber)
            .unwrap_or_else(|| segment_name(&self.settings.address.to_url()));
        let validators = conditions::validators(headers, &step.identity, self.clock.now());
        let media_type = response_head::media_type(headers);
        let last_modified = response_head::last_modified(headers, self.clock.now());
        let coding = response_head::coding(headers, &[&name, &segment_name(step.url)]);
        let (content, digest) = self.receive_body(response, coding, step.host).await?;
        Ok(TryOutcome::Fetched(Box::new(Download {
            content,
            digest,
            validators,
            name: safe_part(&name).unwrap_or(name),
            media_type,
            last_modified,
        })))
    }

    /// Receives a body in this coding, or with the refusal of its coding.
    async fn receive_body(
        &self,
        response: Response,
        coding: Result<Coding, Failure>,
        host: &str,
    ) -> Result<(Content, Digest), Failure> {
        let cap = self.settings.max_size_bytes;
        let cap = cap.unwrap_or(self.config.max_size_bytes);
        // An empty body is empty in any coding: one that cannot be decoded may have no byte at all.
        let (coding, cap, refusal) = match coding {
            Ok(coding) => (coding, cap, None),
            Err(refusal) if self.settings.allow_empty => (Coding::Identity, 0, Some(refusal)),
            Err(refusal) => return Err(refusal),
        };
        let received = body::receive(
            response,
            coding,
            cap,
            self.settings.allow_empty,
            host,
            self.config,
            self.temp_dir,
        )
        .await;
        received.map_err(|failure| match refusal {
            Some(refusal) if failure.kind == FailureKind::TooLarge => refusal,
            _ => failure,
        })
    }

    /// Describes a refused status. A success without a representation of the file (such as 204) is a failure too.
    fn status_failure(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        step: &HopRequest<'_>,
    ) -> Failure {
        let mut detail = match status.canonical_reason() {
            Some(reason) => format!("{} {reason}", status.as_u16()),
            None => status.as_u16().to_string(),
        };
        if let Some(target) =
            redirect::location(headers, step.url).filter(|_| status.is_redirection())
        {
            let _ = write!(
                detail,
                ": it leads to {}, which can be fetched instead",
                self.shown(&target)
            );
        }
        // In a tunnel only the server can respond; plain http may be answered by the proxy.
        if let Some(proxy) = step.proxy.filter(|_| step.url.scheme() == "http") {
            let _ = write!(detail, " (through the proxy {})", route::proxy_name(proxy));
        }
        let now = self.clock.now();
        let is_limit = matches!(status.as_u16(), 403 | 429 | 503);
        let rate_limit = || response_head::rate_limit_reset(headers, now).filter(|_| is_limit);
        Failure {
            retry_after: response_head::retry_after(headers, now).or_else(rate_limit),
            transient: retry::is_transient(status),
            ..Failure::new(FailureKind::Status, detail)
        }
    }

    /// Prints an address for a message: the source's own with the names of its secrets, any other without a query that
    /// may repeat a secret. Secrets are struck out before the text is cut: half a secret is not always found.
    fn shown(&self, url: &Url) -> String {
        if url == self.url {
            return self.settings.address.to_string();
        }
        let mut url = url.clone();
        if !self.scrubber.is_empty() && url.query().is_some() {
            url.set_query(None);
        }
        shortened(&self.scrubber.scrub(String::from(url)), MAX_SHOWN_CHARS)
    }

    /// Returns an address as it is stored: the source's own unchanged, any other with the names of secrets, and without
    /// a query that looks secret in part. A server's signature differs in each request.
    pub(super) fn kept(&self, url: &Url) -> String {
        if url == self.url {
            return self.settings.address.to_string();
        }
        let text = self.scrubber.scrub(String::from(url.clone()));
        let clean = masked(&text);
        let kept = match clean.split_once('?') {
            Some((before, _)) if !self.scrubber.is_empty() || clean != text => {
                format!("{before}?…")
            }
            _ => clean,
        };
        shortened(&kept, MAX_SHOWN_CHARS)
    }
}

fn request_of(step: &HopRequest<'_>) -> Request {
    let mut request = Request::new(Method::GET, step.url.clone());
    let fields = request.headers_mut();
    *fields = step.fields.clone();
    fields
        .entry(ACCEPT_ENCODING)
        .or_insert(HeaderValue::from_static("gzip"));
    if let Some(validators) = step.ask.validators {
        conditions::insert(fields, validators);
    }
    request
}

fn not_modified(headers: &HeaderMap, step: &HopRequest<'_>, now: DateTime<Utc>) -> TryOutcome {
    match step.ask.validators {
        Some(sent) if conditions::confirms(headers, &step.identity, sent) => {
            TryOutcome::NotModified(conditions::renewed(headers, &step.identity, sent, now))
        }
        _ => TryOutcome::Unrequested(StatusCode::NOT_MODIFIED),
    }
}
