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
        let words = format!(
            "{}  {} ms  {}",
            given.judge_words(),
            given.duration.as_millis(),
            with_origin(&given.judgement.detail, given_on)
        );
        lines.push(VerdictLine::Verdict(given.judgement.outcome, words));
        let (detail, output) = (&given.judgement.detail, &given.judgement.output);
        // The verdict's own line holds the detail, which is often the first line of the output.
        let repeated = usize::from(output.lines().next() == Some(detail));
        let printed = output.lines().skip(repeated);
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
    fn a_line_that_is_the_detail_stands_once() {
        for (output, printed) in [
            ("", &[][..]),
            ("line 3", &[]),
            ("line 3\nline 4", &["line 4"]),
            ("2 rows\nline 3", &["2 rows", "line 3"]),
        ] {
            let mut verdict = fixtures::verdict(2, VerdictOutcome::Failed, "line 3");
            verdict.verdict.judgement.output = output.into();
            let lines = verdict_lines(&fixtures::source(1, "a"), None, &[verdict]);
            let outputs = lines[1..].iter().map(|line| match line {
                VerdictLine::Output(text) => text.as_str(),
                other => panic!("{other:?}"),
            });
            assert_eq!(outputs.collect::<Vec<_>>(), printed, "{output:?}");
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
