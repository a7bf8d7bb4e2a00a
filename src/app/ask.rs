//! Asking a verifier, wherever it is: in this process, in a program, or at an address.

use std::sync::Arc;
use std::time::Instant;

use super::App;
use crate::config::VerifierKind;
use crate::domain::{Content, Judgement, NewVerdict, VerdictOutcome};
use crate::net::{NetError, WebhookRequest, Webhooks};
use crate::verify::{Answer, Facts, Verifier};

impl App {
    /// Returns what a verifier says of the content, with where that comes from.
    pub(super) async fn run(
        &self,
        verifier: &Arc<Verifier>,
        content: &Content,
        facts: &Facts,
    ) -> NewVerdict {
        let _permit = self.judging_permit(verifier.is_run()).await;
        let evidence = self.evidence(verifier, facts).await;
        let started_at = self.now();
        let clock = Instant::now();
        // As it is before: a program that is replaced from here on could not judge.
        let fingerprint = verifier.identify().await;
        let judgement = if let VerifierKind::Http { url, secret, .. } = verifier.kind() {
            let address = (url.as_str(), secret.as_deref());
            self.post(address, verifier, content, facts).await
        } else {
            let work_dir = self.archive.temp_dir();
            verifier
                .judge_as(&fingerprint, content, facts, evidence, work_dir)
                .await
        };
        NewVerdict {
            verifier: verifier.name().to_owned(),
            fingerprint,
            judgement,
            started_at,
            duration: clock.elapsed(),
        }
    }

    /// Posts the content to a verifier's address, and reads its answer.
    async fn post(
        &self,
        (url, secret): (&str, Option<&str>),
        verifier: &Verifier,
        content: &Content,
        facts: &Facts,
    ) -> Judgement {
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
            secret,
            id: &id,
            timestamp: self.now(),
            headers: &headers,
            media_type: facts.media_type.as_deref(),
            body: content,
            timeout: verifier.timeout(),
        };
        let answer = match webhooks.post(request).await {
            Ok(answer) => answer,
            Err(error) => return Judgement::error(&error.to_string()),
        };
        match Answer::read(answer.status, answer.media_type.as_deref(), &answer.body) {
            Answer::Verdict(judgement) => judgement,
            Answer::Later => Judgement {
                outcome: VerdictOutcome::Pending,
                detail: "answered 202: the verdict comes later".to_owned(),
                exit_code: None,
                output: String::new(),
            },
        }
    }

    /// Returns the client of webhooks, made when it is first needed: that reads the system's certificates.
    pub(crate) async fn webhooks(&self) -> Result<&Webhooks, NetError> {
        let make = || async {
            let (fetch, secrets) = (self.config.fetch.clone(), self.config.secrets.clone());
            let made = tokio::task::spawn_blocking(move || Webhooks::new(&fetch, secrets)).await;
            made.unwrap_or_else(|error| Err(NetError::Client(error.to_string())))
        };
        self.webhooks.get_or_try_init(make).await
    }
}

/// Returns a new id of a message: Standard Webhooks asks for one that no other message has.
fn message_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("msg_{:032x}", u128::from_be_bytes(bytes)))
}
