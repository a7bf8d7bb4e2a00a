//! People, sessions and tokens: what is kept, what is refused, and which events are appended.

use chrono::{DateTime, TimeDelta, Utc};
use gannet::domain::{Action, Digest, Person, Role, TokenRole};
use gannet::store::{
    EventFilter, Fact, NewToken, People, PersonChange, PersonNamed, SessionWith, TokenWith, Tokens,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::rig::Rig;
use crate::rig::rows::{hours, stamp, start};

impl Rig {
    async fn change(&self, name: &str, change: PersonChange, at: DateTime<Utc>) -> bool {
        let changed = self.store.change_person(name.to_owned(), change, stamp(at));
        changed.await.expect("a change")
    }

    async fn person(&self, name: &str) -> Person {
        let found = self.store.read(PersonNamed(name.to_owned())).await;
        found.expect("a read").expect("a person").person
    }

    async fn session(&self, digest: Digest, at: DateTime<Utc>) -> bool {
        let person = self.person("anna").await;
        let begun = self.store.begin_session(person, digest, at).await;
        begun.expect("a session")
    }

    async fn has_session(&self, digest: Digest) -> bool {
        let found = self.store.read(SessionWith(digest)).await;
        found.expect("a read").is_some()
    }

    async fn create(&self, number: u8, name: &str, end: Option<i64>, at: DateTime<Utc>) -> bool {
        let token = NewToken {
            digest: Digest([number; 32]),
            name: name.to_owned(),
            role: TokenRole::Verifier,
            verifier: Some("eyes".to_owned()),
            expires_at: end.map(hours),
        };
        let created = self.store.create_token(token, stamp(at)).await;
        created.expect("a token")
    }

    /// The events of people and tokens, oldest first.
    async fn access_log(&self) -> Vec<String> {
        let filter = EventFilter {
            limit: 99,
            ..EventFilter::default()
        };
        let events = self.store.events(filter).await.expect("events");
        let lines = events.iter().map(|one| {
            let detail = one.event.detail.as_deref().unwrap_or_default();
            format!("{} {detail}", one.event.action)
        });
        lines.collect()
    }
}

fn add(hash: &str) -> PersonChange {
    PersonChange::Add {
        role: Role::Viewer,
        password_hash: SecretString::from(hash),
    }
}

#[tokio::test]
async fn people_are_added_once_and_changed_when_they_exist() {
    let rig = Rig::new();
    assert!(rig.change("anna", add("h1"), start()).await);
    assert!(!rig.change("anna", add("h2"), start()).await);
    for (name, change, is_possible) in [
        ("ben", PersonChange::Role(Role::Admin), false),
        ("ben", PersonChange::Disabled(true), false),
        ("ben", PersonChange::Password("h".into()), false),
        ("anna", PersonChange::Role(Role::Viewer), true),
        ("anna", PersonChange::Role(Role::Admin), true),
        ("anna", PersonChange::Disabled(false), true),
        ("anna", PersonChange::Disabled(true), true),
        ("anna", PersonChange::Password("h3".into()), true),
    ] {
        let what = format!("{name}: {change:?}");
        assert_eq!(
            rig.change(name, change, hours(2)).await,
            is_possible,
            "{what}"
        );
    }
    let found = rig.store.read(PersonNamed("anna".to_owned())).await;
    let found = found.expect("a read").expect("anna");
    assert_eq!(found.password_hash.expose_secret(), "h3");
    let expected = Person {
        name: "anna".to_owned(),
        role: Role::Admin,
        disabled: true,
        created_at: start(),
        password_changed_at: hours(2),
    };
    assert_eq!(found.person, expected);
    assert_eq!(rig.store.read(People).await, Ok(vec![expected]));
    let expected = [
        "person.added anna: viewer",
        "person.role-changed anna: viewer -> admin",
        "person.disabled anna",
        "person.password-changed anna",
    ];
    assert_eq!(
        rig.access_log().await,
        expected,
        "what changes nothing is no event"
    );
    rig.assert_sound();
}

#[tokio::test]
async fn sessions_end_with_the_password_and_the_person() {
    let rig = Rig::new();
    rig.change("anna", add("h"), start()).await;
    let [one, other] = [1, 2].map(|number| Digest([number; 32]));
    for change in [
        PersonChange::Password("h2".into()),
        PersonChange::Disabled(true),
    ] {
        assert!(rig.session(one, start()).await && rig.session(other, start()).await);
        let before = rig.person("anna").await;
        rig.store
            .record(Fact::SessionEnded(one), stamp(start()))
            .await
            .expect("an end");
        assert!(!rig.has_session(one).await && rig.has_session(other).await);
        rig.change("anna", change.clone(), hours(1)).await;
        assert!(!rig.has_session(other).await, "{change:?}");
        let begun = rig.store.begin_session(before, one, hours(1)).await;
        assert_eq!(begun, Ok(false), "who was read before {change:?}");
    }
    rig.change("anna", PersonChange::Disabled(false), hours(2))
        .await;
    assert!(rig.session(one, hours(2)).await);
    rig.change("anna", PersonChange::Role(Role::Admin), hours(2))
        .await;
    let found = rig.store.read(SessionWith(one)).await.expect("a read");
    assert_eq!(found.expect("a session").person.role, Role::Admin);
    rig.assert_sound();
}

#[tokio::test]
async fn a_new_session_sweeps_those_that_are_over() {
    let rig = Rig::new();
    rig.change("anna", add("h"), start()).await;
    let [old, used, new] = [1, 2, 3].map(|number| Digest([number; 32]));
    rig.session(old, start()).await;
    rig.session(used, start()).await;
    let use_at = |at| rig.store.record(Fact::SessionUsed(used), stamp(at));
    use_at(hours(11)).await.expect("a use");
    rig.session(new, hours(12)).await;
    assert_eq!(rig.count("session"), 2);
    assert!(!rig.has_session(old).await && rig.has_session(used).await);
    use_at(hours(720)).await.expect("a use");
    rig.session(old, hours(720)).await;
    assert_eq!(rig.count("session"), 1, "after 30 days in spite of use");
    rig.session(new, hours(1)).await;
    assert_eq!(rig.count("session"), 1, "of a clock that ran ahead");
}

#[tokio::test]
async fn names_of_tokens_are_free_again_when_they_are_over() {
    let rig = Rig::new();
    assert!(rig.create(1, "ci", Some(5), start()).await);
    assert!(!rig.create(2, "ci", None, hours(4)).await);
    assert!(rig.create(2, "ci", None, hours(5)).await, "it expired");
    let revoke = |name: &str| rig.store.revoke_token(name.to_owned(), stamp(hours(6)));
    assert_eq!(revoke("cd").await, Ok(false));
    assert_eq!(revoke("ci").await, Ok(true));
    assert_eq!(revoke("ci").await, Ok(false));
    assert!(rig.create(3, "ci", None, hours(6)).await);
    let used = rig
        .store
        .record(Fact::TokenUsed(Digest([3; 32])), stamp(hours(7)));
    used.await.expect("a use");
    let tokens = rig.store.read(Tokens).await.expect("tokens");
    let shown = tokens.iter().map(|one| (one.revoked_at, one.last_used_at));
    let revoked = Some(hours(6));
    let expected = [(revoked, None), (revoked, None), (None, Some(hours(7)))];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    let found = rig.store.read(TokenWith(Digest([3; 32]))).await;
    assert_eq!(found, Ok(Some(tokens[2].clone())));
    assert_eq!(tokens[2].verifier.as_deref(), Some("eyes"));
    let end = (start() + TimeDelta::hours(5)).format("%F %R UTC");
    let expected = [
        &format!("token.created ci: verifier of eyes, until {end}"),
        "token.created ci: verifier of eyes",
        "token.revoked ci",
        "token.created ci: verifier of eyes",
    ];
    assert_eq!(rig.access_log().await, expected);
    assert_eq!(Action::TokenCreated.as_str(), "token.created");
    rig.assert_sound();
}
