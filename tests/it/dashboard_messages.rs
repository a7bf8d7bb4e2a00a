//! The dashboard's view of messages: the real program on a pseudo-terminal, beside processes that send and persist messages.

use crate::rig::{Gannet, Redis, Terminal, sqlite};

fn send(gannet: &Gannet, body: &str, queue: &str) -> String {
    let id = gannet.ok(&["messages", "send", body, "--queue", queue]);
    id.trim().to_owned()
}

/// Opens the view in a dashboard with these arguments.
fn opened(gannet: &Gannet, arguments: &[&str]) -> Terminal {
    gannet.ok(&["build_db"]);
    let mut terminal = Terminal::start(gannet, arguments);
    terminal.wait_for("No sources yet");
    terminal.press("4");
    terminal.wait_for("No messages yet");
    terminal
}

#[test]
fn messages_of_another_process_appear_as_they_are_persisted() {
    let gannet = Gannet::new();
    let mut terminal = opened(&gannet, &[]);
    send(&gannet, r#"{"order":17,"note":"\u001b[2J"}"#, "orders");
    terminal.wait_for(r#"{"order":17,"note":"\u001b[2J"}"#);
    // Beside the list, the same indented.
    terminal.wait_for(r#"  "order": 17,"#);
    terminal.wait_for("follow");
    let second = send(&gannet, r#"{"degrees":21.5}"#, "rooms");
    terminal.wait_for(r#"  "degrees": 21.5"#);
    terminal.wait_for(&format!("Message {second}"));
    terminal.wait_for("all 2");
    terminal.press("j");
    terminal.wait_for("paused");
    send(&gannet, r#"{"degrees":22}"#, "rooms");
    terminal.wait_for("↑ 1 new");
    terminal.wait_for(r#"  "order": 17,"#);
    terminal.press("/queue:orders\r");
    terminal.wait("one message", |screen| {
        let text = screen.contents();
        text.contains("Messages 1  /queue:orders") && !text.contains("degrees")
    });
    terminal.press("\r");
    terminal.wait("the message in full", |screen| {
        let text = screen.contents();
        !text.contains("Queues") && text.contains(r#"  "note": "\u001b[2J""#)
    });
    terminal.press("1");
    terminal.wait_for("No sources yet");
    terminal.press("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn what_verifiers_say_appears_once_they_have_judged() {
    let gannet = Gannet::new();
    gannet.configure(
        "[[verifier]]\nname = \"amounts\"\nscope = \"message\"\nstdin = true
        command = [\"/bin/sh\", \"-c\", 'if grep -q 42; then echo too much; exit 1; fi']\n",
    );
    let mut terminal = opened(&gannet, &[]);
    send(&gannet, r#"{"amount":41}"#, "orders");
    terminal.wait_for("ok       orders");
    send(&gannet, r#"{"amount":42}"#, "orders");
    terminal.wait_for("FAIL     orders");
    terminal.wait_for("FAIL  amounts  ");
    terminal.wait_for("| too much");
    terminal.press("/state:passed\r");
    terminal.wait("the passed message", |screen| {
        let text = screen.contents();
        text.contains("Messages 1  /state:passed") && !text.contains(r#"{"amount":42}"#)
    });
    terminal.press("1q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn a_server_that_stops_is_named_while_nothing_else_happens() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let gannet = Gannet::new();
    gannet.configure(&redis.section());
    let mut terminal = opened(&gannet, &[]);
    redis.kill();
    terminal.wait("it is named", |screen| {
        !screen.contents().contains("No messages yet") && screen.contents().contains("Redis")
    });
    redis.restart();
    terminal.wait_for("No messages yet");
    terminal.press("1q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn a_dead_message_is_retried_and_another_dropped() {
    let gannet = Gannet::new();
    let mut terminal = opened(&gannet, &["--no-worker"]);
    let ids = [1, 2].map(|n| send(&gannet, &format!("{{\"n\":{n}}}"), "orders"));
    terminal.wait_for("`gannet consume` persists them");
    // No such body was queued: the checksum says so.
    sqlite::ruin_queued_messages(&gannet.data());
    let mut consumer = gannet.start(&["consume"]);
    terminal.wait_for("Dead 2");
    terminal.wait_for("its row on the queue is damaged, after 5 tries");
    terminal.press("\t\t");
    terminal.wait_for(&format!("Dead {}", ids[1]));
    terminal.press("x");
    terminal.wait_for(&format!("Drop the dead message {}?", ids[1]));
    terminal.press("y");
    terminal.wait_for("Dead 1");
    terminal.wait_for(&format!("Dead {}", ids[0]));
    terminal.press("r");
    terminal.wait("it is persisted", |screen| {
        let text = screen.contents();
        text.contains(&format!(" Message {}", ids[0])) && !text.contains("Dead 1")
    });
    terminal.press("1q");
    assert_eq!(terminal.ended().exit_code(), 0);
    consumer.kill().expect("it is there");
    consumer.wait().expect("it ends");
    let log = gannet.ok(&["log"]);
    for action in ["message.deleted", "message.retried"] {
        let line = log.lines().find(|line| line.contains(action));
        assert!(line.is_some_and(|line| line.contains("by tui")), "{log}");
    }
    let list = gannet.json(&["messages", "list", "--json"]);
    assert_eq!(list["id"], serde_json::json!(ids[0]));
}
