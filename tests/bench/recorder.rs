//! Versions recorded and read back as a worker does it: claim, base, stored form, attempt, publication.
//!
//! Fetches nothing and writes no published file.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join_all;
use gannet::archive::Archive;
use gannet::domain::{
    Actor, Address, Claim, Content, Digest, LastModified, NewBlob, Publication, SourceId,
    SourceSettings, Stamp, Validators, WorkerInfo, base_ordinal,
};
use gannet::store::{
    AttemptRecord, AttemptResult, ChainOf, ClaimRequest, ClaimWhat, SourceChange, Store,
    StoreError, VersionQuery,
};
use tokio::runtime::Runtime;

/// A catalogue and an archive in one folder, and the time by which they are used.
pub(crate) struct Recorder {
    runtime: Runtime,
    pub(crate) store: Store,
    archive: Arc<Archive>,
    worker: WorkerInfo,
    now: DateTime<Utc>,
}

impl Recorder {
    /// Opens or creates both in `folder`.
    pub(crate) fn open(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let archive = Archive::open(folder).expect("an archive");
        Self {
            runtime: Runtime::new().expect("a runtime"),
            store: Store::open(&folder.join("gannet.db")).expect("a store"),
            worker: archive.machine().new_worker(),
            archive: Arc::new(archive),
            now: "2026-01-31T12:30:00Z".parse().expect("a time"),
        }
    }

    /// Waits for an operation of the store.
    pub(crate) fn wait<T, E: std::fmt::Debug>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> T {
        self.runtime.block_on(call).expect("the store works")
    }

    /// Adds sources, and returns them in order.
    pub(crate) fn add(&self, names: impl Iterator<Item = String>) -> Vec<SourceId> {
        let changes = names
            .map(|name| SourceChange::Add(settings(name)))
            .collect();
        let done = self.wait(self.store.change_sources(changes, self.stamp()));
        done.into_iter().map(|one| one.source_id).collect()
    }

    /// Claims sources that are due; all are, until they are attempted.
    pub(crate) fn claim_due(&self, limit: usize) -> Vec<Claim> {
        self.wait(self.store.claim(self.request(ClaimWhat::Due, limit)))
    }

    /// Claims one source, an hour later than the last.
    pub(crate) fn claim(&mut self, source: SourceId) -> Claim {
        self.now += TimeDelta::hours(1);
        let claims = self.wait(
            self.store
                .claim(self.request(ClaimWhat::These(vec![source]), 1)),
        );
        claims.into_iter().next().expect("a claim")
    }

    /// Records the next version of the source, whatever the content: digest, base, stored form, commit.
    pub(crate) fn record(&self, claim: &Claim, content: Content) {
        let bytes = content.as_memory().expect("content in memory");
        let digest = Digest::of(bytes);
        let newest = claim.newest.as_ref();
        let ordinal = newest.map_or(0, |newest| newest.ordinal + 1);
        let base = base_ordinal(ordinal).map_or_else(Vec::new, |base| {
            self.wait(self.store.chain(ChainOf::Ordinal {
                source: claim.source.id,
                ordinal: base,
            }))
        });
        let size_bytes = content.size_bytes();
        let blob: NewBlob = self.archive_work(move |archive| {
            let blobs = archive.blobs();
            let encoded = blobs.encode(&content, digest, &base).expect("a blob");
            blobs.keep(encoded).expect("a blob")
        });
        let result = Self::new_version(blob, self.now);
        let record = AttemptRecord {
            size_bytes: Some(size_bytes),
            http_status: Some(200),
            provenance: None,
            ..self.attempt(claim, result)
        };
        self.wait(self.store.record_attempt(record));
    }

    /// Records that the newest version of the source was published.
    pub(crate) fn record_publication(&self, source: SourceId) {
        let version = self.wait(self.store.find_version(VersionQuery::newest_of(source)));
        let publication = Publication::Publish(version.expect("a version").id);
        self.wait(self.store.record_publication(
            source,
            publication,
            None,
            Vec::new(),
            self.stamp(),
        ));
    }

    /// Reads the source's version with this ordinal.
    pub(crate) fn read(&self, source: SourceId, ordinal: u64) -> Content {
        let chain = self.wait(self.store.chain(ChainOf::Ordinal { source, ordinal }));
        self.archive_work(move |archive| archive.blobs().read(&chain).expect("content"))
    }

    /// Records an attempt for each claim, so many at once.
    pub(crate) fn record_all(
        &self,
        claims: &[Claim],
        in_flight: usize,
        result: impl Fn(&Claim) -> AttemptResult,
    ) {
        let next = AtomicUsize::new(0);
        let turn = || async {
            while let Some(claim) = claims.get(next.fetch_add(1, Ordering::Relaxed)) {
                let record = self.attempt(claim, result(claim));
                self.store.record_attempt(record).await?;
            }
            Ok::<(), StoreError>(())
        };
        self.wait(try_join_all((0..in_flight).map(|_| turn())));
    }

    /// Returns the end of an attempt that found this content.
    pub(crate) fn new_version(blob: NewBlob, at: DateTime<Utc>) -> AttemptResult {
        AttemptResult::New {
            blob,
            name: "prices.csv".to_owned(),
            media_type: Some("text/csv".to_owned()),
            last_modified: Some(LastModified::At(at)),
        }
    }

    /// Turns the clock.
    pub(crate) fn pass_days(&mut self, days: i64) {
        self.now += TimeDelta::days(days);
    }

    /// Returns the time by which everything is recorded.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    fn archive_work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Archive) -> T + Send + 'static,
    ) -> T {
        let archive = Arc::clone(&self.archive);
        let work = self.runtime.spawn_blocking(move || work(&archive));
        self.runtime.block_on(work).expect("no panic")
    }

    fn attempt(&self, claim: &Claim, result: AttemptResult) -> AttemptRecord {
        AttemptRecord {
            source_id: claim.source.id,
            fence: claim.fence,
            worker: claim.worker.clone(),
            started_at: self.now,
            duration: Duration::from_millis(120),
            tries: 1,
            requests: claim.requests + 1,
            http_status: Some(304),
            provenance: None,
            size_bytes: None,
            validators: Validators {
                etag: Some("\"65b9a1c2-f4240\"".to_owned()),
                last_modified: Some("Sat, 31 Jan 2026 12:00:00 GMT".to_owned()),
                ..Validators::default()
            },
            checked: false,
            not_before: None,
            result,
            stamp: self.stamp(),
        }
    }

    fn request(&self, what: ClaimWhat, limit: usize) -> ClaimRequest {
        ClaimRequest {
            what,
            worker: self.worker.clone(),
            now: self.now,
            limit,
            excluded_hosts: Vec::new(),
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            at: self.now,
            actor: Actor("worker@host".to_owned()),
        }
    }
}

/// Content that is in memory.
pub(crate) fn in_memory(bytes: Vec<u8>) -> Content {
    Content::Memory(Bytes::from(bytes))
}

fn settings(name: String) -> SourceSettings {
    let address = format!("https://example.org/data/{name}");
    let address = Address::parse(&address, false).expect("an address");
    SourceSettings::new(name, address)
}
