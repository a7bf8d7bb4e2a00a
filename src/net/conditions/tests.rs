//! Validators that are sent back, and the content that a 304 is about.

use std::collections::HashSet;

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).expect(text)
}

fn asked(address: &str, own: &str) -> RequestIdentity {
    let scrubber = Scrubber::default();
    RequestIdentity::new(&url(address), &url(own), &HeaderMap::new(), &scrubber)
}

fn headers(fields: &[(&'static str, &[u8])]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &[u8])| {
        let value = HeaderValue::from_bytes(value).expect("a value");
        (HeaderName::from_static(name), value)
    };
    fields.iter().map(field).collect()
}

#[test]
fn validators_come_back_byte_for_byte_or_not_at_all() {
    let long = vec![b'x'; MAX_VALIDATOR_BYTES + 1];
    let every: Vec<u8> = (0x80..=0xff).collect();
    for (etag, kept) in [
        (&b"W/\"a-gzip\""[..], true),
        (b"unquoted", true),
        (b"\"\xff\"", true),
        ("\"é€\"".as_bytes(), true),
        (&every, true),
        (&long, false),
    ] {
        let asked = asked("https://h/x", "https://h/x");
        let found = given(&headers(&[("etag", etag)]), &asked);
        let mut fields = HeaderMap::new();
        insert(&mut fields, &found);
        let sent = fields.get(IF_NONE_MATCH).map(HeaderValue::as_bytes);
        assert_eq!(sent, kept.then_some(etag));
    }
}

#[test]
fn validators_belong_to_the_address_that_gave_them() {
    let own = "https://h/latest";
    let given = |text: &str| given(&headers(&[("etag", b"\"1\"")]), &asked(text, own));
    for (by, to, sent) in [
        ("https://h/v2", "https://h/v2", true),
        ("https://h/v2", "https://h/v1", false),
        ("https://h/v2", "https://h/latest", false),
        ("https://h/v?n=2", "https://h/v?n=1", false),
        ("https://h/v", "http://h/v", false),
        ("https://h/v", "https://h:444/v", false),
        (
            "https://s3/v?n=1&X-Amz-Signature=aa&X-Amz-Date=1",
            "https://s3/v?n=1&X-Amz-Signature=bb&X-Amz-Date=2",
            true,
        ),
        (
            "https://s3/v?n=1&X-Amz-Signature=aa",
            "https://s3/v?n=2&X-Amz-Signature=aa",
            false,
        ),
        ("https://b/v?sig=a&se=1", "https://b/v?sig=b&se=2", true),
        ("https://b/v?se=1", "https://b/v?se=2", false),
    ] {
        let given = given(by);
        let found = for_request(Some(&given), &asked(to, own));
        assert_eq!(found.is_some(), sent, "{by} {to}");
    }
    let older = Validators {
        address: None,
        ..given("https://h/x")
    };
    assert!(for_request(Some(&older), &asked(own, own)).is_some());
    assert!(for_request(Some(&older), &asked("https://h/v2", own)).is_none());
}

#[test]
fn validators_belong_to_the_fields_that_were_sent() {
    let ask = |fields: &[(&'static str, &[u8])]| {
        let own = url("https://h/x");
        RequestIdentity::new(&own, &own, &headers(fields), &Scrubber::default())
    };
    let sets: [&[(&'static str, &[u8])]; 6] = [
        &[],
        &[("accept-language", b"nl")],
        &[("accept-language", b"de")],
        &[("accept-language", b"nl"), ("x-key", b"abcdef")],
        &[("accept-language", b"nl"), ("x-key", b"ghijkl")],
        &[("user-agent", b"mine/1")],
    ];
    for (at, before) in sets.into_iter().enumerate() {
        let given = given(&headers(&[("etag", b"\"1\"")]), &ask(before));
        for (to, now) in sets.into_iter().enumerate() {
            let found = for_request(Some(&given), &ask(now));
            assert_eq!(found.is_some(), at == to, "{before:?} {now:?}");
        }
        let older = Validators {
            fields: None,
            ..given
        };
        assert!(for_request(Some(&older), &ask(sets[1])).is_some());
    }
    let swapped = ask(&[("x-key", b"abcdef"), ("accept-language", b"nl")]);
    assert_eq!(swapped.fields, ask(sets[3]).fields);
}

/// The stored text fits many values, so a reader cannot tell a right guess from a wrong one.
#[test]
fn no_secret_can_be_guessed_from_what_is_kept() {
    let kept = |secret: &str| {
        let mut scrubber = Scrubber::default();
        scrubber.add("KEY", secret);
        let address = url(&format!("https://h/x?k={secret}"));
        let mut fields = HeaderMap::new();
        fields.insert("x-key", secret.parse().expect("a value"));
        let asked = RequestIdentity::new(&address, &address, &fields, &scrubber);
        (asked.address, asked.fields)
    };
    let all = 3000;
    let (mut addresses, mut fields) = (HashSet::new(), HashSet::new());
    for n in 0..all {
        let (address, field) = kept(&format!("secret-{n}"));
        addresses.insert(address);
        fields.insert(field);
    }
    assert!(addresses.len() < all && fields.len() < all);
    assert_ne!(kept("secret-1"), kept("secret-2"));
    // The form of an older release is recognised.
    let mut scrubber = Scrubber::default();
    scrubber.add("KEY", "hunter2");
    let own = url("https://h/x?k=hunter2");
    let plain = hex(own.as_str().as_bytes(), IDENTITY_CHARS);
    let older = Validators {
        etag: Some("\"1\"".to_owned()),
        address: Some(plain.clone()),
        ..Validators::default()
    };
    let asked = RequestIdentity::new(&own, &own, &HeaderMap::new(), &scrubber);
    assert!(for_request(Some(&older), &asked).is_some());
    assert_ne!(asked.address, plain);
}

#[test]
fn what_may_change_within_its_second_is_no_validator() {
    let at = |second: u8| format!("Mon, 01 Jan 2024 10:00:{second:02} GMT");
    let now = "2024-01-01T10:00:05.900Z".parse().expect("a time");
    let seconds = 1_704_103_205_i64;
    let base_36 = in_base_36(seconds);
    assert_eq!(i64::from_str_radix(&base_36, 36), Ok(seconds));
    let settled = |date: Option<u8>, etag: &str| {
        let mut fields = HeaderMap::new();
        let date = date.map(at);
        let all = [
            (DATE, date),
            (LAST_MODIFIED, Some(at(5))),
            (ETAG, Some(etag.to_owned())),
        ];
        for (name, value) in all {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                fields.insert(name, value.parse().expect("a value"));
            }
        }
        let found = validators(&fields, &asked("https://h/", "https://h/"), now);
        (found.last_modified.is_some(), found.etag.is_some())
    };
    for (date, expected) in [
        (Some(6), true),
        (Some(59), true),
        (Some(5), false),
        // A server's clock behind, or an invented date.
        (Some(4), false),
        // Less than a second by this machine's clock.
        (None, false),
    ] {
        assert_eq!(settled(date, ""), (expected, false), "{date:?}");
        for (etag, is_of_second) in [
            (format!("\"{seconds:x}-1f4\""), true),
            (format!("W/\"{seconds:X}-1f4\""), true),
            (format!("\"1f4-{seconds}\""), true),
            (format!("\"{base_36}dw\""), true),
            // A finer time, a digest, a version number.
            (format!("\"1f4-{:x}\"", seconds * 1_000_000 + 7), false),
            (format!("\"0{seconds}7\""), false),
            ("\"d41d8cd98f00b204e9800998ecf8427e\"".to_owned(), false),
            ("W/\"17\"".to_owned(), false),
        ] {
            let found = settled(date, &etag);
            assert_eq!(
                found,
                (expected, expected || !is_of_second),
                "{date:?} {etag}"
            );
        }
    }
}

#[test]
fn a_304_speaks_of_what_was_asked_or_not() {
    let day = |day: u8| format!("Mon, 0{day} Jan 2023 00:00:00 GMT");
    let (one, two) = (day(1), day(2));
    for (sent, answered, expected) in [
        ((Some("\"a\""), None), (Some("\"a\""), None), true),
        ((Some("\"a\""), None), (Some("\"b\""), None), false),
        ((Some("W/\"a\""), None), (Some("\"a\""), None), true),
        ((Some("\"a\""), None), (Some("W/\"b\""), None), false),
        ((Some("W/\"a\""), None), (Some("\"b\""), None), false),
        ((Some("W/\"a\""), None), (Some("W/\"b\""), None), true),
        ((Some("\"a-gzip\""), None), (Some("\"a\""), None), true),
        (
            (Some("\"a\""), Some(&one)),
            (Some("\"a\""), Some(&two)),
            true,
        ),
        ((Some("\"a\""), Some(&one)), (None, Some(&two)), false),
        ((None, Some(&two)), (None, Some(&one)), false),
        ((None, Some(&two)), (None, Some(&two)), true),
        ((None, Some(&two)), (Some("\"a\""), None), true),
        ((Some("\"a\""), Some(&two)), (None, None), true),
    ] {
        let sent = Validators {
            etag: sent.0.map(str::to_owned),
            last_modified: sent.1.cloned(),
            ..Validators::default()
        };
        let mut fields = HeaderMap::new();
        for (name, value) in [
            (ETAG, answered.0.map(str::to_owned)),
            (LAST_MODIFIED, answered.1.cloned()),
        ] {
            if let Some(value) = value {
                fields.insert(name, value.parse().expect("a value"));
            }
        }
        let found = confirms(&fields, &asked("https://h/", "https://h/"), &sent);
        assert_eq!(found, expected, "{sent:?} {fields:?}");
    }
}
