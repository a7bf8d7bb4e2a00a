//! One verifier, ready to judge.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::command::{self, Program};
use super::fingerprint::{FileDigests, definition_digest, fingerprint, kind_name};
use super::judged_input::JudgedInput;
use super::process::RunLimits;
use super::{Companion, MessageFacts, RuleContext, SetFiles, VersionFacts, builtin};
use crate::config::{Builtin, PreviousNeed, VerifierConfig, VerifierInput, VerifierKind};
use crate::domain::{
    Content, Digest, Fingerprint, Judgement, Pattern, Scope, SourceSettings, VerdictOutcome,
    Weight, duration_words,
};

/// From the polite signal to the kill.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// One configured verifier. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Verifier {
    config: Arc<VerifierConfig>,
    files: Arc<FileDigests>,
    grace: Duration,
}

impl Verifier {
    /// Returns the verifier with this configuration.
    pub fn new(config: VerifierConfig) -> Self {
        Self {
            config: Arc::new(config),
            files: Arc::default(),
            grace: GRACE,
        }
    }

    /// Sets the time between the polite signal and the kill of a program; the default is 5 s.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Returns the configured name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Returns the configured kind: rule, program, address, or external.
    pub fn kind(&self) -> &VerifierKind {
        &self.config.kind
    }

    /// Returns the built-in rule; `None` for other kinds.
    pub fn rule(&self) -> Option<&Builtin> {
        match &self.config.kind {
            VerifierKind::Builtin(rule) => Some(rule),
            _ => None,
        }
    }

    /// Returns whether the verdict depends on the previous version.
    pub fn compares_with_previous(&self) -> bool {
        self.rule()
            .is_some_and(|rule| rule.needs_previous() > PreviousNeed::Nothing)
    }

    /// Returns whether this process runs the verifier: true for rules and programs.
    pub fn is_run(&self) -> bool {
        matches!(
            self.config.kind,
            VerifierKind::Builtin(_) | VerifierKind::Command { .. }
        )
    }

    /// Returns whether the verifier is sent links instead of the bytes.
    pub fn is_sent_links(&self) -> bool {
        let VerifierKind::Http { send, .. } = &self.config.kind else {
            return false;
        };
        *send == VerifierInput::Link
    }

    /// Returns whether the verifier is required or advisory.
    pub fn weight(&self) -> Weight {
        self.config.weight
    }

    /// Returns whether the verifier judges files or sets.
    pub fn scope(&self) -> &Scope {
        &self.config.scope
    }

    /// Returns the patterns of the sources that the verifier judges.
    pub fn sources(&self) -> &[Pattern] {
        &self.config.sources
    }

    /// Returns the kind as text: `command`, `builtin json`, `http` or `external`.
    pub fn kind_name(&self) -> String {
        kind_name(&self.config.kind)
    }

    /// Returns the digest of the configured definition, without the program and its files.
    pub fn definition_digest(&self) -> Digest {
        definition_digest(&self.config.kind)
    }

    /// Returns the time limit; beyond it the judgement is an error.
    pub fn timeout(&self) -> Duration {
        self.config.timeout
    }

    /// Returns the longest time that a run takes: the time limit, and from the polite signal to the kill.
    pub fn longest(&self) -> Duration {
        self.config.timeout + self.grace
    }

    /// Returns the present fingerprint: of the definition, the program file and every file that the command names.
    /// Blocks; a file is read again only when its metadata changed.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.config.kind, &self.files)
    }

    /// Returns the fingerprint without blocking the runtime.
    pub async fn identify(&self) -> Fingerprint {
        if !matches!(self.config.kind, VerifierKind::Command { .. }) {
            return self.fingerprint();
        }
        let verifier = self.clone();
        tokio::task::spawn_blocking(move || verifier.fingerprint())
            .await
            .unwrap_or_else(|_| self.fingerprint())
    }

    /// Returns whether the verifier judges a source with these settings, by itself or in a set.
    pub fn applies_to(&self, settings: &SourceSettings) -> bool {
        self.config
            .sources
            .iter()
            .any(|pattern| pattern.matches(settings))
    }

    /// Judges the content. Never fails: a verifier that cannot judge returns an `Error` judgement.
    ///
    /// `work_dir` is an existing folder, in which a program gets a temporary folder. Dropping the future ends the
    /// program and its descendants.
    pub async fn judge(
        &self,
        content: &Content,
        facts: &VersionFacts,
        work_dir: &Path,
    ) -> Judgement {
        let known = self.identify().await;
        self.judge_as(&known, content, facts, RuleContext::default(), work_dir)
            .await
    }

    /// Judges the content as the verifier with this fingerprint, taken just before: the judgement is an error when a
    /// file of the program is replaced before the end. `rule_context` is further input of the built-in rules.
    pub async fn judge_as(
        &self,
        known: &Fingerprint,
        content: &Content,
        facts: &VersionFacts,
        rule_context: RuleContext,
        work_dir: &Path,
    ) -> Judgement {
        match &self.config.kind {
            VerifierKind::Builtin(rule) => {
                self.judge_by_rule(rule, content, Some(facts), rule_context)
                    .await
            }
            VerifierKind::Command { .. } => {
                let input = JudgedInput::Content(content, facts);
                self.judge_by_program(known, input, work_dir).await
            }
            VerifierKind::Http { .. } | VerifierKind::External { .. } => {
                Judgement::error("its verdict comes from elsewhere")
            }
        }
    }

    /// Judges the JSON of a message, like [`Self::judge_as`] does the content of a version.
    pub async fn judge_message(
        &self,
        known: &Fingerprint,
        body: &Content,
        facts: &MessageFacts,
        work_dir: &Path,
    ) -> Judgement {
        match &self.config.kind {
            VerifierKind::Builtin(rule) => {
                self.judge_by_rule(rule, body, None, RuleContext::default())
                    .await
            }
            VerifierKind::Command { .. } => {
                let input = JudgedInput::Message(body, facts);
                self.judge_by_program(known, input, work_dir).await
            }
            VerifierKind::Http { .. } | VerifierKind::External { .. } => {
                Judgement::error("its verdict comes from elsewhere")
            }
        }
    }

    /// Judges the files of a set together, like [`Self::judge_as`] does one content. A program gets the folder with the
    /// files, and a manifest beside the folder.
    pub async fn judge_set(
        &self,
        known: &Fingerprint,
        files: &SetFiles,
        work_dir: &Path,
    ) -> Judgement {
        match &self.config.kind {
            VerifierKind::Builtin(rule) => self.judge_set_by_rule(rule, files).await,
            VerifierKind::Command { .. } => {
                let input = JudgedInput::Set(files);
                self.judge_by_program(known, input, work_dir).await
            }
            VerifierKind::Http { .. } | VerifierKind::External { .. } => {
                Judgement::error("its verdict comes from elsewhere")
            }
        }
    }

    async fn judge_set_by_rule(&self, rule: &Builtin, files: &SetFiles) -> Judgement {
        let Some(companion) = rule.companion() else {
            return Judgement::error("the rule judges single files");
        };
        let (companion, others) = match files.beside(companion) {
            Ok(parted) => parted,
            Err(why) => return Judgement::error(&why),
        };
        for file in &others {
            let rule_context = RuleContext {
                companion: Ok(companion.clone()),
                ..RuleContext::default()
            };
            let judged = self.judge_by_rule(rule, &file.content, Some(&file.facts), rule_context);
            let judgement = judged.await;
            if judgement.outcome != VerdictOutcome::Passed {
                let detail = format!("{}: {}", file.file, judgement.detail);
                return Judgement {
                    detail,
                    ..judgement
                };
            }
        }
        let detail = format!("every other file is as {} says", companion.name);
        Judgement::new(VerdictOutcome::Passed, detail)
    }

    async fn judge_by_program(
        &self,
        known: &Fingerprint,
        input: JudgedInput<'_>,
        work_dir: &Path,
    ) -> Judgement {
        let VerifierKind::Command {
            argv,
            stdin,
            failed,
            limits,
        } = &self.config.kind
        else {
            return Judgement::error("the verifier is no program");
        };
        let program = Program {
            argv,
            stdin: *stdin,
            failed,
        };
        let limits = RunLimits {
            timeout: self.config.timeout,
            grace: self.grace,
            resources: *limits,
        };
        let judgement = command::judge(program, input, work_dir, limits).await;
        self.unless_replaced(known, judgement).await
    }

    async fn judge_by_rule(
        &self,
        rule: &Builtin,
        content: &Content,
        facts: Option<&VersionFacts>,
        rule_context: RuleContext,
    ) -> Judgement {
        let stop = StopOnDrop::default();
        let list = rule_context.companion.as_ref().ok().map(Companion::note);
        let input = builtin::RuleInput {
            content: content.clone(),
            facts: facts.cloned(),
            context: rule_context,
            stop: Arc::clone(&stop.0),
        };
        let rule = rule.clone();
        let judged = tokio::task::spawn_blocking(move || builtin::judge(&rule, &input));
        match tokio::time::timeout(self.config.timeout, judged).await {
            Ok(Ok(judgement)) => Judgement {
                output: list.unwrap_or_default(),
                ..judgement
            },
            Ok(Err(error)) => Judgement::error(&format!("the rule panicked: {error}")),
            Err(_) => Judgement::error(&format!(
                "timed out after {}",
                duration_words(self.config.timeout)
            )),
        }
    }

    /// Returns the program's judgement, or an error judgement when its files no longer have the known fingerprint.
    async fn unless_replaced(&self, known: &Fingerprint, judgement: Judgement) -> Judgement {
        if judgement.outcome == VerdictOutcome::Error || *known == self.identify().await {
            return judgement;
        }
        // It is unknown which of the two programs judged, so the judgement counts for neither.
        Judgement {
            exit_code: judgement.exit_code,
            output: judgement.output,
            ..Judgement::error(
                "the program, or a file that its command names, was replaced during its run",
            )
        }
    }
}

/// Stops a blocking rule once its caller is dropped.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
