//! Links for HTTP verifiers that fetch the content, and give their verdict later: made when a verifier is asked, used by
//! whoever has them.
//!
//! Never stores a secret: the catalogue has the digests, so that any service on it honours what any worker made. What is
//! sent to the verifier alone shows the links.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::redact::redacted;
use crate::app::access::secret::{Secret, digest_of};
use crate::app::{App, Error, ErrorKind, Result};
use crate::config::VerifierKind;
use crate::domain::{
    Actor, CLOCK_TOLERANCE, CONTENT_LINK_LASTS, Content, Fingerprint, Judgement, LinkOpens,
    SERVICE_LEASE, Source, VerdictOutcome, Version, VersionId, newest_by_verifier, shortened,
};
use crate::store::{Fact, LinkWith, NewLinks, ServiceInfo, ServicesSeenSince, VerifierLink};
use crate::verify::{Verifier, VersionFacts};

/// The most characters of the detail of a verdict.
const MAX_DETAIL_CHARS: usize = 200;

/// Why a link opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRefusal {
    /// No such link opens this.
    Unknown,
    /// The link was used.
    Used,
    /// The time of the link is over.
    Expired,
    /// The source or the version was removed.
    Removed,
    /// The verifier was changed or removed since it was asked.
    OtherVerifier,
    /// The verifier has passed or failed the version since it was asked.
    Judged,
}

/// The result of using a link.
pub type Linked<T> = std::result::Result<T, LinkRefusal>;

/// What a verifier is sent instead of the bytes.
pub(super) struct LinkMessage {
    /// The JSON with the facts and the links.
    pub(super) body: Content,
    secrets: [Secret; 2],
}

impl LinkMessage {
    /// Strikes the links out of what the verifier said.
    pub(super) fn without_links(&self, mut judgement: Judgement) -> Judgement {
        for secret in &self.secrets {
            for text in [&mut judgement.detail, &mut judgement.output] {
                if text.contains(secret.expose()) {
                    *text = text.replace(secret.expose(), "[link]");
                }
            }
        }
        judgement
    }
}

impl App {
    /// Records that a service on this catalogue listens at an address, and can be reached at `url`.
    pub async fn announce_service(&self, address: String, url: Option<String>) -> Result<()> {
        let url = self.config().http.url.clone().or(url);
        let service = ServiceInfo { address, url };
        self.record(Fact::ServiceSeen(service)).await
    }

    /// Records that a service ended.
    pub async fn end_service(&self, address: String) -> Result<()> {
        self.record(Fact::ServiceEnded(address)).await
    }

    /// Makes the message for a verifier of this fingerprint that is asked about a version at this time: the facts, and
    /// links for the content and for the verdict.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when no service runs that could honour the links, or nobody knows its address.
    pub(super) async fn message_with_links(
        &self,
        verifier: &Verifier,
        (fingerprint, asked_at): (&Fingerprint, DateTime<Utc>),
        facts: &VersionFacts,
    ) -> Result<LinkMessage> {
        let base = self.service_url().await?;
        let secrets = [Secret::random("")?, Secret::random("")?];
        let [content, verdict] = &secrets;
        let deadline = match verifier.kind() {
            VerifierKind::Http { deadline, .. } => TimeDelta::from_std(*deadline).ok(),
            _ => None,
        };
        let ends = [CONTENT_LINK_LASTS, deadline.unwrap_or(CONTENT_LINK_LASTS)]
            .map(|lasts| asked_at + lasts);
        let made = NewLinks {
            version_id: facts.version_id,
            verifier: verifier.name().to_owned(),
            fingerprint: fingerprint.hex.clone(),
            created_at: asked_at,
            links: vec![
                (digest_of(content.expose()), LinkOpens::Content, ends[0]),
                (digest_of(verdict.expose()), LinkOpens::Verdict, ends[1]),
            ],
        };
        self.record(Fact::LinksMade(Box::new(made))).await?;
        let mut body = facts_as_json(verifier, facts);
        body["content"] = format!("{base}/links/content/{}", content.expose()).into();
        body["content_until"] = json!(ends[0]);
        body["verdict"] = format!("{base}/links/verdict/{}", verdict.expose()).into();
        body["verdict_until"] = json!(ends[1]);
        Ok(LinkMessage {
            body: Content::Memory(body.to_string().into()),
            secrets,
        })
    }

    /// Returns the address at which verifiers reach a service on this catalogue, without a slash at its end.
    async fn service_url(&self) -> Result<String> {
        let seen = self
            .read(ServicesSeenSince(self.now() - SERVICE_LEASE))
            .await?;
        let Some(service) = seen.into_iter().next() else {
            let message = "no service runs on this catalogue that could send the content";
            return Err(Error::new(ErrorKind::Unavailable, message).hint(
                "start `gannet serve`, or have the verifier get the bytes: send = \"bytes\"",
            ));
        };
        let url = self.config().http.url.clone().or(service.url);
        url.ok_or_else(|| {
            let message = format!(
                "the service at {} does not know at which address verifiers reach it",
                service.address
            );
            Error::new(ErrorKind::Unavailable, message)
                .hint("say so in the configuration: [http] url = \"https://gannet.example.org\"")
        })
    }

    /// Returns the content that a link opens, once.
    pub async fn linked_content(&self, secret: &str) -> Result<Linked<(Version, Content)>> {
        let link = match self.link(secret, LinkOpens::Content).await? {
            Ok(link) => link,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some((source, version)) = self.version_of_link(&link).await? else {
            return Ok(Err(LinkRefusal::Removed));
        };
        let verifiers = self.verifiers_for(&source.settings);
        if !verifiers.iter().any(|one| one.name() == link.verifier) {
            return Ok(Err(LinkRefusal::OtherVerifier));
        }
        // Read first: bytes that are unreadable for the moment do not use the link up.
        let content = self.content(&version).await?;
        let used = self.ports.store.use_link(digest_of(secret), self.now());
        Ok(if used.await? {
            Ok((version, content))
        } else {
            Err(LinkRefusal::Used)
        })
    }

    /// Records the verdict that a verifier gives by a link, once, and updates the published file.
    pub async fn verdict_by_link(
        &self,
        secret: &str,
        outcome: VerdictOutcome,
        detail: Option<&str>,
    ) -> Result<Linked<()>> {
        let link = match self.link(secret, LinkOpens::Verdict).await? {
            Ok(link) => link,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.require_policy().await?;
        let Some((source, version)) = self.version_of_link(&link).await? else {
            return Ok(Err(LinkRefusal::Removed));
        };
        let verifiers = self.verifiers_for(&source.settings);
        let verifier = verifiers.iter().find(|one| one.name() == link.verifier);
        let Some(verifier) = verifier else {
            return Ok(Err(LinkRefusal::OtherVerifier));
        };
        let detail = detail.map(|detail| shortened(&without_any_link(detail), MAX_DETAIL_CHARS));
        let judgement = Judgement::new(outcome, detail.unwrap_or_default());
        let verdict = self.verdict_without_run(verifier, judgement).await;
        if verdict.fingerprint.hex != link.fingerprint {
            return Ok(Err(LinkRefusal::OtherVerifier));
        }
        if self.is_judged_since(&link, version.id).await? {
            return Ok(Err(LinkRefusal::Judged));
        }
        let verdict = redacted(verdict, &self.redactor([&source], Some(verifier)));
        let stamp = self.acting_as(Actor::by_http(&link.verifier)).stamp();
        let store = &self.ports.store;
        let recorded = store.record_linked_verdict(digest_of(secret), version.id, verdict, stamp);
        if recorded.await?.is_none() {
            return Ok(Err(LinkRefusal::Used));
        }
        self.settle_checked(source.id).await?;
        Ok(Ok(()))
    }

    /// Returns the link with this secret, if it opens this and can be used.
    async fn link(&self, secret: &str, opens: LinkOpens) -> Result<Linked<VerifierLink>> {
        let digest = digest_of(secret);
        let found = self.unless_damaged(self.read(LinkWith(digest)).await)?;
        let found = found.flatten().filter(|link| link.opens == opens);
        let Some(link) = found else {
            return Ok(Err(LinkRefusal::Unknown));
        };
        let now = self.now();
        Ok(if link.used_at.is_some() {
            Err(LinkRefusal::Used)
        } else if now >= link.expires_at || link.created_at > now + CLOCK_TOLERANCE {
            Err(LinkRefusal::Expired)
        } else {
            Ok(link)
        })
    }

    /// Returns the version of a link; `None` once it, or its source, was removed.
    async fn version_of_link(&self, link: &VerifierLink) -> Result<Option<(Source, Version)>> {
        let store = &self.ports.store;
        let Some(version) = store.find_version(link.version_id).await? else {
            return Ok(None);
        };
        let source = store.find_source(version.source_id).await?;
        let present = source.filter(|source| source.removed_at.is_none());
        Ok(present.map(|source| (source, version)))
    }

    /// Returns whether the verifier passed or failed the version since it was asked. One that could not answer in time
    /// may still give its verdict.
    async fn is_judged_since(&self, link: &VerifierLink, version: VersionId) -> Result<bool> {
        let verdicts = self.verdicts(version).await?;
        let newest = newest_by_verifier(verdicts.iter().map(|one| &one.verdict));
        let last = newest.get(link.verifier.as_str());
        Ok(last.is_some_and(|last| {
            let outcome = last.judgement.outcome;
            matches!(outcome, VerdictOutcome::Passed | VerdictOutcome::Failed)
                && last.started_at >= link.created_at
        }))
    }
}

/// Strikes whatever may be a link's secret out of a text: what follows `/links/content/` or `/links/verdict/`.
fn without_any_link(text: &str) -> String {
    let (mut kept, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("/links/") {
        let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && !"/-_".contains(c));
        kept.extend([before, "/links/…"]);
        rest = &behind[end.unwrap_or(behind.len())..];
    }
    kept + rest
}

/// Returns what a verifier learns of a version, but for the links.
fn facts_as_json(verifier: &Verifier, facts: &VersionFacts) -> Value {
    json!({
        "verifier": verifier.name(),
        "source_id": facts.source_id,
        "source": facts.source_name,
        "address": facts.address,
        "version_id": facts.version_id,
        "digest": facts.digest.to_string(),
        "size_bytes": facts.size_bytes,
        "media_type": facts.media_type,
        "name": facts.name,
        "fetched_at": facts.fetched_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_that_repeats_its_links_has_them_struck_out() {
        let secrets = [(); 2].map(|()| Secret::random("").expect("a secret"));
        let [content, verdict] = secrets.clone();
        let message = LinkMessage {
            body: Content::Memory(bytes::Bytes::new()),
            secrets,
        };
        let judgement = Judgement {
            output: format!("{} {0}", content.expose()),
            ..Judgement::error(&format!("no {}", verdict.expose()))
        };
        let kept = message.without_links(judgement);
        assert_eq!(kept.detail, "could not judge: no [link]");
        assert_eq!(kept.output, "[link] [link]");
    }
}
