//! The lines of verdicts, newest first: the outcome of each verifier, and below the outcome the verifier's output.
//!
//! Never draws, and has no styles.

use crate::domain::{Verdict, VerdictOutcome, with_origin};

/// One line of a list of verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VerdictLine {
    /// The failure of the source's set.
    SetFailure(String),
    /// A verdict: its outcome, and verifier, duration and reason in words.
    Verdict(VerdictOutcome, String),
    /// A line that the verifier of the verdict above printed.
    Output(String),
    /// The only line if there is no verdict.
    None,
}

/// Returns the lines for these verdicts, given oldest first.
pub(crate) fn verdict_lines(set_failure: Option<String>, verdicts: &[Verdict]) -> Vec<VerdictLine> {
    let mut lines: Vec<_> = set_failure
        .map(VerdictLine::SetFailure)
        .into_iter()
        .collect();
    for verdict in verdicts.iter().rev() {
        let given = &verdict.verdict;
        let given_on = verdict.given_on.map(|id| format!("v{id}"));
        let words = format!(
            "{}  {} ms  {}",
            given.judge_words(),
            given.duration.as_millis(),
            with_origin(&given.judgement.detail, given_on)
        );
        lines.push(VerdictLine::Verdict(given.judgement.outcome, words));
        let printed = given.judgement.output.lines();
        lines.extend(printed.map(|line| VerdictLine::Output(line.to_owned())));
    }
    if lines.is_empty() {
        lines.push(VerdictLine::None);
    }
    lines
}
