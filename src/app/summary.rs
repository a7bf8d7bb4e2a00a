//! The summary of a pass in numbers.

use std::fmt;

use serde::Serialize;

use crate::domain::format_size;

/// The summary of one pass: one line for people, an object for programs (`--json`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PassSummary {
    /// Sources that were tried.
    pub attempts: u64,
    /// Attempts that kept a new version.
    pub new: u64,
    /// Attempts that found nothing new.
    pub unchanged: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Days whose file was not there yet.
    pub absent: u64,
    /// Sources whose content this machine could not keep, on a full disk, say: no failures of the sources.
    pub not_kept: u64,
    /// Versions that every verifier passed.
    pub passed: u64,
    /// Versions that a verifier failed.
    pub failed_verification: u64,
    /// Versions that a verifier could not judge.
    pub verification_errors: u64,
    /// Versions that wait for a promised verdict.
    pub awaiting_verdicts: u64,
    /// Sets whose published edition changed.
    pub sets_published: u64,
    /// Sets that wait for promised verdicts since this pass.
    pub sets_awaiting_verdicts: u64,
    /// Sets that failed or could not be judged.
    pub sets_failed: u64,
    /// Sets whose newest edition failed or could not be judged, in this pass or before.
    pub sets_failing: u64,
    /// Published files and sets that could not be updated, in this pass or before.
    pub publish_failed: u64,
    /// Published files that somebody had changed or removed, and that were put back.
    pub put_back: u64,
    /// Bytes of content that arrived, decoded.
    pub bytes: u64,
    /// Wall time.
    pub seconds: f64,
}

impl PassSummary {
    /// Reports whether a person should look: a fetch failed, a version or a set failed or could not be judged, or
    /// something could not be published.
    pub fn has_problems(&self) -> bool {
        self.failed > 0 || self.serves_in_doubt()
    }

    /// Reports whether consumers may miss an update: a version failed or could not be judged, a set is failing, or
    /// content could not be kept or published.
    pub fn serves_in_doubt(&self) -> bool {
        let judged = self.failed_verification + self.verification_errors;
        judged + self.sets_failed + self.sets_failing + self.publish_failed + self.not_kept > 0
    }

    fn verdicts(&self) -> [(u64, &'static str); 4] {
        [
            (self.passed, "passed"),
            (self.failed_verification, "failed verification"),
            (self.verification_errors, "could not be verified"),
            (self.awaiting_verdicts, "awaiting verdicts"),
        ]
    }

    fn sets(&self) -> [(u64, &'static str); 3] {
        let failed = self.sets_failed.max(self.sets_failing);
        [
            (self.sets_published, "published"),
            (failed, "failed"),
            (self.sets_awaiting_verdicts, "awaiting verdicts"),
        ]
    }
}

impl fmt::Display for PassSummary {
    /// Writes one line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdicts, sets) = (self.verdicts(), self.sets());
        let judged = verdicts.iter().chain(&sets).map(|(count, _)| count);
        let put_back = match self.put_back {
            0 => String::new(),
            1 => "; 1 published file put back".to_owned(),
            several => format!("; {several} published files put back"),
        };
        if self.attempts + judged.sum::<u64>() + self.publish_failed == 0 {
            return write!(f, "nothing was due{put_back}");
        }
        write!(
            f,
            "{} fetched: {} new, {} unchanged, {} failed",
            self.attempts, self.new, self.unchanged, self.failed
        )?;
        if self.absent > 0 {
            write!(f, ", {} not there yet", self.absent)?;
        }
        if self.not_kept > 0 {
            write!(f, ", {} not kept", self.not_kept)?;
        }
        let mut separator = "; ";
        for (count, word) in verdicts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{separator}{count} {word}")?;
            separator = ", ";
        }
        for (count, word) in sets.into_iter().filter(|(count, _)| *count > 0) {
            let plural = if count == 1 { "" } else { "s" };
            write!(f, "; {count} set{plural} {word}")?;
        }
        if self.publish_failed > 0 {
            write!(f, "; {} not published", self.publish_failed)?;
        }
        let (size, seconds) = (format_size(self.bytes), self.seconds);
        write!(f, "{put_back}; {size} in {seconds:.1} s")
    }
}

/// The progress of a pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct PassProgress {
    /// Whether the pass is running.
    pub running: bool,
    /// Sources that were due when it began.
    pub total: u64,
    /// The numbers so far.
    pub summary: PassSummary,
}
