//! `man`: the manual pages.

use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::app::ErrorKind;
use crate::faces::cli::args::{Cli, ManArgs};
use crate::faces::cli::exit::{CommandResult, conclude, error};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::clean;

/// Prints the program's page, or writes it and a page for each command into a folder. Needs neither configuration
/// nor catalogue.
pub fn print_manual(args: &ManArgs, console: &mut Console<'_>) -> ExitStatus {
    let result = match &args.folder {
        Some(folder) => write_all(folder, console),
        None => print(console),
    };
    conclude(result, console)
}

fn print(console: &mut Console<'_>) -> CommandResult {
    Man::new(Cli::command()).render(&mut console.out)?;
    Ok(ExitStatus::Done)
}

fn write_all(folder: &Path, console: &mut Console<'_>) -> CommandResult {
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|cause| {
            let message = format!(
                "cannot write manual pages into {}: {cause}",
                folder.display()
            );
            error(ErrorKind::Unavailable, message, None)
        })?;
    let commands = Cli::command();
    let pages = 1 + commands
        .get_subcommands()
        .filter(|one| !one.is_hide_set())
        .count();
    let folder = folder.display().to_string();
    console.say(&format!(
        "manual pages of {pages} commands in {}",
        clean(&folder)
    ))?;
    Ok(ExitStatus::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_for_each_command() {
        let folder = tempfile::tempdir().expect("a folder");
        let args = ManArgs {
            folder: Some(folder.path().join("man1")),
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = print_manual(&args, &mut Console::plain(&mut out, &mut err));
        assert_eq!(status, ExitStatus::Done);
        for page in ["gannet.1", "gannet-add.1", "gannet-verify.1"] {
            assert!(folder.path().join("man1").join(page).is_file(), "{page}");
        }
        assert!(!folder.path().join("man1/gannet-build_db.1").exists());
        let status = print_manual(
            &ManArgs { folder: None },
            &mut Console::plain(&mut out, &mut err),
        );
        assert_eq!(status, ExitStatus::Done);
        assert!(String::from_utf8(out).expect("UTF-8").contains("gannet"));
    }
}
