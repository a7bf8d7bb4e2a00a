//! `show`: everything about one source on one screen.

use std::io::{self, Write};
use std::path::Path;

use super::damaged::Damaged;
use super::history::write_tables;
use super::sets;
use crate::app::{App, History};
use crate::domain::Source;
use crate::faces::cli::Console;
use crate::faces::cli::args::ShowArgs;
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::facts::write_facts;
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{Cell, Column, Table, left, toned};
use crate::faces::json::{WholeSourceJson, published_file, write_history};
use crate::faces::publication::published_words;
use crate::faces::source_facts::{Facts, list_text, provenance_facts, settings_facts};
use crate::faces::state_word::{next_due, state_word, verified_word, why};
use crate::faces::text::{clean, or_dash};

/// The number of versions and of attempts that are shown.
const SHOWN: usize = 10;
/// The number of days of a dated source that are shown.
const SHOWN_DAYS: usize = 31;

pub(super) async fn run(app: &App, args: &ShowArgs, console: &mut Console<'_>) -> CommandResult {
    if let Some(set) = sets::name_of(app, &args.source).await? {
        return sets::show(app, set, args.json, console).await;
    }
    let mut damaged = Damaged::default();
    let history = damaged.record(app.sound_history(&args.source, Some(SHOWN)).await?);
    let verifiers = app.verifiers_of(&history.source.settings).await?;
    let published_dir = app.published_folder();
    if args.json {
        let newest = app.newest(std::slice::from_ref(&history.source)).await?;
        let newest = newest.get(&history.source.id).cloned().unwrap_or_default();
        let (source, set_error) = (&history.source, history.set_failure.as_deref());
        let shown =
            WholeSourceJson::new(source, set_error, &newest, published_dir, Some(&verifiers));
        let verdicts = async |id| app.verdicts(id).await.map_err(Failure::from);
        write_history(&mut console.out, &shown, &history, verdicts).await?;
    } else {
        let (look, out) = (Look::of(app, console), &mut console.out);
        let days = match history.source.state.days {
            Some(_) => Some(app.days_of(history.source.id, SHOWN_DAYS).await?),
            None => None,
        };
        let days = days.as_deref();
        write(&history, days, &verifiers, published_dir, &look, out)?;
        if history.source.removed_at.is_none() {
            let id = history.source.id.to_string();
            let earlier = app.earlier_judges(std::slice::from_ref(&id)).await?;
            for line in earlier.into_iter().chain(app.unasked(&[id]).await?) {
                console.note(&clean(&line));
            }
        }
    }
    Ok(damaged.report(console))
}

fn write(
    history: &History,
    days: Option<&[Source]>,
    verifiers: &[String],
    published_dir: &Path,
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let source = &history.source;
    let mut facts = vec![("source", format!("{} {}", source.id, source.settings.name))];
    facts.extend(settings_facts(&source.settings));
    facts.push(("state", state_word(source)));
    facts.extend(why(history).map(|why| ("why", why)));
    facts.extend([
        ("added", look.zoned_time(Some(source.created_at))),
        (
            "last fetched",
            look.zoned_time(source.state.last_attempt_at),
        ),
    ]);
    facts.extend(days_facts(source));
    facts.extend(last_attempt_facts(history));
    facts.extend([
        ("next due", next_fact(source, look)),
        ("published", published_fact(source, published_dir, look)),
        ("verifiers", list_text(verifiers)),
    ]);
    facts.extend(policy_fact(history));
    write_facts(&facts, look, out)?;
    writeln!(out)?;
    match days {
        Some(days) => write_days(source, days, look, out),
        None => write_tables(history, look, out),
    }
}

/// Writes the days of a dated source, newest first.
fn write_days(
    source: &Source,
    days: &[Source],
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    if days.is_empty() {
        return writeln!(out, "days: none yet");
    }
    writeln!(out, "days:")?;
    let columns: [(Column, Cell<Source>); 6] = [
        (left("DAY"), |day, _| or_dash(day.day.map(|of| of.day))),
        (toned("STATE"), |day, _| state_word(day)),
        (left("VERSION"), |day, _| {
            or_dash(day.state.version_id.map(|id| format!("v{id}")))
        }),
        (toned("VERIFIED"), |day, _| or_dash(verified_word(day))),
        (left(look.age_heading("LAST")), |day, look| {
            look.ago(day.state.last_attempt_at)
        }),
        (left("NEXT"), |day, look| look.until(next_due(day))),
    ];
    Table::of(columns, days, look).write(out, 2, look)?;
    let known = source.state.days.as_ref().map_or(0, |state| state.held);
    if known > days.len() as u64 {
        let name = &source.settings.name;
        writeln!(out, "all of them: gannet list --filter of:{name}")?;
    }
    Ok(())
}

/// Returns the policy under which the newest version got its state.
fn policy_fact(history: &History) -> Option<(&'static str, String)> {
    let (newest, _) = history.versions.first()?;
    let revision = newest.policy_revision?;
    let words = format!(
        "revision {revision}, by which v{} is {}",
        newest.id, newest.state
    );
    Some(("policy", words))
}

/// Returns how many days of the window of a dated source have no file, or a problem.
fn days_facts(source: &Source) -> Facts {
    let Some(days) = &source.state.days else {
        return Facts::new();
    };
    let counts = [("missing", days.missing), ("failing", days.failing)];
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let words = |(name, days)| (name, format!("{days} of the days of its window"));
    counts.map(words).collect()
}

/// Returns the addresses that the last attempt requested, and the peers that answered.
fn last_attempt_facts(history: &History) -> Facts {
    let last = history.attempts.first();
    let provenance = last.and_then(|last| last.provenance.as_ref());
    provenance.map(provenance_facts).unwrap_or_default()
}

fn next_fact(source: &Source, look: &Look) -> String {
    match next_due(source) {
        Some(time) if time <= look.now => "now".to_owned(),
        time => look.zoned_time(time),
    }
}

fn published_fact(source: &Source, published_dir: &Path, look: &Look) -> String {
    let path = published_file(source, published_dir);
    let path = path.as_deref().unwrap_or_default();
    published_words(source, path, |time| look.zoned_time(Some(time)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Newest;
    use crate::domain::VerdictOutcome;
    use crate::faces::fixtures::{at, failed_attempt, source, verdict, version};

    fn sample() -> History {
        let mut source = source(1, "prices");
        source.settings.tags = vec!["eu".to_owned()];
        source.settings.headers = vec![("Authorization".to_owned(), "Bearer ${TOKEN}".to_owned())];
        source.settings.allow_private = true;
        source.settings.max_size_bytes = Some(1 << 20);
        History {
            source,
            served: Some(crate::domain::VersionId(11)),
            set_failure: None,
            attempts: vec![failed_attempt(2)],
            versions: vec![(
                version(11, 0, b"good"),
                vec![verdict(11, VerdictOutcome::Passed, "")],
            )],
        }
    }

    #[test]
    fn one_screen() {
        let mut out = Vec::new();
        let published = Path::new("/data/published");
        let look = Look::plain(at("17:00:00"));
        let verifiers = ["schema".to_owned()];
        write(&sample(), None, &verifiers, published, &look, &mut out).expect("a buffer");
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r"
        source        1 prices
        address       https://example.org/1.csv
        interval      6h
        tags          eu
        publish       passed
        header        Authorization: Bearer ${TOKEN}
        allowed       private addresses
        max size      1.0 MiB
        state         new
        added         2026-01-31 08:00 UTC
        last fetched  2026-01-31 12:00 UTC
        asked         https://example.org/1.csv
        redirected    302 to https://files.example.org/1.csv?…
        answered by   [2001:db8::7]:8443 over TLS 1.3, certificate 03d66dd08835
        next due      2026-01-31 18:00 UTC
        published     /data/published/example.org/1.csv (v11)
        verifiers     schema
        policy        revision 1, by which v11 is passed

        versions:
          VERSION  FETCHED (UTC)     SIZE  VERIFIED  PUBLISHED  DIGEST        FILE        VERDICTS
          v11      2026-01-31 12:00   4 B  passed    now        770e607624d6  prices.csv  schema passed
        attempts:
          STARTED (UTC)     OUTCOME  STATUS  SIZE   TOOK  VERSION  PEER                ERROR
          2026-01-31 18:00  failed      503     -  1.2 s  -        [2001:db8::7]:8443  status: 503 Service Unavailable[2J
        ");
    }

    #[tokio::test]
    async fn json_has_each_field_once() {
        let (history, newest) = (sample(), Newest::default());
        let published = Path::new("/data/published");
        let shown = WholeSourceJson::new(&history.source, None, &newest, published, Some(&[]));
        let mut out = Vec::new();
        let verdicts = async |_| io::Result::Ok(history.versions[0].1.clone());
        write_history(&mut out, &shown, &history, verdicts)
            .await
            .expect("a buffer");
        let value: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        let keys: Vec<_> = value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect();
        insta::assert_snapshot!(keys.join(" "), @"id name address interval enabled tags last_attempt_at next_due_at last_outcome failures version_id verified published_path set state removed_at published_version_id wanted_version_id publish_error size_bytes digest error_kind error set_error withdrawn_at withdrawn_because dated_id day dated headers allow_private allow_http allow_empty publish rates max_size days final_after user created_at verifiers attempts versions");
    }
}
