//! What verifiers say of messages: printed with one, and asked for anew.

use std::io::{self, Write};

use crate::app::App;
use crate::domain::{Message, MessageId, MessageVerdict, NewVerdict, VersionState, last_of_each};
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::look::Look;
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::json::{self, VerifiedMessageJson};
use crate::faces::text::clean;

/// Runs the verifiers of messages on them again, and prints what they say.
pub(super) async fn verify(
    app: &App,
    ids: &[MessageId],
    as_json: bool,
    console: &mut Console<'_>,
) -> CommandResult {
    let mut verified = Vec::new();
    for id in ids {
        let one = app.verify_message(*id).await?;
        if !as_json {
            writeln!(console.out, "{id} of {}: {}", one.message.queue, one.state)?;
            for verdict in &one.verdicts {
                writeln!(console.out, "  {}", words(verdict))?;
            }
        }
        verified.push(one);
    }
    if as_json {
        let actor = &app.actor().0;
        let objects = verified.iter();
        let objects: Vec<_> = objects
            .map(|one| VerifiedMessageJson::new(one, actor))
            .collect();
        json::write(&mut console.out, &objects)?;
    }
    let is_bad = |state| matches!(state, VersionState::Failed | VersionState::Error);
    Ok(if verified.iter().any(|one| is_bad(one.state)) {
        ExitStatus::Problems
    } else {
        ExitStatus::Done
    })
}

/// Writes the state of a persisted message, and the last verdict of each verifier with its output.
pub(super) fn write_verdicts(
    message: &Message,
    verdicts: &[MessageVerdict],
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(state) = message.state else {
        return Ok(());
    };
    writeln!(out, "state     {state}")?;
    for one in last_of_each(verdicts, |one| &one.verdict) {
        let verdict = &one.verdict;
        writeln!(out, "  {}", words(verdict))?;
        writeln!(
            out,
            "    {} by {}",
            look.second(verdict.started_at),
            clean(&one.actor)
        )?;
        for line in verdict.judgement.output.lines() {
            writeln!(out, "    | {}", clean(line))?;
        }
    }
    Ok(())
}

fn words(verdict: &NewVerdict) -> String {
    let detail = &verdict.judgement.detail;
    let gap = if detail.is_empty() { "" } else { ": " };
    let (verifier, outcome) = (&verdict.verifier, verdict.judgement.outcome);
    clean(&format!("{verifier} {outcome}{gap}{detail}")).into_owned()
}
