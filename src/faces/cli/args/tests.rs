//! Tests of the command line: what it accepts, and the messages for what it refuses.

use std::path::Path;

use clap::CommandFactory as _;

use super::{AppCommand, Cli, Command, TableFormat};
use crate::domain::{Interval, PublishPolicy, SettingsPatch, VerdictOutcome};

fn read(line: &str) -> Result<Cli, clap::Error> {
    Cli::read_from(std::iter::once("gannet").chain(line.split_whitespace()))
}

fn command(line: &str) -> AppCommand {
    match read(line).expect(line).command {
        Some(Command::App(command)) => command,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn definitions_are_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_a_help_text_and_an_example() {
    let mut cli = Cli::command();
    cli.build();
    for command in cli
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        let name = command.get_name();
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(
            !about.is_empty() && !about.ends_with('.'),
            "{name}: {about}"
        );
        if name != "help" {
            let after = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                after.contains(&format!("gannet {name}")),
                "{name} has no example"
            );
        }
    }
}

#[test]
fn add_takes_everything() {
    let AppCommand::Add(args) = command(
        "add https://example.org/a 12h --name a --tag x --tag y --allow-private --allow-http \
         --allow-empty --header K:${S} --publish newest --max-size 256MiB --disabled",
    ) else {
        panic!("add");
    };
    let (addresses, interval) = args.split().expect("an interval");
    assert_eq!(addresses, ["https://example.org/a"]);
    assert_eq!(interval.map(Interval::hours), Some(12));
    let given = SettingsPatch {
        name: Some("a".to_owned()),
        tags: Some(vec!["x".to_owned(), "y".to_owned()]),
        headers: Some(vec![("K".to_owned(), "${S}".to_owned())]),
        allow_private: Some(true),
        allow_http: Some(true),
        allow_empty: Some(true),
        publish: Some(PublishPolicy::Newest),
        max_size_bytes: Some(Some(256 << 20)),
        ..SettingsPatch::default()
    };
    assert_eq!(args.settings.patch(), given);
    assert!(args.disabled);
    let AppCommand::Add(plain) = command("add https://example.org/a") else {
        panic!("add");
    };
    assert_eq!(plain.split().expect("good").1, None);
    assert_eq!(plain.settings.patch(), SettingsPatch::default());
    assert!(!plain.disabled);
}

#[test]
fn a_bad_interval_is_told_what_is_accepted() {
    for interval in ["30m", "1.5h", "0h", "1h30m", "-1d", "9999999999d", "-12h"] {
        for line in [
            format!("add https://example.org/a {interval}"),
            format!("edit a --interval {interval}"),
            format!("set_interval https://example.org/a {interval}"),
        ] {
            let error = match read(&line).map(|cli| cli.command) {
                Ok(Some(Command::App(AppCommand::Add(args)))) => args.split().expect_err(&line),
                Ok(other) => panic!("{line}: {other:?}"),
                Err(error) => {
                    assert_eq!(error.exit_code(), 2);
                    error.to_string()
                }
            };
            assert!(error.contains("1h, 12h, 1d or 7d"), "{line}: {error}");
        }
    }
}

#[test]
fn interval_is_the_last_of_many() {
    let AppCommand::Interval(args) = command("interval 1 rates-* 6h") else {
        panic!("interval");
    };
    let (sources, interval) = args.split().expect("good");
    assert_eq!(sources, ["1", "rates-*"]);
    assert_eq!(interval.hours(), 6);
    for (line, part) in [
        ("interval prices 30m", "1h, 12h, 1d or 7d"),
        ("interval 6h", "at least one source"),
    ] {
        let AppCommand::Interval(args) = command(line) else {
            panic!("{line}");
        };
        let message = args.split().expect_err(line);
        assert!(message.contains(part), "{message}");
    }
    let negative = read("interval prices -1d").expect_err("negative");
    assert!(
        negative.to_string().contains("`-1d` is not an interval"),
        "{negative}"
    );
    for line in [
        "interval prices 6h --data-dir d",
        "interval --data-dir d prices 6h",
        "interval prices --data-dir d 6h",
        "add https://h/a --data-dir d 6h",
        "set_interval https://h/a --data-dir d 6h",
    ] {
        let cli = read(line).expect(line);
        assert_eq!(cli.data_dir.as_deref(), Some(Path::new("d")), "{line}");
    }
    let help = read("interval prices --help").expect_err("help");
    assert_eq!(help.exit_code(), 0);
    assert_eq!(read("interval").expect_err("no value").exit_code(), 2);
}

#[test]
fn edit_needs_a_change() {
    let changes = |line: &str| match command(line) {
        AppCommand::Edit(args) => args.changes.patch().expect("good values"),
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(changes("edit prices"), None);
    for (option, setting) in [
        ("--address https://h/a", r#"{"address":"https://h/a"}"#),
        ("--interval 1h", r#"{"interval":"1h"}"#),
        ("--name a", r#"{"name":"a"}"#),
        ("--tag a --tag b", r#"{"tags":["a","b"]}"#),
        ("--no-tags", r#"{"tags":[]}"#),
        ("--header A:b", r#"{"headers":{"A":"b"}}"#),
        ("--no-headers", r#"{"headers":{}}"#),
        ("--allow-private", r#"{"allow_private":true}"#),
        ("--allow-http=false", r#"{"allow_http":false}"#),
        ("--allow-empty", r#"{"allow_empty":true}"#),
        ("--publish newest", r#"{"publish":"newest"}"#),
        ("--max-size default", r#"{"max_size":null}"#),
        (
            "--max-size 1KiB --publish passed",
            r#"{"publish":"passed","max_size":"1KiB"}"#,
        ),
    ] {
        let changes = changes(&format!("edit prices {option}"));
        let written = serde_json::to_string(&changes).expect("JSON");
        assert_eq!(written, setting, "{option}");
        let read = serde_json::from_str::<SettingsPatch>(&written).expect("its own words");
        assert_eq!(Some(read), changes, "{option}");
    }
    for line in [
        "edit a --tag x --no-tags",
        "edit a --header K:v --no-headers",
        "edit --no-tags",
    ] {
        assert!(read(line).is_err(), "{line}");
    }
}

#[test]
fn the_worker_stands_alone() {
    let cli = read("--worker-only --loop --json --config c.toml --data-dir d").expect("good");
    assert!(cli.worker_only && cli.stay && cli.json && cli.command.is_none());
    for line in ["--loop", "--json", "--worker-only list", "--loop list"] {
        assert_eq!(read(line).expect_err(line).exit_code(), 2, "{line}");
    }
    assert!(
        read("list --data-dir d")
            .expect("global")
            .data_dir
            .is_some()
    );
    let Some(Command::Demo(demo)) = read("demo --worker-only").expect("good").command else {
        panic!("demo");
    };
    assert!(demo.worker_only);
    assert!(read("").expect("nothing").command.is_none());
}

#[test]
fn the_earlier_names_work() {
    assert!(matches!(command("build_db"), AppCommand::LegacyBuild));
    let AppCommand::LegacyAdd(add) = command("add_url https://example.org/a 1h") else {
        panic!("add_url");
    };
    assert_eq!(
        (add.address.as_str(), add.interval.hours()),
        ("https://example.org/a", 1)
    );
    for (text, expected) in [("True", true), ("False", false), ("false", false)] {
        let AppCommand::LegacyEnabled(args) = command(&format!("url_enabled https://h/a {text}"))
        else {
            panic!("url_enabled");
        };
        assert_eq!(args.enabled, expected);
    }
    assert!(read("url_enabled https://h/a maybe").is_err());
    assert!(
        !Cli::command()
            .render_long_help()
            .to_string()
            .contains("add_url")
    );
}

#[test]
fn formats_exclude_each_other() {
    let AppCommand::List(list) = command("list --csv") else {
        panic!("list");
    };
    assert_eq!(list.format(), TableFormat::Csv);
    for line in [
        "list --csv --json",
        "history a --csv --json",
        "dump --toml --json",
    ] {
        assert!(read(line).is_err(), "{line}");
    }
}

#[test]
fn a_verdict_is_passed_or_failed() {
    let AppCommand::Verdict(args) = command("verdict 217 legal failed --detail no") else {
        panic!("verdict");
    };
    assert_eq!(args.outcome, VerdictOutcome::Failed);
    for outcome in ["error", "ok"] {
        let error = read(&format!("verdict 217 legal {outcome}")).expect_err(outcome);
        assert!(error.to_string().contains("passed or failed"), "{error}");
    }
}

#[test]
fn exit_codes_are_in_the_help() {
    let help = Cli::command().render_help().to_string();
    for code in [
        "0  done",
        "1  done, but",
        "2  the request",
        "3  could not run",
    ] {
        assert!(help.contains(code), "{help}");
    }
}
