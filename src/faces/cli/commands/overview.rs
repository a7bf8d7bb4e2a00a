//! `gannet` without arguments: one screen with the commands, the most used first.

use std::io::{self, Write};

use clap::CommandFactory as _;

use crate::faces::cli::args::Cli;
use crate::faces::cli::exit::conclude;
use crate::faces::cli::{Console, ExitStatus};

/// Only names: the descriptions come from the commands' definitions.
const GROUPS: [(&str, &[&str]); 4] = [
    (
        "Start here",
        &["add", "list", "show", "fetch", "log", "demo"],
    ),
    (
        "Read and judge versions",
        &[
            "history", "cat", "diff", "grep", "export", "report", "verify", "verdict", "verdicts",
        ],
    ),
    (
        "Change sources",
        &[
            "interval", "enable", "disable", "edit", "remove", "restore", "apply", "dump", "import",
        ],
    ),
    (
        "The shell",
        &["config", "notify", "completions", "help", "man"],
    ),
];

/// Prints the screen. Needs neither configuration nor catalogue.
pub fn print_overview(console: &mut Console<'_>) -> ExitStatus {
    let written = write(&mut console.out);
    conclude(
        written.map(|()| ExitStatus::Done).map_err(Into::into),
        console,
    )
}

/// Writes the screen.
pub(super) fn write(out: &mut dyn Write) -> io::Result<()> {
    let cli = Cli::command();
    let about = |name: &str| {
        let command = cli.find_subcommand(name);
        command
            .and_then(clap::Command::get_about)
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    writeln!(
        out,
        "{}\n",
        cli.get_about().map(ToString::to_string).unwrap_or_default()
    )?;
    writeln!(
        out,
        "Usage: gannet [OPTIONS] COMMAND\n       gannet --worker-only    one pass over all that is due: for cron"
    )?;
    for (heading, names) in GROUPS {
        writeln!(out, "\n{heading}:")?;
        for name in names {
            writeln!(out, "  {name:<12} {}", about(name))?;
        }
    }
    writeln!(
        out,
        "\ngannet COMMAND --help says more, gannet --help all options, gannet help the topics of the manual."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_every_command_on_one_screen() {
        let mut out = Vec::new();
        write(&mut out).expect("a buffer");
        let text = String::from_utf8(out).expect("UTF-8");
        let listed: Vec<_> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        for command in Cli::command()
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
        {
            assert!(
                listed.contains(&command.get_name()),
                "{} is missing",
                command.get_name()
            );
        }
        assert_eq!(
            listed.len(),
            Cli::command()
                .get_subcommands()
                .filter(|c| !c.is_hide_set())
                .count()
        );
        assert!(text.lines().count() <= 44, "{text}");
        assert!(
            text.lines()
                .all(|line| line.len() <= 100 && !line.ends_with(' ')),
            "{text}"
        );
    }
}
