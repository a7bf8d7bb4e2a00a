//! `gannet` without arguments: one screen with the commands, the most used first.

use std::io::{self, Write};

use clap::CommandFactory as _;

use crate::faces::cli::args::Cli;
use crate::faces::cli::exit::printed;
use crate::faces::cli::{Console, ExitStatus};

/// The commands in the order in which people need them, by name: the descriptions come from their definitions.
const GROUPS: [(&str, &[&str]); 3] = [
    (
        "Start here",
        &["add", "list", "show", "fetch", "log", "serve", "demo"],
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
];
/// The heading of the commands that no group names.
const OTHERS: &str = "Everything else";

/// Returns all commands that are shown, each in its group.
fn groups(cli: &clap::Command) -> Vec<(&str, Vec<&str>)> {
    let grouped = GROUPS
        .iter()
        .map(|(heading, names)| (*heading, names.to_vec()));
    let mut groups: Vec<_> = grouped.collect();
    let shown = cli
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let is_grouped = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let others = shown
        .map(clap::Command::get_name)
        .filter(|name| !is_grouped(name));
    groups.push((OTHERS, others.collect()));
    groups
}

/// Prints the screen. Needs neither configuration nor catalogue.
pub fn print_overview(console: &mut Console<'_>) -> ExitStatus {
    let written = write(&mut console.out);
    printed(written, console)
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
    for (heading, names) in groups(&cli) {
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
        let cli = Cli::command();
        let listed = groups(&cli).into_iter().flat_map(|(_, names)| names);
        let mut listed: Vec<_> = listed.collect();
        let shown = cli
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        let mut shown: Vec<_> = shown.map(clap::Command::get_name).collect();
        listed.sort_unstable();
        shown.sort_unstable();
        assert_eq!(listed, shown, "each command once");
        assert!(text.lines().count() <= 50, "{text}");
        assert!(
            text.lines()
                .all(|line| line.len() <= 100 && !line.ends_with(' ')),
            "{text}"
        );
    }
}
