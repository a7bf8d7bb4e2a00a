//! `config adopt` and `config show --policy`: the verifiers and sets of the catalogue, and their configuration file.

use std::io;

use super::folders::SetFolders;
use crate::app::{self, App, OtherContents, PolicyNext, PolicyOutlook};
use crate::domain::{AdoptedPolicy, PolicyVerifier, Weight};
use crate::faces::cli::consent::consent;
use crate::faces::cli::exit::printed;
use crate::faces::cli::facts::write_facts;
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{Table, flexible, left};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::json::{self, PolicyJson};
use crate::faces::text::{clean, count};

/// The number of files and sets that are listed by name because their contents differ from this catalogue's.
const MOST_NAMED: usize = 8;

/// The message for a catalogue without a policy while this process's configuration is unusable.
const NO_POLICY: &str = "no policy is in force yet";

/// Prints the policy in force.
pub async fn print_policy(
    app: &App,
    as_json: bool,
    console: &mut Console<'_>,
) -> app::Result<ExitStatus> {
    let policy = app.policy_in_force().await?;
    let is_own = policy
        .as_ref()
        .is_some_and(|policy| app.is_policy_of_own_file(policy));
    // An unusable configuration was reported already.
    let outlook = match app.config().unusable {
        None => Some(app.policy_outlook().await?),
        Some(_) => None,
    };
    let words = outlook
        .as_ref()
        .map_or_else(|| NO_POLICY.to_owned(), outlook_words);
    // Without a policy, these words are the whole output.
    if (policy.is_some() || as_json)
        && let Some(outlook) = &outlook
    {
        note_policy(outlook, console);
    }
    let written = match (&policy, as_json) {
        (policy, true) => {
            let policy = policy.as_ref().map(|one| PolicyJson::new(one, is_own));
            json::write(&mut console.out, &policy)
        }
        (None, false) => console.print_line(&words),
        (Some(policy), false) => {
            let look = Look::of(app, console);
            write_text(policy, &look, console)
        }
    };
    Ok(printed(written, console))
}

/// Prints what the next pass or command will do about the policy in force; nothing if it stays.
pub fn note_policy(policy: &PolicyOutlook, console: &mut Console<'_>) {
    match policy.next() {
        PolicyNext::Keep => {}
        PolicyNext::Adopt(_) => console.note(&outlook_words(policy)),
        // The message names both files.
        PolicyNext::Refuse(error) => console.note(&clean(&format!(
            "{}; `gannet config check` says what to do",
            error.message
        ))),
        PolicyNext::Confirm(_) => console.warn(&outlook_words(policy)),
    }
}

/// Describes the policy in force and what will become of it, in a line that is safe for a terminal.
fn outlook_words(policy: &PolicyOutlook) -> String {
    let words = format!("{}; {}", policy.in_force_words(), policy.next_words());
    clean(&words).into_owned()
}

/// Adopts the configuration of this process.
pub async fn adopt_policy(app: &App, console: &mut Console<'_>) -> app::Result<ExitStatus> {
    let folders = SetFolders::now(app).await;
    let lines = if let Some(adoption) = app.adopt_policy().await? {
        adoption.to_string()
    } else {
        let file = app.config().config_file.clone().unwrap_or_default();
        format!(
            "the configuration from {} is in force already",
            file.display()
        )
    };
    let lines: Vec<_> = lines.lines().map(clean).collect();
    let written = console.print_line(&lines.join("\n"));
    folders.print(app, console).await;
    Ok(printed(written, console))
}

/// Adopts the archive in the data folder for this catalogue.
pub async fn adopt_archive(
    app: &App,
    yes: bool,
    console: &mut Console<'_>,
) -> app::Result<ExitStatus> {
    let other = app.other_contents().await?;
    if !other.is_empty() {
        note_other_contents(&other, console);
        let replaced = count_other(&other);
        consent(
            &format!("let older contents take the place of {replaced}"),
            yes,
            console,
        )?;
    }
    let adopted = app.adopt_archive(&other).await?;
    let mut line = format!("the archive is this catalogue's now; {adopted} are kept");
    if other.unknown() > 0 {
        line += "; published contents that it does not know are copied to trash/ for 7 days";
    }
    let written = console.print_line(&line);
    Ok(printed(written, console))
}

/// Lists the first published files and sets whose contents this catalogue replaces.
fn note_other_contents(other: &OtherContents, console: &mut Console<'_>) {
    let files = other
        .files
        .iter()
        .map(|file| format!("published/{}: {file}", clean(&file.path)));
    let sets = other.sets.iter().map(|set| {
        format!(
            "sets/{}: leads to another edition than this catalogue published",
            clean(set)
        )
    });
    for line in files.chain(sets).take(MOST_NAMED) {
        console.note(&line);
    }
    let more = (other.files.len() + other.sets.len()).saturating_sub(MOST_NAMED);
    if more > 0 {
        console.note(&format!("and {more} more"));
    }
}

fn count_other(other: &OtherContents) -> String {
    match (other.files.len(), other.sets.len()) {
        (files, 0) => count(files, "published file"),
        (0, sets) => count(sets, "published set"),
        (files, sets) => format!(
            "{} and {}",
            count(files, "published file"),
            count(sets, "published set")
        ),
    }
}

fn write_text(policy: &AdoptedPolicy, look: &Look, console: &mut Console<'_>) -> io::Result<()> {
    let file = policy.file.as_deref().unwrap_or("no file");
    let adopted_at = look.zoned_time(Some(policy.adopted_at));
    let mut facts = vec![
        ("policy", policy.revision.to_string()),
        ("file", file.to_owned()),
        ("adopted", format!("{adopted_at} by {}", policy.actor.0)),
    ];
    if policy.policy.is_empty() {
        let words = "none: every version is published as it comes";
        facts.push(("verifiers", words.to_owned()));
    }
    write_facts(&facts, look, &mut console.out)?;
    if policy.policy.verifiers.is_empty() {
        return Ok(());
    }
    writeln!(console.out)?;
    verifiers_table(&policy.policy.verifiers).write(&mut console.out, 0, look)
}

fn verifiers_table(verifiers: &[PolicyVerifier]) -> Table {
    let mut table = Table::new([
        left("VERIFIER"),
        left("KIND"),
        left("WEIGHT"),
        flexible("JUDGES"),
    ]);
    for verifier in verifiers {
        let sources: Vec<_> = verifier.sources.iter().map(ToString::to_string).collect();
        let judges = verifier.scope.words();
        let judges = judges.unwrap_or_else(|| sources.join(", "));
        let weight = match verifier.weight {
            Weight::Required => "required",
            Weight::Advisory => "advisory",
        };
        table.row([
            verifier.name.clone(),
            verifier.kind.clone(),
            weight.to_owned(),
            judges,
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::*;
    use crate::domain::{Actor, Policy, Scope};
    use crate::faces::fixtures::at;

    fn verifier(name: &str, scope: Scope) -> PolicyVerifier {
        PolicyVerifier {
            name: name.to_owned(),
            kind: "builtin json".to_owned(),
            weight: Weight::Required,
            scope,
            sources: ["tag:prices", "https://example.org/exports/*.json"]
                .map(|text| text.parse().expect("a pattern"))
                .into(),
            definition: String::new(),
        }
    }

    #[test]
    fn nothing_is_wider_than_the_terminal_but_a_path() {
        let file = "/home/operator/.config/gannet/config.toml";
        let tag = "release".to_owned();
        let policy = |verifiers| AdoptedPolicy {
            revision: 12,
            adopted_at: at("12:00:00"),
            actor: Actor("operator@watch.example.org by cli".to_owned()),
            file: Some(file.to_owned()),
            policy: Policy { verifiers },
        };
        let print = |policy: &AdoptedPolicy, width| {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut console = Console::plain(&mut out, &mut err);
            let look = Look::terminal(at("13:00:00"), width);
            write_text(policy, &look, &mut console).expect("a buffer");
            drop(console);
            String::from_utf8(out).expect("UTF-8")
        };
        let judged = policy(vec![
            verifier("schema", Scope::Source),
            verifier("a-verifier-of-a-rather-long-name", Scope::Set { tag }),
        ]);
        for policy in [&judged, &policy(Vec::new())] {
            for width in [40, 60, 80, 100] {
                let text = print(policy, width);
                let fits = |line: &str| line.width() <= width || line.ends_with(file);
                assert!(text.lines().all(fits), "{width}: {text}");
            }
        }
        insta::assert_snapshot!(print(&judged, 80), @r"
        policy        12
        file          /home/operator/.config/gannet/config.toml
        adopted       2026-01-31 12:00 UTC by operator@watch.example.org by cli

        VERIFIER                          KIND          WEIGHT    JUDGES
        schema                            builtin json  required  tag:prices, https://e…
        a-verifier-of-a-rather-long-name  builtin json  required  the set release
        ");
    }
}
