//! Objects that no blob names: each has a row from before its file is there until after it is gone.

use chrono::TimeDelta;
use gannet::domain::{Digest, NewBlob, SourceId, StoredBody, WorkerId};
use gannet::store::{ClaimsToRelease, Fact, LooseObjects, StoreError, UnnamedObjects};

use super::rig::Rig;
use crate::rig::rows::{new, raw, record, stamp, start, worker};

/// Returns the name of an object of this content, by this maker.
fn name_of(content: &str, maker: &str) -> String {
    let hex = Digest::of(content.as_bytes()).to_hex();
    format!("{}/{}-{maker}", &hex[..2], &hex[2..])
}

/// Content whose stored form is this object.
fn object(content: &str, name: &str) -> NewBlob {
    NewBlob {
        body: StoredBody::Object(name.to_owned()),
        ..raw(content)
    }
}

fn sorted<const N: usize>(mut names: [String; N]) -> Vec<String> {
    names.sort();
    names.to_vec()
}

impl Rig {
    async fn note(&self, fact: Fact) {
        let noted = self.store.record(fact, stamp(start())).await;
        noted.expect("noted");
    }

    async fn announce(&self, name: &str, worker: &WorkerId) {
        let (name, worker) = (name.to_owned(), worker.clone());
        self.note(Fact::ObjectPending { name, worker }).await;
    }

    async fn loose(&self) -> Vec<String> {
        let mut loose = self.store.read(LooseObjects(start())).await.expect("names");
        loose.sort();
        loose
    }

    /// Announces an object, and records it as the source's next version.
    async fn keep(&self, id: SourceId, content: &str, name: &str) {
        let claim = self.claim(id, start()).await;
        self.announce(name, &claim.worker).await;
        let version = record(&claim, start(), new(object(content, name)));
        let recorded = self.store.record_attempt(version).await;
        recorded.expect("recorded");
    }

    fn pending(&self) -> i64 {
        self.count("pending_object")
    }
}

#[tokio::test]
async fn an_object_that_is_announced_is_known_until_it_is_recorded_or_its_worker_is_gone() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let claim = rig.claim(id, start()).await;
    rig.announce("ab/mine", &claim.worker).await;
    rig.announce("ab/left", &worker("nobody").id).await;
    assert_eq!(rig.loose().await, ["ab/left"]);
    let files = ["ab/mine", "ab/left", "ab/strange"];
    let files = files.map(|name| (Digest::of(b"x"), name.to_owned()));
    let strange = rig
        .store
        .read(UnnamedObjects(files.to_vec()))
        .await
        .expect("names");
    assert_eq!(strange, ["ab/strange"]);
    // Of nobody who was seen within the lease.
    let later = start() + TimeDelta::minutes(5);
    let mut loose = rig.store.read(LooseObjects(later)).await.expect("names");
    loose.sort();
    assert_eq!(loose, ["ab/left", "ab/mine"]);
    let version = record(&claim, start(), new(object("one", "ab/mine")));
    let recorded = rig.store.record_attempt(version).await;
    recorded.expect("recorded");
    rig.note(Fact::ObjectsGone(vec!["ab/left".to_owned()]))
        .await;
    assert_eq!(rig.pending(), 0);
}

#[tokio::test]
async fn an_object_that_is_not_needed_is_known_until_its_file_is_gone() {
    let rig = Rig::new();
    let (a, b) = (rig.add("a").await, rig.add("b").await);
    let [one, other] = ["a", "b"].map(|maker| name_of("one", maker));
    let [two, healed] = ["a", "b"].map(|maker| name_of("two", maker));
    rig.keep(a, "one", &one).await;
    rig.keep(a, "two", &two).await;
    assert_eq!(rig.pending(), 0);
    // The content is known: this object of it is not needed.
    rig.keep(b, "one", &other).await;
    assert_eq!(rig.loose().await, [&*other]);
    // The stored form was damaged, and another one takes its place.
    let version = rig.source(a).await.state.version_id.expect("a version");
    rig.announce(&healed, &worker("rig").id).await;
    let blob = object("two", &healed);
    let before = rig.store.replace_blob(version, blob, stamp(start())).await;
    assert_eq!(before, Ok(Some(two.clone())));
    assert_eq!(rig.loose().await, sorted([other.clone(), two.clone()]));
    // The history of one of two that have the content.
    assert_eq!(rig.purge(a).await, Ok(vec![healed.clone()]));
    let loose = rig.loose().await;
    assert_eq!(loose, sorted([healed, other, two]));
    rig.note(Fact::ObjectsGone(loose)).await;
    assert_eq!(rig.pending(), 0);
    rig.assert_sound();
}

#[tokio::test]
async fn an_object_whose_record_is_refused_stays_announced() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let claim = rig.claim(id, start()).await;
    rig.announce("ab/mine", &claim.worker).await;
    let ended = ClaimsToRelease::Of(claim.worker.clone());
    rig.store.release_claims(ended).await.expect("released");
    let late = record(&claim, start(), new(object("one", "ab/mine")));
    let refused = rig.store.record_attempt(late).await;
    assert_eq!(refused, Err(StoreError::StaleClaim(id)));
    assert_eq!(rig.loose().await, ["ab/mine"]);
}
