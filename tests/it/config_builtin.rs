//! The built-in rules in the configuration: what is read, and what is refused with which words.

use std::time::Duration;

use gannet::config::{
    Builtin, CsvRule, FreshRule, ImageRule, JsonRule, Sha256Rule, SizeRule, VerifierKind,
};
use gannet::domain::{Digest, ImageFormat};

use crate::config::Home;

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn verifier(lines: &str) -> String {
    format!("[[verifier]]\nname = \"v\"\nsources = [\"*\"]\n{lines}\n")
}

fn rule(home: &Home, lines: &str) -> Builtin {
    let config = home
        .load_text(&verifier(lines))
        .unwrap_or_else(|error| panic!("{error}\n{lines}"));
    match &config.verifiers[0].kind {
        VerifierKind::Builtin(rule) => rule.clone(),
        other => panic!("another kind: {other:?}"),
    }
}

#[test]
fn rules_are_read_with_their_parameters() {
    let home = Home::new();
    let share = |text: &str| Some(text.parse().expect("a share"));
    for (lines, expected) in [
        ("builtin = \"utf8\"", Builtin::Utf8),
        ("builtin = \"json\"", Builtin::Json(JsonRule::default())),
        (
            "builtin = \"json\"\nduplicates = \"refuse\"",
            Builtin::Json(JsonRule {
                schema: None,
                unique_keys: true,
            }),
        ),
        ("builtin = \"xml\"", Builtin::Xml),
        ("builtin = \"not-html\"", Builtin::NotHtml),
        ("builtin = \"csv\"", Builtin::Csv(CsvRule::default())),
        (
            "builtin = \"csv\"\ndelimiter = \"\\t\"\nheader = [\"a\", \"b\"]\ncolumns = 2\nmin_rows = 1\nmax_rows = 9\nmin_rows_of_last = \"90%\"",
            Builtin::Csv(CsvRule {
                delimiter: b'\t',
                header: Some(vec!["a".to_owned(), "b".to_owned()]),
                columns: Some(2),
                min_rows: Some(1),
                max_rows: Some(9),
                min_rows_of_last: share("90%"),
            }),
        ),
        ("builtin = \"image\"", Builtin::Image(ImageRule::default())),
        (
            "builtin = \"image\"\nformats = [\"png\", \"jpeg\", \"png\"]\nmax_pixels = 1000",
            Builtin::Image(ImageRule {
                formats: vec![ImageFormat::Jpeg, ImageFormat::Png],
                max_pixels: 1000,
            }),
        ),
        (
            "builtin = \"size\"\nmin_of_last = \"50%\"\nmax_of_last = \"200%\"",
            Builtin::Size(SizeRule {
                min_of_last: share("50%"),
                max_of_last: share("200%"),
                ..SizeRule::default()
            }),
        ),
        (
            "builtin = \"sha256\"\ncompanion = \"SHA256SUMS\"",
            Builtin::Sha256(Sha256Rule::Companion("SHA256SUMS".to_owned())),
        ),
        (
            "builtin = \"fresh\"\nmax_age = \"3d\"",
            Builtin::Fresh(FreshRule {
                max_age: Duration::from_hours(72),
            }),
        ),
    ] {
        assert_eq!(rule(&home, lines), expected, "{lines}");
    }
    let pinned = rule(&home, &format!("builtin = \"sha256\"\ndigest = \"{HEX}\""));
    assert_eq!(pinned, Builtin::Sha256(Sha256Rule::Digest(Digest::of(b""))));
}

#[test]
fn a_schema_is_read_beside_the_configuration() {
    let home = Home::new();
    home.write("config/s.json", "{\"type\": \"object\"}", 0o644);
    let lines = "builtin = \"json\"\nschema = \"s.json\"";
    let first = rule(&home, lines);
    assert!(
        matches!(&first, Builtin::Json(JsonRule { schema: Some(schema), .. }) if schema.digest() == Digest::of(b"{\"type\": \"object\"}")),
        "{first:?}"
    );
    // Another content is another rule, under the same name.
    home.write("config/s.json", "{\"type\": \"array\"}", 0o644);
    assert_ne!(rule(&home, lines), first);
    // Another that asserts formats, too.
    let asserted = rule(&home, &format!("{lines}\nformat = true"));
    assert_ne!(rule(&home, lines), asserted);
    assert_eq!(
        rule(&home, &format!("{lines}\nformat = false")),
        rule(&home, lines)
    );
    for (text, expected) in [
        ("{\"type\": ", "cannot use `s.json`: not JSON: EOF"),
        (
            "{\"properties\": {\"a\": {\"type\": \"strin\"}}}",
            "not a schema: at /properties/a/type",
        ),
        (
            "{\"$ref\": \"https://example.org/other.json\"}",
            "cannot fetch https://example.org/other.json",
        ),
    ] {
        home.write("config/s.json", text, 0o644);
        let problems = home.problems(&verifier(lines));
        assert!(
            matches!(&problems[..], [(5, message)] if message.contains(expected)),
            "{problems:?}"
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn what_is_refused_says_what_is_accepted() {
    let home = Home::new();
    for (lines, line, expected) in [
        (
            "builtin = \"yaml\"",
            4,
            "expected utf8, json, csv, xml, image, sha256, size, fresh or not-html",
        ),
        (
            "builtin = \"not_html\"",
            4,
            "fresh or not-html; did you mean `not-html`?",
        ),
        (
            "builtin = \"json\"\nschema = \"none.json\"",
            5,
            "cannot use `none.json`: No such file",
        ),
        ("builtin = \"json\"\nschema = 3", 5, "a text in quotes"),
        (
            "builtin = \"json\"\nformat = true",
            4,
            "means nothing without `schema`",
        ),
        ("builtin = \"json\"\nformat = \"date\"", 5, "true or false"),
        (
            "builtin = \"json\"\nduplicates = \"no\"",
            5,
            "neither \"allow\" nor \"refuse\"",
        ),
        (
            "builtin = \"csv\"\nduplicates = \"refuse\"",
            5,
            "means nothing with this builtin",
        ),
        (
            "builtin = \"csv\"\ndelimiter = \"ab\"",
            5,
            "give one ASCII character",
        ),
        (
            "builtin = \"csv\"\ndelimiter = \"\\\"\"",
            5,
            "that is not a quote",
        ),
        (
            "builtin = \"csv\"\nheader = []",
            5,
            "give the texts of the first row",
        ),
        ("builtin = \"csv\"\nheader = \"a\"", 5, "a list of texts"),
        (
            "builtin = \"csv\"\nheader = [\"a\"]\ncolumns = 2",
            5,
            "`verifier.columns` contradicts",
        ),
        ("builtin = \"csv\"\ncolumns = 0", 5, "from 1 to 1000000"),
        (
            "builtin = \"csv\"\nmin_rows = -1",
            5,
            "from 1 to 4294967295",
        ),
        (
            "builtin = \"csv\"\nmin_rows = 2\nmax_rows = 1",
            4,
            "`verifier.min_rows` is more than `verifier.max_rows`: no content could pass",
        ),
        (
            "builtin = \"csv\"\nmin_rows_of_last = \"90\"",
            5,
            "give a whole percentage from 1% to 1000%",
        ),
        (
            "builtin = \"csv\"\nmin_rows_of_last = 90",
            5,
            "a text in quotes",
        ),
        (
            "builtin = \"image\"\nformats = [\"png\",\n \"jpg\"]",
            6,
            "`jpg` is not a format of images: expected bmp, gif, ico, jpeg, png, tiff or webp",
        ),
        ("builtin = \"image\"\nformats = []", 5, "allows nothing"),
        ("builtin = \"image\"\nmax_pixels = 0", 5, "from 1 to"),
        ("builtin = \"sha256\"", 4, "sha256 needs either `digest`"),
        (
            "builtin = \"sha256\"\ncompanion = \"a\"\ndigest = \"b\"",
            4,
            "or `companion`",
        ),
        (
            "builtin = \"sha256\"\ndigest = \"abc\"",
            5,
            "is not a digest",
        ),
        (
            "builtin = \"sha256\"\ncompanion = \"\"",
            5,
            "the name or the address of the source",
        ),
        (
            "builtin = \"size\"",
            4,
            "size needs `min`, `max`, `min_of_last` or `max_of_last`",
        ),
        (
            "builtin = \"size\"\nmin = \"2B\"\nmax = \"1B\"",
            4,
            "no content could pass",
        ),
        (
            "builtin = \"size\"\nmin_of_last = \"200%\"\nmax_of_last = \"100%\"",
            4,
            "`verifier.min_of_last` is more than `verifier.max_of_last`",
        ),
        (
            "builtin = \"size\"\nmin_of_last = \"0%\"",
            5,
            "from 1% to 1000%",
        ),
        ("builtin = \"fresh\"", 4, "such as max_age = \"3d\""),
        ("builtin = \"fresh\"\nmax_age = \"2w\"", 5, "or d"),
        (
            "builtin = \"json\"\nmin = \"2B\"",
            5,
            "`verifier.min` means nothing with this builtin",
        ),
        (
            "builtin = \"xml\"\nschema = \"s.json\"",
            5,
            "`verifier.schema` means nothing with this builtin",
        ),
        (
            "command = [\"sh\"]\ncompanion = \"x\"",
            5,
            "`verifier.companion` means nothing with `command`",
        ),
        (
            "builtin = \"csv\"\nminrows = 3",
            5,
            "did you mean `min_rows`?",
        ),
    ] {
        let text = verifier(lines);
        let problems = home.problems(&text);
        assert!(
            problems
                .iter()
                .any(|(at, message)| *at == line && message.contains(expected)),
            "expected {line}: {expected}\nfound {problems:?}\nin\n{text}"
        );
    }
}
