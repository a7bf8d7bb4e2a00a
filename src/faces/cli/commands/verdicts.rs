//! `verdicts`: the verdicts on versions and editions, with actor and fingerprint.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::verify::names_one_version;
use crate::app::{App, Error, VerdictFilter, VerdictOn, VerdictSubject};
use crate::domain::{Judgement, SourceId, with_origin};
use crate::faces::cli::args::{TableFormat, VerdictsArgs};
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{Table, below, flexible, left, right, toned};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::csv;
use crate::faces::json::{self, VerdictJson, VerdictOnJson};
use crate::faces::text::{clean, clean_line};

/// The number of digits of a fingerprint that people see.
const SHORT_FINGERPRINT: usize = 12;
/// The prefix of a set's name.
const SET: &str = "set:";

pub(super) async fn run(
    app: &App,
    args: &VerdictsArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    let mut filter = VerdictFilter {
        verifier: args.verifier.clone(),
        fingerprint: args.fingerprint.clone(),
        outcome: args.outcome,
        limit: (args.limit > 0).then_some(args.limit as usize),
        ..VerdictFilter::default()
    };
    match args.sources.as_slice() {
        [] => {}
        [one] if one.starts_with(SET) => filter.set = Some(one[SET.len()..].to_owned()),
        selectors => narrow(app, selectors, &mut filter).await?,
    }
    let selected = filter.sources.clone().unwrap_or_default();
    let verdicts = app.verdicts_that(filter).await?;
    let objects = verdicts.iter().map(VerdictOnJson::new);
    if args.format() == TableFormat::Json {
        json::write(&mut console.out, &objects.collect::<Vec<_>>())?;
    } else if args.format() == TableFormat::Csv {
        let fields = [VerdictOnJson::FIELDS, VerdictJson::FIELDS].concat();
        csv::write(&mut console.out, &fields, objects)?;
    } else if verdicts.is_empty() {
        console.warn_line(&none_words(app, selected).await?);
    } else if args.full {
        write_full(&verdicts, &Look::of(app, console), &mut console.out)?;
    } else {
        write(&verdicts, &Look::of(app, console), &mut console.out)?;
    }
    Ok(ExitStatus::Done)
}

/// Returns that no verdict matches, with the command for the verdicts on the sets of these sources.
async fn none_words(app: &App, sources: Vec<SourceId>) -> Result<String, Error> {
    let sources = app.sources_by_id(sources).await?;
    let sets = sources.into_iter().filter_map(|source| source.state.set);
    let words = |set: String| format!("; those on its set: `gannet verdicts {SET}{}`", clean(&set));
    let sets = sets.collect::<BTreeSet<_>>().into_iter().map(words);
    Ok(sets.fold("no verdict matches".to_owned(), |all, one| all + &one))
}

/// Narrows the filter to the sources, versions and sets that the selectors name.
async fn narrow(app: &App, selectors: &[String], filter: &mut VerdictFilter) -> Result<(), Error> {
    let (mut sources, mut versions) = (Vec::new(), Vec::new());
    for selector in selectors {
        if names_one_version(selector) && !app.is_source(selector).await? {
            versions.push(app.version(selector).await?.1.id);
        } else {
            let selected = app.sources(std::slice::from_ref(selector)).await?;
            sources.extend(selected.into_iter().map(|source| source.id));
        }
    }
    filter.sources = Some(sources);
    filter.versions = Some(versions);
    Ok(())
}

/// Returns what was judged (a version or an edition), and its source or set.
fn subject(on: &VerdictSubject) -> (String, String) {
    match on {
        VerdictSubject::Version {
            id, source_name, ..
        } => (format!("v{id}"), source_name.clone()),
        VerdictSubject::Edition { id, set } => (format!("edition {id}"), format!("{SET}{set}")),
    }
}

/// Returns the version or edition of the same contents for which the verdict was given first, if it is another.
fn origin(one: &VerdictOn) -> Option<String> {
    let lead = match one.on {
        VerdictSubject::Version { .. } => "v",
        VerdictSubject::Edition { .. } => "edition ",
    };
    one.given_on.map(|id| format!("{lead}{id}"))
}

/// Writes each verdict with its stored output.
fn write_full(verdicts: &[VerdictOn], look: &Look, out: &mut dyn Write) -> io::Result<()> {
    for one in verdicts {
        let (version, owner) = subject(&one.on);
        let verdict = &one.verdict;
        let Judgement { detail, output, .. } = &verdict.judgement;
        let outcome = verdict.outcome_words();
        let detail = with_origin(detail, origin(one));
        let gap = if detail.is_empty() { "" } else { ": " };
        let head = format!(
            "{version} of {owner}: {} {outcome}{gap}{detail}",
            verdict.verifier
        );
        writeln!(out, "{}", clean(&head))?;
        let at = look.zoned_time(Some(verdict.started_at));
        let took = verdict.duration.as_millis();
        writeln!(out, "  at {at}, in {took} ms, by {}", clean(&one.actor))?;
        for line in output.lines() {
            writeln!(out, "  | {}", clean_line(line))?;
        }
    }
    Ok(())
}

fn write(verdicts: &[VerdictOn], look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new([
        left(look.heading("STARTED")),
        left("VERSION"),
        flexible("SOURCE"),
        left("VERIFIER"),
        toned("SAID"),
        right("TOOK"),
        left("FINGERPRINT"),
        flexible("BY"),
        below("DETAIL"),
    ]);
    for one in verdicts {
        let (version, source) = subject(&one.on);
        let verdict = &one.verdict;
        table.row([
            look.time(verdict.started_at),
            version,
            source,
            verdict.verifier.clone(),
            verdict.outcome_words(),
            format!("{} ms", verdict.duration.as_millis()),
            verdict
                .fingerprint
                .hex
                .chars()
                .take(SHORT_FINGERPRINT)
                .collect(),
            one.actor.clone(),
            with_origin(&verdict.judgement.detail, origin(one)),
        ]);
    }
    table.write(out, 0, look)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, EditionId, SourceId, VerdictOutcome, VersionId};
    use crate::faces::fixtures::{at, verdict};

    #[test]
    fn people_see_a_table_and_programs_get_everything() {
        let said = verdict(11, VerdictOutcome::Failed, "line 3");
        let on = |on| VerdictOn {
            verdict: said.verdict.clone(),
            actor: said.actor.clone(),
            on,
            given_on: None,
        };
        let one = on(VerdictSubject::Version {
            id: VersionId(11),
            digest: Digest::of(b"x"),
            source_id: SourceId(1),
            source_name: "prices".to_owned(),
        });
        let other = on(VerdictSubject::Edition {
            id: EditionId(3),
            set: "release".to_owned(),
        });
        let mut out = Vec::new();
        write(
            &[one.clone(), other],
            &Look::plain(at("12:00:00")),
            &mut out,
        )
        .expect("a buffer");
        json::write(&mut out, &VerdictOnJson::new(&one)).expect("a buffer");
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r#"
        STARTED (UTC)     VERSION    SOURCE       VERIFIER  SAID     TOOK  FINGERPRINT  BY           DETAIL
        2026-01-31 12:00  v11        prices       schema    failed  35 ms  ab12         worker@host  line 3
        2026-01-31 12:00  edition 3  set:release  schema    failed  35 ms  ab12         worker@host  line 3
        {
          "source_id": 1,
          "source": "prices",
          "version_id": 11,
          "digest": "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
          "set": null,
          "edition_id": null,
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
          "given_on": null,
          "by_hand": false,
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
