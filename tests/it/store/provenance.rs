//! What attempts keep of their way: a row for each way, read back with every attempt that went it.

use gannet::domain::{Digest, Peer, Provenance, Redirect, Request, SourceId};
use gannet::store::{AttemptResult, Store};

use super::rig::{Rig, hours, record, settings};
use crate::loose::damage;

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
fn straight(address: &str, peer: &str) -> Provenance {
    Provenance {
        redirects: Vec::new(),
        last: request(address, peer),
    }
}

/// A way with a redirect that ends at this server.
fn redirected(last: &str) -> Provenance {
    Provenance {
        redirects: vec![Redirect {
            status: 302,
            request: request("https://example.org/a", "192.0.2.1:443"),
        }],
        last: request("https://example.org/b?page=${PAGE}", last),
    }
}

/// Records an unchanged attempt that went each of these ways, a hundred hours apart.
async fn go(rig: &Rig, source: SourceId, from: i64, ways: &[Option<Provenance>]) {
    for (hour, provenance) in (from..).zip(ways) {
        let claim = rig.claim(source, hours(hour * 100)).await;
        let mut record = record(&claim, hours(hour * 100), AttemptResult::Unchanged);
        record.provenance = provenance.clone();
        rig.store.record_attempt(record).await.expect("recorded");
    }
}

async fn ways_of(store: &Store, source: SourceId) -> Vec<Option<Provenance>> {
    let attempts = store.attempts(source, None).await.expect("a read");
    attempts
        .into_iter()
        .rev()
        .map(|one| one.provenance)
        .collect()
}

fn rows(rig: &Rig) -> i64 {
    rig.count("SELECT count(*) FROM provenance")
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
    let (_, folder) = rig.into_parts();
    let rig = Rig::on(folder);
    go(&rig, ids[0], 9, &ways[0]).await;
    assert_eq!(rows(&rig), 3);
    rig.purge(ids[0]).await.expect("purged");
    assert_eq!(ways_of(&rig.store, ids[1]).await, ways[1]);
}

#[tokio::test]
async fn an_edit_leaves_attempts_the_address_that_they_asked() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let address = |name: &str| format!("https://example.org/{name}");
    let way = |name: &str| Some(straight(&address(name), "192.0.2.2:443"));
    let edit = async |name: &str, hour: i64| {
        rig.edit(id, settings("a", &address(name)), hours(hour))
            .await;
    };
    // Never asked: no attempt is to be shown with it.
    edit("before", 1).await;
    edit("a", 1).await;
    go(&rig, id, 1, &[way("a"), way("a")]).await;
    edit("unasked", 250).await;
    edit("b?token=${TOKEN}", 250).await;
    go(&rig, id, 3, &[way("b?token=${TOKEN}")]).await;
    edit("b?token=literal", 350).await;
    go(&rig, id, 4, &[way("b?token=literal"), way("elsewhere")]).await;
    edit("c", 550).await;
    let expected = [
        way("a"),
        way("a"),
        way("b?token=${TOKEN}"),
        way("b?token=…"),
        way("elsewhere"),
    ];
    assert_eq!(ways_of(&rig.store, id).await, expected);
    damage(
        rig.path().parent().expect("a folder"),
        "UPDATE former_address SET address = 'https://example.org/z' WHERE address LIKE '%/a'",
    );
    let read = ways_of(&rig.store, id).await;
    assert_eq!(read[..2], [None, None]);
    assert_eq!(read[2..], expected[2..]);
    let damaged = rig.store.take_damage();
    let shown: Vec<_> = damaged.iter().map(|row| (row.table, &*row.id)).collect();
    assert_eq!(shown, [("former_address", "1, 2")]);
    rig.purge(id).await.expect("purged");
    assert_eq!(rig.count("SELECT count(*) FROM former_address"), 0);
}

#[tokio::test]
async fn a_damaged_way_is_no_damage_of_the_attempt() {
    for way in [
        redirected("192.0.2.2:443"),
        straight("https://example.org/a", "192.0.2.2:443"),
    ] {
        for change in [
            "UPDATE provenance SET requests = replace(requests, '192.0.2.2', '192.0.2.9')",
            "UPDATE provenance SET requests = x'00' || requests",
            "UPDATE provenance SET source_id = 99",
            "DELETE FROM provenance",
        ] {
            let rig = Rig::new();
            let id = rig.add("a").await;
            let ways = [Some(way.clone())];
            go(&rig, id, 1, &ways).await;
            let (_, folder) = rig.into_parts();
            damage(folder.path(), change);
            let rig = Rig::on(folder);
            assert_eq!(ways_of(&rig.store, id).await, [None], "{change}");
            let damaged = rig.store.take_damage();
            let shown: Vec<_> = damaged.iter().map(|row| (row.table, &*row.id)).collect();
            assert_eq!(shown, [("provenance", "1")], "{change}");
            go(&rig, id, 2, &ways).await;
            assert_eq!(ways_of(&rig.store, id).await[1], ways[0], "{change}");
        }
    }
}

/// An unchanged re-check may cost 8 bytes more than before; of these, its event takes up to 5 to name the attempt.
#[tokio::test]
async fn an_attempt_on_a_known_way_takes_few_bytes_more() {
    const ATTEMPTS: usize = 200;
    let bytes = async |provenance: Option<Provenance>| {
        let rig = Rig::new();
        let id = rig.add("a").await;
        go(&rig, id, 1, &vec![provenance; ATTEMPTS]).await;
        rig.count("SELECT sum(payload) FROM dbstat WHERE name = 'attempt'")
    };
    let before = bytes(None).await;
    let most = i64::try_from(3 * ATTEMPTS).expect("few");
    for way in [
        redirected("192.0.2.2:443"),
        straight("https://example.org/a", "192.0.2.2:443"),
    ] {
        let more = bytes(Some(way)).await - before;
        assert!(more <= most, "{more} bytes for {ATTEMPTS} attempts");
    }
}
