//! The view of messages that verifiers judge: states, verdicts, and what is read again once they are there.

use super::messages::{id, message, nothing_changed, read, selected, text};
use super::views::looks_as_before;
use super::*;
use crate::domain::{Message, MessageId, MessageVerdict, NewVerdict, VerdictOutcome, VersionState};
use crate::faces::tui::messages::ask::{MessageRow, MessagesRead, WholeMessage};

/// A message of a queue whose messages are judged: those of the number's remainder by four.
fn judged(number: u128) -> Message {
    let state = match number % 4 {
        0 => VersionState::Failed,
        1 => VersionState::Passed,
        2 => VersionState::Error,
        _ => VersionState::Pending,
    };
    Message {
        state: Some(state),
        ..message(number)
    }
}

fn verdict(verifier: &str, outcome: VerdictOutcome, detail: &str) -> MessageVerdict {
    let of_version = crate::faces::fixtures::verdict(1, outcome, detail);
    MessageVerdict {
        id: of_version.id,
        verdict: NewVerdict {
            verifier: verifier.to_owned(),
            ..of_version.verdict
        },
        actor: "cli".to_owned(),
    }
}

/// Answers the reading of messages while these judged ones are there.
fn answer_judged(
    model: &mut Model,
    effects: Vec<Effect>,
    states: &[(MessageId, VersionState)],
) -> Vec<Effect> {
    let mut more = Vec::new();
    for effect in effects {
        let Effect::ReadMessages(ask) = effect else {
            more.push(effect);
            continue;
        };
        let rows: Vec<_> = (1..=8).rev().map(judged).collect();
        let is_shown = |message: &&Message| {
            ask.filter
                .state
                .is_none_or(|state| message.state == Some(state))
        };
        let rows = rows.iter().filter(is_shown).map(MessageRow::new);
        let is_asked = |(id, _): &&(MessageId, VersionState)| ask.undecided.contains(id);
        let read = MessagesRead {
            rows: if ask.known.is_some() {
                Vec::new()
            } else {
                rows.collect()
            },
            states: states.iter().filter(is_asked).copied().collect(),
            ..read(&ask, (1..=8).rev(), &[])
        };
        let next = update(model, Msg::Messages(Box::new(read)));
        more.extend(answer_judged(model, next, states));
    }
    more
}

fn whole(number: u128, state: VersionState) -> Msg {
    let verdicts = [
        verdict("shape", VerdictOutcome::Passed, ""),
        verdict("amounts", VerdictOutcome::Failed, "42 is too much"),
    ];
    let message = Message {
        state: Some(state),
        ..judged(number)
    };
    let whole = WholeMessage::persisted(&message).judged_by(&verdicts);
    let text = bytes::Bytes::from_static(b"{\n  \"n\": 8\n}");
    Msg::Message(Box::new(WholeMessage { text, ..whole }))
}

#[test]
fn states_and_verdicts_are_shown() {
    let mut model = super::model();
    let effects = press(&mut model, "4");
    answer_judged(&mut model, effects, &[]);
    update(&mut model, whole(8, VersionState::Failed));
    looks_as_before("judged_messages", &mut model);
}

#[test]
fn a_message_that_was_judged_meanwhile_is_read_again() {
    for keys in ["4jj", "4jj\n"] {
        let mut model = super::model();
        let effects = press(&mut model, keys);
        answer_judged(&mut model, effects, &[]);
        assert_eq!(selected(&model), Some(id(6)));
        update(&mut model, whole(6, VersionState::Error));
        let asked = update(&mut model, nothing_changed());
        let effects = answer_judged(
            &mut model,
            asked,
            &[(id(6), VersionState::Failed), (id(7), VersionState::Passed)],
        );
        let states: Vec<_> = model
            .messages
            .rows()
            .iter()
            .take(3)
            .map(|row| row.state)
            .collect();
        let expected = [
            VersionState::Failed,
            VersionState::Passed,
            VersionState::Failed,
        ];
        assert_eq!(states, expected.map(Some));
        let reads = effects.iter().filter_map(|effect| match effect {
            Effect::ReadMessage(of) => Some(of.id()),
            _ => None,
        });
        assert_eq!(reads.collect::<Vec<_>>(), [id(6)], "{keys:?}");
        update(&mut model, whole(6, VersionState::Failed));
        assert!(
            text(&mut model).contains("FAIL  amounts  42 is too much"),
            "{}",
            text(&mut model)
        );
    }
}

#[test]
fn a_filter_by_state_is_read_anew_each_time() {
    let mut model = super::model();
    let effects = press(&mut model, "4/state:failed\n");
    answer_judged(&mut model, effects, &[]);
    let shown = |model: &Model| {
        model
            .messages
            .rows()
            .iter()
            .map(|row| row.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(&model), [id(8), id(4)]);
    press(&mut model, "j");
    for _ in 0..3 {
        let asked = update(&mut model, nothing_changed());
        answer_judged(&mut model, asked, &[]);
    }
    assert_eq!(
        (shown(&model), selected(&model)),
        (vec![id(8), id(4)], Some(id(4)))
    );
    assert!(text(&mut model).contains("paused"), "{}", text(&mut model));
}
