//! `dump`: the whole catalogue, removed sources last.

use std::io::{self, Write};

use serde::Serialize;

use super::history::versions_table;
use crate::app::{App, History, Newest};
use crate::faces::cli::args::DumpArgs;
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::json::{self, SettingsJson, SourceJson, VersionJson};
use crate::faces::cli::look::Look;
use crate::faces::cli::{Console, ExitStatus, sources_file};
use crate::faces::text::{clean, count, state_word};

#[derive(Serialize)]
struct DumpJson<'a> {
    sources: Vec<DumpedJson<'a>>,
}

#[derive(Serialize)]
struct DumpedJson<'a> {
    #[serde(flatten)]
    source: SourceJson<'a>,
    #[serde(flatten)]
    settings: SettingsJson<'a>,
    versions: Vec<VersionJson<'a>>,
}

pub(super) async fn run(app: &App, args: &DumpArgs, console: &mut Console<'_>) -> CommandResult {
    let mut sources = app.sources(&[]).await?;
    if args.toml {
        let text = sources_file::print(sources.iter().map(|source| &source.settings));
        console.out.write_all(text.as_bytes())?;
        return Ok(ExitStatus::Done);
    }
    sources.extend(app.removed_sources(&[]).await?);
    let mut histories = Vec::with_capacity(sources.len());
    for source in &sources {
        histories.push(app.history(&source.id.to_string(), None).await?);
    }
    if args.json {
        let newest = app.newest(&sources).await?;
        let none = Newest::default();
        let sources = histories.iter().map(|history| DumpedJson {
            source: SourceJson::new(
                &history.source,
                newest.get(&history.source.id).unwrap_or(&none),
                app.archive.published_dir(),
            ),
            settings: SettingsJson::new(&history.source),
            versions: json::versions(history),
        });
        let dump = DumpJson {
            sources: sources.collect(),
        };
        json::write(&mut console.out, &dump)?;
    } else {
        write(&histories, &Look::of(app, console), &mut console.out)?;
    }
    Ok(ExitStatus::Done)
}

fn write(histories: &[History], look: &Look, out: &mut dyn Write) -> io::Result<()> {
    for (index, history) in histories.iter().enumerate() {
        let source = &history.source;
        let settings = &source.settings;
        if index > 0 {
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
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::samples::{at, source, version};

    #[test]
    fn each_source_with_its_versions() {
        let history = |id, name: &str, versions| History {
            source: source(id, name),
            served: None,
            attempts: Vec::new(),
            versions,
        };
        let histories = [
            history(1, "prices", vec![(version(11, 0, b"good"), Vec::new())]),
            history(2, "rates", Vec::new()),
        ];
        let mut out = Vec::new();
        write(&histories, &Look::plain(at("12:00:00")), &mut out).expect("a buffer");
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r"
        1 prices  https://example.org/1.csv  every 6h  new  1 version
          VERSION  FETCHED (UTC)     SIZE  VERIFIED  PUBLISHED  DIGEST        FILE        VERDICTS
          v11      2026-01-31 12:00   4 B  passed               770e607624d6  prices.csv

        2 rates  https://example.org/2.csv  every 6h  new  0 versions
        ");
    }
}
