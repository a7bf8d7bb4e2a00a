//! Parts of pages: times, states, sizes, facts, alerts. Text from outside is cleaned here; maud escapes it.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

use super::fields::FormError;
use super::visit::Visit;
use crate::config::Zone;
use crate::domain::{Source, VerdictOutcome, VersionState, format_size};
use crate::faces::state_word::{StateWord, state_word};
pub(super) use crate::faces::text::grouped;
use crate::faces::text::{clean, count};

/// Returns a text of one line that may come from outside, without controls and marks of direction.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    clean(text)
}

/// Shows a time to the minute. The script turns times of the class `age` into `3 min ago`.
pub(super) fn time(at: DateTime<Utc>, zone: &Zone, class: &str) -> Markup {
    time_as(&zone.minute(at), at, zone, class)
}

/// Shows a time as this text; its title has the second and the zone.
fn time_as(shown: &str, at: DateTime<Utc>, zone: &Zone, class: &str) -> Markup {
    let title = format!("{} {}", zone.second(at), zone.name());
    html! {
        time class=(class) datetime=(at.to_rfc3339_opts(SecondsFormat::Millis, true)) title=(title) { (shown) }
    }
}

impl Visit {
    /// Shows a time as its age or, with a script missing, to the minute.
    pub(super) fn age(&self, at: Option<DateTime<Utc>>) -> Markup {
        match at {
            Some(at) => time(at, &self.app().config().zone, "age"),
            None => dash(),
        }
    }

    /// Shows when something is due.
    pub(super) fn due(&self, at: Option<DateTime<Utc>>) -> Markup {
        match at {
            Some(at) if at <= self.app().now() => html! { "due" },
            Some(at) => time(at, &self.app().config().zone, "age due"),
            None => dash(),
        }
    }

    /// Shows a time to the minute.
    pub(super) fn time(&self, at: Option<DateTime<Utc>>) -> Markup {
        match at {
            Some(at) => time(at, &self.app().config().zone, "clock"),
            None => dash(),
        }
    }

    /// Shows a time to the second.
    pub(super) fn second(&self, at: DateTime<Utc>) -> Markup {
        let zone = &self.app().config().zone;
        time_as(&zone.second(at), at, zone, "clock")
    }

    /// Shows a time to the millisecond.
    pub(super) fn milli(&self, at: DateTime<Utc>) -> Markup {
        let zone = &self.app().config().zone;
        time_as(&zone.milli(at), at, zone, "clock")
    }
}

/// Shows that there is no value.
pub(super) fn dash() -> Markup {
    html! { span.dim.none { "–" } }
}

/// Shows a size, the exact number of bytes as its title.
pub(super) fn size(bytes: Option<u64>) -> Markup {
    match bytes {
        Some(bytes) => html! { span title={ (bytes) " bytes" } { (format_size(bytes)) } },
        None => dash(),
    }
}

/// Shows a state: its glyph, and its word beside it.
pub(super) fn state(source: &Source) -> Markup {
    let (glyph, class) = glyph(StateWord::of(source));
    badge(
        glyph,
        class,
        &state_word(source),
        StateWord::of(source).meaning(),
    )
}

/// Returns the glyph and the class of a state.
pub(super) fn glyph(state: StateWord) -> (&'static str, &'static str) {
    match state {
        StateWord::Ok => ("✓", "good"),
        StateWord::New => ("✱", "new"),
        StateWord::Down
        | StateWord::Fail
        | StateWord::SetFail
        | StateWord::Unpublished
        | StateWord::Damaged => ("✗", "bad"),
        StateWord::Error => ("?", "warn"),
        StateWord::Pending => ("…", "warn"),
        StateWord::Off | StateWord::Removed => ("○", "dim"),
        StateWord::Never | StateWord::Absent => ("◌", "dim"),
    }
}

/// Shows the state of a version.
pub(super) fn version_state(state: VersionState) -> Markup {
    let (glyph, class) = match state {
        VersionState::Passed => ("✓", "good"),
        VersionState::Failed => ("✗", "bad"),
        VersionState::Error => ("?", "warn"),
        VersionState::Pending => ("…", "warn"),
        VersionState::Unverified => ("○", "dim"),
    };
    badge(glyph, class, state.as_str(), "")
}

/// Shows the outcome of a verdict.
pub(super) fn verdict_outcome(outcome: VerdictOutcome) -> Markup {
    version_state(match outcome {
        VerdictOutcome::Passed => VersionState::Passed,
        VerdictOutcome::Failed => VersionState::Failed,
        VerdictOutcome::Error => VersionState::Error,
        VerdictOutcome::Pending => VersionState::Pending,
    })
}

/// Shows a glyph and a word.
pub(super) fn badge(glyph: &str, class: &str, word: &str, meaning: &str) -> Markup {
    let meaning = Some(meaning).filter(|meaning| !meaning.is_empty());
    html! {
        span.state.(class) title=[meaning] { span.glyph aria-hidden="true" { (glyph) } " " (text(word)) }
    }
}

/// Shows facts under their names.
pub(super) fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts { @for (name, value) in facts { div.wide[*name == "SHA-256"] { dt { (name) } dd { (value) } } } }
    }
}

/// Shows why a form was not carried out.
pub(super) fn alert(error: Option<&FormError>) -> Markup {
    html! {
        @if let Some(error) = error {
            div.alert.bad role="alert" {
                p { (text(&error.message)) }
                @if let Some(hint) = &error.hint { p.hint { (text(hint)) } }
            }
        }
    }
}

/// Shows what a form did, after the browser was sent back to the page.
pub(super) fn done(visit: &Visit) -> Markup {
    let done = visit.param("done").unwrap_or_default();
    let added = done.strip_prefix("added-");
    if let Some(added) = added.and_then(|added| added.parse::<u32>().ok()) {
        let added = count(added, "source");
        return html! { p.alert.good role="status" { (added) " added. A worker fetches what is due." } };
    }
    let known = DONE.iter().find(|(word, _)| *word == done);
    let class = if UNDONE.contains(&done.as_str()) {
        "alert"
    } else {
        "alert good"
    };
    html! { @if let Some((_, words)) = known { p class=(class) role="status" { (words) } } }
}

/// The words of forms that have not done anything yet.
const UNDONE: [&str; 3] = ["nothing", "busy", "fetching"];

/// What forms did: a word of an address, and what is shown for it. Texts from an address are never shown.
const DONE: [(&str, &str); 17] = [
    ("added", "Added. A worker fetches what is due."),
    ("edited", "The settings were changed."),
    ("fetched", "Fetched."),
    (
        "busy",
        "Another worker is fetching it: the attempt will appear here.",
    ),
    (
        "fetching",
        "Being fetched: each row says when its source is done.",
    ),
    ("on", "Switched on."),
    (
        "off",
        "Switched off: it is not fetched until it is switched on.",
    ),
    ("removed", "Removed."),
    ("purged", "Deleted, with the history."),
    ("restored", "Brought back."),
    ("verdict", "The verdict was recorded."),
    ("verified", "The verifiers were run again."),
    (
        "verified-anew",
        "The verifiers were run again. What was given by hand in their names counts no more: it stands among the earlier verdicts.",
    ),
    ("sent", "The message was sent."),
    ("retried", "The message is on its queue again."),
    ("deleted", "The message was deleted."),
    ("nothing", "Nothing was marked."),
];

/// Shows a table in a box of its own, which scrolls when the screen is narrow.
pub(super) fn table_box(name: &str, table: &Markup) -> Markup {
    html! { div.scroll role="group" aria-label=(name) tabindex="0" { (table) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_cleaned_and_escaped() {
        let shown = badge("✓", "good", "<script>a\u{202e}b\u{1b}[2J", "").into_string();
        assert!(shown.contains("&lt;script&gt;ab[2J"), "{shown}");
    }
}
