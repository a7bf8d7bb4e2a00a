//! Which events a client of the live feed or a reader of the log wants: words that must all match.

use std::str::FromStr;

use crate::domain::{Action, Event};

/// The most bytes of a filter.
const MAX_BYTES: usize = 4096;

/// Words that an event must match: `action:fetch.*`, `source:prices` (a name or an id), `set:eu`, `actor:anna*`, or a text
/// in any of these and the detail. `!` before a word turns it round, `*` at the end stands for any rest.
#[derive(Clone, Debug, Default)]
pub(in crate::faces::http) struct EventTerms(Vec<Term>);

#[derive(Clone, Debug)]
struct Term {
    is_negated: bool,
    key: Key,
    text: String,
    is_prefix: bool,
}

#[derive(Clone, Copy, Debug)]
enum Key {
    Action,
    Source,
    Set,
    Actor,
    Any,
}

impl FromStr for EventTerms {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("it is longer than {MAX_BYTES} bytes"));
        }
        let terms = text.split_whitespace().map(term);
        terms.collect::<Result<_, _>>().map(Self)
    }
}

fn term(word: &str) -> Result<Term, String> {
    let (is_negated, word) = match word.strip_prefix('!') {
        Some(word) => (true, word),
        None => (false, word),
    };
    let (key, text) = match word.split_once(':') {
        Some(("action", text)) => (Key::Action, text),
        Some(("source", text)) => (Key::Source, text),
        Some(("set", text)) => (Key::Set, text),
        Some(("actor", text)) => (Key::Actor, text),
        Some((key, _)) => {
            let key = key.escape_debug();
            return Err(format!(
                "`{key}:` is not known here: expected action:, source:, set:, actor: or a text"
            ));
        }
        None => (Key::Any, word),
    };
    if text.is_empty() {
        return Err(format!("`{}` names nothing", word.escape_debug()));
    }
    let prefix = text.strip_suffix('*');
    if matches!(key, Key::Action) {
        check_action(prefix.unwrap_or(text), prefix.is_some())?;
    }
    Ok(Term {
        is_negated,
        key,
        text: prefix.unwrap_or(text).to_lowercase(),
        is_prefix: prefix.is_some(),
    })
}

/// Refuses an action, or the beginning of one, that no event has.
fn check_action(text: &str, is_prefix: bool) -> Result<(), String> {
    let text = text.to_lowercase();
    let is_it = |action: &Action| {
        let action = action.as_str();
        action == text || is_prefix && action.starts_with(&text)
    };
    if Action::ALL.iter().any(is_it) {
        return Ok(());
    }
    let text = text.escape_debug();
    Err(format!(
        "no action is called `{text}`: `action:fetch.*` stands for all of fetches"
    ))
}

impl EventTerms {
    /// Returns whether every event matches.
    pub(in crate::faces::http) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether an event matches every word.
    pub(in crate::faces::http) fn matches(&self, event: &Event) -> bool {
        self.0
            .iter()
            .all(|term| term.matches(event) != term.is_negated)
    }
}

impl Term {
    fn matches(&self, event: &Event) -> bool {
        let action = event.event.action.as_str();
        let actor = event.stamp.actor.0.as_str();
        let source = event.source_name.as_deref().unwrap_or_default();
        let id = event
            .event
            .source_id
            .map(|id| id.to_string())
            .unwrap_or_default();
        match self.key {
            Key::Action => self.is(action),
            Key::Actor => self.is(actor) || name_of(actor).is_some_and(|name| self.is(name)),
            Key::Set => event.event.set().is_some_and(|set| self.is(set)),
            Key::Source => self.is(source) || self.is(&id),
            Key::Any => {
                let detail = event.event.detail_line().unwrap_or_default();
                let version = event.event.version_id.map(|id| format!("v{id}"));
                version.is_some_and(|version| self.is(&version))
                    || [action, actor, source, &detail]
                        .iter()
                        .any(|text| text.to_lowercase().contains(&self.text))
            }
        }
    }

    fn is(&self, value: &str) -> bool {
        let value = value.to_lowercase();
        if self.is_prefix {
            value.starts_with(&self.text)
        } else {
            value == self.text
        }
    }
}

/// Returns the name of a person or token in `anna by http`.
fn name_of(actor: &str) -> Option<&str> {
    actor.split_once(" by ").map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Actor, EventId, NewEvent, SourceId, Stamp, VersionId};

    #[test]
    fn words_select_events() {
        let event = Event {
            id: EventId(1),
            stamp: Stamp {
                at: chrono::DateTime::UNIX_EPOCH,
                actor: Actor("anna by http".to_owned()),
            },
            event: NewEvent::of(Action::FetchFailed)
                .source(SourceId(7))
                .version(VersionId(12))
                .detail("503 from a.example".to_owned()),
            source_name: Some("Prices".to_owned()),
        };
        for (text, expected) in [
            ("", true),
            ("action:fetch.failed", true),
            ("action:fetch.*", true),
            ("!action:fetch.*", false),
            ("source:prices", true),
            ("source:7", true),
            ("source:8", false),
            ("actor:anna*", true),
            ("actor:anna", true),
            ("actor:ann", false),
            ("v12", true),
            ("v1", false),
            ("503", true),
            ("503 source:8", false),
            ("!404 source:7", true),
        ] {
            let terms: EventTerms = text.parse().expect(text);
            assert_eq!(terms.matches(&event), expected, "{text}");
        }
        let detail = "eu: legal: no".to_owned();
        let of_set = Event {
            event: NewEvent::of(Action::SetFailed).detail(detail),
            source_name: None,
            ..event
        };
        for (text, expected) in [
            ("set:EU", true),
            ("set:e*", true),
            ("set:us", false),
            ("!set:eu", false),
        ] {
            let terms: EventTerms = text.parse().expect(text);
            assert_eq!(terms.matches(&of_set), expected, "{text}");
        }
        for text in ["state:down", "action:", "!", "action:fetch", "action:zzz*"] {
            assert!(text.parse::<EventTerms>().is_err(), "{text}");
        }
    }
}
