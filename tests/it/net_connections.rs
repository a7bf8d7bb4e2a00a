//! Connections that a server gave up while they were idle: what is asked again goes over none of them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use gannet::domain::FailureKind;

use crate::rig::{Client, failure, fetched};

/// So many connections are idle when the server gives them up.
const IDLE: usize = 3;

/// What a connection that was given up does with the next request.
#[derive(Clone, Copy, Debug)]
enum Stale {
    Closed,
    /// With a reset: a part of the request is never read.
    Reset,
    Half,
    Silent,
}

/// Serves `/x` once over each of the first connections, which wait for one another, and as often as wanted over later ones.
fn serve(listener: &TcpListener, stale: Stale, count: &Arc<AtomicUsize>) {
    let together = Arc::new(Barrier::new(IDLE));
    for stream in listener.incoming().flatten() {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let together = Arc::clone(&together);
        // Ends with the connection.
        std::thread::spawn(move || drop(answer(stream, number, stale, &together)));
    }
}

fn answer(
    mut stream: TcpStream,
    number: usize,
    stale: Stale,
    together: &Barrier,
) -> std::io::Result<()> {
    let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    read_head(&mut stream)?;
    if number >= IDLE {
        return stream.write_all(whole);
    }
    together.wait();
    stream.write_all(whole)?;
    match stale {
        Stale::Closed => read_head(&mut stream)?,
        Stale::Reset => drop(stream.read(&mut [0])?),
        Stale::Half => {
            read_head(&mut stream)?;
            stream.write_all(&whole[..whole.len() - 1])?;
        }
        Stale::Silent => {
            read_head(&mut stream)?;
            // Until the client gives up.
            drop(stream.read(&mut [0]));
        }
    }
    Ok(())
}

fn read_head(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_asked_again_goes_over_a_connection_of_its_own() {
    for (stale, max_tries) in [
        (Stale::Closed, 2),
        (Stale::Reset, 2),
        (Stale::Half, 2),
        (Stale::Silent, 2),
        // A farewell that crosses with a request is none of the tries that the operator allows.
        (Stale::Closed, 1),
        (Stale::Reset, 1),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound socket");
        let count = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&count);
        // Ends with the test's process.
        std::thread::spawn(move || serve(&listener, stale, &counting));
        let mut rig = Client::new(&format!("http://{address}/x"), "/dev/null".as_ref());
        rig.config.ca_files.clear();
        rig.config.read_timeout = Duration::from_millis(300);
        rig.config.max_tries = max_tries;
        let fetcher = rig.fetcher();
        let fetch = || fetcher.fetch(rig.request());
        let (one, two, three) = tokio::join!(fetch(), fetch(), fetch());
        for report in [one, two, three] {
            assert_eq!(fetched(report).0, b"abc", "{stale:?}");
        }
        assert_eq!(count.load(Ordering::SeqCst), IDLE);
        let report = fetch().await;
        assert_eq!(report.tries, 2, "{stale:?}");
        assert_eq!(fetched(report).0, b"abc", "{stale:?}");
        assert_eq!(count.load(Ordering::SeqCst), IDLE + 1, "{stale:?}");
    }
}

#[tokio::test]
async fn what_a_broken_connection_did_is_said_in_words() {
    for (stale, words) in [
        (Stale::Closed, "closed the connection before it answered"),
        (Stale::Reset, "reset the connection before it answered"),
        (Stale::Half, "after 2 of 3 bytes"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound socket");
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            match stale {
                Stale::Reset => drop(stream.read(&mut [0])),
                _ => read_head(&mut stream).expect("a request"),
            }
            if matches!(stale, Stale::Half) {
                let half = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab";
                stream.write_all(half).expect("a connection");
                drop(stream.shutdown(Shutdown::Write));
            }
        });
        let mut rig = Client::new(&format!("http://{address}/x"), "/dev/null".as_ref());
        rig.config.ca_files.clear();
        rig.config.max_tries = 1;
        let detail = failure(rig.fetch().await, FailureKind::Protocol);
        assert!(detail.contains(words), "{stale:?}: {detail}");
        serving.join().expect("a server");
    }
}
