//! `verify --stale`: judges versions again whose verifier changed since its verdict, with progress.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressStyle};

use crate::app::{App, JudgedAgain, StaleProgress, StaleRequest, Verified, VerifiedSet};
use crate::faces::cli::args::VerifyArgs;
use crate::faces::cli::commands::folders::SetFolders;
use crate::faces::cli::commands::published::{Served, print_publish_failures};
use crate::faces::cli::commands::verdict_lines::{
    by_source, write_files, write_judged, write_verdicts, write_version,
};
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::file_change::FileOutcome;
use crate::faces::json::{self, StaleJson};
use crate::faces::text::{clean, count};

/// The number of versions that did not pass, as before, that are named.
const MOST_NAMED: usize = 20;

pub(super) async fn run(app: &App, args: &VerifyArgs, console: &mut Console<'_>) -> CommandResult {
    let folders = SetFolders::now(app).await;
    let (mut changed, mut served) = (Vec::new(), Served::begin(app).await?);
    let (done, sets_judged, as_before) =
        judge(app, args, &mut changed, &mut served, console).await?;
    let mut files = served.changes(app).await?;
    let folders = folders.changes(app).await?;
    if args.json {
        let (actor, published) = (&app.actor().0, by_source(&files));
        let judged = (changed.as_slice(), sets_judged.as_slice());
        let summary = StaleJson::new(&done, judged, &published, &folders, actor);
        json::write(&mut console.out, &summary)?;
    } else {
        files.retain(|(_, file)| file.change != FileOutcome::Unchanged);
        write_files(&files, &mut console.out)?;
        for folder in &folders {
            writeln!(console.out, "{}", folder.line())?;
        }
        writeln!(console.out, "{}", summary_text(&done))?;
        as_before.write(&mut console.out)?;
    }
    let judged = if done.has_problems() {
        ExitStatus::Problems
    } else {
        ExitStatus::Done
    };
    let ids: Vec<_> = files.iter().map(|(source, _)| source.id).collect();
    let unpublished = if args.targets.is_empty() {
        app.unpublished().await?
    } else {
        app.unpublished_of(&ids).await?
    };
    Ok(print_publish_failures(&unpublished, console).max(judged))
}

/// Versions that failed or could not be judged, as before: their number, and the first of them in words.
#[derive(Default)]
struct AsBefore {
    count: usize,
    named: Vec<String>,
}

impl AsBefore {
    fn add(&mut self, verified: &Verified) {
        self.count += 1;
        if self.named.len() < MOST_NAMED {
            let name = clean(&verified.source.settings.name);
            let (version, state) = (verified.version.id, verified.state);
            self.named.push(format!("v{version} of {name} ({state})"));
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let more = match self.count - self.named.len() {
            0 if self.count == 0 => return Ok(()),
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        writeln!(out, "not good, as before: {}{more}", self.named.join(", "))
    }
}

/// Judges under a progress bar. Versions whose state changed are printed at once, or collected in `changed` for JSON;
/// the published versions of their sources are recorded in `served`.
async fn judge(
    app: &App,
    args: &VerifyArgs,
    changed: &mut Vec<Verified>,
    served: &mut Served,
    console: &mut Console<'_>,
) -> Result<(StaleProgress, Vec<VerifiedSet>, AsBefore), Failure> {
    let request = StaleRequest {
        selectors: args.targets.clone(),
        newest_first: args.newest_first,
    };
    let bar = bar();
    let (mut written, mut sets, mut as_before) = (Ok(()), Vec::new(), AsBefore::default());
    let done = app
        .verify_stale(&request, |progress, judged| {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(format!("{} changed", progress.changed));
            match judged {
                Some(JudgedAgain::Version(verified, _)) => {
                    served.record([&verified.source]);
                    if args.json {
                        changed.push(verified.clone());
                    }
                }
                Some(JudgedAgain::AsBefore(verified)) => as_before.add(verified),
                Some(JudgedAgain::Set(verified, _)) => sets.push(verified.clone()),
                None => {}
            }
            if let Some(judged) = judged.filter(|_| !args.json && written.is_ok()) {
                written = bar.suspend(|| write_changed(judged, &mut console.out));
            }
        })
        .await;
    bar.finish_and_clear();
    written?;
    Ok((done?, sets, as_before))
}

/// Returns the progress bar, which draws nothing unless stderr is a terminal.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{elapsed_precise} [{bar:32}] {human_pos}/{human_len} {msg}, {eta} left",
    )
    .expect("the template is well-formed");
    ProgressBar::new(0).with_style(style)
}

fn write_changed(judged: JudgedAgain<'_>, out: &mut dyn Write) -> io::Result<()> {
    match judged {
        JudgedAgain::Version(verified, standing) => {
            write_version(verified, out)?;
            write_verdicts(("v", verified.version.id.0), standing, &[], out)?;
        }
        JudgedAgain::AsBefore(_) => {}
        JudgedAgain::Set(verified, standing) => {
            write_judged(verified, out)?;
            write_verdicts(("edition ", verified.edition.id.0), standing, &[], out)?;
        }
    }
    out.flush()
}

fn summary_text(done: &StaleProgress) -> String {
    let mut lines = Vec::new();
    if done.total > 0 {
        lines.push(versions_line(done));
    }
    if done.sets > 0 {
        let (sets, failed) = (count(done.sets, "set"), done.sets_failed);
        let unverified = some(done.sets_unverified, ", ", " without a required verifier");
        lines.push(format!("{sets} judged: {failed} did not pass{unverified}"));
    }
    if lines.is_empty() {
        let but = if done.by_hand > 0 {
            ", but for those by hand"
        } else {
            ""
        };
        let line = format!("every verdict is up to date with its verifier{but}");
        lines.push(line);
    }
    if done.by_hand > 0 {
        let are = if done.by_hand == 1 { "is" } else { "are" };
        lines.push(format!(
            "{} by hand {are} kept: `gannet verify SOURCE` or `gannet verify set:NAME` asks the verifiers anew",
            count(done.by_hand, "verdict")
        ));
    }
    if done.sets_waiting > 0 {
        lines.push(format!(
            "{} not judged yet: `gannet list --sets` says what each waits for",
            count(done.sets_waiting, "set")
        ));
    }
    lines.join("\n")
}

fn versions_line(done: &StaleProgress) -> String {
    let unverified = some(done.unverified, ", ", " without a verifier");
    let waiting = some(done.waiting, " (", " waiting for a verdict)");
    format!(
        "{} judged again: {} passed, {} failed, {} undecided{waiting}{unverified}; the state of {} changed",
        count(done.done, "version"),
        done.passed,
        done.failed,
        done.undecided,
        done.changed
    )
}

/// Returns the number between these words; an empty text for 0.
fn some(count: u64, before: &str, after: &str) -> String {
    if count == 0 {
        String::new()
    } else {
        format!("{before}{count}{after}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_twenty_versions_are_named() {
        for (count, end) in [(0, ""), (1, "v7 of a (failed)\n"), (23, " and 3 more\n")] {
            let named = vec!["v7 of a (failed)".to_owned(); count.min(MOST_NAMED)];
            let mut out = Vec::new();
            AsBefore { count, named }.write(&mut out).expect("a buffer");
            let out = String::from_utf8(out).expect("UTF-8");
            assert!(
                out.ends_with(end) && out.is_empty() == (count == 0),
                "{out}"
            );
        }
    }

    #[test]
    fn the_summary_is_one_line() {
        let none = summary_text(&StaleProgress::default());
        assert_eq!(none, "every verdict is up to date with its verifier");
        let kept = StaleProgress {
            by_hand: 1,
            ..StaleProgress::default()
        };
        assert_eq!(
            summary_text(&kept),
            "every verdict is up to date with its verifier, but for those by hand\n1 verdict by hand is kept: `gannet verify SOURCE` or `gannet verify set:NAME` asks the verifiers anew"
        );
        let some = StaleProgress {
            total: 3,
            done: 3,
            changed: 1,
            passed: 2,
            failed: 1,
            undecided: 0,
            ..StaleProgress::default()
        };
        let line =
            "3 versions judged again: 2 passed, 1 failed, 0 undecided; the state of 1 changed";
        assert_eq!(summary_text(&some), line);
        let freed = StaleProgress {
            passed: 1,
            unverified: 1,
            ..some
        };
        let line = "3 versions judged again: 1 passed, 1 failed, 0 undecided, 1 without a verifier; the state of 1 changed";
        assert_eq!(summary_text(&freed), line);
        let set = StaleProgress {
            sets: 1,
            ..StaleProgress::default()
        };
        assert_eq!(summary_text(&set), "1 set judged: 0 did not pass");
        let others = StaleProgress {
            sets: 3,
            sets_failed: 1,
            sets_unverified: 1,
            sets_waiting: 2,
            ..StaleProgress::default()
        };
        assert_eq!(
            summary_text(&others),
            "3 sets judged: 1 did not pass, 1 without a required verifier\n2 sets not judged yet: `gannet list --sets` says what each waits for"
        );
    }
}
