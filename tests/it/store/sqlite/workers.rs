//! Rows of workers: one that is lost, and how often one is written.

use chrono::TimeDelta;
use gannet::store::{AttemptResult, ClaimsToRelease};

use super::Rig;
use crate::rig::rows::{record, request, start, these};

#[tokio::test]
async fn a_claim_of_a_worker_that_is_not_known_ends() {
    let rig = Rig::new();
    let (a, b) = (rig.add("a").await, rig.add("b").await);
    rig.claim(a, start()).await;
    let held = rig.store.claim(these(vec![b], request("b", start()))).await;
    let held = held.expect("claims").remove(0);
    // As damage leaves it.
    let lost = rig
        .engine
        .sql()
        .execute("DELETE FROM worker WHERE id = 'rig'", []);
    assert_eq!(lost, Ok(1));
    let lapsed = ClaimsToRelease::Lapsed(start());
    rig.store.release_claims(lapsed).await.expect("released");
    let due = rig.store.claim(request("c", start())).await;
    let due: Vec<_> = due.expect("claims").iter().map(|c| c.source.id).collect();
    assert_eq!(due, [a]);
    let result = record(&held, start(), AttemptResult::Unchanged);
    let recorded = rig.store.record_attempt(result).await;
    recorded.expect("the claim of the other one holds");
}

#[tokio::test]
async fn a_worker_is_written_down_ten_times_in_a_lease_at_most() {
    let rig = Rig::new();
    rig.add("a").await;
    let mut written = Vec::<i64>::new();
    for seconds in 0..300 {
        let at = start() + TimeDelta::seconds(seconds);
        let claimed = rig.store.claim(request("a", at)).await;
        claimed.expect("claims");
        let seen_at = "SELECT seen_at FROM worker";
        let seen_at = rig.engine.sql().query_row(seen_at, [], |row| row.get(0));
        written.push(seen_at.expect("a time"));
    }
    written.dedup();
    assert_eq!(written.len(), 10);
}
