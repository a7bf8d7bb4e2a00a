//! People, sessions and tokens: the use-cases, by a clock that the test turns.

use std::fs;

use chrono::TimeDelta;
use gannet::app::{ErrorKind, EventFilter};
use gannet::clock::Clock as _;
use gannet::domain::{Actor, Person, Role, TokenRole, TokenState};
use secrecy::SecretString;
use tokio::task::JoinSet;

use crate::rig::TestApp;

const PASSWORD: &str = "correct horse";
const OTHER: &str = "battery staple";

async fn sign_in(app: &TestApp, name: &str, password: &str) -> Option<Person> {
    let found = app.person_by_password(name, SecretString::from(password));
    found.await.expect("an answer")
}

async fn add(app: &TestApp, name: &str, role: Role) {
    let added = app.add_person(name, role, SecretString::from(PASSWORD));
    added.await.expect("a person");
}

/// An app with anna, an operator.
async fn with_anna() -> TestApp {
    let app = TestApp::new().open().await;
    add(&app, "anna", Role::Operator).await;
    app
}

#[tokio::test]
async fn people_sign_in_with_their_password_alone() {
    let app = with_anna().await;
    let anna = sign_in(&app, "anna", PASSWORD).await.expect("anna");
    assert_eq!((anna.name.as_str(), anna.role), ("anna", Role::Operator));
    let longer = format!("{PASSWORD}{}", "x".repeat(2000));
    for (name, password) in [
        ("anna", OTHER),
        ("anna", ""),
        ("anna", longer.as_str()),
        ("ben", PASSWORD),
        ("Anna", PASSWORD),
        ("", ""),
    ] {
        assert_eq!(
            sign_in(&app, name, password).await,
            None,
            "{name} {password}"
        );
    }
    app.disable_person("anna").await.expect("disabled");
    assert_eq!(sign_in(&app, "anna", PASSWORD).await, None);
    assert!(!app.has_people().await.expect("an answer"));
    app.enable_person("anna").await.expect("enabled");
    assert!(sign_in(&app, "anna", PASSWORD).await.is_some());
    assert!(app.has_people().await.expect("an answer"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_way_on() {
    let app = with_anna().await;
    let added = |name: &'static str, password: &'static str| {
        app.add_person(name, Role::Viewer, SecretString::from(password))
    };
    for (error, kind, message, hint) in [
        (
            added("anna", PASSWORD).await,
            ErrorKind::Conflict,
            "there is a person called anna already",
            "gannet user passwd anna",
        ),
        (
            added("Ben", PASSWORD).await,
            ErrorKind::Invalid,
            "`Ben` cannot be the name of a person",
            "",
        ),
        (
            added("ben", "too short").await,
            ErrorKind::Invalid,
            "at least 10 characters",
            "nothing was changed",
        ),
        (
            app.set_role("ana", Role::Admin).await,
            ErrorKind::NotFound,
            "no person is called `ana`",
            "did you mean anna?",
        ),
        (
            app.set_password("zoe", SecretString::from(PASSWORD)).await,
            ErrorKind::NotFound,
            "no person is called `zoe`",
            "gannet user list",
        ),
        (
            app.revoke_token("ci").await,
            ErrorKind::NotFound,
            "no token is called `ci`",
            "gannet token list",
        ),
    ] {
        let error = error.expect_err(message);
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(message), "{error}");
        let given = error.hint.unwrap_or_default();
        assert!(given.contains(hint), "{given}");
    }
    let people = app.people().await.expect("people");
    assert_eq!(people.len(), 1);
}

#[tokio::test]
async fn sessions_last_while_they_are_used_and_a_month_at_most() {
    let app = with_anna().await;
    let anna = sign_in(&app, "anna", PASSWORD).await.expect("anna");
    let secret = app.begin_session(&anna).await.expect("a session");
    let person = async || {
        let found = app.person_of_session(secret.expose()).await;
        found.expect("an answer").map(|person| person.role)
    };
    assert_eq!(person().await, Some(Role::Operator));
    app.set_role("anna", Role::Admin).await.expect("a role");
    assert_eq!(person().await, Some(Role::Admin), "at once");
    for _ in 0..65 {
        app.turn(11 * 60);
        assert_eq!(person().await, Some(Role::Admin), "{}", app.clock.now());
    }
    app.turn(5 * 60);
    assert_eq!(person().await, None, "after 30 days");
    let secret = app.begin_session(&anna).await.expect("a session");
    app.turn(12 * 60);
    let idle = app.person_of_session(secret.expose()).await;
    assert_eq!(idle.expect("an answer"), None);
    let found = app.person_of_session("another").await;
    assert_eq!(found.expect("an answer"), None);
}

#[tokio::test]
async fn passwd_disable_and_sign_out_end_sessions() {
    let app = with_anna().await;
    add(&app, "ben", Role::Viewer).await;
    let ben = sign_in(&app, "ben", PASSWORD).await.expect("ben");
    let bens = app.begin_session(&ben).await.expect("a session");
    for way in ["passwd", "disable", "sign-out"] {
        let anna = app.person("anna").await.expect("anna");
        let secret = app.begin_session(&anna).await.expect("a session");
        let there = app.person_of_session(secret.expose()).await;
        assert!(there.expect("an answer").is_some());
        match way {
            "passwd" => {
                app.turn(1);
                let set = app.set_password("anna", SecretString::from(OTHER));
                set.await.expect("set");
                assert!(app.begin_session(&anna).await.is_err(), "read before");
                assert_eq!(sign_in(&app, "anna", PASSWORD).await, None);
                assert!(sign_in(&app, "anna", OTHER).await.is_some());
            }
            "disable" => {
                app.disable_person("anna").await.expect("disabled");
                app.enable_person("anna").await.expect("enabled");
            }
            _ => app.end_session(secret.expose()).await.expect("ended"),
        }
        let there = app.person_of_session(secret.expose()).await;
        assert_eq!(there.expect("an answer"), None, "{way}");
    }
    let there = app.person_of_session(bens.expose()).await;
    assert!(there.expect("an answer").is_some(), "of others");
}

#[tokio::test]
async fn tokens_hold_until_they_expire_or_are_revoked() {
    use TokenState::{Live, Revoked};
    let app = with_anna().await;
    let end = app.now() + TimeDelta::days(90);
    let ci = app.create_token("ci", TokenRole::Ingest, None, Some(end));
    let ci = ci.await.expect("a token");
    let reader = app.create_token("reader", TokenRole::Viewer, None, None);
    let reader = reader.await.expect("a token");
    let holder = async |secret: &str| {
        let found = app.holder_of_token(secret).await.expect("an answer");
        found.map(|token| (token.name, token.role))
    };
    let of_ci = Some(("ci".to_owned(), TokenRole::Ingest));
    let of_reader = Some(("reader".to_owned(), TokenRole::Viewer));
    assert_eq!(holder(ci.expose()).await, of_ci);
    assert_eq!(holder(reader.expose()).await, of_reader);
    assert_eq!(holder(&ci.expose().to_lowercase()).await, None);
    assert_eq!(holder("").await, None);
    let again = app.create_token("ci", TokenRole::Viewer, None, None).await;
    assert_eq!(
        again.map(drop).map_err(|e| e.kind),
        Err(ErrorKind::Conflict)
    );
    app.turn(90 * 24 * 60);
    assert_eq!(holder(ci.expose()).await, None, "expired");
    let again = app.create_token("ci", TokenRole::Viewer, None, None).await;
    let again = again.expect("a free name");
    app.revoke_token("ci").await.expect("revoked");
    assert_eq!(holder(again.expose()).await, None, "revoked");
    let error = app.revoke_token("ci").await.expect_err("it is");
    assert_eq!(error.message, "the token ci is revoked already");
    app.create_token("ci", TokenRole::Viewer, None, None)
        .await
        .expect("a free name");
    assert_eq!(holder(reader.expose()).await, of_reader);
    let tokens = app.tokens().await.expect("tokens");
    let shown = tokens
        .iter()
        .map(|one| (one.name.as_str(), one.state(app.now())));
    let expected = [
        ("ci", Revoked),
        ("ci", Revoked),
        ("ci", Live),
        ("reader", Live),
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    assert_eq!(tokens[3].last_used_at, Some(app.now()));
    assert_eq!(tokens[3].created_by, "tester");
}

#[tokio::test]
async fn a_token_of_a_verifier_is_one_of_the_policy_s() {
    let toml = "[[verifier]]\nname = \"eyes\"\nsources = [\"*\"]\nexternal = true\n";
    let app = TestApp::new().toml(toml).open().await;
    app.pass().await;
    let create = |role, verifier| app.create_token("ci", role, verifier, None);
    for (role, verifier, message, hint) in [
        (
            TokenRole::Verifier,
            None,
            "in the name of one verifier",
            "--verifier NAME",
        ),
        (
            TokenRole::Ingest,
            Some("eyes"),
            "of the role ingest",
            "--role verifier",
        ),
        (
            TokenRole::Verifier,
            Some("eye"),
            "no verifier is called `eye`",
            "mean eyes?",
        ),
        (
            TokenRole::Verifier,
            Some("x"),
            "no verifier is called `x`",
            "has eyes",
        ),
    ] {
        let error = create(role, verifier).await.expect_err(message);
        assert!(error.message.contains(message), "{error}");
        let given = error.hint.unwrap_or_default();
        assert!(given.contains(hint), "{given}");
    }
    let secret = create(TokenRole::Verifier, Some("eyes")).await;
    let held = app.holder_of_token(secret.expect("a token").expose()).await;
    let held = held.expect("an answer").expect("a token");
    assert_eq!(held.verifier.as_deref(), Some("eyes"));
}

#[tokio::test]
async fn uses_are_recorded_now_and_then() {
    let app = with_anna().await;
    let anna = app.person("anna").await.expect("anna");
    let session = app.begin_session(&anna).await.expect("a session");
    let token = app.create_token("ci", TokenRole::Viewer, None, None).await;
    let token = token.expect("a token");
    let commits = async |minutes: i64| {
        app.turn(minutes);
        let before = app.catalogue();
        let at = before.changes().await.expect("a moment");
        let person = app.person_of_session(session.expose()).await;
        assert!(person.expect("an answer").is_some());
        let middle = before.changes().await.expect("a moment");
        let holder = app.holder_of_token(token.expose()).await;
        assert!(holder.expect("an answer").is_some());
        (
            at != middle,
            middle != before.changes().await.expect("a moment"),
        )
    };
    assert_eq!(commits(0).await, (false, true));
    assert_eq!(commits(0).await, (false, false));
    assert_eq!(commits(1).await, (true, false));
    assert_eq!(commits(0).await, (false, false));
    assert_eq!(commits(59).await, (true, true));
}

#[tokio::test]
async fn what_is_done_is_in_the_log_and_no_secret_is_anywhere() {
    let app = with_anna().await;
    let by_anna = app.acting_as(Actor::by_http("anna"));
    let anna = app.person("anna").await.expect("anna");
    let session = app.begin_session(&anna).await.expect("a session");
    let token = by_anna.create_token("ci", TokenRole::Viewer, None, None);
    let token = token.await.expect("a token");
    app.set_role("anna", Role::Admin).await.expect("a role");
    app.disable_person("anna").await.expect("disabled");
    app.enable_person("anna").await.expect("enabled");
    let set = app.set_password("anna", SecretString::from(OTHER));
    set.await.expect("a password");
    by_anna.revoke_token("ci").await.expect("revoked");
    let filter = EventFilter {
        limit: 99,
        ..EventFilter::default()
    };
    let events = app.events(filter).await.expect("events");
    let shown: Vec<_> = events
        .iter()
        .map(|one| {
            let detail = one.event.detail.as_deref().unwrap_or_default();
            format!("{} {detail} ({})", one.event.action, one.stamp.actor)
        })
        .collect();
    let expected = [
        "person.added anna: operator (tester)",
        "token.created ci: viewer (anna by http)",
        "person.role-changed anna: operator -> admin (tester)",
        "person.disabled anna (tester)",
        "person.enabled anna (tester)",
        "person.password-changed anna (tester)",
        "token.revoked ci (anna by http)",
    ];
    assert_eq!(shown, expected);
    let secrets = [PASSWORD, OTHER, session.expose(), token.expose()];
    for file in ["gannet.db", "gannet.db-wal"] {
        let bytes = fs::read(app.folder().join(file)).expect("the catalogue");
        for secret in secrets {
            let at = bytes
                .windows(secret.len())
                .position(|one| one == secret.as_bytes());
            assert_eq!(at, None, "{file}: {secret}");
        }
    }
}

/// Requests that come together share reads of their token, and none gets an answer from before it asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_ask_at_once_for_a_token_each_gets_its_state_since_it_asked() {
    let app = TestApp::new().open().await;
    for round in 0..20 {
        let name = format!("ci{round}");
        let token = app.create_token(&name, TokenRole::Viewer, None, None).await;
        let token = token.expect("a token");
        let ask = || {
            let (app, secret) = (
                app.acting_as(app.actor().clone()),
                token.expose().to_owned(),
            );
            async move { app.holder_of_token(&secret).await.expect("an answer") }
        };
        let (mut before, mut after) = (JoinSet::new(), JoinSet::new());
        for number in 0..100 {
            let asked = before.spawn(ask());
            // Some leave before the answer.
            if number % 3 == 0 {
                asked.abort();
            }
        }
        while let Some(holder) = before.join_next().await {
            if let Ok(holder) = holder {
                assert_eq!(holder.map(|token| token.name), Some(name.clone()));
            }
        }
        for _ in 0..50 {
            before.spawn(ask());
        }
        app.revoke_token(&name).await.expect("revoked");
        for _ in 0..50 {
            after.spawn(ask());
        }
        assert_eq!(after.join_all().await, vec![None; 50]);
        before.join_all().await;
    }
}
