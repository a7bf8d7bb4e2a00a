//! `cat`: a version's exact bytes. Content that would garble a terminal is written to one only on demand.

use std::fs::File;
use std::io::{self, Read, Write};

use super::held_back;
use crate::app::{App, Error, ErrorKind};
use crate::domain::{Content, Source, Version, io_words};
use crate::faces::cli::args::CatArgs;
use crate::faces::cli::exit::{CommandResult, unreadable};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::clean;

pub(super) async fn run(app: &App, args: &CatArgs, console: &mut Console<'_>) -> CommandResult {
    let (source, version) = app.version(&args.version).await?;
    let content = app.content(&version).await?;
    if args.output.is_none() && console.is_terminal && is_binary(&content)? {
        return Err(refusal(&source, &version).into());
    }
    if let Some(note) = held_back::note(app, &source, &version).await? {
        console.warn(&note);
    }
    match args
        .output
        .as_deref()
        .filter(|path| path.as_os_str() != "-")
    {
        None => copy(&content, &mut console.out)?,
        Some(path) => {
            let written = File::create(path).and_then(|mut file| copy(&content, &mut file));
            written.map_err(|cause| {
                let message = format!("cannot write {}: {}", path.display(), io_words(&cause));
                Error::new(ErrorKind::Unavailable, message)
            })?;
        }
    }
    Ok(ExitStatus::Done)
}

fn copy(content: &Content, out: &mut dyn Write) -> io::Result<()> {
    match content {
        Content::Memory(bytes) => out.write_all(bytes),
        Content::File { path, .. } => io::copy(&mut File::open(&**path)?, out).map(drop),
    }
}

fn refusal(source: &Source, version: &Version) -> Error {
    let name = clean(&source.settings.name).into_owned();
    let message = format!(
        "v{} of {name} is not text: a terminal would be garbled",
        version.id
    );
    let hint = "--output FILE writes it into a file, --output - shows it all the same";
    Error::invalid(message).hint(hint)
}

/// Returns whether the content holds control characters (ASCII or UTF-8), which a terminal would obey.
fn is_binary(content: &Content) -> Result<bool, Error> {
    match content {
        Content::Memory(bytes) => Ok(has_controls(bytes, &mut 0)),
        Content::File { path, .. } => {
            let mut file = File::open(&**path).map_err(|cause| unreadable(path, &cause))?;
            let (mut piece, mut last) = (vec![0; 64 << 10], 0);
            loop {
                let count = file
                    .read(&mut piece)
                    .map_err(|cause| unreadable(path, &cause))?;
                if count == 0 {
                    return Ok(false);
                }
                if has_controls(&piece[..count], &mut last) {
                    return Ok(true);
                }
            }
        }
    }
}

/// `last` is the byte before `bytes`.
fn has_controls(bytes: &[u8], last: &mut u8) -> bool {
    bytes.iter().any(|byte| {
        // Some terminals take U+0080 to U+009F, which begin with this byte, for escape sequences.
        let is_c1 = *last == 0xc2 && (0x80..0xa0).contains(byte);
        *last = *byte;
        let is_c0 = byte.is_ascii_control() && !b"\t\n\r\x0c".contains(byte);
        is_c0 || is_c1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_what_moves_a_cursor() {
        for text in [
            "",
            "a,b\r\n1,2\n",
            "\ttab\x0c",
            "zürich 東京",
            "\u{feff}bom",
        ] {
            assert!(!has_controls(text.as_bytes(), &mut 0), "{text:?}");
        }
        for bytes in [
            b"\x1b[2J".as_slice(),
            b"PK\x03\x04",
            b"a\0b",
            b"bell\x07",
            b"\x7f",
            "\u{9b}31m".as_bytes(),
        ] {
            assert!(has_controls(bytes, &mut 0), "{bytes:?}");
        }
        // A character across two pieces.
        let mut last = 0;
        assert!(!has_controls(b"x\xc2", &mut last) && has_controls(b"\x9b", &mut last));
    }
}
