//! Webhooks: one signed request to a configured address, and its response.
//!
//! Never follows a redirect. Never tries twice, except at once when an idle connection closed before any byte of the
//! response, or the server requires HTTP/1.1; the caller decides on other retries. A broken body fails a request for a
//! verdict, but never a delivery whose head has arrived.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Method, Request, Response, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::cause::RequestPeer;
use super::client::{ClientKind, Clients, Reuse};
use super::error::{NetError, WebhookError};
use super::failure::Failure;
use super::guard;
use super::incoming::Incoming;
use super::login::{basic, login_of};
use super::proxy::CHECK_LOGIN;
use super::response_head;
use super::route::{self, Routes, host_of};
use super::secret::{Scrubber, expand_configured, expand_signing};
use super::signature::Signer;
use super::upload::Upload;
use crate::config::{FetchConfig, Secrets};
use crate::domain::{Content, FailureKind};

/// Most bytes of a response: a verdict with its reasons, not a file.
const MAX_RESPONSE_BYTES: usize = 64 << 10;

/// The media type of a body of unknown type.
const UNKNOWN_MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/octet-stream");

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Sends webhooks (Standard Webhooks 1.0.0). Made once, on first use: making one reads the certificates.
///
/// Private and loopback addresses and plain http are allowed, since the operator configured the address; addresses that
/// no source may reach (link-local, metadata services, multicast, unspecified) are refused. Requests use the configured
/// proxy as fetches do, except to this machine.
pub struct Webhooks {
    clients: Clients,
    config: FetchConfig,
    secrets: Secrets,
}

/// One POST.
#[derive(Clone, Copy)]
pub struct WebhookRequest<'a> {
    /// The address, http or https. `${NAME}` stands for a secret; a user name and password are sent as `Authorization:
    /// Basic`.
    pub url: &'a str,
    /// The signing secret, if the message is signed: base64, with or without `whsec_`. `${NAME}` stands for a secret.
    pub secret: Option<&'a str>,
    /// `webhook-id`: the same for every try of one message. Visible ASCII without a full stop.
    pub id: &'a str,
    /// `webhook-timestamp`: the time of this try.
    pub timestamp: DateTime<Utc>,
    /// More headers. All but visible ASCII is percent-encoded in a value, and so is `%`: decoding restores the text.
    /// Never for secrets.
    pub headers: &'a [(&'a str, String)],
    /// `Content-Type`; `application/octet-stream` when there is none.
    pub media_type: Option<&'a str>,
    /// The body, sent with its length. A file is read in pieces, twice when the message is signed.
    pub body: &'a Content,
    /// Time limit from reading the body to the end of the response.
    pub timeout: Duration,
}

/// A response, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookResponse {
    /// The status, such as 200, or that of a redirect.
    pub status: u16,
    /// `Content-Type` with its parameters.
    pub media_type: Option<String>,
    /// At most 64 KiB; for a delivery, as much as arrived. The request's secrets are struck out.
    pub body: Bytes,
}

impl Webhooks {
    /// Returns a client with the certificates, the proxy, the user agent and the connect time-out of this
    /// configuration.
    ///
    /// Fails when a certificate file cannot be read, or a secret of the proxy has no value.
    pub fn new(config: &FetchConfig, secrets: Secrets) -> Result<Self, NetError> {
        Ok(Self {
            clients: Clients::new(config, &secrets)?,
            config: config.clone(),
            secrets,
        })
    }

    /// Sends one message and returns the whole response, for a verdict. Dropping the future cancels the request.
    pub async fn post(&self, request: WebhookRequest<'_>) -> Result<WebhookResponse, WebhookError> {
        self.send(request, BodyNeed::Whole).await
    }

    /// Sends one message and returns the response with as much of its body as arrives, for a delivery, which the status
    /// decides. A body that is cut off, late or too long is shortened, not an error. Dropping the future cancels the
    /// request.
    pub async fn deliver(
        &self,
        request: WebhookRequest<'_>,
    ) -> Result<WebhookResponse, WebhookError> {
        self.send(request, BodyNeed::RawHead).await
    }

    async fn send(
        &self,
        request: WebhookRequest<'_>,
        need: BodyNeed,
    ) -> Result<WebhookResponse, WebhookError> {
        let mut target = Target::new(request.url, &self.clients.ways, &self.secrets)?;
        let mut fields = fields(&request)?;
        let signer = self.signer(&request, &mut target.scrubber)?;
        let deadline = Instant::now() + request.timeout;
        let response = within(deadline, request.timeout, &target, async {
            if let Some(signer) = signer {
                let signature = signer.sign(request.body).await;
                fields.insert(SIGNATURE, ascii(&signature.map_err(WebhookError::Body)?));
            }
            let post = OutgoingMessage {
                method: Method::POST,
                fields,
                body: Some(request.body),
            };
            self.exchange(&post, &target).await
        })
        .await?;
        match need {
            BodyNeed::Whole => {
                let answer = target.read(response);
                within(deadline, request.timeout, &target, answer).await
            }
            BodyNeed::RawHead => Ok(target.read_in_part(response, deadline).await),
        }
    }

    /// Requests an address by GET, for a heartbeat, and returns the response as [`Self::deliver`] does. `url` is as in
    /// [`WebhookRequest`].
    pub async fn get(&self, url: &str, timeout: Duration) -> Result<WebhookResponse, WebhookError> {
        let target = Target::new(url, &self.clients.ways, &self.secrets)?;
        let get = OutgoingMessage {
            method: Method::GET,
            fields: HeaderMap::new(),
            body: None,
        };
        let deadline = Instant::now() + timeout;
        let response = within(deadline, timeout, &target, self.exchange(&get, &target)).await?;
        Ok(target.read_in_part(response, deadline).await)
    }

    /// Returns the signer. The secret is struck out too: a receiver that checks the signature may repeat it.
    fn signer(
        &self,
        request: &WebhookRequest<'_>,
        scrubber: &mut Scrubber,
    ) -> Result<Option<Signer>, WebhookError> {
        let Some(secret) = request.secret else {
            return Ok(None);
        };
        let secret = expand_signing(secret, &self.secrets, scrubber)
            .map_err(|failure| WebhookError::of(failure, scrubber))?;
        let signer = Signer::new(&secret, request.id, request.timestamp.timestamp());
        let unusable = "the signing secret is unusable: expected whsec_ and base64";
        signer
            .map(Some)
            .ok_or_else(|| WebhookError::Unusable(unusable.to_owned()))
    }

    /// Sends a message and returns the head of the response. Sends it once more, over a new connection, when an idle
    /// one closed before any byte of the response.
    async fn exchange(
        &self,
        message: &OutgoingMessage<'_>,
        target: &Target<'_>,
    ) -> Result<Response, WebhookError> {
        let mut kind = ClientKind {
            allow_private: true,
            proxied: target.proxy.is_some(),
            http1_only: false,
            reuse: Reuse::Short,
        };
        let mut may_repeat = true;
        loop {
            let (request, upload) = message.request(target).await?;
            let failure = match self.clients.execute(kind, request).await {
                Ok(response) => return checked(response, target),
                Err(error) => self.failure(&*error, target),
            };
            if let Some(error) = upload.and_then(|upload| upload.failure()) {
                return Err(WebhookError::Body(error));
            }
            if !(may_repeat && (failure.is_stale || failure.wants_http1)) {
                return Err(target.explain(failure));
            }
            may_repeat = false;
            kind.http1_only = failure.wants_http1;
            kind.reuse = Reuse::Never;
        }
    }

    fn failure(&self, error: &(dyn StdError + 'static), target: &Target<'_>) -> Failure {
        let via = RequestPeer {
            host: &target.host,
            proxy: target.proxy.map(route::proxy_name),
            scrubber: &target.scrubber,
        };
        Failure::of_request(error, &via, self.config.connect_timeout)
    }
}

/// Checks that a response came from an allowed address, and is no refusal of a proxy.
fn checked(response: Response, target: &Target<'_>) -> Result<Response, WebhookError> {
    if let Some(proxy) = target.proxy.filter(|_| target.url.scheme() == "http")
        && response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
    {
        // Only a proxy responds with this status (RFC 9110 §15.5.8).
        let detail = format!(
            "the proxy {} answered 407: {CHECK_LOGIN}",
            route::proxy_name(proxy)
        );
        return Err(target.explain(Failure::new(FailureKind::Connect, detail)));
    }
    if target.proxy.is_none() {
        check_peer(&response).map_err(|failure| target.explain(failure))?;
    }
    Ok(response)
}

/// The message, which can be sent more than once.
struct OutgoingMessage<'a> {
    method: Method,
    /// Header fields beside those of the target.
    fields: HeaderMap,
    body: Option<&'a Content>,
}

impl OutgoingMessage<'_> {
    /// Returns the request, and the upload to ask for the cause of a failure.
    async fn request(
        &self,
        target: &Target<'_>,
    ) -> Result<(Request, Option<Upload>), WebhookError> {
        let mut request = target.request(self.method.clone());
        request.headers_mut().extend(self.fields.clone());
        let Some(content) = self.body else {
            return Ok((request, None));
        };
        let opened = Upload::open(content).await;
        let (body, upload) = opened.map_err(WebhookError::Body)?;
        *request.body_mut() = Some(body);
        Ok((request, Some(upload)))
    }
}

/// How much of a response must arrive.
#[derive(Clone, Copy)]
enum BodyNeed {
    Whole,
    RawHead,
}

/// The address of a request, and its name in messages.
struct Target<'a> {
    url: Url,
    authorization: Option<HeaderValue>,
    proxy: Option<&'a Url>,
    host: String,
    scrubber: Scrubber,
}

impl<'a> Target<'a> {
    fn new(text: &str, ways: &'a Routes, secrets: &Secrets) -> Result<Self, WebhookError> {
        let mut scrubber = ways.login().clone();
        let mut url = expand_configured(text, secrets, &mut scrubber)
            .map_err(|failure| WebhookError::of(failure, &scrubber))?;
        if !matches!(url.scheme(), "http" | "https") {
            let detail = "the address of a webhook is neither http nor https".to_owned();
            return Err(WebhookError::Unusable(detail));
        }
        let authorization = login_of(&url).and_then(|(user, password)| basic(&user, &password));
        // Cannot fail: the scheme was checked, and its addresses may lack both.
        let _ = (url.set_username(""), url.set_password(None));
        let target = Self {
            host: scrubber.scrub(host_of(&url)),
            // This machine's names mean another machine at the proxy.
            proxy: ways
                .proxy_for(&url)
                .filter(|_| !guard::is_this_machine(&url)),
            authorization,
            url,
            scrubber,
        };
        guard::check_literal(&target.url, true)
            .map_err(|refused| target.explain(refused.into()))?;
        Ok(target)
    }

    fn request(&self, method: Method) -> Request {
        let mut request = Request::new(method, self.url.clone());
        let fields = request.headers_mut();
        fields.extend(
            self.authorization
                .clone()
                .map(|value| (AUTHORIZATION, value)),
        );
        request
    }

    fn explain(&self, failure: Failure) -> WebhookError {
        WebhookError::of(failure, &self.scrubber)
    }

    async fn read(&self, mut response: Response) -> Result<WebhookResponse, WebhookError> {
        response_head::check_framing(response.headers())
            .map_err(|failure| self.explain(failure))?;
        let head = self.head(&mut response);
        let mut incoming = Incoming::new(response);
        let mut body = Vec::new();
        self.fill(&mut body, &mut incoming).await?;
        incoming
            .check_end()
            .map_err(|failure| self.explain(failure))?;
        Ok(WebhookResponse {
            body: self.scrubbed(body),
            ..head
        })
    }

    /// Reads a response whose head suffices: the body up to the deadline.
    async fn read_in_part(&self, mut response: Response, deadline: Instant) -> WebhookResponse {
        let head = self.head(&mut response);
        let mut incoming = Incoming::new(response);
        let mut body = Vec::new();
        let filled = tokio::time::timeout_at(deadline, self.fill(&mut body, &mut incoming)).await;
        if let Ok(Err(error)) = filled {
            tracing::debug!("the body of an answer was cut: {error}");
        }
        WebhookResponse {
            body: self.scrubbed(body),
            ..head
        }
    }

    fn head(&self, response: &mut Response) -> WebhookResponse {
        self.scrubber.scrub_fields(response.headers_mut());
        WebhookResponse {
            status: response.status().as_u16(),
            media_type: response_head::media_type(response.headers()),
            body: Bytes::new(),
        }
    }

    async fn fill(&self, body: &mut Vec<u8>, incoming: &mut Incoming) -> Result<(), WebhookError> {
        loop {
            let next = incoming.next().await;
            let next = next.map_err(|error| self.explain(incoming.failure(&error, &self.host)))?;
            let Some(chunk) = next else { return Ok(()) };
            if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
                return Err(WebhookError::TooLarge {
                    host: self.host.clone(),
                    max_bytes: MAX_RESPONSE_BYTES,
                });
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// Strikes secrets out of a body: many servers repeat an address that they do not know.
    fn scrubbed(&self, body: Vec<u8>) -> Bytes {
        if self.scrubber.is_empty() {
            return body.into();
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        self.scrubber.scrub(text).into()
    }
}

/// The last of the guard's checks, after literals and the resolver: the peer of the connection.
fn check_peer(response: &Response) -> Result<(), Failure> {
    let Some(peer) = response.remote_addr() else {
        let detail = "the server's address is not known, so it cannot be checked";
        return Err(Failure::new(FailureKind::Forbidden, detail));
    };
    guard::check(peer.ip(), true)?;
    Ok(())
}

async fn within<T>(
    deadline: Instant,
    limit: Duration,
    target: &Target<'_>,
    work: impl Future<Output = Result<T, WebhookError>>,
) -> Result<T, WebhookError> {
    let ended = tokio::time::timeout_at(deadline, work).await;
    ended.unwrap_or_else(|_| Err(WebhookError::timed_out(&target.host, limit)))
}

/// Returns all headers but the signature. The protocol's own come last, so that no other can replace them.
fn fields(request: &WebhookRequest<'_>) -> Result<HeaderMap, WebhookError> {
    let mut fields = HeaderMap::with_capacity(request.headers.len() + 5);
    for (name, value) in request.headers {
        let field = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| WebhookError::Unusable(format!("the header `{name}` cannot be set")))?;
        fields.append(field, ascii(&encoded(value)));
    }
    let is_id = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
    if request.id.is_empty() || !request.id.bytes().all(is_id) {
        let detail = format!("the message id `{}` cannot be sent", encoded(request.id));
        return Err(WebhookError::Unusable(detail));
    }
    fields.insert(ID, ascii(request.id));
    fields.insert(TIMESTAMP, HeaderValue::from(request.timestamp.timestamp()));
    let media_type = request.media_type.map(HeaderValue::from_str);
    let media_type = media_type.and_then(Result::ok);
    fields.insert(CONTENT_TYPE, media_type.unwrap_or(UNKNOWN_MEDIA_TYPE));
    fields.insert(CONTENT_LENGTH, HeaderValue::from(request.body.size_bytes()));
    Ok(fields)
}

fn ascii(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("visible ASCII and spaces only")
}

const NOT_VISIBLE: &AsciiSet = &CONTROLS.add(b'%');

/// Percent-encodes a value (RFC 3986 §2.1) so that any header can hold it and decoding restores it: all but visible
/// ASCII, `%`, and outer spaces, which HTTP drops (RFC 9110 §5.5).
fn encoded(value: &str) -> String {
    let inner = value.trim_matches(' ');
    let start = value.len() - value.trim_start_matches(' ').len();
    let end = value.len() - start - inner.len();
    let inner = utf8_percent_encode(inner, NOT_VISIBLE);
    format!("{}{inner}{}", "%20".repeat(start), "%20".repeat(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_so_that_decoding_gives_them_back() {
        for (value, expected) in [
            ("prices 2026.csv", "prices 2026.csv"),
            ("ceník.csv", "cen%C3%ADk.csv"),
            ("価格", "%E4%BE%A1%E6%A0%BC"),
            ("100%25", "100%2525"),
            (" a  b ", "%20a  b%20"),
            ("  ", "%20%20"),
            ("a\r\nx: y\0\x7f", "a%0D%0Ax: y%00%7F"),
            ("", ""),
        ] {
            assert_eq!(encoded(value), expected, "{value:?}");
            let field = ascii(&encoded(value));
            assert_eq!(field.as_bytes(), expected.as_bytes());
        }
    }
}
