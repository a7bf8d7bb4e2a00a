//! What each word of a filter matches, what is refused, and that a filter's text gives the same filter again.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::domain::{
    Address, Interval, Slot, Source, SourceId, SourceSettings, SourceState, StateWord, VersionId,
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn filter(text: &str) -> Filter {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A source due at 18:00, of a set, with a published version.
fn source() -> Source {
    let address = Address::parse("https://Files.example.org:8443/Prices/eu.csv", false);
    Source {
        id: SourceId(1),
        settings: SourceSettings {
            interval: Interval::from_hours(6).expect("in range"),
            tags: vec!["prices".to_owned(), "eu-west".to_owned()],
            ..SourceSettings::new("Price list".to_owned(), address.expect("an address"))
        },
        published_path: "files.example.org/Prices/eu.csv".to_owned(),
        created_at: at("2026-01-01T00:00:00Z"),
        removed_at: None,
        day: None,
        state: SourceState {
            next_slot: Slot::containing(at("2026-01-31T18:00:00Z")),
            failures: 0,
            last_attempt_at: None,
            last_outcome: None,
            version_id: Some(VersionId(1)),
            version_state: None,
            published_version_id: Some(VersionId(1)),
            publish_due: false,
            publish_error: None,
            set: Some("release".to_owned()),
            set_fails: false,
            set_version_id: None,
            showing_set: None,
            withdrawn: None,
            days: None,
        },
    }
}

fn facts(source: &Source) -> FilterFacts<'_> {
    FilterFacts {
        source,
        state: StateWord::Error,
        is_failing: true,
        is_unjudged: true,
        verifiers: &["schema", "legal"],
        changed_at: Some(at("2026-01-29T17:00:00Z")),
        now: at("2026-01-31T17:00:00Z"),
    }
}

#[test]
fn every_word_matches_what_it_names() {
    let source = source();
    let facts = facts(&source);
    for (text, expected) in [
        ("", true),
        (" \t\n", true),
        ("tag:prices", true),
        ("tag:price", false),
        ("tag:eu-*", true),
        ("tag:*-east", false),
        ("state:error", true),
        ("state:ERROR", true),
        ("state:fail,error", true),
        ("state:fail", false),
        ("host:files.example.org", true),
        ("host:FILES.example.org:8443", true),
        ("host:*.org", true),
        ("host:example.org", false),
        ("verifier:schema", true),
        ("verifier:l*", true),
        ("verifier:json", false),
        ("set:release", true),
        ("set:rel[ea]ase", true),
        ("set:other", false),
        ("of:*", false),
        ("interval:6h", true),
        ("interval:1d", false),
        ("interval:<6h", false),
        ("interval:<=6h", true),
        ("interval:>=6h", true),
        ("interval:>1h", true),
        ("changed:2d", true),
        ("changed:47h", false),
        ("changed:<2d", false),
        ("changed:>=2d", true),
        ("changed:>2d", false),
        ("changed:>30d", false),
        ("due:now", false),
        ("due:59m", false),
        ("due:1h", true),
        ("due:900000000w", true),
        ("is:failing", true),
        ("is:due", false),
        ("is:off", false),
        ("is:published", true),
        ("is:unjudged", true),
        ("~^Price", true),
        ("~^price", false),
        ("~(?i)^price", true),
        (r"~/eu\.csv$", true),
        ("*.csv", true),
        ("Price*", true),
        ("price*", false),
        ("Price?list", true),
        ("PRICE", true),
        ("prices/EU", true),
        ("https://files", true),
        ("example.org:8443", true),
        ("org:8443/prices", true),
        ("rates", false),
    ] {
        assert_eq!(filter(text).matches(&facts), expected, "{text}");
        if !text.trim().is_empty() {
            let negated = filter(&format!("!{text}"));
            assert_eq!(negated.matches(&facts), !expected, "!{text}");
        }
    }
}

#[test]
fn a_source_that_lacks_a_fact_does_not_match_its_word() {
    let mut source = source();
    source.settings.enabled = false;
    source.state.set = None;
    source.state.published_version_id = None;
    let facts = FilterFacts {
        state: StateWord::Off,
        is_failing: false,
        is_unjudged: false,
        verifiers: &[],
        changed_at: None,
        ..facts(&source)
    };
    for text in [
        "verifier:*",
        "set:*",
        "changed:>1m",
        "changed:9w",
        "due:9w",
        "is:published",
        "is:failing",
        "is:unjudged",
    ] {
        assert!(!filter(text).matches(&facts), "{text}");
    }
    assert!(filter("is:off").matches(&facts));
}

#[test]
fn all_words_must_match_and_quotes_keep_blanks() {
    let source = source();
    let facts = facts(&source);
    for (text, expected) in [
        ("tag:prices  state:error", true),
        ("tag:prices state:ok", false),
        ("tag:prices !state:ok", true),
        ("\"price list\"", true),
        ("list price", true),
        ("\"list price\"", false),
        ("!\"price list\"", false),
        ("~\"^Price list$\"", true),
        ("\"~^Price list$\"", true),
        ("Price\" \"l*", true),
        ("\"a \"\"quoted\"\" word\"", false),
    ] {
        assert_eq!(filter(text).matches(&facts), expected, "{text}");
    }
    let words = split("a \"b \"\" c\" d\"\"e").expect("quotes in pairs");
    assert_eq!(words, ["a", "b \" c", "de"]);
}

#[test]
fn what_is_no_filter_is_refused_with_what_is_expected() {
    for (text, parts) in [
        ("!", &["`!`: expected something"] as &[_]),
        ("a \"\"", &["``: expected something"]),
        ("!!a", &["`!!a`: expected one !"]),
        ("a \"b c", &["`b c`: expected a closing quote"]),
        ("tag:", &["`tag:`: expected a tag or a glob"]),
        ("tag:[", &["`tag:[`: expected a glob"]),
        ("*[", &["`*[`: expected a glob"]),
        (
            "stat:ok",
            &[
                "`stat:ok`: expected one of tag: state:",
                "did you mean `state`?",
            ],
        ),
        ("Tag:eu", &["did you mean `tag`?"]),
        (
            "colour:red",
            &["`colour:red`: expected one of", "`~colour:` finds"],
        ),
        (
            "state:dwon",
            &[
                "`state:dwon`: expected states, of ok,",
                "did you mean `down`?",
            ],
        ),
        ("state:ok,", &["expected states, of ok,"]),
        ("interval:6", &["`interval:6`: expected hours or days"]),
        ("interval:=6h", &["expected hours or days"]),
        ("changed:", &["expected an age"]),
        ("changed:2y", &["`changed:2y`: expected an age"]),
        ("changed:<", &["expected an age"]),
        ("due:tomorrow", &["`due:tomorrow`: expected now, or a time"]),
        (
            "is:faling",
            &["expected failing, due, off", "did you mean `failing`?"],
        ),
        ("~", &["expected a regular expression, such as"]),
        (
            "~(",
            &["`~(`: expected a regular expression: unclosed group"],
        ),
        (
            r"~\w{1000}{1000}",
            &["expected a smaller regular expression"],
        ),
        ("is:https://u:hunter2@h/", &["…@h/`: expected failing"]),
    ] {
        let error = text.parse::<Filter>().expect_err(text);
        for part in parts {
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(!error.contains("hunter2"), "{error}");
    }
    let long = "a".repeat(MAX_BYTES + 1).parse::<Filter>();
    assert!(long.is_err_and(|error| error.contains("longer than")));
    let many = "a ".repeat(MAX_WORDS + 1).parse::<Filter>();
    assert!(many.is_err_and(|error| error.contains("more than 64 words")));
}

#[test]
fn a_filter_names_the_facts_that_it_asks_for() {
    let asks = |text: &str| {
        let filter = filter(text);
        [
            filter.asks_verifiers(),
            filter.asks_changes(),
            filter.asks_failing(),
            filter.asks_removed(),
        ]
    };
    for (text, expected) in [
        ("a tag:b is:due", [false; 4]),
        ("!verifier:a", [true, false, false, false]),
        ("changed:2d", [false, true, false, false]),
        ("!is:failing", [false, false, true, false]),
        ("state:off,removed", [false, false, false, true]),
        ("!state:removed", [false; 4]),
    ] {
        assert_eq!(asks(text), expected, "{text}");
    }
}

#[test]
fn two_filters_together_are_one() {
    let both = filter("tag:eu").and(&filter("!is:off \"a b\""));
    assert_eq!(both, filter("tag:eu !is:off \"a b\""));
    assert_eq!(Filter::default().and(&both), both);
    assert_eq!(both.clone().and(&Filter::default()), both);
    assert!(Filter::default().is_empty());
}

fn word() -> impl Strategy<Value = String> {
    let key = proptest::sample::select(vec![
        "tag:a",
        "tag:p*",
        "state:error",
        "host:*.org",
        "set:release",
        "interval:>=6h",
        "changed:<3d",
        "due:2h",
        "is:failing",
        "~^P",
        "*.csv",
        "verifier:s?hema",
    ]);
    prop_oneof![
        key.prop_map(str::to_owned),
        "[a-zA-Z./-]{1,6}",
        "[a-z]{1,3}\"[a-z ]{0,4}(\"\")?[a-z]{0,2}\"",
    ]
}

proptest! {
    #[test]
    fn the_text_of_a_filter_is_the_same_filter(
        words in proptest::collection::vec((any::<bool>(), word()), 0..5),
        gap in "[ \t]{1,3}",
    ) {
        let words = words.into_iter();
        let words = words.map(|(is_negated, word)| if is_negated { format!("!{word}") } else { word });
        let text = words.collect::<Vec<_>>().join(&gap);
        let typed = filter(&text);
        let again = filter(&typed.to_string());
        prop_assert_eq!(&again, &typed);
        let source = source();
        let facts = facts(&source);
        let each = split(&text).expect("quotes in pairs");
        let all = each.iter().all(|word| Word::parse(word).expect("a word").matches(&facts));
        prop_assert_eq!(again.matches(&facts), all);
    }

    #[test]
    fn no_text_breaks_the_parser(text in ".{0,40}") {
        if let Ok(filter) = text.parse::<Filter>() {
            let source = source();
            let _ = filter.matches(&facts(&source));
            prop_assert_eq!(filter.to_string(), text);
        }
    }
}
