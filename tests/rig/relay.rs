//! A proxy on loopback that writes down what it is asked to connect to: CONNECT of HTTP, or SOCKS 5, whichever a client
//! speaks. Every tunnel leads to the one server that the test names.
//!
//! Never leaves loopback.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A running proxy. Dropping it stops it.
pub(crate) struct Relay {
    address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    target: SocketAddr,
    /// Whether it answers 403 when it is asked for an address.
    names_only: bool,
    asked: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

impl Relay {
    /// Starts on a free port of this host; nothing on a machine without it.
    pub(crate) fn start(host: &str, target: SocketAddr, names_only: bool) -> Option<Self> {
        let listener = TcpListener::bind((host, 0)).ok()?;
        let address = listener.local_addr().expect("a bound socket");
        let state = Arc::new(State {
            target,
            names_only,
            asked: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let serving = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&serving);
                // Ends with the connection: a client that breaks off is nothing to report.
                std::thread::spawn(move || drop(serve(stream, &state)));
            }
        });
        Some(Self {
            address,
            state,
            thread: Some(thread),
        })
    }

    /// Where it listens, such as `127.0.0.1:4711`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was asked to connect to since the last call, such as `127.0.0.1:443`.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.state.asked.lock().expect("unpoisoned"))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(mut client: TcpStream, state: &State) -> io::Result<()> {
    let mut first = [0];
    client.read_exact(&mut first)?;
    let target = if first[0] == 5 {
        socks_target(&mut client)?
    } else {
        connect_target(&mut client, first[0])?
    };
    state.asked.lock().expect("unpoisoned").push(target.clone());
    let is_address = target.parse::<SocketAddr>().is_ok();
    if first[0] != 5 && state.names_only && is_address {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    }
    let mut server = TcpStream::connect(state.target)?;
    client.write_all(match first[0] {
        5 => &[5, 0, 0, 1, 127, 0, 0, 1, 0, 1],
        _ => b"HTTP/1.1 200 Connection established\r\n\r\n",
    })?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let up = std::thread::spawn(move || {
        drop(io::copy(&mut from, &mut to));
        drop(to.shutdown(Shutdown::Write));
    });
    let copied = io::copy(&mut server, &mut client);
    drop(client.shutdown(Shutdown::Both));
    drop(up.join());
    copied.map(drop)
}

fn connect_target(client: &mut TcpStream, first: u8) -> io::Result<String> {
    let mut head = vec![first];
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// RFC 1928, without a password.
fn socks_target(client: &mut TcpStream) -> io::Result<String> {
    let mut read = |count: usize| {
        let mut bytes = vec![0; count];
        client.read_exact(&mut bytes).map(|()| bytes)
    };
    let methods = read(1)?[0];
    read(methods.into())?;
    client.write_all(&[5, 0])?;
    let mut read = |count: usize| {
        let mut bytes = vec![0; count];
        client.read_exact(&mut bytes).map(|()| bytes)
    };
    let host = match read(4)?[3] {
        1 => {
            let octets: [u8; 4] = read(4)?.try_into().expect("four");
            std::net::Ipv4Addr::from(octets).to_string()
        }
        4 => {
            let octets: [u8; 16] = read(16)?.try_into().expect("sixteen");
            format!("[{}]", std::net::Ipv6Addr::from(octets))
        }
        _ => {
            let length = read(1)?[0];
            String::from_utf8_lossy(&read(length.into())?).into_owned()
        }
    };
    let port: [u8; 2] = read(2)?.try_into().expect("two");
    Ok(format!("{host}:{}", u16::from_be_bytes(port)))
}
