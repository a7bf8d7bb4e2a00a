//! The view of messages: what it shows, how it follows, how it is narrowed, and what is done with dead messages.

use chrono::TimeDelta;

use super::views::{looks_as_before, press_answered};
use super::*;
use crate::app::{QueueFacts, QueueRate};
use crate::domain::{DeadMessage, Message, MessageId, QueueName, VersionState};
use crate::faces::tui::messages::ask::{
    DeadDeed, DeadRow, MessageFilter, MessageRef, MessageRow, MessagesAsk, MessagesRead,
    WholeMessage,
};
use crate::faces::tui::messages::parts::MessagePane;
use crate::faces::tui::messages::view::HELD;
use crate::faces::tui::model::Page;

pub(super) fn id(number: u128) -> MessageId {
    MessageId(uuid::Uuid::from_u128(
        0x0190_163d_8694_739b_aea5_0000_0000_0000 + number,
    ))
}

fn name(queue: &str) -> QueueName {
    queue.parse().expect("a name")
}

/// A message of the queue `orders`; every third is of `rooms`.
pub(super) fn message(number: u128) -> Message {
    let queue = if number.is_multiple_of(3) {
        "rooms"
    } else {
        "orders"
    };
    let received_at = now() + TimeDelta::seconds(i64::try_from(number).expect("small") - 60);
    Message {
        id: id(number),
        queue: name(queue),
        received_at,
        persisted_at: Some(received_at + TimeDelta::milliseconds(12)),
        sender: "sensor by http".to_owned(),
        body: format!(r#"{{"n":{number},"text":"東京\u001b e\u0301","list":[1.10,{{}}]}}"#),
        state: Some(VersionState::Unverified),
    }
}

fn dead(number: u128) -> DeadMessage {
    DeadMessage {
        message: Message {
            persisted_at: None,
            body: format!("{{\"n\":{number}\u{1b}[2J"),
            ..message(number)
        },
        died_at: now(),
        tries: 5,
        reason: "its row on the queue is damaged".to_owned(),
    }
}

fn queue(queue: &str, waiting: u64, dead: u64) -> QueueFacts {
    let rate = |ago: i64, queued, lag_ms| QueueRate {
        at: now() - TimeDelta::seconds(ago),
        queued,
        persisted: queued,
        lag_ms,
    };
    QueueFacts {
        waiting,
        waiting_bytes: waiting * 20,
        oldest_at: (waiting > 0).then(|| now() - TimeDelta::seconds(42)),
        dead,
        tries: u32::from(waiting > 0),
        rates: vec![rate(600, 9, 40), rate(40, 120, 1_500), rate(10, 3, 12)],
        ..QueueFacts::new(name(queue))
    }
}

/// What is read while these messages are there, the newest first.
pub(super) fn read(
    ask: &MessagesAsk,
    there: impl Iterator<Item = u128>,
    dead_there: &[u128],
) -> MessagesRead {
    let all: Vec<_> = there.map(message).collect();
    let behind = all.iter().position(|message| Some(message.id) == ask.known);
    let is_shown = |message: &&Message| {
        let queue = ask.filter.queue.as_ref();
        queue.is_none_or(|queue| message.queue == *queue) && message.has_words(&ask.filter.words)
    };
    let new = all[..behind.unwrap_or(all.len())].iter().filter(is_shown);
    let deads = dead_there.iter().map(|number| DeadRow::new(&dead(*number)));
    MessagesRead {
        filter: ask.filter.clone(),
        rows: new.take(HELD).map(MessageRow::new).collect(),
        newest: all.first().map(|message| message.id),
        follow_known: behind.is_some(),
        states: Vec::new(),
        trouble: None,
        queues: vec![
            queue("orders", 3, dead_there.len() as u64),
            queue("rooms", 0, 0),
        ],
        dead: ask.with_dead.then(|| deads.collect()),
    }
}

/// Returns the message in which an effect of the view results: eight messages are there, two dead.
pub(super) fn answered(effect: &Effect) -> Option<Msg> {
    match effect {
        Effect::ReadMessages(ask) => {
            let read = read(ask, (1..=8).rev(), &[101, 100]);
            Some(Msg::Messages(Box::new(read)))
        }
        Effect::ReadMessage(of) => {
            let number = of.id().0.as_u128() - id(0).0.as_u128();
            let whole = match of {
                MessageRef::Persisted(_) => WholeMessage::persisted(&message(number)),
                MessageRef::Dead(_) => WholeMessage::dead(&dead(number)),
            };
            let text =
                "{\n  \"n\": 8,\n  \"text\": \"東京\",\n  \"list\": [\n    1.10,\n    {}\n  ]\n}";
            let text = bytes::Bytes::from_static(text.as_bytes());
            Some(Msg::Message(Box::new(WholeMessage { text, ..whole })))
        }
        _ => None,
    }
}

/// The view of messages after these keys and the results of their effects.
fn view(keys: &str) -> Model {
    let mut model = super::views::view("4");
    press_answered(&mut model, keys);
    model
}

macro_rules! views {
    ($($name:ident: $keys:literal,)*) => {
        $(#[test]
        fn $name() {
            looks_as_before(stringify!($name), &mut view($keys));
        })*
    };
}

views! {
    messages: "",
    messages_with_a_held_list: "jj",
    messages_of_a_queue: "/queue:rooms\n",
    messages_of_no_match: "/nothing\n",
    message_in_full: "\n",
    dead_messages: "\t\t",
    dead_message_dropped: "\t\tx",
    queues_have_the_focus: "\t\t\tj",
}

#[test]
fn without_messages() {
    let mut model = super::model();
    for effect in press(&mut model, "4") {
        let Effect::ReadMessages(ask) = effect else {
            continue;
        };
        let none = MessagesRead {
            queues: Vec::new(),
            ..read(&ask, std::iter::empty(), &[])
        };
        update(&mut model, Msg::Messages(Box::new(none)));
    }
    looks_as_before("without_messages", &mut model);
}

/// Answers the reading of messages while these are there, the newest first; returns the effects that follow.
fn answer_with(model: &mut Model, effects: &[Effect], newest: u128) -> Vec<Effect> {
    let asks = effects.iter().filter_map(|effect| match effect {
        Effect::ReadMessages(ask) => Some(ask.clone()),
        _ => None,
    });
    let reads = asks.map(|ask| read(&ask, (1..=newest).rev(), &[100]));
    let messages: Vec<_> = reads.map(|read| Msg::Messages(Box::new(read))).collect();
    let answered = messages.into_iter().flat_map(|msg| update(model, msg));
    answered.collect()
}

/// Lets messages come, up to this one.
fn come(model: &mut Model, newest: u128) {
    let effects = update(model, nothing_changed());
    answer_with(model, &effects, newest);
}

pub(super) fn nothing_changed() -> Msg {
    Msg::Changed {
        rows: Vec::new(),
        gone: Vec::new(),
        lines: Vec::new(),
    }
}

pub(super) fn selected(model: &Model) -> Option<MessageId> {
    model.messages.selected().map(MessageRef::id)
}

pub(super) fn text(model: &mut Model) -> String {
    screen(model, (120, 40), ThemeChoice::Dark, false)
}

#[test]
fn the_list_follows_until_the_cursor_is_moved() {
    let mut model = view("");
    come(&mut model, 12);
    assert_eq!(selected(&model), Some(id(12)));
    press(&mut model, "jj");
    come(&mut model, 15);
    assert_eq!(selected(&model), Some(id(10)));
    assert!(text(&mut model).contains("↑ 3 new"));
    press(&mut model, "g");
    assert_eq!(selected(&model), Some(id(15)));
    // What is being read in the pane beside stays there, too.
    press(&mut model, "\t");
    come(&mut model, 20);
    assert_eq!(selected(&model), Some(id(15)));
    press(&mut model, "\t\t\tg");
    assert_eq!(selected(&model), Some(id(20)));
    // The way to the dead messages leads past the body.
    press(&mut model, "\t\t");
    assert!(model.messages.is_following());
    press(&mut model, "\t\t");
    press_answered(&mut model, "\n\u{1b}");
    come(&mut model, 25);
    assert_eq!(selected(&model), Some(id(20)));
}

#[test]
fn few_messages_are_held_however_many_come() {
    for keys in ["", "jj"] {
        let mut model = view(keys);
        let before = selected(&model);
        for newest in (100..5_000).step_by(100) {
            come(&mut model, newest);
            assert!(model.messages.rows().len() <= 2 * HELD);
        }
        if keys.is_empty() {
            assert_eq!(selected(&model), Some(id(4_900)));
            continue;
        }
        assert_eq!(selected(&model), before);
        assert!(
            text(&mut model).contains("↑ 4,892+ new"),
            "{}",
            text(&mut model)
        );
        // Those between were left out: the newest are read anew.
        let effects = press(&mut model, "g");
        assert!(
            matches!(&effects[..], [Effect::ReadMessages(ask), ..] if ask.known.is_none()),
            "{effects:?}"
        );
        answer_with(&mut model, &effects, 4_901);
        assert_eq!(selected(&model), Some(id(4_901)));
    }
}

#[test]
fn one_reading_is_under_way_at_a_time() {
    let mut model = super::model();
    let first = press(&mut model, "4");
    let is_read = |effects: &[Effect]| {
        let reads = effects
            .iter()
            .filter(|e| matches!(e, Effect::ReadMessages(_)));
        reads.count()
    };
    assert_eq!(is_read(&first), 1);
    for _ in 0..10 {
        assert_eq!(is_read(&update(&mut model, nothing_changed())), 0);
    }
    let next = answer_with(&mut model, &first, 8);
    assert_eq!(is_read(&next), 1);
    assert_eq!(is_read(&answer_with(&mut model, &next, 8)), 0);
    // An error ends a reading; the next change begins another. A closed view reads nothing.
    let effects = update(&mut model, nothing_changed());
    assert_eq!(is_read(&effects), 1);
    update(&mut model, Msg::MessagesUnread("locked".to_owned()));
    assert!(text(&mut model).contains("locked"));
    assert_eq!(is_read(&update(&mut model, nothing_changed())), 1);
    update(&mut model, Msg::MessagesUnread("locked".to_owned()));
    press(&mut model, "1");
    assert_eq!(is_read(&update(&mut model, nothing_changed())), 0);
}

#[test]
fn what_waits_on_a_server_is_read_now_and_then() {
    let mut model = view("");
    let effects = update(&mut model, Msg::QueuesMayDiffer);
    assert!(
        matches!(&effects[..], [Effect::ReadMessages(_)]),
        "{effects:?}"
    );
    assert!(update(&mut super::model(), Msg::QueuesMayDiffer).is_empty());
}

#[test]
fn keys_wait_for_the_messages_on_which_they_act() {
    let mut model = super::model();
    let effects = press(&mut model, "4jj");
    answer_with(&mut model, &effects, 8);
    assert_eq!(selected(&model), Some(id(6)));
}

#[test]
fn a_filter_narrows_by_words_and_queue_and_esc_leads_back_by_layers() {
    for (keys, expected) in [
        ("/queue:rooms\n", &[6, 3][..]),
        ("/\"n\":5\n", &[5]),
        ("/ROOMS\n", &[]),
        // The second queue, behind all and `orders`.
        ("\t\t\tjj\n", &[6, 3]),
        ("/sensor\n\t\t\tjj\n", &[6, 3]),
        ("\t\t\tjj\n\t\t\tg\n", &[8, 7, 6, 5, 4, 3, 2, 1]),
    ] {
        let model = view(keys);
        let rows = model.messages.rows().iter().map(|row| row.id);
        let expected: Vec<_> = expected.iter().map(|number| id(*number)).collect();
        assert_eq!(rows.collect::<Vec<_>>(), expected, "{keys:?}");
    }
    let mut model = view("/queue:rooms\n\n");
    let mut is_in = Vec::new();
    for _ in 0..4 {
        let page = model
            .pages
            .last()
            .map(|page| matches!(page, Page::Message(_)));
        is_in.push((page, model.messages.filter_text().to_owned()));
        press_answered(&mut model, "\u{1b}");
    }
    let queue = "queue:rooms".to_owned();
    let expected = [
        (Some(true), queue.clone()),
        (Some(false), queue),
        (Some(false), String::new()),
        (None, String::new()),
    ];
    assert_eq!(is_in, expected);
}

#[test]
fn a_dead_message_is_retried_once_and_dropped_after_a_question() {
    let deeds = |effects: &[Effect]| -> Vec<(DeadDeed, MessageId)> {
        let deeds = effects.iter().filter_map(|effect| match effect {
            Effect::ActOnDead(deed, id) => Some((*deed, *id)),
            _ => None,
        });
        deeds.collect()
    };
    for (keys, expected) in [
        ("\t\trrr", vec![(DeadDeed::Retry, id(101))]),
        ("\t\tjr", vec![(DeadDeed::Retry, id(100))]),
        ("\t\t\nr", vec![(DeadDeed::Retry, id(101))]),
        ("\t\txy", vec![(DeadDeed::Drop, id(101))]),
        ("\t\tx\n", vec![]),
        ("\t\txx", vec![]),
        ("\t\tjxyxy", vec![(DeadDeed::Drop, id(100))]),
        ("rx", vec![]),
        ("1rx", vec![]),
    ] {
        let mut model = view("");
        let mut effects = Vec::new();
        for key in keys.chars() {
            let came = press(&mut model, &key.to_string());
            for effect in came.clone() {
                super::views::answer(&mut model, effect);
            }
            effects.extend(came);
        }
        assert_eq!(deeds(&effects), expected, "{keys:?}");
    }
    // Once an action has ended, it can be repeated: the message may have died again.
    let mut model = view("\t\tr");
    update(&mut model, Msg::DeadDeedEnded(id(101)));
    let later = model.uptime + std::time::Duration::from_secs(5);
    update(&mut model, Msg::Time(now(), later));
    assert_eq!(deeds(&press(&mut model, "r")).len(), 1);
}

#[test]
fn dead_messages_are_read_again_when_some_come_or_go() {
    let is_asked = |action| {
        let mut model = view("");
        let mut line = event(30, "");
        line.event.event.action = action;
        let (rows, gone, lines) = (Vec::new(), Vec::new(), vec![line]);
        let effects = update(&mut model, Msg::Changed { rows, gone, lines });
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::ReadMessages(ask) if ask.with_dead))
    };
    for (action, expected) in [
        (Action::MessageDead, true),
        (Action::MessageRetried, true),
        (Action::MessageDeleted, true),
        (Action::FetchNew, false),
    ] {
        assert_eq!(is_asked(action), expected, "{action:?}");
    }
    // A closed view counts them, for the header.
    let mut model = super::model();
    let mut line = event(30, "");
    line.event.event.action = Action::MessageDead;
    let (rows, gone, lines) = (Vec::new(), Vec::new(), vec![line]);
    let effects = update(&mut model, Msg::Changed { rows, gone, lines });
    let is_counted = effects
        .iter()
        .any(|effect| matches!(effect, Effect::CountDead));
    assert!(is_counted, "{effects:?}");
    update(&mut model, Msg::DeadCount(1_200));
    assert!(text(&mut model).contains("dead messages 1,200"));
    // The last of them goes.
    let mut model = view("\t\t");
    let read = MessagesRead {
        dead: Some(Vec::new()),
        ..read(
            &MessagesAsk {
                filter: MessageFilter::default(),
                known: None,
                undecided: Vec::new(),
                with_dead: true,
            },
            (1..=8).rev(),
            &[],
        )
    };
    update(&mut model, Msg::Messages(Box::new(read)));
    assert_eq!(model.messages.pane, MessagePane::List);
    assert_eq!(selected(&model), Some(id(8)));
}

#[test]
fn a_server_that_cannot_be_used_is_named() {
    let mut model = view("");
    let ask = MessagesAsk {
        filter: MessageFilter::default(),
        known: None,
        undecided: Vec::new(),
        with_dead: false,
    };
    let read = MessagesRead {
        trouble: Some("the Redis server of the queues does not answer".to_owned()),
        ..read(&ask, (1..=8).rev(), &[])
    };
    update(&mut model, Msg::Messages(Box::new(read)));
    assert!(text(&mut model).contains("· the Redis server of the queues does not answer"));
}

#[test]
fn what_is_about_sources_is_refused_here_and_read_only_refuses_what_changes() {
    for keys in ["e", "E", " ", "f", "v", "D", "m", "M", "d"] {
        let mut model = view("");
        assert!(press(&mut model, keys).is_empty(), "{keys}");
        assert!(text(&mut model).contains("this is about sources"), "{keys}");
    }
    for keys in ["r", "x"] {
        let mut model = view("\t\t");
        model.mode.read_only = true;
        assert!(press(&mut model, keys).is_empty(), "{keys}");
        assert!(
            model.overlay.is_none() && text(&mut model).contains("--read-only"),
            "{keys}"
        );
    }
}

#[test]
fn an_unreadable_message_says_why() {
    for keys in ["", "\n"] {
        let mut model = view("");
        let effects = press(&mut model, &format!("j{keys}"));
        let read = effects
            .iter()
            .any(|effect| matches!(effect, Effect::ReadMessage(_)));
        assert!(read, "{effects:?}");
        let of = MessageRef::Persisted(id(7));
        let why = "there is no message 7".to_owned();
        update(&mut model, Msg::MessageUnreadable(of, why));
        assert!(
            text(&mut model).contains("It cannot be shown: there is no message 7"),
            "{keys:?}"
        );
    }
}
