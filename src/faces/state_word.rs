//! The state of a source in the words of every face: one word, and the reason if the newest version is not good.

use crate::app::{Error, History};
use crate::domain::{DaysState, Source, Verdict, VersionState, day_name, last_of_each};
pub(crate) use crate::domain::{StateWord, is_newest_damaged, next_due};

/// Returns the word of the newest version's state, `damaged` if its row is; none without a version.
pub(crate) fn verified_word(source: &Source) -> Option<&'static str> {
    match source.state.version_state {
        Some(state) => Some(state.as_str()),
        None => is_newest_damaged(source).then(|| StateWord::Damaged.as_str()),
    }
}

/// Returns the word for people, `down(n)` after n failed fetches in a row.
pub(crate) fn state_word(source: &Source) -> String {
    match StateWord::of(source) {
        StateWord::Down => format!("down({})", source.state.failures),
        state => state.shown().to_owned(),
    }
}

/// Returns the reason for a source's state; `None` where the word is enough.
pub(crate) fn why(history: &History) -> Option<String> {
    let state = &history.source.state;
    if let Some(days) = &state.days {
        return why_of_days(&history.source, days);
    }
    match StateWord::of(&history.source) {
        StateWord::Down => history.attempts.first()?.error.clone(),
        StateWord::Fail | StateWord::Error => {
            let (version, verdicts) = history.newest()?;
            why_judged(version.state, verdicts)
        }
        StateWord::Unpublished => state.publish_error.clone(),
        StateWord::SetFail => {
            let set = state.set.as_deref().unwrap_or_default();
            Some(format!("set {set}: {}", history.set_failure.as_ref()?))
        }
        _ => None,
    }
}

/// Returns how many days of the window of a dated source have a problem, and the gravest one.
fn why_of_days(source: &Source, days: &DaysState) -> Option<String> {
    let worst = days.worst_day.filter(|_| days.failing > 0)?;
    let name = day_name(&source.settings.name, worst);
    let others = match days.failing {
        1 => String::new(),
        failing => format!(", one of {failing} such days"),
    };
    Some(format!("{name} is {}{others}", days.worst.shown()))
}

/// Returns the message for a history that is only partly readable.
pub(crate) fn not_whole(damage: &Error) -> String {
    format!("{}: its history is not whole", damage.message)
}

/// Returns the verifiers that failed a version or could not judge it, with their reasons; `None` for any other state.
pub(crate) fn why_judged(state: VersionState, oldest_first: &[Verdict]) -> Option<String> {
    let last = last_of_each(oldest_first, |one| &one.verdict).into_iter();
    let words = last.map(|one| &one.verdict).filter_map(|verdict| {
        let reason = verdict.judgement.reason();
        let gap = if reason.is_empty() { "" } else { ": " };
        let words = || format!("{}{gap}{reason}", verdict.judge_words());
        state.follows_from(verdict.judgement.outcome).then(words)
    });
    words.reduce(|all, one| format!("{all}; {one}"))
}
