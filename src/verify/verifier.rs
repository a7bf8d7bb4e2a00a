//! One verifier, ready to judge.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::child::Limits;
use super::command::{self, Program};
use super::fingerprint::{ProgramDigest, fingerprint};
use super::{Facts, builtin};
use crate::config::{Builtin, VerifierConfig, VerifierKind};
use crate::domain::{Content, Judgement, SourceSettings, VerdictOutcome};

/// From the polite signal to the kill.
const GRACE: Duration = Duration::from_secs(5);

/// One verifier, ready to judge. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Verifier {
    config: Arc<VerifierConfig>,
    program: Arc<ProgramDigest>,
    grace: Duration,
}

impl Verifier {
    /// Returns the verifier that the configuration defines.
    pub fn new(config: VerifierConfig) -> Self {
        Self {
            config: Arc::new(config),
            program: Arc::default(),
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

    /// Returns the hexadecimal digest of definition and program file, as of now. Blocks while it reads the file, which
    /// it does again only when the file's metadata changed.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.config.kind, &self.program)
    }

    /// Tells whether it judges a source with these settings.
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
        match &self.config.kind {
            VerifierKind::Builtin(rule) => self.judge_by_rule(rule, content).await,
            VerifierKind::Command {
                argv,
                stdin,
                failed,
            } => {
                let program = Program {
                    argv,
                    stdin: *stdin,
                    failed,
                };
                self.judge_by_program(program, content, facts, work_dir)
                    .await
            }
        }
    }

    async fn judge_by_rule(&self, rule: &Builtin, content: &Content) -> Judgement {
        let stop = StopOnDrop::default();
        let (rule, content, stopped) = (rule.clone(), content.clone(), Arc::clone(&stop.0));
        let judged = tokio::task::spawn_blocking(move || builtin::judge(&rule, &content, &stopped));
        match tokio::time::timeout(self.config.timeout, judged).await {
            Ok(Ok(judgement)) => judgement,
            Ok(Err(error)) => error_judgement(&format!("the rule broke down: {error}")),
            Err(_) => error_judgement(&format!("timed out after {:?}", self.config.timeout)),
        }
    }

    async fn judge_by_program(
        &self,
        program: Program<'_>,
        content: &Content,
        facts: &Facts,
        work_dir: &Path,
    ) -> Judgement {
        let limits = Limits {
            timeout: self.config.timeout,
            grace: self.grace,
        };
        let before = self.fingerprint_aside().await;
        let judgement = command::judge(program, content, facts, work_dir, limits).await;
        if judgement.outcome == VerdictOutcome::Error || before == self.fingerprint_aside().await {
            return judgement;
        }
        // Which of the two programs spoke is not known, so this counts for neither.
        Judgement {
            outcome: VerdictOutcome::Error,
            detail: "could not judge: the program file was replaced during its run".to_owned(),
            ..judgement
        }
    }

    /// Returns the fingerprint without holding up the runtime.
    async fn fingerprint_aside(&self) -> Option<String> {
        let verifier = self.clone();
        tokio::task::spawn_blocking(move || verifier.fingerprint())
            .await
            .ok()
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

fn error_judgement(why: &str) -> Judgement {
    Judgement {
        outcome: VerdictOutcome::Error,
        detail: format!("could not judge: {why}"),
        exit_code: None,
        output: String::new(),
    }
}
