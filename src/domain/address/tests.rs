//! Tests of address parsing: what is accepted, what is refused, and with which message.

use super::*;

#[test]
fn what_cannot_be_seen_is_told() {
    for (text, code, place) in [
        ("\u{feff}https://example.org/", "U+FEFF", "in front"),
        ("\u{200b}https://example.org/", "U+200B", "in front"),
        (" \u{2060}https://example.org/", "U+2060", "in front"),
        ("\u{a0}https://example.org/", "U+00A0", "in front"),
        ("\u{3000}https://example.org/", "U+3000", "in front"),
        ("https://example.org/a.csv\u{200b}", "U+200B", "at its end"),
        ("https://example.org/a.csv\u{a0}", "U+00A0", "at its end"),
        ("https://exam\u{ad}ple.org/a.csv", "U+00AD", "in its host"),
        ("ht\u{200d}tps://example.org/a.csv", "U+200D", "in its host"),
        (
            "https://example.org/pri\u{ad}ces.csv",
            "U+00AD",
            "in its path: type the address without it, or with %C2%AD",
        ),
        ("https://example.org/a?b=\u{a0}c", "U+00A0", "in its path"),
        (
            "https://example.org/\u{0645}\u{200c}\u{0646}.csv",
            "U+200C",
            "with %E2%80%8C where it is meant",
        ),
        ("https://example.org/a\tb", "U+0009", "in its path"),
        (
            "https://example.org/a\u{a0}1h",
            "`https://example.org/a 1h` has",
            "U+00A0",
        ),
    ] {
        let error = Address::parse(text, false).expect_err(text).to_string();
        assert!(error.contains(code) && error.contains(place), "{error}");
        assert!(!error.contains(is_invisible), "{error:?}");
    }
    for text in [
        "https://example.org/pri%C2%ADces.csv",
        " https://example.org/a b\r\n",
        "https://example.org/\u{0645}\u{0646}.csv",
    ] {
        assert!(Address::parse(text, false).is_ok(), "{text:?}");
    }
}

#[test]
fn normalises_what_it_accepts() {
    for (text, expected) in [
        ("https://Example.org", "https://example.org/"),
        ("https://example.org:443/a b", "https://example.org/a%20b"),
        ("https://example.org/a#part", "https://example.org/a"),
        (
            "https://example.org/?key=${API_KEY}",
            "https://example.org/?key=${API_KEY}",
        ),
    ] {
        assert_eq!(
            Address::parse(text, false).map(|a| a.to_string()),
            Ok(expected.to_owned())
        );
    }
    assert_eq!(
        Address::parse("https://[::1]:8443/x", false).map(|a| a.host()),
        Ok("[::1]:8443".to_owned())
    );
    assert!(Address::parse("http://example.org/", true).is_ok());
    let keyed =
        Address::parse("https://example.org/?key=${API_KEY}&b=${B}", false).expect("an address");
    assert_eq!(
        Template(keyed.as_str()).names().collect::<Vec<_>>(),
        ["API_KEY", "B"]
    );
    assert_eq!(
        keyed.to_url().as_str(),
        "https://example.org/?key=API_KEY&b=B"
    );
}

#[test]
fn the_host_is_what_a_parser_finds() {
    for text in [
        "https://Example.ORG",
        "https://example.org:443/a/b?c=https://other.example/",
        "https://example.org:8443/?key=${API_KEY}",
        "https://EXAMPLE.org/${KEY}",
        "https://[2001:DB8::1]:8443/a@b",
        "https://b\u{fc}cher.example/x",
    ] {
        let address = Address::parse(text, false).expect(text);
        let url = address.to_url();
        let port = url.port().map_or(String::new(), |port| format!(":{port}"));
        let expected = format!("{}{port}", url.host_str().expect("a host"));
        assert_eq!(address.host(), expected, "{text}");
    }
}

#[test]
fn says_why_it_refuses() {
    let long = format!("https://example.org/{}", "a".repeat(MAX_ADDRESS_BYTES));
    for (text, part) in [
        ("example.org/a", "did you mean https://example.org/a?"),
        (
            "example.org:8443/a",
            "did you mean https://example.org:8443/a?",
        ),
        ("nonsense", "expected https://host/path"),
        ("/a/b", "not an absolute address"),
        ("", "not an absolute address"),
        ("https://", "not an absolute address"),
        ("file:///etc/passwd", "only https"),
        ("ftp://example.org/a", "only https"),
        ("http://example.org/a", "--allow-http"),
        ("https://example.org/${", "malformed secret"),
        ("https://example.org/${A B}", "malformed secret"),
        (long.as_str(), "too long"),
    ] {
        let error = Address::parse(text, false).expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn never_repeats_a_password() {
    for text in [
        "https://joe:hunter2@example.org/",
        "https://joe:hunter2@example.org:99999/x",
        "ftp://joe:hunter2@example.org/x",
        "http://joe:hunter2@example.org/x",
        "https://joe:hunter2@example.org/${",
        "https:/joe:hunter2@example.org:99999/",
        "https:\\\\joe:hunter2@example.org:99999/",
        "//joe:hunter2@example.org/x",
        "joe:hunter2@example.org/x",
        "https://joe:hunter2/or#not@example.org/x",
        "https://joe:a@hunter2@example.org:99999/x",
    ] {
        let error = Address::parse(text, false).expect_err(text).to_string();
        assert!(!error.contains("hunter2"), "{text}: {error}");
        assert!(!masked(text).contains("hunter2"), "{text}");
    }
}

#[test]
fn secrets_are_known_by_the_names_of_parameters() {
    for (query, expected) in [
        ("token=abc", vec!["token"]),
        (
            "id=1&api_key=abc&X-Amz-Signature=f00",
            vec!["api_key", "X-Amz-Signature"],
        ),
        ("access%5Ftoken=abc", vec!["access_token"]),
        ("Password=x&a=b", vec!["Password"]),
        ("token=${TOKEN}&key=${A}${B}&sig=x-${C}", vec![]),
        ("token=&token", vec![]),
        ("token=hunter2${A}&sig=${B}", vec!["token"]),
        ("auth=Bearer+${A}&auth=Bearer%20hunter2", vec!["auth"]),
        ("via=https://joe:hunter2@h/", vec!["via"]),
        ("q=gl%70at-x1y2z3x4y5z6x7y8z9", vec!["q"]),
        (
            "sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            vec![],
        ),
        ("q=Bearer+bonds", vec![]),
        ("keyword=a&tokens_left=3&design=b&passage=c", vec![]),
        ("", vec![]),
    ] {
        let address = format!("https://example.org/a?{query}");
        let address = Address::parse(&address, false).expect("an address");
        let expected = expected
            .iter()
            .map(|name| format!("the parameter `{name}`"));
        let expected: Vec<_> = expected.collect();
        assert_eq!(address.literal_secrets(), expected, "{query}");
    }
}

#[test]
fn secrets_are_known_in_paths() {
    let jwt = ["ey", "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123"].concat();
    for (path, expected) in [
        ("a;jsessionid=0a1b/b", Some("the parameter `jsessionid`")),
        ("a/b.csv;token=x", Some("the parameter `token`")),
        ("a;v=1;key=x/b?id=1", Some("the parameter `key`")),
        (&format!("dl/{jwt}/b"), Some("a part of the path")),
        (&format!("dl/{jwt}${{A}}"), Some("a part of the path")),
        ("proxy/https://joe:pw1@h/x", Some("a part of the path")),
        ("a;v=1;key=${KEY}/b", None),
        ("a;b=c,d", None),
        (
            "dl/${LONG_NAME_OF_A_SECRET_THAT_is_Mixed_0a1B2c3D4e5F6}/b",
            None,
        ),
        ("npm/@scope/package/-/package-1.2.3.tgz", None),
        (
            "blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            None,
        ),
    ] {
        let address = Address::parse(&format!("https://h.example/{path}"), false).expect(path);
        let found = address.literal_secrets();
        assert_eq!(found.first().map(String::as_str), expected, "{path}");
    }
}
