//! What is known of the days of a dated source together: it has no versions of its own.
//!
//! Never opens a day.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::day_row::BETWEEN;
use super::row::Columns;
use super::statements::Statements as _;
use super::version_row::{PLACE_COLUMNS, read_newest_state};
use crate::domain::{
    AttemptOutcome, DatedRules, Day, DaysState, Source, SourceId, StateFacts, StateWord,
    VersionState, Window,
};

/// Adds what is known of its days to a dated source.
pub(super) fn add_days(sql: &Connection, source: &mut Source) -> rusqlite::Result<()> {
    if source.day.is_some() || !source.settings.address.is_dated() {
        return Ok(());
    }
    let (days, last) = days_state(sql, source.id)?;
    let state = &mut source.state;
    state.days = Some(Box::new(days));
    state.last_attempt_at = last.at;
    state.last_outcome = last.outcome;
    state.failures = last.failures;
    Ok(())
}

/// The last attempt of any day of a window, and the most failures in a row.
#[derive(Default)]
pub(super) struct LastAttempt {
    /// When the days were opened last.
    opened_at: DateTime<Utc>,
    at: Option<DateTime<Utc>>,
    outcome: Option<AttemptOutcome>,
    failures: u32,
}

/// Returns what is known of the days of a dated source. Its window is that of its last opening.
pub(super) fn days_state(
    sql: &Connection,
    series: SourceId,
) -> rusqlite::Result<(DaysState, LastAttempt)> {
    let (days, opened_at) = opening(sql, series)?;
    let held = "SELECT count(*), min(s.day), max(s.day) FROM source s CROSS JOIN source_state t ON t.source_id = s.id
         WHERE s.series_id = ?1 AND s.day IS NOT NULL AND t.version_id IS NOT NULL";
    let (held, first, last): (u64, Option<Day>, Option<Day>) =
        sql.only(held, [series.0], |row| {
            let mut columns = Columns::new(row);
            Ok((
                columns.count()?,
                columns.optional_word()?,
                columns.optional_word()?,
            ))
        })?;
    let mut state = DaysState {
        held,
        range: first.zip(last),
        missing: 0,
        failing: 0,
        worst: StateWord::Never,
        worst_day: None,
    };
    let mut last = LastAttempt::default();
    if let Some(opened_at) = opened_at {
        last.opened_at = opened_at;
        let window = Window::at(opened_at, days);
        add_window(sql, series, window, &mut state, &mut last)?;
    }
    Ok((state, last))
}

/// Returns how many days the window of a dated source has, and when it was opened last.
fn opening(sql: &Connection, series: SourceId) -> rusqlite::Result<(u32, Option<DateTime<Utc>>)> {
    let own = "SELECT s.settings, t.last_attempt_at FROM source s CROSS JOIN source_state t ON t.source_id = s.id WHERE s.id = ?1";
    sql.only(own, [series.0], |row| {
        let mut columns = Columns::new(row);
        let days = columns.settings()?.days.flatten();
        Ok((
            days.unwrap_or(DatedRules::DEFAULT.days),
            columns.optional_time()?,
        ))
    })
}

/// Adds what is known of the days of a window: how many have no version, how many have a problem, and the gravest state.
fn add_window(
    sql: &Connection,
    series: SourceId,
    window: Window,
    state: &mut DaysState,
    last: &mut LastAttempt,
) -> rusqlite::Result<()> {
    let query = format!(
        "SELECT s.id, s.day, t.failures, t.last_attempt_at, t.last_outcome, t.version_id, {PLACE_COLUMNS},
             t.publish_due = 1 AND t.publish_error IS NOT NULL
         FROM source s CROSS JOIN source_state t ON t.source_id = s.id LEFT JOIN version v ON v.id = t.version_id
         WHERE {BETWEEN}"
    );
    let parameters = params![series.0, window.first.to_string(), window.last.to_string()];
    let mut damaged = Vec::new();
    let states = sql.sound("source", &query, parameters, &mut damaged, |columns| {
        read_day_state(columns, last)
    })?;
    let missing = states.iter().filter(|day| !day.has_version).count();
    let failing = states.iter().filter(|day| day.word.is_failing()).count();
    state.missing = missing as u64;
    state.failing = (failing + damaged.len()) as u64;
    if let Some(worst) = states
        .iter()
        .max_by_key(|one| (one.word.gravity(), one.day))
    {
        (state.worst, state.worst_day) = (worst.word, Some(worst.day));
    }
    if !damaged.is_empty() && state.worst.gravity() < StateWord::Damaged.gravity() {
        (state.worst, state.worst_day) = (StateWord::Damaged, None);
    }
    Ok(())
}

/// A day of a window.
struct DayState {
    day: Day,
    has_version: bool,
    word: StateWord,
}

/// Reads a day.
fn read_day_state(columns: &mut Columns<'_>, last: &mut LastAttempt) -> rusqlite::Result<DayState> {
    let id = SourceId(columns.get()?);
    let day = columns.word()?;
    let failures = columns.count()?;
    let at = columns.optional_time()?;
    let last_outcome = columns.optional_word()?;
    let quiet = last_outcome.map(|outcome| match outcome {
        AttemptOutcome::New => AttemptOutcome::Unchanged,
        outcome => outcome,
    });
    let has_version = columns.optional::<i64>()?.is_some();
    let version_state: Option<VersionState> = read_newest_state(columns, id);
    let word = StateWord::from_facts(&StateFacts {
        is_removed: false,
        is_enabled: true,
        is_failing: failures > 0,
        has_version,
        version_state,
        is_unpublished: columns.get()?,
        set_fails: false,
        // A settled day is not asked again: what it brought is new no more.
        last_outcome: last_outcome
            .filter(|_| at >= Some(last.opened_at))
            .or(quiet),
    });
    last.failures = last.failures.max(failures);
    if at > last.at {
        (last.at, last.outcome) = (at, last_outcome);
    }
    Ok(DayState {
        day,
        has_version,
        word,
    })
}
