//! The image, and the containers beside it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{Running, deployed, has, path_of, yaml};
use crate::rig::{Gannet, Home, Service, left_out, seen};

#[test]
fn every_container_is_shut_in_and_its_files_are_there() {
    let Some(compose) = yaml(&path_of("assets/deploy/compose.yaml")) else {
        left_out("compose.yaml", "Python's yaml is not there");
        return;
    };
    let services = compose["services"].as_object().expect("services");
    assert_eq!(
        services.keys().collect::<Vec<_>>(),
        ["gannet", "nginx", "verifier", "redis", "consumer"]
    );
    for (name, service) in services {
        assert_eq!(service["read_only"], json!(true), "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        for volume in service["volumes"].as_array().expect("volumes") {
            let from = volume.as_str().map(|volume| {
                volume.replace("${CONFIG:-compose-config.toml}", "compose-config.toml")
            });
            let from = from.as_deref().and_then(|volume| volume.split(':').next());
            let from = from.expect("a volume");
            let is_there = path_of("assets/deploy").join(from).is_file();
            assert!(
                is_there || compose["volumes"].get(from).is_some(),
                "{name}: {from}"
            );
        }
    }
    let dockerfile = &services["gannet"]["build"]["dockerfile"];
    assert!(path_of(dockerfile.as_str().expect("a file")).is_file());
    assert_eq!(services["consumer"]["build"], services["gannet"]["build"]);
    let profile = |service: &str| services[service]["profiles"].clone();
    assert_eq!(
        (profile("redis"), profile("consumer")),
        (json!(["redis"]), json!(["redis"]))
    );
}

#[test]
fn the_two_configurations_of_the_compose_file_differ_in_the_queues_alone() {
    let mut gannet = Gannet::new();
    gannet.set("VERIFIER_SECRET", "whsec_c2VjcmV0IGVub3VnaA==");
    gannet.set("REDIS_PASSWORD", "0123456789abcdef");
    let set = |text: &str| {
        gannet.configure(text);
        gannet.ok(&["config", "show"])
    };
    let plain = set(&deployed("compose-config.toml"));
    let redis = set(&deployed("compose-redis.toml"));
    let lines = |page: &str| {
        let lines = page.lines().filter(|line| !line.starts_with("queues."));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&plain), lines(&redis));
    assert!(
        redis.contains("queues.redis = \"redis://…@redis:6379/0\""),
        "{redis}"
    );
}

/// The command of the server in the compose file, on this machine.
#[test]
fn the_redis_server_of_the_compose_file_demands_its_password_and_syncs() {
    let Some(compose) = yaml(&path_of("assets/deploy/compose.yaml")) else {
        left_out("the queues of compose.yaml", "Python's yaml is not there");
        return;
    };
    if !has("redis-server", "--version", "the queues of compose.yaml") {
        return;
    }
    let command = &compose["services"]["redis"]["command"];
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("redis.sock");
    let place = folder.path().display();
    let script = command[2].as_str().expect("a script").replace("$$", "$");
    let script = script.replace(
        "--dir /data",
        &format!("--dir {place} --port 0 --unixsocket {}", socket.display()),
    );
    let server = Command::new("sh")
        .args(["-c", &script])
        .env("REDIS_PASSWORD", "0123456789abcdef")
        .stdout(Stdio::null())
        .spawn();
    let _server = Running(server.expect("a server"));
    let ask = |command: &str| {
        let mut stream = UnixStream::connect(&socket).ok()?;
        stream.write_all(command.as_bytes()).ok()?;
        stream.shutdown(std::net::Shutdown::Write).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    };
    let refused = seen("the server answers", || ask("PING\r\n"));
    assert!(refused.starts_with("-NOAUTH"), "{refused}");
    let settings =
        ask("AUTH 0123456789abcdef\r\nCONFIG GET append*\r\nCONFIG GET maxmemory-policy\r\n");
    let settings = settings.expect("an answer").replace("\r\n", " ");
    for setting in ["appendonly $3 yes", "appendfsync $6 always", "noeviction"] {
        assert!(settings.contains(setting), "{settings}");
    }
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
