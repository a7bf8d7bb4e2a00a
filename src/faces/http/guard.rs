//! What every request passes before its handler: the `Host`, who asks, the origin of a write, the right, and the fields
//! of the answer that keep browsers safe.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use percent_encoding::percent_decode_str;

use super::caller::{Caller, Right};
use super::client::Client;
use super::pages;
use super::problem::Problem;
use super::shared::Shared;
use super::sign_in::sessions_of;
use crate::app::App;
use crate::config::ReadAccess;
use crate::domain::masked;

/// Fields of every answer that has none of its own.
const SAFE_FIELDS: [(HeaderName, &str); 6] = [
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        header::CONTENT_SECURITY_POLICY,
        "sandbox; default-src 'none'; frame-ancestors 'none'",
    ),
];

/// The fields that a request has once at most.
const SINGLE_FIELDS: [&str; 7] = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Origin",
    "Sec-Fetch-Site",
    "Sec-WebSocket-Key",
    "X-Forwarded-Proto",
];

/// The most times that an address in a path is decoded to look for secrets.
const MAX_ENCODINGS: usize = 4;

/// Checks a request, has it answered, and logs it.
pub(super) async fn guard(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let client = Client::of(&shared.app().config().http, &request);
    let checked = check(&shared, client, &method, request.uri(), request.headers()).await;
    let route = request.extensions().get::<MatchedPath>().cloned();
    let who = checked.as_ref().ok().and_then(|caller| caller.name.clone());
    if let Ok(caller) = &checked {
        request.extensions_mut().insert(caller.clone());
    }
    let asked = pages::Asked::of(&request);
    let response = match checked {
        Ok(_) => {
            request.extensions_mut().insert(client);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    let mut response = asked.shown(&shared, response);
    keep_safe(response.headers_mut());
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    shared.numbers().count_request(route, status, took);
    tracing::info!(
        target: "gannet::http",
        method = %method,
        path = shown_path(route, &path),
        status,
        ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        who = who.as_deref().unwrap_or("-"),
        client = %client.address,
        "request"
    );
    response
}

/// Adds the fields that keep browsers safe, but for those that the answer has of its own.
fn keep_safe(fields: &mut HeaderMap) {
    for (name, value) in SAFE_FIELDS {
        let value = HeaderValue::from_static(value);
        fields.entry(name).or_insert(value);
    }
}

/// Returns the path as the log has it, without secrets: links are secrets, mistyped ones too, and a source's address may
/// hold some.
fn shown_path(route: &str, path: &str) -> String {
    if route.contains("{link}") {
        return route.to_owned();
    }
    let mut plain = path.to_lowercase();
    // A link may be encoded, even several times.
    for _ in 0..MAX_ENCODINGS {
        for part in ["sign-in/", "links/"] {
            if let Some(at) = plain.find(part) {
                return format!("{}…", &plain[..at + part.len()]);
            }
        }
        let decoded = percent_decode_str(&plain).decode_utf8_lossy();
        plain = decoded.to_lowercase();
    }
    without_secrets(path)
}

/// Returns a path as it came if nothing in it looks like a secret. An address in it may be encoded, even several times: else
/// it is returned decoded, with each secret masked.
fn without_secrets(path: &str) -> String {
    let mut text = masked(path);
    let mut is_masked = text != path;
    for _ in 0..MAX_ENCODINGS {
        // Most paths are plain.
        let Cow::Owned(plain) = percent_decode_str(&text).decode_utf8_lossy() else {
            break;
        };
        text = masked(&plain);
        is_masked |= text != plain;
    }
    if is_masked {
        text.escape_debug().to_string()
    } else {
        path.to_owned()
    }
}

/// Returns who sent a request, or why it is refused whatever it asks for.
async fn check(
    shared: &Shared,
    client: Client,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    check_host(shared, uri, headers)?;
    check_coding(headers)?;
    check_single(shared.app().config().http.user_header.as_deref(), headers)?;
    let caller = identify(shared, client, headers).await?;
    let is_write = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    // A browser lets every site open a WebSocket here, and read what comes.
    let is_socket = headers.contains_key(header::UPGRADE) && headers.contains_key(header::ORIGIN);
    let is_from_page =
        headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    if is_write && (caller.by_cookie || is_from_page) || is_socket {
        check_origin(client.is_tls, headers)?;
    }
    Ok(caller)
}

/// Refuses a body in a coding: it would be read as what it is not.
fn check_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let is_coded = |name: HeaderName, plain: &str| {
        let mut values = headers.get_all(name).iter();
        values.any(|value| !value.as_bytes().eq_ignore_ascii_case(plain.as_bytes()))
    };
    if is_coded(header::CONTENT_ENCODING, "identity") {
        let detail = "the body is encoded (Content-Encoding): send it as it is";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    if is_coded(header::TRANSFER_ENCODING, "chunked") {
        let detail = "of transfer codings only `chunked` is known here";
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, detail));
    }
    Ok(())
}

/// Refuses a request that has a field twice of which one is meant: the parts on its way might each take another one. Of two
/// fields that name a person, one may be the client's own, to which a proxy added its.
fn check_single(user_header: Option<&str>, headers: &HeaderMap) -> Result<(), Problem> {
    let is_double = |name: &&str| headers.get_all(*name).iter().nth(1).is_some();
    let mut names = SINGLE_FIELDS.into_iter().chain(user_header);
    match names.find(is_double) {
        Some(name) => Err(Problem::invalid(format!("the request has {name} twice"))),
        None => Ok(()),
    }
}

/// Refuses a request for a host that the service is not known as: a name that an attacker points at this machine.
fn check_host(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let fields = headers.get_all(header::HOST);
    let field = fields.iter().next().and_then(|host| host.to_str().ok());
    let authority = uri.authority().map(Authority::as_str);
    // RFC 9112 §3.2: one field, which a target in absolute form repeats.
    let is_one = fields.iter().count() <= 1 && (authority.is_none() || authority == field);
    let authority = authority.or(field).filter(|_| is_one);
    // Most requests need no parser of addresses.
    if authority.is_some_and(|text| text.parse::<SocketAddr>().is_ok()) {
        return Ok(());
    }
    let is_plain = |text: &&str| !text.contains(['/', '?', '#', '@', '\\']);
    let host = authority.filter(is_plain);
    let host = host.and_then(|text| url::Url::parse(&format!("http://{text}/")).ok());
    let host = host
        .as_ref()
        .and_then(url::Url::host_str)
        .unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_known = match bare.parse::<IpAddr>() {
        Ok(_) => true,
        Err(_) => host == "localhost" || shared.app().config().http.is_known_as(host),
    };
    if is_known {
        return Ok(());
    }
    let detail = format!("the service is not known as `{}`", host.escape_debug());
    let status = StatusCode::MISDIRECTED_REQUEST;
    Err(Problem::new(status, detail)
        .hint("name the host in the configuration: [http] hosts = [\"gannet.example.org\"]"))
}

/// Returns the sender of a request, by its credential. A wrong token is an error; an ended session is an unknown sender,
/// and so is who sends credentials of another scheme: a proxy that signs people in passes on the password that it read.
pub(super) async fn identify(
    shared: &Shared,
    client: Client,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let app = shared.app();
    if let Some(secret) = bearer(headers) {
        let holder = app.holder_of_token(secret).await?;
        let detail = "the token is unknown, was revoked, or has expired";
        let refused = || Problem::new(StatusCode::UNAUTHORIZED, detail);
        return holder.map(Caller::token).ok_or_else(refused);
    }
    for secret in sessions_of(headers, client.is_tls) {
        if shared.sign_ins().is_link_session(secret, Instant::now()) {
            return Ok(Caller::operator(shared.operator().to_owned()));
        }
        if let Some(person) = app.person_of_session(secret).await? {
            return Ok(Caller::person(person));
        }
    }
    let config = app.config();
    if let Some(name) = client.user(&config.http, headers) {
        return let_in_by_proxy(app, name).await;
    }
    // What came through a proxy came from anywhere.
    let is_local = shared.is_local() && !client.is_forwarded;
    let reads = is_local && config.http.read == ReadAccess::Local;
    Ok(Caller::unknown(reads))
}

/// Returns the person whom a trusted proxy let in.
async fn let_in_by_proxy(app: &App, name: &str) -> Result<Caller, Problem> {
    let people = app.people().await?;
    let mut people = people.into_iter();
    let person = people.find(|one| one.name == name && !one.disabled);
    person.map(Caller::person).ok_or_else(|| {
        let name = name.escape_debug();
        let detail = format!("the proxy let in `{name}`, who is not known here");
        let hint = "gannet user add NAME --role viewer";
        Problem::new(StatusCode::FORBIDDEN, detail).hint(hint)
    })
}

/// Returns the token of a request (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let field = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = field.split_once(' ').unwrap_or((field, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Refuses a write that another site may have caused (Fetch Metadata, or else `Origin` against `Host`).
fn check_origin(is_tls: bool, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), ..) => site == "same-origin",
        (None, Some(origin), Some(host)) => {
            // A proxy that is not trusted may speak TLS with a client that seems to speak plain HTTP.
            let plain = origin.strip_prefix("http://").filter(|_| !is_tls);
            let authority = plain.or_else(|| origin.strip_prefix("https://"));
            authority == Some(host)
        }
        _ => false,
    };
    if is_own {
        return Ok(());
    }
    if text("sec-fetch-site").or(text("origin")).is_none() {
        let detail = "a request with a session says from where it comes, and this one does not";
        let hint =
            "browsers send Sec-Fetch-Site or Origin; a program sends a token instead of a session";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail).hint(hint));
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "the request comes from another site",
    ))
}

/// Refuses a request whose sender lacks a right.
pub(super) async fn require(right: Right, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().cloned();
    let caller = caller.unwrap_or_else(|| Caller::unknown(false));
    if caller.may(right) {
        return next.run(request).await;
    }
    let (method, path, words) = (request.method(), request.uri().path(), right.words());
    if let Some(name) = &caller.name {
        let detail = format!(
            "{method} {} is for {words}, and {name} is not",
            without_secrets(path)
        );
        return Problem::new(StatusCode::FORBIDDEN, detail).into_response();
    }
    let detail = format!("{method} {} is for {words}", without_secrets(path));
    let is_for_programs = path.starts_with("/api/") || path.starts_with("/endpoint");
    let hint = match right {
        _ if !is_for_programs => "sign in",
        Right::Push => {
            "send a token: `gannet token create NAME --role ingest`, then `Authorization: Bearer TOKEN`"
        }
        Right::Read => {
            "send a token: `gannet token create NAME --role viewer`, then `Authorization: Bearer TOKEN`"
        }
        _ => {
            "send a token: `gannet token create NAME --role operator`, then `Authorization: Bearer TOKEN`"
        }
    };
    let problem = Problem::new(StatusCode::UNAUTHORIZED, detail).hint(hint);
    problem.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_in_the_log_has_a_secret() {
        let route = "/api/v1/sources/{source}";
        for (path, expected) in [
            ("/api/v1/sources/1", "/api/v1/sources/1"),
            ("/api/v1/sources/a%20b", "/api/v1/sources/a%20b"),
            (
                "/api/v1/sources/https:%2F%2Fexample.org%2Fa%3Ftoken%3Dsecret",
                "/api/v1/sources/https://example.org/a?token=…",
            ),
            (
                "/api/v1/sources/https%3A%2F%2Fexample.org%2Fa%3Ftoken=se%26cret",
                "/api/v1/sources/https://example.org/a?token=…",
            ),
            (
                "/api/v1/sources/https:%252F%252Fexample.org%252Fa%253Fkey%253Dsecret%26b%3D1",
                "/api/v1/sources/https://example.org/a?key=…&b=1",
            ),
            (
                "/api/v1/sources/https:%2F%2Fjoe:secret%40example.org%2F",
                "/api/v1/sources/https://joe:…",
            ),
            (
                "/api/v1/sources/https:%2F%2Fexample.org%2F%3Ftoken%3Dsecret%26b%3D%0A",
                "/api/v1/sources/https://example.org/?token=…&b=\\n",
            ),
            ("/links/secret", "/links/…"),
        ] {
            assert_eq!(shown_path(route, path), expected, "{path}");
        }
    }
}
