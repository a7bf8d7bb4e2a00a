//! `import`: adds sources from files of other programs, and reports each refused entry with a reason.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write as _};

use super::add::warn_of_path;
use super::published::warn_of_unpublished;
use crate::app::{Added, App, Error, NewSource, Refusal};
use crate::domain::{Address, Interval, SettingsPatch, Source, format_size, io_words};
use crate::faces::cli::args::ImportArgs;
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::import::{self, ImportEntry, ImportFormat};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::json::{self, ImportedJson};
use crate::faces::options::as_import;
use crate::faces::text::{clean, count};

/// The largest accepted file; lists kept by hand are smaller.
const MAX_BYTES: u64 = 64 << 20;

pub(super) async fn run(app: &App, args: &ImportArgs, console: &mut Console<'_>) -> CommandResult {
    let text = match &args.text {
        Some(text) => text.clone(),
        None => read(&args.file)?,
    };
    let mut entries = entries(args, &text)?;
    refuse_taken(app, &mut entries).await?;
    let added = if args.dry_run {
        Vec::new()
    } else {
        let sources = entries
            .iter()
            .filter_map(|entry| entry.source.as_ref().ok());
        app.add(sources.cloned().collect()).await?
    };
    print(&entries, &added, args, console)?;
    warn_of_guess(args, &text, &entries, console);
    for added in &added {
        warn_of_path(added, console);
    }
    let ids = added.iter().map(|added| added.source.id);
    let published = warn_of_unpublished(app, ids, console).await?;
    Ok(published.max(status_of(&entries)))
}

/// Does as much as possible without a catalogue: prints what would be added, or that nothing can be. Returns `None` if
/// sources are to be added; the file's text is stored in `args`, since stdin can be read only once.
pub(super) fn rehearse(
    args: &mut ImportArgs,
    console: &mut Console<'_>,
) -> Result<Option<ExitStatus>, Failure> {
    let text = args.text.insert(read(&args.file)?).clone();
    let entries = entries(args, &text)?;
    if !args.dry_run && entries.iter().any(|entry| entry.source.is_ok()) {
        return Ok(None);
    }
    print(&entries, &[], args, console)?;
    warn_of_guess(args, &text, &entries, console);
    Ok(Some(status_of(&entries)))
}

/// Warns that a file with refused lines was taken for a plain list: it may be another one than was meant.
fn warn_of_guess(
    args: &ImportArgs,
    text: &str,
    entries: &[ImportEntry],
    console: &mut Console<'_>,
) {
    let is_guessed = args.format.is_none() && format_of(args, text) == ImportFormat::List;
    if is_guessed && status_of(entries) == ExitStatus::Problems {
        console.warn(&format!(
            "{} was read as a plain list of addresses: --format says what else it is",
            clean(&args.file)
        ));
    }
}

fn status_of(entries: &[ImportEntry]) -> ExitStatus {
    if entries.iter().all(|entry| entry.source.is_ok()) {
        ExitStatus::Done
    } else {
        ExitStatus::Problems
    }
}

/// Returns the file's entries with the settings of the arguments. Entries that no catalogue could take are refused.
fn entries(args: &ImportArgs, text: &str) -> Result<Vec<ImportEntry>, Error> {
    let format = format_of(args, text);
    let read = import::read(text, format).and_then(|entries| match entries[..] {
        [] if format != ImportFormat::List => Err(format!("no jobs in it, read as {format}")),
        _ => Ok(entries),
    });
    let mut entries = read.map_err(|why| {
        let message = format!("cannot import {}: {why}", args.file);
        Error::invalid(message).hint("--format says what the file is")
    })?;
    let mut known = EarlierEntries::default();
    for entry in &mut entries {
        check(args, entry, &mut known);
    }
    Ok(entries)
}

fn format_of(args: &ImportArgs, text: &str) -> ImportFormat {
    args.format
        .unwrap_or_else(|| import::guess(text, &args.file))
}

fn read(file: &str) -> Result<String, Error> {
    let text = if file == "-" {
        read_whole(io::stdin(), MAX_BYTES)
    } else {
        File::open(file).and_then(|opened| read_whole(opened, MAX_BYTES))
    };
    text.map_err(|cause| Error::invalid(format!("cannot read {file}: {}", io_words(&cause))))
}

/// Reads a whole text. Fails above `most` bytes, since a cut list would silently lose entries.
fn read_whole(from: impl Read, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let most = format_size(most);
        return Err(io::Error::other(format!("it is larger than {most}")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// The names and addresses of the entries so far, with their places.
#[derive(Default)]
struct EarlierEntries {
    addresses: HashMap<String, String>,
    names: HashMap<String, String>,
}

/// Completes an entry by the arguments, and refuses it if it could not be added, so that the others can be.
fn check(args: &ImportArgs, entry: &mut ImportEntry, known: &mut EarlierEntries) {
    let Ok(source) = &mut entry.source else {
        return;
    };
    let settings = &mut source.settings;
    settings.interval = settings.interval.or(args.interval);
    let tags = settings.tags.get_or_insert_default();
    tags.extend(args.tags.iter().cloned());
    settings.allow_private = Some(args.allow_private);
    settings.allow_http = Some(args.allow_http);
    source.literal |= args.literal;
    if let Some(why) = drop_bad_name(source, &known.names) {
        entry.without.push(format!("its name: {why}"));
    } else if let Some(name) = &source.settings.name {
        known.names.insert(name.clone(), entry.place.clone());
    }
    // Two spellings of one address are equal.
    let address = Address::parse(&source.address, true);
    let address = address.map_or_else(|_| source.address.clone(), |one| one.as_str().to_owned());
    let first = known.addresses.get(&address).cloned();
    let refusal = match first {
        Some(place) => Some(format!("the same address as {place}")),
        None => source
            .check()
            .err()
            .map(|error| as_import(&error.with_hint())),
    };
    match refusal {
        Some(why) => entry.refuse(why),
        None => drop(known.addresses.insert(address, entry.place.clone())),
    }
}

/// Leaves the name to the source's address if an earlier entry has it, or it is no valid one, as a title often is;
/// returns why.
fn drop_bad_name(source: &mut NewSource, known: &HashMap<String, String>) -> Option<String> {
    let name = source.settings.name.clone()?;
    let named = source.check();
    source.settings.name = None;
    if let Some(place) = known.get(&name) {
        return Some(format!("{place} has it"));
    }
    if let (Err(why), Ok(())) = (named, source.check()) {
        return Some(why.to_string());
    }
    source.settings.name = Some(name);
    None
}

/// Refuses the entries whose address belongs to a source, present or removed, and drops names that sources have.
async fn refuse_taken(app: &App, entries: &mut [ImportEntry]) -> Result<(), Error> {
    let mut entries: Vec<_> = entries
        .iter_mut()
        .filter(|entry| entry.source.is_ok())
        .collect();
    let sources: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry.source.as_ref().ok().cloned())
        .collect();
    let refusals = app.refusals(&sources).await?;
    for (entry, refusal) in entries.iter_mut().zip(refusals) {
        match refusal {
            None => {}
            Some(Refusal::Taken {
                what: "name",
                id,
                name,
            }) => {
                entry
                    .without
                    .push(format!("its name: source {id} ({name}) has it"));
                if let Ok(source) = &mut entry.source {
                    source.settings.name = None;
                }
            }
            Some(refusal) => entry.refuse(refusal_text(refusal)),
        }
    }
    Ok(())
}

fn refusal_text(refusal: Refusal) -> String {
    match refusal {
        Refusal::Invalid(why) => why.message,
        Refusal::Repeated { what, .. } => format!("an entry above has its {what}"),
        Refusal::Taken { what, id, name } => format!("its {what} is that of source {id} ({name})"),
        Refusal::Former { id, name } => format!(
            "it was source {id} ({name}), which was removed: `gannet restore {id}` brings it back with its history"
        ),
    }
}

fn print(
    entries: &[ImportEntry],
    added: &[Added],
    args: &ImportArgs,
    console: &mut Console<'_>,
) -> io::Result<()> {
    let mut sources = added.iter().map(|one| &one.source);
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            let source = entry.source.as_ref().ok().and_then(|_| sources.next());
            imported(entry, source)
        })
        .collect();
    if args.json {
        return json::write(&mut console.out, &told);
    }
    for (one, entry) in told.iter().zip(entries) {
        write_line(one, entry, args.dry_run, console)?;
    }
    if console.is_quiet() && !args.dry_run {
        return Ok(());
    }
    let taken = told.iter().filter(|one| one.refused.is_none()).count();
    let word = if args.dry_run { "would add" } else { "added" };
    writeln!(
        console.out,
        "{word} {}, not taken: {}",
        count(taken, "source"),
        told.len() - taken
    )
}

/// Returns what became of an entry, and its source if that was added.
fn imported<'a>(entry: &'a ImportEntry, source: Option<&'a Source>) -> ImportedJson<'a> {
    let settings = entry.source.as_ref().ok().map(|one| &one.settings);
    ImportedJson {
        place: &entry.place,
        title: &entry.title,
        address: entry.address(),
        id: source.map(|source| source.id),
        name: source.map(|source| source.settings.name.as_str()),
        interval: settings.map(|one| one.interval.unwrap_or(Interval::DEFAULT)),
        tags: settings.map(|one| one.tags.as_deref().unwrap_or_default()),
        enabled: settings.map(|one| one.enabled != Some(false)),
        without: &entry.without,
        refused: entry.source.as_ref().err().map(|one| one.why.as_str()),
    }
}

fn write_line(
    one: &ImportedJson<'_>,
    entry: &ImportEntry,
    is_asked_for: bool,
    console: &mut Console<'_>,
) -> io::Result<()> {
    let title = clean(one.title);
    match (one.refused, one.address) {
        (Some(why), _) => {
            console.warn_line(&format!(
                "{} ({title}): not taken: {}",
                one.place,
                clean(why)
            ));
        }
        (None, address) => {
            let name = one.name.or(address).unwrap_or_default();
            let (place, name) = (one.place, clean(name));
            let what = match one.id {
                Some(id) => format!("added {name} as source {id}"),
                None => format!("would add {name}"),
            };
            if is_asked_for || !console.is_quiet() {
                let source = entry.source.as_ref().ok();
                let settings = source.map(|source| settings_words(&source.settings));
                let settings = settings.unwrap_or_default();
                writeln!(console.out, "{place}: {what}{}", clean(&settings))?;
            }
            if !one.without.is_empty() {
                let without = one.without.join(", ");
                console.warn_line(&format!(
                    "{} ({title}): taken without {}",
                    one.place,
                    clean(&without)
                ));
            }
        }
    }
    Ok(())
}

/// Returns interval, tags and whether the source is disabled, behind a comma.
fn settings_words(settings: &SettingsPatch) -> String {
    let interval = settings.interval.unwrap_or(Interval::DEFAULT);
    let mut words = format!(", every {interval}");
    for tag in settings.tags.iter().flatten() {
        words = words + ", tag:" + tag;
    }
    if settings.enabled == Some(false) {
        words += ", disabled";
    }
    words
}

#[cfg(test)]
mod tests {
    use super::read_whole;

    #[test]
    fn a_text_is_read_whole_or_not_at_all() {
        for (text, most, expected) in [
            (&b""[..], 0, Ok("")),
            (b"https://h/a", 11, Ok("https://h/a")),
            (b"https://h/ab", 11, Err("it is larger than 11 B")),
            // The limit lies within a character.
            ("https://h/é".as_bytes(), 11, Err("it is larger than 11 B")),
            (b"\xff", 11, Err("it is not UTF-8")),
        ] {
            let read = read_whole(text, most).map_err(|error| error.to_string());
            assert_eq!(read.as_deref().map_err(String::as_str), expected);
        }
    }
}
