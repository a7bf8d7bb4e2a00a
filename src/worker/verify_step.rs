//! Verify, the step of the pipeline between archive and publish: the required verifiers, what follows for the published
//! file, then those that only advise.
//!
//! Never runs a verifier itself.

use super::pipeline::{Pipeline, unless_gone};
use crate::app::{Ask, Error, Result, Verified};
use crate::domain::{
    Content, NewVerdict, Publication, Source, VerdictOutcome, Version, VersionId, VersionState,
    Weight, with_origin,
};

impl Pipeline {
    /// Judges a version, with its content if that is at hand, and publishes what follows from the verdicts. Does nothing
    /// when an operator removed the source with its history meanwhile.
    pub(super) async fn judge(
        &self,
        source: &Source,
        id: VersionId,
        content: Option<Content>,
    ) -> Result<()> {
        unless_gone(self.judge_kept(source, id, content).await)
    }

    async fn judge_kept(
        &self,
        source: &Source,
        id: VersionId,
        content: Option<Content>,
    ) -> Result<()> {
        let version = self.version(id).await.map_err(|error| {
            // Which source the row is one of only the caller knows.
            let message = format!("{}: {error}", source.settings.name);
            Error { message, ..error }
        })?;
        let required = self
            .ask(source, &version, content.clone(), Weight::Required)
            .await?;
        // One that came just now may be failed already: somebody refused these bytes before.
        let is_refused = content.is_some() && version.state == VersionState::Failed;
        if is_refused {
            self.tell_refusals(source, &version).await?;
        }
        let is_news =
            is_refused || !required.verdicts.is_empty() || required.state != version.state;
        self.progress.update(|summary| match required.state {
            VersionState::Passed | VersionState::Failed if !is_news => {}
            VersionState::Passed => summary.passed += 1,
            VersionState::Failed => summary.failed_verification += 1,
            VersionState::Error => summary.verification_errors += 1,
            VersionState::Pending => {
                summary.awaiting_verdicts += 1;
                // Another verifier could not judge, which nobody should have to wait for that verdict to learn.
                let mut said = required.verdicts.iter();
                if said.any(|one| one.judgement.outcome == VerdictOutcome::Error) {
                    summary.verification_errors += 1;
                }
            }
            VersionState::Unverified => {}
        });
        let task = self.app.ports().store.publish_tasks(source.id).await?.pop();
        match (task, &content) {
            (Some(task), Some(content)) if task.publication == Publication::Publish(id) => {
                self.publish(task.source, id, content.clone(), None).await?;
            }
            (Some(_), _) => self.app.settle(source.id).await?,
            // The set that it is in may not stay published.
            (None, _) if required.state == VersionState::Failed => {
                self.app.settle(source.id).await?;
            }
            (None, _) => {}
        }
        // Those that only advise keep nothing waiting.
        if self.app.has_verifier(&source.settings, Weight::Advisory) {
            self.ask(source, &required.version, content, Weight::Advisory)
                .await?;
        }
        Ok(())
    }

    /// Asks the verifiers of this weight, and tells of what they do not pass.
    async fn ask(
        &self,
        source: &Source,
        version: &Version,
        content: Option<Content>,
        weight: Weight,
    ) -> Result<Verified> {
        let ask = Ask::Undecided(weight);
        let verified = self.app.judge(source, version, content, ask).await?;
        self.tell_verdicts(source, version, weight, &verified.verdicts);
        Ok(verified)
    }

    /// Tells who refused a version's bytes when they came before.
    async fn tell_refusals(&self, source: &Source, version: &Version) -> Result<()> {
        let known = self
            .app
            .ports()
            .store
            .verdicts(version.id)
            .await?
            .into_iter();
        let refusals = known.filter(|one| one.verdict.is_refusal());
        let refusals: Vec<_> = refusals
            .map(|mut one| {
                let judgement = &mut one.verdict.judgement;
                let given_on = one.given_on.map(|id| format!("v{id}"));
                judgement.detail = with_origin(judgement.reason(), given_on);
                one.verdict
            })
            .collect();
        self.tell_verdicts(source, version, Weight::Required, &refusals);
        Ok(())
    }

    fn tell_verdicts(
        &self,
        source: &Source,
        version: &Version,
        weight: Weight,
        verdicts: &[NewVerdict],
    ) {
        let (name, id) = (&source.settings.name, version.id);
        for words in verdicts.iter().filter_map(|one| weight.failure_words(one)) {
            self.tell(|| format!("{name}: v{id} {words}"));
        }
    }
}
