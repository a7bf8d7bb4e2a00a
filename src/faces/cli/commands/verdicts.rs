//! `verdicts`: what was said of versions, by whom, and what each judge was.

use std::io::{self, Write};

use serde::Serialize;

use crate::app::{App, VerdictFilter, VerdictOn};
use crate::domain::{SourceId, VersionId};
use crate::faces::cli::args::VerdictsArgs;
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::json::{self, VerdictJson};
use crate::faces::cli::table::{Table, flexible, left, right};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::short_time;

/// So many digits tell fingerprints apart for people.
const SHORT_FINGERPRINT: usize = 12;

#[derive(Serialize)]
struct VerdictOnJson<'a> {
    source_id: SourceId,
    source: &'a str,
    version_id: VersionId,
    digest: String,
    #[serde(flatten)]
    verdict: VerdictJson<'a>,
    /// What the fingerprint stands for.
    definition: serde_json::Value,
}

pub(super) async fn run(
    app: &App,
    args: &VerdictsArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    let sources = if args.sources.is_empty() {
        None
    } else {
        let selected = app.sources(&args.sources).await?;
        Some(selected.into_iter().map(|source| source.id).collect())
    };
    let filter = VerdictFilter {
        verifier: args.verifier.clone(),
        fingerprint: args.fingerprint.clone(),
        outcome: args.outcome,
        sources,
        limit: (args.limit > 0).then_some(args.limit as usize),
    };
    let verdicts = app.verdicts_that(filter).await?;
    if args.json {
        let objects: Vec<_> = verdicts.iter().map(object).collect();
        json::write(&mut console.out, &objects)?;
    } else if verdicts.is_empty() {
        console.warn_line("no verdict matches");
    } else {
        write(&verdicts, console.width, &mut console.out)?;
    }
    Ok(ExitStatus::Done)
}

fn object(one: &VerdictOn) -> VerdictOnJson<'_> {
    let definition = &one.verdict.verdict.fingerprint.definition;
    VerdictOnJson {
        source_id: one.source_id,
        source: &one.source_name,
        version_id: one.verdict.version_id,
        digest: one.digest.to_string(),
        verdict: VerdictJson::recorded(&one.verdict),
        definition: serde_json::from_str(definition).unwrap_or_default(),
    }
}

fn write(verdicts: &[VerdictOn], width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(&[
        left("STARTED"),
        left("VERSION"),
        flexible("SOURCE"),
        left("VERIFIER"),
        left("SAID"),
        right("TOOK"),
        left("FINGERPRINT"),
        flexible("BY"),
        flexible("DETAIL"),
    ]);
    for one in verdicts {
        let verdict = &one.verdict.verdict;
        let fingerprint = &verdict.fingerprint.hex;
        table.row([
            short_time(verdict.started_at),
            format!("v{}", one.verdict.version_id),
            one.source_name.clone(),
            verdict.verifier.clone(),
            verdict.judgement.outcome.to_string(),
            format!("{} ms", verdict.duration.as_millis()),
            fingerprint.chars().take(SHORT_FINGERPRINT).collect(),
            one.verdict.actor.clone(),
            verdict.judgement.detail.clone(),
        ]);
    }
    table.write(out, 0, width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, VerdictOutcome};
    use crate::faces::samples::verdict;

    #[test]
    fn people_see_a_table_and_programs_get_everything() {
        let one = VerdictOn {
            verdict: verdict(11, VerdictOutcome::Failed, "line 3"),
            digest: Digest::of(b"x"),
            source_id: SourceId(1),
            source_name: "prices".to_owned(),
        };
        let mut out = Vec::new();
        write(std::slice::from_ref(&one), None, &mut out).expect("a buffer");
        json::write(&mut out, &object(&one)).expect("a buffer");
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r#"
        STARTED           VERSION  SOURCE  VERIFIER  SAID     TOOK  FINGERPRINT  BY           DETAIL
        2026-01-31 12:00  v11      prices  schema    failed  35 ms  ab12         worker@host  line 3
        {
          "source_id": 1,
          "source": "prices",
          "version_id": 11,
          "digest": "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
          "verifier": "schema",
          "fingerprint": "ab12",
          "argv": [
            "/bin/check",
            "{path}"
          ],
          "outcome": "failed",
          "detail": "line 3",
          "exit_code": 1,
          "output": "line 3: bad\n",
          "started_at": "2026-01-31T12:00:04.000Z",
          "duration_ms": 35,
          "actor": "worker@host",
          "definition": {
            "rules": 1,
            "definition": {
              "command": [
                "/bin/check",
                "{path}"
              ]
            }
          }
        }
        "#);
    }
}
