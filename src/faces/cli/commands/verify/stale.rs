//! `verify --stale`: what an older judge had judged, judged again, with progress.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{VerifiedJson, object, write};
use crate::app::{App, StaleProgress, StaleRequest, Verified};
use crate::faces::cli::args::VerifyArgs;
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::json;
use crate::faces::cli::{Console, ExitStatus};

#[derive(Serialize)]
struct StaleJson<'a> {
    judged: u64,
    passed: u64,
    failed: u64,
    undecided: u64,
    changed: Vec<VerifiedJson<'a>>,
}

pub(super) async fn run(app: &App, args: &VerifyArgs, console: &mut Console<'_>) -> CommandResult {
    let request = StaleRequest {
        selectors: args.targets.clone(),
        newest_first: args.newest_first,
    };
    let bar = bar();
    let mut changed = Vec::new();
    let mut written = Ok(());
    let done = app
        .verify_stale(&request, |progress, verified| {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(format!("{} changed", progress.changed));
            match verified {
                Some(verified) if args.json => changed.push(verified.clone()),
                Some(verified) if written.is_ok() => {
                    written = bar.suspend(|| tell(verified, &mut console.out));
                }
                _ => {}
            }
        })
        .await;
    bar.finish_and_clear();
    written?;
    let done = done?;
    if args.json {
        let actor = &app.actor.0;
        let summary = StaleJson {
            judged: done.done,
            passed: done.passed,
            failed: done.failed,
            undecided: done.undecided,
            changed: changed.iter().map(|one| object(one, actor)).collect(),
        };
        json::write(&mut console.out, &summary)?;
    } else {
        writeln!(console.out, "{}", words(&done))?;
    }
    Ok(if done.failed + done.undecided > 0 {
        ExitStatus::Problems
    } else {
        ExitStatus::Done
    })
}

/// Draws nothing where stderr is no terminal.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{elapsed_precise} [{bar:32}] {human_pos}/{human_len} {msg}, {eta} left",
    )
    .expect("the template is well-formed");
    ProgressBar::new(0).with_style(style)
}

fn tell(verified: &Verified, out: &mut dyn Write) -> io::Result<()> {
    write(verified, out)?;
    out.flush()
}

fn words(done: &StaleProgress) -> String {
    if done.total == 0 {
        return "every verdict is by the verifiers as they are now".to_owned();
    }
    let noun = if done.done == 1 {
        "version"
    } else {
        "versions"
    };
    format!(
        "{} {noun} judged again: {} passed, {} failed, {} undecided; the state of {} changed",
        done.done, done.passed, done.failed, done.undecided, done.changed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_one_line() {
        let none = words(&StaleProgress::default());
        assert_eq!(none, "every verdict is by the verifiers as they are now");
        let some = StaleProgress {
            total: 3,
            done: 3,
            changed: 1,
            passed: 2,
            failed: 1,
            undecided: 0,
        };
        let line =
            "3 versions judged again: 2 passed, 1 failed, 0 undecided; the state of 1 changed";
        assert_eq!(words(&some), line);
    }
}
