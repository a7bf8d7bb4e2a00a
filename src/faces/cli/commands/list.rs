//! `list`: the sources and their states.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use super::sets;
use crate::app::{App, Error, Newest, failure_among};
use crate::domain::{Source, SourceId, masked_within};
use crate::faces::cli::args::{ListArgs, ListFilter, TableFormat};
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{Cell, Column, Table, below, flexible, left, path, right, toned};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::csv;
use crate::faces::filtering::filtered;
use crate::faces::json::{self, SourceJson};
use crate::faces::publication::{published_briefly, still_published};
use crate::faces::state_word::{next_due, state_word, verified_word, why};
use crate::faces::text::{clean, count, or_dash};

/// The least width of a terminal on which paths are listed, in columns.
const WIDTH_WITH_PATHS: usize = 100;

pub(super) async fn run(app: &App, args: &ListArgs, console: &mut Console<'_>) -> CommandResult {
    if args.sets {
        return sets::list(app, args.format(), console).await;
    }
    let sources = select(app, args).await?;
    let format = args.format();
    let is_all = args.sources.is_empty() && is_everything(&args.only);
    if sources.is_empty() && format == TableFormat::People {
        console.warn_line(&none_words(app, args, is_all).await?);
    } else if format == TableFormat::People {
        let look = Look::of(app, console);
        let table = if args.only.failing && !args.only.removed {
            failing_table(app, &sources, &look).await
        } else {
            table_of(&sources, args, &look)
        };
        table.write(&mut console.out, 0, &look)?;
    } else {
        let known = ExtraFacts {
            newest: app.newest(&sources).await?,
            failing_sets: app.failing_sets().await?,
        };
        let published_dir = app.published_folder();
        write(&sources, &known, format, published_dir, &mut console.out)?;
    }
    // If the policy cannot be read, the sources are still listed.
    if args.only.failing
        && !args.only.removed
        && let Ok(Some(line)) = app.unasked(&args.sources).await
    {
        console.note(&clean(&line));
    }
    if is_all && format == TableFormat::People {
        sets::write_after(app, console).await?;
    }
    Ok(ExitStatus::Done)
}

/// Returns the message for an empty list, in the words of the request.
async fn none_words(app: &App, args: &ListArgs, is_all: bool) -> Result<String, Error> {
    if is_all {
        let removed = app.removed_sources(&[]).await?.len();
        return Ok(match removed {
            0 => "no sources yet: gannet add URL".to_owned(),
            _ => format!(
                "no sources: gannet add URL; {} removed: gannet list --removed",
                count(removed, "source")
            ),
        });
    }
    let only = &args.only;
    let states: Vec<_> = only.states.iter().map(|state| state.shown()).collect();
    let states = states.join(" or ");
    let asked = [
        (only.removed, "removed"),
        (only.failing, "failing"),
        (!states.is_empty(), states.as_str()),
        (only.due, "due"),
    ];
    let asked = asked.into_iter().filter(|(is_asked, _)| *is_asked);
    let asked: Vec<_> = asked.map(|(_, word)| word).collect();
    let subject = if args.sources.is_empty() {
        "no source"
    } else {
        "none of these sources"
    };
    let is = (!asked.is_empty()).then(|| format!("is {}", asked.join(" and ")));
    let filter = only.filter.as_ref().map(ToString::to_string);
    let matches = filter.map(|text| format!("matches `{}`", clean(&masked_within(&text))));
    let words: Vec<_> = is.into_iter().chain(matches).collect();
    Ok(format!("{subject} {}", words.join(" and ")))
}

/// Returns the selected sources, ordered by name.
async fn select(app: &App, args: &ListArgs) -> Result<Vec<Source>, Error> {
    let filter = args.only.filter();
    let sources = if args.only.removed || filter.asks_removed() {
        app.removed_sources(&args.sources).await?
    } else if filter.asks_days() && args.sources.is_empty() {
        app.sources_and_days().await?
    } else {
        app.sources(&args.sources).await?
    };
    app.record_damaged_newest(&sources).await?;
    filtered(app, sources, &filter).await
}

fn is_everything(filter: &ListFilter) -> bool {
    !filter.removed && filter.filter().is_empty()
}

/// Facts for the JSON that are not part of the sources.
struct ExtraFacts {
    newest: HashMap<SourceId, Newest>,
    /// The failing sets, with the reasons.
    failing_sets: Vec<(String, String)>,
}

fn write(
    sources: &[Source],
    known: &ExtraFacts,
    format: TableFormat,
    published_dir: &Path,
    out: &mut dyn Write,
) -> io::Result<()> {
    let none = Newest::default();
    let objects = sources.iter().map(|source| {
        let newest = known.newest.get(&source.id).unwrap_or(&none);
        let set_error = failure_among(source, &known.failing_sets);
        SourceJson::new(source, newest, set_error, published_dir)
    });
    if format == TableFormat::Csv {
        csv::write(out, SourceJson::FIELDS, objects)
    } else {
        json::write(out, &objects.collect::<Vec<_>>())
    }
}

fn table_of(sources: &[Source], args: &ListArgs, look: &Look) -> Table {
    if sources.iter().all(|source| source.removed_at.is_some()) && !is_everything(&args.only) {
        Table::of(removed_columns(look), sources, look)
    } else {
        Table::of(columns(look), sources, look)
    }
}

/// Returns the table of failing sources, with the reasons. A source whose history cannot be read has none.
async fn failing_table(app: &App, sources: &[Source], look: &Look) -> Table {
    let columns = columns(look);
    let cells = columns.each_ref().map(|(_, cell)| *cell);
    let columns = columns.into_iter().map(|(column, _)| column);
    let mut table = Table::new(columns.chain([below("WHY")]).collect::<Vec<_>>());
    for source in sources {
        let history = app
            .sound_history_of(source.id, Some(1))
            .await
            .ok()
            .flatten();
        let why = history.and_then(|(history, _)| why(&history));
        let row = cells.iter().map(|cell| cell(source, look));
        table.row(row.chain([why.unwrap_or_default()]));
    }
    table
}

/// The columns of the table of removed sources, from left to right.
fn removed_columns(look: &Look) -> [(Column, Cell<Source>); 6] {
    [
        (right("ID"), |source, _| source.id.to_string()),
        (flexible("NAME"), |source, _| source.settings.name.clone()),
        (left(look.heading("REMOVED")), |source, look| {
            look.time_or_dash(source.removed_at)
        }),
        (left("NEWEST"), |source, _| {
            or_dash(source.state.version_id.map(|id| format!("v{id}")))
        }),
        (path("ADDRESS"), |source, _| {
            source.settings.address.to_string()
        }),
        (below("STILL PUBLISHED"), |source, _| left_words(source)),
    ]
}

/// Returns where a removed source's file is still published, and why; an empty text if it was removed.
fn left_words(source: &Source) -> String {
    let path = &source.published_path;
    let words = match &source.state.publish_error {
        Some(why) => Some(format!("still published at {path}: {why}")),
        None => still_published(source, path).map(|left| format!("still published {left}")),
    };
    words.unwrap_or_default()
}

/// The columns of the table, from left to right.
fn columns(look: &Look) -> [(Column, Cell<Source>); 8] {
    let has_room = look.width.is_none_or(|width| width >= WIDTH_WITH_PATHS);
    let published: (Column, Cell<Source>) = if has_room {
        (path("PUBLISHED"), |source, _| {
            or_dash(published_briefly(source, true))
        })
    } else {
        (flexible("PUBLISHED"), |source, _| {
            or_dash(published_briefly(source, false))
        })
    };
    [
        (right("ID"), |source, _| source.id.to_string()),
        (toned("STATE"), |source, _| state_word(source)),
        (flexible("NAME"), |source, _| source.settings.name.clone()),
        (right("INTERVAL"), |source, _| {
            source.settings.interval.to_string()
        }),
        (left(look.age_heading("LAST")), |source, look| {
            look.ago(source.state.last_attempt_at)
        }),
        (left("NEXT"), |source, look| look.until(next_due(source))),
        (toned("VERIFIED"), |source, _| {
            or_dash(verified_word(source))
        }),
        published,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AttemptOutcome, VersionId, VersionState};
    use crate::faces::fixtures::{at, source};

    fn sample() -> [Source; 4] {
        let mut failing = source(1, "prices");
        failing.state.failures = 3;
        failing.state.last_outcome = Some(AttemptOutcome::Failed);
        failing.settings.tags = vec!["eu".to_owned(), "prices".to_owned()];
        let mut off = source(21, "rates, daily\u{1b}");
        off.settings.enabled = false;
        let mut never = source(3, "firmware-manifest-of-a-long-name");
        never.state.last_attempt_at = None;
        never.state.last_outcome = None;
        never.state.version_id = None;
        never.state.version_state = None;
        never.state.published_version_id = None;
        let mut bad = source(4, "list");
        bad.state.version_state = Some(VersionState::Failed);
        bad.state.published_version_id = Some(VersionId(3));
        [failing, off, never, bad]
    }

    fn print(format: TableFormat, width: Option<usize>) -> String {
        let mut out = Vec::new();
        let newest = Newest {
            size_bytes: Some(5),
            digest: Some(crate::domain::Digest::of(b"worse")),
            error_kind: Some(crate::domain::FailureKind::Status),
            error: Some("503 Service Unavailable".to_owned()),
            wanted_version_id: Some(VersionId(11)),
        };
        let newest = ExtraFacts {
            newest: HashMap::from([(SourceId(1), newest)]),
            failing_sets: Vec::new(),
        };
        let published = Path::new("/data/published");
        let written = match format {
            TableFormat::People => {
                let now = at("17:00:00");
                let look =
                    width.map_or_else(|| Look::plain(now), |width| Look::terminal(now, width));
                Table::of(columns(&look), &sample(), &look).write(&mut out, 0, &look)
            }
            TableFormat::Json => write(&sample()[..2], &newest, format, published, &mut out),
            TableFormat::Csv => write(&sample(), &newest, format, published, &mut out),
        };
        written.expect("a buffer");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_failed_fetch_and_a_failed_verification_are_two_words() {
        use AttemptOutcome::{Failed, New, Unchanged};
        for (failures, outcome, version, expected) in [
            (0, None, None, "never"),
            (0, Some(New), Some(VersionState::Passed), "new"),
            (0, Some(Unchanged), Some(VersionState::Error), "error"),
            (0, Some(New), Some(VersionState::Pending), "pending"),
            (0, Some(Unchanged), Some(VersionState::Failed), "FAIL"),
            (2, Some(Failed), Some(VersionState::Failed), "down(2)"),
        ] {
            let mut source = source(1, "prices");
            source.state.failures = failures;
            source.state.last_outcome = outcome;
            source.state.version_state = version;
            source.state.version_id = version.and(source.state.version_id);
            assert_eq!(state_word(&source), expected);
        }
        let mut damaged = source(1, "prices");
        damaged.state.version_state = None;
        assert_eq!(state_word(&damaged), "DAMAGED");
        assert_eq!(verified_word(&damaged), Some("damaged"));
    }

    #[test]
    fn people_see_a_table() {
        insta::assert_snapshot!(print(TableFormat::People, None), @r"
        ID  STATE    NAME                              INTERVAL  LAST (UTC)        NEXT              VERIFIED  PUBLISHED
         1  down(3)  prices                                  6h  2026-01-31 12:00  2026-01-31 18:00  passed    example.org/1.csv
        21  off      rates, daily                            6h  2026-01-31 12:00  -                 passed    example.org/21.csv
         3  never    firmware-manifest-of-a-long-name        6h  -                 2026-01-31 18:00  -         -
         4  FAIL     list                                    6h  2026-01-31 12:00  2026-01-31 18:00  failed    example.org/4.csv
        ");
        for width in [80, 90, 100] {
            let narrow = print(TableFormat::People, Some(width));
            assert!(
                narrow.lines().all(|line| line.chars().count() <= width),
                "{narrow}"
            );
            // Paths differ at their ends, and stand where there is room.
            let ends = if width < 100 {
                [(1, " v11"), (2, " v31"), (4, " v3")]
            } else {
                [(1, "1.csv"), (2, "21.csv"), (4, "4.csv")]
            };
            for (row, end) in ends {
                let line = narrow.lines().nth(row).unwrap_or_default();
                assert!(line.ends_with(end), "{narrow}");
            }
        }
    }

    #[test]
    fn programs_get_json() {
        insta::assert_snapshot!(print(TableFormat::Json, Some(40)), @r#"
        [
          {
            "id": 1,
            "name": "prices",
            "address": "https://example.org/1.csv",
            "interval": "6h",
            "enabled": true,
            "tags": [
              "eu",
              "prices"
            ],
            "last_attempt_at": "2026-01-31T12:00:03.250Z",
            "next_due_at": "2026-01-31T18:00:00Z",
            "last_outcome": "failed",
            "failures": 3,
            "version_id": 11,
            "verified": "passed",
            "published_path": "/data/published/example.org/1.csv",
            "set": null,
            "state": "down",
            "removed_at": null,
            "published_version_id": 11,
            "wanted_version_id": 11,
            "publish_error": null,
            "size_bytes": 5,
            "digest": "sha256:e760bdbe0be65db96a57ff47b62e8ab179c0d6b2f3316b80f71ecac63abd2da8",
            "error_kind": "status",
            "error": "503 Service Unavailable",
            "set_error": null,
            "withdrawn_at": null,
            "withdrawn_because": null,
            "dated_id": null,
            "day": null,
            "dated": null
          },
          {
            "id": 21,
            "name": "rates, daily\u001b",
            "address": "https://example.org/21.csv",
            "interval": "6h",
            "enabled": false,
            "tags": [],
            "last_attempt_at": "2026-01-31T12:00:03.250Z",
            "next_due_at": null,
            "last_outcome": "new",
            "failures": 0,
            "version_id": 31,
            "verified": "passed",
            "published_path": "/data/published/example.org/21.csv",
            "set": null,
            "state": "off",
            "removed_at": null,
            "published_version_id": 31,
            "wanted_version_id": null,
            "publish_error": null,
            "size_bytes": null,
            "digest": null,
            "error_kind": null,
            "error": null,
            "set_error": null,
            "withdrawn_at": null,
            "withdrawn_because": null,
            "dated_id": null,
            "day": null,
            "dated": null
          }
        ]
        "#);
    }

    #[test]
    fn spreadsheets_get_csv() {
        insta::assert_snapshot!(print(TableFormat::Csv, Some(40)).replace("\r\n", "\n"), @r#"
        id,name,address,interval,enabled,tags,last_attempt_at,next_due_at,last_outcome,failures,version_id,verified,published_path,set,state,removed_at,published_version_id,wanted_version_id,publish_error,size_bytes,digest,error_kind,error,set_error,withdrawn_at,withdrawn_because,dated_id,day
        1,prices,https://example.org/1.csv,6h,true,eu prices,2026-01-31T12:00:03.250Z,2026-01-31T18:00:00Z,failed,3,11,passed,/data/published/example.org/1.csv,,down,,11,11,,5,sha256:e760bdbe0be65db96a57ff47b62e8ab179c0d6b2f3316b80f71ecac63abd2da8,status,503 Service Unavailable,,,,,
        21,"rates, daily",https://example.org/21.csv,6h,false,,2026-01-31T12:00:03.250Z,,new,0,31,passed,/data/published/example.org/21.csv,,off,,31,,,,,,,,,,,
        3,firmware-manifest-of-a-long-name,https://example.org/3.csv,6h,true,,,2026-01-31T18:00:00Z,,0,,,,,never,,,,,,,,,,,,,
        4,list,https://example.org/4.csv,6h,true,,2026-01-31T12:00:03.250Z,2026-01-31T18:00:00Z,new,0,14,failed,/data/published/example.org/4.csv,,fail,,3,,,,,,,,,,,
        "#);
    }
}
