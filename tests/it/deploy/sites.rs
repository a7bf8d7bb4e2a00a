//! The sites of nginx: taken by the real one, and tried with requests.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::{Running, deployed, has};
use crate::rig::{Home, Service, folder, said, until};

const SITES: [&str; 3] = ["nginx.conf", "nginx-serve.conf", "compose-nginx.conf"];

/// A folder with a site of nginx, changed for this machine: it listens on sockets in the folder.
struct Site {
    folder: TempDir,
}

impl Site {
    fn of(name: &str) -> Self {
        Self::before(name, "unix:SITE/service")
    }

    /// Returns the site before a service at this address, in which SITE stands for its folder.
    fn before(name: &str, service: &str) -> Self {
        let folder = folder();
        let service = service.replace("SITE", &folder.path().display().to_string());
        let path = |name: &str| folder.path().join(name).display().to_string();
        let site: String = deployed(name)
            .lines()
            .map(|line| {
                let words: Vec<_> = line.split_whitespace().collect();
                match words[..] {
                    ["ssl_certificate", _] => format!("ssl_certificate {};\n", path("cert.pem")),
                    ["ssl_certificate_key", _] => {
                        format!("ssl_certificate_key {};\n", path("key.pem"))
                    }
                    ["listen", _] => format!("listen unix:{};\n", path("site")),
                    ["listen", _, "ssl;"] => format!("listen unix:{} ssl;\n", path("site")),
                    ["server", "127.0.0.1:8080;"] => format!("server {service};\n"),
                    ["root", "/data;"] => format!("root {};\n", path("data")),
                    ["alias", "/data/published/;"] => {
                        format!("alias {}/;\n", path("data/published"))
                    }
                    _ => format!("{line}\n"),
                }
            })
            .collect();
        fs::write(folder.path().join("site.conf"), site).expect("a file");
        let key = KeyPair::generate().expect("a key");
        let names = CertificateParams::new(vec!["files.example.org".to_owned()]).expect("names");
        let certificate = names.self_signed(&key).expect("a certificate");
        fs::write(folder.path().join("cert.pem"), certificate.pem()).expect("a file");
        fs::write(folder.path().join("key.pem"), key.serialize_pem()).expect("a file");
        let user = if rustix::process::getuid().is_root() {
            "user root;"
        } else {
            ""
        };
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let paths = paths
            .map(|kind| format!("{kind}_temp_path {};", path(kind)))
            .join(" ");
        let whole = format!(
            "{user} daemon off; worker_processes 1; pid {}; error_log stderr; events {{}} http {{ access_log off; {paths} include {}; }}\n",
            path("pid"),
            path("site.conf"),
        );
        fs::write(folder.path().join("nginx.conf"), whole).expect("a file");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn nginx(&self) -> Command {
        let mut nginx = Command::new("nginx");
        nginx
            .arg("-p")
            .arg(self.folder.path())
            .args(["-e", "stderr", "-c"])
            .arg(self.path("nginx.conf"));
        nginx
    }

    /// Starts nginx, and waits until it listens.
    fn start(&self) -> Running {
        let child = self.nginx().stderr(Stdio::null()).spawn();
        let nginx = Running(child.expect("nginx starts"));
        until("nginx listens", || {
            UnixStream::connect(self.path("site")).is_ok()
        });
        nginx
    }

    /// Sends a request, and returns the response.
    fn ask(&self, head: &str) -> String {
        let mut stream = UnixStream::connect(self.path("site")).expect("nginx listens");
        stream.write_all(head.as_bytes()).expect("a request");
        let mut reader = BufReader::new(stream);
        let mut answer = String::new();
        while !answer.ends_with("\r\n\r\n") && reader.read_line(&mut answer).expect("a line") > 0 {}
        let length = answer
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
        let body = length.unwrap_or(u64::MAX);
        reader
            .take(body)
            .read_to_string(&mut answer)
            .expect("a body");
        answer
    }
}

#[test]
fn nginx_takes_every_site() {
    if !has("nginx", "-v", "nginx -t on each site") {
        return;
    }
    for name in SITES {
        let checked = said(
            &Site::of(name)
                .nginx()
                .arg("-t")
                .output()
                .expect("nginx runs"),
        );
        assert_eq!(checked.code, Some(0), "{name}: {checked:#?}");
        assert!(!checked.err.contains("[warn]"), "{name}: {checked:#?}");
    }
    let broken = Site::of(SITES[1]);
    fs::write(broken.path("site.conf"), "server { listen }").expect("a file");
    let checked = said(&broken.nginx().arg("-t").output().expect("nginx runs"));
    assert_ne!(checked.code, Some(0), "{checked:#?}");
}

#[test]
fn both_sites_before_the_service_do_the_same() {
    let rules = |name: &str| {
        let text = deployed(name)
            .replace("/var/lib/gannet/", "/data/")
            .replace("root /var/lib/gannet;", "root /data;");
        let own = [
            "listen",
            "server_name",
            "ssl_certificate",
            "ssl_certificate_key",
            "#",
        ];
        let lines = text.lines().map(|line| line.trim().to_owned());
        let lines = lines.filter(|line| {
            let first = line.split(' ').next().unwrap_or_default();
            !line.is_empty() && !own.contains(&first)
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(rules("nginx-serve.conf"), rules("compose-nginx.conf"));
}

/// Stands for the service behind nginx: answers each request with the head that it received.
struct Echo {
    socket: PathBuf,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    fn start(socket: PathBuf) -> Self {
        let listener = UnixListener::bind(&socket).expect("a socket");
        let ends = Arc::<AtomicBool>::default();
        let ended = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                // A client that goes away is no failure of the test.
                let _ = stream.and_then(echo_head);
            }
        });
        Self {
            socket,
            ends,
            thread: Some(thread),
        }
    }
}

fn echo_head(mut stream: UnixStream) -> std::io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let length = head.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{head}"
    )
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // The connection wakes the thread, which then ends.
        let _ = UnixStream::connect(&self.socket);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[test]
fn nginx_serves_the_files_and_passes_the_rest_on() {
    if !has("nginx", "-v", "requests through nginx") {
        return;
    }
    let site = Site::of("compose-nginx.conf");
    for (path, content) in [
        ("data/published/example.org/a.csv", "published"),
        ("data/sets/.editions/1/x.csv", "edition"),
        ("data/gannet.db", "private"),
    ] {
        let path = site.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    symlink(".editions/1", site.path("data/sets/release")).expect("a link");
    let _service = Echo::start(site.path("service"));
    let _nginx = site.start();
    let get =
        |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let upgrade = "GET /live?after=7 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Forwarded-For: 10.9.8.7\r\nX-Remote-User: anna\r\n\r\n";
    for (request, expected, never) in [
        (
            get("/files/example.org/a.csv"),
            &["200 OK", "nosniff", "sandbox", "\r\n\r\npublished"][..],
            &["GET"][..],
        ),
        (
            get("/sets/release/x.csv"),
            &["200 OK", "nosniff", "sandbox", "\r\n\r\nedition"],
            &["GET"],
        ),
        (
            get("/files/../gannet.db"),
            &["200 OK", "GET /"],
            &["private"],
        ),
        (get("/files/%2e%2e/gannet.db"), &[], &["private"]),
        (get("/files../gannet.db"), &[], &["private"]),
        (get("/sets/../gannet.db"), &[], &["private"]),
        (get("/sets/.editions/1/x.csv"), &["403"], &["edition"]),
        (get("/metrics"), &["404"], &["GET /metrics"]),
        (
            get("/sets/release"),
            &["200 OK", "GET /sets/release HTTP/1.1"],
            &["edition", "sandbox"],
        ),
        (
            get("/sources?limit=5"),
            &[
                "GET /sources?limit=5 HTTP/1.1",
                "Host: localhost",
                "X-Forwarded-For: ",
                "X-Forwarded-Proto: http",
            ],
            &["Upgrade"],
        ),
        (
            get("/files/example.org/a.csv").replace("GET", "DELETE"),
            &["403"],
            &["published"],
        ),
        (
            upgrade.replace("websocket", "h2c"),
            &["GET /live?after=7", "Host: localhost"],
            &["h2c"],
        ),
        (
            upgrade.to_owned(),
            &[
                "GET /live?after=7",
                "Host: localhost",
                "X-Forwarded-For: ",
                "Upgrade: websocket",
                "Connection: upgrade",
            ],
            &["10.9.8.7", "anna"],
        ),
    ] {
        let answer = site.ask(&request);
        for part in expected {
            assert!(answer.contains(part), "{request}: {part}: {answer}");
        }
        for part in never {
            assert!(!answer.contains(part), "{request}: {part}: {answer}");
        }
    }
    assert_eq!(
        fs::read_to_string(site.path("data/published/example.org/a.csv")).expect("a file"),
        "published"
    );
}

/// The site signs people in by their passwords, and the service believes it; both sites pass the forms of sets on.
#[test]
fn people_whom_nginx_signs_in_use_the_forms_of_sets() {
    if !has("nginx", "-v", "people signed in by nginx") {
        return;
    }
    let home = Home::new(
        "[http]\nread = \"users\"\ntrusted_proxies = [\"127.0.0.1\"]\nuser_header = \"X-Remote-User\"\n[[verifier]]\nname = \"legal\"\nscope = \"set\"\nsources = [\"tag:eu\"]\nexternal = true\n",
    )
    .with_member("b", &["eu"], ["b1"])
    .fetched(&["b"]);
    home.add_person("anna", "operator");
    let service = Service::start(&home, &["--no-worker"]);
    for name in ["nginx-serve.conf", "compose-nginx.conf"] {
        let site = Site::before(name, &service.address);
        let text = fs::read_to_string(site.path("site.conf")).expect("a file");
        let users = site.path("users");
        fs::write(&users, "anna:{PLAIN}long enough\n").expect("a file");
        let signs_in = format!(
            "auth_basic gannet; auth_basic_user_file {};\n    location / {{",
            users.display()
        );
        let text = text
            .replace(
                "proxy_set_header X-Remote-User \"\";",
                "proxy_set_header X-Remote-User $remote_user;",
            )
            .replacen("location / {", &signs_in, 1)
            .replace(" ssl;", ";");
        fs::write(site.path("site.conf"), text).expect("a file");
        let _nginx = site.start();
        let ask = |head: &str, body: &str| {
            let length = body.len();
            site.ask(&format!(
                "{head} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nConnection: close\r\nAuthorization: Basic YW5uYTpsb25nIGVub3VnaA==\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
            ))
        };
        let page = ask("GET /sets/eu", "");
        assert!(
            page.starts_with("HTTP/1.1 200") && page.contains("anna"),
            "{name}: {page}"
        );
        let form = "verifier=legal&outcome=passed&edition=1&detail=";
        for (head, form) in [
            ("POST /sets/eu/-verdicts", form),
            ("POST /sets/eu/-verify", ""),
        ] {
            let done = ask(head, form);
            assert!(done.starts_with("HTTP/1.1 303"), "{name} {head}: {done}");
        }
    }
    assert!(home.ok(&["log"]).contains("anna by http"));
}

#[test]
fn the_service_answers_through_nginx_and_its_live_feed_does() {
    if !has("nginx", "-v", "the service behind nginx") {
        return;
    }
    let home = Home::new("[http]\ntrusted_proxies = [\"127.0.0.1\"]\n");
    home.serve("a.csv", "one\n");
    home.add("a.csv", &[]);
    let token = home.ok(&["token", "create", "ci", "--role", "viewer"]);
    let service = Service::start(&home, &["--no-worker"]);
    let site = Site::before("compose-nginx.conf", &service.address);
    let _nginx = site.start();
    let get = |path: &str, fields: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n{fields}\r\n")
    };
    let bearer = format!("Authorization: Bearer {}\r\n", token.trim());
    let live = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let (own, other) = (
        "Origin: http://127.0.0.1:8000\r\n",
        "Origin: https://other.example\r\n",
    );
    for (request, status) in [
        (get("/healthz", ""), "200"),
        // On loopback everybody may read; but not by way of a proxy.
        (get("/api/v1/sources", ""), "401"),
        (get("/api/v1/sources", "X-Remote-User: anna\r\n"), "401"),
        (get("/api/v1/sources", &bearer), "200"),
        (get("/live", &format!("{live}{own}")), "401"),
        (get("/live", &format!("{live}{other}{bearer}")), "403"),
    ] {
        let answer = site.ask(&request);
        assert_eq!(
            answer.split(' ').nth(1),
            Some(status),
            "{request}: {answer}"
        );
    }
    let mut stream = UnixStream::connect(site.path("site")).expect("nginx listens");
    let request = get("/live?after=0", &format!("{live}{own}{bearer}"));
    stream.write_all(request.as_bytes()).expect("a request");
    let mut seen = String::new();
    let mut reader = BufReader::new(stream);
    while !seen.contains("source.added") {
        let mut bytes = [0; 4096];
        let count = reader.read(&mut bytes).expect("bytes");
        assert!(count > 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    assert!(seen.starts_with("HTTP/1.1 101 "), "{seen}");
}
