//! `diff`: the difference between two versions.
//!
//! Text is compared by lines, in the unified format that `patch` reads. Other content, and text beyond
//! [`COMPARED_BY_LINES`](crate::app::COMPARED_BY_LINES), is compared without holding it in memory.

use std::io::{self, Write};

use similar::TextDiff;

use super::held_back;
use crate::app::{App, Compared, Comparison, DIFF_PATIENCE, Error};
use crate::domain::{Source, Version, format_size};
use crate::faces::cli::args::DiffArgs;
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::look::Look;
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::{clean, clean_line};

/// The text of a header line, which `patch` ignores and people read.
fn title((source, version): &(Source, Version), look: &Look) -> String {
    format!(
        "{} v{} ({})",
        clean(&source.settings.name),
        version.id,
        look.second(version.fetched_at)
    )
}

pub(super) async fn run(app: &App, args: &DiffArgs, console: &mut Console<'_>) -> CommandResult {
    let (old, new) = match &args.other {
        Some(other) => (app.version(&args.version).await?, app.version(other).await?),
        None => with_the_one_before(app, &args.version).await?,
    };
    let mut shown = vec![&new];
    // The version before is only the base of the comparison, unless it was asked for.
    shown.extend(args.other.is_some().then_some(&old));
    for (source, version) in shown {
        if let Some(note) = held_back::note(app, source, version).await? {
            console.warn(&note);
        }
    }
    let look = Look::of(app, console);
    let titles = (&*title(&old, &look), &*title(&new, &look));
    let out = &mut console.out;
    match app.compare(&old.1, &new.1).await? {
        Comparison::Same => {}
        Comparison::Text {
            old: old_text,
            new: new_text,
        } => {
            let for_eyes = console.is_terminal;
            write_unified((titles.0, &old_text), (titles.1, &new_text), for_eyes, out)?;
        }
        Comparison::Bytes(compared) => {
            write_summary((titles.0, &old.1), (titles.1, &new.1), compared, out)?;
        }
    }
    Ok(ExitStatus::Done)
}

async fn with_the_one_before(
    app: &App,
    reference: &str,
) -> Result<((Source, Version), (Source, Version)), Error> {
    let (source, version) = app.version(reference).await?;
    let before = app.version_before(version.id).await?.ok_or_else(|| {
        let message = format!(
            "v{} is the first version of {}: there is none before it",
            version.id, source.settings.name
        );
        Error::not_found(message)
    })?;
    Ok(((source.clone(), before), (source, version)))
}

/// Writes the difference verbatim; to a terminal, without control characters.
fn write_unified(
    (old_title, old): (&str, &str),
    (new_title, new): (&str, &str),
    for_eyes: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let diff = TextDiff::configure()
        .timeout(DIFF_PATIENCE)
        .diff_lines(old, new);
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
    old: (&str, &Version),
    new: (&str, &Version),
    Compared { prefix, suffix }: Compared,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (mark, (title, version)) in [("---", old), ("+++", new)] {
        writeln!(out, "{mark} {title}")?;
        writeln!(
            out,
            "    {}, {}",
            exact_size(version.size_bytes),
            version.digest
        )?;
    }
    writeln!(out, "first difference at offset {prefix}")?;
    writeln!(
        out,
        "{} at the start and {} at the end are the same",
        exact_size(prefix),
        exact_size(suffix)
    )
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
    use crate::faces::fixtures::{at, source, version};

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
    fn other_content_is_summed_up() {
        let mut out = Vec::new();
        let old = (source(1, "prices"), version(1, 0, b"\0head-old-tail"));
        let new = (source(1, "prices"), version(2, 0, b"\0head-newer-tail"));
        let look = Look::plain(at("12:00:00"));
        let compared = Compared {
            prefix: 6,
            suffix: 5,
        };
        write_summary(
            (&title(&old, &look), &old.1),
            (&title(&new, &look), &new.1),
            compared,
            &mut out,
        )
        .expect("a buffer");
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r#"
        --- prices v1 (2026-01-31 12:00:03Z)
            14 B, sha256:e7f1f7a40744e0ecc9097436745e24082953ee0a6ac9e3b8d97d1f00670dee58
        +++ prices v2 (2026-01-31 12:00:03Z)
            16 B, sha256:64350e4f02204c75f953f6363208d9a6731abf2a7e481ddb508f8e530f37fb16
        first difference at offset 6
        6 B at the start and 5 B at the end are the same
        "#);
    }
}
