//! The lines of verdicts, newest first: the outcome of each verifier, and below the outcome the verifier's output.
//!
//! Never draws, and has no styles.

use crate::domain::{Source, Verdict, VerdictOutcome, with_origin};

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
    None(String),
}

/// Returns the lines for these verdicts on a version of `source`, given oldest first.
pub(crate) fn verdict_lines(
    source: &Source,
    set_failure: Option<String>,
    verdicts: &[Verdict],
) -> Vec<VerdictLine> {
    let mut lines: Vec<_> = set_failure
        .map(VerdictLine::SetFailure)
        .into_iter()
        .collect();
    for verdict in verdicts.iter().rev() {
        let given = &verdict.verdict;
        let given_on = verdict.given_on.map(|id| format!("v{id}"));
        let (detail, output) = (&given.judgement.detail, &given.judgement.output);
        // The detail is often a line of the output, with the number of the others behind it.
        let is_detail = |line: &str| {
            let rest = detail.strip_prefix(line);
            !line.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" (+"))
        };
        let detail = if output.lines().any(is_detail) {
            ""
        } else {
            detail
        };
        let (verifier, ms) = (given.judge_words(), given.duration.as_millis());
        let words = format!("{verifier}  {ms} ms  {}", with_origin(detail, given_on));
        let words = words.trim_end().to_owned();
        lines.push(VerdictLine::Verdict(given.judgement.outcome, words));
        let printed = output.lines();
        lines.extend(printed.map(|line| VerdictLine::Output(line.to_owned())));
    }
    if lines.is_empty() {
        lines.push(VerdictLine::None(match &source.state.set {
            Some(set) => format!("Judged with its set: `gannet verdicts set:{set}`"),
            None => "No verdicts: no verifier applies, or none has run yet.".to_owned(),
        }));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::fixtures;

    #[test]
    fn a_detail_that_is_a_line_of_the_output_stands_there_alone() {
        for (detail, output, is_shown) in [
            ("line 3", "", true),
            ("line 3", "line 3", false),
            ("line 3 (+1 line)", "line 3\nline 4", false),
            ("line 3 (+1 line)", "2 rows\nline 3", false),
            ("line 3", "line 35", true),
            ("line 35", "line 3\n\n", true),
        ] {
            let mut verdict = fixtures::verdict(2, VerdictOutcome::Failed, detail);
            verdict.verdict.judgement.output = output.into();
            let lines = verdict_lines(&fixtures::source(1, "a"), None, &[verdict]);
            let VerdictLine::Verdict(_, words) = &lines[0] else {
                panic!("{lines:?}")
            };
            assert_eq!(words.ends_with(detail), is_shown, "{detail}: {words}");
            assert_eq!(lines.len(), 1 + output.lines().count(), "{output:?}");
        }
    }

    #[test]
    fn without_verdicts_a_member_names_its_set() {
        let mut source = fixtures::source(1, "a");
        for (set, words) in [
            (None, "No verdicts: no verifier applies"),
            (Some("eu"), "Judged with its set: `gannet verdicts set:eu`"),
        ] {
            source.state.set = set.map(str::to_owned);
            let lines = verdict_lines(&source, None, &[]);
            let [VerdictLine::None(shown)] = &lines[..] else {
                panic!("{lines:?}")
            };
            assert!(shown.starts_with(words), "{shown}");
        }
    }
}
