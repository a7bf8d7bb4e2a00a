//! `help`: a topic of the manual, the help of a command, or a list of both.

use clap::{Command, CommandFactory as _};

use super::overview;
use crate::app::{Error, suggestion};
use crate::faces::cli::args::{Cli, HelpArgs};
use crate::faces::cli::exit::{CommandResult, conclude};
use crate::faces::cli::manual::{TOPICS, Topic, render};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::clean;

/// Prints the topic or the help that the words name, or the list. Needs neither configuration nor catalogue.
pub fn print_help(args: &HelpArgs, console: &mut Console<'_>) -> ExitStatus {
    let result = run(&args.words, console);
    conclude(result, console)
}

fn run(words: &[String], console: &mut Console<'_>) -> CommandResult {
    let mut program = Cli::command();
    program.build();
    let text = if words.is_empty() {
        overview::write(&mut console.out)?;
        list_of_topics()
    } else if let Some(text) = help_of_command(&mut program, words, console.colours) {
        text
    } else if let [word] = words
        && let Some(topic) = Topic::find(&word.to_lowercase())
    {
        render(topic, console.width, console.colours)
    } else {
        return Err(unknown(&program, words).into());
    };
    console.out.write_all(text.as_bytes())?;
    Ok(ExitStatus::Done)
}

/// Returns the help of the command that the words name; `None` if there is no such command.
fn help_of_command(program: &mut Command, words: &[String], colours: bool) -> Option<String> {
    let mut command = program;
    for word in words {
        command = command.find_subcommand_mut(word)?;
    }
    let help = command.render_long_help();
    Some(if colours {
        help.ansi().to_string()
    } else {
        help.to_string()
    })
}

fn list_of_topics() -> String {
    let rows = TOPICS
        .iter()
        .map(|topic| format!("  {:<14} {}\n", topic.name, topic.title()));
    format!(
        "\nTopics of the manual, for gannet help TOPIC:\n{}",
        rows.collect::<String>()
    )
}

fn unknown(program: &Command, words: &[String]) -> Error {
    let typed = words.join(" ");
    let commands = program
        .get_subcommands()
        .filter(|one| !one.is_hide_set())
        .map(Command::get_name);
    let names = TOPICS.iter().map(|topic| topic.name).chain(commands);
    let hint = suggestion(&typed, names)
        .unwrap_or_else(|| "`gannet help` lists the topics and the commands".to_owned());
    let message = format!("no topic or command is called `{}`", clean(&typed));
    Error::not_found(message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(words: &[&str]) -> (ExitStatus, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let status = print_help(&HelpArgs { words }, &mut Console::plain(&mut out, &mut err));
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (status, text(out), text(err))
    }

    #[test]
    fn topics_and_commands_are_found_by_their_words() {
        for (words, expected) in [
            (&["verifiers"][..], "Judge"),
            (&["Exit-Codes"], "Exit codes"),
            (&["add"], "Usage: gannet add [OPTIONS]"),
            (&["rm"], "Usage: gannet remove"),
            (&["config", "adopt"], "Usage: gannet config adopt"),
            (&["help"], "Usage: gannet help"),
            (&[], "  verifiers "),
            (&[], "  verify "),
        ] {
            let (status, out, err) = help(words);
            assert_eq!(status, ExitStatus::Done, "{words:?}: {err}");
            assert!(out.contains(expected), "{words:?}: {out}");
            assert!(!out.contains('\u{1b}') && err.is_empty(), "{words:?}");
        }
        assert!(!help(&[]).1.contains("add_url"));
    }

    #[test]
    fn no_topic_is_called_like_a_command() {
        let program = Cli::command();
        for topic in TOPICS {
            let name = topic.name;
            assert!(program.find_subcommand(name).is_none(), "{name}");
        }
    }
}
