//! The archive over real files: what goes in comes out, damage is named, readers of published files see whole ones.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use gannet::archive::{Archive, ArchiveError, PublishItem};
use gannet::domain::{
    BlobForm, BlobId, BlobLink, Content, Digest, NewBlob, StoredBody, StoredObject,
};
use proptest::prelude::*;
use tempfile::{NamedTempFile, TempDir};

use crate::rig::folder;

#[path = "../bench/histories.rs"]
#[allow(dead_code, reason = "the benchmarks use the rest")]
mod histories;

const MIB: usize = 1 << 20;

struct Rig {
    data: TempDir,
    archive: Archive,
}

impl Rig {
    fn new() -> Self {
        let data = folder();
        let archive = Archive::open(data.path()).expect("an archive");
        Self { data, archive }
    }

    fn encode(&self, content: &[u8], base: &[BlobLink]) -> NewBlob {
        self.keep(&memory(content), Digest::of(content), base)
    }

    fn keep(&self, content: &Content, digest: Digest, base: &[BlobLink]) -> NewBlob {
        let blobs = self.archive.blobs();
        let encoded = blobs.encode(content, digest, base).expect("a stored form");
        let object = encoded.object().map(str::to_owned);
        let blob = blobs.keep(encoded).expect("a blob");
        let kept = match &blob.body {
            StoredBody::Object(name) => Some(name.clone()),
            StoredBody::Inline(_) => None,
        };
        assert_eq!(object, kept, "its name is known before it is there");
        blob
    }

    /// Encodes `content` against `base` and returns its chain.
    fn chain(&self, content: &[u8], base: &[BlobLink]) -> Vec<BlobLink> {
        chain_of(self.encode(content, base), base)
    }

    fn file(&self, bytes: &[u8]) -> Content {
        let file = NamedTempFile::new_in(self.archive.machine().temp_dir()).expect("a file");
        fs::write(&file, bytes).expect("written");
        Content::File {
            path: Arc::new(file.into_temp_path()),
            size_bytes: bytes.len() as u64,
        }
    }

    fn read(&self, chain: &[BlobLink]) -> Vec<u8> {
        bytes_of(&self.archive.blobs().read(chain).expect("content"))
    }

    fn publish(&self, path: &str, content: Content) -> Result<(), ArchiveError> {
        let item = PublishItem {
            path: path.to_owned(),
            content,
        };
        self.archive
            .published()
            .publish(vec![item])
            .remove(0)
            .map(drop)
    }

    fn published(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.archive.published().folder().join(path)).ok()
    }

    fn object_length(&self, name: &str) -> u64 {
        let path = self.data.path().join("objects").join(name);
        fs::metadata(path).expect("an object").len()
    }

    fn objects(&self) -> Vec<String> {
        let objects = self.data.path().join("objects");
        entries(&objects)
            .into_iter()
            .flat_map(|shelf| {
                entries(&objects.join(&shelf))
                    .into_iter()
                    .map(move |name| format!("{shelf}/{name}"))
            })
            .collect()
    }
}

fn memory(bytes: &[u8]) -> Content {
    Content::Memory(Bytes::copy_from_slice(bytes))
}

fn bytes_of(content: &Content) -> Vec<u8> {
    match content {
        Content::Memory(bytes) => bytes.to_vec(),
        Content::File { path, size_bytes } => {
            let bytes = fs::read(&**path).expect("the content's file");
            assert_eq!(bytes.len() as u64, *size_bytes);
            bytes
        }
    }
}

/// Returns the chain that the store would give for `blob`, recorded under the next free id.
fn chain_of(blob: NewBlob, base: &[BlobLink]) -> Vec<BlobLink> {
    let id = base.iter().map(|link| link.id.0).max().unwrap_or(0) + 1;
    let rest = if blob.base.is_some() { base } else { &[] };
    let link = BlobLink {
        id: BlobId(id),
        digest: blob.digest,
        size_bytes: blob.size_bytes,
        form: blob.form,
        depth: blob.depth,
        body: blob.body,
    };
    std::iter::once(link).chain(rest.iter().cloned()).collect()
}

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a plain name"))
        .collect();
    names.sort();
    names
}

/// Returns text that compresses about three times, as long as asked for.
fn text(seed: u64, length: usize) -> Vec<u8> {
    let mut random = histories::Random(seed);
    let mut text = Vec::with_capacity(length + 32);
    while text.len() < length {
        let number = random.next();
        text.extend_from_slice(
            format!("row {:05} value {}\n", number % 50_000, number >> 54).as_bytes(),
        );
    }
    text.truncate(length);
    text
}

fn damage_of(result: Result<Content, ArchiveError>) -> (BlobId, String) {
    match result {
        Err(ArchiveError::Damaged { id, reason, .. }) => (id, reason),
        other => panic!("expected damage, got {other:?}"),
    }
}

#[test]
fn every_size_comes_back_byte_for_byte() {
    let rig = Rig::new();
    for length in [0, 1, 31, 32, 64 << 10, 5 * MIB, 33 * MIB] {
        let content = text(1, length);
        let base = rig.chain(&text(1, length / 2), &[]);
        for base in [&[][..], &base] {
            let from_memory = rig.chain(&content, base);
            let blob = rig.keep(&rig.file(&content), Digest::of(&content), base);
            assert_eq!(blob.size_bytes, length as u64);
            assert_eq!(blob.form == BlobForm::Delta, blob.base.is_some());
            let from_file = chain_of(blob, base);
            assert!(rig.read(&from_memory) == content, "{length} from memory");
            assert!(rig.read(&from_file) == content, "{length} from a file");
            if length > 32 * MIB {
                assert_eq!(from_file[0].form, BlobForm::Zstd, "too large for a delta");
            }
        }
    }
}

#[test]
fn noise_is_stored_as_it_is() {
    let rig = Rig::new();
    for length in [10, 1_000, 100_000] {
        let noise = histories::noise(7, length);
        let blob = rig.encode(&noise, &[]);
        assert_eq!(
            (blob.form, blob.stored_bytes),
            (BlobForm::Raw, length as u64)
        );
        assert_eq!(rig.read(&chain_of(blob, &[])), noise);
    }
}

#[test]
fn histories_come_back_and_deltas_are_small() {
    let rig = Rig::new();
    for history in histories::all() {
        let mut chains: Vec<Vec<BlobLink>> = Vec::new();
        let mut versions = Vec::new();
        let mut stored = 0;
        for (ordinal, version) in history.versions.enumerate().take(10) {
            let base = gannet::domain::base_ordinal(ordinal as u64)
                .map(|base| chains[usize::try_from(base).expect("small")].clone())
                .unwrap_or_default();
            let blob = rig.encode(&version, &base);
            if ordinal > 0 {
                assert_eq!(blob.form, BlobForm::Delta, "{} {ordinal}", history.name);
                stored += blob.stored_bytes;
            }
            chains.push(chain_of(blob, &base));
            versions.push(version);
        }
        for (chain, version) in chains.iter().zip(&versions) {
            assert!(rig.read(chain) == *version, "{}", history.name);
        }
        let one = versions[0].len() as u64;
        assert!(
            stored < one / 3,
            "{}: {stored} bytes of deltas to {one}",
            history.name
        );
    }
}

#[test]
fn a_large_delta_reaches_the_far_end_of_its_base() {
    let rig = Rig::new();
    let base = histories::noise(1, 20 * MIB);
    let chain = rig.chain(&base, &[]);
    assert_eq!(chain[0].form, BlobForm::Zstd);
    let mut content = histories::noise(2, 1_000);
    content.extend_from_slice(&base);
    let blob = rig.keep(&rig.file(&content), Digest::of(&content), &chain);
    assert_eq!(blob.form, BlobForm::Delta);
    assert!(blob.stored_bytes < 10_000, "{}", blob.stored_bytes);
    assert!(rig.read(&chain_of(blob, &chain)) == content);
}

#[test]
fn a_rewritten_file_is_stored_whole() {
    let rig = Rig::new();
    for length in [2_000, 300_000, 5 * MIB] {
        let chain = rig.chain(&text(1, length), &[]);
        let blob = rig.encode(&text(2, length), &chain);
        assert_eq!(
            (blob.form, blob.base, blob.depth),
            (BlobForm::Zstd, None, 0),
            "{length}"
        );
        // One that the estimate misjudges: the base's kind of content says nothing of this one's.
        let chain = rig.chain(&histories::noise(1, length), &[]);
        let blob = rig.encode(&text(2, length), &chain);
        assert_eq!(blob.form, BlobForm::Zstd, "{length} after noise");
    }
}

#[test]
fn a_chain_ends_at_the_depth_cap() {
    let rig = Rig::new();
    let mut content = text(3, 3_000);
    let mut chain = Vec::new();
    for turn in 0..60_u32 {
        content.extend_from_slice(format!("row {turn}\n").as_bytes());
        chain = rig.chain(&content, &chain);
        assert_eq!(
            chain[0].depth,
            turn % 25,
            "depth grows to 24, then starts anew"
        );
        assert_eq!(rig.read(&chain), content);
    }
}

#[test]
fn the_damaged_link_is_named() {
    let rig = Rig::new();
    let mut content = text(4, 20_000);
    let mut chain = rig.chain(&content, &[]);
    for turn in 0..3 {
        content.extend_from_slice(format!("more {turn}\n").as_bytes());
        chain = rig.chain(&content, &chain);
    }
    let ids: Vec<_> = chain.iter().map(|link| link.id).collect();
    assert_eq!(ids, [4, 3, 2, 1].map(BlobId));
    for (place, id) in ids.into_iter().enumerate() {
        let mut broken = chain.clone();
        let StoredBody::Inline(form) = &mut broken[place].body else {
            panic!("a small form is inline");
        };
        let last = form.len() - 1;
        form[last] ^= 0x10;
        assert_eq!(damage_of(rig.archive.blobs().read(&broken)).0, id);
    }
    let (id, reason) = damage_of(rig.archive.blobs().read(&chain[..3]));
    assert_eq!(id, BlobId(2), "{reason}");
    assert!(matches!(
        rig.archive.blobs().read(&[]),
        Err(ArchiveError::EmptyChain)
    ));
}

#[test]
fn a_damaged_base_is_not_used() {
    let rig = Rig::new();
    let content = text(5, 20_000);
    let mut chain = rig.chain(&content, &[]);
    assert_eq!(rig.encode(&content[1..], &chain).form, BlobForm::Delta);
    let StoredBody::Inline(form) = &mut chain[0].body else {
        panic!("a small form is inline");
    };
    form[100] ^= 1;
    let blob = rig.encode(&content[1..], &chain);
    assert_eq!((blob.form, blob.base), (BlobForm::Zstd, None));
}

#[test]
fn a_large_form_is_an_object_of_its_own() {
    let rig = Rig::new();
    let content = histories::noise(6, 2 * MIB);
    let (one, other) = (rig.encode(&content, &[]), rig.encode(&content, &[]));
    let names: Vec<_> = [&one, &other]
        .map(|blob| match &blob.body {
            StoredBody::Object(name) => name.clone(),
            StoredBody::Inline(_) => panic!("a large form is an object"),
        })
        .into();
    assert_ne!(names[0], names[1], "two writers never share a name");
    let hex = one.digest.to_hex();
    assert!(
        names[0].starts_with(&format!("{}/{}-", &hex[..2], &hex[2..])),
        "{}",
        names[0]
    );
    assert_eq!(rig.objects().len(), 2);
    assert_eq!(
        entries(rig.archive.machine().temp_dir()),
        ["lock"],
        "nothing is left behind"
    );

    let chain = chain_of(one, &[]);
    assert!(rig.read(&chain) == content);
    rig.archive.objects().delete(&names[0]).expect("deleted");
    rig.archive
        .objects()
        .delete(&names[0])
        .expect("gone already is fine");
    let (_, reason) = damage_of(rig.archive.blobs().read(&chain));
    assert!(
        reason.contains(&names[0]) && reason.contains("missing"),
        "{reason}"
    );
    assert!(rig.read(&chain_of(other, &[])) == content);
    for name in ["../gannet.db", "/etc/passwd", "", "ab/../../x"] {
        assert!(
            matches!(
                rig.archive.objects().delete(name),
                Err(ArchiveError::BadPath(_))
            ),
            "{name}"
        );
    }
}

#[test]
fn the_beginning_of_large_content_comes_before_it_is_checked() {
    let rig = Rig::new();
    let content = histories::noise(8, 6 * MIB);
    let chain = rig.chain(&content, &[]);
    let beginning = |most| {
        let bytes = rig
            .archive
            .blobs()
            .beginning(&chain, most)
            .expect("readable");
        bytes.expect("of large content")
    };
    assert!(beginning(MIB) == content[..MIB]);
    assert!(beginning(10 * MIB) == content);
    let small = rig.chain(&content[..MIB], &[]);
    let read = rig
        .archive
        .blobs()
        .beginning(&small, MIB)
        .expect("readable");
    assert!(read.is_none());
}

#[test]
fn damage_of_a_streamed_object_is_found() {
    let rig = Rig::new();
    let content = histories::noise(8, 6 * MIB);
    let chain = rig.chain(&content, &[]);
    let path = rig.data.path().join("objects").join(&rig.objects()[0]);
    let stored = fs::read(&path).expect("an object");
    let mut longer = stored.clone();
    longer.resize(stored.len() + 100_000, 0);
    let mut flipped = stored.clone();
    flipped[3 * MIB] ^= 1;
    for broken in [&flipped[..], &stored[..stored.len() / 2], &[], &longer] {
        fs::write(&path, broken).expect("written");
        damage_of(rig.archive.blobs().read(&chain));
    }
    fs::write(&path, &stored).expect("written");
    assert!(rig.read(&chain) == content);
    assert_eq!(entries(rig.archive.machine().temp_dir()), ["lock"]);
}

/// What can happen to the place of an object.
#[derive(Clone, Copy, Debug)]
enum Place {
    Flipped,
    Cut,
    Longer,
    Missing,
    ShelfMissing,
    Folder,
    /// Reading it fails as on a failing disk: with an error of the system's.
    LinkToItself,
    FileForShelf,
    StoreMissing,
    DanglingStore,
    /// The object was moved to the trash, which cannot be searched.
    TrashBlocked,
}

fn harm(data: &Path, object: &str, place: Place) {
    let (objects, path) = (data.join("objects"), data.join("objects").join(object));
    let shelf = path.parent().expect("a folder");
    let mut stored = fs::read(&path).expect("an object");
    if !matches!(place, Place::Flipped | Place::Cut | Place::Longer) {
        fs::remove_file(&path).expect("removed");
    }
    match place {
        Place::Flipped => {
            let middle = stored.len() / 2;
            stored[middle] ^= 1;
            fs::write(&path, stored)
        }
        Place::Cut => fs::write(&path, &stored[..stored.len() / 2]),
        Place::Longer => fs::write(&path, [stored, vec![0; 100_000]].concat()),
        Place::Missing => Ok(()),
        Place::ShelfMissing => fs::remove_dir(shelf),
        Place::Folder => fs::create_dir(&path),
        Place::LinkToItself => symlink(&path, &path),
        Place::FileForShelf => fs::remove_dir(shelf).and_then(|()| fs::write(shelf, "")),
        Place::StoreMissing => fs::remove_dir_all(&objects),
        Place::DanglingStore => {
            fs::remove_dir_all(&objects).and_then(|()| symlink("/nowhere/objects", &objects))
        }
        Place::TrashBlocked => fs::write(data.join("trash"), ""),
    }
    .expect("harmed");
}

#[test]
fn bytes_that_are_wrong_are_damage_and_bytes_that_cannot_be_had_now_are_none() {
    for (place, is_damage, is_there) in [
        (Place::Flipped, true, Some(true)),
        (Place::Cut, true, Some(false)),
        (Place::Longer, true, Some(false)),
        (Place::Missing, true, Some(false)),
        (Place::ShelfMissing, true, Some(false)),
        (Place::Folder, false, None),
        (Place::LinkToItself, false, None),
        (Place::FileForShelf, false, None),
        (Place::StoreMissing, false, None),
        (Place::DanglingStore, false, None),
        (Place::TrashBlocked, false, None),
    ] {
        // In memory, alone and as what a delta needs, and streamed.
        for (length, edits) in [(2 * MIB, 0), (2 * MIB, 1), (6 * MIB, 0)] {
            let rig = Rig::new();
            let content = histories::noise(8, length);
            let mut chain = rig.chain(&content, &[]);
            if edits > 0 {
                let edited = [&content[..], b"an edit"].concat();
                chain = rig.chain(&edited, &chain);
                assert_eq!(chain.len(), 2);
            }
            let alone = chain.last().expect("a blob").clone();
            let StoredBody::Object(name) = &alone.body else {
                panic!("noise is kept as an object");
            };
            let object = StoredObject {
                name: name.clone(),
                size_bytes: rig.object_length(name),
            };
            assert_eq!(rig.archive.objects().has(&object).ok(), Some(true));
            harm(rig.data.path(), name, place);
            match rig.archive.blobs().read(&chain) {
                Err(ArchiveError::Damaged { id, .. }) if is_damage => assert_eq!(id, alone.id),
                Err(ArchiveError::Unavailable { place, .. }) if !is_damage => {
                    let data = rig.data.path().to_str().expect("text");
                    assert!(place.starts_with(data), "{place}");
                }
                read => panic!("{place:?}, {length}, {edits}: {read:?}"),
            }
            let found = rig.archive.objects().has(&object).ok();
            assert_eq!(found, is_there, "{place:?}, {length}");
        }
    }
}

#[test]
fn a_frame_that_claims_too_much_is_refused() {
    let rig = Rig::new();
    let mut chain = rig.chain(&vec![b'a'; 30 * MIB], &[]);
    assert!(matches!(chain[0].body, StoredBody::Inline(_)));
    chain[0].size_bytes = 1_000;
    damage_of(rig.archive.blobs().read(&chain));
    chain[0].size_bytes = 5 * MIB as u64;
    damage_of(rig.archive.blobs().read(&chain));
    chain[0].size_bytes = u64::MAX;
    damage_of(rig.archive.blobs().read(&chain));
    chain[0].form = BlobForm::Delta;
    damage_of(rig.archive.blobs().read(&chain));
}

#[test]
fn a_file_of_another_length_is_not_kept() {
    let rig = Rig::new();
    for length in [1_000, 6 * MIB] {
        let bytes = text(9, length);
        let Content::File { path, size_bytes } = rig.file(&bytes) else {
            unreachable!("a file was made");
        };
        fs::write(&*path, &bytes[1..]).expect("written");
        let content = Content::File { path, size_bytes };
        let error = rig
            .archive
            .blobs()
            .encode(&content, Digest::of(&bytes), &[]);
        assert!(
            matches!(error, Err(ArchiveError::Unavailable { .. })),
            "{error:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_encoded_is_read_back(
        versions in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..600), 1..6),
        repeats in 1..20_usize,
    ) {
        let rig = Rig::new();
        let mut chain = Vec::new();
        for version in versions {
            let content = version.repeat(repeats);
            chain = rig.chain(&content, &chain);
            prop_assert_eq!(rig.read(&chain), content);
        }
    }

    #[test]
    fn no_damage_goes_unseen(
        place in any::<prop::sample::Index>(),
        link in 0..3_usize,
        bit in 0..8_u8,
        cut in any::<bool>(),
    ) {
        let rig = Rig::new();
        let content = text(10, 4_000);
        let edited = [&content[..1_000], b"an edit", &content[1_000..]].concat();
        let again = [&edited[..3_000], b"another", &edited[3_100..]].concat();
        let mut chain = rig.chain(&content, &[]);
        chain = rig.chain(&edited, &chain);
        chain = rig.chain(&again, &chain);
        prop_assert_eq!(chain.len(), 3);
        let StoredBody::Inline(form) = &mut chain[link].body else {
            panic!("a small form is inline");
        };
        let place = place.index(form.len());
        if cut { form.truncate(place) } else { form[place] ^= 1 << bit }
        // Some bits of a frame mean nothing: then the content is right.
        match rig.archive.blobs().read(&chain) {
            Ok(found) => prop_assert_eq!(bytes_of(&found), again),
            Err(ArchiveError::Damaged { id, .. }) => prop_assert_eq!(id, chain[link].id),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn readers_see_the_old_file_or_the_new_one() {
    let rig = Rig::new();
    let bodies = [vec![b'a'; 300_000], vec![b'b'; 200_000]];
    rig.publish("h/a/data.txt", memory(&bodies[0]))
        .expect("published");
    let path = rig.archive.published().folder().join("h/a/data.txt");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) || reads == 0 {
                let found = fs::read(&path).expect("there is always a file");
                assert!(bodies.contains(&found), "{} bytes", found.len());
                reads += 1;
            }
        });
        for turn in 0..100 {
            let content = memory(&bodies[turn % 2]);
            rig.publish("h/a/data.txt", content).expect("published");
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("the reader saw whole files only");
    });
    assert_eq!(entries(rig.archive.machine().temp_dir()), ["lock"]);
}

#[test]
fn published_files_are_readable_by_all() {
    let rig = Rig::new();
    let file = rig.file(b"by name");
    let source = file.as_file().expect("a file").to_owned();
    rig.publish("h/moved", file).expect("published");
    assert!(!source.exists(), "the only owner's file is renamed");
    let file = rig.file(b"by copy");
    rig.publish("h/copied", file.clone()).expect("published");
    assert_eq!(bytes_of(&file), b"by copy", "the other owner still has it");
    rig.publish("h/written", memory(b"from memory"))
        .expect("published");
    for (path, content) in [
        ("h/moved", "by name"),
        ("h/copied", "by copy"),
        ("h/written", "from memory"),
    ] {
        assert_eq!(rig.published(path).as_deref(), Some(content.as_bytes()));
        let metadata = fs::metadata(rig.archive.published().folder().join(path)).expect("a file");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o644, "{path}");
    }
}

#[test]
fn one_item_in_the_way_leaves_the_others_alone() {
    let rig = Rig::new();
    let outside = folder();
    rig.publish("h/folder/file", memory(b"1"))
        .expect("published");
    symlink(
        outside.path(),
        rig.archive.published().folder().join("link"),
    )
    .expect("a link");
    let bad = [
        ("h/folder", "a folder is in the way"),
        ("h/folder/file/x", "a file is in the way"),
        ("link/x", "a link is in the way"),
        ("../x", "not a path inside"),
        ("/x", "not a path inside"),
        ("", "not a path inside"),
        ("h/../../x", "not a path inside"),
    ];
    for extra in [1, 30] {
        let good: Vec<_> = (0..extra).map(|number| format!("g/{number}/f")).collect();
        let paths = bad.iter().map(|(path, _)| (*path).to_owned());
        let items = paths.chain(good.iter().cloned()).map(|path| PublishItem {
            path,
            content: memory(b"2"),
        });
        let results = rig.archive.published().publish(items.collect());
        for (result, (path, message)) in results.iter().zip(bad) {
            let error = result.as_ref().expect_err(path).to_string();
            assert!(error.contains(message), "{path}: {error}");
        }
        assert!(results[bad.len()..].iter().all(Result::is_ok));
        for path in good {
            assert_eq!(rig.published(&path).as_deref(), Some(&b"2"[..]), "{path}");
        }
    }
    assert_eq!(entries(outside.path()).len(), 0, "nothing left the folder");
    assert_eq!(rig.published("h/folder/file").as_deref(), Some(&b"1"[..]));
    for (path, obstacle) in [("link/x", "a link"), ("h/folder", "a folder")] {
        let error = rig.archive.published().withdraw(path);
        let error = error.expect_err("something is in the way");
        assert!(matches!(error, ArchiveError::Blocked { .. }), "{error}");
        let said = error.to_string();
        let is_named = said.starts_with("cannot withdraw /") && said.contains(obstacle);
        assert!(is_named, "{said}");
    }
    assert!(matches!(
        rig.archive.published().withdraw("../x"),
        Err(ArchiveError::BadPath(_))
    ));
}

#[test]
fn withdrawing_takes_empty_folders_along() {
    let rig = Rig::new();
    for path in ["h/a/b/one", "h/a/two"] {
        rig.publish(path, memory(b"x")).expect("published");
    }
    rig.archive
        .published()
        .withdraw("h/a/b/one")
        .expect("withdrawn");
    rig.archive.published().tidy("h/a/b/one");
    assert_eq!(
        entries(&rig.archive.published().folder().join("h/a")),
        ["two"]
    );
    let again = rig.archive.published().withdraw("h/a/b/one");
    assert!(matches!(again, Err(ArchiveError::Missing { .. })));
    assert!(matches!(
        rig.archive.published().withdraw("h/a/one"),
        Ok(false)
    ));
    rig.archive
        .published()
        .withdraw("h/a/two")
        .expect("withdrawn");
    rig.archive.published().tidy("h/a/two");
    assert_eq!(entries(rig.archive.published().folder()).len(), 0);
    rig.publish("h/a/two", memory(b"y"))
        .expect("published again");
}

#[test]
fn what_the_dead_left_is_told_from_what_the_living_use() {
    let rig = Rig::new();
    let tmp = rig.data.path().join("tmp");
    // A folder whose owner is gone: its lock file is there and nobody holds it.
    fs::create_dir(tmp.join("run-gone")).expect("a folder");
    fs::write(tmp.join("run-gone/lock"), "").expect("a lock file");
    fs::write(tmp.join("run-gone/part"), "left").expect("a file");
    fs::create_dir(tmp.join("run-bare")).expect("a folder without a lock file");
    let other = Archive::open(rig.data.path()).expect("a second archive");
    let held = NamedTempFile::new_in(other.machine().temp_dir()).expect("a file");
    let mut dead = rig.archive.machine().dead_owners().expect("a list");
    dead.sort();
    assert_eq!(dead, ["run-bare", "run-gone"]);
    for owner in &dead {
        rig.archive.machine().remove_dead(owner).expect("removed");
        rig.archive
            .machine()
            .remove_dead(owner)
            .expect("gone already");
    }
    assert!(held.path().exists() && rig.archive.machine().temp_dir().is_dir());
    assert_eq!(entries(&tmp).len(), 3, "{:?}", entries(&tmp));
    assert!(
        rig.archive
            .machine()
            .dead_owners()
            .expect("a list")
            .is_empty()
    );

    let folder = other.machine().temp_dir().to_owned();
    drop(held);
    drop(other);
    assert!(!folder.exists(), "a clean end leaves nothing");
}

/// What becomes over between two looks was looked up by nobody.
#[test]
fn only_what_was_found_to_be_over_is_deleted() {
    let rig = Rig::new();
    let digest = Digest::of(b"large");
    let object = digest.to_hex();
    let object = format!("{}/{}-a-b", &object[..2], &object[2..]);
    let trash = rig.data.path().join("trash");
    let day = trash.join("2026-03-01.2026-03-08.7");
    let place = day.join("objects").join(&object);
    fs::create_dir_all(place.parent().expect("a folder")).expect("folders");
    fs::write(&place, "large").expect("a file");
    let look = |now: &str| {
        let found = rig.archive.objects().expired(now.parse().expect("a time"));
        found.expect("a look")
    };
    let before = look("2026-03-08T23:59:59Z");
    assert!(before.objects.is_empty());
    // Another process looks, on the next day.
    let after = look("2026-03-09T00:00:00Z");
    assert_eq!(after.objects, [(digest, object)]);
    let left = || fs::read_dir(&trash).expect("a trash").count();
    before.delete();
    assert_eq!(left(), 1);
    after.delete();
    assert_eq!(left(), 0);
    after.delete();
}
