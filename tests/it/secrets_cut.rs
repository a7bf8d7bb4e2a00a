//! Secrets in what is only repeated in part: wherever a message is cut, nothing of a value is left.

use std::fs;
use std::path::Path;

use crate::rig::{Origin, RawOrigin, Reply};
use crate::secrets::{SECRET, collect, home};

/// A secret with parts of its own between characters that end a word.
const VALUE: &str = "hunter2/mallard+teal&pochard=gadwall";

/// One rule for each tag.
const RULES: &str = r#"
[[verifier]]
name = "schema"
sources = ["tag:schema"]
builtin = "json"
schema = "SCHEMA"
[[verifier]]
name = "keys"
sources = ["tag:keys"]
builtin = "json"
duplicates = "refuse"
[[verifier]]
name = "csv"
sources = ["tag:csv"]
builtin = "csv"
header = ["a", "b"]
[[verifier]]
name = "xml"
sources = ["tag:xml"]
builtin = "xml"
[[verifier]]
name = "html"
sources = ["tag:html"]
builtin = "not-html"
[[verifier]]
name = "list"
sources = ["tag:list"]
builtin = "sha256"
companion = "sums"
"#;

/// Returns files that rules find fault with, each with the tag of its rule. What is quoted ends or begins within [`VALUE`].
fn quoted_files() -> Vec<(&'static str, String)> {
    let mut files = Vec::new();
    for count in [4, 9, 17, 30] {
        // A message shows 200 characters of most things, and 20 of a declaration.
        let (long, short) = ("x".repeat(200 - count), "x".repeat(20 - count.min(20)));
        files.extend([
            ("schema", format!(r#"{{"{long}{VALUE}": "a"}}"#)),
            ("schema", format!(r#"["{long}{VALUE}"]"#)),
            (
                "schema",
                format!(r#"["{long}{}"]"#, VALUE.replace('/', "\\/")),
            ),
            (
                "keys",
                format!(r#"{{"{long}{VALUE}": 1, "{long}{VALUE}": 2}}"#),
            ),
            ("csv", format!("{long}{VALUE},b\n1,2\n")),
            (
                "xml",
                format!("<!DOCTYPE a [ <!ENTITY {short}{VALUE} 'b'> ]><a/>"),
            ),
            ("xml", format!("<!DOCTYPE a [ {short}{VALUE} ]><a/>")),
            (
                "xml",
                format!("<!DOCTYPE a [ <!ATTLIST a {VALUE} CDATA 'b'> ]><a/>"),
            ),
            ("xml", format!("<!DOCTYPE a {VALUE}><a/>")),
            (
                "xml",
                format!("<!DOCTYPE a [ <!ENTITY b '&#{long}{VALUE};'> ]><a/>"),
            ),
            (
                "xml",
                format!("<?xml version='1.0' encoding='{long}{VALUE}'?><a/>"),
            ),
            ("xml", format!("<a><{long}{VALUE}></b></a>")),
            ("html", format!("<html lang={short}{VALUE}>")),
            ("list", format!("{long}{VALUE}")),
        ]);
    }
    files
}

/// A message repeats no more than the beginning of what a server sends: wherever that ends within the secret, nothing of it is
/// left.
#[test]
fn no_echo_that_a_message_cuts_is_stored_or_shown() {
    let mut scripts = Vec::new();
    for count in [4, 9, 12] {
        let pad = |start: &str| "a".repeat(100 - count - start.len());
        for (start, end) in [
            ("HTTP/1.1 200 OK\r\nX-Pad: b", "\0"),
            ("HTTZ/1.1 200 ", ""),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: ",
                "\r\nContent-Length: 4",
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: ", ""),
        ] {
            let line = start.rsplit('\n').next().expect("a line");
            let pad = pad(line);
            scripts.push(format!("{start}{pad}hunter2secret{end}\r\n\r\n"));
            scripts.push(format!("{start}\0{}hunter2secret{end}\r\n\r\n", &pad[1..]));
        }
        let redirect = |start: &str, end: &str| {
            let pad = "a".repeat(200 - count - start.len());
            format!(
                "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {start}{pad}hunter2secret{end}\r\n\r\n"
            )
        };
        scripts.push(redirect("http://example.org/", "/b"));
        scripts.push(redirect("http://example.org/", "").replace(" 302 ", " 300 "));
    }
    let count = scripts.len();
    let origin = Origin::start(true);
    let scripts = scripts.into_iter().map(String::into_bytes).collect();
    let server = RawOrigin::start_tls(scripts);
    let gannet = home(&origin, "KEY=hunter2secret\n");
    gannet.ok(&[
        "add",
        &server.url("/x"),
        "--allow-private",
        "--header",
        "X-Key: ${KEY}",
    ]);
    let mut stored = Vec::new();
    for _ in 0..count {
        let said = gannet.run(&["fetch", "x"]);
        assert_ne!(said.code, Some(0), "{said:#?}");
        stored.extend((said.out + &said.err).into_bytes());
    }
    for arguments in [&["show", "x"][..], &["log", "--json"]] {
        stored.extend(gannet.ok(arguments).into_bytes());
    }
    collect(&gannet.data(), &mut stored);
    let stored = String::from_utf8_lossy(&stored).to_ascii_lowercase();
    assert!(stored.contains("aaa"), "what was sent is quoted");
    let around = |at: usize| {
        stored[at.saturating_sub(150)..]
            .chars()
            .take(250)
            .collect::<String>()
    };
    assert_eq!(stored.find("hunt").map(around), None);
}

/// The same of a chain of redirects that leads back, and of a file's name.
#[test]
fn no_echo_in_a_loop_of_redirects_or_a_long_name_is_stored_or_shown() {
    const VALUE: &str = "hunter2secret";
    let origin = Origin::start(true);
    let gannet = home(&origin, &format!("KEY={VALUE}\n"));
    let name = |name: String| {
        let file = Reply::file(name.clone());
        file.header("content-disposition", format!("attachment; {name}"))
    };
    let (mut paths, mut loops) = (Vec::new(), 0);
    for count in [4, 9, 12] {
        let address = origin.url("/");
        let pad = "a".repeat(200 - count - address.len());
        for target in [
            format!("/{pad}{VALUE}/b"),
            format!("/{pad}%68unter2%73ecret"),
        ] {
            origin.on(&target, [Reply::redirect(302, &target)]);
            paths.push([Reply::redirect(302, &target)]);
            loops += 1;
        }
        let pad = "a".repeat(200 - count);
        for end in ["", ".csv"] {
            paths.push([name(format!("filename=\"{pad}{VALUE}{end}\""))]);
            paths.push([name(format!("filename*=UTF-8''{pad}%68unter2secret{end}"))]);
        }
    }
    let mut shown = String::new();
    for (number, replies) in paths.into_iter().enumerate() {
        let path = format!("/{number}");
        origin.on(&path, replies);
        gannet.ok(&[
            "add",
            &origin.url(&path),
            "--name",
            &format!("f{number}"),
            "--allow-private",
            "--header",
            "X-Key: ${KEY}",
        ]);
    }
    for arguments in [
        &["fetch", "*"][..],
        &["list", "--json"],
        &["dump", "--json"],
        &["log", "--json"],
    ] {
        let said = gannet.run(arguments);
        assert!(matches!(said.code, Some(0 | 1)), "{arguments:?}: {said:?}");
        shown += &(said.out + &said.err);
    }
    let told = shown.matches("redirect loop: ").count();
    assert!(told >= loops && shown.contains("${KEY}"), "{told}: {shown}");
    collect_names(&gannet.data(), &mut shown);
    let around = |at: usize| shown[at.saturating_sub(250)..].chars().take(300).collect();
    let found: Option<String> = shown.find("hunt").map(around);
    assert_eq!(found, None);
}

/// Built-in rules quote parts of a file: wherever the quotation begins or ends within an echo, nothing of the secret is left. A
/// list of digests is quoted in what is said of another source.
#[test]
fn no_echo_that_a_rule_quotes_in_part_is_stored_or_shown() {
    let origin = Origin::start(true);
    let gannet = home(&origin, &format!("KEY='{VALUE}'\nLIST_KEY='{SECRET}'\n"));
    let schema = gannet.path("schema.json");
    let accepts = r#"{"additionalProperties": {"type": "number"}, "items": {"maxLength": 3}}"#;
    fs::write(&schema, accepts).expect("a file");
    let entry = format!("{}  another\n", "0".repeat(64));
    let lists = [4, 9].map(|count| format!("{entry}{}{SECRET} is it\n", "x".repeat(200 - count)));
    origin.on("/sums", lists.map(Reply::file));
    let mut config = fs::read_to_string(gannet.path("config.toml")).expect("a file");
    config += &RULES.replace("SCHEMA", &schema.display().to_string());
    gannet.configure(&config);
    let add = |url: &str, name: &str, tag: &str, key: &str| {
        let header = format!("Authorization: Bearer ${{{key}}}");
        let rest = ["--allow-private", "--header", &header];
        gannet.ok(&[&["add", url, "--name", name, "--tag", tag][..], &rest].concat());
    };
    add(&origin.url("/sums"), "sums", "sums", "LIST_KEY");
    gannet.ok(&["fetch", "sums"]);
    let files = quoted_files();
    let count = files.len();
    for (number, (tag, body)) in files.into_iter().enumerate() {
        let path = format!("/{number}");
        origin.on(&path, [Reply::file(body)]);
        add(&origin.url(&path), &format!("f{number}"), tag, "KEY");
    }
    let mut shown = String::new();
    for arguments in [
        &["--worker-only"][..],
        &["fetch", "sums"],
        &["verify", "tag:list"],
        &["list", "--json"],
        &["log", "--json"],
    ] {
        let said = gannet.run(arguments);
        assert!(matches!(said.code, Some(0 | 1)), "{arguments:?}: {said:?}");
        shown += &(said.out + &said.err);
    }
    for number in 0..count {
        let verdicts = gannet.ok(&["verdicts", &format!("f{number}"), "--json"]);
        let is_good = verdicts.contains(r#""outcome": "passed""#);
        assert!(!is_good, "{number}: {verdicts}");
        shown += &verdicts;
    }
    assert!(shown.contains("${KEY}") && shown.contains("${LIST_KEY}"));
    for part in ["hunt", "mallard", "teal", "pochard", "gadwall"] {
        for start in 0..=part.len() - 4 {
            let needle = &part[start..start + 4];
            let around = |at: usize| shown[at.saturating_sub(250)..].chars().take(300).collect();
            let found: Option<String> = shown.find(needle).map(around);
            assert_eq!(found, None, "{needle}");
        }
    }
}

/// Adds the paths of all files below a folder.
fn collect_names(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        *into += &path.to_string_lossy();
        if path.is_dir() {
            collect_names(&path, into);
        }
    }
}
