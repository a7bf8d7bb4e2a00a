//! One verifier, ready to judge.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::child::Limits;
use super::command::{self, Program};
use super::fingerprint::{FileDigests, definition_digest, fingerprint, kind_name};
use super::subject::Subject;
use super::{Companion, Evidence, Facts, SetFiles, builtin};
use crate::config::{Builtin, PreviousNeed, VerifierConfig, VerifierKind};
use crate::domain::{
    Content, Digest, Fingerprint, Judgement, Pattern, Scope, SourceSettings, VerdictOutcome,
    Weight, duration_words,
};

/// From the polite signal to the kill.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// One verifier, ready to judge. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Verifier {
    config: Arc<VerifierConfig>,
    files: Arc<FileDigests>,
    grace: Duration,
}

impl Verifier {
    /// Returns the verifier that the configuration defines.
    pub fn new(config: VerifierConfig) -> Self {
        Self {
            config: Arc::new(config),
            files: Arc::default(),
            grace: GRACE,
        }
    }

    /// Sets how long a program has between the polite signal and the kill: 5 s when not set.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Returns its name in the configuration.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Returns what it is: whoever judges asks this one, or the services and people that it stands for.
    pub fn kind(&self) -> &VerifierKind {
        &self.config.kind
    }

    /// Returns the built-in rule that it is, if it is one.
    pub fn rule(&self) -> Option<&Builtin> {
        match &self.config.kind {
            VerifierKind::Builtin(rule) => Some(rule),
            _ => None,
        }
    }

    /// Tells whether its verdict depends on the version before.
    pub fn looks_back(&self) -> bool {
        self.rule()
            .is_some_and(|rule| rule.needs_previous() > PreviousNeed::Nothing)
    }

    /// Tells whether this process runs it, as a rule or a program.
    pub fn is_run(&self) -> bool {
        matches!(
            self.config.kind,
            VerifierKind::Builtin(_) | VerifierKind::Command { .. }
        )
    }

    /// Returns whether its verdicts decide.
    pub fn weight(&self) -> Weight {
        self.config.weight
    }

    /// Returns what it judges.
    pub fn scope(&self) -> &Scope {
        &self.config.scope
    }

    /// Returns which sources it judges.
    pub fn sources(&self) -> &[Pattern] {
        &self.config.sources
    }

    /// Returns what kind of verifier it is: `command`, `builtin json`, `http` or `external`.
    pub fn kind_name(&self) -> String {
        kind_name(&self.config.kind)
    }

    /// Returns the digest of its definition in the configuration, without the program and its files.
    pub fn definition_digest(&self) -> Digest {
        definition_digest(&self.config.kind)
    }

    /// Returns after which time it could not judge.
    pub fn timeout(&self) -> Duration {
        self.config.timeout
    }

    /// Returns the fingerprint of the definition, the program file and every file that the command names, as of now.
    /// Blocks while it reads a file, which it does again only when the file's metadata changed.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.config.kind, &self.files)
    }

    /// Returns the same without holding up the runtime.
    pub async fn identify(&self) -> Fingerprint {
        if !matches!(self.config.kind, VerifierKind::Command { .. }) {
            return self.fingerprint();
        }
        let verifier = self.clone();
        tokio::task::spawn_blocking(move || verifier.fingerprint())
            .await
            .unwrap_or_else(|_| self.fingerprint())
    }

    /// Tells whether it judges a source with these settings, by itself or in a set.
    pub fn applies_to(&self, settings: &SourceSettings) -> bool {
        self.config
            .sources
            .iter()
            .any(|pattern| pattern.matches(settings))
    }

    /// Judges the content. Never fails: a verifier that cannot judge gives an `Error` judgement.
    ///
    /// `work_dir` is an existing folder, below which a program gets its own temporary folder. Dropping the future
    /// ends the program and all that it started.
    pub async fn judge(&self, content: &Content, facts: &Facts, work_dir: &Path) -> Judgement {
        let known = self.identify().await;
        self.judge_as(&known, content, facts, Evidence::default(), work_dir)
            .await
    }

    /// Does the same as the judge that was known by this fingerprint just before: when its program is another one before
    /// the end, it could not judge. `evidence` is what a built-in rule needs beyond the facts.
    pub async fn judge_as(
        &self,
        known: &Fingerprint,
        content: &Content,
        facts: &Facts,
        evidence: Evidence,
        work_dir: &Path,
    ) -> Judgement {
        match &self.config.kind {
            VerifierKind::Builtin(rule) => self.judge_by_rule(rule, content, facts, evidence).await,
            VerifierKind::Command { .. } => {
                let subject = Subject::Content(content, facts);
                self.judge_by_program(known, subject, work_dir).await
            }
            VerifierKind::Http { .. } | VerifierKind::External { .. } => {
                Judgement::error("its verdict comes from elsewhere")
            }
        }
    }

    /// Judges the files of a set together, as [`Self::judge_as`] does one content. A program gets the folder that they lie in,
    /// and a manifest beside it.
    pub async fn judge_set(
        &self,
        known: &Fingerprint,
        files: &SetFiles,
        work_dir: &Path,
    ) -> Judgement {
        match &self.config.kind {
            VerifierKind::Builtin(rule) => self.judge_set_by_rule(rule, files).await,
            VerifierKind::Command { .. } => {
                let subject = Subject::Set(files);
                self.judge_by_program(known, subject, work_dir).await
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
            let evidence = Evidence {
                companion: Ok(companion.clone()),
                ..Evidence::default()
            };
            let judged = self.judge_by_rule(rule, &file.content, &file.facts, evidence);
            let judgement = judged.await;
            if judgement.outcome != VerdictOutcome::Passed {
                let detail = format!("{}: {}", file.file, judgement.detail);
                return Judgement {
                    detail,
                    ..judgement
                };
            }
        }
        Judgement {
            outcome: VerdictOutcome::Passed,
            detail: format!("every other file is as {} says", companion.name),
            exit_code: None,
            output: String::new(),
        }
    }

    async fn judge_by_program(
        &self,
        known: &Fingerprint,
        subject: Subject<'_>,
        work_dir: &Path,
    ) -> Judgement {
        let VerifierKind::Command {
            argv,
            stdin,
            failed,
            limits,
        } = &self.config.kind
        else {
            return Judgement::error("it is no program");
        };
        let program = Program {
            argv,
            stdin: *stdin,
            failed,
        };
        let limits = Limits {
            timeout: self.config.timeout,
            grace: self.grace,
            resources: *limits,
        };
        let judgement = command::judge(program, subject, work_dir, limits).await;
        self.unless_replaced(known, judgement).await
    }

    async fn judge_by_rule(
        &self,
        rule: &Builtin,
        content: &Content,
        facts: &Facts,
        evidence: Evidence,
    ) -> Judgement {
        let stop = StopOnDrop::default();
        let list = evidence.companion.as_ref().ok().map(Companion::note);
        let case = builtin::Case {
            content: content.clone(),
            facts: facts.clone(),
            evidence,
            stop: Arc::clone(&stop.0),
        };
        let rule = rule.clone();
        let judged = tokio::task::spawn_blocking(move || builtin::judge(&rule, &case));
        match tokio::time::timeout(self.config.timeout, judged).await {
            Ok(Ok(judgement)) => Judgement {
                output: list.unwrap_or_default(),
                ..judgement
            },
            Ok(Err(error)) => Judgement::error(&format!("the rule broke down: {error}")),
            Err(_) => Judgement::error(&format!(
                "timed out after {}",
                duration_words(self.config.timeout)
            )),
        }
    }

    /// Returns the judgement of a program, unless its files are not those that were known.
    async fn unless_replaced(&self, known: &Fingerprint, judgement: Judgement) -> Judgement {
        if judgement.outcome == VerdictOutcome::Error || *known == self.identify().await {
            return judgement;
        }
        // Which of the two programs spoke is not known, so this counts for neither.
        Judgement {
            exit_code: judgement.exit_code,
            output: judgement.output,
            ..Judgement::error(
                "the program, or a file that its command names, was replaced during its run",
            )
        }
    }
}

/// Tells a blocking rule to give up when nobody waits for it any more.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
