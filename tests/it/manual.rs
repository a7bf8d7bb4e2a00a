//! The README and the manual say what the program does: their commands are read by its own parser, and the README's are run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gannet::faces::cli::Cli;

use crate::rig::{Gannet, Origin, Reply};

/// A page: its file's name and its text.
type Page = (String, String);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> Page {
    let text = fs::read_to_string(root().join("README.md")).expect("README.md");
    ("README.md".to_owned(), text)
}

/// Returns the topics, called as their files are.
fn topics() -> Vec<Page> {
    let files = fs::read_dir(root().join("assets/manual")).expect("the manual");
    let paths = files.map(|file| file.expect("a file").path());
    let mut pages: Vec<_> = paths
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("text");
            (name.into_owned(), text)
        })
        .collect();
    pages.sort();
    assert!(pages.len() > 10, "the manual was found");
    pages
}

/// Returns the lines of the fences of this language.
fn fenced<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let (mut lines, mut inside) = (Vec::new(), None);
    for line in text.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(opened), None) => inside = Some(opened),
            (Some(_), Some(_)) => inside = None,
            (None, Some(opened)) if opened == language => lines.push(line),
            _ => {}
        }
    }
    lines
}

/// Parts a line of shell into commands of words, as far as the manual's lines need: quotes, comments, pipes and redirections.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut is_target = false;
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, '#') if word.is_none() => break,
            (None, ' ' | '|' | '<' | '>') => {
                if let Some(word) = word.take().filter(|_| !std::mem::take(&mut is_target)) {
                    commands.last_mut().expect("a command").push(word);
                }
                match c {
                    '|' => commands.push(Vec::new()),
                    '<' | '>' => is_target = true,
                    _ => {}
                }
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    assert!(quote.is_none(), "a quote is not closed: {line}");
    commands
}

/// Returns the words behind the program's name in every command of a page's shell lines, also behind `sudo -u ACCOUNT`.
fn calls(text: &str) -> Vec<Vec<String>> {
    let call = |words: Vec<String>| {
        let words = match &words[..] {
            [sudo, _, _, rest @ ..] if sudo == "sudo" => rest,
            words => words,
        };
        let (program, call) = words.split_first()?;
        (program == "gannet").then(|| call.to_vec())
    };
    let lines = fenced(text, "sh").into_iter();
    lines.flat_map(commands).filter_map(call).collect()
}

#[test]
fn shell_lines_are_parted_as_a_shell_does() {
    for (line, expected) in [
        ("gannet list   # all", &[&["gannet", "list"][..]][..]),
        (
            "gannet add - --interval 6h < a.txt",
            &[&["gannet", "add", "-", "--interval", "6h"]],
        ),
        (
            "gannet list --json | jq -r '.[] | .x' > out",
            &[&["gannet", "list", "--json"], &["jq", "-r", ".[] | .x"]],
        ),
        (
            "gannet grep 'a # b' x",
            &[&["gannet", "grep", "a # b", "x"]],
        ),
        ("echo \"\" a'b c'd", &[&["echo", "", "ab cd"]]),
    ] {
        assert_eq!(commands(line), expected, "{line}");
    }
}

#[test]
fn the_program_takes_every_command_of_the_readme_and_the_manual() {
    let mut count = 0;
    for (name, text) in topics().into_iter().chain([readme()]) {
        for call in calls(&text) {
            count += 1;
            let words = ["gannet".to_owned()].into_iter().chain(call.clone());
            let parsed = Cli::read_from(words);
            assert!(
                parsed.is_ok(),
                "{name}: gannet {call:?}: {}",
                parsed.expect_err("an error")
            );
        }
    }
    assert!(count > 80, "{count}");
}

#[test]
fn every_command_and_topic_that_is_named_is_there() {
    let gannet = Gannet::new();
    let names: BTreeSet<String> = gannet
        .ok(&["help"])
        .lines()
        .filter_map(|line| {
            line.strip_prefix("  ")?
                .split(' ')
                .next()
                .map(str::to_owned)
        })
        .collect();
    let settings = fs::read_to_string(root().join("assets/config.toml")).expect("the settings");
    let contributing = fs::read_to_string(root().join(".github/CONTRIBUTING.md")).expect("a page");
    let others = [
        ("config.toml".to_owned(), settings),
        ("CONTRIBUTING.md".to_owned(), contributing),
        readme(),
    ];
    for (page, text) in topics().into_iter().chain(others) {
        for code in text.split('`').skip(1).step_by(2) {
            let Some(rest) = code.strip_prefix("gannet ") else {
                continue;
            };
            let mut words = rest.split_whitespace();
            let mut first = words.next().unwrap_or_default();
            if first == "help" {
                first = words.next().unwrap_or("help");
            }
            let is_name = first.starts_with(|c: char| c.is_ascii_lowercase());
            assert!(!is_name || names.contains(first), "{page}: `{code}`");
        }
    }
    for (topic, _) in topics() {
        assert!(names.contains(&topic), "{topic} is in the list of topics");
        let page = readme().1;
        assert!(
            page.contains(&format!("(assets/manual/{topic}.md)")),
            "{topic}"
        );
        assert!(gannet.ok(&["help", &topic]).lines().count() > 8, "{topic}");
    }
}

#[test]
fn every_link_of_the_readme_leads_somewhere() {
    let (_, text) = readme();
    assert!(text.lines().count() <= 150, "the README stays short");
    let heading = |line: &str| {
        line.strip_prefix("## ")
            .map(|text| text.to_lowercase().replace(' ', "-"))
    };
    let headings: Vec<_> = text.lines().filter_map(heading).collect();
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let targets: Vec<_> = targets.collect();
    assert!(targets.len() > 20, "{targets:?}");
    for target in targets {
        match target.strip_prefix('#') {
            Some(anchor) => assert!(headings.iter().any(|one| one == anchor), "{target}"),
            None => assert!(root().join(target).exists(), "{target}"),
        }
    }
}

/// Calls that do not end by themselves, or that need a terminal.
const NOT_RUN: [&str; 5] = ["--loop", "--no-worker", "demo", "serve", ""];

#[test]
fn the_tasks_of_the_readme_do_as_written() {
    let (_, text) = readme();
    let origin = Origin::start(true);
    origin.on(
        "/prices.csv",
        ["name,price\nbolt,3\n", "name,price\nbolt,4\n"].map(Reply::file),
    );
    let gannet = Gannet::trusting(origin.ca_file(), &fenced(&text, "toml").join("\n"));
    let mut run = 0;
    for call in calls(&text) {
        let last = call.last().map_or("", String::as_str);
        if NOT_RUN.contains(&last) || call.first().is_some_and(|word| word == "demo") {
            continue;
        }
        // Two hours ago there was nothing in this home.
        let call = call
            .iter()
            .map(|word| word.replace("https://example.org", &origin.url("")));
        let call = call.map(|word| {
            word.replace("@2h", "@0m")
                .replace("./history", &gannet.path("history").display().to_string())
        });
        let mut call: Vec<_> = call.collect();
        if call[0] == "add" {
            call.push("--allow-private".to_owned());
        }
        if call[0] == "diff" {
            gannet.fetch("prices.csv");
        }
        let words: Vec<&str> = call.iter().map(String::as_str).collect();
        gannet.ok(&words);
        run += 1;
    }
    assert!(run >= 16, "{run}");
    assert!(gannet.path("history/manifest.json").is_file());
    let shown = gannet.ok(&["cat", "prices.csv:published"]);
    assert_eq!(shown, "name,price\nbolt,4\n");
    assert!(
        gannet
            .ok(&["verdicts", "prices.csv"])
            .contains("price-list")
    );
}

#[test]
fn what_the_readme_quotes_of_the_demo_is_what_it_prints() {
    let gannet = Gannet::new();
    let out = gannet.ok(&["demo", "--worker-only"]);
    let (_, text) = readme();
    let quoted = fenced(&text, "text");
    let second: Vec<_> = out
        .lines()
        .skip_while(|line| !line.starts_with("Hour 2"))
        .collect();
    // Versions are numbered as their fetches end.
    let without_numbers = |line: &str| -> String {
        let words = line.split(' ').map(|word| {
            let is_version = word
                .strip_prefix('v')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            if is_version { "v" } else { word }
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let quoted = quoted
        .into_iter()
        .take_while(|line| !line.starts_with("7 *"));
    let mut count = 0;
    for (quoted, printed) in quoted.zip(second) {
        assert_eq!(without_numbers(quoted), without_numbers(printed));
        count += 1;
    }
    assert_eq!(count, 8);
}

#[test]
fn the_template_is_the_configuration_that_is_delivered() {
    let gannet = Gannet::new();
    // It is asked for where no configuration can be read.
    gannet.configure("nonsense");
    let template = gannet.ok(&["config", "template"]);
    let file = fs::read_to_string(root().join("assets/config.toml")).expect("the settings");
    assert_eq!(template, file);
    gannet.configure(&template);
    gannet.ok(&["config", "check"]);
}

#[test]
fn a_topic_that_is_taken_for_a_command_is_found() {
    let gannet = Gannet::new();
    for (words, part) in [
        (&["verifiers"][..], "'gannet help verifiers'"),
        (&["help", "verifier"], "did you mean verifiers?"),
        (&["help", "recover"], "did you mean recovery?"),
        (&["help", "secret"], "did you mean secrets?"),
        (&["help", "hystory"], "did you mean history?"),
        (&["help", "config", "adobt"], "did you mean config?"),
        (&["help", "zzz"], "`gannet help` lists"),
    ] {
        let said = gannet.run(words);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.out.is_empty() && said.err.contains(part), "{said:?}");
    }
    assert!(!gannet.data().exists(), "help begins nothing");
}
