//! The step of the pipeline between archive and publish: judges by the required verifiers, updates the published file,
//! then judges by the advisory verifiers.
//!
//! Never runs a verifier itself: `app` does.

use super::pipeline::{Pipeline, unless_gone};
use crate::app::{Ask, Error, Result, Verified};
use crate::domain::{
    Content, NewVerdict, Publication, Source, VerdictOutcome, Version, VersionId, VersionState,
    Weight, with_origin,
};

impl Pipeline {
    /// Judges a version, with its content if that is at hand, and updates the published file. Does nothing when an
    /// operator removed the source with its history meanwhile.
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
            // The error of a damaged row does not name its source.
            let message = format!("{}: {error}", source.settings.name);
            Error { message, ..error }
        })?;
        let required = self.ask(source, &version, content.clone(), Weight::Required);
        let required = required.await?;
        // A version that arrived just now can have failed already, when somebody refused the same bytes before.
        let is_refused = content.is_some() && version.state == VersionState::Failed;
        if is_refused {
            self.add_refusals(source, &version).await?;
        }
        if is_refused || !required.verdicts.is_empty() || required.state != version.state {
            self.count_decision(required.state);
        }
        self.count_undecided(&required);
        let task = self.app.ports().store.publish_tasks(source.id).await?.pop();
        match (task, &content) {
            (Some(task), Some(content)) if task.publication == Publication::Publish(id) => {
                self.publish(task.source, id, content.clone(), None).await?;
            }
            // Without a task, the edition of its set that has the version may have to be replaced.
            (task, _) if task.is_some() || required.state == VersionState::Failed => {
                self.app.settle(source.id).await?;
            }
            _ => {}
        }
        // Advisory verifiers delay nothing.
        if self.app.has_verifier(&source.settings, Weight::Advisory) {
            self.ask(source, &required.version, content, Weight::Advisory)
                .await?;
        }
        Ok(())
    }

    fn count_decision(&self, state: VersionState) {
        self.progress.update(|summary| match state {
            VersionState::Passed => summary.passed += 1,
            VersionState::Failed => summary.failed_verification += 1,
            VersionState::Error | VersionState::Pending | VersionState::Unverified => {}
        });
    }

    fn count_undecided(&self, verified: &Verified) {
        // A verifier that could not judge is counted even while the version waits for another one's verdict.
        let is_error = |one: &NewVerdict| one.judgement.outcome == VerdictOutcome::Error;
        let has_error = match verified.state {
            VersionState::Error => true,
            VersionState::Pending => verified.verdicts.iter().any(is_error),
            _ => return,
        };
        self.progress.update(|summary| {
            summary.awaiting_verdicts += u64::from(verified.state == VersionState::Pending);
            summary.verification_errors += u64::from(has_error);
        });
    }

    /// Asks the verifiers of this weight, and adds the verdicts that do not pass to the failures.
    async fn ask(
        &self,
        source: &Source,
        version: &Version,
        content: Option<Content>,
        weight: Weight,
    ) -> Result<Verified> {
        let ask = Ask::Undecided(weight);
        let verified = self.app.judge(source, version, content, ask).await?;
        self.add_failures(source, version, weight, &verified.verdicts);
        Ok(verified)
    }

    /// Adds the earlier refusals of a version's bytes to the failures.
    async fn add_refusals(&self, source: &Source, version: &Version) -> Result<()> {
        let known = self.app.ports().store.verdicts(version.id).await?;
        let refusals = known.into_iter().filter(|one| one.verdict.is_refusal());
        let refusals: Vec<_> = refusals
            .map(|mut one| {
                let judgement = &mut one.verdict.judgement;
                let given_on = one.given_on.map(|id| format!("v{id}"));
                judgement.detail = with_origin(judgement.reason(), given_on);
                one.verdict
            })
            .collect();
        self.add_failures(source, version, Weight::Required, &refusals);
        Ok(())
    }

    fn add_failures(
        &self,
        source: &Source,
        version: &Version,
        weight: Weight,
        verdicts: &[NewVerdict],
    ) {
        let (name, id) = (&source.settings.name, version.id);
        for words in verdicts.iter().filter_map(|one| weight.failure_words(one)) {
            self.add_failure(|| format!("{name}: v{id} {words}"));
        }
    }
}
