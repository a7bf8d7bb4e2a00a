//! Whatever is done in whatever order, the catalogue stays sound.

use gannet::domain::{
    BlobId, NewBlob, SettingsPatch, SourceId, StoredBody, VerdictId, VerdictOutcome, base_ordinal,
};
use gannet::store::{
    AttemptResult, ChainOf, PublishQuery, SourceChange, SourceFilter, VersionQuery,
};
use proptest::prelude::*;

use super::rig::Rig;
use crate::rig::rows::{delta, hours, new, raw, record, request, settings, stamp, these, verdict};

#[derive(Clone, Debug)]
enum Step {
    Add(u8),
    Edit(u8, u8),
    Remove(u8, bool),
    Fetch(u8, u8),
    Unchanged(u8),
    Judge(u8, bool),
    Publish,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..6_u8).prop_map(Step::Add),
        1 => (0..6_u8, 0..6_u8).prop_map(|(one, other)| Step::Edit(one, other)),
        1 => (0..6_u8, any::<bool>()).prop_map(|(one, purge)| Step::Remove(one, purge)),
        8 => (0..6_u8, 0..12_u8).prop_map(|(one, content)| Step::Fetch(one, content)),
        1 => (0..6_u8).prop_map(Step::Unchanged),
        2 => (0..6_u8, any::<bool>()).prop_map(|(one, passed)| Step::Judge(one, passed)),
        1 => Just(Step::Publish),
    ]
}

async fn take(rig: &Rig, at: i64, step: Step) {
    let all = SourceFilter {
        removed: true,
        ..SourceFilter::default()
    };
    let sources = rig.store.sources(all).await.expect("sources");
    let pick = |index: u8| sources.get(usize::from(index)).map(|source| source.id);
    let name = |n: u8| settings(&format!("s{n}"), &format!("https://example.org/{n}"));
    match step {
        // Taken and missing are answers too: only what stays behind counts here.
        Step::Add(n) => {
            let change = vec![SourceChange::Add(name(n))];
            let _ = rig.store.change_sources(change, stamp(hours(at))).await;
        }
        Step::Edit(one, other) => {
            if let Some(id) = pick(one) {
                let change = vec![SourceChange::Edit(
                    id,
                    SettingsPatch {
                        name: Some(name(other).name),
                        address: Some(name(other).address),
                        ..SettingsPatch::default()
                    }
                    .into(),
                )];
                let _ = rig.store.change_sources(change, stamp(hours(at))).await;
            }
        }
        Step::Remove(one, purge) => {
            if let Some(id) = pick(one) {
                let change = vec![SourceChange::Remove { id, purge }];
                let _ = rig.store.change_sources(change, stamp(hours(at))).await;
            }
        }
        Step::Fetch(one, content) => {
            if let Some(id) = pick(one) {
                fetch(rig, id, at, &format!("content {content}")).await;
            }
        }
        Step::Unchanged(one) => {
            if let Some(id) = pick(one) {
                let request = request("prop", hours(at));
                let claims = rig.store.claim(these(vec![id], request)).await;
                for claim in claims.expect("claims") {
                    let record = record(&claim, hours(at), AttemptResult::Unchanged);
                    rig.store.record_attempt(record).await.expect("recorded");
                }
            }
        }
        Step::Judge(one, passed) => judge(rig, pick(one), at, passed).await,
        Step::Publish => {
            for task in rig.due_tasks().await {
                let (id, done) = (task.source.id, task.publication);
                let recorded = rig
                    .store
                    .record_publication(id, done, None, Vec::new(), stamp(hours(at)))
                    .await;
                recorded.expect("recorded");
            }
        }
    }
}

async fn judge(rig: &Rig, source: Option<SourceId>, at: i64, passed: bool) {
    let Some(id) = source else { return };
    let Some(version) = rig
        .store
        .find_version(VersionQuery::newest_of(id))
        .await
        .expect("a read")
    else {
        return;
    };
    let outcome = if passed {
        VerdictOutcome::Passed
    } else {
        VerdictOutcome::Failed
    };
    let verdicts = vec![verdict(outcome, hours(at))];
    rig.store
        .record_verdicts(version.id, verdicts, VerdictId(0), stamp(hours(at)))
        .await
        .expect("recorded");
}

/// Keeps new content as a delta against the version that the skip-delta rule names.
async fn fetch(rig: &Rig, id: SourceId, at: i64, content: &str) {
    let request = request("prop", hours(at));
    let claims = rig
        .store
        .claim(these(vec![id], request))
        .await
        .expect("claims");
    let Some(claim) = claims.first() else { return };
    let ordinal = claim.newest.as_ref().map_or(0, |newest| newest.ordinal + 1);
    let blob: NewBlob = match base_ordinal(ordinal) {
        None => raw(content),
        Some(base) => {
            let chain = rig
                .store
                .chain(ChainOf::Ordinal {
                    source: id,
                    ordinal: base,
                })
                .await
                .expect("a chain");
            let base: BlobId = chain[0].id;
            let object = StoredBody::Object(content.replace(' ', "/"));
            NewBlob {
                body: object,
                ..delta(content, base, chain[0].depth + 1)
            }
        }
    };
    let record = record(claim, hours(at), new(blob));
    rig.store.record_attempt(record).await.expect("recorded");
}

async fn assert_invariants(rig: &Rig) {
    rig.assert_sound();
    let all = SourceFilter {
        removed: true,
        ..SourceFilter::default()
    };
    for source in rig.store.sources(all).await.expect("sources") {
        for version in rig.versions(source.id).await {
            let chain = rig.store.chain(&version).await;
            let chain = chain.expect("a chain that ends");
            assert_eq!(chain.last().map(|link| link.depth), Some(0));
            assert_eq!(chain[0].digest, version.digest);
        }
        let due = rig
            .store
            .publish_tasks(PublishQuery::Due {
                after: SourceId(source.id.0 - 1),
                again: true,
                limit: 1,
            })
            .await;
        let marked = due
            .expect("tasks")
            .into_iter()
            .find(|task| task.source.id == source.id);
        let own = rig.store.publish_tasks(source.id).await;
        assert_eq!(own, Ok(marked.into_iter().collect()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_order_of_operations_leaves_it_sound(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let rig = Rig::new();
            for (at, step) in (0..).zip(steps) {
                take(&rig, at, step).await;
            }
            assert_invariants(&rig).await;
        });
    }
}
