//! One rate: a positive decimal number, and the ratio of two.

use std::cmp::Ordering;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::domain::shortened;

/// The longest number that is accepted, in characters.
const MAX_LENGTH: usize = 64;
/// The most digits that are computed with; more are kept in the text, and cut off here.
const MAX_DIGITS: usize = 28;
/// The significant digits of a ratio.
const RATIO_DIGITS: u32 = 12;
/// Powers of ten beyond which a number is no rate of any currency.
const MAX_EXPONENT: i32 = 30;
/// A ratio is printed with a power of ten when more zeros than these would stand in it.
const MAX_ZEROS: usize = 6;

/// A positive number of any size that rates have: from 1 up to, but not including, 10, times a power of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    significand: Decimal,
    exponent: i32,
}

impl Rate {
    /// Reads a number as JSON writes it (RFC 8259 §6).
    ///
    /// # Errors
    ///
    /// Why this is no rate, as the end of a sentence about it: it is no number, not positive, too long, too large or too
    /// small.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("is longer than {MAX_LENGTH} characters"));
        }
        let no_number = || {
            format!(
                "is `{}`, which is no number",
                shortened(&text.escape_debug().to_string(), 40)
            )
        };
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (digits, point) = digits_of(unsigned).ok_or_else(no_number)?;
        let significant = digits.trim_start_matches('0');
        if significant.is_empty() || unsigned.len() < text.len() {
            return Err(format!("is {text}, which is not positive"));
        }
        let leading = i32::try_from(digits.len() - significant.len()).map_err(|_| no_number())?;
        let exponent = point.saturating_sub(leading).saturating_sub(1);
        match exponent.abs().cmp(&MAX_EXPONENT) {
            Ordering::Greater if exponent > 0 => {
                return Err(format!("is {text}, which is too large"));
            }
            Ordering::Greater => return Err(format!("is {text}, which is too small")),
            _ => {}
        }
        let kept = &significant[..significant.len().min(MAX_DIGITS)];
        let scale = u32::try_from(kept.len() - 1).map_err(|_| no_number())?;
        let whole: i128 = kept.parse().map_err(|_| no_number())?;
        Ok(Self {
            significand: Decimal::from_i128_with_scale(whole, scale),
            exponent,
        })
    }

    /// Returns by how many per cent this rate differs from an earlier one, for people to see.
    pub fn percent_since(self, earlier: Self) -> f64 {
        let ratio = self.divided_by(earlier).parse::<f64>();
        ratio.map_or(f64::NAN, |ratio| (ratio - 1.0) * 100.0)
    }

    /// Returns this rate divided by another as a JSON number: 12 significant digits, half to even, without zeros at the
    /// end.
    pub fn divided_by(self, other: Self) -> String {
        let quotient = self.significand / other.significand;
        let rounded = quotient
            .round_sf_with_strategy(RATIO_DIGITS, RoundingStrategy::MidpointNearestEven)
            .unwrap_or(quotient)
            .normalize();
        let scale = i32::try_from(rounded.scale()).expect("at most 28");
        printed(
            &rounded.mantissa().to_string(),
            self.exponent - other.exponent - scale,
        )
    }
}

/// Returns the digits of an unsigned JSON number, and how many of them stand before the point once the power of ten is
/// applied.
fn digits_of(number: &str) -> Option<(String, i32)> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, exponent) = match number.split_once(['e', 'E']) {
        None => (number, 0),
        Some((number, power)) => {
            let unsigned = power.strip_prefix(['+', '-']).unwrap_or(power);
            if !is_digits(unsigned) {
                return None;
            }
            // Any larger power is out of bounds all the same.
            let size = unsigned.parse().unwrap_or(i32::MAX / 2).min(i32::MAX / 2);
            (number, if power.starts_with('-') { -size } else { size })
        }
    };
    let (whole, fraction) = match number.split_once('.') {
        None => (number, ""),
        Some((whole, fraction)) if is_digits(fraction) => (whole, fraction),
        Some(_) => return None,
    };
    if !is_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let point = i32::try_from(whole.len()).ok()?.saturating_add(exponent);
    Some((format!("{whole}{fraction}"), point))
}

/// Prints digits times a power of ten, with a power of ten only where many zeros would stand in the number.
fn printed(digits: &str, power: i32) -> String {
    let zeros = usize::try_from(power.unsigned_abs()).unwrap_or(usize::MAX);
    if power >= 0 {
        if zeros <= MAX_ZEROS + digits.len() {
            return format!("{digits}{}", "0".repeat(zeros));
        }
    } else if let Some(whole) = digits.len().checked_sub(zeros).filter(|whole| *whole > 0) {
        return format!("{}.{}", &digits[..whole], &digits[whole..]);
    } else if zeros - digits.len() <= MAX_ZEROS {
        return format!("0.{}{digits}", "0".repeat(zeros - digits.len()));
    }
    let (first, rest) = digits.split_at(1);
    let power = power.saturating_add(i32::try_from(rest.len()).unwrap_or(0));
    let point = if rest.is_empty() { "" } else { "." };
    format!("{first}{point}{rest}e{power}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(one: &str, other: &str) -> String {
        Rate::parse(one)
            .expect(one)
            .divided_by(Rate::parse(other).expect(other))
    }

    #[test]
    fn every_number_of_json_that_is_positive_is_a_rate() {
        for (text, same) in [
            ("1", "1"),
            ("1.0", "1"),
            ("10e-1", "1"),
            ("0.1E+1", "1"),
            ("0.00000749", "7.49e-6"),
            ("7.49e-06", "7.49e-6"),
            ("12345678901234567890", "1.2345678901234567890e19"),
            (
                "0.12345678901234567890123456789012345",
                "1.2345678901234567890123456789e-1",
            ),
        ] {
            assert_eq!(Rate::parse(text), Rate::parse(same), "{text}");
            Rate::parse(text).expect(text);
        }
        for (text, why) in [
            ("0", "not positive"),
            ("0.000", "not positive"),
            ("-1", "not positive"),
            ("-0", "not positive"),
            ("", "no number"),
            ("+1", "no number"),
            (".5", "no number"),
            ("1.", "no number"),
            ("01", "no number"),
            ("1e", "no number"),
            ("1e+-5", "no number"),
            ("1,5", "no number"),
            ("NaN", "no number"),
            ("\"1\"", "no number"),
            ("1e31", "too large"),
            ("1e-31", "too small"),
            ("1e99999999999", "too large"),
            ("1e-99999999999", "too small"),
            (&"1".repeat(65), "longer than 64"),
        ] {
            let error = Rate::parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_ratio_has_twelve_significant_digits() {
        for (one, other, expected) in [
            ("1", "1", "1"),
            ("1.0812", "1.0812", "1"),
            ("1", "3", "0.333333333333"),
            ("2", "3", "0.666666666667"),
            ("20", "3", "6.66666666667"),
            ("1", "1.25", "0.8"),
            ("166.15", "1.0812", "153.671846097"),
            ("123456789012", "1", "123456789012"),
            ("1234567890125", "1", "1234567890120"),
            ("1234567890135", "1", "1234567890140"),
            ("7.49e-6", "1", "0.00000749"),
            ("7.49e-9", "1", "7.49e-9"),
            ("7.49e-6", "89500", "8.3687150838e-11"),
            ("1e20", "1", "1e20"),
            ("1e7", "1", "10000000"),
            ("1e-30", "1e30", "1e-60"),
            ("9.99999999999999", "1", "10"),
        ] {
            assert_eq!(ratio(one, other), expected, "{one} / {other}");
        }
    }

    #[test]
    fn a_change_is_in_per_cent() {
        let rate = |text: &str| Rate::parse(text).expect(text);
        for (now, before, expected) in [
            ("1.1", "1", "+10.00"),
            ("1", "1", "+0.00"),
            ("0.99", "1", "-1.00"),
        ] {
            let percent = rate(now).percent_since(rate(before));
            assert_eq!(format!("{percent:+.2}"), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_ratio_is_near_that_of_floating_point(
            one in 1_u64..1_000_000_000, other in 1_u64..1_000_000_000, powers in (-12_i32..12, -12_i32..12)
        ) {
            let (one, other) = (format!("{one}e{}", powers.0), format!("{other}e{}", powers.1));
            let exact: f64 = ratio(&one, &other).parse().expect("a number");
            let near = one.parse::<f64>().expect("one") / other.parse::<f64>().expect("other");
            proptest::prop_assert!((exact / near - 1.0).abs() < 1e-11, "{one} / {other}: {exact} {near}");
        }
    }
}
