//! Times, states and numbers as words and glyphs of few columns, with their styles.

use chrono::{DateTime, Datelike as _, Utc};
use ratatui::style::Style;

use crate::config::Zone;
use crate::domain::{Source, VerdictOutcome, VersionState};
use crate::faces::state_word::StateWord;
use crate::faces::text::clean;
pub(crate) use crate::faces::text::{grouped, short};
use crate::faces::tui::theme::Theme;

/// Returns the glyph and the style of a source's state; `state_word` gives the word.
pub(crate) fn source_state(source: &Source, theme: &Theme) -> (&'static str, Style) {
    match StateWord::of(source) {
        StateWord::Off | StateWord::Removed => ("○", theme.dim),
        StateWord::Down
        | StateWord::Fail
        | StateWord::SetFail
        | StateWord::Unpublished
        | StateWord::Damaged => ("●", theme.bad),
        StateWord::Error | StateWord::Pending => ("●", theme.warning),
        StateWord::Never | StateWord::Absent => ("◌", theme.dim),
        StateWord::New => ("●", theme.accent),
        StateWord::Ok => ("●", theme.good),
    }
}

/// Returns the word and the style of a version's state.
pub(crate) fn version_state(state: Option<VersionState>, theme: &Theme) -> (&'static str, Style) {
    match state {
        None => ("–", theme.dim),
        Some(VersionState::Passed) => ("ok", theme.good),
        Some(VersionState::Failed) => ("FAIL", theme.bad),
        Some(VersionState::Error) => ("error", theme.warning),
        Some(VersionState::Pending) => ("pending", theme.warning),
        Some(VersionState::Unverified) => ("unverified", theme.dim),
    }
}

/// Returns the word and the style of a verdict's outcome.
pub(crate) fn verdict_outcome(outcome: VerdictOutcome, theme: &Theme) -> (&'static str, Style) {
    match outcome {
        VerdictOutcome::Passed => ("ok", theme.good),
        VerdictOutcome::Failed => ("FAIL", theme.bad),
        VerdictOutcome::Error => ("error", theme.warning),
        VerdictOutcome::Pending => ("waits", theme.warning),
    }
}

/// Prints a moment in at most six columns: the time of today, else the day, else the month of another year.
pub(crate) fn moment(time: Option<DateTime<Utc>>, now: DateTime<Utc>, zone: &Zone) -> String {
    let Some(time) = time else {
        return "–".to_owned();
    };
    let (time, now) = (zone.wall(time), zone.wall(now));
    let format = if time.date() == now.date() {
        "%H:%M"
    } else if time.year() == now.year() {
        "%d %b"
    } else {
        "%b'%y"
    };
    time.format(format).to_string()
}

/// Prints the time that is left until a moment: `due`, `53m`, `5h`, `12d`.
pub(crate) fn until(time: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    let Some(time) = time else {
        return "–".to_owned();
    };
    let minutes = (time - now).num_minutes();
    match minutes {
        ..0 => "due".to_owned(),
        0 if time <= now => "due".to_owned(),
        0..60 => format!("{}m", minutes + 1),
        60..2880 => format!("{}h", minutes / 60),
        _ => format!("{}d", minutes / 1440),
    }
}

/// Prints the time since a moment: `0s`, `53s`, `12m`, `5h`, `12d`.
pub(crate) fn since(time: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    let Some(time) = time else {
        return "–".to_owned();
    };
    let seconds = (now - time).num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Returns the names of the first sources, one a line, and the number of the others.
pub(crate) fn name_lines<'a>(sources: impl ExactSizeIterator<Item = &'a Source>) -> Vec<String> {
    const SHOWN: usize = 5;
    let more = sources.len().saturating_sub(SHOWN);
    let shown = sources.take(SHOWN);
    let mut lines: Vec<_> = shown
        .map(|source| format!("  {}", clean(&source.settings.name)))
        .collect();
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let now: DateTime<Utc> = "2026-01-31T14:07:31Z".parse().expect("a time");
        for (seconds, expected) in [
            (-5, "due"),
            (0, "due"),
            (3_169, "53m"),
            (90_000, "25h"),
            (864_000, "10d"),
        ] {
            assert_eq!(
                until(Some(now + chrono::Duration::seconds(seconds)), now),
                expected
            );
        }
        for (seconds, expected) in [
            (-5, "0s"),
            (53, "53s"),
            (750, "12m"),
            (18_000, "5h"),
            (864_000, "10d"),
        ] {
            let time = now - chrono::Duration::seconds(seconds);
            assert_eq!(since(Some(time), now), expected);
        }
        assert_eq!(moment(Some(now), now, &Zone::UTC), "14:07");
        assert_eq!(
            moment(Some(now - chrono::Duration::days(2)), now, &Zone::UTC),
            "29 Jan"
        );
        assert_eq!(
            moment(Some(now - chrono::Duration::days(40)), now, &Zone::UTC),
            "Dec'25"
        );
    }
}
