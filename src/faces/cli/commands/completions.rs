//! `completions`: a script that completes commands and options in a shell.

use clap::CommandFactory as _;

use crate::faces::cli::args::{Cli, CompletionsArgs};
use crate::faces::cli::exit::conclude;
use crate::faces::cli::{Console, ExitStatus};

/// Prints the script. Needs neither configuration nor catalogue.
pub fn print_completions(args: &CompletionsArgs, console: &mut Console<'_>) -> ExitStatus {
    // Into memory first: the generator panics when its writer fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gannet", &mut script);
    let written = console.out.write_all(&script);
    conclude(
        written.map(|()| ExitStatus::Done).map_err(Into::into),
        console,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap_complete::Shell;

    #[test]
    fn every_shell_gets_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut console = Console::plain(&mut out, &mut err);
            let status = print_completions(&CompletionsArgs { shell }, &mut console);
            drop(console);
            assert_eq!(status, ExitStatus::Done);
            let script = String::from_utf8(out).expect("UTF-8");
            assert!(
                script.contains("verdict") && script.contains("dry-run"),
                "{shell}"
            );
        }
    }
}
