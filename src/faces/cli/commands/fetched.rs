//! What `fetch` brought: a line for each source when there are few, then the summary.

use std::io::{self, Write};

use crate::app::{App, History, PassSummary};
use crate::domain::SourceId;
use crate::faces::cli::exit::{CommandResult, conclude};
use crate::faces::cli::json;
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{Table, flexible, left, toned};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::or_dash;

/// More sources than this are counted, not listed.
const MAX_LISTED: usize = 50;

/// Prints how the last attempt of each of these sources ended, and the summary of the pass that made them; returns
/// the exit code.
pub async fn print_fetched(
    app: &App,
    sources: &[SourceId],
    summary: &PassSummary,
    as_json: bool,
    console: &mut Console<'_>,
) -> ExitStatus {
    let result = print(app, sources, summary, as_json, console).await;
    conclude(result, console)
}

async fn print(
    app: &App,
    sources: &[SourceId],
    summary: &PassSummary,
    as_json: bool,
    console: &mut Console<'_>,
) -> CommandResult {
    if as_json {
        json::write(&mut console.out, summary)?;
    } else {
        if sources.len() <= MAX_LISTED {
            let mut histories = Vec::with_capacity(sources.len());
            for id in sources {
                histories.push(app.history(&id.to_string(), Some(1)).await?);
            }
            write(&histories, &Look::of(app, console), &mut console.out)?;
        }
        writeln!(console.out, "{summary}")?;
    }
    Ok(if summary.has_problems() {
        ExitStatus::Problems
    } else {
        ExitStatus::Done
    })
}

fn write(histories: &[History], look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new([
        flexible("NAME"),
        toned("OUTCOME"),
        left("VERSION"),
        toned("VERIFIED"),
    ]);
    for History {
        source, attempts, ..
    } in histories
    {
        let last = attempts.first();
        table.row([
            source.settings.name.clone(),
            or_dash(last.map(|attempt| attempt.outcome)),
            or_dash(source.state.version_id.map(|id| format!("v{id}"))),
            or_dash(source.state.version_state),
        ]);
    }
    table.write(out, 0, look)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::samples::{at, failed_attempt, source};

    fn history(name: &str, failed: bool) -> History {
        History {
            source: source(1, name),
            served: None,
            attempts: failed.then(|| failed_attempt(4)).into_iter().collect(),
            versions: Vec::new(),
        }
    }

    #[test]
    fn a_line_for_each_source() {
        let mut out = Vec::new();
        let histories = [history("prices", true), history("rates", false)];
        write(&histories, &Look::plain(at("12:00:00")), &mut out).expect("a buffer");
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r#"
        NAME    OUTCOME  VERSION  VERIFIED
        prices  failed   v11      passed
        rates   -        v11      passed
        "#);
    }
}
