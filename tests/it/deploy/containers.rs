//! The image, and the containers beside it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{Running, deployed, has, path_of, yaml};
use crate::rig::{Home, Service, left_out};

#[test]
fn every_container_is_shut_in_and_its_files_are_there() {
    let Some(compose) = yaml(&path_of("assets/deploy/compose.yaml")) else {
        left_out("compose.yaml", "Python's yaml is not there");
        return;
    };
    let services = compose["services"].as_object().expect("services");
    assert_eq!(
        services.keys().collect::<Vec<_>>(),
        ["gannet", "nginx", "verifier"]
    );
    for (name, service) in services {
        assert_eq!(service["read_only"], json!(true), "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        for volume in service["volumes"].as_array().expect("volumes") {
            let from = volume
                .as_str()
                .and_then(|volume| volume.split(':').next())
                .expect("a volume");
            let is_there = path_of("assets/deploy").join(from).is_file();
            assert!(
                is_there || compose["volumes"].get(from).is_some(),
                "{name}: {from}"
            );
        }
    }
    let dockerfile = &services["gannet"]["build"]["dockerfile"];
    assert!(path_of(dockerfile.as_str().expect("a file")).is_file());
}
#[test]
fn the_healthcheck_of_the_image_asks_the_service() {
    let dockerfile = deployed("Dockerfile");
    let (_, check) = dockerfile.split_once("HEALTHCHECK").expect("a check");
    let (_, check) = check
        .lines()
        .next()
        .and_then(|line| line.split_once("CMD "))
        .expect("a command");
    let check: Vec<String> = serde_json::from_str(check).expect("a JSON array");
    let run = |port: u16| {
        let words = check[1..]
            .iter()
            .map(|word| word.replace("8080", &port.to_string()));
        let ran = Command::new(&check[0]).args(words).output();
        ran.expect("the check runs").status.success()
    };
    let home = Home::new("");
    home.add("a.csv", &["--disabled"]);
    let service = Service::start(&home, &["--no-worker"]);
    let (_, port) = service.address.rsplit_once(':').expect("a port");
    assert!(run(port.parse().expect("a port")), "{}", service.address);
    for (answer, is_healthy) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n", true),
        (
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
            false,
        ),
        ("", false),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let serves = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).expect("a line") > 0 {}
            stream.write_all(answer.as_bytes()).expect("an answer");
            head
        });
        assert_eq!(run(port), is_healthy, "{answer:?}");
        let head = serves.join().expect("the server ends");
        assert!(
            head.starts_with("GET /healthz HTTP/1.1\r\nHost: localhost\r\n"),
            "{head:?}"
        );
        // Nobody listens there any more.
        assert!(!run(port));
    }
}

#[test]
fn the_verifier_of_the_compose_file_judges() {
    if !has("python3", "--version", "the verifier of compose.yaml") {
        return;
    }
    let secret = "whsec_c2l4dGVlbiBieXRlcyBhbmQgc29tZSBtb3Jl";
    let child = Command::new("python3")
        .arg("-u")
        .arg(path_of("assets/deploy/compose-verifier.py"))
        .envs([
            ("VERIFIER_SECRET", secret),
            ("VERIFIER_ADDRESS", "127.0.0.1"),
            ("VERIFIER_PORT", "0"),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut verifier = Running(child.expect("python3 runs"));
    let mut first = String::new();
    let output = verifier.0.stdout.take().expect("a pipe");
    BufReader::new(output)
        .read_line(&mut first)
        .expect("a line");
    let port = first
        .trim()
        .strip_prefix("listening on port ")
        .expect("the port")
        .to_owned();
    let config = deployed("compose-config.toml");
    let config = config.replace(
        "http://verifier:9000/",
        &format!("http://127.0.0.1:{port}/"),
    );
    let mut home = Home::new(&config);
    home.set("VERIFIER_SECRET", secret);
    assert_eq!(home.run(&["config", "check"]).code, Some(0));
    for (name, content, state) in [
        ("good.csv", "a,b\n1,2\n", "passed"),
        ("quoted.csv", "a,b\n\"1,\n\",2\n", "passed"),
        ("short.csv", "a,b\n1\n", "failed"),
        ("empty.csv", "a,b\n", "failed"),
        ("odd.csv", "a,b\n\u{fffd},\"\n", "failed"),
    ] {
        home.serve(name, content);
        home.add(name, &[]);
        home.run(&["fetch", name]);
        let found = home.source(name);
        assert_eq!(found["verified"], json!(state), "{name}: {found}");
    }
    home.set(
        "VERIFIER_SECRET",
        "whsec_YW5vdGhlciBzZWNyZXQgdGhhdCBpcyB3cm9uZw==",
    );
    home.serve("other.csv", "a,b\n1,2\n");
    home.add("other.csv", &[]);
    home.run(&["fetch", "other.csv"]);
    assert_eq!(home.source("other.csv")["verified"], json!("error"));
}
