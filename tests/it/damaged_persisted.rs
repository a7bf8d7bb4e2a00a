//! Damaged rows among messages: they are left out wherever messages are read, and hide no sound one behind them.

use std::collections::HashSet;

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::rig::sqlite::damage;
use crate::rig::{Gannet, Service, soon, until};

const MESSAGES: u64 = 300;

/// Returns whether the row of a message is damaged: one among the first, and more in a row than are read at once.
fn is_damaged(number: u64) -> bool {
    number == 50 || (100..=230).contains(&number)
}

/// Returns the numbers of the sound messages behind this one.
fn sound_behind(number: u64) -> Vec<u64> {
    (number + 1..=MESSAGES)
        .filter(|number| !is_damaged(*number))
        .collect()
}

/// Returns a catalogue with messages from 1 on, some of them damaged, and their ids.
fn rig() -> (Gannet, Vec<String>) {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.ok(&["disable", "a"]);
    let lines: Vec<_> = (1..=MESSAGES).map(|number| number.to_string()).collect();
    let sent = gannet.run_with(&["messages", "send", "--lines"], &lines.join("\n"));
    assert_eq!(sent.code, Some(0), "{sent:?}");
    let ids = sent.out.lines().map(str::to_owned).collect();
    let service = Service::start(&gannet, &[]);
    until("the messages are persisted", || {
        let newest = service.get("/api/v1/messages?order=newest&limit=1").json();
        newest["messages"][0]["body"] == MESSAGES
    });
    service.end();
    let ruin = "UPDATE message SET body = 'X' WHERE id = 50 OR id BETWEEN 100 AND 230";
    assert_eq!(damage(&gannet.data(), ruin), 132);
    (gannet, ids)
}

fn number_of(message: &Value) -> u64 {
    message["body"].as_u64().expect("a number")
}

/// Returns the numbers on all pages from the one of a query on.
fn paged(service: &Service, query: &str) -> Vec<u64> {
    let (mut numbers, mut query) = (Vec::new(), query.to_owned());
    loop {
        let page = service.get(&format!("/api/v1/messages?{query}"));
        assert_eq!(page.status, 200, "{page:?}");
        let page = page.json();
        numbers.extend(
            page["messages"]
                .as_array()
                .into_iter()
                .flatten()
                .map(number_of),
        );
        let Some(next) = page["next"].as_str() else {
            return numbers;
        };
        let limit = query.split("&after=").next().expect("a query");
        query = format!("{limit}&after={next}");
    }
}

#[tokio::test]
async fn damaged_messages_hide_no_sound_one() {
    let (gannet, ids) = rig();
    let service = Service::start(&gannet, &[]);
    let sound = sound_behind(0);
    for query in [
        "limit=100",
        "limit=50",
        "limit=7&queue=default",
        "limit=500",
    ] {
        assert_eq!(paged(&service, query), sound, "{query}");
    }
    let newest: Vec<_> = sound.iter().rev().copied().collect();
    assert_eq!(paged(&service, "limit=20&order=newest"), newest);
    let behind_damaged = format!("limit=100&after={}", ids[149]);
    assert_eq!(paged(&service, &behind_damaged), sound_behind(150));

    let lines = |path: &str| {
        let stream = service.ask("GET", path, &[("Accept", "application/x-ndjson")], "");
        let lines = stream.text();
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        lines
            .map(|line: Value| number_of(&line))
            .collect::<Vec<_>>()
    };
    assert_eq!(lines("/api/v1/messages"), sound);
    assert_eq!(lines("/api/v1/messages?limit=120"), sound[..120]);
    let listed = gannet.run(&["messages", "list", "--limit", "0", "--json"]);
    let listed = listed
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let listed: Vec<_> = listed.map(|line: Value| number_of(&line)).collect();
    assert_eq!(listed, sound);
    // The page reads on until it has as many as it shows.
    let page = service.get("/messages?filter=by").text();
    let shown = page
        .split("href=\"/messages/")
        .skip(1)
        .map(|rest| &rest[..36]);
    assert_eq!(shown.collect::<HashSet<_>>().len(), 50, "{page}");

    let address = format!("ws://{}/live?after_message={}", service.address, ids[89]);
    let mut socket = soon(connect_async(address)).await.expect("a WebSocket").0;
    for number in sound_behind(90) {
        let Some(Ok(Message::Text(text))) = soon(socket.next()).await else {
            panic!("no message");
        };
        let sent: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(number_of(&sent["message"]), number);
    }
}
