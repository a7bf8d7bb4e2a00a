//! Bits that flip in the rows of versions and in their indexes: what is read is right, or an error.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use chrono::TimeDelta;
use gannet::domain::{Digest, Publication, SourceId, StoredBody, Version, VersionId, VersionState};
use gannet::store::{Publications, SoundVersions, Store, VersionQuery, VersionsQuery};

use super::{FLIPS, Rig};
use crate::rig::Numbers;
use crate::rig::rows::{hours, new, raw, record};

const SOURCES: usize = 4;
const VERSIONS: usize = 20;

/// A catalogue as it was written, and what has to be read from it.
struct Known {
    versions: BTreeMap<VersionId, (Version, String)>,
    histories: BTreeMap<SourceId, Vec<Version>>,
    publications: BTreeMap<SourceId, Publication>,
}

/// Leaves out what says nothing of the content, which no checksum covers.
fn plain(version: Version) -> Version {
    Version {
        media_type: None,
        last_modified: None,
        policy_revision: None,
        ..version
    }
}

fn plainly(version: Option<Version>) -> Option<Version> {
    version.map(plain)
}

fn content(source: usize, ordinal: usize) -> String {
    // Some contents come back, and some are those of other sources.
    format!("content {} {}", source / 2, ordinal % 11)
}

/// Makes sources with histories, of which some end in versions that failed.
async fn fill() -> (Rig, Known) {
    let rig = Rig::new();
    let mut ids = Vec::new();
    for source in 0..SOURCES {
        ids.push(rig.add(&format!("s{source}")).await);
    }
    let mut contents = BTreeMap::new();
    for ordinal in 0..VERSIONS {
        for (source, id) in ids.iter().enumerate() {
            let content = content(source, ordinal);
            let at = hours(i64::try_from(ordinal).expect("a small number"));
            let has_failed = source > 1 && ordinal + source > VERSIONS;
            let state = if has_failed {
                VersionState::Failed
            } else {
                VersionState::Passed
            };
            let version = rig.version(*id, at, &content, state).await;
            contents.insert(version, content);
        }
    }
    let mut known = Known {
        versions: BTreeMap::new(),
        histories: BTreeMap::new(),
        publications: BTreeMap::new(),
    };
    for id in ids {
        let history = rig.versions(id).await;
        let history: Vec<_> = history.into_iter().map(plain).collect();
        assert_eq!(history.len(), VERSIONS);
        for version in &history {
            let content = contents[&version.id].clone();
            known
                .versions
                .insert(version.id, (version.clone(), content));
        }
        known.histories.insert(id, history);
        let publications = rig.store.read(Publications(vec![id])).await;
        known
            .publications
            .insert(id, publications.expect("a decision")[0]);
    }
    (rig, known)
}

/// Closes the catalogue and lays it out in small pages, so that tables and indexes have several. Returns the pages of
/// versions and of their indexes.
fn lay_out(path: &Path) -> Vec<u64> {
    let sql = rusqlite::Connection::open(path).expect("the catalogue");
    sql.execute_batch(
        "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM; PRAGMA journal_mode = WAL;",
    )
    .expect("small pages");
    let mut pages = sql
        .prepare("SELECT pageno FROM dbstat WHERE name = 'version' OR name IN (SELECT name FROM pragma_index_list('version'))")
        .expect("a list of pages");
    let pages = pages.query_map([], |row| row.get::<_, i64>(0));
    let pages = pages
        .expect("pages")
        .map(|page| page.expect("a page").unsigned_abs());
    pages.collect()
}

fn flip(file: &File, offset: u64, bit: u32) {
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).expect("a byte");
    byte[0] ^= 1 << bit;
    file.write_all_at(&byte, offset).expect("a flipped bit");
}

/// How often something was read as it was written, and how often it was an error.
#[derive(Default)]
struct Tally {
    right: usize,
    refused: usize,
}

impl Tally {
    /// Counts what was read, which has to be what was written unless it is an error.
    fn expect<T: PartialEq + std::fmt::Debug, E>(
        &mut self,
        read: Result<T, E>,
        right: &T,
        what: &str,
    ) {
        match read {
            Ok(read) => {
                assert_eq!(&read, right, "{what}");
                self.right += 1;
            }
            Err(_) => self.refused += 1,
        }
    }
}

async fn read_all(
    store: &Store,
    known: &Known,
    numbers: &mut Numbers,
    tally: &mut Tally,
    what: &str,
) {
    for (id, history) in &known.histories {
        let steps = numbers.below(VERSIONS);
        read_history(store, *id, history, steps, tally, what).await;
        read_neighbours(store, history, steps, tally, what).await;
        let decided = store.read(Publications(vec![*id])).await;
        let decided = decided.map(|mut one| one.remove(0));
        // To keep what is published is right, too, when it cannot be told which version follows.
        if decided != Ok(Publication::Keep) {
            tally.expect(decided, &known.publications[id], what);
        }
    }
    // The histories have all of them; a fifth is read by id and by content, too.
    for (version, content) in known.versions.values() {
        if numbers.below(5) > 0 {
            continue;
        }
        match store.find_version(version.id).await {
            // That there is none with this id is an error for whoever asks for it.
            Ok(None) | Err(_) => tally.refused += 1,
            Ok(Some(read)) => tally.expect::<_, ()>(Ok(plain(read)), version, what),
        }
        read_content(store, version, content, tally, what).await;
    }
}

/// Reads a history whole, its newest version, and the one so many steps before that by two ways.
async fn read_history(
    store: &Store,
    id: SourceId,
    history: &[Version],
    steps: usize,
    tally: &mut Tally,
    what: &str,
) {
    let list = store
        .versions(VersionsQuery::Of {
            source: id,
            limit: None,
        })
        .await;
    let list = list.map(|list| list.into_iter().map(plain).collect());
    tally.expect(list, &history.to_vec(), what);
    if let Ok((sound, damage)) = store.read(SoundVersions(id, None)).await {
        let is_right = |one: &Version| history.contains(&plain(one.clone()));
        assert!(sound.iter().all(is_right), "{what}: {sound:?}");
        assert!(damage.is_some() || sound.len() == history.len(), "{what}");
    }
    let newest = store
        .find_version(VersionQuery::newest_of(id))
        .await
        .map(plainly);
    tally.expect(newest, &Some(history[0].clone()), what);
    let wanted = Some(history[steps].clone());
    let back = store
        .find_version(VersionQuery::Back {
            source: id,
            steps: steps as u64,
        })
        .await
        .map(plainly);
    tally.expect(back, &wanted, what);
    let time = history[steps].fetched_at + TimeDelta::minutes(1);
    let then = store
        .find_version(VersionQuery::At { source: id, time })
        .await
        .map(plainly);
    tally.expect(then, &wanted, what);
}

/// Reads what was before a version, if that is found itself.
async fn read_neighbours(
    store: &Store,
    history: &[Version],
    steps: usize,
    tally: &mut Tally,
    what: &str,
) {
    let (newest, one) = (history[0].id, history[steps].id);
    if let Ok(Some(_)) = store.find_version(one).await {
        let before = store
            .find_version(VersionQuery::Before(one))
            .await
            .map(plainly);
        tally.expect(before, &history.get(steps + 1).cloned(), what);
    }
    if let Ok(Some(_)) = store.find_version(newest).await {
        let passed = |version: &&Version| version.state == VersionState::Passed;
        let good = store
            .find_version(VersionQuery::GoodBefore(newest))
            .await
            .map(plainly);
        tally.expect(good, &history[1..].iter().find(passed).cloned(), what);
    }
}

/// Reads bytes as the archive does: those that do not have the digest of their blob are an error.
async fn read_content(
    store: &Store,
    version: &Version,
    content: &str,
    tally: &mut Tally,
    what: &str,
) {
    let Ok(chain) = store.chain(version).await else {
        tally.refused += 1;
        return;
    };
    if let StoredBody::Inline(bytes) = &chain[0].body
        && Digest::of(bytes) == chain[0].digest
    {
        assert_eq!(bytes.as_slice(), content.as_bytes(), "{what}");
        tally.right += 1;
    }
}

#[tokio::test]
async fn a_flipped_bit_gives_the_right_bytes_or_an_error() {
    let (rig, known) = fill().await;
    let path = rig.engine.path();
    let (store, _folder) = (rig.store, rig.engine);
    drop(store);
    let pages = lay_out(&path);
    assert!(pages.len() > 20, "{}", pages.len());
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .expect("the file");
    let (mut numbers, mut tally) = (Numbers(4), Tally::default());
    for _ in 0..FLIPS {
        let page = pages[numbers.below(pages.len())];
        let within = numbers.below(512);
        let bit = u32::try_from(numbers.below(8)).expect("a small number");
        let offset = (page - 1) * 512 + within as u64;
        flip(&file, offset, bit);
        let what = format!("page {page}, byte {within}, bit {bit}");
        match Store::open_for_reading(&path) {
            Ok(store) => read_all(&store, &known, &mut numbers, &mut tally, &what).await,
            Err(_) => tally.refused += 1,
        }
        flip(&file, offset, bit);
    }
    assert!(
        tally.right > 5 * tally.refused && tally.refused > FLIPS,
        "{} {}",
        tally.right,
        tally.refused
    );
}

/// A worker that claims a source whose newest version is damaged asks for the whole file, and goes on from there.
#[tokio::test]
async fn a_damaged_newest_version_is_followed_by_a_sound_one() {
    let (rig, known) = fill().await;
    for (damage, source) in [
        ("UPDATE version SET blob_id = blob_id + 1 WHERE id = ?1", 0),
        (
            "UPDATE version SET source_id = 1 + source_id % 4, ordinal = 99 WHERE id = ?1",
            1,
        ),
        ("UPDATE version SET digest = zeroblob(32) WHERE id = ?1", 2),
        (
            "UPDATE blob SET digest = zeroblob(32) WHERE id = (SELECT blob_id FROM version WHERE id = ?1)",
            3,
        ),
    ] {
        let (id, history) = known.histories.iter().nth(source).expect("a source");
        let newest = &history[0];
        rig.engine
            .sql()
            .execute(damage, [newest.id.0])
            .expect("damage");
        rig.store.find_version(newest.id).await.expect_err("damage");
        rig.store
            .find_version(VersionQuery::newest_of(*id))
            .await
            .expect_err("damage");
        // Never another version: what is published stays when it cannot be told which one is the right one.
        let decided = rig
            .store
            .read(Publications(vec![*id]))
            .await
            .expect("a decision")[0];
        let is_right = [Publication::Keep, known.publications[id]].contains(&decided);
        assert!(is_right, "{damage}: {decided:?}");
        let claim = rig.claim(*id, hours(200)).await;
        assert!(
            claim.newest.is_none() && claim.validators.is_empty(),
            "{damage}"
        );
        let body = new(raw(&format!("sound {source}")));
        let recorded = rig
            .store
            .record_attempt(record(&claim, hours(200), body))
            .await;
        let version = recorded.expect("recorded").version_id;
        let read = rig.store.find_version(VersionQuery::newest_of(*id)).await;
        assert_eq!(
            read.expect("a version").map(|one| one.id),
            version,
            "{damage}"
        );
    }
}
