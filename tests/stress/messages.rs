//! Messages under load, while the service and the consumers are killed again and again.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::senders::{Sender, Target, persisted, rig, rig_with};
use crate::rig::{Gannet, Numbers, Redis, Service, sqlite};

const ROUNDS: usize = 200;

#[test]
fn killed_two_hundred_times_every_acknowledged_message_is_persisted_once_and_in_order() {
    let (gannet, token) = rig();
    survive_kills(&gannet, &token, |_| {});
}

/// The same with messages on a Redis server that is killed, too, every tenth time.
#[test]
fn killed_two_hundred_times_every_acknowledged_message_on_redis_is_persisted_once_and_in_order() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let (gannet, token) = rig_with(&redis.section());
    survive_kills(&gannet, &token, |round| {
        if round % 10 == 9 {
            redis.kill();
            redis.restart();
        }
    });
    assert_eq!(redis.ask(&["XLEN", "gannet:queue:q0"]), ":0");
    assert_eq!(redis.ask(&["ZCARD", "gannet:units"]), ":0");
}

/// Kills service and consumers again and again while messages are sent; `also` kills what else there is.
fn survive_kills(gannet: &Gannet, token: &str, mut also: impl FnMut(usize)) {
    // Each request is sent twice at least, also when the service was killed in between.
    let senders: [_; 4] =
        std::array::from_fn(|number| Mutex::new(Sender::new(number, 2, 0).repeating()));
    let mut numbers = Numbers(11);
    let begun = Instant::now();
    for round in 0..ROUNDS {
        // The service persists in half of the rounds, and in the others two consumers do.
        let flags: &[&str] = if round % 2 == 0 {
            &[]
        } else {
            &["--no-worker"]
        };
        let consumers = [(); 2].map(|()| (round % 2 == 1).then(|| gannet.start(&["consume"])));
        let service = Service::start(&gannet, flags);
        thread::scope(|scope| {
            for sender in &senders {
                let address = service.address.clone();
                scope.spawn(move || {
                    let address = &address;
                    let mut sender = sender.lock().expect("a sender");
                    // Until it is killed.
                    let _ = sender.send(Target { address, token }, |_| false);
                });
            }
            // Not a wait for anything: the moment at which they are killed.
            thread::sleep(Duration::from_millis(20 + numbers.below(120) as u64));
            also(round);
            for mut consumer in consumers.into_iter().flatten() {
                consumer.kill().expect("killed");
                consumer.wait().expect("ended");
            }
            drop(service);
        });
    }
    let mut consumer = gannet.start(&["consume"]);
    let persisted = persisted(gannet);
    consumer.kill().expect("killed");
    consumer.wait().expect("ended");
    let mut total = 0;
    for sender in senders {
        let sender = sender.into_inner().expect("a sender");
        sender.check(&persisted);
        total += sender.acknowledged();
    }
    println!(
        "{ROUNDS} kills in {:.0} s, {total} messages acknowledged",
        begun.elapsed().as_secs_f64()
    );
    assert!(total > 1_000, "{total}");
    let check: String = sqlite::read(&gannet.data())
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(check, "ok");
}
