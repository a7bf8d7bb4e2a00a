//! Versions and blobs: what is kept, shared, found again, and deleted.

use gannet::domain::{
    BlobForm, BlobId, LastModified, StoredBody, VerdictId, VerdictOutcome, VersionState,
};
use gannet::store::{
    AttemptResult, ChainOf, StoreError, VerdictQuery, VersionQuery, VersionsQuery,
};

use super::rig::Rig;
use crate::rig::rows::{self, delta, hours, new, raw, stamp, start, verdict};

#[tokio::test]
async fn a_b_a_is_three_versions_and_two_blobs() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let mut known = Vec::new();
    for (hour, content) in [(0, "A"), (1, "B"), (2, "A")] {
        let result = new(raw(content));
        known.push(rig.attempt(id, hours(hour), result).await.blob_was_known);
    }
    assert_eq!(known, [false, false, true]);
    let versions = rig.versions(id).await;
    let ordinals: Vec<_> = versions.iter().map(|version| version.ordinal).collect();
    assert_eq!(ordinals, [2, 1, 0]);
    assert_eq!(versions[0].blob_id, versions[2].blob_id);
    assert_eq!(rig.count("blob"), 2);
    assert_eq!(versions[0].name, "a.csv");
    assert_eq!(versions[0].media_type.as_deref(), Some("text/csv"));
    assert_eq!(versions[0].last_modified, Some(LastModified::At(start())));
    assert_eq!(versions[0].fetched_at, hours(2));
    rig.assert_sound();
}

#[tokio::test]
async fn versions_are_found_by_steps_and_by_time() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let mut ids = Vec::new();
    for hour in 0..4 {
        let content = format!("content {hour}");
        let state = VersionState::Unverified;
        ids.push(rig.version(id, hours(hour), &content, state).await);
    }
    for (steps, expected) in [
        (0, Some(ids[3])),
        (3, Some(ids[0])),
        (4, None),
        (u64::MAX, None),
    ] {
        let version = rig
            .store
            .find_version(VersionQuery::Back { source: id, steps })
            .await
            .expect("a read");
        assert_eq!(version.map(|version| version.id), expected, "{steps}");
    }
    let half = chrono::TimeDelta::minutes(30);
    for (time, expected) in [
        (start() - half, None),
        (start(), Some(ids[0])),
        (hours(1) + half, Some(ids[1])),
        (hours(99), Some(ids[3])),
    ] {
        let version = rig
            .store
            .find_version(VersionQuery::At { source: id, time })
            .await
            .expect("a read");
        assert_eq!(version.map(|version| version.id), expected, "{time}");
    }
    let version = rig.store.find_version(ids[2]).await.expect("a read");
    assert_eq!(version.expect("a version").ordinal, 2);
    let limited = rig
        .store
        .versions(VersionsQuery::Of {
            source: id,
            limit: Some(2),
        })
        .await
        .expect("versions");
    assert_eq!(limited.len(), 2);
}

#[tokio::test]
async fn a_chain_leads_to_a_blob_that_stands_alone() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let mut base: Option<BlobId> = None;
    for depth in 0..5 {
        let content = format!("content {depth}");
        let blob = match base {
            Some(base) => delta(&content, base, depth),
            None => raw(&content),
        };
        let result = new(blob);
        let version = rig
            .attempt(id, hours(i64::from(depth)), result)
            .await
            .version_id;
        let version = rig.store.find_version(version.expect("a version")).await;
        base = version.expect("a read").map(|version| version.blob_id);
    }
    let chain = rig
        .store
        .chain(ChainOf::Ordinal {
            source: id,
            ordinal: 4,
        })
        .await
        .expect("a chain");
    let depths: Vec<_> = chain.iter().map(|link| link.depth).collect();
    assert_eq!(depths, [4, 3, 2, 1, 0]);
    assert_eq!(chain[4].form, BlobForm::Raw);
    assert_eq!(chain[4].body, StoredBody::Inline(b"content 0".to_vec()));
    let version = rig
        .store
        .find_version(VersionQuery::newest_of(id))
        .await
        .expect("a read");
    let same = rig.store.chain(&version.expect("one")).await;
    assert_eq!(same.expect("a chain"), chain);
    let missing = rig
        .store
        .chain(ChainOf::Ordinal {
            source: id,
            ordinal: 5,
        })
        .await;
    assert!(
        matches!(missing, Err(StoreError::Missing { .. })),
        "{missing:?}"
    );
}

#[tokio::test]
async fn a_delta_without_its_base_is_refused_whole() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let claim = rig.claim(id, start()).await;
    let result = new(delta("x", BlobId(99), 1));
    let record = rows::record(&claim, start(), result);
    let error = rig.store.record_attempt(record).await.expect_err("refused");
    assert!(matches!(error, StoreError::Failed { .. }), "{error}");
    for table in ["attempt", "version", "blob"] {
        assert_eq!(rig.count(table), 0);
    }
    // The claim was not used up.
    let unchanged = rows::record(&claim, start(), AttemptResult::Unchanged);
    rig.store.record_attempt(unchanged).await.expect("recorded");
}

#[tokio::test]
async fn a_purge_keeps_what_others_need() {
    let rig = Rig::new();
    let (a, b) = (rig.add("a").await, rig.add("b").await);
    rig.version(a, start(), "shared base", VersionState::Unverified)
        .await;
    let base = rig
        .store
        .find_version(VersionQuery::newest_of(a))
        .await
        .expect("a read");
    let base = base.expect("a version").blob_id;
    let own = new(delta("only in a", base, 1));
    rig.attempt(a, hours(1), own).await;
    let mut large = raw("large");
    let digest = large.digest.to_hex();
    let object = format!("{}/{}-1-abcdefgh", &digest[..2], &digest[2..]);
    large.body = StoredBody::Object(object.clone());
    rig.attempt(a, hours(2), new(large)).await;
    let other = new(delta("in b", base, 1));
    rig.attempt(b, hours(1), other).await;
    assert_eq!(rig.purge(a).await.expect("purged"), [object]);
    // The base has no version any more, but b's delta needs it.
    assert_eq!(rig.count("blob"), 2);
    let chain = rig
        .store
        .chain(ChainOf::Ordinal {
            source: b,
            ordinal: 0,
        })
        .await
        .expect("a chain");
    assert_eq!(chain.len(), 2);
    rig.assert_sound();
    assert!(rig.purge(b).await.expect("purged").is_empty());
    assert_eq!(rig.count("blob"), 0);
    rig.assert_sound();
}

#[tokio::test]
async fn a_list_reads_nothing_of_what_verifiers_printed() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let mut ids = Vec::new();
    for hour in 0..3 {
        let content = format!("content {hour}");
        let state = VersionState::Unverified;
        ids.push(rig.version(id, hours(hour), &content, state).await);
    }
    for version in &ids {
        for outcome in [VerdictOutcome::Failed, VerdictOutcome::Passed] {
            let mut verdict = verdict(outcome, start());
            verdict.judgement.output = "x".repeat(128 << 10);
            let recorded =
                rig.store
                    .record_verdicts(*version, vec![verdict], VerdictId(0), stamp(start()));
            recorded.await.expect("recorded");
        }
    }
    for (limit, expected) in [(None, 6), (Some(2), 4), (Some(0), 0)] {
        let listed = rig
            .store
            .verdicts(VerdictQuery::OfSource { source: id, limit })
            .await;
        let listed = listed.expect("verdicts");
        assert_eq!(listed.len(), expected, "{limit:?}");
        for one in listed {
            assert_eq!(one.verdict.judgement.output, "");
            assert_eq!(one.verdict.judgement.detail, "row 3 is short");
            let whole = rig.store.verdicts(one.version_id).await.expect("verdicts");
            let whole = whole.iter().find(|other| other.id == one.id);
            let output = whole.map(|whole| whole.verdict.judgement.output.len());
            assert_eq!(output, Some(128 << 10));
        }
    }
    for (version, before) in [
        (ids[2], Some(ids[1])),
        (ids[1], Some(ids[0])),
        (ids[0], None),
    ] {
        let found = rig
            .store
            .find_version(VersionQuery::Before(version))
            .await
            .expect("a read");
        assert_eq!(found.map(|found| found.id), before);
    }
}
