//! Durations as people write them: `500ms`, `30s`, `5m`, `1h`. Never months or years: their length varies.

use std::time::Duration;

use crate::domain::parse_number;

/// The longest duration of most settings.
const MAX: Duration = Duration::from_hours(24);
/// The units of a duration that may be days, as messages name them.
pub(super) const LONG_UNITS: &str =
    "of ms, s, m, h (at most 24h) or d (at most 3650d), such as 30m, 6h or 3d";

/// Parses a whole number of `ms`, `s`, `m` or `h`; above zero, at most a day.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let bad = || {
        format!(
            "`{text}` is not a duration: give a whole number, at least 1, of ms, s, m or h, such as 500ms, 30s, 5m or 1h, at most 24h"
        )
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let ms_per_unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(bad()),
    };
    let count: u64 = parse_number(number).ok_or_else(bad)?;
    let duration = Duration::from_millis(count.checked_mul(ms_per_unit).ok_or_else(bad)?);
    if duration.is_zero() || duration > MAX {
        return Err(bad());
    }
    Ok(duration)
}

/// Parses a whole number of `ms`, `s`, `m`, `h` or `d`; above zero, at most ten years.
pub(super) fn parse_long_duration(text: &str) -> Result<Duration, String> {
    const MAX_DAYS: u64 = 3650;
    let days = match text.strip_suffix('d') {
        Some(days) => parse_number::<u64>(days),
        _ => return parse_duration(text).map_err(|_| long_duration_expected(text)),
    };
    days.filter(|days| (1..=MAX_DAYS).contains(days))
        .map(|days| Duration::from_hours(24 * days))
        .ok_or_else(|| long_duration_expected(text))
}

/// Parses the time for which something is kept: a whole number of `h` or `d`, at most ten years. A month that was meant is
/// never read as a minute.
pub(super) fn parse_keep(text: &str) -> Result<Duration, String> {
    let expected = || {
        format!(
            "`{text}` is no time to keep messages: give a whole number of hours or days, \"1h\" to \"3650d\""
        )
    };
    let kept = parse_long_duration(text).map_err(|_| expected())?;
    if text.ends_with(['h', 'd']) {
        Ok(kept)
    } else {
        Err(expected())
    }
}

fn long_duration_expected(text: &str) -> String {
    format!("`{text}` is not a duration: give a whole number, at least 1, {LONG_UNITS}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::duration_setting;

    #[test]
    fn messages_are_kept_for_hours_or_days() {
        assert_eq!(parse_keep("90d"), Ok(Duration::from_hours(2160)));
        assert_eq!(parse_keep("1h"), Ok(Duration::from_hours(1)));
        for text in ["1m", "90m", "3600s", "1", "0d", "3651d", "1w", ""] {
            let error = parse_keep(text).expect_err(text);
            assert!(error.contains("\"1h\" to \"3650d\""), "{error}");
        }
    }

    #[test]
    fn long_durations_may_be_days() {
        for (text, hours) in [("6h", 6), ("24h", 24), ("1d", 24), ("3650d", 87_600)] {
            assert_eq!(
                parse_long_duration(text),
                Ok(Duration::from_hours(hours)),
                "{text}"
            );
        }
        for text in [
            "",
            "d",
            "0d",
            "-1d",
            "+1d",
            "1.5d",
            "3651d",
            "25h",
            "99999999999999999999d",
        ] {
            let error = parse_long_duration(text).expect_err(text);
            assert!(error.contains("3d"), "{error}");
        }
    }

    #[test]
    fn reads_whole_numbers_with_a_unit() {
        for (text, ms) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("24h", 86_400_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(ms)),
                "{text}"
            );
        }
        for text in [
            "",
            "0s",
            "30",
            "s",
            "1.5s",
            "-1s",
            "+1s",
            " 1s",
            "1 s",
            "1d",
            "25h",
            "1H",
            "99999999999999999999h",
            "1é",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_printed_as_they_are_read() {
        for (written, printed) in [
            ("500ms", "500ms"),
            ("1500ms", "1500ms"),
            ("30s", "30s"),
            ("90s", "90s"),
            ("120s", "2m"),
            ("60m", "1h"),
            ("24h", "24h"),
        ] {
            let read = parse_duration(written).expect(written);
            assert_eq!(duration_setting(read), printed, "{written}");
            assert_eq!(parse_duration(printed), Ok(read), "{printed}");
        }
    }
}
