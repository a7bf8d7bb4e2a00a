//! Completions of a command line for the shells: commands, options, values, and names.
//!
//! The commands come from their definitions. The caller looks names up.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Arg, Command, CommandFactory as _};

use super::args::Cli;
use super::exit::printed;
use super::manual::TOPICS;
use super::{Console, ExitStatus};
use crate::faces::state_word::StateWord;
use crate::faces::text::clean;

/// Shells do not show more candidates at once.
const MOST: usize = 1000;

/// The possible completions of an incomplete command line.
#[derive(Debug, Default)]
pub struct Completion {
    /// The line's `--config`.
    pub config: Option<PathBuf>,
    /// The line's `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// The kinds of names that may follow.
    pub names: Vec<NameKind>,
    /// The other candidates, each with its description.
    fixed: Vec<(String, String)>,
    /// The incomplete last word, with which every candidate begins.
    current: String,
    /// The part of the word before the value: `--state=`.
    before: String,
}

impl Completion {
    /// Only the last of several values in a word is incomplete.
    fn begin_value_behind(&mut self, delimiter: Option<char>) {
        let current = self.current.clone();
        if let Some((_, last)) = delimiter.and_then(|by| current.rsplit_once(by)) {
            self.before.push_str(&current[..current.len() - last.len()]);
            last.clone_into(&mut self.current);
        }
    }
}

/// Returns a value in the case of the typed letters, for values that are accepted in any case: shells offer only
/// candidates that begin with the typed letters.
fn in_case_of(typed: &str, value: &str) -> String {
    let has = |is: fn(char) -> bool| typed.contains(is);
    match (has(char::is_lowercase), has(char::is_uppercase)) {
        (true, false) => value.to_lowercase(),
        (false, true) => value.to_uppercase(),
        _ => value.to_owned(),
    }
}

/// A kind of name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A source.
    Source,
    /// A removed source.
    Removed,
    /// A tag alone.
    Tag,
    /// The sources of a tag: `tag:NAME`.
    TagOfSources,
    /// A set: `set:NAME`.
    Set,
    /// A verifier.
    Verifier,
    /// A notifier.
    Notifier,
    /// A person who may sign in.
    Person,
    /// A token that is not revoked.
    Token,
}

/// Special lines by which the script completes paths itself.
const FILES: &str = ":files";
const FOLDERS: &str = ":dirs";

/// Analyses the words after the program's name, the last of which is incomplete.
pub fn completion(words: &[String]) -> Completion {
    let mut program = Cli::command();
    program.build();
    let mut wanted = Completion::default();
    let Some((current, before)) = words.split_last() else {
        return wanted;
    };
    let mut line = PartialLine {
        command: &program,
        operands: 0,
        option: None,
        options_end: false,
    };
    for word in before {
        line.take(word, &mut wanted);
    }
    wanted.current.clone_from(current);
    line.complete(&mut wanted);
    wanted
}

/// The part of a line that was analysed.
struct PartialLine<'a> {
    command: &'a Command,
    operands: usize,
    /// The option that takes the next word as its value.
    option: Option<&'a Arg>,
    options_end: bool,
}

impl<'a> PartialLine<'a> {
    fn take(&mut self, word: &str, wanted: &mut Completion) {
        if let Some(option) = self.option.take() {
            return record_folder(option, word, wanted);
        }
        if self.options_end || !word.starts_with('-') || word == "-" {
            let is_command = self.operands == 0 && !self.options_end;
            match self.command.find_subcommand(word).filter(|_| is_command) {
                Some(command) => self.command = command,
                None => self.operands += 1,
            }
        } else if word == "--" {
            self.options_end = true;
        } else if let Some((name, value)) = word.split_once('=') {
            if let Some(option) = self.find_option(name) {
                record_folder(option, value, wanted);
            }
        } else {
            self.option = self.find_option(word).filter(|option| takes_value(option));
        }
    }

    fn find_option(&self, word: &str) -> Option<&'a Arg> {
        let found = |arg: &&Arg| match word.strip_prefix("--") {
            Some(long) => arg.get_long() == Some(long),
            // Of several short options in one word, the last may take a value.
            None => arg.get_short().is_some() && arg.get_short() == word.chars().next_back(),
        };
        self.command.get_arguments().find(found)
    }

    fn complete(&self, wanted: &mut Completion) {
        if let Some(option) = self.option {
            return values(self.command, option, wanted);
        }
        let current = wanted.current.clone();
        if !self.options_end && current.starts_with('-') && current != "-" {
            match current.split_once('=') {
                Some((name, value)) => {
                    wanted.before = format!("{name}=");
                    value.clone_into(&mut wanted.current);
                    if let Some(option) = self.find_option(name) {
                        values(self.command, option, wanted);
                    }
                }
                None => self.options(wanted),
            }
            return;
        }
        if self.operands == 0 {
            wanted.fixed.extend(commands(self.command));
        }
        let operands: Vec<_> = self.command.get_positionals().collect();
        let here = operands.get(self.operands).or_else(|| {
            let last = operands.last();
            last.filter(|arg| {
                arg.get_num_args()
                    .is_some_and(|count| count.max_values() > 1)
            })
        });
        if let Some(operand) = here {
            values(self.command, operand, wanted);
        }
    }

    fn options(&self, wanted: &mut Completion) {
        for arg in self
            .command
            .get_arguments()
            .filter(|arg| !arg.is_hide_set())
        {
            if let Some(long) = arg.get_long() {
                let help = arg.get_help().map(ToString::to_string);
                let fixed = (format!("--{long}"), help.unwrap_or_default());
                wanted.fixed.push(fixed);
            }
        }
    }
}

/// Returns the visible commands, each with its description.
fn commands(of: &Command) -> Vec<(String, String)> {
    let shown = of.get_subcommands().filter(|one| !one.is_hide_set());
    let about = |one: &Command| one.get_about().map(ToString::to_string);
    shown
        .map(|one| (one.get_name().to_owned(), about(one).unwrap_or_default()))
        .collect()
}

/// Returns the topics of the manual, each with its title.
fn topics() -> impl Iterator<Item = (String, String)> {
    TOPICS
        .iter()
        .map(|topic| (topic.name.to_owned(), topic.title().to_owned()))
}

/// Returns the words of filters that do not depend on the catalogue, each with its meaning.
fn filter_words() -> impl Iterator<Item = (String, String)> {
    let state =
        |(state, word, _): (StateWord, _, _)| (format!("state:{word}"), state.meaning().to_owned());
    let kinds = [
        ("is:failing", "with a problem"),
        ("is:due", "due now"),
        ("is:off", "disabled"),
        ("is:published", "with a published version"),
        (
            "is:unjudged",
            "published, and never judged by a required verifier",
        ),
    ];
    let kinds = kinds.map(|(word, meaning)| (word.to_owned(), meaning.to_owned()));
    kinds.into_iter().chain(StateWord::ALL.map(state))
}

fn takes_value(option: &Arg) -> bool {
    option.get_action().takes_values() && !option.is_require_equals_set()
}

/// Records which catalogue the line uses.
fn record_folder(option: &Arg, value: &str, wanted: &mut Completion) {
    match option.get_long() {
        Some("config") => wanted.config = Some(value.into()),
        Some("data-dir") => wanted.data_dir = Some(value.into()),
        _ => {}
    }
}

/// Adds the candidates for an argument: its possible values, or the kinds of names that its value's name suggests.
fn values(command: &Command, arg: &Arg, wanted: &mut Completion) {
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        return possible_values(&possible, arg, wanted);
    }
    let id = arg.get_id().as_str().to_uppercase();
    let name = arg
        .get_value_names()
        .and_then(|names| names.first())
        .map_or(id.as_str(), |name| name.as_str());
    for part in name.split('|') {
        match part {
            "SOURCE" if command.get_name() == "restore" => wanted.names.push(NameKind::Removed),
            "SOURCE" => wanted
                .names
                .extend([NameKind::Source, NameKind::TagOfSources]),
            "VERSION" => wanted.names.push(NameKind::Source),
            "SET" => wanted.names.push(NameKind::Set),
            "FILTER" => {
                wanted.names.extend([NameKind::TagOfSources, NameKind::Set]);
                wanted.fixed.extend(filter_words());
            }
            "TAG" => wanted.names.push(NameKind::Tag),
            "VERIFIER" => wanted.names.push(NameKind::Verifier),
            "NOTIFIER" => wanted.names.push(NameKind::Notifier),
            "PERSON" => wanted.names.push(NameKind::Person),
            "TOKEN" => wanted.names.push(NameKind::Token),
            "TOPIC" => wanted.fixed.extend(topics()),
            "COMMAND" => wanted.fixed.extend(commands(&Cli::command())),
            "FILE" => wanted.fixed.push((FILES.to_owned(), String::new())),
            "DIR" => wanted.fixed.push((FOLDERS.to_owned(), String::new())),
            word if word.bytes().all(|byte| byte.is_ascii_lowercase()) => {
                wanted.fixed.push((word.to_owned(), String::new()));
            }
            _ => {}
        }
    }
}

fn possible_values(possible: &[PossibleValue], arg: &Arg, wanted: &mut Completion) {
    wanted.begin_value_behind(arg.get_value_delimiter());
    let typed = wanted.current.clone();
    wanted.fixed.extend(possible.iter().map(|value| {
        let help = value.get_help().map(ToString::to_string);
        let name = value.get_name();
        let name = if arg.is_ignore_case_set() {
            in_case_of(&typed, name)
        } else {
            name.to_owned()
        };
        (name, help.unwrap_or_default())
    }));
}

/// Prints the candidates for the scripts, one a line, with the description behind a tab.
pub fn print_completion(
    wanted: &Completion,
    names: Vec<String>,
    console: &mut Console<'_>,
) -> ExitStatus {
    let mut lines = String::new();
    let names = names.into_iter().map(|name| (name, String::new()));
    let fits = |value: &str| {
        value == FILES || value == FOLDERS || value.starts_with(wanted.current.as_str())
    };
    let mut candidates: Vec<_> = wanted.fixed.iter().cloned().chain(names).collect();
    candidates.retain(|(value, _)| fits(value));
    candidates.dedup();
    for (value, help) in candidates.into_iter().take(MOST) {
        let before = if value.starts_with(':') {
            ""
        } else {
            &wanted.before
        };
        lines.push_str(before);
        lines.push_str(&clean(&value));
        if !help.is_empty() {
            lines.push('\t');
            lines.push_str(&clean(&help));
        }
        lines.push('\n');
    }
    let written = console.out.write_all(lines.as_bytes());
    printed(written, console)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(line: &str) -> (Vec<String>, Vec<NameKind>) {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        let wanted = completion(&words);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        print_completion(&wanted, Vec::new(), &mut Console::plain(&mut out, &mut err));
        let text = String::from_utf8(out).expect("UTF-8");
        let value = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
        (text.lines().map(value).collect(), wanted.names)
    }

    #[test]
    fn commands_options_and_values_are_known() {
        for (line, expected) in [
            ("rest", &["restore"][..]),
            ("sho", &["show"]),
            ("build", &[]),
            ("add_", &[]),
            ("__", &[]),
            ("list --fai", &["--failing"]),
            ("add --publ", &["--publish"]),
            ("add --publish ", &["passed", "newest"]),
            ("add x --publish=pa", &["--publish=passed"]),
            ("edit x --publish n", &["newest"]),
            (
                "verdicts --outcome ",
                &["passed", "failed", "error", "pending"],
            ),
            ("verdict x legal ", &["passed", "failed"]),
            ("list --state d", &["down", "damaged"]),
            ("list --state un", &["unpub"]),
            ("list --state UN", &["UNPUB"]),
            ("list --state=se", &["--state=setfail"]),
            ("list --state DO", &["DOWN"]),
            ("list --state f", &["fail"]),
            ("list --state down,un", &["down,unpub"]),
            ("list --state=FAIL,off,e", &["--state=FAIL,off,error"]),
            ("add --publish PA", &[]),
            ("edit x --allow-http=t", &["--allow-http=true"]),
            ("completions b", &["bash"]),
            ("config ch", &["check"]),
            ("help verifi", &["verifiers"]),
            (
                "help ver",
                &["versions", "verifiers", "verify", "verdict", "verdicts"],
            ),
            ("apply ", &[":files"]),
            ("export ", &[":dirs"]),
            ("list --config ", &[":files"]),
            ("list -- --fai", &[]),
            ("--worker-only --js", &["--json"]),
            ("rm --pur", &["--purge"]),
            ("user ro", &["role"]),
            ("user role x o", &["operator"]),
            ("token create x --role v", &["viewer", "verifier"]),
        ] {
            assert_eq!(complete(line).0, expected, "{line}");
        }
    }

    #[test]
    fn names_are_asked_for_where_they_stand() {
        use NameKind::{
            Notifier, Person, Removed, Set, Source, Tag, TagOfSources, Token, Verifier,
        };
        for (line, expected) in [
            ("show ", &[Source, TagOfSources][..]),
            ("fetch a b ", &[Source, TagOfSources]),
            ("interval a ", &[Source, TagOfSources]),
            ("log --source ", &[Source, TagOfSources, Set]),
            ("restore ", &[Removed]),
            ("cat ", &[Source]),
            ("diff a ", &[Source]),
            ("cat a ", &[]),
            ("verdict ", &[Source, Set]),
            ("verdict a ", &[Verifier]),
            ("verdicts --verifier ", &[Verifier]),
            ("notify test ", &[Notifier]),
            ("user passwd ", &[Person]),
            ("user add ", &[]),
            ("token revoke ", &[Token]),
            ("token create x --verifier ", &[Verifier]),
            ("add x --tag ", &[Tag]),
            ("edit x --tag ", &[Tag]),
            ("add ", &[]),
            ("", &[]),
        ] {
            assert_eq!(complete(line).1, expected, "{line}");
        }
        let words = ["--data-dir", "/a", "list", "--config=b", ""].map(str::to_owned);
        let wanted = completion(&words);
        assert_eq!(wanted.data_dir, Some("/a".into()));
        assert_eq!(wanted.config, Some("b".into()));
    }
}
