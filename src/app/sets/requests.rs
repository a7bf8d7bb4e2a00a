//! Requests for one set by name: judging it again, and verdicts from outside.

use std::sync::Arc;

use super::judge::VerifiedSet;
use crate::app::sources::suggest::no_such_name;
use crate::app::{App, Ask, Error, ErrorKind, Result};
use crate::domain::{
    Edition, EditionId, EditionMember, SetBlocked, SetMember, Source, VerdictOutcome,
    combination_key, newest_combination, ready_to_judge,
};
use crate::store::{FileSet, NewestEdition, SetMembers, SourceFilter, VerdictsOnEdition};
use crate::verify::Verifier;

impl App {
    /// Judges a set by every verifier that can be asked, and publishes the result: its newest versions under their
    /// sources' present names when all are ready, else its newest edition again.
    pub async fn verify_set(&self, name: &str) -> Result<VerifiedSet> {
        self.require_policy().await?;
        let set = self.known_set(name).await?;
        let _lock = self.lock_sets().await?;
        let members = self.members_to_verify(name).await?;
        let newest = self.read(NewestEdition(name.to_owned())).await?;
        let is_new = |members: &[EditionMember]| {
            let key = combination_key(members);
            newest.as_ref().is_none_or(|newest| newest.key != key)
        };
        let verified = match ready_to_judge(&members) {
            Ok(ready) if is_new(&ready) => self.judge_combination(name, ready, Ask::Again).await?,
            ready => {
                let edition = self.newest_edition_of(&set).await?;
                self.refuse_with_left_member(&edition).await?;
                let is_older = newest_combination(&members).is_none_or(|now| is_new(&now));
                let waits = ready.err().filter(|_| is_older);
                VerifiedSet {
                    waits: waits.map(|reason| reason.to_string()),
                    ..self.judge_edition(edition, Ask::Again).await?
                }
            }
        };
        self.settle_recorded_set(name).await?;
        Ok(verified)
    }

    /// Returns a set's members with their states; fails with the reason when the set cannot be judged.
    async fn members_to_verify(&self, name: &str) -> Result<Vec<SetMember>> {
        if let Some(problem) = self.set_problems().await?.get(name) {
            return Err(Error::invalid(format!(
                "cannot judge the set {name}: {problem}"
            )));
        }
        self.read(SetMembers(name.to_owned(), self.now())).await
    }

    /// Records a verdict from outside on a set's newest edition, and publishes the result. Returns that edition, and
    /// the others with the same contents on which the verdict also counts. Fails with [`ErrorKind::Changed`] when the
    /// verdict is `on` an edition that is not the newest any more.
    pub async fn set_verdict(
        &self,
        name: &str,
        on: Option<EditionId>,
        verifier: &str,
        outcome: VerdictOutcome,
        detail: Option<String>,
    ) -> Result<(Edition, Vec<EditionId>)> {
        self.require_policy().await?;
        let set = self.known_set(name).await?;
        let verifier = &self.outside_verifier_of_set(verifier, name)?;
        let mut edition = self.newest_edition_of(&set).await?;
        if let Some(on) = on.filter(|on| *on != edition.id) {
            return Err(not_the_newest(name, on, edition.id));
        }
        self.refuse_with_left_member(&edition).await?;
        let earlier = self.read(VerdictsOnEdition(edition.id)).await?;
        let earlier = earlier.iter().map(|one| &one.verdict);
        let verdict = self
            .verdict_from_outside(verifier, earlier, outcome, detail)
            .await;
        let mut also = Vec::new();
        for verdict in self
            .redacted_by_members(vec![verdict], &edition.members)
            .await?
        {
            (edition.state, also) = self
                .ports
                .store
                .record_outside_verdict(edition.id, verdict, self.stamp())
                .await?;
        }
        self.settle_recorded_set(name).await?;
        Ok((edition, also.into_iter().map(EditionId).collect()))
    }

    /// Refuses a verdict on an edition with a source that was removed or has left the set: readers never see that edition.
    async fn refuse_with_left_member(&self, edition: &Edition) -> Result<()> {
        let filter = SourceFilter {
            removed: true,
            ids: Some(edition.members.iter().map(|one| one.source_id).collect()),
            ..SourceFilter::default()
        };
        let sources = self.ports.store.sources(filter).await?;
        let has_left =
            |one: &&Source| one.removed_at.is_some() || !one.settings.tags.contains(&edition.set);
        match sources.iter().find(has_left) {
            None => Ok(()),
            Some(left) => {
                let (id, set, name) = (edition.id, &edition.set, &left.settings.name);
                let message = format!("edition {id} of {set} has {name}, which left the set");
                Err(Error::invalid(message).hint(
                    "the next edition is without it: the next pass makes it when every member is ready",
                ))
            }
        }
    }

    /// Finds the verifier with this name that judges a set.
    fn outside_verifier_of_set(&self, name: &str, set: &str) -> Result<Arc<Verifier>> {
        let judging = self.verifiers_of_set(set);
        if let Some(verifier) = judging.iter().find(|one| one.name() == name) {
            return Ok(Arc::clone(verifier));
        }
        let shown = name.escape_debug();
        let configured = self.configured();
        if configured.verifiers.iter().any(|one| one.name() == name) {
            let judging: Vec<_> = judging.iter().map(|one| one.name()).collect();
            return Err(Error::invalid(format!(
                "the verifier `{shown}` does not judge the set {set}"
            ))
            .hint(format!("those that judge it: {}", judging.join(", "))));
        }
        let declared = format!(
            "declare it in the configuration: [[verifier]] with name = \"{shown}\", external = true, scope = \"set\" and sources = [\"tag:{set}\"]"
        );
        let names = judging.iter().map(|one| one.name());
        Err(no_such_name("verifier", name, names, &declared))
    }

    /// Returns the set with this name, recorded or configured.
    pub(in crate::app) async fn known_set(&self, name: &str) -> Result<FileSet> {
        let sets = self.sets_known().await?;
        if let Some(set) = sets.iter().find(|set| set.name == name) {
            return Ok(set.clone());
        }
        let shown = name.escape_debug();
        let names = sets.iter().map(|set| set.name.as_str());
        let declared = format!(
            "a set is declared by a [[verifier]] with scope = \"set\" and sources = [\"tag:{shown}\"]"
        );
        Err(no_such_name("set", name, names, &declared))
    }

    async fn newest_edition_of(&self, set: &FileSet) -> Result<Edition> {
        if let Some(edition) = self.read(NewestEdition(set.name.clone())).await? {
            return Ok(edition);
        }
        let members = self.read(SetMembers(set.name.clone(), self.now())).await?;
        let reason = ready_to_judge(&members).err();
        let hint = reason.map_or_else(
            || "the next pass judges it".to_owned(),
            |reason: SetBlocked| format!("it waits: {reason}"),
        );
        let message = format!("the set {} has no edition yet", set.name);
        Err(Error::not_found(message).hint(hint))
    }
}

fn not_the_newest(set: &str, on: EditionId, newest: EditionId) -> Error {
    let message = format!("the newest edition of the set {set} is {newest}, not {on}");
    Error::new(ErrorKind::Changed, message)
        .hint(format!("look at its members: `gannet show set:{set}`"))
}
