//! How exactly JSON numbers are represented. The schema library compares 64-bit whole numbers and binary fractions.

/// 2^53: every whole number up to here is a binary fraction of its own.
const MAX_WHOLE: u64 = 1 << 53;
/// Every decimal fraction of up to this many digits is a binary fraction of its own.
const MAX_DIGITS: usize = 15;

/// How exactly a number is represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exactness {
    /// Exactly, in every operation.
    Exact,
    /// Exactly as a whole number of up to 64 bits, but not as a binary fraction.
    Whole,
    /// Rounded: several numbers share one representation.
    Rounded,
    /// Out of range: infinite or zero.
    Beyond,
}

/// Returns how exactly a number is represented, given its JSON text.
pub fn exactness_of(text: &str) -> Exactness {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, ""));
    let significant = mantissa.replace('.', "");
    let significant = significant.trim_matches('0');
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let is_held = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
        match digits.parse::<u64>() {
            Ok(number) if number <= MAX_WHOLE => return Exactness::Exact,
            Ok(_) if is_held => return Exactness::Whole,
            _ => {}
        }
    }
    match text.parse::<f64>() {
        Ok(value) if !value.is_finite() => Exactness::Beyond,
        Ok(value) if !value.is_normal() && !significant.is_empty() => Exactness::Beyond,
        Ok(_) if significant.len() <= MAX_DIGITS && exponent.len() < MAX_DIGITS => Exactness::Exact,
        Ok(_) => Exactness::Rounded,
        Err(_) => Exactness::Beyond,
    }
}

/// Returns the first number in a JSON text that is rounded or out of range.
pub(super) fn first_rounded(text: &str) -> Option<&str> {
    let mut in_text = false;
    let mut is_escaped = false;
    let mut tokens = text.split(|c: char| {
        let was_text = in_text;
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = in_text,
            '"' => in_text = !in_text,
            _ => {}
        }
        // A string is split at each of its characters, so that no number is found in it.
        was_text || in_text || !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    tokens.find(|token| {
        let is_number = token.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        is_number && exactness_of(token) > Exactness::Whole
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_by_how_they_can_be_held() {
        for (text, expected) in [
            ("0", Exactness::Exact),
            ("-0.0", Exactness::Exact),
            ("0.1", Exactness::Exact),
            ("1e2", Exactness::Exact),
            ("100000000000000000000000", Exactness::Exact),
            ("9007199254740992", Exactness::Exact),
            ("9007199254740993", Exactness::Whole),
            ("18446744073709551615", Exactness::Whole),
            ("-9223372036854775808", Exactness::Whole),
            ("-9223372036854775809", Exactness::Rounded),
            ("18446744073709551616", Exactness::Rounded),
            ("12345678901234567890123", Exactness::Rounded),
            ("0.10000000000000001", Exactness::Rounded),
            ("1e400", Exactness::Beyond),
            ("-1E+99999999999999999999", Exactness::Beyond),
            ("1e-400", Exactness::Beyond),
            ("1e-310", Exactness::Beyond),
        ] {
            assert_eq!(exactness_of(text), expected, "{text}");
        }
    }

    #[test]
    fn the_numbers_of_a_text_are_found() {
        let text =
            r#"{"a": [1, "12345678901234567890123", "\"", true], "b": 12345678901234567890124}"#;
        assert_eq!(first_rounded(text), Some("12345678901234567890124"));
        assert_eq!(
            first_rounded(r#"{"minimum": 0.5, "const": "1e400 \\"}"#),
            None
        );
    }
}
