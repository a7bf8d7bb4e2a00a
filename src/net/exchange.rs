//! One try: a chain of redirects, each hop checked, that ends in an answer.
//!
//! Never tries twice and never waits for a better moment: the attempt decides on that.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use reqwest::header::{
    ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION,
};
use reqwest::{Method, Request, Response, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::answer;
use super::body;
use super::client::Clients;
use super::failure::{Failure, seconds};
use super::guard;
use super::limits::Admission;
use super::retry;
use super::secret::Scrubber;
use crate::clock::Clock;
use crate::config::FetchConfig;
use crate::domain::{
    Content, Digest, FailureKind, SourceSettings, Validators, safe_part, segment_name,
};

/// Redirects of one try.
const MAX_REDIRECTS: usize = 10;

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
    /// The caller's fields, secrets filled in; only for the origin of `url`.
    pub(super) headers: &'a HeaderMap,
    /// Read when an answer is there: what `Retry-After` counts from.
    pub(super) clock: &'a dyn Clock,
}

/// How a try ended well.
pub(super) enum Answer {
    /// A complete body.
    Fetched(Box<Fetched>),
    /// 304, as asked.
    NotModified(Validators),
    /// 304 or 206, and it was not asked for.
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
    pub(super) last_modified: Option<DateTime<Utc>>,
}

impl Exchange<'_> {
    /// Makes the try within its total time. `status` is set to that of the last answer. With an admission each hop waits
    /// for its turn at its host; that time is not the server's and does not count.
    pub(super) async fn run(
        &self,
        validators: Option<&Validators>,
        status: &mut Option<u16>,
        mut admission: Option<&mut Admission>,
    ) -> Result<Answer, Failure> {
        let mut deadline = Instant::now() + self.config.total_timeout;
        let mut url = self.url.clone();
        let mut visited: Vec<Url> = Vec::new();
        let mut same_origin = true;
        loop {
            self.check_address(&url)?;
            let host = if visited.is_empty() {
                self.settings.address.host()
            } else {
                host_of(&url)
            };
            if let Some(admission) = admission.as_deref_mut() {
                let asked = Instant::now();
                admission.move_to(&host).await;
                deadline += asked.elapsed();
            }
            let hop = self.hop(&url, &host, same_origin, validators, status);
            let hop = tokio::time::timeout_at(deadline, hop).await;
            let target = match hop.map_err(|_| self.out_of_time())?? {
                Hop::End(answer) => return Ok(answer),
                Hop::On(target) => target,
            };
            visited.push(url);
            self.check_chain(&visited, &target)?;
            // Once away, the caller's fields stay away, even when the chain comes back.
            same_origin &= target.origin() == self.url.origin();
            url = target;
        }
    }

    fn out_of_time(&self) -> Failure {
        let limit = seconds(self.config.total_timeout);
        let detail = format!("timed out after {limit}, the time for one try");
        Failure::new(FailureKind::Timeout, detail)
    }

    /// Makes one request and reads its answer.
    async fn hop(
        &self,
        url: &Url,
        host: &str,
        same_origin: bool,
        validators: Option<&Validators>,
        status: &mut Option<u16>,
    ) -> Result<Hop, Failure> {
        let mut response = self.send(url, host, same_origin, validators).await?;
        self.scrubber.scrub_fields(response.headers_mut());
        *status = Some(response.status().as_u16());
        let answer = match response.status() {
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => {
                self.receive(response, url, host).await?
            }
            StatusCode::NOT_MODIFIED => not_modified(response.headers(), validators),
            StatusCode::PARTIAL_CONTENT => Answer::Unrequested(StatusCode::PARTIAL_CONTENT),
            redirect if matches!(redirect.as_u16(), 301 | 302 | 303 | 307 | 308) => {
                return self.target(&response, url).map(Hop::On);
            }
            refusal => return Err(self.status_failure(refusal, response.headers())),
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

    async fn send(
        &self,
        url: &Url,
        host: &str,
        same_origin: bool,
        validators: Option<&Validators>,
    ) -> Result<Response, Failure> {
        let mut request = Request::new(Method::GET, url.clone());
        let fields = request.headers_mut();
        fields.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        if same_origin {
            for name in self.headers.keys() {
                fields.remove(name);
            }
            let own = self.headers.iter();
            fields.extend(
                own.map(|(name, value)| (Some(name.clone()), value.clone()))
                    .collect::<Vec<_>>(),
            );
        }
        if let Some(validators) = validators {
            insert_verbatim(fields, IF_NONE_MATCH, validators.etag.as_deref());
            insert_verbatim(
                fields,
                IF_MODIFIED_SINCE,
                validators.last_modified.as_deref(),
            );
        }
        let client = self.clients.get(self.settings.allow_private);
        let limit = self.config.read_timeout;
        let Ok(result) = tokio::time::timeout(limit, client.execute(request)).await else {
            let limit = seconds(limit);
            let detail = format!("timed out after {limit} waiting for the server's answer");
            return Err(Failure::passing(FailureKind::Timeout, detail));
        };
        let response = result.map_err(|error| {
            // Behind a proxy it may be the proxy that cannot be reached.
            let via = self
                .config
                .proxy
                .as_ref()
                .map_or("", |_| " (through the proxy)");
            Failure::of_request(&error, &format!("{host}{via}"), self.config.connect_timeout)
        })?;
        self.check_peer(&response)?;
        Ok(response)
    }

    /// The last of the three checks: whatever way an address took, this is where the bytes come from.
    fn check_peer(&self, response: &Response) -> Result<(), Failure> {
        if self.config.proxy.is_some() {
            return Ok(());
        }
        let Some(peer) = response.remote_addr() else {
            let detail = "the server's address is not known, so it cannot be checked";
            return Err(Failure::new(FailureKind::Forbidden, detail));
        };
        guard::check(peer.ip(), self.settings.allow_private)?;
        Ok(())
    }

    /// Reads where a redirect leads (RFC 9110 §10.2.2), and refuses what no redirect may lead to.
    fn target(&self, response: &Response, from: &Url) -> Result<Url, Failure> {
        let status = response.status().as_u16();
        let failed = |what: &str| {
            let detail = format!("{} answered {status} {what}", self.shown(from));
            Failure::new(FailureKind::Redirect, detail)
        };
        let field = response.headers().get(LOCATION);
        let field = field.ok_or_else(|| failed("without a Location"))?;
        let mut target = std::str::from_utf8(field.as_bytes())
            .ok()
            .and_then(|location| from.join(location).ok())
            .ok_or_else(|| failed("with a Location that is not an address"))?;
        target.set_fragment(None);
        let forbidden = |what: &str| {
            let detail = format!("{} redirects to {what}", self.shown(from));
            Err(Failure::new(FailureKind::Forbidden, detail))
        };
        if !target.username().is_empty() || target.password().is_some() {
            return forbidden("an address with a user name or password");
        }
        match (from.scheme(), target.scheme()) {
            (_, "https") | ("http", "http") => Ok(target),
            (_, "http") => forbidden(&format!("plain http: {}", self.shown(&target))),
            (_, other) => forbidden(&format!("the scheme `{other}`: only https is followed")),
        }
    }

    fn check_chain(&self, visited: &[Url], target: &Url) -> Result<(), Failure> {
        let last = visited
            .last()
            .map(|url| self.shown(url))
            .unwrap_or_default();
        let shown = self.shown(target);
        let detail = if visited.contains(target) {
            format!("redirect loop: {last} leads back to {shown}")
        } else if visited.len() > MAX_REDIRECTS {
            format!("more than {MAX_REDIRECTS} redirects: the last leads from {last} to {shown}")
        } else {
            return Ok(());
        };
        Err(Failure::new(FailureKind::Redirect, detail))
    }

    async fn receive(&self, response: Response, url: &Url, host: &str) -> Result<Answer, Failure> {
        let headers = response.headers();
        answer::check_framing(headers)?;
        let name = answer::file_name(headers)
            .unwrap_or_else(|| segment_name(&self.settings.address.to_url()));
        let validators = answer::validators(headers);
        let media_type = answer::media_type(headers);
        let last_modified = answer::last_modified(headers, self.clock.now());
        let coding = answer::coding(headers, &[&name, &segment_name(url)])?;
        let cap = self
            .settings
            .max_size_bytes
            .unwrap_or(self.config.max_size_bytes);
        let (content, digest) =
            body::receive(response, coding, cap, host, self.config, self.temp_dir).await?;
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
    fn status_failure(&self, status: StatusCode, headers: &HeaderMap) -> Failure {
        let detail = match status.canonical_reason() {
            Some(reason) => format!("{} {reason}", status.as_u16()),
            None => status.as_u16().to_string(),
        };
        Failure {
            retry_after: answer::retry_after(headers, self.clock.now()),
            transient: retry::is_transient(status),
            ..Failure::new(FailureKind::Status, detail)
        }
    }

    /// Shows an address in a message: the source's own with secrets by name, any other without its query if it may
    /// repeat one.
    fn shown(&self, url: &Url) -> String {
        if url == self.url {
            return self.settings.address.to_string();
        }
        let mut url = url.clone();
        if !self.scrubber.is_empty() && url.query().is_some() {
            url.set_query(None);
        }
        let text = String::from(url);
        match text.char_indices().nth(MAX_SHOWN_CHARS) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }
}

fn not_modified(headers: &HeaderMap, sent: Option<&Validators>) -> Answer {
    match sent {
        Some(sent) => Answer::NotModified(answer::renewed_validators(headers, sent)),
        None => Answer::Unrequested(StatusCode::NOT_MODIFIED),
    }
}

fn insert_verbatim(fields: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    // A validator that no field can carry never came from one: it is not sent.
    if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
        fields.insert(name, value);
    }
}

pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
