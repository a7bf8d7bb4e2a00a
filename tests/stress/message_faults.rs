//! Messages under load while the catalogue is locked, its disk is full, or ten times as many senders come as it can take: senders
//! get 202, or 503 and when to send again, and all goes on by itself when the fault is over.

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::senders::{Sender, Target, numbers_in, persisted, rig, rig_with};
use super::service::{follow_slowly, frame, memory_of};
use crate::rig::{Gannet, Redis, Service, namespaces, sqlite, until};

/// The memory that a service may take beyond that of an idle one.
const MAX_MORE_BYTES: u64 = 64 << 20;

/// Lets senders send until this says stop, and returns them. None of their connections may break.
fn sending(
    target: Target<'_>,
    senders: impl IntoIterator<Item = Sender>,
    meanwhile: impl FnOnce(&AtomicBool),
) -> Vec<Sender> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let senders = senders.into_iter().map(|mut sender| {
            let stop = &stop;
            scope.spawn(move || {
                let sent = sender.send(target, |_| stop.load(Ordering::Relaxed));
                sent.unwrap_or_else(|error| panic!("{error}: {sender:?}"));
                sender
            })
        });
        let senders: Vec<_> = senders.collect();
        meanwhile(&stop);
        stop.store(true, Ordering::Relaxed);
        let senders = senders.into_iter();
        senders.map(|one| one.join().expect("a sender")).collect()
    })
}

fn refused(senders: &[Sender]) -> u64 {
    senders.iter().map(|sender| sender.refused).sum()
}

fn end(mut child: Child) {
    child.kill().expect("killed");
    child.wait().expect("ended");
}

#[test]
fn while_the_catalogue_is_locked_senders_are_asked_to_wait_and_nothing_is_lost() {
    let (gannet, token) = rig();
    let service = Service::start(&gannet, &[]);
    let consumer = gannet.start(&["consume"]);
    let target = Target {
        address: &service.address,
        token: &token,
    };
    let before = sending(
        target,
        (0..4).map(|number| Sender::new(number, 2, 0)),
        |_| {
            thread::sleep(Duration::from_millis(500));
        },
    );
    assert!(before.iter().all(|sender| sender.acknowledged() > 0));
    let locked = sending(target, before, |_| {
        let lock = sqlite::lock(&gannet.data());
        // Not a wait for anything: the time for which it is locked, more than twice that for which the service waits for it.
        thread::sleep(Duration::from_secs(12));
        drop(lock);
    });
    assert!(refused(&locked) > 0, "{locked:?}");
    let acknowledged: Vec<_> = locked.iter().map(Sender::acknowledged).collect();
    let after = sending(target, locked, |_| thread::sleep(Duration::from_secs(1)));
    let persisted = persisted(&gannet);
    for (sender, before) in after.iter().zip(acknowledged) {
        assert!(sender.acknowledged() > before, "{sender:?}");
        sender.check(&persisted);
    }
    end(consumer);
}

#[test]
fn what_a_client_pushed_that_left_before_the_answer_goes_to_who_follows() {
    let (gannet, token) = rig();
    let service = Service::start(&gannet, &["--no-worker"]);
    let target = Target {
        address: &service.address,
        token: &token,
    };
    // The use of a token is recorded once a minute: then the next message alone waits for the catalogue.
    let mut first = Sender::new(0, 1, 0);
    let sent = first.send(target, |one| one.acknowledged() > 0);
    sent.expect("acknowledged");
    let mut follower = follow_slowly(&service, "?queue=q1");
    let lock = sqlite::lock(&gannet.data());
    let mut client = service.connect();
    let request = Sender::new(1, 1, 0).request(target);
    client.write_all(request.as_bytes()).expect("a request");
    // Not waits for anything: the time after which the client leaves, and the time in which the service notices that.
    thread::sleep(Duration::from_secs(2));
    drop(client);
    thread::sleep(Duration::from_millis(500));
    drop(lock);
    let (_, text) = frame(&mut follower);
    let message: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(message["message"]["body"], 0);
}

#[test]
fn while_the_disk_is_full_senders_are_asked_to_wait_and_nothing_is_lost() {
    let (gannet, token) = rig();
    let script = "mv \"$data\" \"$data.before\"; mkdir -m 700 \"$data\"
        mount -t tmpfs -o size=40m,mode=700 none \"$data\"; cp -a \"$data.before/.\" \"$data\"
        head -c 24m /dev/zero >\"$data/filler\"; exec \"$gannet\" serve --listen 127.0.0.1:0";
    let Some(mut command) = namespaces(&gannet, &["--mount"], script) else {
        return;
    };
    let pipes = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let service = Service::of(pipes.stderr(Stdio::piped()).spawn().expect("it starts"));
    let inside = format!(
        "/proc/{}/root{}",
        service.child.id(),
        gannet.data().display()
    );
    let target = Target {
        address: &service.address,
        token: &token,
    };
    let senders = (0..4).map(|number| Sender::new(number, 8, 2_000));
    let full = sending(target, senders, |_| {
        until("there is no room for one more message", || {
            let mut probe = Sender::new(9, 1, 20_000);
            let _ = probe.send(target, |one| one.acknowledged() + one.refused > 0);
            probe.refused > 0
        });
        // Not a wait for anything: the time for which it is full.
        thread::sleep(Duration::from_secs(1));
    });
    assert!(refused(&full) > 0, "{full:?}");
    std::fs::remove_file(format!("{inside}/filler")).expect("room");
    let enough: Vec<_> = full.iter().map(|one| one.acknowledged() + 160).collect();
    let mut after = full;
    for (sender, enough) in after.iter_mut().zip(enough) {
        let sent = sender.send(target, |one| one.acknowledged() >= enough);
        sent.expect("acknowledged");
    }
    let all = || {
        let fields = [("Accept", "application/x-ndjson")];
        numbers_in(&service.ask("GET", "/api/v1/messages", &fields, "").text())
    };
    until("all are persisted", || {
        let queues = service.get("/api/v1/queues").json();
        let queues = queues["queues"].as_array().expect("a list");
        queues.iter().all(|queue| queue["depth"] == 0)
    });
    let persisted = all();
    for sender in &after {
        sender.check(&persisted);
    }
}

#[test]
fn ten_times_the_load_is_refused_and_takes_no_memory() {
    too_much_load(&rig());
}

#[test]
fn ten_times_the_load_takes_no_memory_over_redis_either() {
    if let Some(redis) = Redis::start() {
        too_much_load(&rig_with(&redis.section()));
    }
}

/// Two requests of the longest kind are in memory at once, and their senders keep the disk and a core busy.
fn too_much_load((gannet, token): &(Gannet, String)) {
    let service = Service::start(gannet, &["--no-worker"]);
    let target = Target {
        address: &service.address,
        token,
    };
    assert_eq!(service.get("/readyz").status, 200);
    let idle = memory_of(&service.child, "VmHWM:");
    let begun = Instant::now();
    let long = (0..20).map(|number| Sender::new(number, 8, (1 << 20) - 40));
    let short = (20..400).map(|number| Sender::new(number, 1, 100));
    let senders = sending(target, long.chain(short), |_| {
        // Not a wait for anything: the time for which there is so much load.
        thread::sleep(Duration::from_secs(5));
    });
    let taken = memory_of(&service.child, "VmHWM:") - idle;
    let sent: u64 = senders.iter().map(Sender::acknowledged).sum();
    let (long, short) = senders.split_at(20);
    println!(
        "{sent} messages of {} senders, {} and {} times refused, {} MiB more, {:.0} s",
        senders.len(),
        refused(long),
        refused(short),
        taken >> 20,
        begun.elapsed().as_secs_f64(),
    );
    assert!(taken <= MAX_MORE_BYTES, "{} MiB more", taken >> 20);
    assert!(refused(long) > 0 && short.iter().all(|one| one.acknowledged() > 0));
    let consumer = gannet.start(&["consume"]);
    let persisted = persisted(gannet);
    for sender in &senders {
        sender.check(&persisted);
    }
    let most = memory_of(&consumer, "VmHWM:");
    println!("the consumer: {} MiB", most >> 20);
    assert!(most <= idle + MAX_MORE_BYTES, "{} MiB", most >> 20);
    end(consumer);
}

#[test]
fn while_redis_is_killed_full_or_stands_still_senders_are_asked_to_wait_and_nothing_is_lost() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let (gannet, token) = rig_with(&redis.section());
    let service = Service::start(&gannet, &[]);
    let consumers = [(); 2].map(|()| gannet.start(&["consume"]));
    let target = Target {
        address: &service.address,
        token: &token,
    };
    let senders = (0..4).map(|number| Sender::new(number, 2, 0).repeating());
    let killed = sending(target, senders, |_| {
        for _ in 0..10 {
            thread::sleep(Duration::from_millis(100));
            redis.kill();
            thread::sleep(Duration::from_millis(100));
            redis.restart();
        }
    });
    let full = sending(target, killed, |_| {
        redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
        thread::sleep(Duration::from_secs(1));
        redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    });
    let refused_before = refused(&full);
    assert!(refused_before > 0, "{full:?}");
    let stopped = sending(target, full, |_| {
        redis.signal(Signal::STOP);
        // Not a wait for anything: the time for which it stands still.
        thread::sleep(Duration::from_secs(30));
        redis.signal(Signal::CONT);
    });
    assert!(refused(&stopped) > refused_before, "{stopped:?}");
    let acknowledged: Vec<_> = stopped.iter().map(Sender::acknowledged).collect();
    let after = sending(target, stopped, |_| thread::sleep(Duration::from_secs(1)));
    let persisted = persisted(&gannet);
    for (sender, before) in after.iter().zip(acknowledged) {
        assert!(sender.acknowledged() > before, "{sender:?}");
        sender.check(&persisted);
    }
    consumers.into_iter().for_each(end);
}

/// What waits on a server is lost with its data. What was persisted is not persisted again, and the rest goes on in order.
#[test]
fn while_redis_loses_its_data_nothing_is_persisted_twice() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let (gannet, token) = rig_with(&redis.section());
    let service = Service::start(&gannet, &[]);
    let target = Target {
        address: &service.address,
        token: &token,
    };
    let senders = (0..4).map(|number| Sender::new(number, 2, 0));
    sending(target, senders, |_| {
        for _ in 0..10 {
            thread::sleep(Duration::from_millis(200));
            redis.kill();
            redis.lose_data();
            redis.restart();
        }
        thread::sleep(Duration::from_millis(500));
    });
    for (queue, numbers) in persisted(&gannet) {
        let is_in_order = numbers.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(is_in_order && numbers.len() > 20, "{queue}: {numbers:?}");
    }
}
