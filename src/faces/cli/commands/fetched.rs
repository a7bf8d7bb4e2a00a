//! The output of `fetch`: a line for each source if they are few, then the summary.

use std::collections::HashMap;
use std::io::{self, Write};

use super::folders::SetFolders;
use crate::app::{App, PassSummary, SourceOutcome, SourceResult};
use crate::domain::{AttemptOutcome, Source, SourceId, VersionState};
use crate::faces::cli::exit::{CommandResult, conclude};
use crate::faces::cli::look::Look;
use crate::faces::cli::pass_results::{reasons, sources_of, verified, why};
use crate::faces::cli::summary::status_of_pass;
use crate::faces::cli::table::{Table, below, flexible, left, toned};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::file_change::colon;
use crate::faces::text::{clean, or_dash};

/// Above this number, sources are only counted.
const MAX_LISTED: usize = 50;

/// Prints the result of each requested source, the summary of the pass, and the changes of set folders, given their
/// state before; returns the exit code.
pub async fn print_fetched(
    app: &App,
    results: &[SourceResult],
    summary: &PassSummary,
    folders: &SetFolders,
    console: &mut Console<'_>,
) -> ExitStatus {
    let result = print(app, results, summary, console).await;
    let status = conclude(result, console);
    folders.print(app, console).await;
    status
}

async fn print(
    app: &App,
    results: &[SourceResult],
    summary: &PassSummary,
    console: &mut Console<'_>,
) -> CommandResult {
    let is_dropped = |result: &SourceResult| result.outcome == SourceOutcome::Dropped;
    let is_listed = results.len() <= MAX_LISTED;
    if is_listed || console.quiet {
        let sources = sources_of(app, results).await?;
        let failing_sets = app.failing_sets().await?;
        let reasons = reasons(app, results, &sources, &failing_sets).await?;
        if console.quiet {
            let lines = unreported(results, &sources, &reasons);
            for line in lines {
                console.warn_line(&line);
            }
        } else {
            let look = Look::of(app, console);
            write(results, &sources, &reasons, &look, &mut console.out)?;
        }
    }
    if !console.quiet {
        if summary.attempts > 0 {
            writeln!(console.out, "{summary}")?;
        } else if results.iter().any(is_dropped) {
            writeln!(console.out, "nothing was recorded")?;
        } else {
            writeln!(console.out, "nothing was fetched")?;
        }
    }
    Ok(status_of_pass(summary))
}

/// Returns a line for each source whose newest version failed or could not be judged before this pass, or whose result
/// was discarded: the pass itself reports only its own failures. Sources above [`MAX_LISTED`] are counted.
fn unreported(
    results: &[SourceResult],
    sources: &HashMap<SourceId, Source>,
    reasons: &HashMap<SourceId, String>,
) -> Vec<String> {
    let line = |result: &SourceResult| {
        let name = name(result, sources);
        if result.outcome == SourceOutcome::Dropped {
            return Some(clean(&format!("gannet: {name}: {}", why(result))).into_owned());
        }
        let state = verified(result, sources.get(&result.id)?)?;
        let words = match state {
            VersionState::Failed => "failed",
            VersionState::Error => "could not be judged",
            _ => return None,
        };
        let is_unchanged = result.outcome == SourceOutcome::Fetched(AttemptOutcome::Unchanged);
        let id = result.version_id.filter(|_| is_unchanged)?;
        let reason = colon(reasons.get(&result.id).map(String::as_str));
        Some(clean(&format!("gannet: {name}: v{id} {words} before{reason}")).into_owned())
    };
    let mut lines: Vec<_> = results.iter().filter_map(line).collect();
    lines.sort_unstable();
    if let more @ 1.. = lines.len().saturating_sub(MAX_LISTED) {
        lines.truncate(MAX_LISTED);
        lines.push(format!("gannet: and {more} more sources"));
    }
    lines
}

fn name(result: &SourceResult, sources: &HashMap<SourceId, Source>) -> String {
    match sources.get(&result.id) {
        Some(source) => source.settings.name.clone(),
        None => format!("source {}", result.id),
    }
}

fn write(
    results: &[SourceResult],
    sources: &HashMap<SourceId, Source>,
    reasons: &HashMap<SourceId, String>,
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = Table::new([
        flexible("NAME"),
        toned("OUTCOME"),
        left("VERSION"),
        toned("VERIFIED"),
        below("WHY"),
    ]);
    let mut by_name: Vec<_> = results.iter().collect();
    by_name.sort_by_key(|result| name(result, sources));
    for result in by_name {
        let state = sources
            .get(&result.id)
            .and_then(|source| verified(result, source));
        table.row([
            name(result, sources),
            match result.outcome {
                SourceOutcome::Untried => "not tried".to_owned(),
                outcome => outcome.as_str().to_owned(),
            },
            or_dash(result.version_id.map(|id| format!("v{id}"))),
            or_dash(state),
            reasons
                .get(&result.id)
                .cloned()
                .unwrap_or_else(|| why(result).into_owned()),
        ]);
    }
    table.write(out, 0, look)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{FailureKind, VersionId};
    use crate::faces::fixtures::{at, source};

    #[test]
    fn a_line_for_each_source_says_what_became_of_it() {
        let results = [
            SourceResult::fetched(SourceId(1), AttemptOutcome::New, Some(VersionId(11))),
            SourceResult::failed(SourceId(2), FailureKind::Status, "404 Not Found".to_owned()),
            SourceResult::busy(SourceId(3)),
            SourceResult::untried(SourceId(4), "cannot read ca.pem"),
            SourceResult::dropped(SourceId(5), "it was edited meanwhile"),
            SourceResult::fetched(SourceId(6), AttemptOutcome::New, Some(VersionId(16))),
        ];
        let names = ["prices", "rates", "terms", "zones", "zones-2", "zones-3"];
        let sources = (1..).zip(names).map(|(id, name)| source(id, name));
        let sources = sources.map(|source| (source.id, source)).collect();
        let reasons = HashMap::from([(SourceId(6), "schema: line 3 has no price".to_owned())]);
        let mut out = Vec::new();
        let look = Look::plain(at("12:00:00"));
        write(&results, &sources, &reasons, &look, &mut out).expect("a buffer");
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r"
        NAME     OUTCOME    VERSION  VERIFIED  WHY
        prices   new        v11      passed
        rates    failed     -        -         status: 404 Not Found
        terms    busy       -        -         another worker is at it
        zones    not tried  -        -         cannot read ca.pem
        zones-2  dropped    -        -         it was edited meanwhile
        zones-3  new        v16      passed    schema: line 3 has no price
        ");
        let dropped = "gannet: zones-2: it was edited meanwhile";
        assert_eq!(unreported(&results, &sources, &reasons), [dropped]);
    }

    #[test]
    fn quiet_tells_what_failed_before_and_counts_many() {
        let bad = |id| {
            let mut bad = source(id, &format!("bad-{id}"));
            bad.state.version_id = Some(VersionId(id));
            bad.state.version_state = Some(VersionState::Failed);
            (bad.id, bad)
        };
        let sources: HashMap<_, _> = (1..=61).map(bad).collect();
        let reasons = HashMap::from([(SourceId(1), "json: no \u{1b}JSON".to_owned())]);
        let result =
            |outcome| move |id| SourceResult::fetched(SourceId(id), outcome, Some(VersionId(id)));
        let unchanged = result(AttemptOutcome::Unchanged);
        let lines = unreported(&[unchanged(1)], &sources, &reasons);
        assert_eq!(lines.len(), 1);
        let start = "gannet: bad-1: v1 failed before: json: no ";
        assert!(lines[0].starts_with(start), "{lines:?}");
        assert!(!lines[0].contains('\u{1b}'), "{lines:?}");
        // The pass reports versions that fail in it.
        let now = result(AttemptOutcome::New)(1);
        assert!(unreported(&[now], &sources, &reasons).is_empty());
        let many: Vec<_> = (1..=61).map(unchanged).collect();
        let lines = unreported(&many, &sources, &reasons);
        assert_eq!(lines.len(), 51);
        assert_eq!(lines[50], "gannet: and 11 more sources");
    }
}
