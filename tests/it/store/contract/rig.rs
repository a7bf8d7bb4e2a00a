//! A catalogue of the engine, and short ways to fill it.

use chrono::{DateTime, Utc};
use gannet::domain::{
    Claim, Policy, PolicyVerifier, Scope, SettingsPatch, Source, SourceId, SourceSettings,
    VerdictId, VerdictOutcome, Version, VersionId, VersionState, Weight,
};
use gannet::store::{
    AttemptResult, PolicyAdoption, PolicyInForce, PublishQuery, PublishTask, Recorded,
    SourceChange, SourceFilter, Store, StoreError, VersionsQuery,
};

use super::{Catalogue as _, Engine};
use crate::rig::rows::{new, raw, record, request, settings, stamp, start, these, verdict};

/// A catalogue that goes when this does.
pub(crate) struct Rig {
    pub(crate) store: Store,
    pub(crate) engine: Engine,
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
        Self::on(Engine::new())
    }

    /// Opens this catalogue, or makes it.
    pub(crate) fn on(engine: Engine) -> Self {
        Self {
            store: engine.open(),
            engine,
        }
    }

    /// Gives up the store while its catalogue stays.
    pub(crate) fn closed(self) -> Engine {
        self.engine
    }

    /// Opens the same catalogue once more, as another process would.
    pub(crate) fn another(&self) -> Store {
        self.engine.open()
    }

    /// How many rows a table has.
    pub(crate) fn count(&self, table: &str) -> i64 {
        self.engine.count(table)
    }

    /// Fails when the catalogue is not sound, or a row names another that is not there.
    pub(crate) fn assert_sound(&self) {
        self.engine.assert_sound();
    }

    /// Returns all versions of a source, newest first.
    pub(crate) async fn versions(&self, source: SourceId) -> Vec<Version> {
        let all = VersionsQuery::Of {
            source,
            limit: None,
        };
        self.store.versions(all).await.expect("versions")
    }

    /// Returns what is due to be published or withdrawn, what failed before included.
    pub(crate) async fn due_tasks(&self) -> Vec<PublishTask> {
        let due = PublishQuery::Due {
            after: SourceId(0),
            again: true,
            limit: 99,
        };
        self.store.publish_tasks(due).await.expect("tasks")
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
        let known = self.store.read(PolicyInForce).await.expect("a policy");
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
        let known = self.store.read(PolicyInForce).await.expect("a policy");
        let known = known.map(|known| known.policy).unwrap_or_default();
        let judges = known.verifiers.iter().any(|one| one.scope == Scope::Source);
        let mut sets = known.sets();
        sets.insert(set);
        self.adopt(judges, &sets.into_iter().collect::<Vec<_>>())
            .await;
    }

    /// Has the verifier of [`verdict`] decide about every source, or none; sets stay.
    pub(crate) async fn judging(&self, judges: bool) {
        let known = self.store.read(PolicyInForce).await.expect("a policy");
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
}
