//! Tests of the file of sources: printing and parsing agree, and each problem is reported with its line.

use proptest::prelude::*;

use super::{parse, print, problems};
use crate::domain::{Address, Interval, PublishPolicy, SettingsPatch, SourceSettings};

const FILE: &str = r#"
[[source]]
name = "prices"
address = "https://example.org/prices.csv"
interval = "6h"
enabled = false
tags = ["eu", "prices"]
headers = { Authorization = "Bearer ${TOKEN}", Accept = ["text/csv", "text/plain"] }
allow_private = true
publish = "newest"
max_size = "256MiB"

[[source]]
address = "http://example.org/rates"
allow_http = true
"#;

#[test]
fn reads_a_file() {
    let sources = parse("sources.toml", FILE).expect("a good file");
    let [prices, rates] = sources.as_slice() else {
        panic!("two sources: {sources:?}");
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let said = SettingsPatch {
        name: Some("prices".to_owned()),
        interval: Interval::from_hours(6),
        enabled: Some(false),
        tags: Some(vec!["eu".to_owned(), "prices".to_owned()]),
        headers: Some(vec![
            pair("Accept", "text/csv"),
            pair("Accept", "text/plain"),
            pair("Authorization", "Bearer ${TOKEN}"),
        ]),
        allow_private: Some(true),
        publish: Some(PublishPolicy::Newest),
        max_size_bytes: Some(Some(256 << 20)),
        ..SettingsPatch::default()
    };
    assert_eq!(prices.settings, said);
    assert_eq!(rates.address, "http://example.org/rates");
    let said = SettingsPatch {
        allow_http: Some(true),
        ..SettingsPatch::default()
    };
    assert_eq!(rates.settings, said);
    assert!(parse("empty", "").expect("an empty file").is_empty());
}

#[test]
fn a_long_file_is_read_as_a_short_one() {
    let entry = |number: usize| format!("[[source]]\naddress = \"https://example.org/{number}\"\n");
    let many = |count: usize| (0..count).map(entry).collect::<String>();
    for count in [999, 1000, 1001, 2500] {
        let sources = parse("f", &many(count)).expect("sources");
        let addresses = sources.iter().map(|source| source.address.clone());
        let expected = (0..count).map(|number| format!("https://example.org/{number}"));
        assert!(addresses.eq(expected), "{count}");
    }
    let headers = "[source.headers]\nAccept = \"text/csv\"\n";
    let sources = parse(
        "f",
        &format!("# all\n\n{}{headers}{}", many(1000), entry(1000)),
    );
    let headers = &sources.expect("sources")[999].settings.headers;
    assert_eq!(headers.as_ref().map(Vec::len), Some(1));
    // A text that looks like the beginning of a source, where the next group would begin.
    let among = |value: &str| parse("f", &format!("{}{value}{}", many(1000), entry(1000)));
    for quotes in ["\"\"\"", "'''"] {
        let sources = among(&format!("name = {quotes}\n[[source]]\n{quotes}\n"));
        let names = sources
            .expect("sources")
            .into_iter()
            .map(|source| source.settings.name);
        assert_eq!(names.flatten().collect::<Vec<_>>(), ["[[source]]\n"]);
    }
    let errors = among("tags = [\n[[source]]\n]\n").expect_err("no tag").0;
    assert_eq!((errors.len(), errors[0].line), (1, 2002), "{errors:?}");
    for (more, line, part) in [
        (entry(3), 3002, "is in line 8 already"),
        (format!("{}intervall = 1\n", entry(5000)), 3003, "intervall"),
        (format!("{}x = \n", entry(5000)), 3003, "not TOML"),
        ("[other]\n".to_owned(), 3001, "unknown key `other`"),
    ] {
        let errors = parse("f", &format!("{}{more}", many(1500)))
            .expect_err(part)
            .0;
        let found = errors.iter().find(|error| error.reason.contains(part));
        assert_eq!(found.expect(part).line, line, "{errors:?}");
    }
}

#[test]
fn names_file_line_and_key() {
    let entry = "[[source]]\naddress = \"https://example.org/a\"\n";
    for (text, line, part) in [
        (format!("{entry}intervall = \"1h\"\n"), 3, "intervall"),
        ("[[sources]]\n".to_owned(), 1, "sources"),
        ("[[source]]\nname = \"a\"\n".to_owned(), 1, "address"),
        (
            format!("{entry}interval = \"30m\"\n"),
            3,
            "1h, 12h, 1d or 7d",
        ),
        (
            format!("{entry}interval = 1\n"),
            3,
            "`source.interval`: expected a text in quotes, found integer",
        ),
        (
            format!("{entry}enabled = \"yes\"\n"),
            3,
            "`source.enabled`: expected true or false, found string",
        ),
        (format!("{entry}publish = \"all\"\n"), 3, "passed or newest"),
        (format!("{entry}max_size = \"big\"\n"), 3, "is not a size"),
        (
            format!("{entry}headers = {{ A = 1 }}\n"),
            3,
            "list of strings",
        ),
        (format!("{entry}name = \"a\n"), 3, ""),
        (
            "[[source]]\naddress = \"ftp://h/a\"\n".to_owned(),
            2,
            "only https",
        ),
        (format!("{entry}\n{entry}"), 5, "is in line 2 already"),
        (
            format!("{entry}name = \"x\"\n[[source]]\naddress = \"https://h/b\"\nname = \"x\"\n"),
            6,
            "name `x` is in line 3 already",
        ),
    ] {
        let errors = parse("sources.toml", &text).expect_err(&text).0;
        let error = &errors[0];
        assert_eq!(error.line, line, "{error}");
        assert!(
            error
                .to_string()
                .starts_with(&format!("sources.toml:{line}: "))
        );
        assert!(error.reason.contains(part), "{error}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "[[source]]\naddress = \"ftp://h/a\"\ninterval = \"1x\"\n[[source]]\nname = \"b\"\n\
                [[source]]\naddress = \"https://h/c\"\npublish = \"all\"\n[sources]\n";
    let errors = parse("f", text).expect_err("bad").0;
    let lines: Vec<_> = errors.iter().map(|error| error.line).collect();
    assert_eq!(lines, [2, 3, 4, 8, 9]);
    // Problems that only the use-cases find are reported with their line too.
    let text = "[[source]]\naddress = \"https://h/a\"\n[[source]]\naddress = \"https://h/b?token=hunter2\"\n\
                [[source]]\naddress = \"https://10.0.0.1/c\"\n[[source]]\naddress = \"https://h/d\"\nname = \"17\"\n";
    let errors = problems("f", text);
    let lines: Vec<_> = errors.0.iter().map(|error| error.line).collect();
    assert_eq!(lines, [4, 6, 9]);
    let text = errors.to_string();
    assert!(
        text.contains("https://h/b?token=…: the parameter `token`")
            && text.contains("or say literal = true")
            && !text.contains("hunter2"),
        "{text}"
    );
    for text in ["sources:\n  - address: x\n", "{\"source\": []}"] {
        let errors = parse("f", text).expect_err("not TOML").0;
        assert!(
            errors.len() == 1 && errors[0].reason.starts_with("not TOML: "),
            "{errors:?}"
        );
    }
    let many = "[[source]]\n".repeat(25);
    let text = parse("f", &many).expect_err("bad").to_string();
    assert!(
        text.lines().count() == 21 && text.ends_with("and 5 more"),
        "{text}"
    );
}

#[test]
fn every_setting_of_one_source_that_is_wrong_is_told() {
    for (settings, parts) in [
        (
            &[
                "interval = \"90m\"",
                "publish = \"all\"",
                "max_size = \"lots\"",
                "tags = [\"a b\"]",
                "user = \"joe:plain\"",
            ][..],
            &[
                "1h, 12h",
                "passed or newest",
                "is not a size",
                "cannot be a tag",
                "plain text",
            ][..],
        ),
        (
            &["name = \"17\"", "headers = { Host = \"x\" }", "enabled = 1"],
            &[
                "a letter",
                "gannet's own",
                "`source.enabled`: expected true or false, found integer",
            ],
        ),
        (
            &["tags = [\"a b\"]", "colour = 1", "user = \"joe\""],
            &["cannot be a tag", "headers, literal)", "a colon"],
        ),
        (
            &[
                "user = \"joe:${A}\"",
                "headers = { authorization = \"Bearer ${A}\" }",
            ],
            &["two logins"],
        ),
    ] {
        for address in [
            "https://h/a",
            "https://h/a?token=hunter2",
            "https://localhost/a",
        ] {
            let text = format!(
                "[[source]]\n{}\naddress = {address:?}\n",
                settings.join("\n")
            );
            let errors = problems("f", &text).0;
            let at_address = 2 + settings.len();
            for (line, part) in (2..).zip(parts) {
                let is_told = |error: &super::read::SourcesFileError| {
                    let line = if parts.len() == 1 { at_address } else { line };
                    error.line == line && error.reason.contains(part)
                };
                // Contradictions are only checked among settings that are valid.
                let is_asked = parts.len() > 1 || address == "https://h/a";
                assert_eq!(errors.iter().any(is_told), is_asked, "{part}: {errors:?}");
            }
            let is_wrong = |error: &&super::read::SourcesFileError| error.line == at_address;
            let wrong = errors.iter().filter(is_wrong).count();
            let is_good = address == "https://h/a" && parts.len() > 1;
            assert_eq!(wrong, usize::from(!is_good), "{errors:?}");
        }
    }
}

#[test]
fn prints_what_is_not_the_default() {
    let plain = settings("b", 24);
    let mut full = settings("a", 6);
    full.enabled = false;
    full.tags = vec!["eu".to_owned(), "prices".to_owned()];
    full.headers = vec![("Authorization".to_owned(), "Bearer ${TOKEN}".to_owned())];
    full.max_size_bytes = Some(3 << 20);
    insta::assert_snapshot!(print([&plain, &full]), @r#"
    # Sources of gannet; `gannet apply FILE` makes the catalogue so.

    [[source]]
    name = "a"
    address = "https://example.org/a"
    interval = "6h"
    enabled = false
    tags = ["eu", "prices"]
    max_size = "3MiB"

    [source.headers]
    Authorization = "Bearer ${TOKEN}"

    [[source]]
    name = "b"
    address = "https://example.org/b"
    interval = "1d"
    "#);
}

fn settings(name: &str, hours: u32) -> SourceSettings {
    SourceSettings {
        interval: Interval::from_hours(hours).expect("in range"),
        ..SourceSettings::sample(name)
    }
}

prop_compose! {
    fn any_settings(index: usize)(
        name in ".{1,12}", hours in 1..=Interval::MAX_HOURS, enabled: bool,
        tags in prop::collection::vec("[a-z\"é]{1,6}", 0..3),
        values in prop::collection::vec(("[A-Za-z-]{1,3}", ".{0,8}"), 0..5),
        switches: [bool; 4], size in prop::option::of(1..=i64::MAX.unsigned_abs()),
    ) -> SourceSettings {
        let mut headers = values;
        // Only the order among values of one header has a meaning (RFC 9110 §5.3).
        headers.sort_by(|one, other| one.0.cmp(&other.0));
        SourceSettings {
            name: format!("{name}{index}"),
            enabled,
            tags,
            headers,
            allow_private: switches[0],
            allow_http: switches[1],
            allow_empty: switches[2],
            publish: if switches[3] { PublishPolicy::Newest } else { PublishPolicy::Passed },
            max_size_bytes: size,
            ..settings(&index.to_string(), hours)
        }
    }
}

proptest! {
    #[test]
    fn reads_what_it_prints(one in any_settings(1), two in any_settings(2)) {
        let mut expected = vec![one, two];
        expected.sort_by(|one, other| one.name.cmp(&other.name));
        let sources = parse("f", &print(&expected)).expect("its own output");
        prop_assert_eq!(sources.len(), expected.len());
        for (source, settings) in sources.into_iter().zip(expected) {
            let address = Address::parse(&source.address, true).expect("an address");
            let name = source.settings.name.clone().expect("a name");
            let defaults = SourceSettings::new(name, address);
            prop_assert_eq!(source.settings.apply_to(&defaults), Ok(settings));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".*") {
        let _ = parse("f", &text);
    }
}

#[test]
fn keys_are_named_and_no_options_of_add() {
    for (source, line, key) in [
        ("address = \"http://example.org/a\"", 2, "allow_http = true"),
        ("address = \"ftp://example.org/a\"", 2, "allow_http = true"),
        (
            "name = \"a\"\naddress = \"https://10.0.0.1/a\"",
            3,
            "allow_private = true",
        ),
        (
            "address = \"https://localhost/a\"",
            2,
            "allow_private = true",
        ),
        (
            "address = \"https://joe:hunter2@example.org/a\"",
            2,
            "headers = { Authorization = \"Bearer ${TOKEN}\" }",
        ),
        (
            "address = \"https://example.org/a?token=hunter2hunter2\"",
            2,
            "literal = true",
        ),
        (
            "address = \"https://example.org/a\"\npublish = \"never\"",
            3,
            "`never`",
        ),
    ] {
        let text = format!("[[source]]\n{source}\n");
        let wrong = problems("sources.toml", &text).to_string();
        assert!(
            wrong.starts_with(&format!("sources.toml:{line}: ")),
            "{wrong}"
        );
        assert!(wrong.contains(key) && !wrong.contains("--"), "{wrong}");
    }
}
