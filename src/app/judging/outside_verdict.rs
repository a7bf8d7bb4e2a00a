//! Verdicts from outside: recorded in a verifier's name for all versions with the same bytes; published files follow.
//!
//! Never asks a verifier.

use std::sync::Arc;

use super::redact::redacted;
use crate::app::sources::suggest::no_such_name;
use crate::app::{App, Error, Result};
use crate::config::VerifierKind;
use crate::domain::{
    Fingerprint, Judgement, NewVerdict, Scope, Source, VerdictOutcome, Version, VersionId,
    newest_by_verifier,
};
use crate::verify::Verifier;

/// A verdict from outside that was recorded.
#[derive(Clone, Debug)]
pub struct GivenVerdict {
    /// The source, as it was before.
    pub source: Source,
    /// The version, with its new state.
    pub version: Version,
    /// The source's other versions with the same bytes on which the verdict also counts, oldest first.
    pub also: Vec<VersionId>,
}

impl App {
    /// Records a verdict from outside and updates the published file. A verdict that fails a version, or passes one
    /// failed from outside, counts for every version of the source with the same bytes.
    ///
    /// The verifier must be declared for the source: usually one with `external = true`, or an HTTP verifier that
    /// promised a verdict. In the name of any other, a person overrules that verifier until it judges again.
    pub async fn verdict(
        &self,
        reference: &str,
        verifier: &str,
        outcome: VerdictOutcome,
        detail: Option<String>,
    ) -> Result<GivenVerdict> {
        self.require_policy().await?;
        let (source, version) = self.version(reference).await?;
        let verifier = self.outside_verifier(verifier, &source)?;
        let earlier = self.ports.store.verdicts(version.id).await?;
        let earlier = earlier.iter().map(|one| &one.verdict);
        let verdict = self
            .verdict_from_outside(&verifier, earlier, outcome, detail)
            .await;
        let verdict = redacted(verdict, &self.redactor([&source], Some(&verifier)));
        let (state, also) = self
            .ports
            .store
            .record_outside_verdict(version.id, verdict, self.stamp())
            .await?;
        self.settle_checked(source.id).await?;
        Ok(GivenVerdict {
            source,
            version: Version { state, ..version },
            also: also.into_iter().map(VersionId).collect(),
        })
    }

    /// Returns the verdict from outside in a verifier's name. For a verifier that gannet runs it is marked as by hand,
    /// unless that verifier promised it.
    pub(in crate::app) async fn verdict_from_outside<'a>(
        &self,
        verifier: &Arc<Verifier>,
        earlier: impl IntoIterator<Item = &'a NewVerdict>,
        outcome: VerdictOutcome,
        detail: Option<String>,
    ) -> NewVerdict {
        let judgement = Judgement::new(outcome, detail.unwrap_or_default());
        let mut verdict = self.verdict_without_run(verifier, judgement).await;
        let last = newest_by_verifier(earlier).get(verifier.name()).copied();
        let is_promised =
            last.is_some_and(|last| last.judgement.outcome == VerdictOutcome::Pending);
        let is_own = match verifier.kind() {
            VerifierKind::External { .. } => true,
            VerifierKind::Http { .. } => is_promised,
            VerifierKind::Command { .. } | VerifierKind::Builtin(_) => false,
        };
        if !is_own {
            verdict.fingerprint = Fingerprint::overruled();
        }
        verdict
    }

    /// Finds the verifier with this name that accepts verdicts from outside.
    fn outside_verifier(&self, name: &str, source: &Source) -> Result<Arc<Verifier>> {
        let shown = name.escape_debug();
        let declared = || {
            format!(
                "declare it in the configuration: [[verifier]] with name = \"{shown}\", external = true and `sources`"
            )
        };
        let configured = self.configured();
        let mut verifiers = configured.verifiers.iter();
        let Some(verifier) = verifiers.find(|one| one.name() == name) else {
            let names = configured.verifiers.iter().map(|one| one.name());
            return Err(no_such_name("verifier", name, names, &declared()));
        };
        let source_name = &source.settings.name;
        if let Scope::Set { tag } = verifier.scope() {
            let message =
                format!("the verifier `{shown}` judges the set {tag}, not {source_name} alone");
            return Err(Error::invalid(message)
                .hint(format!("give it for the set: `gannet verdict set:{tag}`")));
        }
        if !verifier.applies_to(&source.settings) {
            let message = format!("the verifier `{shown}` does not judge {source_name}");
            return Err(Error::invalid(message)
                .hint("its `sources` in the configuration select which it judges"));
        }
        Ok(Arc::clone(verifier))
    }
}
