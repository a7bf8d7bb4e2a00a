//! Secrets that are filled in, and every form of them that is struck out.

use base64::Engine as _;
use base64::prelude::{
    BASE64_STANDARD_NO_PAD as STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD,
};

use super::*;

fn secrets() -> Secrets {
    Secrets::from_values([
        ("KEY".to_owned(), "a/b&c=d #é".to_owned()),
        ("HOST".to_owned(), "Intern".to_owned()),
        ("EVIL".to_owned(), "evil.example/@".to_owned()),
    ])
}

fn expanded(text: &str) -> Result<String, String> {
    let address = Address::parse(text, false).expect(text);
    let mut scrubber = Scrubber::default();
    expand_address(&address, &secrets(), &mut scrubber)
        .map(String::from)
        .map_err(|failure| failure.detail)
}

#[test]
fn a_value_stays_in_its_place() {
    let key = "a%2Fb%26c%3Dd%20%23%C3%A9";
    for (text, expected) in [
        ("https://h/${KEY}/x", format!("https://h/{key}/x")),
        ("https://h/?k=${KEY}&x=1", format!("https://h/?k={key}&x=1")),
        (
            "https://${HOST}.example/",
            "https://intern.example/".to_owned(),
        ),
        (
            "https://h/?k=${HOST}#part",
            "https://h/?k=Intern".to_owned(),
        ),
    ] {
        assert_eq!(expanded(text), Ok(expected), "{text}");
    }
    let error = expanded("https://${EVIL}.example.org/").expect_err("a host cannot hold it");
    assert!(!error.contains("evil"), "{error}");
    let error = expanded("https://h/${NONE}").expect_err("no value");
    assert!(error.contains("the secret NONE has no value"), "{error}");
}

#[test]
fn a_configured_address_may_be_a_secret_as_a_whole() {
    let secrets = Secrets::from_values([
        (
            "HOOK".to_owned(),
            "https://Hooks.example/T0/B0#x".to_owned(),
        ),
        ("BAD".to_owned(), "hunter2".to_owned()),
    ]);
    let expand = |text: &str| {
        let mut scrubber = Scrubber::default();
        expand_configured(text, &secrets, &mut scrubber).map(|url| (url, scrubber))
    };
    let (url, scrubber) = expand("${HOOK}").expect("an address");
    assert_eq!(url.as_str(), "https://hooks.example/T0/B0");
    for (text, expected) in [
        ("refused by hooks.example:443", "refused by ${HOOK}:443"),
        ("Cannot POST /T0/B0", "Cannot POST ${HOOK}"),
    ] {
        assert_eq!(scrubber.scrub(text.to_owned()), expected);
    }
    let (url, _) = expand("http://h/${BAD}${BAD}").expect("an address");
    assert_eq!(url.as_str(), "http://h/hunter2hunter2");
    for text in ["${BAD}", "${NONE}", "${BAD}${HOOK}", "h"] {
        let error = expand(text).map(|(url, _)| url).expect_err(text).detail;
        assert!(!error.contains("hunter2"), "{text}: {error}");
    }
}

#[test]
fn strikes_out_every_form() {
    let mut scrubber = Scrubber::default();
    expand_value("Bearer ${KEY} ${HOST}", &secrets(), &mut scrubber).expect("values");
    for (text, expected) in [
        ("at intern.example", "at ${HOST}.example"),
        ("/a%2fb%26c%3dd%20%23%c3%a9/", "/${KEY}/"),
        ("k=a/b&c=d #é", "k=${KEY}"),
        ("k=a/b&c=d%20%23%C3%A9", "k=${KEY}"),
        ("k=a/b%26c=d+%23%c3%a9&x", "k=${KEY}&x"),
        ("k=a%252Fb%2526c%253Dd%2520%2523%25C3%25A9", "k=${KEY}"),
        (r#"{"k": "a\/b&c=d #é"}"#, r#"{"k": "${KEY}"}"#),
        (r"a\u002fb\u0026c\u003dd #é", "${KEY}"),
        ("<b>a/b&amp;c=d #é</b>", "<b>${KEY}</b>"),
        ("<b>a&#x2F;b&#38;c=d #é</b>", "<b>${KEY}</b>"),
        (
            "a&#47;b&#038;c&#x3d;d&#32;&#35;&eacute;",
            "a&#47;b&#038;c&#x3d;d&#32;&#35;&eacute;",
        ),
        ("&#97;&#x2F;b&#038;c&#x3d;d&#32;&#35;&#233;", "${KEY}"),
        (r"a/b&c=d #\u00e9", "${KEY}"),
        (
            r"\x61\x2fb&c=d #\xe9, \x61/b&c=d #\xc3\xa9",
            "${KEY}, ${KEY}",
        ),
        ("a=2Fb=26c=3Dd=20=23=C3=A9", "${KEY}"),
        ("a%2Fb%26c%3Dd%20%23%E9", "${KEY}"),
        (
            "a%25252Fb%252526c%25253Dd%252520%252523%2525C3%2525A9",
            "${KEY}",
        ),
        // ISO-8859-1 and UTF-8, each read as the other.
        ("a/b&c=d #\u{fffd}.", "${KEY}."),
        ("a/b&c=d #\u{c3}\u{a9}.", "${KEY}."),
        ("a/b&c=d #\u{c3}%a9.", "${KEY}."),
        ("A/B&C=D #É.", "${KEY}."),
        ("cut: a/b&c", "cut: ${KEY}"),
        ("cut: inter", "cut: ${HOST}"),
        ("not cut: int", "not cut: int"),
        ("interval", "interval"),
        ("é nothing", "é nothing"),
    ] {
        assert_eq!(scrubber.scrub(text.to_owned()), expected, "{text}");
    }
}

/// Wherever a text is cut, the rest of a value is too short to be distinguished from chance.
#[test]
fn strikes_out_the_beginning_wherever_a_text_is_cut() {
    const VALUE: &str = "a/b&c=d #é";
    let mut scrubber = Scrubber::default();
    expand_value("${KEY}", &secrets(), &mut scrubber).expect("a value");
    let hex = crate::domain::to_hex(VALUE.as_bytes());
    let every = |before: &str, behind: &str| -> String {
        let hex = |byte| crate::domain::to_hex(&[byte]);
        VALUE
            .bytes()
            .map(|byte| [before, &hex(byte), behind].concat())
            .collect()
    };
    // With the longest rest: three bytes and half an escape, or as many bits of digits.
    for (spelled, most) in [
        (VALUE.to_owned(), 3),
        ("a/b%26c%3Dd%20%23%C3%A9".to_owned(), 3 + 2),
        (every("%", ""), 3 * 3 + 2),
        (every("%25", ""), 3 * 5 + 4),
        (every("\\u00", ""), 3 * 6 + 5),
        (r"a\/b\u0026c\u003dd #é".to_owned(), 4 + 5),
        ("a/b&amp;c&#x3D;d #é".to_owned(), 3 + 5),
        ("a&#x2F;b&#38;c=d #é".to_owned(), 8 + 5),
        (STANDARD_NO_PAD.encode(VALUE), 5),
        (STANDARD_NO_PAD.encode(format!("u:{VALUE}")), 5 + 3),
        (URL_SAFE_NO_PAD.encode(format!("ser:{VALUE}")), 5 + 6),
        (hex.to_uppercase(), 5),
        (hex, 5),
    ] {
        for end in (1..spelled.len()).filter(|end| spelled.is_char_boundary(*end)) {
            for mark in ["", "…", "\u{fffd}"] {
                let text = format!("cut: {}{mark}", &spelled[..end]);
                let shown = scrubber.scrub(text.clone());
                let left = shown.strip_prefix("cut: ").expect("what was before");
                let is_clean = left.starts_with("${KEY}") || left.len() <= most + mark.len();
                assert!(is_clean, "{text}: {shown}");
            }
        }
        for start in (1..spelled.len()).filter(|start| spelled.is_char_boundary(*start)) {
            let text = format!("{}, cut", &spelled[start..]);
            let shown = scrubber.scrub(scrubber.scrub_ending(text.clone()));
            let left = shown.strip_suffix(", cut").expect("what was behind");
            assert!(
                left.ends_with("${KEY}") || left.len() <= most.max(11),
                "{text}: {shown}"
            );
        }
    }
}

#[test]
fn strikes_out_base64_and_hexadecimal_digits() {
    let mut scrubber = Scrubber::default();
    expand_value("${KEY}", &secrets(), &mut scrubber).expect("a value");
    let encoded = |text: &str| STANDARD_NO_PAD.encode(text);
    for around in ["", "u", "us", "user:", "joe@example.org:"] {
        for behind in ["", "x", "xy", "xyz"] {
            let text = format!("{around}a/b&c=d #é{behind}");
            for digits in [
                encoded(&text),
                URL_SAFE_NO_PAD.encode(&text),
                encoded(&text) + "=",
            ] {
                let shown = scrubber.scrub(format!("Basic {digits}, or"));
                assert_eq!(shown, "Basic ${KEY}, or", "{text}");
            }
        }
    }
    assert_eq!(
        scrubber.scrub("x=612f6226633d642023c3a9;".to_owned()),
        "x=${KEY};"
    );
    assert_eq!(
        scrubber.scrub("Basic dXNlcg==".to_owned()),
        "Basic dXNlcg=="
    );
}

#[test]
fn strikes_out_a_percent_sign_however_often_it_is_encoded() {
    let mut scrubber = Scrubber::default();
    scrubber.add("P", "50%25off");
    for text in ["50%25off", "50%2525off", "50%252525off", "50%25252525off"] {
        assert_eq!(scrubber.scrub(text.to_owned()), "${P}", "{text}");
    }
}

/// `Authorization: Basic ${CRED}` is the only way to log in with a password.
#[test]
fn strikes_out_what_a_value_is_the_base64_of() {
    let login = STANDARD_NO_PAD.encode("user:hunter2pass");
    for value in [
        login.clone(),
        STANDARD_NO_PAD.encode("us:hunter2pass"),
        format!("{login}=="),
        format!("Basic {login}"),
        URL_SAFE_NO_PAD.encode("u~:hunter2pass"),
    ] {
        let mut scrubber = Scrubber::default();
        scrubber.add("CRED", &value);
        let again = STANDARD_NO_PAD.encode("joe:hunter2pass");
        for text in [
            "no hunter2pass here",
            "no HUNTER2PASS here",
            &format!("no {value} here"),
            &format!("no {again} here"),
            "no hunter2%70ass here",
        ] {
            let shown = scrubber.scrub((*text).to_owned());
            let is_clean = ["no ${CRED} here", "no Basic ${CRED} here"].contains(&shown.as_str());
            assert!(is_clean, "{value}: {text}: {shown}");
        }
        let shown = scrubber.scrub("hello, user: x".to_owned());
        assert_eq!(shown, "hello, user: x");
    }
    // The binary key of a signing secret.
    let key = b"\x00\x01\xfe\xffkey-of-hooks";
    let mut scrubber = Scrubber::default();
    let encoded = STANDARD_NO_PAD.encode(key);
    scrubber.add("WH", &format!("whsec_{encoded}"));
    for text in [
        format!("whsec_{encoded}"),
        encoded.clone(),
        crate::domain::to_hex(key),
    ] {
        assert_eq!(scrubber.scrub(text.clone()), "${WH}", "{text}");
    }
}

#[test]
fn fields_in_any_encoding_are_clean() {
    let mut scrubber = Scrubber::default();
    scrubber.add("KEY", "hunter-é-2");
    for field in [
        &b"\"hunter-\xe9-2\""[..],
        b"\"hunter-\xc3\xa9-2\"",
        b"\"\xff hunter-\xc3\xa9-2\"",
    ] {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(field).expect("a value");
        headers.insert(ETAG, value.clone());
        headers.insert("x-other", value);
        scrubber.scrub_fields(&mut headers);
        let left = headers.values().map(HeaderValue::as_bytes);
        let left: Vec<u8> = left.flatten().copied().collect();
        assert!(!left.starts_with(b"hunter"), "{left:?}");
        assert!(headers.get(ETAG).is_none());
    }
}

#[test]
fn fields_are_clean_before_they_are_read() {
    let mut scrubber = Scrubber::default();
    expand_value("${HOST}", &secrets(), &mut scrubber).expect("a value");
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "text/intern; x=y"),
        ("content-disposition", "attachment; filename=\"intern.csv\""),
        ("etag", "\"intern-1\""),
        ("last-modified", "intern"),
        ("location", "/intern"),
        ("x-other", "fine"),
    ] {
        let value = HeaderValue::from_static(value);
        headers.append(reqwest::header::HeaderName::from_static(name), value);
    }
    scrubber.scrub_fields(&mut headers);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    assert_eq!(text("content-type"), Some("text/${HOST}; x=y"));
    assert_eq!(
        text("content-disposition"),
        Some("attachment; filename=\"${HOST}.csv\"")
    );
    assert_eq!((text("etag"), text("last-modified")), (None, None));
    assert_eq!(
        (text("location"), text("x-other")),
        (Some("/intern"), Some("fine"))
    );
}

#[test]
fn a_short_value_is_no_secret() {
    let secrets = Secrets::from_values([("X".to_owned(), "12345".to_owned())]);
    let error = expand_value("${X}", &secrets, &mut Scrubber::default());
    let error = error.expect_err("too short").detail;
    assert!(
        error.contains("fewer than 6 bytes") && !error.contains("12345"),
        "{error}"
    );
}
