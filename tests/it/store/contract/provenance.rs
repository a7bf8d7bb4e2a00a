//! What attempts keep of their way: a row for each way, read back with every attempt that went it.

use gannet::domain::{Digest, Peer, Provenance, Redirect, Request, SourceId};
use gannet::store::{AttemptResult, Store};

use super::rig::Rig;
use crate::rig::rows::{hours, record};

fn request(address: &str, peer: &str) -> Request {
    Request {
        address: address.to_owned(),
        peer: Some(Peer {
            address: peer.to_owned(),
            proxy: None,
            tls: Some("1.3".to_owned()),
            certificate: Some(Digest::of(peer.as_bytes())),
        }),
    }
}

/// A way that leads nowhere else: this server answers.
pub(in crate::store) fn straight(address: &str, peer: &str) -> Provenance {
    Provenance {
        redirects: Vec::new(),
        last: request(address, peer),
    }
}

/// A way with a redirect that ends at this server.
pub(in crate::store) fn redirected(last: &str) -> Provenance {
    Provenance {
        redirects: vec![Redirect {
            status: 302,
            request: request("https://example.org/a", "192.0.2.1:443"),
        }],
        last: request("https://example.org/b?page=${PAGE}", last),
    }
}

/// Records an unchanged attempt that went each of these ways, a hundred hours apart.
pub(in crate::store) async fn go(
    rig: &Rig,
    source: SourceId,
    from: i64,
    ways: &[Option<Provenance>],
) {
    for (hour, provenance) in (from..).zip(ways) {
        let claim = rig.claim(source, hours(hour * 100)).await;
        let mut record = record(&claim, hours(hour * 100), AttemptResult::Unchanged);
        record.provenance = provenance.clone();
        rig.store.record_attempt(record).await.expect("recorded");
    }
}

pub(in crate::store) async fn ways_of(store: &Store, source: SourceId) -> Vec<Option<Provenance>> {
    let attempts = store.attempts(source, None).await.expect("a read");
    attempts
        .into_iter()
        .rev()
        .map(|one| one.provenance)
        .collect()
}

fn rows(rig: &Rig) -> i64 {
    rig.count("provenance")
}

#[tokio::test]
async fn attempts_that_went_the_same_way_share_a_row() {
    let rig = Rig::new();
    let (a, b) = (rig.add("a").await, rig.add("b").await);
    let (one, other) = (
        Some(redirected("192.0.2.2:443")),
        Some(redirected("192.0.2.3:443")),
    );
    let ways = [one.clone(), one.clone(), other, None, one];
    go(&rig, a, 1, &ways).await;
    assert_eq!(ways_of(&rig.store, a).await, ways);
    assert_eq!(rows(&rig), 2);
    // Another source keeps its own: the addresses go when that is purged.
    go(&rig, b, 1, &ways).await;
    let kept = (ways_of(&rig.store, b).await, rows(&rig));
    assert_eq!(kept, (ways.to_vec(), 4));
    rig.purge(a).await.expect("purged");
    let kept = (ways_of(&rig.store, b).await, rows(&rig));
    assert_eq!(kept, (ways.to_vec(), 2));
}

#[tokio::test]
async fn all_sources_share_who_answered_at_their_own_addresses() {
    let rig = Rig::new();
    let ids = [rig.add("a").await, rig.add("b").await];
    let ways = ["a", "b"].map(|name| {
        let address = format!("https://example.org/{name}");
        let nobody = Request {
            address: address.clone(),
            peer: None,
        };
        let unanswered = Provenance {
            redirects: Vec::new(),
            last: nobody,
        };
        ["192.0.2.2:443", "192.0.2.3:443", "192.0.2.2:443"]
            .map(|peer| Some(straight(&address, peer)))
            .into_iter()
            .chain([Some(unanswered)])
            .collect::<Vec<_>>()
    });
    for (id, ways) in ids.iter().zip(&ways) {
        go(&rig, *id, 1, ways).await;
    }
    assert_eq!(rows(&rig), 3);
    for (id, ways) in ids.iter().zip(&ways) {
        assert_eq!(&ways_of(&rig.store, *id).await, ways);
    }
    // A process that has not met the peer yet finds its row.
    let rig = Rig::on(rig.closed());
    go(&rig, ids[0], 9, &ways[0]).await;
    assert_eq!(rows(&rig), 3);
    rig.purge(ids[0]).await.expect("purged");
    assert_eq!(ways_of(&rig.store, ids[1]).await, ways[1]);
}
