//! Sets on the command line: the table under `list`, `list --sets`, `show set:NAME`, `verify set:NAME`, `verdict
//! set:NAME`.

use std::io::{self, Write};

use super::folders::SetFolders;
use super::published::print_publish_failures;
use super::verdict_lines::{counts_for, write_judged};
use crate::app::{App, Error, SetOverview, Unpublished, VerifiedSet};
use crate::domain::{Edition, EditionVerdict, SourceId, Withdrawal, last_of_each, with_origin};
use crate::faces::cli::args::{TableFormat, VerdictArgs};
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::facts::write_facts;
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{self, Table, below, flexible, left, right, toned};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::csv;
use crate::faces::folder_change::FolderChange;
use crate::faces::json::{self, SetJson, ShownSetJson};
use crate::faces::set_words::{path, reasons, state, why};
use crate::faces::text::{clean, or_dash};

/// Returns the set named by `set:NAME`, unless a source has exactly this name.
pub(super) async fn name_of<'a>(app: &App, text: &'a str) -> Result<Option<&'a str>, Error> {
    match text.strip_prefix("set:") {
        Some(name) if !app.is_source(text).await? => Ok(Some(name)),
        _ => Ok(None),
    }
}

/// `list --sets`.
pub(super) async fn list(
    app: &App,
    format: TableFormat,
    console: &mut Console<'_>,
) -> CommandResult {
    let sets = app.sets().await?;
    let objects = sets.iter().map(SetJson::new);
    match format {
        TableFormat::Json => json::write(&mut console.out, &objects.collect::<Vec<_>>())?,
        TableFormat::Csv => csv::write(&mut console.out, SetJson::FIELDS, objects)?,
        TableFormat::People if sets.is_empty() && app.damage().is_empty() => {
            console.warn_line("no sets: a [[verifier]] with scope = \"set\" makes one");
        }
        TableFormat::People => {
            let look = Look::of(app, console);
            table(&sets, &look).write(&mut console.out, 0, &look)?;
        }
    }
    Ok(ExitStatus::Done)
}

/// Writes the sets below the sources, if there are any.
pub(super) async fn write_after(app: &App, console: &mut Console<'_>) -> Result<(), Failure> {
    let sets = app.sets().await?;
    if !sets.is_empty() {
        let look = Look::of(app, console);
        writeln!(console.out)?;
        table(&sets, &look).write(&mut console.out, 0, &look)?;
    }
    Ok(())
}

fn table(sets: &[SetOverview], look: &Look) -> Table {
    let mut table = Table::new([
        flexible("SET"),
        toned("STATE"),
        right("MEMBERS"),
        left(look.heading("PUBLISHED")),
        table::path("PATH"),
        below("WHY"),
    ]);
    for one in sets {
        table.row([
            one.set.name.clone(),
            state(one),
            one.members.len().to_string(),
            look.time_or_dash(one.set.published_at),
            or_dash(path(one)),
            why(one).unwrap_or_default(),
        ]);
    }
    table
}

/// `show set:NAME`.
pub(super) async fn show(
    app: &App,
    name: &str,
    as_json: bool,
    console: &mut Console<'_>,
) -> CommandResult {
    let (set, verdicts) = app.set(name).await?;
    let verifiers = app.verifier_names_of_set(name).await?;
    if as_json {
        let shown = ShownSetJson::new(&set, &verifiers, &verdicts);
        json::write(&mut console.out, &shown)?;
    } else {
        let look = Look::of(app, console);
        write(&set, &verifiers, &verdicts, &look, &mut console.out)?;
    }
    Ok(ExitStatus::Done)
}

fn write(
    one: &SetOverview,
    verifiers: &[String],
    verdicts: &[EditionVerdict],
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let newest = one.newest.as_ref().map(|newest| {
        let at = look.zoned_time(Some(newest.at));
        format!("edition {} of {at}: {}", newest.id, newest.state)
    });
    let mut facts = vec![
        ("set", one.set.name.clone()),
        ("state", state(one)),
        ("newest", or_dash(newest)),
        ("published", published_fact(one, look)),
        ("path", one.path.to_string_lossy().into_owned()),
        ("verifiers", verifiers.join(", ")),
    ];
    facts.extend(reasons(one));
    write_facts(&facts, look, out)?;
    writeln!(out, "\nmembers:")?;
    members_table(one).write(out, 2, look)?;
    if !verdicts.is_empty() {
        writeln!(out, "verdicts on the newest edition:")?;
        verdicts_table(verdicts, look).write(out, 2, look)?;
    }
    Ok(())
}

/// Returns the edition that consumers see, or why they see none.
fn published_fact(one: &SetOverview, look: &Look) -> String {
    match (one.set.published, one.set.published_at, &one.set.withdrawn) {
        // The row of that edition may be damaged.
        (Some(id), Some(at), _) => format!("edition {id}, since {}", look.zoned_time(Some(at))),
        (_, _, Some(Withdrawal { at, because })) => {
            format!("withdrawn {}: {because}", look.zoned_time(Some(*at)))
        }
        _ if one.is_linked => {
            "nothing, but a folder lies there still: the next pass that may publish removes it"
                .to_owned()
        }
        _ => "nothing yet".to_owned(),
    }
}

/// Returns a row for each source that is a member, or is in the newest or the published edition.
fn members_table(one: &SetOverview) -> Table {
    let mut table = Table::new([
        flexible("SOURCE"),
        left("NOW"),
        toned("VERIFIED"),
        left("NEWEST"),
        left("PUBLISHED"),
    ]);
    let mut sources: Vec<(SourceId, &str)> = one
        .members
        .iter()
        .map(|member| (member.source_id, member.name.as_str()))
        .collect();
    let editions = [&one.newest, &one.published];
    for member in editions.into_iter().flatten().flat_map(|one| &one.members) {
        if !sources.iter().any(|(id, _)| *id == member.source_id) {
            sources.push((member.source_id, &member.name));
        }
    }
    let version_in = |edition: &Option<Edition>, id: SourceId| {
        let members = edition.iter().flat_map(|edition| &edition.members);
        let found = members.into_iter().find(|member| member.source_id == id);
        or_dash(found.map(|member| format!("v{}", member.version_id)))
    };
    for (id, name) in sources {
        let now = one.members.iter().find(|member| member.source_id == id);
        let newest = now.and_then(|member| member.newest);
        table.row([
            name.to_owned(),
            or_dash(newest.map(|newest| format!("v{}", newest.0))),
            or_dash(newest.map(|newest| newest.1)),
            version_in(&one.newest, id),
            version_in(&one.published, id),
        ]);
    }
    table
}

/// Returns a row for the last verdict of each verifier, newest first.
fn verdicts_table(verdicts: &[EditionVerdict], look: &Look) -> Table {
    let mut table = Table::new([
        left(look.heading("AT")),
        flexible("VERIFIER"),
        toned("VERDICT"),
        below("DETAIL"),
    ]);
    let mut last = last_of_each(verdicts, |one| &one.verdict);
    last.sort_by_key(|one| std::cmp::Reverse(one.id));
    for one in last {
        let EditionVerdict {
            verdict, given_on, ..
        } = one;
        table.row([
            look.time(verdict.started_at),
            verdict.verifier.clone(),
            verdict.outcome_words(),
            with_origin(
                &verdict.judgement.detail,
                given_on.map(|id| format!("edition {id}")),
            ),
        ]);
    }
    table
}

/// `verdict set:NAME`.
pub(super) async fn verdict(
    app: &App,
    name: &str,
    args: &VerdictArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    let detail = args.detail.clone();
    let before = SetFolders::now(app).await;
    let (edition, also) = app
        .set_verdict(name, None, &args.verifier, args.outcome, detail)
        .await?;
    let folder = before.change_of(app, name).await?;
    console.print_line(&format!(
        "recorded: {} {} edition {} of the set {}, which is {} now; {}",
        clean(&args.verifier),
        args.outcome,
        edition.id,
        clean(name),
        edition.state,
        folder.clause()
    ))?;
    let ids = also.iter().map(|id| id.0);
    if let Some(also) = counts_for(args.outcome, &clean(&args.verifier), "edition ", ids) {
        console.print_line(&also)?;
    }
    let failures = unpublished(app, &[name.to_owned()]).await?;
    Ok(print_publish_failures(&failures, console))
}

/// Returns the sets among these whose folders are out of date.
pub(super) async fn unpublished(app: &App, sets: &[String]) -> Result<Vec<Unpublished>, Error> {
    let mut failures = app.unpublished().await?;
    failures.retain(|one| one.set.as_ref().is_some_and(|set| sets.contains(set)));
    Ok(failures)
}

/// `verify set:NAME`: judges the newest edition again. Returns the verdicts, and the change of the set's folder.
pub(super) async fn verify(app: &App, name: &str) -> Result<(VerifiedSet, FolderChange), Error> {
    let before = SetFolders::now(app).await;
    let verified = app.verify_set(name).await?;
    let folder = before.change_of(app, name).await?;
    Ok((verified, folder))
}

/// Prints the verdicts on a set's edition, and the change of the set's folder.
pub(super) fn write_verified(
    (verified, folder): &(VerifiedSet, FolderChange),
    out: &mut dyn Write,
) -> io::Result<()> {
    write_judged(verified, out)?;
    writeln!(out, "{}", folder.line(&verified.edition.set))
}
