//! Lines about judged versions and editions: outcomes, verdicts that no longer count, other versions for which a
//! verdict counts, and published files that changed.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::app::{SetAside, Verified, VerifiedSet};
use crate::domain::{Edition, NewVerdict, Source, SourceId, VerdictOutcome};
use crate::faces::file_change::FileChange;
use crate::faces::text::clean;

/// The number of versions or editions that are listed by id.
const MOST_NAMED: usize = 10;

/// Returns the other versions of the same contents for which an outside verdict counts too; `None` without any. `lead`
/// precedes each id; the newest comes last.
pub(super) fn counts_for(
    outcome: VerdictOutcome,
    verifier: &str,
    lead: &str,
    ids: impl DoubleEndedIterator<Item = i64> + ExactSizeIterator,
) -> Option<String> {
    let all = ids.len();
    let named = named(lead, ids)?;
    let (has, was, it) = if all == 1 {
        ("has", "was", "it")
    } else {
        ("have", "were", "them")
    };
    let failed = match outcome {
        VerdictOutcome::Passed => format!(" and {was} failed by {verifier}"),
        _ => String::new(),
    };
    Some(format!(
        "  {named} {has} the same contents{failed}: the verdict counts for {it} too"
    ))
}

/// Returns these ids in words, oldest first, each behind `lead`; `None` without any.
fn named(
    lead: &str,
    ids: impl DoubleEndedIterator<Item = i64> + ExactSizeIterator,
) -> Option<String> {
    let older = ids.len().saturating_sub(MOST_NAMED);
    let mut named: Vec<_> = ids.skip(older).map(|id| format!("{lead}{id}")).collect();
    if older > 0 {
        named.insert(0, format!("{older} older ones"));
    }
    let (last, others) = named.split_last()?;
    Some(match others {
        [] => last.clone(),
        others => format!("{} and {last}", others.join(", ")),
    })
}

/// Writes a line for each verdict, and one for each verdict by hand that no longer counts. `id` is that of the judged
/// version or edition, `lead` precedes such ids.
pub(super) fn write_verdicts(
    (lead, judged): (&str, i64),
    verdicts: &[NewVerdict],
    set_aside: &[SetAside],
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = |verdict: &NewVerdict, by: &str| {
        let detail = &verdict.judgement.detail;
        let gap = if detail.is_empty() { "" } else { ": " };
        let (verifier, outcome) = (&verdict.verifier, verdict.outcome_words());
        clean(&format!("{verifier} {outcome}{by}{gap}{detail}")).into_owned()
    };
    for verdict in verdicts {
        writeln!(out, "  {}", words(verdict, ""))?;
    }
    for SetAside { verdict, actor, on } in set_aside {
        let words = words(verdict, &format!(" ({actor})"));
        let others: Vec<_> = on.iter().copied().filter(|id| *id != judged).collect();
        let too = if others.len() < on.len() { " too" } else { "" };
        let on_others = named(lead, others.into_iter())
            .map(|others| format!(", on {others} of the same contents{too}"));
        let on_others = on_others.unwrap_or_default();
        writeln!(out, "  set aside, and counts no more{on_others}: {words}")?;
    }
    Ok(())
}

/// Writes the verdicts on a set's edition.
pub(super) fn write_judged(verified: &VerifiedSet, out: &mut dyn Write) -> io::Result<()> {
    let Edition { id, set, state, .. } = &verified.edition;
    writeln!(out, "edition {id} of the set {}: {state}", clean(set))?;
    let judged = ("edition ", id.0);
    write_verdicts(judged, &verified.verdicts, &verified.set_aside, out)
}

/// Indexes the changes of published files by source.
pub(super) fn by_source(files: &[(Source, FileChange)]) -> HashMap<SourceId, &FileChange> {
    let files = files.iter();
    files.map(|(source, file)| (source.id, file)).collect()
}

/// Writes a line for each published file.
pub(super) fn write_files(files: &[(Source, FileChange)], out: &mut dyn Write) -> io::Result<()> {
    for (source, file) in files {
        writeln!(out, "{}: {}", clean(&source.settings.name), file.clause())?;
    }
    Ok(())
}

/// Writes the state of a judged version, and its verdicts.
pub(super) fn write_version(verified: &Verified, out: &mut dyn Write) -> io::Result<()> {
    let name = clean(&verified.source.settings.name);
    writeln!(
        out,
        "v{} of {name}: {}",
        verified.version.id, verified.state
    )?;
    let judged = ("v", verified.version.id.0);
    write_verdicts(judged, &verified.verdicts, &verified.set_aside, out)
}
