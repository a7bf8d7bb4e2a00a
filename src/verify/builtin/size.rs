//! `size`: a length within bounds, in bytes or as a share of the last good version's length.

use super::input::{RuleFailure, RuleInput, RuleResult, bad};
use crate::config::SizeRule;
use crate::domain::size_to_the_byte;

/// Passes a length within the bounds.
pub(super) fn judge(rule: &SizeRule, input: &RuleInput) -> RuleResult {
    let bytes = input.content.size_bytes();
    if let Some(min) = rule.min
        && bytes < min
    {
        return bad(format!(
            "{} is less than {}",
            size_to_the_byte(bytes),
            size_to_the_byte(min)
        ));
    }
    if let Some(max) = rule.max
        && bytes > max
    {
        return bad(format!(
            "{} is more than {}",
            size_to_the_byte(bytes),
            size_to_the_byte(max)
        ));
    }
    if rule.min_of_last.is_none() && rule.max_of_last.is_none() {
        return Ok(size_to_the_byte(bytes));
    }
    against_last(rule, input, bytes)
}

fn against_last(rule: &SizeRule, input: &RuleInput, bytes: u64) -> RuleResult {
    let previous = input.context.previous.as_ref();
    let previous = previous.map_err(|why| RuleFailure::Cannot(why.clone()))?;
    let Some(previous) = previous else {
        return Ok(format!("{}; no earlier version", size_to_the_byte(bytes)));
    };
    let last = previous.size_bytes;
    let compared = |word: &str, share: &dyn std::fmt::Display| {
        format!(
            "{} is {word} than {share} of the last good version's {}",
            size_to_the_byte(bytes),
            size_to_the_byte(last)
        )
    };
    if let Some(share) = rule.min_of_last
        && share.is_below(bytes, last)
    {
        return bad(compared("less", &share));
    }
    if let Some(share) = rule.max_of_last
        && share.is_above(bytes, last)
    {
        return bad(compared("more", &share));
    }
    Ok(format!(
        "{}; the last good version has {}",
        size_to_the_byte(bytes),
        size_to_the_byte(last)
    ))
}

#[cfg(test)]
mod tests {
    use crate::config::{Builtin, Percent, SizeRule};
    use crate::domain::VerdictOutcome;
    use crate::verify::builtin::tests::{Fixture, assert_fails, assert_passes};

    #[test]
    fn size_is_within_bounds() {
        let rule = |min, max| {
            Builtin::Size(SizeRule {
                min,
                max,
                ..SizeRule::default()
            })
        };
        for (min, max) in [(Some(3), None), (None, Some(3)), (Some(3), Some(3))] {
            assert_passes(&rule(min, max), b"abc");
        }
        assert_fails(&rule(Some(4), None), b"abc", "3 B is less than 4 B");
        assert_fails(&rule(None, Some(2)), b"abc", "3 B is more than 2 B");
        assert_fails(
            &rule(Some(1 << 20), None),
            b"",
            "0 B is less than 1048576 B (1.0 MiB)",
        );
    }

    #[test]
    fn size_is_a_share_of_the_last() {
        let percent = |text: &str| Some(text.parse::<Percent>().expect("a share"));
        let rule = Builtin::Size(SizeRule {
            min_of_last: percent("50%"),
            max_of_last: percent("200%"),
            ..SizeRule::default()
        });
        let (outcome, detail) = Fixture::default().judged(&rule, b"");
        assert_eq!(
            (outcome, detail.as_str()),
            (VerdictOutcome::Passed, "0 B; no earlier version")
        );
        let known = Fixture::after(b"1234");
        for (bytes, outcome, expected) in [
            (
                &b"1"[..],
                VerdictOutcome::Failed,
                "1 B is less than 50% of the last good version's 4 B",
            ),
            (
                b"12",
                VerdictOutcome::Passed,
                "2 B; the last good version has 4 B",
            ),
            (b"12345678", VerdictOutcome::Passed, "8 B; "),
            (
                b"123456789",
                VerdictOutcome::Failed,
                "9 B is more than 200% of the last good version's 4 B",
            ),
        ] {
            let (found, detail) = known.judged(&rule, bytes);
            assert_eq!(found, outcome, "{detail}");
            assert!(detail.starts_with(expected), "{detail}");
        }
        let (outcome, detail) = Fixture::unreadable().judged(&rule, b"1");
        assert_eq!(outcome, VerdictOutcome::Error);
        assert_eq!(detail, "could not judge: the last good version is damaged");
    }
}
