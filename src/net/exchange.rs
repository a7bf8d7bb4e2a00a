//! One try: a chain of redirects, each hop checked, that ends in an answer. Conditions go only to the address that gave
//! them, and what may carry a secret only to the origin of the source.
//!
//! Never tries twice and never waits for a better moment: the attempt decides on that.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Method, Request, Response, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::answer::{self, Coding};
use super::body;
use super::cause::Via;
use super::client::{ClientKind, Clients, Reuse};
use super::conditions::{self, RequestIdentity};
use super::failure::Failure;
use super::guard;
use super::limits::Admission;
use super::redirect::{self, Refusal};
use super::retry;
use super::route::{self, host_of};
use super::secret::Scrubber;
use super::trail::Trail;
use crate::clock::Clock;
use crate::config::FetchConfig;
use crate::domain::{
    Content, Digest, FailureKind, LastModified, SourceSettings, Validators, duration_words, masked,
    safe_part, segment_name, shortened,
};

/// The longest address that a message repeats.
const MAX_SHOWN_CHARS: usize = 200;

/// What a try needs.
pub(super) struct Exchange<'a> {
    pub(super) clients: &'a Clients,
    pub(super) config: &'a FetchConfig,
    pub(super) temp_dir: &'a Arc<Path>,
    pub(super) settings: &'a SourceSettings,
    /// The source's address, secrets filled in.
    pub(super) url: &'a Url,
    /// The secrets that the request holds.
    pub(super) scrubber: &'a Scrubber,
    /// The caller's fields, secrets filled in; the sensitive ones only for the origin of `url`.
    pub(super) headers: &'a HeaderMap,
    /// Read when an answer is there: what `Retry-After` counts from.
    pub(super) clock: &'a dyn Clock,
}

/// How a try asks.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    /// What to ask with whether the file changed.
    pub(super) validators: Option<&'a Validators>,
    pub(super) http1_only: bool,
    pub(super) reuse: Reuse,
}

/// One request of a try.
struct Step<'a> {
    url: &'a Url,
    /// Names the server in messages.
    host: &'a str,
    proxy: Option<&'a Url>,
    /// The source's fields that go there.
    fields: HeaderMap,
    identity: RequestIdentity,
    /// With the validators that the same request was given.
    ask: Ask<'a>,
}

/// How a try ended well.
pub(super) enum Answer {
    /// A complete body.
    Fetched(Box<Fetched>),
    /// 304, as asked.
    NotModified(Validators),
    /// 206, or a 304 that was not asked for or is about other content than the one that is kept.
    Unrequested(StatusCode),
}

/// Where one request led.
enum Hop {
    End(Answer),
    On(Url),
}

/// A complete body, and what its head said.
pub(super) struct Fetched {
    pub(super) content: Content,
    pub(super) digest: Digest,
    pub(super) validators: Validators,
    pub(super) name: String,
    pub(super) media_type: Option<String>,
    pub(super) last_modified: Option<LastModified>,
}

impl Exchange<'_> {
    /// Makes the try within its total time, and notes in `trail` what is asked and answered. With an admission each hop waits
    /// for its turn at its host; that time is not the server's and does not count.
    pub(super) async fn run(
        &self,
        ask: Ask<'_>,
        trail: &mut Trail,
        mut admission: Option<&mut Admission>,
    ) -> Result<Answer, Failure> {
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
                Hop::End(answer) => return Ok(answer),
                Hop::On(target) => target,
            };
            let shown = |url: &Url| self.shown(url);
            if let Some(problem) = redirect::chain_problem(trail.visited(), &target, shown) {
                return Err(Failure::new(FailureKind::Redirect, problem));
            }
            // Once away, the caller's fields stay away, even when the chain comes back.
            same_origin &= target.origin() == self.url.origin();
            url = target;
        }
    }

    fn step<'a>(
        &'a self,
        url: &'a Url,
        host: &'a str,
        same_origin: bool,
        ask: Ask<'a>,
    ) -> Step<'a> {
        let fields = self.fields(same_origin);
        let identity = RequestIdentity::new(url, self.url, &fields, self.scrubber);
        let validators = conditions::for_request(ask.validators, &identity);
        Step {
            url,
            host,
            proxy: self.clients.ways.proxy_for(url),
            fields,
            identity,
            ask: Ask { validators, ..ask },
        }
    }

    fn out_of_time(&self) -> Failure {
        let limit = duration_words(self.config.total_timeout);
        let detail = format!("timed out after {limit}, the time for one try");
        Failure::new(FailureKind::Timeout, detail)
    }

    /// Makes one request and reads its answer.
    async fn hop(&self, step: &Step<'_>, trail: &mut Trail) -> Result<Hop, Failure> {
        let mut response = self.send(step).await?;
        self.scrubber.scrub_fields(response.headers_mut());
        trail.note_answer(&response);
        let headers = response.headers();
        let answer = match response.status() {
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => {
                self.receive(response, step).await?
            }
            StatusCode::NOT_MODIFIED => not_modified(headers, step, self.clock.now()),
            StatusCode::PARTIAL_CONTENT => Answer::Unrequested(StatusCode::PARTIAL_CONTENT),
            code if matches!(code.as_u16(), 301 | 302 | 303 | 307 | 308) => {
                return self.target(&response, step.url).map(Hop::On);
            }
            refusal => return Err(self.status_failure(refusal, headers, step)),
        };
        Ok(Hop::End(answer))
    }

    /// Holds an address to what the operator allowed: scheme and literal hosts.
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

    /// Returns the fields that the source or the configuration sets, for a request to the source's origin or to another one.
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

    async fn send(&self, step: &Step<'_>) -> Result<Response, Failure> {
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
            let via = Via {
                host: step.host,
                proxy: step.proxy.map(route::proxy_name),
                scrubber: self.scrubber,
            };
            Failure::of_request(&*error, &via, self.config.connect_timeout)
        })?;
        self.check_peer(&response, step)?;
        Ok(response)
    }

    /// The last of the three checks: whatever way an address took, this is where the bytes come from.
    fn check_peer(&self, response: &Response, step: &Step<'_>) -> Result<(), Failure> {
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

    /// Reads where a redirect leads, and refuses what no redirect may lead to.
    fn target(&self, response: &Response, from: &Url) -> Result<Url, Failure> {
        let target = redirect::target(response.headers(), from, |url| self.shown(url));
        target.map_err(|refusal| {
            let from = self.shown(from);
            match refusal {
                Refusal::Unreadable(what) => {
                    let status = response.status().as_u16();
                    let detail = format!("{from} answered {status} {what}");
                    Failure::new(FailureKind::Redirect, detail)
                }
                Refusal::Forbidden(what) => {
                    let detail = format!("{from} redirects to {what}");
                    Failure::new(FailureKind::Forbidden, detail)
                }
            }
        })
    }

    async fn receive(&self, response: Response, step: &Step<'_>) -> Result<Answer, Failure> {
        let headers = response.headers();
        answer::check_framing(headers)?;
        let name = answer::file_name(headers, self.scrubber)
            .unwrap_or_else(|| segment_name(&self.settings.address.to_url()));
        let validators = conditions::validators(headers, &step.identity, self.clock.now());
        let media_type = answer::media_type(headers);
        let last_modified = answer::last_modified(headers, self.clock.now());
        let cap = self
            .settings
            .max_size_bytes
            .unwrap_or(self.config.max_size_bytes);
        let coding = answer::coding(headers, &[&name, &segment_name(step.url)]);
        // An empty body is empty whatever its coding: not a byte more is taken of one that cannot be undone.
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
            step.host,
            self.config,
            self.temp_dir,
        )
        .await;
        let (content, digest) = received.map_err(|failure| match refusal {
            Some(refusal) if failure.kind == FailureKind::TooLarge => refusal,
            _ => failure,
        })?;
        Ok(Answer::Fetched(Box::new(Fetched {
            content,
            digest,
            validators,
            name: safe_part(&name).unwrap_or(name),
            media_type,
            last_modified,
        })))
    }

    /// A success without a representation of the file (204, say) is no state of the file either.
    fn status_failure(&self, status: StatusCode, headers: &HeaderMap, step: &Step<'_>) -> Failure {
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
        // Through a tunnel only the server itself can answer; plain http is answered by the proxy, too.
        if let Some(proxy) = step.proxy.filter(|_| step.url.scheme() == "http") {
            let _ = write!(detail, " (through the proxy {})", route::proxy_name(proxy));
        }
        let now = self.clock.now();
        let is_limit = matches!(status.as_u16(), 403 | 429 | 503);
        let rate_limit = || answer::rate_limit_reset(headers, now).filter(|_| is_limit);
        Failure {
            retry_after: answer::retry_after(headers, now).or_else(rate_limit),
            transient: retry::is_transient(status),
            ..Failure::new(FailureKind::Status, detail)
        }
    }

    /// Shows an address in a message: the source's own with secrets by name, any other without its query if it may
    /// repeat one. Secrets are struck out before it is cut: half of one is not found everywhere.
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

    /// Returns an address as it is kept for good: the source's own as the source has it, any other with secrets by name, and without
    /// its query where a part of it looks like a secret. What a server signs is another with each request.
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

fn request_of(step: &Step<'_>) -> Request {
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

fn not_modified(headers: &HeaderMap, step: &Step<'_>, now: DateTime<Utc>) -> Answer {
    match step.ask.validators {
        Some(sent) if conditions::confirms(headers, &step.identity, sent) => {
            Answer::NotModified(conditions::renewed(headers, &step.identity, sent, now))
        }
        _ => Answer::Unrequested(StatusCode::NOT_MODIFIED),
    }
}
