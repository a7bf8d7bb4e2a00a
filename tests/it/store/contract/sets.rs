//! Sets in the catalogue: who is in one, editions with their verdicts, and which is to be published.

use std::sync::Arc;

use gannet::domain::{
    Edition, EditionId, EditionMember, Publication, SetPublication, SourceId, SourceSettings,
    VerdictId, VerdictOutcome, VersionId, VersionState, combination_key,
};
use gannet::store::{
    Awaiting, DueSetPublication, EditionWithId, FileSets, NewEdition, NewestEdition, SetMembers,
    SourceChange, SourcesInManySets, StoreError, VerdictsOnEdition,
};

use super::rig::Rig;
use crate::rig::rows::{hours, settings, stamp, start, verdict};

const SET: &str = "prices";

/// Records an edition of one version, with what its verifier said of it.
async fn edition(rig: &Rig, source: SourceId, version: VersionId, said: VerdictOutcome) -> Edition {
    rig.with_set(SET).await;
    let edition = NewEdition {
        set: SET.to_owned(),
        members: vec![EditionMember {
            source_id: source,
            version_id: version,
            name: "a".to_owned(),
        }],
        verdicts: vec![verdict(said, start())],
        seen: VerdictId(0).into(),
    };
    let recorded = rig.store.record_edition(edition, stamp(start()));
    recorded.await.expect("an edition").0
}

async fn configure(rig: &Rig, names: &[&str]) {
    rig.adopt(false, names).await;
}

async fn members(rig: &Rig, set: &str) -> Vec<SourceId> {
    let members = rig.store.read(SetMembers(set.to_owned(), start())).await;
    let members = members.expect("members");
    members.into_iter().map(|member| member.source_id).collect()
}

async fn wanted(rig: &Rig, published: Option<EditionId>) -> SetPublication {
    let wanted = rig
        .store
        .read(DueSetPublication(SET.to_owned(), published))
        .await;
    wanted.expect("an answer")
}

#[tokio::test]
async fn members_follow_their_tags() {
    let rig = Rig::new();
    let tagged = |name: &str, tags: &[&str]| SourceSettings {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..settings(name, &format!("https://example.org/{name}"))
    };
    let a = rig.add("a").await;
    let other = rig.add_with(tagged("other", &["rates"])).await;
    assert!(members(&rig, SET).await.is_empty());
    configure(&rig, &[SET, "rates"]).await;
    let b = rig.add("b").await;
    assert_eq!(members(&rig, SET).await, [a, b]);
    assert_eq!(members(&rig, "rates").await, [other]);
    rig.edit(b, tagged("b", &["rates", "x"]), start()).await;
    assert_eq!(
        (members(&rig, SET).await, members(&rig, "rates").await),
        (vec![a], vec![b, other])
    );
    assert_eq!(rig.source(b).await.state.set.as_deref(), Some("rates"));

    let removal = |purge| vec![SourceChange::Remove { id: a, purge }];
    for change in [
        removal(false),
        vec![SourceChange::Restore(a, Arc::default())],
    ] {
        let back = matches!(change[0], SourceChange::Restore(..));
        rig.store
            .change_sources(change, stamp(start()))
            .await
            .expect("changed");
        assert_eq!(members(&rig, SET).await.len(), usize::from(back));
    }
    rig.edit(a, tagged("a", &["prices", "rates"]), start())
        .await;
    let both = (
        ("a".to_owned()),
        vec!["prices".to_owned(), "rates".to_owned()],
    );
    assert_eq!(rig.store.read(SourcesInManySets).await, Ok(vec![both]));
    rig.store
        .change_sources(removal(true), stamp(start()))
        .await
        .expect("purged");
    configure(&rig, &["rates"]).await;
    assert_eq!(members(&rig, SET).await, []);
    assert_eq!(rig.source(other).await.state.set.as_deref(), Some("rates"));
    rig.assert_sound();
}

#[tokio::test]
async fn a_member_is_published_by_its_set_alone() {
    let rig = Rig::new();
    let a = rig.add("a").await;
    let one = rig.version(a, start(), "one", VersionState::Passed).await;
    rig.store
        .record_publication(
            a,
            Publication::Publish(one),
            None,
            Vec::new(),
            stamp(start()),
        )
        .await
        .expect("published");
    configure(&rig, &[SET]).await;
    let due = async || {
        let tasks = rig.due_tasks().await;
        tasks
            .into_iter()
            .map(|task| task.publication)
            .collect::<Vec<_>>()
    };
    // What lies at its own path stays until an edition has it.
    let two = rig
        .version(a, hours(1), "two", VersionState::Unverified)
        .await;
    assert!(due().await.is_empty());
    let edition = edition(&rig, a, two, VerdictOutcome::Passed).await;
    assert!(due().await.is_empty());
    let moved = rig
        .store
        .record_set_publication(
            SET.to_owned(),
            SetPublication::Publish(edition.id),
            stamp(start()),
        )
        .await;
    assert_eq!(moved, Ok(vec![a]));
    assert_eq!(due().await, [Publication::Withdraw]);
    rig.store
        .record_publication(a, Publication::Withdraw, None, Vec::new(), stamp(start()))
        .await
        .expect("withdrawn");
    // With the edition goes the file.
    rig.store
        .record_set_publication(SET.to_owned(), SetPublication::Withdraw, stamp(start()))
        .await
        .expect("withdrawn");
    assert!(due().await.is_empty());
    configure(&rig, &[]).await;
    assert_eq!(due().await, [Publication::Publish(two)]);
}

#[tokio::test]
async fn only_the_newest_version_of_a_member_is_worth_judging_again() {
    let rig = Rig::new();
    let a = rig.add("a").await;
    rig.version(a, start(), "one", VersionState::Error).await;
    let two = rig.version(a, hours(1), "two", VersionState::Error).await;
    let unjudged = async || {
        let unjudged = rig.store.read(Awaiting::Decision).await.expect("versions");
        unjudged
            .into_iter()
            .map(|(_, version)| version)
            .collect::<Vec<_>>()
    };
    assert_eq!(unjudged().await.len(), 2);
    configure(&rig, &[SET]).await;
    assert_eq!(unjudged().await, [two]);
}

#[tokio::test]
async fn an_edition_comes_back_with_its_verdicts() {
    let rig = Rig::new();
    let a = rig.add("a").await;
    let version = rig
        .version(a, start(), "one", VersionState::Unverified)
        .await;
    let recorded = edition(&rig, a, version, VerdictOutcome::Error).await;
    assert_eq!(recorded.state, VersionState::Error);
    assert_eq!(recorded.key, combination_key(&recorded.members));
    assert_eq!(
        rig.store.read(NewestEdition(SET.to_owned())).await,
        Ok(Some(recorded.clone()))
    );
    let passed = verdict(VerdictOutcome::Passed, hours(1));
    let judged = rig.store.record_verdicts(
        recorded.id,
        vec![passed.clone()],
        VerdictId(0),
        stamp(hours(1)),
    );
    assert_eq!(
        judged.await.map(|counted| counted.state),
        Ok(VersionState::Passed)
    );
    let verdicts = rig
        .store
        .read(VerdictsOnEdition(recorded.id))
        .await
        .expect("verdicts");
    assert_eq!((verdicts.len(), &verdicts[1].verdict), (2, &passed));
    assert_eq!(verdicts[1].actor, "joe@host by cli");
    // Those on versions are others.
    assert_eq!(rig.store.verdicts(version).await, Ok(Vec::new()));

    configure(&rig, &[SET]).await;
    rig.store
        .record_set_publication(
            SET.to_owned(),
            SetPublication::Publish(recorded.id),
            stamp(hours(2)),
        )
        .await
        .expect("published");
    let set = rig.store.read(FileSets).await.expect("sets").remove(0);
    assert_eq!(
        (set.published, set.published_at),
        (Some(recorded.id), Some(hours(2)))
    );
    rig.purge(a).await.expect("purged");
    assert_eq!(
        rig.store.read(FileSets).await.expect("sets")[0].published,
        None
    );
    let gone = StoreError::Missing {
        what: "edition",
        id: recorded.id.0,
    };
    assert_eq!(rig.store.read(EditionWithId(recorded.id)).await, Err(gone));
    assert_eq!(rig.count("edition_verdict"), 0);
    rig.assert_sound();
}

#[tokio::test]
async fn the_newest_good_edition_is_published() {
    let rig = Rig::new();
    let a = rig.add("a").await;
    let one = rig.version(a, start(), "one", VersionState::Pending).await;
    let first = edition(&rig, a, one, VerdictOutcome::Passed).await.id;
    assert_eq!(wanted(&rig, None).await, SetPublication::Publish(first));
    let two = rig.version(a, hours(1), "two", VersionState::Pending).await;
    let second = edition(&rig, a, two, VerdictOutcome::Passed).await.id;
    edition(&rig, a, two, VerdictOutcome::Failed).await;
    assert_eq!(
        wanted(&rig, Some(first)).await,
        SetPublication::Publish(second)
    );
    assert_eq!(wanted(&rig, Some(second)).await, SetPublication::Keep);
    for (version, expected) in [
        (two, SetPublication::Publish(first)),
        (one, SetPublication::Withdraw),
    ] {
        let failed = vec![verdict(VerdictOutcome::Failed, hours(2))];
        rig.store
            .record_verdicts(version, failed, VerdictId(0), stamp(hours(2)))
            .await
            .expect("judged");
        assert_eq!(wanted(&rig, Some(second)).await, expected);
    }
}
