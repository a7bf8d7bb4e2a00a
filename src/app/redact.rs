//! Secrets in what verifiers say: a server may repeat in a body what it was asked with, and a verifier may print the body.
//!
//! Never changes content, which is kept as it came.

use super::{App, Result};
use crate::domain::{EditionMember, NewVerdict, Source, SourceId};
use crate::net::Redactor;
use crate::store::SourceFilter;

impl App {
    /// Returns what strikes the secrets of these sources out of a text.
    pub(super) fn redactor<'a>(&self, sources: impl IntoIterator<Item = &'a Source>) -> Redactor {
        let texts = sources.into_iter().flat_map(|source| {
            let settings = &source.settings;
            let values = settings.headers.iter().map(|(_, value)| value.as_str());
            values.chain([settings.address.as_str()])
        });
        Redactor::new(texts, &self.config().secrets)
    }

    /// Returns the same for sources by their ids, removed ones too.
    pub(super) async fn redactor_of(&self, ids: Vec<SourceId>) -> Result<Redactor> {
        let filter = SourceFilter {
            removed: true,
            ids: Some(ids),
            ..SourceFilter::default()
        };
        let sources = self.store.sources(filter).await?;
        Ok(self.redactor(&sources))
    }

    /// Returns verdicts on a set without the secrets of its sources.
    pub(super) async fn redacted_by_members(
        &self,
        verdicts: Vec<NewVerdict>,
        members: &[EditionMember],
    ) -> Result<Vec<NewVerdict>> {
        let ids = members.iter().map(|member| member.source_id);
        let redactor = self.redactor_of(ids.collect()).await?;
        let verdicts = verdicts.into_iter();
        Ok(verdicts.map(|one| redacted(one, &redactor)).collect())
    }
}

/// Returns a verdict with the names of secrets in the place of their values.
pub(super) fn redacted(mut verdict: NewVerdict, redactor: &Redactor) -> NewVerdict {
    let judgement = &mut verdict.judgement;
    judgement.detail = redactor.redact_line(std::mem::take(&mut judgement.detail));
    judgement.output = redactor.redact_output(std::mem::take(&mut judgement.output));
    verdict
}
