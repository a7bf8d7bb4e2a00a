//! A catalogue in a temporary folder, and short ways to fill it.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gannet::domain::{
    Actor, Address, BlobForm, BlobId, Claim, Digest, Fingerprint, Judgement, LastModified, NewBlob,
    NewVerdict, Policy, PolicyVerifier, Scope, SettingsPatch, Source, SourceId, SourceSettings,
    Stamp, StoredBody, Validators, VerdictId, VerdictOutcome, VersionId, VersionState, Weight,
    WorkerId, WorkerInfo,
};
use gannet::store::{
    AttemptRecord, AttemptResult, ClaimRequest, ClaimWhat, PolicyAdoption, Recorded, SourceChange,
    SourceFilter, Store, StoreError,
};

/// A store whose file goes when the rig does.
pub(crate) struct Rig {
    pub(crate) store: Store,
    folder: tempfile::TempDir,
}

/// The moment at which every test begins.
pub(crate) fn start() -> DateTime<Utc> {
    "2026-01-31T12:30:00Z".parse().expect("a time")
}

pub(crate) fn hours(count: i64) -> DateTime<Utc> {
    start() + TimeDelta::hours(count)
}

pub(crate) fn stamp(at: DateTime<Utc>) -> Stamp {
    Stamp {
        at,
        actor: Actor("joe@host by cli".to_owned()),
    }
}

pub(crate) fn settings(name: &str, address: &str) -> SourceSettings {
    SourceSettings {
        tags: vec!["prices".to_owned()],
        headers: vec![("X-Key".to_owned(), "${KEY}".to_owned())],
        max_size_bytes: Some(1 << 20),
        ..SourceSettings::new(
            name.to_owned(),
            Address::parse(address, false).expect("an address"),
        )
    }
}

/// Asks for these, due or not.
pub(crate) fn these(ids: Vec<SourceId>, request: ClaimRequest) -> ClaimRequest {
    ClaimRequest {
        what: ClaimWhat::These(ids),
        ..request
    }
}

/// A worker of a machine that is not this one.
pub(crate) fn worker(id: &str) -> WorkerInfo {
    WorkerInfo {
        id: WorkerId(id.into()),
        host: "elsewhere".to_owned(),
        boot: "another".to_owned(),
        folder: format!("run-{id}"),
        pid: 7,
    }
}

pub(crate) fn request(id: &str, now: DateTime<Utc>) -> ClaimRequest {
    ClaimRequest {
        what: ClaimWhat::Due,
        worker: worker(id),
        now,
        limit: 256,
        excluded_hosts: Vec::new(),
    }
}

/// Content stored as it is.
pub(crate) fn raw(content: &str) -> NewBlob {
    NewBlob {
        digest: Digest::of(content.as_bytes()),
        size_bytes: content.len() as u64,
        form: BlobForm::Raw,
        base: None,
        depth: 0,
        stored_bytes: content.len() as u64,
        body: StoredBody::Inline(content.as_bytes().to_vec()),
    }
}

/// Content stored as a delta; what it needs is what counts here.
pub(crate) fn delta(content: &str, base: BlobId, depth: u32) -> NewBlob {
    NewBlob {
        form: BlobForm::Delta,
        base: Some(base),
        depth,
        ..raw(content)
    }
}

pub(crate) fn new(blob: NewBlob) -> AttemptResult {
    AttemptResult::New {
        blob,
        name: "a.csv".to_owned(),
        media_type: Some("text/csv".to_owned()),
        last_modified: Some(LastModified::At(start())),
    }
}

pub(crate) fn record(claim: &Claim, at: DateTime<Utc>, result: AttemptResult) -> AttemptRecord {
    AttemptRecord {
        source_id: claim.source.id,
        fence: claim.fence,
        worker: claim.worker.clone(),
        started_at: at,
        duration: Duration::from_millis(120),
        tries: 1,
        requests: claim.requests + 1,
        http_status: Some(200),
        provenance: None,
        size_bytes: Some(5),
        validators: Validators {
            etag: Some("W/\"1\"".to_owned()),
            last_modified: Some("Sat, 31 Jan 2026 12:00:00 GMT".to_owned()),
            ..Validators::default()
        },
        checked: false,
        not_before: None,
        result,
        stamp: stamp(at),
    }
}

pub(crate) fn verdict(outcome: VerdictOutcome, at: DateTime<Utc>) -> NewVerdict {
    NewVerdict {
        verifier: "schema".to_owned(),
        fingerprint: Fingerprint::of("{}".to_owned()),
        judgement: Judgement {
            outcome,
            detail: "row 3 is short".to_owned(),
            exit_code: Some(1),
            output: "three\nlines\n".to_owned(),
        },
        started_at: at,
        duration: Duration::from_millis(7),
    }
}

/// A verifier called `name` that decides.
fn verifier(name: &str, scope: Scope, sources: &str) -> PolicyVerifier {
    PolicyVerifier {
        name: name.to_owned(),
        kind: "external".to_owned(),
        weight: Weight::Required,
        scope,
        sources: vec![sources.parse().expect("a pattern")],
        definition: "00".to_owned(),
    }
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::on(tempfile::tempdir().expect("a folder"))
    }

    /// Opens the catalogue in this folder, a new one when there is none.
    pub(crate) fn on(folder: tempfile::TempDir) -> Self {
        let store = Store::open(&folder.path().join("gannet.db")).expect("a store");
        Self { store, folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("gannet.db")
    }

    /// Gives up the store while its folder stays.
    pub(crate) fn into_parts(self) -> (Store, tempfile::TempDir) {
        (self.store, self.folder)
    }

    /// Opens the same file once more, as another process would.
    pub(crate) fn another(&self) -> Store {
        Store::open(&self.path()).expect("a second store")
    }

    /// A plain connection, to look behind the store's back.
    pub(crate) fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).expect("a connection")
    }

    pub(crate) fn count(&self, sql: &str) -> i64 {
        let row = self.sql().query_row(sql, [], |row| row.get(0));
        row.expect("a count")
    }

    pub(crate) async fn add(&self, name: &str) -> SourceId {
        let address = format!("https://example.org/{name}");
        self.add_with(settings(name, &address)).await
    }

    pub(crate) async fn add_with(&self, settings: SourceSettings) -> SourceId {
        let changes = vec![SourceChange::Add(settings)];
        let added = self.store.change_sources(changes, stamp(start())).await;
        added.expect("a source")[0].source_id
    }

    pub(crate) async fn edit(&self, id: SourceId, settings: SourceSettings, at: DateTime<Utc>) {
        let patch = SettingsPatch::between(&self.source(id).await.settings, &settings);
        let changes = vec![SourceChange::Edit(id, patch.into())];
        let edited = self.store.change_sources(changes, stamp(at)).await;
        edited.expect("an edited source");
    }

    pub(crate) async fn source(&self, id: SourceId) -> Source {
        let filter = SourceFilter {
            removed: true,
            ids: Some(vec![id]),
            ..SourceFilter::default()
        };
        let mut sources = self.store.sources(filter).await.expect("sources");
        sources.pop().expect("the source")
    }

    pub(crate) async fn claim(&self, id: SourceId, at: DateTime<Utc>) -> Claim {
        let claims = self.store.claim(these(vec![id], request("rig", at))).await;
        claims.expect("claims").pop().expect("the claim")
    }

    /// Claims the source and records one attempt.
    pub(crate) async fn attempt(
        &self,
        id: SourceId,
        at: DateTime<Utc>,
        result: AttemptResult,
    ) -> Recorded {
        let claim = self.claim(id, at).await;
        let recorded = self.store.record_attempt(record(&claim, at, result)).await;
        recorded.expect("a recorded attempt")
    }

    /// Puts a policy in force: the verifier of [`verdict`] decides about every source, or none does; these sets are judged
    /// by it. Does nothing when it is so already.
    pub(crate) async fn adopt(&self, judges: bool, sets: &[&str]) {
        let every = judges.then(|| verifier("schema", Scope::Source, "*"));
        let sets = sets.iter().map(|set| {
            let scope = Scope::Set {
                tag: (*set).to_owned(),
            };
            verifier("schema", scope, &format!("tag:{set}"))
        });
        let policy = Policy {
            verifiers: every.into_iter().chain(sets).collect(),
        };
        let known = self.store.policy().await.expect("a policy");
        if known.as_ref().map(|known| &known.policy) == Some(&policy) {
            return;
        }
        let adoption = PolicyAdoption {
            policy,
            file: None,
            replaces: known.map_or(0, |known| known.revision),
        };
        let adopted = self.store.adopt_policy(adoption, stamp(start())).await;
        adopted.expect("an adopted policy");
    }

    /// Has the verifier of [`verdict`] decide about a set too.
    pub(crate) async fn with_set(&self, set: &str) {
        let known = self.store.policy().await.expect("a policy");
        let known = known.map(|known| known.policy).unwrap_or_default();
        let judges = known.verifiers.iter().any(|one| one.scope == Scope::Source);
        let mut sets = known.sets();
        sets.insert(set);
        self.adopt(judges, &sets.into_iter().collect::<Vec<_>>())
            .await;
    }

    /// Has the verifier of [`verdict`] decide about every source, or none; sets stay.
    pub(crate) async fn judging(&self, judges: bool) {
        let known = self.store.policy().await.expect("a policy");
        let known = known.map(|known| known.policy).unwrap_or_default();
        let sets: Vec<_> = known.sets().into_iter().collect();
        self.adopt(judges, &sets).await;
    }

    /// Records a version that gets this state.
    pub(crate) async fn version(
        &self,
        id: SourceId,
        at: DateTime<Utc>,
        content: &str,
        state: VersionState,
    ) -> VersionId {
        self.judging(state != VersionState::Unverified).await;
        let recorded = self.attempt(id, at, new(raw(content))).await;
        let version = recorded.version_id.expect("a version");
        let outcome = match state {
            VersionState::Unverified | VersionState::Pending => return version,
            VersionState::Passed => VerdictOutcome::Passed,
            VersionState::Failed => VerdictOutcome::Failed,
            VersionState::Error => VerdictOutcome::Error,
        };
        let verdicts = vec![verdict(outcome, at)];
        let judged = self
            .store
            .record_verdicts(version, verdicts, VerdictId(0), stamp(at))
            .await;
        assert_eq!(judged.map(|counted| counted.state), Ok(state));
        version
    }

    pub(crate) async fn purge(&self, id: SourceId) -> Result<Vec<String>, StoreError> {
        let changes = vec![SourceChange::Remove { id, purge: true }];
        let mut purged = self.store.change_sources(changes, stamp(start())).await?;
        Ok(purged.remove(0).objects)
    }

    /// Fails when the file is not sound, or a row names another that is not there.
    pub(crate) fn assert_sound(&self) {
        let sql = self.sql();
        let integrity: String = sql
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .expect("a check");
        assert_eq!(integrity, "ok");
        for (what, query) in [
            ("foreign keys", "SELECT count(*) FROM pragma_foreign_key_check"),
            (
                "attempts of versions that are gone",
                "SELECT count(*) FROM attempt WHERE version_id NOT NULL AND version_id NOT IN (SELECT id FROM version)",
            ),
            (
                "events of versions that are gone",
                "SELECT count(*) FROM event WHERE version_id NOT NULL AND version_id NOT IN (SELECT id FROM version)",
            ),
            (
                "attempts without their provenance",
                "SELECT count(*) FROM attempt a WHERE provenance_id NOT NULL
                 AND provenance_id NOT IN (SELECT id FROM provenance p WHERE p.source_id IS NULL OR p.source_id = a.source_id)",
            ),
            (
                "newest versions that are not",
                "SELECT count(*) FROM source_state t WHERE version_id IS NOT (SELECT id FROM version
                 WHERE source_id = t.source_id ORDER BY ordinal DESC LIMIT 1)",
            ),
            (
                "published versions of other sources",
                "SELECT count(*) FROM source_state t WHERE published_version_id NOT NULL AND published_version_id NOT IN
                 (SELECT id FROM version WHERE source_id = t.source_id)",
            ),
            (
                "gaps in the ordinals",
                "SELECT count(*) FROM (SELECT count(*) AS n, max(ordinal) AS m FROM version GROUP BY source_id)
                 WHERE n <> m + 1",
            ),
            (
                "blobs that nothing needs",
                "SELECT count(*) FROM blob b WHERE NOT EXISTS (SELECT 1 FROM version WHERE blob_id = b.id)
                 AND NOT EXISTS (SELECT 1 FROM blob WHERE base_id = b.id)",
            ),
        ] {
            let count: i64 = sql
                .query_row(query, [], |row| row.get(0))
                .expect("a count");
            assert_eq!(count, 0, "{what}");
        }
    }
}
