//! Exit codes and errors: the one place that maps errors of the use-cases to exit codes.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::Console;
use crate::app::{self, ErrorKind};
use crate::domain::{Source, io_words, masked_within};
use crate::faces::state_word::not_whole;
use crate::faces::text::clean;

/// The end of a command; the number is the exit code that `--help` documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done.
    Done = 0,
    /// Done, but a fetch or a verdict failed.
    Problems = 1,
    /// The request is invalid.
    Usage = 2,
    /// The command could not run.
    CouldNotRun = 3,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The error of a use-case.
    #[error(transparent)]
    App(#[from] app::Error),
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

/// Prints a finished text.
pub fn print_text(text: &str, console: &mut Console<'_>) -> app::Result<ExitStatus> {
    let written = console.out.write_all(text.as_bytes());
    Ok(printed(written, console))
}

/// Returns the error for an unreadable file that gannet wrote itself.
pub(crate) fn unreadable(path: &Path, cause: &io::Error) -> app::Error {
    let message = format!("cannot read {}: {}", path.display(), io_words(cause));
    app::Error::new(ErrorKind::Unavailable, message)
}

/// The result of a command.
pub(crate) type CommandResult = Result<ExitStatus, Failure>;

/// Returns the message for a source that was purged while a command worked on it.
pub fn purged_meanwhile(source: &Source) -> String {
    let name = clean(&source.settings.name);
    format!("{name} was purged meanwhile: it is left out")
}

/// Returns the message for a history that is only partly readable.
pub(crate) fn damaged_history(source: &Source, damage: &app::Error) -> String {
    let name = clean(&source.settings.name);
    format!("{name}: {}", clean(&not_whole(damage)))
}

/// Returns the exit code for an error of the use-cases.
pub fn status_of(error: &app::Error) -> ExitStatus {
    match error.kind {
        ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Changed => {
            ExitStatus::Usage
        }
        ErrorKind::Unavailable | ErrorKind::Replaced | ErrorKind::Damaged | ErrorKind::Blocked => {
            ExitStatus::CouldNotRun
        }
    }
}

/// Prints an error of the use-cases on stderr and returns its exit code.
pub fn report(error: &app::Error, console: &mut Console<'_>) -> ExitStatus {
    // A message of several lines, such as a TOML error, keeps them; each is cleaned.
    for (index, line) in error.message.lines().enumerate() {
        let lead = if index == 0 { "gannet: " } else { "  " };
        console.warn_line(&format!("{lead}{}", clean(&masked_within(line))));
    }
    if let Some(hint) = &error.hint {
        console.warn_line(&format!("  hint: {}", clean(&masked_within(hint))));
    }
    status_of(error)
}

/// Prints the failures of single sources on stderr, one line each.
pub fn print_failures(troubles: &[String], console: &mut Console<'_>) {
    for trouble in troubles {
        console.warn_line(&format!("gannet: {}", clean(trouble)));
    }
}

/// Prints a command's error, if any, and returns the exit code.
pub(crate) fn conclude(result: CommandResult, console: &mut Console<'_>) -> ExitStatus {
    let result = result.and_then(|status| {
        console.out.flush()?;
        Ok(status)
    });
    match result {
        Ok(status) => status,
        Err(Failure::App(error)) => {
            // The results before the error are still printed; a second failure would only hide the first.
            let _ = console.out.flush();
            report(&error, console)
        }
        // `gannet list | head`: the reader has read enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitStatus::Done
        }
        Err(failure @ Failure::Output(_)) => {
            console.warn_line(&format!("gannet: {failure}"));
            ExitStatus::CouldNotRun
        }
    }
}

/// Prints the error of a command that only prints, if any, and returns the exit code.
pub(crate) fn printed(written: io::Result<()>, console: &mut Console<'_>) -> ExitStatus {
    let result = written.map(|()| ExitStatus::Done);
    conclude(result.map_err(Into::into), console)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_a_code_a_message_and_a_hint() {
        for (kind, status) in [
            (ErrorKind::Invalid, 2),
            (ErrorKind::NotFound, 2),
            (ErrorKind::Conflict, 2),
            (ErrorKind::Changed, 2),
            (ErrorKind::Unavailable, 3),
            (ErrorKind::Replaced, 3),
            (ErrorKind::Damaged, 3),
            (ErrorKind::Blocked, 3),
        ] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut console = Console::plain(&mut out, &mut err);
            let failure = app::Error::new(kind, "no such\u{1b}[31m source").hint("see list");
            let ended = conclude(Err(failure.into()), &mut console);
            drop(console);
            assert_eq!(ended as u8, status);
            assert_eq!(
                String::from_utf8(err).expect("UTF-8"),
                "gannet: no such[31m source\n  hint: see list\n"
            );
        }
    }

    struct Closed(io::ErrorKind);

    impl io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_closed_pipe_is_quiet_and_a_full_disk_is_not() {
        for (kind, status, quiet) in [
            (io::ErrorKind::BrokenPipe, ExitStatus::Done, true),
            (io::ErrorKind::StorageFull, ExitStatus::CouldNotRun, false),
        ] {
            let (mut out, mut err) = (Closed(kind), Vec::new());
            let mut console = Console::plain(&mut out, &mut err);
            let ended = conclude(Ok(ExitStatus::Done), &mut console);
            drop(console);
            assert_eq!(ended, status);
            assert_eq!(err.is_empty(), quiet);
        }
    }
}
