//! A catalogue that several processes have open.

use gannet::store::SourceChange;

use super::rig::Rig;
use crate::rig::rows::{settings, stamp, start};

#[tokio::test]
async fn what_was_written_is_there_when_opened_again() {
    let rig = Rig::new();
    let id = rig.add("prices").await;
    let again = rig.another();
    let source = again.find_source("prices").await.expect("a read");
    let source = source.expect("the source");
    assert_eq!(source.id, id);
    assert_eq!(
        source.settings,
        settings("prices", "https://example.org/prices")
    );
    assert_eq!(source.created_at, start());
}

#[tokio::test]
async fn every_commit_changes_the_token_and_nothing_else_does() {
    let rig = Rig::new();
    let token = async || rig.store.changes().await.expect("a token");
    let before = token().await;
    assert_eq!(token().await, before);
    rig.add("prices").await;
    let own = token().await;
    assert_ne!(own, before);
    let other = rig.another();
    let change = SourceChange::Add(settings("b", "https://example.org/b"));
    other
        .change_sources(vec![change], stamp(start()))
        .await
        .expect("a source");
    assert_ne!(token().await, own);
}
