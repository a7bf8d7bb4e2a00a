//! POSIX rules of time zones, as in `TZ` (IEEE 1003.1, 8.3): `CET-1CEST,M3.5.0,M10.5.0/3`.
//!
//! Recognises the rules that the time library understands: it silently treats every other text as UTC.

/// Returns whether a text is such a rule. Summer time needs explicit dates: the defaults differ between systems.
pub(super) fn is_rule(text: &str) -> bool {
    let mut rest = text;
    let is_standard = take_name(&mut rest) && take_offset(&mut rest);
    if !is_standard || rest.is_empty() {
        return is_standard;
    }
    let is_summer = take_name(&mut rest) && (rest.starts_with(',') || take_offset(&mut rest));
    is_summer && take_date(&mut rest) && take_date(&mut rest) && rest.is_empty()
}

/// Parses `CET` or `<+0530>` off the front.
fn take_name(rest: &mut &str) -> bool {
    let quoted = rest.strip_prefix('<').and_then(|text| text.split_once('>'));
    let (name, after) = quoted.unwrap_or_else(|| {
        let end = rest.find(|c: char| !c.is_ascii_alphabetic());
        rest.split_at(end.unwrap_or(rest.len()))
    });
    *rest = after;
    let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-');
    (3..=6).contains(&name.len()) && name.chars().all(is_known)
}

/// Parses `-1` or `+5:30` off the front.
fn take_offset(rest: &mut &str) -> bool {
    *rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    take_time(rest, 23)
}

/// Parses `2`, `2:30` or `2:30:00` off the front.
fn take_time(rest: &mut &str, most_hours: u32) -> bool {
    let mut is_time = take_number(rest, 0..=most_hours);
    for _ in 0..2 {
        if let Some(after) = rest.strip_prefix(':') {
            *rest = after;
            is_time = is_time && take_number(rest, 0..=59);
        }
    }
    is_time
}

/// Parses `,M3.5.0`, `,J60` or `,59`, each with an optional `/3`, off the front.
fn take_date(rest: &mut &str) -> bool {
    let Some(after) = rest.strip_prefix(',') else {
        return false;
    };
    *rest = after;
    let is_day = if let Some(after) = rest.strip_prefix('M') {
        *rest = after;
        let dot = |rest: &mut &str| rest.strip_prefix('.').map(|after| *rest = after).is_some();
        take_number(rest, 1..=12)
            && dot(rest)
            && take_number(rest, 1..=5)
            && dot(rest)
            && take_number(rest, 0..=6)
    } else if let Some(after) = rest.strip_prefix('J') {
        *rest = after;
        take_number(rest, 1..=365)
    } else {
        take_number(rest, 0..=365)
    };
    match rest.strip_prefix('/') {
        Some(after) => {
            *rest = after;
            is_day && take_time(rest, 24)
        }
        None => is_day,
    }
}

fn take_number(rest: &mut &str, within: std::ops::RangeInclusive<u32>) -> bool {
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let (digits, after) = rest.split_at(end.unwrap_or(rest.len()));
    *rest = after;
    digits.parse().is_ok_and(|number| within.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::is_rule;

    #[test]
    fn rules_are_told_from_what_the_library_does_not_read() {
        for (text, expected) in [
            ("CET-1", true),
            ("<-05>5", true),
            ("<+0545>-5:45", true),
            ("CET-1CEST,M3.5.0,M10.5.0/3", true),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", true),
            ("EST5EDT,M3.2.0,M11.1.0", true),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", true),
            ("XST3XDT,J60/2:30,300", true),
            ("CET-1CEST", false),
            ("CET-1CEST,M3.5.0", false),
            ("CET-1CEST,M3.5.0,M13.5.0", false),
            ("CET-1CEST,M3.5.0,M10.5.0/-1", false),
            ("CET-1CEST,M3.5.0,M10.5.0,", false),
            ("CET", false),
            ("CET-24", false),
            ("C1", false),
            ("Area51", false),
            ("5", false),
            ("<>5", false),
            ("<CET", false),
            ("", false),
            ("CET-1é", false),
        ] {
            assert_eq!(is_rule(text), expected, "{text}");
        }
    }
}
