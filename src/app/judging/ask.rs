//! Asks a verifier: a built-in rule, a program, or an address.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::config::VerifierKind;
use crate::domain::{Content, Fingerprint, Judgement, NewVerdict, VerdictOutcome};
use crate::net::{NetError, WebhookRequest, Webhooks};
use crate::verify::{Verifier, VerifierReply, VersionFacts};

impl App {
    /// Returns a verifier's verdict on the content, with its fingerprint. A suspect version, whose judging killed a
    /// process before, is judged alone, except at an address.
    pub(in crate::app) async fn run(
        &self,
        verifier: &Arc<Verifier>,
        content: &Content,
        facts: &VersionFacts,
        is_suspect: bool,
    ) -> NewVerdict {
        let _permit = if is_suspect && verifier.is_run() {
            // Judging it, or another version at the same time, killed the process: a death while alone decides.
            self.judging_alone().await
        } else {
            self.judging_permit(verifier.is_run()).await
        };
        let note = verifier
            .is_run()
            .then(|| self.note_judging(facts.version_id, verifier.name()));
        let rule_context = self.rule_context(verifier, facts).await;
        let run = self.begin_run(verifier).await;
        let judgement = if let VerifierKind::Http { .. } = verifier.kind() {
            self.ask_at_address(&run, content, facts).await
        } else {
            let work_dir = self.ports.archive.machine().temp_dir();
            verifier
                .judge_as(&run.fingerprint, content, facts, rule_context, work_dir)
                .await
        };
        drop(note);
        run.finish(judgement)
    }

    /// Starts asking a verifier and fixes its fingerprint: a program replaced from now on could not judge.
    pub(in crate::app) async fn begin_run<'a>(&self, verifier: &'a Verifier) -> VerifierRun<'a> {
        let (started_at, clock) = (self.now(), Instant::now());
        VerifierRun {
            fingerprint: verifier.identify().await,
            verifier,
            started_at,
            clock,
        }
    }

    /// Asks a verifier at its address: sends the content, or links.
    async fn ask_at_address(
        &self,
        run: &VerifierRun<'_>,
        content: &Content,
        facts: &VersionFacts,
    ) -> Judgement {
        let verifier = run.verifier;
        if !verifier.is_sent_links() {
            let media_type = facts.media_type.as_deref();
            return self.post(verifier, (content, media_type), facts).await;
        }
        let asked = (&run.fingerprint, run.started_at);
        match self.message_with_links(verifier, asked, facts).await {
            Ok(message) => {
                let body = (&message.body, Some("application/json"));
                let judgement = self.post(verifier, body, facts).await;
                message.without_links(judgement)
            }
            Err(error) => Judgement::error(&error.with_hint()),
        }
    }

    /// Posts a body, of this media type, to a verifier's address and reads the answer.
    async fn post(
        &self,
        verifier: &Verifier,
        (body, media_type): (&Content, Option<&str>),
        facts: &VersionFacts,
    ) -> Judgement {
        let VerifierKind::Http { url, secret, .. } = verifier.kind() else {
            return Judgement::error("the verifier has no address");
        };
        let webhooks = match self.webhooks().await {
            Ok(webhooks) => webhooks,
            Err(error) => return Judgement::error(&error.to_string()),
        };
        let Ok(id) = message_id() else {
            return Judgement::error("the system has no random numbers");
        };
        let headers = facts.headers(verifier.name());
        let request = WebhookRequest {
            url,
            secret: secret.as_deref(),
            id: &id,
            timestamp: self.now(),
            headers: &headers,
            media_type,
            body,
            timeout: verifier.timeout(),
        };
        let answer = match webhooks.post(request).await {
            Ok(answer) => answer,
            Err(error) => return Judgement::error(&error.to_string()),
        };
        match VerifierReply::read(answer.status, answer.media_type.as_deref(), &answer.body) {
            VerifierReply::Verdict(judgement) => judgement,
            VerifierReply::Later => {
                let detail = "answered 202: the verdict comes later";
                Judgement::new(VerdictOutcome::Pending, detail)
            }
        }
    }

    /// Returns the client of webhooks; made on first use, since it reads the system's certificates.
    pub(crate) async fn webhooks(&self) -> Result<Arc<Webhooks>, NetError> {
        let configured = self.configured();
        let make = || async {
            let config = &configured.config;
            let (fetch, secrets) = (config.fetch.clone(), config.secrets.clone());
            let made = tokio::task::spawn_blocking(move || Webhooks::new(&fetch, secrets)).await;
            let made = made.unwrap_or_else(|error| Err(NetError::Client(error.to_string())));
            made.map(Arc::new)
        };
        configured.webhooks.get_or_try_init(make).await.cloned()
    }
}

/// A verifier that is being asked.
pub(in crate::app) struct VerifierRun<'a> {
    verifier: &'a Verifier,
    pub(in crate::app) fingerprint: Fingerprint,
    started_at: DateTime<Utc>,
    clock: Instant,
}

impl VerifierRun<'_> {
    /// Returns the verifier's judgement as a verdict.
    pub(in crate::app) fn finish(self, judgement: Judgement) -> NewVerdict {
        NewVerdict {
            verifier: self.verifier.name().to_owned(),
            fingerprint: self.fingerprint,
            judgement,
            started_at: self.started_at,
            duration: self.clock.elapsed(),
        }
    }
}

/// Returns a new message id: Standard Webhooks requires unique ones.
fn message_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("msg_{:032x}", u128::from_be_bytes(bytes)))
}
