//! `man`: the manual pages.

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};

use crate::app::{Error, ErrorKind};
use crate::domain::io_words;
use crate::faces::cli::args::{Cli, ManArgs};
use crate::faces::cli::exit::{CommandResult, conclude};
use crate::faces::cli::manual::{pages, program_page};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::{clean, count};

/// Prints the program's page, or writes the pages of the program, each command and each topic into `man1`, `man5` and
/// `man7` of a folder. Needs neither configuration nor catalogue.
pub fn print_manual(args: &ManArgs, console: &mut Console<'_>) -> ExitStatus {
    let mut program = Cli::command();
    program.build();
    let result = match &args.folder {
        Some(folder) => write_all(&program, folder, console),
        None => print(&program, console),
    };
    conclude(result, console)
}

fn print(program: &Command, console: &mut Console<'_>) -> CommandResult {
    console.out.write_all(program_page(program).as_bytes())?;
    Ok(ExitStatus::Done)
}

fn write_all(program: &Command, folder: &Path, console: &mut Console<'_>) -> CommandResult {
    let written = write_pages(program, folder).map_err(|cause| {
        let message = format!(
            "cannot write manual pages into {}: {}",
            folder.display(),
            io_words(&cause)
        );
        Error::new(ErrorKind::Unavailable, message)
    })?;
    let folder = folder.display().to_string();
    console.print_line(&format!(
        "{} in {}: man1, man5, man7",
        count(written, "manual page"),
        clean(&folder)
    ))?;
    Ok(ExitStatus::Done)
}

/// Writes every page; returns their number.
fn write_pages(program: &Command, folder: &Path) -> io::Result<u64> {
    let mut written = 0;
    for page in pages(program) {
        let folder = folder.join(format!("man{}", page.section));
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{}.{}", page.name, page.section));
        std::fs::write(file, page.source)?;
        written += 1;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_for_each_command_and_each_topic() {
        let folder = tempfile::tempdir().expect("a folder");
        let args = ManArgs {
            folder: Some(folder.path().join("man")),
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = print_manual(&args, &mut Console::plain(&mut out, &mut err));
        assert_eq!(status, ExitStatus::Done);
        for page in [
            "man1/gannet.1",
            "man1/gannet-add.1",
            "man1/gannet-config.1",
            "man1/gannet-config-adopt.1",
            "man5/gannet-config.5",
            "man7/gannet-verifiers.7",
            "man7/gannet-exit-codes.7",
        ] {
            assert!(folder.path().join("man").join(page).is_file(), "{page}");
        }
        let hidden = ["build_db", "__complete"];
        for name in hidden {
            let page = format!("man/man1/gannet-{name}.1");
            assert!(!folder.path().join(page).exists(), "{name}");
        }
    }

    #[test]
    fn the_program_s_page_has_what_man_readers_look_for() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = print_manual(
            &ManArgs { folder: None },
            &mut Console::plain(&mut out, &mut err),
        );
        assert_eq!(status, ExitStatus::Done);
        let page = String::from_utf8(out).expect("UTF-8");
        for part in [
            ".SH NAME\ngannet \\- ",
            "[\\-\\-config FILE]",
            ".SH \"FILES\"\n",
            ".SH \"ENVIRONMENT\"\n",
            "GANNET_DATA_DIR",
            ".SH \"EXIT STATUS\"\n",
            ".SH \"SEE ALSO\"\n",
            "\\fBgannet\\-config\\fR(5)",
            "\\fBgannet\\-verifiers\\fR(7)",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        // The synopsis holds every option of the program.
        let synopsis = page.split(".SH DESCRIPTION").next().unwrap_or_default();
        let program = Cli::command();
        for long in program.get_arguments().filter_map(|arg| arg.get_long()) {
            let long = long.replace('-', "\\-");
            assert!(synopsis.contains(&format!("\\-\\-{long}")), "{long}");
        }
    }

    #[test]
    fn a_command_s_synopsis_names_values_and_operands() {
        let mut program = Cli::command();
        program.build();
        let page_of = |name: &str| {
            let found = pages(&program).into_iter().find(|page| page.name == name);
            found.map(|page| page.source).unwrap_or_default()
        };
        for (name, part) in [
            ("gannet-add", "[\\fB\\-\\-tag\\fR \\fITAG\\fR]"),
            ("gannet-add", "URL... [INTERVAL]\n"),
            ("gannet-cat", "\\fIVERSION\\fR\n"),
            (
                "gannet-edit",
                "[\\fB\\-\\-allow\\-http\\fR[=\\fItrue|false\\fR]]",
            ),
            ("gannet-add", ".SH \"EXAMPLES\"\n"),
            ("gannet-config", "\\fBgannet\\-config\\-adopt\\fR(1)"),
            (
                "gannet-config-show",
                "\\fBgannet config show\\fR [\\fB\\-\\-policy\\fR] [\\fB\\-\\-json\\fR]",
            ),
        ] {
            assert!(
                page_of(name).contains(part),
                "{name}: {part}: {}",
                page_of(name)
            );
        }
    }
}
