//! How people sign in to the pages: by name and password, or once by a link that `gannet serve` prints on its terminal.
//!
//! A browser carries the secret of its session in a cookie that no script reads and no other site sends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::problem::Problem;
use tokio::sync::watch;

use crate::app::{Result, SessionSecret};
use crate::domain::Digest;

/// The name of the cookie. Over TLS it has the prefix `__Host-` (RFC 6265bis §4.1.3.2).
const COOKIE: &str = "gannet_session";
/// The most cookies of that name that are looked at.
const MAX_COOKIES: usize = 4;
/// How long a link that signs its reader in can be used, once.
const LINK_LASTS: Duration = Duration::from_mins(10);
/// How long a session by a link lasts; it ends with the process, too.
const LINK_SESSION_LASTS: Duration = Duration::from_hours(12);
/// Failed attempts to sign in after which every further one waits.
const FREE_FAILURES: u32 = 5;
/// The time after which failures are forgotten.
const FAILURES_LAST: Duration = Duration::from_mins(15);
/// The most attempts to sign in at once, waiting ones included: of one address, on one name, and altogether. Who takes all
/// of an address or a name keeps out nobody else.
const MAX_OF_ADDRESS: u32 = 4;
const MAX_ON_NAME: u32 = 16;
const MAX_AT_ONCE: u32 = 256;
/// The names and addresses whose failures are remembered.
const MAX_REMEMBERED: usize = 10_000;

/// The links and their sessions, and the attempts to sign in. Kept in memory: they end with the process.
#[derive(Default)]
pub(super) struct SignIns {
    state: Mutex<State>,
    /// Changes when a browser's sessions have ended.
    ends: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    /// The digest of the link's secret, and its end.
    link: Option<(Digest, Instant)>,
    /// The sessions of links by the digests of their secrets, with their ends.
    sessions: HashMap<Digest, Instant>,
    /// Attempts that failed or are under way, by name and by address.
    attempts: HashMap<Digest, Attempts>,
    /// All attempts under way.
    under_way: u32,
}

/// The attempts on a name, or of an address.
struct Attempts {
    /// How many failed, or are under way.
    count: u32,
    under_way: u32,
    last: Instant,
}

/// An attempt to sign in that is under way.
pub(super) struct Attempt<'a> {
    sign_ins: &'a SignIns,
    /// Of the name and of the address.
    keys: [Digest; 2],
    /// How long it has to wait because of those before it.
    pub(super) wait: Duration,
}

impl Attempt<'_> {
    /// Forgets the failures on the name, once its owner has signed in, and this attempt of the address.
    pub(super) fn succeeded(self) {
        let mut state = self.sign_ins.state();
        for (at, key) in self.keys.iter().enumerate() {
            if let Some(attempts) = state.attempts.get_mut(key) {
                attempts.count = if at == 0 {
                    0
                } else {
                    attempts.count.saturating_sub(1)
                };
            }
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut state = self.sign_ins.state();
        state.under_way = state.under_way.saturating_sub(1);
        for key in &self.keys {
            if let Some(attempts) = state.attempts.get_mut(key) {
                attempts.under_way = attempts.under_way.saturating_sub(1);
            }
        }
    }
}

impl State {
    /// Forgets attempts that are over, and the oldest ones beyond the bound.
    fn forget(&mut self, now: Instant) {
        if self.attempts.len() < MAX_REMEMBERED {
            return;
        }
        let is_recent =
            |one: &Attempts| one.under_way > 0 || now.duration_since(one.last) < FAILURES_LAST;
        self.attempts.retain(|_, one| is_recent(one));
        if self.attempts.len() >= MAX_REMEMBERED {
            self.attempts.retain(|_, one| one.under_way > 0);
        }
    }

    /// Counts an attempt, and returns how many failed before it.
    fn count(&mut self, key: Digest, now: Instant) -> u32 {
        let new = || Attempts {
            count: 0,
            under_way: 0,
            last: now,
        };
        let attempts = self.attempts.entry(key).or_insert_with(new);
        if now.duration_since(attempts.last) >= FAILURES_LAST {
            attempts.count = 0;
        }
        let before = attempts.count;
        attempts.count = before.saturating_add(1);
        attempts.under_way += 1;
        attempts.last = now;
        before
    }

    fn under_way(&self, key: &Digest) -> u32 {
        self.attempts
            .get(key)
            .map_or(0, |attempts| attempts.under_way)
    }
}

impl SignIns {
    /// Begins an attempt to sign in, which counts as failed until it has succeeded; so do those beside it.
    pub(super) fn begin(
        &self,
        name: &str,
        address: IpAddr,
        now: Instant,
    ) -> std::result::Result<Attempt<'_>, Problem> {
        let keys = [format!("name {name}"), format!("address {address}")];
        let keys = keys.map(|key| digest_of(&key));
        let mut state = self.state();
        let is_full = state.under_way >= MAX_AT_ONCE
            || state.under_way(&keys[0]) >= MAX_ON_NAME
            || state.under_way(&keys[1]) >= MAX_OF_ADDRESS;
        if is_full {
            let detail = "too many attempts to sign in at once: try again in a few seconds";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail));
        }
        state.forget(now);
        state.under_way += 1;
        let before = keys.map(|key| state.count(key, now)).into_iter().max();
        let beyond = before.unwrap_or_default().checked_sub(FREE_FAILURES);
        let wait = beyond.map_or(0, |beyond| 250 << beyond.min(5));
        Ok(Attempt {
            sign_ins: self,
            keys,
            wait: Duration::from_millis(wait),
        })
    }

    /// Makes a link's secret, which signs its reader in once within 10 minutes.
    pub(super) fn make_link(&self, now: Instant) -> Result<SessionSecret> {
        let secret = SessionSecret::random("")?;
        self.state().link = Some((digest_of(secret.expose()), now + LINK_LASTS));
        Ok(secret)
    }

    /// Returns whether a link can still be used.
    pub(super) fn is_link(&self, secret: &str, now: Instant) -> bool {
        let digest = digest_of(secret);
        let state = self.state();
        state
            .link
            .is_some_and(|(link, end)| link == digest && now < end)
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

    /// Has those look again whether they may read who came in a session: some have ended.
    pub(super) fn ended(&self) {
        self.ends.send_replace(());
    }

    /// Returns a receiver that changes when sessions have ended.
    pub(super) fn watch_ends(&self) -> watch::Receiver<()> {
        self.ends.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest_of(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

/// Returns the secrets of sessions that a browser sends: another site of the host may have put one beside the right one.
pub(super) fn sessions_of(headers: &HeaderMap, is_tls: bool) -> impl Iterator<Item = &str> {
    let fields = headers.get_all(header::COOKIE).iter();
    let fields = fields.filter_map(|field| field.to_str().ok());
    let cookies = fields.flat_map(|field| field.split(';'));
    let cookies = cookies.filter_map(|one| one.trim().split_once('='));
    let own = cookies.filter(move |(name, _)| match name.strip_prefix("__Host-") {
        Some(name) => name == COOKIE,
        None => !is_tls && *name == COOKIE,
    });
    let secrets = own.map(|(_, secret)| secret);
    secrets
        .filter(|secret| !secret.is_empty())
        .take(MAX_COOKIES)
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
        let [here, there] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        let wait = |name: &str, address, minutes| {
            let attempt = sign_ins.begin(name, address, at(minutes)).ok();
            attempt.map(|attempt| attempt.wait.as_millis())
        };
        for _ in 0..5 {
            assert_eq!(wait("anna", here, 0), Some(0));
        }
        assert_eq!(wait("anna", there, 0), Some(250));
        assert_eq!(wait("ben", here, 0), Some(250));
        assert_eq!(wait("ben", there, 0), Some(0));
        for _ in 0..9 {
            wait("anna", here, 1);
        }
        assert_eq!(wait("anna", there, 1), Some(8_000));
        assert_eq!(wait("anna", there, 17), Some(0));
        for _ in 0..9 {
            wait("anna", here, 18);
        }
        let right = sign_ins.begin("anna", there, at(19));
        right.expect("an attempt").succeeded();
        assert_eq!(wait("anna", there, 19), Some(0));
    }

    #[test]
    fn attempts_at_once_are_bounded_and_count_at_their_start() {
        let (sign_ins, at) = (SignIns::default(), clock());
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let begin = |name: &str, last| sign_ins.begin(name, address(last), at(0)).ok();
        let mut held: Vec<_> = (0..4).map(|_| begin("anna", 1)).collect();
        assert!(held.iter().all(Option::is_some) && begin("ben", 1).is_none());
        held.extend((2..5).flat_map(|last| [(); 4].map(|()| begin("anna", last))));
        assert!(held.iter().all(Option::is_some) && begin("anna", 9).is_none());
        assert!(begin("ben", 9).is_some_and(|one| one.wait.is_zero()));
        held.truncate(1);
        assert!(begin("anna", 9).is_some_and(|one| one.wait.as_millis() == 8_000));
    }

    #[test]
    fn the_session_is_found_among_cookies() {
        let mut headers = HeaderMap::new();
        for (field, is_tls, expected) in [
            ("", false, &[][..]),
            ("a=b; gannet_session=xyz; c=d", false, &["xyz"]),
            ("__Host-gannet_session=xyz", true, &["xyz"]),
            ("gannet_session=; gannet_session=xyz", false, &["xyz"]),
            ("__Host-gannet_session=a; gannet_session=b", true, &["a"]),
            (
                "__Host-gannet_session=a; gannet_session=b",
                false,
                &["a", "b"],
            ),
            ("gannet_sessions=xyz", false, &[]),
            ("gannet_session", false, &[]),
        ] {
            headers.insert(header::COOKIE, HeaderValue::from_static(field));
            let found: Vec<_> = sessions_of(&headers, is_tls).collect();
            assert_eq!(found, expected, "{field}");
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
