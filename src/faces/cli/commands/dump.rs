//! `dump`: the whole catalogue; removed sources come last.

use std::io::{self, Write};

use super::damaged::Damaged;
use super::history::versions_table;
use crate::app::{App, History, Newest};
use crate::domain::Source;
use crate::faces::cli::args::DumpArgs;
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::look::Look;
use crate::faces::cli::{Console, ExitStatus, sources_file};
use crate::faces::json::{OpenList, WholeSourceJson, write_versions_of};
use crate::faces::state_word::state_word;
use crate::faces::text::{clean, count};

pub(super) async fn run(app: &App, args: &DumpArgs, console: &mut Console<'_>) -> CommandResult {
    let mut sources = app.sources(&[]).await?;
    if args.toml {
        let text = sources_file::print(sources.iter().map(|source| &source.settings));
        console.out.write_all(text.as_bytes())?;
        return Ok(ExitStatus::Done);
    }
    sources.extend(app.removed_sources(&[]).await?);
    let mut damaged = Damaged::default();
    if args.json {
        write_json(app, &sources, &mut damaged, &mut console.out).await?;
    } else {
        let look = Look::of(app, console);
        let mut is_first = true;
        for source in &sources {
            if let Some(history) = damaged.history(app, source, None).await? {
                write(&history, is_first, &look, &mut console.out)?;
                is_first = false;
            }
        }
    }
    Ok(damaged.report(console))
}

/// Writes one source at a time: the catalogue may exceed the memory.
async fn write_json(
    app: &App,
    sources: &[Source],
    damaged: &mut Damaged,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let newest = app.newest(sources).await?;
    let none = Newest::default();
    let mut list = OpenList::begin(&mut *out, &serde_json::Map::new(), "sources")?;
    for source in sources {
        let Some(history) = damaged.history(app, source, None).await? else {
            continue;
        };
        let newest = newest.get(&source.id).unwrap_or(&none);
        let (source, set_error) = (&history.source, history.set_failure.as_deref());
        let head = WholeSourceJson::new(source, set_error, newest, app.published_folder(), None);
        let verdicts = async |id| app.verdicts(id).await.map_err(Failure::from);
        write_versions_of(&mut list, &head, &history, verdicts).await?;
    }
    list.end()?;
    Ok(out.write_all(b"\n")?)
}

fn write(history: &History, is_first: bool, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let source = &history.source;
    let settings = &source.settings;
    if !is_first {
        writeln!(out)?;
    }
    let head = format!(
        "{} {}  {}  every {}  {}  {}",
        source.id,
        settings.name,
        settings.address,
        settings.interval,
        state_word(source),
        count(history.versions.len(), "version"),
    );
    writeln!(out, "{}", clean(&head))?;
    if !history.versions.is_empty() {
        versions_table(history, look).write(out, 2, look)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::fixtures::{at, source, version};

    #[test]
    fn each_source_with_its_versions() {
        let history = |id, name: &str, versions| History {
            source: source(id, name),
            served: None,
            set_failure: None,
            attempts: Vec::new(),
            versions,
        };
        let histories = [
            history(1, "prices", vec![(version(11, 0, b"good"), Vec::new())]),
            history(2, "rates", Vec::new()),
        ];
        let mut out = Vec::new();
        let look = Look::plain(at("12:00:00"));
        for (index, history) in histories.iter().enumerate() {
            write(history, index == 0, &look, &mut out).expect("a buffer");
        }
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r"
        1 prices  https://example.org/1.csv  every 6h  new  1 version
          VERSION  FETCHED (UTC)     SIZE  VERIFIED  PUBLISHED  DIGEST        FILE        VERDICTS
          v11      2026-01-31 12:00   4 B  passed               770e607624d6  prices.csv

        2 rates  https://example.org/2.csv  every 6h  new  0 versions
        ");
    }
}
