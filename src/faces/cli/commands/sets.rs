//! Sets on the command line: the table under `list`, `list --sets`, `show set:NAME`, `verify set:NAME`, `verdict set:NAME`.

use std::io::{self, Write};

use serde::Serialize;

use super::folders::{FolderChange, SetFolders};
use super::published::tell_failures;
use super::verdict::counts_for;
use super::verify::{SetAsideJson, set_aside_json, write_verdicts};
use crate::app::{App, Error, SetOverview, Unpublished, VerifiedSet};
use crate::domain::{
    Edition, EditionId, EditionMember, EditionVerdict, SourceId, VersionId, VersionState,
    Withdrawal, last_of_each, with_origin,
};
use crate::faces::cli::args::{TableFormat, VerdictArgs};
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::facts::write_facts;
use crate::faces::cli::json::{self, VerdictJson, precise};
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{self, Table, below, flexible, left, right, toned};
use crate::faces::cli::{Console, ExitStatus, csv};
use crate::faces::standing::StateWord;
use crate::faces::text::{clean, or_dash};

/// One of `list --sets --json`.
#[derive(Serialize)]
struct SetJson<'a> {
    name: &'a str,
    verified: Option<&'static str>,
    members: usize,
    waits_for: Option<String>,
    edition_id: Option<EditionId>,
    edition_at: Option<String>,
    published_edition_id: Option<EditionId>,
    published_at: Option<String>,
    published_path: Option<String>,
    publish_error: Option<&'a str>,
    error: Option<&'a str>,
    withdrawn_at: Option<String>,
    withdrawn_because: Option<&'a str>,
}

impl<'a> SetJson<'a> {
    const FIELDS: [&'static str; 13] = [
        "name",
        "verified",
        "members",
        "waits_for",
        "edition_id",
        "edition_at",
        "published_edition_id",
        "published_at",
        "published_path",
        "publish_error",
        "error",
        "withdrawn_at",
        "withdrawn_because",
    ];

    fn new(one: &'a SetOverview) -> Self {
        let newest = one.newest.as_ref();
        let withdrawn = one.set.withdrawn.as_ref();
        Self {
            name: &one.set.name,
            verified: match newest {
                _ if one.is_damaged => Some(StateWord::Damaged.as_str()),
                newest => newest.map(|edition| edition.state.as_str()),
            },
            members: one.members.len(),
            waits_for: waits(one),
            edition_id: newest.map(|edition| edition.id),
            edition_at: newest.map(|edition| precise(edition.at)),
            published_edition_id: one.set.published,
            published_at: one.set.published_at.map(precise),
            published_path: path(one),
            publish_error: one.set.publish_error.as_deref(),
            error: one.failure.as_deref(),
            withdrawn_at: withdrawn.map(|withdrawal| precise(withdrawal.at)),
            withdrawn_because: withdrawn.map(|withdrawal| withdrawal.because.as_str()),
        }
    }
}

/// The whole of `show set:NAME --json`.
#[derive(Serialize)]
struct ShownSetJson<'a> {
    #[serde(flatten)]
    set: SetJson<'a>,
    verifiers: Vec<String>,
    sources: Vec<MemberJson<'a>>,
    edition: Option<EditionJson<'a>>,
    published: Option<EditionJson<'a>>,
}

#[derive(Serialize)]
struct MemberJson<'a> {
    source_id: SourceId,
    source: &'a str,
    version_id: Option<VersionId>,
    verified: Option<&'static str>,
}

#[derive(Serialize)]
struct EditionJson<'a> {
    id: EditionId,
    at: String,
    verified: &'static str,
    members: Vec<EditionMemberJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdicts: Option<Vec<VerdictJson<'a>>>,
}

#[derive(Serialize)]
struct EditionMemberJson<'a> {
    source_id: SourceId,
    source: &'a str,
    version_id: VersionId,
}

impl<'a> EditionJson<'a> {
    fn new(edition: &'a Edition, verdicts: Option<Vec<VerdictJson<'a>>>) -> Self {
        let member = |member: &'a EditionMember| EditionMemberJson {
            source_id: member.source_id,
            source: &member.name,
            version_id: member.version_id,
        };
        Self {
            id: edition.id,
            at: precise(edition.at),
            verified: edition.state.as_str(),
            members: edition.members.iter().map(member).collect(),
            verdicts,
        }
    }
}

/// An edition that was judged.
#[derive(Serialize)]
pub(super) struct JudgedSetJson<'a> {
    set: &'a str,
    edition_id: EditionId,
    verified: &'static str,
    /// Why this is an older edition than the set would have now.
    waits_for: Option<&'a str>,
    verdicts: Vec<VerdictJson<'a>>,
    /// Verdicts by hand that counted until now.
    set_aside: Vec<SetAsideJson<'a>>,
}

/// One of `verify --json` for a set.
#[derive(Serialize)]
pub(super) struct VerifiedSetJson<'a> {
    #[serde(flatten)]
    judged: JudgedSetJson<'a>,
    /// What became of the folder of the set.
    published: &'a FolderChange,
}

impl<'a> VerifiedSetJson<'a> {
    pub(super) fn new(
        verified: &'a VerifiedSet,
        published: &'a FolderChange,
        actor: &'a str,
    ) -> Self {
        let judged = JudgedSetJson::new(verified, actor);
        Self { judged, published }
    }
}

impl<'a> JudgedSetJson<'a> {
    pub(super) fn new(verified: &'a VerifiedSet, actor: &'a str) -> Self {
        let verdicts = verified.verdicts.iter();
        Self {
            set: &verified.edition.set,
            edition_id: verified.edition.id,
            verified: verified.edition.state.as_str(),
            waits_for: verified.waits.as_deref(),
            verdicts: verdicts
                .map(|verdict| VerdictJson::new(verdict, actor))
                .collect(),
            set_aside: set_aside_json(&verified.set_aside),
        }
    }
}

/// Returns the set that `set:NAME` means, unless a source is called just so.
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
        TableFormat::Csv => csv::write(&mut console.out, &SetJson::FIELDS, objects)?,
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

/// Writes the sets under the sources, when there are any.
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
        json::write(&mut console.out, &object(&set, verifiers, &verdicts))?;
    } else {
        let look = Look::of(app, console);
        write(&set, &verifiers, &verdicts, &look, &mut console.out)?;
    }
    Ok(ExitStatus::Done)
}

fn object<'a>(
    set: &'a SetOverview,
    verifiers: Vec<String>,
    verdicts: &'a [EditionVerdict],
) -> ShownSetJson<'a> {
    let verdicts = verdicts.iter().map(VerdictJson::on_edition);
    ShownSetJson {
        set: SetJson::new(set),
        verifiers,
        sources: set
            .members
            .iter()
            .map(|member| MemberJson {
                source_id: member.source_id,
                source: &member.name,
                version_id: member.newest.map(|newest| newest.0),
                verified: member.newest.map(|newest| newest.1.as_str()),
            })
            .collect(),
        edition: set
            .newest
            .as_ref()
            .map(|edition| EditionJson::new(edition, Some(verdicts.collect()))),
        published: set
            .published
            .as_ref()
            .map(|edition| EditionJson::new(edition, None)),
    }
}

fn write(
    one: &SetOverview,
    verifiers: &[String],
    verdicts: &[EditionVerdict],
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let edition = |edition: &Edition| format!("edition {}", edition.id);
    let published = match (one.set.published, one.set.published_at) {
        // Also where the row of that edition is damaged.
        (Some(id), Some(at)) => format!("edition {id}, since {}", look.alone(Some(at))),
        _ => match &one.set.withdrawn {
            Some(Withdrawal { at, because }) => {
                format!("withdrawn {}: {because}", look.alone(Some(*at)))
            }
            None => "nothing yet".to_owned(),
        },
    };
    let newest = one.newest.as_ref().map(|newest| {
        let (name, at) = (edition(newest), look.alone(Some(newest.at)));
        format!("{name} of {at}: {}", newest.state)
    });
    let mut facts = vec![
        ("set", one.set.name.clone()),
        ("state", state(one)),
        ("newest", or_dash(newest)),
        ("published", published),
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

/// Returns a row for each source that is a member, or has a part in the newest or the published edition.
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
        .set_verdict(name, &args.verifier, args.outcome, detail)
        .await?;
    let folder = before.change_of(app, name).await?;
    console.say(&format!(
        "recorded: {} {} edition {} of the set {}, which is {} now; {}",
        clean(&args.verifier),
        args.outcome,
        edition.id,
        clean(name),
        edition.state,
        folder.words()
    ))?;
    let ids = also.iter().map(|id| id.0);
    if let Some(also) = counts_for(args.outcome, &clean(&args.verifier), "edition ", ids) {
        console.say(&also)?;
    }
    let failures = unpublished(app, &[name.to_owned()]).await?;
    Ok(tell_failures(&failures, console))
}

/// Returns those of these sets whose folders are not what they should be.
pub(super) async fn unpublished(app: &App, sets: &[String]) -> Result<Vec<Unpublished>, Error> {
    let mut failures = app.unpublished().await?;
    failures.retain(|one| one.set.as_ref().is_some_and(|set| sets.contains(set)));
    Ok(failures)
}

/// `verify set:NAME`: judges the newest edition again. Returns what was said, and what became of the folder of the set.
pub(super) async fn verify(app: &App, name: &str) -> Result<(VerifiedSet, FolderChange), Error> {
    let before = SetFolders::now(app).await;
    let verified = app.verify_set(name).await?;
    let folder = before.change_of(app, name).await?;
    Ok((verified, folder))
}

/// Prints what each verifier said of a set's edition, and what became of the folder of the set.
pub(super) fn write_verified(
    (verified, folder): &(VerifiedSet, FolderChange),
    out: &mut dyn Write,
) -> io::Result<()> {
    write_judged(verified, out)?;
    writeln!(out, "{}", folder.line(&verified.edition.set))
}

/// Prints what each verifier said of a set's edition.
pub(super) fn write_judged(verified: &VerifiedSet, out: &mut dyn Write) -> io::Result<()> {
    let Edition { id, set, state, .. } = &verified.edition;
    writeln!(out, "edition {id} of the set {}: {state}", clean(set))?;
    let judged = ("edition ", id.0);
    write_verdicts(judged, &verified.verdicts, &verified.set_aside, out)
}

pub(super) fn state(one: &SetOverview) -> String {
    if !one.set.configured {
        return "removed".to_owned();
    }
    if one.is_damaged {
        return StateWord::Damaged.as_str().to_owned();
    }
    if one.set.problem.is_some() {
        return VersionState::Error.to_string();
    }
    if one.set.publish_error.is_some() {
        return StateWord::Unpublished.shown().to_owned();
    }
    if one.members.is_empty() {
        // Its last edition says nothing of files that are in it no more.
        return "empty".to_owned();
    }
    one.newest
        .as_ref()
        .map_or_else(|| "never".to_owned(), |newest| newest.state.to_string())
}

/// Returns why a set stands where it does in one line: why it fails, is not published, and is not judged.
pub(super) fn why(one: &SetOverview) -> Option<String> {
    let reasons = reasons(one);
    let words = reasons.iter().enumerate().map(|(place, (what, why))| {
        if place == 0 || *what == "why" {
            why.clone()
        } else {
            format!("{what}: {why}")
        }
    });
    (!reasons.is_empty()).then(|| words.collect::<Vec<_>>().join("; "))
}

/// Returns every reason why a set stands where it does, each under its name.
fn reasons(one: &SetOverview) -> Vec<(&'static str, String)> {
    let waits = waits(one).filter(|why| one.failure.as_ref() != Some(why));
    let named = [
        ("why", one.failure.clone()),
        ("not published", one.set.publish_error.clone()),
        ("waits", waits),
    ];
    let named = named.into_iter();
    named.filter_map(|(what, why)| Some((what, why?))).collect()
}

fn waits(one: &SetOverview) -> Option<String> {
    let reason = one.waits.as_ref().map(ToString::to_string);
    one.set.problem.clone().or(reason)
}

pub(super) fn path(one: &SetOverview) -> Option<String> {
    let path = one.path.to_string_lossy().into_owned();
    one.set.published.map(|_| path)
}
