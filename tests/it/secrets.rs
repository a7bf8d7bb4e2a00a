//! Secrets: where they come from, what is refused, and that none is stored or shown, with the real program.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::rig::{Gannet, Origin, Reply, sqlite};

pub(crate) const SECRET: &str = "hunter2/+&x";

/// A home with a secrets file of these lines.
pub(crate) fn home(origin: &Origin, secrets: &str) -> Gannet {
    let gannet = Gannet::new();
    let path = gannet.path("secrets");
    fs::write(&path, secrets).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
    gannet.configure(&format!(
        "secrets_file = \"secrets\"\n[fetch]\nca_file = {:?}\nmax_tries = 1\n",
        origin.ca_file().display().to_string()
    ));
    gannet
}

#[test]
fn a_literal_secret_in_an_address_is_refused() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/plain?id=1"]);
    let shaped = ["id=gl", "pat-x1y2z3x4y5z6x7y8z9"].concat();
    for query in [
        &shaped,
        "token=hunter2${KEY}",
        "token=abc",
        "id=1&api_key=abc",
        "X-Amz-Signature=f",
        "password=p",
    ] {
        let address = format!("https://example.org/x?{query}");
        let file = gannet.path("sources.toml");
        fs::write(&file, format!("[[source]]\naddress = {address:?}\n")).expect("a file");
        let file = file.display().to_string();
        for arguments in [
            &["add", &address][..],
            &["edit", "plain", "--address", &address],
            &["apply", &file],
            &["import", &file, "--format", "list"],
        ] {
            let said = gannet.run(arguments);
            assert_ne!(said.code, Some(0), "{arguments:?}: {said:#?}");
        }
        let said = gannet.run(&["add", &address]);
        assert_eq!(said.code, Some(2), "{said:#?}");
        assert!(
            said.err.contains("looks like a secret") && said.err.contains("--literal"),
            "{said:#?}"
        );
    }
    gannet.ok(&["add", "https://example.org/y?token=${TOKEN}&v=2"]);
    // The operator insists; a published path never has it.
    gannet.ok(&["add", "https://example.org/z?token=abc&v=2", "--literal"]);
    for name in ["y", "z"] {
        let shown = gannet.ok(&["show", name]);
        assert!(
            shown.contains(&format!("example.org/{name}@v=2")),
            "{shown}"
        );
    }
    // What is printed can be read back.
    let dumped = gannet.ok(&["dump", "--toml"]);
    let file = gannet.path("dumped.toml");
    fs::write(&file, dumped).expect("a file");
    gannet.ok(&["apply", &file.display().to_string()]);
}

#[test]
fn the_secrets_file_is_read_as_shells_read_it_or_refused() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let gannet = home(&origin, "");
    gannet.ok(&[
        "add",
        &origin.url("/x"),
        "--allow-private",
        "--header",
        "X-Key: ${KEY}",
    ]);
    for line in [
        "KEY=abcdef # a note",
        "export KEY=abcdef",
        "export KEY='abcdef' # a note",
        "\u{feff}KEY = \"abcdef\"\r",
    ] {
        fs::write(gannet.path("secrets"), line).expect("a file");
        gannet.fetch("x");
        let requests = origin.requests();
        let sent = requests
            .last()
            .and_then(|request| request.header("x-key").map(str::to_owned));
        assert_eq!(sent.as_deref(), Some("abcdef"), "{line}");
    }
    for (line, why) in [
        ("KEY='abcdef", "quote"),
        ("KEY='abcdef'g", "comment"),
        ("K-Y=abcdef", "letters"),
        ("abcdef", "NAME=value"),
        ("KEY=abcdef\nKEY=ghijkl", "already"),
    ] {
        fs::write(gannet.path("secrets"), line).expect("a file");
        let said = gannet.run(&["config", "check"]);
        assert_eq!(said.code, Some(2), "{line}: {said:#?}");
        assert!(
            said.err.contains(why) && !said.err.contains("abcdef"),
            "{line}: {said:#?}"
        );
    }
    fs::write(gannet.path("secrets"), "KEY=abc\n").expect("a file");
    let said = gannet.run(&["fetch", "x"]);
    assert!(said.err.contains("fewer than 6 bytes"), "{said:#?}");
}

/// Everything that a server can send back, with the secret in it in one way or another.
#[test]
fn no_echo_of_a_secret_is_stored_or_shown() {
    let origin = Origin::start(true);
    let spellings = [
        SECRET.to_owned(),
        "hunter2/%2B%26x".to_owned(),
        "hunter2%2F%2B%26x".to_owned(),
        "HUNTER2%2f%2b%26X".to_owned(),
        // base64 of `user:hunter2/+&x`
        "dXNlcjpodW50ZXIyLysmeA==".to_owned(),
        "68756e746572322f2b2678".to_owned(),
        r"hunter2\/+&x".to_owned(),
        "hunter2/+&amp;x".to_owned(),
        "hunter2&#47;&#x2b;&#038;x".to_owned(),
        "hunter2%252F%252B%2526x".to_owned(),
        r"\u0068unter2/\x2b&x".to_owned(),
    ];
    let mut replies = Vec::new();
    for spelling in &spellings {
        replies.push(
            Reply::file(format!("content {}", replies.len()))
                .header("content-type", format!("text/plain; x={spelling}"))
                .header("etag", format!("\"{spelling}\""))
                .header(
                    "content-disposition",
                    format!(
                        "attachment; filename=\"{}.csv\"",
                        spelling.replace('/', "_")
                    ),
                ),
        );
        replies.push(Reply::redirect(
            302,
            &format!("http://example.org/{spelling}"),
        ));
        replies.push(Reply::file("x").header(
            "content-encoding",
            format!("{}{spelling}", "pad".repeat(24)),
        ));
    }
    let count = replies.len();
    origin.on("/x", replies);
    let gannet = home(&origin, &format!("KEY='{SECRET}'\n"));
    gannet.ok(&[
        "add",
        &origin.url("/x"),
        "--allow-private",
        "--header",
        "Authorization: Bearer ${KEY}",
    ]);
    let mut shown = String::new();
    for _ in 0..count {
        let said = gannet.run(&["fetch", "x"]);
        shown += &(said.out + &said.err);
    }
    for arguments in [
        &["show", "x"][..],
        &["history", "x", "--json"],
        &["log", "--json"],
        &["dump", "--json"],
    ] {
        shown += &gannet.ok(arguments);
    }
    let mut stored = Vec::new();
    collect(&gannet.data(), &mut stored);
    for text in [shown.into_bytes(), stored] {
        let text = text.to_ascii_lowercase();
        for needle in ["hunter2", "dxnlcjpodw50", "68756e74657232"] {
            let found = text
                .windows(needle.len())
                .position(|window| window == needle.as_bytes());
            if let Some(at) = found {
                let around = &text[at.saturating_sub(80)..(at + 80).min(text.len())];
                panic!("{needle}: {}", String::from_utf8_lossy(around));
            }
        }
    }
}

/// A server that repeats in the body what it was asked with, and verifiers that print the body: the content stays as it came,
/// and nothing that is said of it holds the secret.
#[test]
fn what_a_verifier_prints_of_an_echo_holds_no_secret() {
    let origin = Origin::start(true);
    let long = "x".repeat(190);
    let body = |n: u8| format!("{n}\n{long}error {SECRET}\n{SECRET}\n");
    origin.on("/x", [Reply::file(body(1)), Reply::file(body(2))]);
    let gannet = home(&origin, &format!("KEY='{SECRET}'\n"));
    let (config, told) = (gannet.path("config.toml"), gannet.path("told"));
    let script = "cat $GANNET_PATH $0 2>/dev/null; head -c 200000 /dev/zero | tr '\\\\0' a; exit 1";
    let rules = format!(
        r#"
[[verifier]]
name = "prints"
sources = ["*"]
advisory = true
command = ["/bin/sh", "-c", "{script}", "{{path}}"]
[[verifier]]
name = "says"
sources = ["*"]
advisory = true
command = ["/bin/sh", "-c", "cat $0; exit 1", "{{path}}"]
[[verifier]]
name = "json"
sources = ["*"]
advisory = true
builtin = "json"
[[verifier]]
name = "of-set"
scope = "set"
sources = ["tag:all"]
command = ["/bin/sh", "-c", "cat *; cat */*; exit 1"]
[[verifier]]
name = "outside"
sources = ["*"]
advisory = true
external = true
[[notify]]
name = "file"
command = ["/bin/sh", "-c", "cat >>{}"]
on = ["changed", "version-failed", "set-failed"]
"#,
        told.display()
    );
    let config_text = fs::read_to_string(&config).expect("a file") + &rules;
    gannet.configure(&config_text);
    gannet.ok(&[
        "add",
        &origin.url("/x"),
        "--allow-private",
        "--tag",
        "all",
        "--header",
        "Authorization: Bearer ${KEY}",
    ]);
    let mut shown = String::new();
    let detail = format!("found {SECRET}");
    for arguments in [
        &["--worker-only"][..],
        &["fetch", "x"],
        &["--worker-only"],
        &["verify", "x"],
        &["verdict", "v1", "outside", "failed", "--detail", &detail],
        &["verdicts", "x", "--json"],
        &["verdicts", "x"],
        &["show", "x"],
        &["verdicts", "set:all", "--json"],
        &["log", "--json"],
        &["history", "x", "--json"],
    ] {
        let said = gannet.run(arguments);
        assert!(matches!(said.code, Some(0 | 1)), "{arguments:?}: {said:?}");
        shown += &(said.out + &said.err);
    }
    shown += &fs::read_to_string(&told).expect("a message");
    assert!(!shown.contains("hunter"), "{shown}");
    assert!(shown.contains("found ${KEY}") && shown.contains("error ${KEY}"));
    let said = gannet.run(&["cat", "v2"]);
    assert!(said.out.contains(SECRET), "{said:?}");
}

/// A service that judges, and one that is notified, which repeat what their requests are signed with.
#[test]
fn what_a_service_repeats_of_its_signing_secret_is_not_stored_or_shown() {
    const KEY: &str = "aHVudGVyMi1rZXktb2YtaG9va3M=";
    let origin = Origin::start(true);
    let files = [1, 2].map(|n| Reply::file(format!("content {n}")));
    origin.on("/x", files);
    let service = Origin::start(false);
    let said = format!(
        "bad: whsec_{KEY} {} hunter2-key-of-hooks",
        KEY.replace('=', "%3D")
    );
    let answer = serde_json::json!({ "verdict": "failed", "detail": said }).to_string();
    let no_answer = format!("{{\"verdict\": \"whsec_{KEY}\"}}");
    for path in ["/whole", "/part", "/literal"] {
        let replies = [&answer, &no_answer].map(|body| Reply::ok(body.clone()));
        service.on(path, replies);
    }
    service.on("/told", [Reply::ok(said.clone())]);
    service.on(
        "/refuses",
        [Reply::status(500).header("x", "y"), Reply::ok(said.clone())],
    );
    let gannet = home(&origin, &format!("WH=whsec_{KEY}\nKEY={KEY}\n"));
    let config = gannet.path("config.toml");
    let mut text = fs::read_to_string(&config).expect("a file");
    for (path, secret) in [
        ("whole", "${WH}".to_owned()),
        ("part", "whsec_${KEY}".to_owned()),
        ("literal", format!("whsec_{KEY}")),
    ] {
        let _ = write!(
            text,
            "[[verifier]]\nname = \"{path}\"\nsources = [\"*\"]\nadvisory = true\nhttp = {:?}\nsecret = {secret:?}\n",
            service.url(&format!("/{path}"))
        );
    }
    for path in ["told", "refuses"] {
        let _ = write!(
            text,
            "[[notify]]\nname = \"{path}\"\non = [\"changed\"]\nwebhook = {:?}\nsecret = \"${{WH}}\"\n",
            service.url(&format!("/{path}"))
        );
    }
    gannet.configure(&text);
    gannet.ok(&["add", &origin.url("/x"), "--allow-private"]);
    let mut shown = String::new();
    for arguments in [
        &["--worker-only"][..],
        &["fetch", "x"],
        &["verdict", "v1", "whole", "failed", "--detail", &said],
        &["verdicts", "x", "--json"],
        &["verdicts", "x"],
        &["show", "x"],
        &["log", "--json"],
        &["history", "x", "--json"],
    ] {
        let said = gannet.run(arguments);
        assert!(matches!(said.code, Some(0 | 1)), "{arguments:?}: {said:?}");
        shown += &(said.out + &said.err);
    }
    assert!(shown.contains("bad: ${WH} ${WH}"), "{shown}");
    assert_eq!(service.requests().len(), 6 + 2, "{shown}");
    let mut stored = shown.into_bytes();
    collect(&gannet.data(), &mut stored);
    for needle in [&KEY[..12], "hunter2-key"] {
        let found = stored
            .windows(needle.len())
            .position(|window| window.eq_ignore_ascii_case(needle.as_bytes()));
        let around = |at: usize| {
            let around = &stored[at.saturating_sub(80)..(at + 80).min(stored.len())];
            String::from_utf8_lossy(around).into_owned()
        };
        assert_eq!(found.map(around), None, "{needle}");
    }
}

/// `Authorization: Basic ${CRED}`: a server may repeat the password that it read.
#[test]
fn no_echo_of_a_password_is_stored_or_shown() {
    let origin = Origin::start(true);
    let mut replies = Vec::new();
    for echo in [
        "user:hunter2pass",
        "hunter2pass",
        "hunter2p%61ss",
        "HUNTER2PASS",
    ] {
        replies.push(
            Reply::file(format!("content {}", replies.len()))
                .header("content-type", format!("text/plain; x={echo}"))
                .header("etag", format!("\"{echo}\"")),
        );
        replies.push(Reply::redirect(302, &format!("ftp://example.org/{echo}")));
        replies.push(Reply::file("x").header("content-encoding", format!("br, {echo}-gzip")));
    }
    let count = replies.len();
    origin.on("/x", replies);
    // base64 of `user:hunter2pass`
    let gannet = home(&origin, "CRED=dXNlcjpodW50ZXIycGFzcw==\n");
    gannet.ok(&[
        "add",
        &origin.url("/x"),
        "--allow-private",
        "--header",
        "Authorization: Basic ${CRED}",
    ]);
    let mut stored = Vec::new();
    for _ in 0..count {
        let said = gannet.run(&["fetch", "x"]);
        stored.extend((said.out + &said.err).into_bytes());
    }
    for arguments in [
        &["show", "x"][..],
        &["history", "x", "--json"],
        &["log", "--json"],
    ] {
        stored.extend(gannet.ok(arguments).into_bytes());
    }
    collect(&gannet.data(), &mut stored);
    let stored = String::from_utf8_lossy(&stored).to_ascii_lowercase();
    assert_eq!(stored.find("hunter2"), None);
}

/// Another value of a secret, or another user agent, asks for something else: what the server gave before is no condition then.
/// A newer gannet asks with what an older one kept.
#[test]
fn what_is_asked_with_another_value_is_asked_without_conditions() {
    let origin = Origin::start(true);
    for path in ["/x", "/redirected"] {
        origin.on(path, [Reply::file("content")]);
    }
    origin.on("/y", [Reply::redirect(302, "/redirected")]);
    let gannet = home(&origin, "KEY='first-value'\nQUERY=first-query\n");
    let secrets = |text: &str| fs::write(gannet.path("secrets"), text).expect("a file");
    let url = origin.url("/x?q=${QUERY}");
    origin.on("/x?q=first-query", [Reply::file("content")]);
    origin.on("/x?q=other-query", [Reply::file("content")]);
    for (name, url) in [("x", url.as_str()), ("y", &origin.url("/y"))] {
        gannet.ok(&[
            "add",
            url,
            "--name",
            name,
            "--allow-private",
            "--header",
            "Accept-Language: ${KEY}",
        ]);
    }
    let config = fs::read_to_string(gannet.path("config.toml")).expect("a file");
    let with_agent = |agent: &str| {
        gannet.configure(&format!("{config}user_agent = {agent:?}\n"));
    };
    let is_conditional = |what: &str| {
        gannet.ok(&["fetch", "x", "y"]);
        let requests = origin.requests();
        let of = |path: &str| {
            let last = requests.iter().rfind(|it| it.path.starts_with(path));
            last.is_some_and(|last| last.header("if-none-match").is_some())
        };
        let (x, y) = (of("/x"), of("/redirected"));
        assert_eq!(x, y, "{what}");
        x
    };
    assert!(!is_conditional("first"));
    assert!(is_conditional("again"));
    secrets("KEY='other-value'\nQUERY=first-query\n");
    assert!(!is_conditional("another value"));
    assert!(is_conditional("another value again"));
    with_agent("mine/1");
    assert!(!is_conditional("a user agent"));
    assert!(is_conditional("a user agent again"));
    with_agent("mine/2");
    assert!(!is_conditional("another user agent"));
    gannet.configure(&config);
    assert!(!is_conditional("no user agent"));
    // As an older gannet left it.
    sqlite::forget_validators_fields(&gannet.data());
    assert!(is_conditional("unknown"));
    secrets("KEY='third-value'\nQUERY=first-query\n");
    assert!(!is_conditional("a third value"));
    // In an address.
    secrets("KEY='third-value'\nQUERY=other-query\n");
    gannet.ok(&["fetch", "x"]);
    let requests = origin.requests();
    let last = requests.last().expect("a request");
    assert_eq!(
        (last.path.as_str(), last.header("if-none-match")),
        ("/x?q=other-query", None)
    );
}

/// Collects the names and contents of all files but the reserve: among its 8 MiB of random bytes, any four letters are
/// found once in 30 runs.
pub(crate) fn collect(folder: &Path, into: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else if !path.ends_with("reserve") {
            into.extend(path.to_string_lossy().as_bytes());
            into.extend(fs::read(&path).unwrap_or_default());
        }
    }
}
