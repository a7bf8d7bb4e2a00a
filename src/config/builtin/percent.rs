//! Shares in whole percent, as people write them: `50%`.

use crate::domain::text_form::{prints_text, reads_text};
use std::fmt;
use std::str::FromStr;

/// The smallest and the largest percentage of a setting.
const BOUNDS: std::ops::RangeInclusive<u16> = 1..=1000;

/// A share in whole percent, from 1 % to 1000 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u16);

impl FromStr for Percent {
    type Err = String;

    /// Parses `50%`.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('%').filter(|number| {
            number.bytes().all(|c| c.is_ascii_digit()) && !number.starts_with('0')
        });
        number
            .and_then(|number| number.parse().ok())
            .filter(|number| BOUNDS.contains(number))
            .map(Self)
            .ok_or_else(|| {
                format!(
                    "`{}` is not a share: give a whole percentage from 1% to 1000%, such as \"90%\"",
                    text.escape_debug()
                )
            })
    }
}

impl Percent {
    /// Returns whether `part` is less than this share of `whole`; exact for all numbers.
    pub fn is_below(self, part: u64, whole: u64) -> bool {
        u128::from(part) * 100 < u128::from(whole) * u128::from(self.0)
    }

    /// Returns whether `part` is more than this share of `whole`; exact for all numbers.
    pub fn is_above(self, part: u64, whole: u64) -> bool {
        u128::from(part) * 100 > u128::from(whole) * u128::from(self.0)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

prints_text!(Percent);
reads_text!(Percent);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_percentages_are_read() {
        for text in ["1%", "90%", "1000%"] {
            let percent = text.parse::<Percent>();
            assert_eq!(
                percent.map(|percent| percent.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in [
            "", "%", "0%", "090%", "1001%", "99999%", "50", "50 %", "-5%", "+5%", "5.5%", "%5",
            "５%",
        ] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
    }

    #[test]
    fn shares_are_exact() {
        let percent = Percent(90);
        for (part, whole, less) in [
            (9, 10, false),
            (8, 10, true),
            (0, 0, false),
            (0, 1, true),
            (u64::MAX, u64::MAX, false),
        ] {
            assert_eq!(percent.is_below(part, whole), less, "{part} of {whole}");
        }
        assert!(Percent(200).is_above(21, 10) && !Percent(200).is_above(20, 10));
    }

    proptest! {
        #[test]
        fn a_part_is_never_both_less_and_more(share in 1..=1000_u16, part: u64, whole: u64) {
            let percent = Percent(share);
            prop_assert!(!(percent.is_below(part, whole) && percent.is_above(part, whole)));
            prop_assert_eq!(percent.to_string().parse(), Ok(percent));
        }
    }
}
