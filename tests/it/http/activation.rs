//! The service on a socket that a service manager holds (`systemd.socket(5)`).

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::rig::{Gannet, Service};

/// Starts the service as systemd does: the listening socket is descriptor 3, and `LISTEN_FDS` and `LISTEN_PID` say so.
fn activated(gannet: &Gannet, socket: &TcpListener) -> Service {
    const HAND_OVER: &str =
        r#"exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" "$@""#;
    let as_usual = gannet.command(&["serve", "--no-worker"]);
    let mut command = Command::new("sh");
    command.args(["-c", HAND_OVER]);
    command.arg(as_usual.get_program());
    command.args(as_usual.get_args());
    command.env_clear();
    for (name, value) in as_usual.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let socket = socket.try_clone().expect("a descriptor");
    command
        .stdin(OwnedFd::from(socket))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Service::of(command.spawn().expect("sh starts"))
}

/// Sends a request without waiting for a service.
fn asks(socket: &TcpListener) -> TcpStream {
    let address = socket.local_addr().expect("an address");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .expect("a time-out");
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("a request");
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn who_asks_before_the_start_or_during_a_restart_waits_and_is_answered() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    for _ in 0..2 {
        let early = asks(&socket);
        let service = activated(&gannet, &socket);
        let address = socket.local_addr().expect("an address");
        assert_eq!(service.address, address.to_string());
        assert!(answer(early).starts_with("HTTP/1.1 200"));
        assert_eq!(service.get("/healthz").text(), "alive\n");
        let (code, said) = service.end();
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn a_socket_for_everybody_is_read_by_those_who_sign_in() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.add_person("anna", "viewer");
    let socket = TcpListener::bind("0.0.0.0:0").expect("a socket");
    let _service = activated(&gannet, &socket);
    let port = socket.local_addr().expect("an address").port();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let request = "GET /api/v1/sources HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("a request");
    assert!(answer(stream).starts_with("HTTP/1.1 401"));
}
