//! Secrets in what verifiers say: a server may repeat in a body what it was asked with, and a verifier may print the body; a
//! service that judges may repeat what it was asked with itself.
//!
//! Never changes content, which is kept as it came.

use std::sync::Arc;

use crate::app::{App, Result};
use crate::config::{Builtin, VerifierKind};
use crate::domain::{EditionMember, NewVerdict, Source, SourceId};
use crate::net::Redactor;
use crate::verify::Verifier;

impl App {
    /// Returns what strikes the secrets of these sources, and those of a verifier, out of a text.
    pub(in crate::app) fn redactor<'a>(
        &self,
        sources: impl IntoIterator<Item = &'a Source>,
        verifier: Option<&'a Verifier>,
    ) -> Arc<Redactor> {
        let mut texts: Vec<&str> = Vec::new();
        let names_secret = |text: &&str| text.contains("${");
        for source in sources {
            texts.extend(source.settings.secret_texts());
        }
        let mut signing = None;
        if let Some(VerifierKind::Http { url, secret, .. }) = verifier.map(Verifier::kind) {
            texts.extend([url.as_str()].into_iter().filter(names_secret));
            signing = secret.as_deref();
        }
        let configured = self.configured();
        let secrets = &configured.config.secrets;
        configured.redactors.get(texts, signing, secrets)
    }

    /// Returns what strikes out what a verdict may repeat: secrets of the source, of the verifier, and of the source that a rule
    /// compares with, whose lines it may quote.
    pub(in crate::app) async fn redactor_for_verdict(
        &self,
        source: &Source,
        verifier: &Verifier,
    ) -> Result<Arc<Redactor>> {
        let companion = match verifier.rule().and_then(Builtin::companion) {
            Some(name) => self.ports.store.find_source(name).await?,
            None => None,
        };
        let sources = [source].into_iter().chain(&companion);
        Ok(self.redactor(sources, Some(verifier)))
    }

    /// Returns the same for sources by their ids, removed ones too.
    pub(in crate::app) async fn redactor_of(&self, ids: Vec<SourceId>) -> Result<Arc<Redactor>> {
        let mut sources = Vec::new();
        for id in ids {
            sources.extend(self.ports.store.find_source(id).await?);
        }
        Ok(self.redactor(&sources, None))
    }

    /// Returns verdicts on a set without the secrets of its sources.
    pub(in crate::app) async fn redacted_by_members(
        &self,
        verdicts: Vec<NewVerdict>,
        members: &[EditionMember],
    ) -> Result<Vec<NewVerdict>> {
        if verdicts.is_empty() {
            return Ok(verdicts);
        }
        let ids = members.iter().map(|member| member.source_id);
        let redactor = self.redactor_of(ids.collect()).await?;
        let verdicts = verdicts.into_iter();
        Ok(verdicts.map(|one| redacted(one, &redactor)).collect())
    }
}

/// Returns a verdict with the names of secrets in the place of their values.
pub(in crate::app) fn redacted(mut verdict: NewVerdict, redactor: &Redactor) -> NewVerdict {
    if redactor.is_empty() {
        return verdict;
    }
    let judgement = &mut verdict.judgement;
    judgement.detail = redactor.redact_line(std::mem::take(&mut judgement.detail));
    judgement.output = redactor.redact_output(std::mem::take(&mut judgement.output));
    verdict
}
