//! `diff`: what changed between two versions.
//!
//! Text is compared by lines, in the unified format that `patch` reads; all else, and text past 16 MiB, by what can
//! be said without holding it in memory.

use std::fs;
use std::io::{self, Write};
use std::time::Duration;

use similar::TextDiff;

use crate::app::{App, Error, ErrorKind};
use crate::domain::{Content, Source, Version, format_size};
use crate::faces::cli::args::DiffArgs;
use crate::faces::cli::bytes_compared::{self, Compared};
use crate::faces::cli::exit::{CommandResult, error, unreadable};
use crate::faces::cli::json::precise;
use crate::faces::cli::text::{clean, clean_line};
use crate::faces::cli::{Console, ExitStatus};

const MAX_TEXT_BYTES: u64 = 16 << 20;
/// After so long the comparison settles for a correct but larger result: some pairs would take hours.
const PATIENCE: Duration = Duration::from_secs(10);

/// One of the two versions.
struct Side {
    source: Source,
    version: Version,
    content: Content,
}

impl Side {
    /// The head line's text: what `patch` ignores and people read.
    fn title(&self) -> String {
        format!(
            "{} v{} ({})",
            clean(&self.source.settings.name),
            self.version.id,
            precise(self.version.fetched_at)
        )
    }

    /// Returns the content when it is text of a size that can be compared by lines.
    fn text(&self) -> Result<Option<String>, Error> {
        if self.content.size_bytes() > MAX_TEXT_BYTES {
            return Ok(None);
        }
        let bytes = match &self.content {
            Content::Memory(bytes) => bytes.to_vec(),
            Content::File { path, .. } => {
                fs::read(&**path).map_err(|cause| unreadable(path, &cause))?
            }
        };
        let text = String::from_utf8(bytes).ok();
        Ok(text.filter(|text| !text.contains('\0')))
    }
}

pub(super) async fn run(app: &App, args: &DiffArgs, console: &mut Console<'_>) -> CommandResult {
    let (old, new) = match &args.other {
        Some(other) => (app.version(&args.version).await?, app.version(other).await?),
        None => with_the_one_before(app, &args.version).await?,
    };
    let old = load(app, old).await?;
    let new = load(app, new).await?;
    if old.version.digest == new.version.digest {
        return Ok(ExitStatus::Done);
    }
    match (old.text()?, new.text()?) {
        (Some(old_text), Some(new_text)) => {
            let for_eyes = console.is_terminal;
            write_unified(
                (&old.title(), &old_text),
                (&new.title(), &new_text),
                for_eyes,
                &mut console.out,
            )?;
        }
        _ => write_summary(&old, &new, &mut console.out)?,
    }
    Ok(ExitStatus::Done)
}

async fn load(app: &App, (source, version): (Source, Version)) -> Result<Side, Error> {
    let content = app.content(&version).await?;
    Ok(Side {
        source,
        version,
        content,
    })
}

async fn with_the_one_before(
    app: &App,
    reference: &str,
) -> Result<((Source, Version), (Source, Version)), Error> {
    let (source, version) = app.version(reference).await?;
    let history = app.history(&source.id.to_string(), None).await?;
    let versions = history.versions.into_iter().map(|(version, _)| version);
    let before = versions
        .filter(|earlier| earlier.ordinal < version.ordinal)
        .max_by_key(|earlier| earlier.ordinal)
        .ok_or_else(|| {
            let message = format!(
                "v{} is the first version of {}: there is none before it",
                version.id, source.settings.name
            );
            error(ErrorKind::NotFound, message, None)
        })?;
    Ok(((source.clone(), before), (source, version)))
}

/// Writes the difference byte for byte, or, for a terminal, without what could move its cursor.
fn write_unified(
    (old_title, old): (&str, &str),
    (new_title, new): (&str, &str),
    for_eyes: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let mut unified = diff.unified_diff();
    unified.header(old_title, new_title);
    if !for_eyes {
        return unified.to_writer(out);
    }
    for line in unified.to_string().lines() {
        writeln!(out, "{}", clean_line(line))?;
    }
    Ok(())
}

fn write_summary(
    old: &Side,
    new: &Side,
    out: &mut dyn Write,
) -> Result<(), crate::faces::cli::exit::Failure> {
    for (mark, side) in [("---", old), ("+++", new)] {
        writeln!(out, "{mark} {}", side.title())?;
        writeln!(
            out,
            "    {}, {}",
            exact_size(side.version.size_bytes),
            side.version.digest
        )?;
    }
    let Compared { prefix, suffix } = compare(&old.content, &new.content)?;
    writeln!(out, "first difference at offset {prefix}")?;
    writeln!(
        out,
        "{} at the start and {} at the end are the same",
        exact_size(prefix),
        exact_size(suffix)
    )?;
    Ok(())
}

fn compare(old: &Content, new: &Content) -> Result<Compared, Error> {
    let mut readers = Vec::with_capacity(2);
    for content in [old, new] {
        let reader: Box<dyn bytes_compared::Bytes + '_> = match content {
            Content::Memory(bytes) => Box::new(io::Cursor::new(bytes)),
            Content::File { path, .. } => {
                Box::new(fs::File::open(&**path).map_err(|cause| unreadable(path, &cause))?)
            }
        };
        readers.push((reader, content.size_bytes()));
    }
    let [old, new] = readers.as_mut_slice() else {
        unreachable!("a reader was pushed for each of two contents");
    };
    bytes_compared::compare((&mut *old.0, old.1), (&mut *new.0, new.1)).map_err(|cause| {
        error(
            ErrorKind::Unavailable,
            format!("cannot compare the versions: {cause}"),
            None,
        )
    })
}

fn exact_size(bytes: u64) -> String {
    let short = format_size(bytes);
    let exact = format!("{bytes} B");
    if short == exact {
        exact
    } else {
        format!("{exact} ({short})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::cli::samples::{source, version};

    fn side(id: i64, content: &[u8]) -> Side {
        Side {
            source: source(1, "prices"),
            version: version(id, 0, content),
            content: Content::Memory(content.to_vec().into()),
        }
    }

    fn unified(old: &str, new: &str, for_eyes: bool) -> String {
        let mut out = Vec::new();
        write_unified(("a", old), ("b", new), for_eyes, &mut out).expect("a buffer");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn text_is_what_patch_reads() {
        insta::assert_snapshot!(unified("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\nfive\n6", false), @r#"
        --- a
        +++ b
        @@ -2,5 +2,5 @@
         2
         3
         4
        -5
        -6
        +five
        +6
        \ No newline at end of file
        "#);
    }

    #[test]
    fn a_terminal_never_sees_controls_and_a_file_sees_all() {
        let (old, new) = ("a\n", "\tb\u{1b}[2J\r\n");
        assert!(unified(old, new, false).contains("+\tb\u{1b}[2J\r\n"));
        assert!(unified(old, new, true).contains("+\tb[2J\n"));
    }

    #[test]
    fn only_text_is_compared_by_lines() {
        assert_eq!(
            side(1, "zürich\n".as_bytes())
                .text()
                .expect("memory")
                .as_deref(),
            Some("zürich\n")
        );
        assert_eq!(side(1, b"\xff\xfe").text().expect("memory"), None);
        assert_eq!(side(1, b"a\0b").text().expect("memory"), None);
    }

    #[test]
    fn other_content_is_summed_up() {
        let mut out = Vec::new();
        write_summary(
            &side(1, b"\0head-old-tail"),
            &side(2, b"\0head-newer-tail"),
            &mut out,
        )
        .expect("a buffer");
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r#"
        --- prices v1 (2026-01-31T12:00:03.250Z)
            14 B, sha256:e7f1f7a40744e0ecc9097436745e24082953ee0a6ac9e3b8d97d1f00670dee58
        +++ prices v2 (2026-01-31T12:00:03.250Z)
            16 B, sha256:64350e4f02204c75f953f6363208d9a6731abf2a7e481ddb508f8e530f37fb16
        first difference at offset 6
        6 B at the start and 5 B at the end are the same
        "#);
    }
}
