//! What attempts keep of their way, where a row of it is damaged, and how many bytes it takes.

use gannet::domain::Provenance;

use super::Rig;
use crate::rig::rows::{hours, settings};
use crate::rig::sqlite::damage;
use crate::store::on_sqlite::contract::provenance::{go, redirected, straight, ways_of};

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
        &rig.engine.folder(),
        "UPDATE former_address SET address = 'https://example.org/z' WHERE address LIKE '%/a'",
    );
    let read = ways_of(&rig.store, id).await;
    assert_eq!(read[..2], [None, None]);
    assert_eq!(read[2..], expected[2..]);
    let damaged = rig.store.take_damage();
    let shown: Vec<_> = damaged.iter().map(|row| (row.table, &*row.id)).collect();
    assert_eq!(shown, [("former_address", "1, 2")]);
    rig.purge(id).await.expect("purged");
    assert_eq!(rig.count("former_address"), 0);
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
            let engine = rig.closed();
            damage(&engine.folder(), change);
            let rig = Rig::on(engine);
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
    let bytes = async |provenance: Option<Provenance>| -> i64 {
        let rig = Rig::new();
        let id = rig.add("a").await;
        go(&rig, id, 1, &vec![provenance; ATTEMPTS]).await;
        let payload = "SELECT sum(payload) FROM dbstat WHERE name = 'attempt'";
        let row = rig.engine.sql().query_row(payload, [], |row| row.get(0));
        row.expect("a number of bytes")
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
