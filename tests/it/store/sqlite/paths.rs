//! Published paths that are taken by what a removal left behind, put there behind the store's back.

use gannet::domain::{SourceSettings, VersionState};
use gannet::store::{SourceChange, SourceFilter};

use super::Rig;
use crate::rig::rows::{hours, settings, stamp, start};

/// Returns an address of the file `get` whose query is a secret, which no published path shows.
fn same_file(number: u32) -> SourceSettings {
    let address = format!("https://example.org/get?token=${{T{number}}}");
    settings(&format!("get-{number}"), &address)
}

#[tokio::test]
async fn paths_with_gaps_lead_to_free_ones() {
    let rig = Rig::new();
    let changes = (0..300).map(|number| SourceChange::Add(same_file(number)));
    let added = rig
        .store
        .change_sources(changes.collect(), stamp(start()))
        .await
        .expect("sources");
    // Files that are still to be removed, and a folder where a file would be.
    rig.version(
        added[3].source_id,
        hours(1),
        "one",
        VersionState::Unverified,
    )
    .await;
    let withdrawn = "INSERT INTO withdrawal (path, path_key) VALUES ('example.org~301/GET', 'example.org~301/get'),
         ('example.org~302/get/a', 'example.org~302/get/a')";
    rig.engine
        .sql()
        .execute(withdrawn, [])
        .expect("withdrawals");
    let removed = added.iter().step_by(7).map(|change| SourceChange::Remove {
        id: change.source_id,
        purge: false,
    });
    rig.store
        .change_sources(removed.collect(), stamp(hours(2)))
        .await
        .expect("gaps");
    let again = (300..400).map(|number| SourceChange::Add(same_file(number)));
    rig.store
        .change_sources(again.collect(), stamp(hours(3)))
        .await
        .expect("more sources");
    let kept = rig.store.sources(SourceFilter::default()).await;
    let mut paths: Vec<_> = kept
        .expect("sources")
        .into_iter()
        .map(|source| source.published_path)
        .collect();
    let count = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), count);
    for taken in ["example.org~301/get", "example.org~302/get"] {
        assert!(!paths.iter().any(|path| path == taken), "{taken}");
    }
    rig.assert_sound();
}
