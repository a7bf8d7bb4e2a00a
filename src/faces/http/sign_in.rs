//! How people sign in to the pages: by name and password, or once by a link that `gannet serve` prints on its terminal.
//!
//! A browser carries the secret of its session in a cookie that no script reads and no other site sends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::problem::Problem;
use crate::app::{Result, SessionSecret};
use crate::domain::Digest;

/// The name of the cookie. Over TLS it has the prefix `__Host-` (RFC 6265bis §4.1.3.2).
const COOKIE: &str = "gannet_session";
/// How long a link that signs its reader in can be used, once.
const LINK_LASTS: Duration = Duration::from_mins(10);
/// How long a session by a link lasts; it ends with the process, too.
const LINK_SESSION_LASTS: Duration = Duration::from_hours(12);
/// Failed attempts to sign in after which every further one waits.
const FREE_FAILURES: u32 = 5;
/// The time after which failures are forgotten.
const FAILURES_LAST: Duration = Duration::from_mins(15);
/// The most attempts to sign in at once, waiting ones included.
const MAX_AT_ONCE: usize = 64;
/// The names and addresses whose failures are remembered.
const MAX_REMEMBERED: usize = 10_000;

/// The links and their sessions, and the failures of signing in. Kept in memory: they end with the process.
pub(super) struct SignIns {
    state: Mutex<State>,
    turns: Semaphore,
}

impl Default for SignIns {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            turns: Semaphore::new(MAX_AT_ONCE),
        }
    }
}

#[derive(Default)]
struct State {
    /// The digest of the link's secret, and its end.
    link: Option<(Digest, Instant)>,
    /// The sessions of links by the digests of their secrets, with their ends.
    sessions: HashMap<Digest, Instant>,
    /// Failures by name and by address, with the time of the last one.
    failures: HashMap<String, (u32, Instant)>,
}

impl SignIns {
    /// Takes one of the places of attempts to sign in; a problem when all are taken.
    pub(super) fn turn(&self) -> std::result::Result<SemaphorePermit<'_>, Problem> {
        self.turns.try_acquire().map_err(|_| {
            let detail = "too many people are signing in at the moment: try again in a few seconds";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        })
    }

    /// Makes a link's secret, which signs its reader in once within 10 minutes.
    pub(super) fn make_link(&self, now: Instant) -> Result<SessionSecret> {
        let secret = SessionSecret::random("")?;
        self.state().link = Some((digest_of(secret.expose()), now + LINK_LASTS));
        Ok(secret)
    }

    /// Uses a link, and returns the secret of the session; `None` when it was used, is over, or never was.
    pub(super) fn use_link(&self, secret: &str, now: Instant) -> Result<Option<SessionSecret>> {
        let mut state = self.state();
        let digest = digest_of(secret);
        let is_link = state
            .link
            .take_if(|(link, end)| *link == digest && now < *end);
        if is_link.is_none() {
            return Ok(None);
        }
        let session = SessionSecret::random("")?;
        state.sessions.retain(|_, end| now < *end);
        let key = digest_of(session.expose());
        state.sessions.insert(key, now + LINK_SESSION_LASTS);
        Ok(Some(session))
    }

    /// Returns whether a secret is of a session by a link that lasts still.
    pub(super) fn is_link_session(&self, secret: &str, now: Instant) -> bool {
        let state = self.state();
        let end = state.sessions.get(&digest_of(secret));
        end.is_some_and(|end| now < *end)
    }

    /// Ends a session by a link.
    pub(super) fn end(&self, secret: &str) {
        self.state().sessions.remove(&digest_of(secret));
    }

    /// Returns how long an attempt to sign in has to wait because of failures before it: the longer of that of the name
    /// and that of the address.
    pub(super) fn wait_of(&self, name: &str, address: IpAddr, now: Instant) -> Duration {
        let state = self.state();
        let counts = keys(name, address).map(|key| {
            let known = state.failures.get(&key);
            known
                .filter(|(_, at)| now.duration_since(*at) < FAILURES_LAST)
                .map_or(0, |(count, _)| *count)
        });
        let count = counts.into_iter().max().unwrap_or(0);
        match count.checked_sub(FREE_FAILURES) {
            None => Duration::ZERO,
            Some(beyond) => Duration::from_millis(250 << beyond.min(5)),
        }
    }

    /// Remembers a failure to sign in.
    pub(super) fn failed(&self, name: &str, address: IpAddr, now: Instant) {
        let mut state = self.state();
        if state.failures.len() >= MAX_REMEMBERED {
            state
                .failures
                .retain(|_, (_, at)| now.duration_since(*at) < FAILURES_LAST);
        }
        for key in keys(name, address) {
            if state.failures.len() < MAX_REMEMBERED || state.failures.contains_key(&key) {
                let (count, at) = state.failures.entry(key).or_insert((0, now));
                *count = if now.duration_since(*at) < FAILURES_LAST {
                    count.saturating_add(1)
                } else {
                    1
                };
                *at = now;
            }
        }
    }

    /// Forgets the failures of a name, once its owner has signed in.
    pub(super) fn succeeded(&self, name: &str, address: IpAddr) {
        let [of_name, _] = keys(name, address);
        self.state().failures.remove(&of_name);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest_of(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

fn keys(name: &str, address: IpAddr) -> [String; 2] {
    [format!("name {name}"), format!("address {address}")]
}

/// Returns the secret of the session that a browser sends.
pub(super) fn session_of(headers: &HeaderMap) -> Option<&str> {
    let fields = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|field| field.to_str().ok());
    let mut cookies = fields
        .flat_map(|field| field.split(';'))
        .filter_map(|one| one.trim().split_once('='));
    let found = cookies.find(|(name, _)| name.trim_start_matches("__Host-") == COOKIE);
    found
        .map(|(_, secret)| secret)
        .filter(|secret| !secret.is_empty())
}

/// Returns the field that has a browser keep the secret of a session; an empty secret has it forgotten.
pub(super) fn cookie(secret: &str, is_tls: bool) -> Option<HeaderValue> {
    let (prefix, secure) = if is_tls {
        ("__Host-", "; Secure")
    } else {
        ("", "")
    };
    let ends = if secret.is_empty() { "; Max-Age=0" } else { "" };
    let field =
        format!("{prefix}{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict{secure}{ends}");
    HeaderValue::try_from(field).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a clock that counts minutes from now.
    fn clock() -> impl Fn(u64) -> Instant {
        let begun = Instant::now();
        move |minutes| begun + Duration::from_mins(minutes)
    }

    #[test]
    fn a_link_signs_in_once_and_for_a_while() {
        let (sign_ins, at) = (SignIns::default(), clock());
        let link = sign_ins.make_link(at(0)).expect("a secret");
        assert!(
            sign_ins
                .use_link("other", at(1))
                .expect("an answer")
                .is_none()
        );
        let session = sign_ins
            .use_link(link.expose(), at(9))
            .expect("an answer")
            .expect("a session");
        assert!(
            sign_ins
                .use_link(link.expose(), at(9))
                .expect("an answer")
                .is_none()
        );
        for (minutes, expected) in [(9, true), (9 + 719, true), (9 + 720, false)] {
            assert_eq!(
                sign_ins.is_link_session(session.expose(), at(minutes)),
                expected,
                "{minutes}"
            );
        }
        assert!(!sign_ins.is_link_session(link.expose(), at(9)));
        sign_ins.end(session.expose());
        assert!(!sign_ins.is_link_session(session.expose(), at(9)));
        let late = sign_ins.make_link(at(0)).expect("a secret");
        assert!(
            sign_ins
                .use_link(late.expose(), at(10))
                .expect("an answer")
                .is_none()
        );
    }

    #[test]
    fn failures_slow_down_by_name_and_by_address() {
        let (sign_ins, at) = (SignIns::default(), clock());
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let wait =
            |name: &str, address, minutes| sign_ins.wait_of(name, address, at(minutes)).as_millis();
        for _ in 0..5 {
            assert_eq!(wait("anna", here, 0), 0);
            sign_ins.failed("anna", here, at(0));
        }
        assert_eq!(
            (
                wait("anna", there, 0),
                wait("ben", here, 0),
                wait("ben", there, 0)
            ),
            (250, 250, 0)
        );
        for _ in 0..99 {
            sign_ins.failed("anna", here, at(1));
        }
        assert_eq!((wait("anna", there, 1), wait("anna", there, 16)), (8000, 0));
        sign_ins.succeeded("anna", here);
        assert_eq!((wait("anna", there, 1), wait("ben", here, 1)), (0, 8000));
    }

    #[test]
    fn the_session_is_found_among_cookies() {
        let mut headers = HeaderMap::new();
        assert_eq!(session_of(&headers), None);
        for (field, expected) in [
            ("a=b; gannet_session=xyz; c=d", Some("xyz")),
            ("__Host-gannet_session=xyz", Some("xyz")),
            ("gannet_session=", None),
            ("gannet_sessions=xyz", None),
            ("gannet_session", None),
        ] {
            headers.insert(header::COOKIE, HeaderValue::from_static(field));
            assert_eq!(session_of(&headers), expected, "{field}");
        }
        let kept = cookie("xyz", true).expect("a field");
        assert_eq!(
            kept,
            "__Host-gannet_session=xyz; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
        let ended = cookie("", false).expect("a field");
        assert_eq!(
            ended,
            "gannet_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
        );
    }
}
