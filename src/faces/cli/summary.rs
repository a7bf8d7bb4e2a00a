//! The summary of a worker's pass, for people.

use std::io;

use super::commands::SetFolders;
use super::{Console, ExitStatus};
use crate::app::{self, App, PassSummary};
use crate::domain::SourceId;
use crate::faces::text::clean;

/// The number of sources that are listed by name.
const MOST_NAMED: usize = 10;

/// Prints the summary of a pass and the changes of set folders, given their state before; returns the exit code.
///
/// Without a terminal, a pass without failures and restored files prints nothing, so that cron mails only what
/// matters. With `--quiet`, failures go to stderr and nothing else is printed.
pub async fn print_pass(
    app: &App,
    summary: &PassSummary,
    folders: &SetFolders,
    console: &mut Console<'_>,
) -> ExitStatus {
    let status = print_summary(summary, console);
    if is_shown(summary, console) {
        folders.print(app, console).await;
    }
    status
}

/// Names the first few sources whose published files were restored in a pass.
///
/// # Errors
///
/// When the catalogue cannot be read.
pub async fn name_put_back(
    app: &App,
    sources: &[SourceId],
    console: &mut Console<'_>,
) -> app::Result<()> {
    let some = sources.iter().take(MOST_NAMED).copied().collect();
    let some = app.sources_by_id(some).await?;
    let mut names: Vec<_> = some.iter().map(|one| clean(&one.settings.name)).collect();
    if let more @ 1.. = sources.len().saturating_sub(MOST_NAMED) {
        names.push(format!("{more} more").into());
    }
    if !names.is_empty() {
        let names = names.join(", ");
        console.note(&format!(
            "put back, since somebody had changed or removed the published file: {names}"
        ));
    }
    Ok(())
}

/// Prints the summary of a pass of a long-running worker under the same rules; returns the exit code.
pub fn print_summary(summary: &PassSummary, console: &mut Console<'_>) -> ExitStatus {
    let written = write(summary, console);
    let status = status_of_pass(summary);
    super::exit::conclude(written.map(|()| status).map_err(Into::into), console)
}

/// Returns the exit code of a pass.
pub(super) fn status_of_pass(summary: &PassSummary) -> ExitStatus {
    if summary.has_problems() {
        ExitStatus::Problems
    } else {
        ExitStatus::Done
    }
}

fn write(summary: &PassSummary, console: &mut Console<'_>) -> io::Result<()> {
    if console.quiet && summary.has_problems() {
        console.warn_line(&format!("gannet: {summary}"));
    } else if is_shown(summary, console) {
        writeln!(console.out, "{summary}")?;
    }
    Ok(())
}

fn is_shown(summary: &PassSummary, console: &Console<'_>) -> bool {
    let is_news = console.is_terminal || summary.put_back > 0;
    (is_news && !console.quiet) || summary.has_problems()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: PassSummary = PassSummary {
        attempts: 11,
        new: 3,
        unchanged: 8,
        failed: 0,
        absent: 0,
        not_kept: 0,
        put_back: 0,
        passed: 2,
        failed_verification: 0,
        verification_errors: 0,
        awaiting_verdicts: 0,
        sets_published: 0,
        sets_awaiting_verdicts: 0,
        sets_failed: 0,
        sets_failing: 0,
        publish_failed: 0,
        bytes: 1_258_291,
        seconds: 0.84,
    };
    const BAD: PassSummary = PassSummary {
        attempts: 12,
        failed: 1,
        failed_verification: 1,
        ..GOOD
    };

    #[test]
    fn quiet_leaves_stdout_empty() {
        for (summary, is_terminal, expected) in [
            (&GOOD, false, ""),
            (&GOOD, true, ""),
            (&BAD, false, "gannet: 12 fetched: 3 new"),
            (&BAD, true, "gannet: 12 fetched: 3 new"),
        ] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut console = Console::plain(&mut out, &mut err);
            (console.is_terminal, console.quiet) = (is_terminal, true);
            print_summary(summary, &mut console);
            drop(console);
            let err = String::from_utf8(err).expect("UTF-8");
            assert!(out.is_empty(), "{out:?}");
            assert!(err.starts_with(expected), "{err}");
            assert_eq!(err.is_empty(), expected.is_empty(), "{err}");
        }
    }

    fn print(summary: &PassSummary, is_terminal: bool) -> (String, ExitStatus) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut console = Console::plain(&mut out, &mut err);
        console.is_terminal = is_terminal;
        let status = print_summary(summary, &mut console);
        drop(console);
        (String::from_utf8(out).expect("UTF-8"), status)
    }

    #[test]
    fn cron_hears_only_of_failures() {
        assert_eq!(print(&GOOD, false), (String::new(), ExitStatus::Done));
        assert_eq!(
            print(&GOOD, true),
            (
                "11 fetched: 3 new, 8 unchanged, 0 failed; 2 passed; 1.2 MiB in 0.8 s\n".to_owned(),
                ExitStatus::Done
            )
        );
        assert_eq!(
            print(&BAD, false),
            (
                "12 fetched: 3 new, 8 unchanged, 1 failed; 2 passed, 1 failed verification; 1.2 MiB in 0.8 s\n".to_owned(),
                ExitStatus::Problems
            )
        );
        assert_eq!(print(&PassSummary::default(), true).0, "nothing was due\n");
    }

    #[test]
    fn sets_are_told_of_when_there_are_any() {
        let bad = PassSummary {
            attempts: 0,
            new: 0,
            unchanged: 0,
            not_kept: 0,
            put_back: 0,
            failed: 0,
            passed: 0,
            failed_verification: 0,
            bytes: 0,
            sets_published: 1,
            sets_failed: 2,
            ..BAD
        };
        assert_eq!(
            print(&bad, false),
            (
                "0 fetched: 0 new, 0 unchanged, 0 failed; 1 set published; 2 sets failed; 0 B in 0.8 s\n".to_owned(),
                ExitStatus::Problems
            )
        );
    }
}
