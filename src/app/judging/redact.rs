//! Removes secrets from verdicts: a server may repeat its request in a body, a verifier may print the body, and a
//! service that judges may repeat its own request.
//!
//! Never changes content, which is kept as received.

use std::sync::Arc;

use crate::app::{App, Result};
use crate::config::{Builtin, VerifierKind};
use crate::domain::{EditionMember, NewVerdict, Source, SourceId};
use crate::net::Redactor;
use crate::verify::Verifier;

impl App {
    /// Returns a redactor for the secrets of these sources and of a verifier.
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

    /// Returns a redactor for a verdict: for secrets of the source, of the verifier, and of the source that a rule
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

    /// Returns a redactor for sources by id, removed ones included.
    pub(in crate::app) async fn redactor_of(&self, ids: Vec<SourceId>) -> Result<Arc<Redactor>> {
        let mut sources = Vec::new();
        for id in ids {
            sources.extend(self.ports.store.find_source(id).await?);
        }
        Ok(self.redactor(&sources, None))
    }

    /// Returns verdicts on a set without the secrets of its members.
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

/// Returns a verdict with secrets replaced by their names.
pub(in crate::app) fn redacted(mut verdict: NewVerdict, redactor: &Redactor) -> NewVerdict {
    if redactor.is_empty() {
        return verdict;
    }
    let judgement = &mut verdict.judgement;
    judgement.detail = redactor.redact_line(std::mem::take(&mut judgement.detail));
    judgement.output = redactor.redact_output(std::mem::take(&mut judgement.output));
    verdict
}
