//! `rates`: currency rates, complete and as they were asked for. What they must look like is the provider's matter.

use super::input::{RuleInput, RuleResult, bad};
use crate::domain::{DayRates, Provider};

/// The largest content that is read.
const MAX_BYTES: u64 = 64 << 20;

/// Passes a file that gives rates for the address of its source.
pub(super) fn judge(provider: Provider, input: &RuleInput) -> RuleResult {
    let content = input.whole(MAX_BYTES)?;
    input.go_on()?;
    match provider.read(&input.facts()?.address, &content) {
        Ok(days) => Ok(in_words(&days)),
        Err(refused) => bad(refused.why),
    }
}

/// Returns which days there are, and how many rates the newest has.
fn in_words(days: &[DayRates]) -> String {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return "no rates".to_owned();
    };
    let of_base = match last.rates.count() {
        1 => format!("1 rate, base {}", last.base),
        count => format!("{count} rates, base {}", last.base),
    };
    match days.len() {
        1 => format!("{}: {of_base}", last.date),
        count => format!(
            "{count} days from {} to {}: {of_base}",
            first.date, last.date
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Builtin, RatesRule};
    use crate::domain::VerdictOutcome;
    use crate::verify::builtin::tests::{Fixture, assert_fails};

    #[test]
    fn rates_pass_with_their_days() {
        let rule = Builtin::Rates(RatesRule {
            provider: Provider::Ecb,
        });
        let day = r#"<Cube time="2026-11-27"><Cube currency="USD" rate="1.0810"/></Cube>"#;
        let file = |days: &str| format!("<Envelope><Cube>{days}</Cube></Envelope>");
        let two = day.replace("27", "26") + day;
        for (days, expected) in [
            (day, "2026-11-27: 1 rate, base EUR"),
            (
                &two,
                "2 days from 2026-11-26 to 2026-11-27: 1 rate, base EUR",
            ),
        ] {
            let judged = Fixture::default().judged(&rule, file(days).as_bytes());
            assert_eq!(judged, (VerdictOutcome::Passed, expected.to_owned()));
        }
        assert_fails(&rule, file("").as_bytes(), "it has no day");
    }
}
