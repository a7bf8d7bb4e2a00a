//! Windows into the content of a version: some lines, rows or bytes of it, whatever its size.
//!
//! Blocks while it reads; never holds more than one window and one line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read as _, Seek as _, SeekFrom};

use axum::http::StatusCode;

use crate::domain::Content;
use crate::faces::http::problem::Problem;

/// The lines of a window.
pub(super) const LINES: usize = 500;
/// The bytes of a window of hexadecimal lines.
pub(super) const HEX_BYTES: u64 = 4096;
/// The most bytes of a line that are shown.
const MAX_LINE_BYTES: usize = 4096;
/// The bytes of a piece of a long line.
pub(super) const PIECE_BYTES: u64 = 64 << 10;
/// The lines of larger contents are not counted.
const MAX_COUNTED_BYTES: u64 = 64 << 20;
/// The bytes at the start from which the kind of a content is told.
const START_BYTES: usize = 8 << 10;

/// Some lines of a content.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// The first line's number, from 1.
    pub(super) first: usize,
    pub(super) lines: Vec<Line>,
    /// Whether there are lines behind the last one.
    pub(super) has_more: bool,
    /// All lines of the content; `None` for a large one, whose lines are not counted.
    pub(super) total: Option<usize>,
}

/// A piece of a line that is longer than a window shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    /// The offset of the piece in its line, in bytes.
    pub(super) at: u64,
    /// The bytes of the piece.
    pub(super) length: u64,
    /// The bytes of the whole line.
    pub(super) line_bytes: u64,
}

/// One line, without its ending.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    /// The bytes of the whole line.
    pub(super) bytes: u64,
    /// Whether the line is longer than what is shown of it.
    pub(super) is_cut: bool,
}

fn open(content: &Content) -> io::Result<Box<dyn BufRead + '_>> {
    Ok(match content {
        Content::Memory(bytes) => Box::new(Cursor::new(&bytes[..])),
        Content::File { path, .. } => {
            Box::new(BufReader::with_capacity(64 << 10, File::open(&**path)?))
        }
    })
}

/// Does something that blocks, and returns its result; a failure to read becomes a problem.
pub(super) async fn read<T: Send + 'static>(
    content: &Content,
    work: impl FnOnce(&Content) -> io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let content = content.clone();
    let unreadable = |why: String| {
        let detail = format!("cannot read the content: {why}");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    };
    match tokio::task::spawn_blocking(move || work(&content)).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(unreadable(error.to_string())),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

/// Returns the first bytes of a content.
pub(super) async fn beginning(content: &Content) -> Result<Vec<u8>, Problem> {
    read(content, |content| {
        let mut start = Vec::new();
        open(content)?
            .take(START_BYTES as u64)
            .read_to_end(&mut start)?;
        Ok(start)
    })
    .await
}

/// Returns [`LINES`] lines from this one on, counted from 1.
pub(super) fn lines_from(content: &Content, first: usize) -> io::Result<Window> {
    let is_counted = content.size_bytes() <= MAX_COUNTED_BYTES;
    let mut reader = open(content)?;
    let mut window = Window {
        first,
        ..Window::default()
    };
    let mut number = 0;
    loop {
        let is_shown = number + 1 >= first && window.lines.len() < LINES;
        let most = if is_shown { MAX_LINE_BYTES } else { 0 };
        let Some((bytes, length)) = next_line(&mut *reader, most)? else {
            window.total = is_counted.then_some(number);
            return Ok(window);
        };
        number += 1;
        if is_shown {
            let text = String::from_utf8_lossy(&bytes);
            window.lines.push(Line {
                text: text.trim_end_matches('\r').to_owned(),
                bytes: length,
                is_cut: length > bytes.len() as u64,
            });
        } else if number > first {
            window.has_more = true;
            if !is_counted {
                return Ok(window);
            }
        }
    }
}

/// Returns [`PIECE_BYTES`] of a line, counted from 1, from this offset on; `None` when there is no such line. Characters that
/// begin before the offset are left out, the last one is whole.
pub(super) fn piece_of(content: &Content, line: usize, at: u64) -> io::Result<Option<Piece>> {
    let mut reader = open(content)?;
    for _ in 1..line {
        if next_line(&mut *reader, 0)?.is_none() {
            return Ok(None);
        }
    }
    // The bytes of a character after its first one are three at most.
    let end = at.saturating_add(PIECE_BYTES + 3);
    let (mut position, mut taken, mut is_there) = (0_u64, Vec::new(), false);
    loop {
        let buffer = reader.fill_buf()?;
        is_there |= !buffer.is_empty();
        let line_end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..line_end.unwrap_or(buffer.len())];
        let place = |offset: u64| {
            usize::try_from(offset.saturating_sub(position))
                .unwrap_or(usize::MAX)
                .min(part.len())
        };
        taken.extend_from_slice(&part[place(at)..place(end)]);
        position += part.len() as u64;
        let (used, is_over) = (
            part.len() + usize::from(line_end.is_some()),
            line_end.is_some() || buffer.is_empty(),
        );
        reader.consume(used);
        if is_over {
            break;
        }
    }
    Ok(is_there.then(|| piece(&taken, at, position)))
}

/// Returns the whole characters of these bytes of a line.
fn piece(taken: &[u8], at: u64, line_bytes: u64) -> Piece {
    let is_inside = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    let skipped = if at == 0 {
        0
    } else {
        taken.iter().take(3).take_while(is_inside).count()
    };
    let most = usize::try_from(PIECE_BYTES)
        .unwrap_or(usize::MAX)
        .min(taken.len());
    let rest = taken[most..].iter().take(3).take_while(is_inside).count();
    let bytes = &taken[skipped.min(most)..most + rest];
    let (at, length) = (at.saturating_add(skipped as u64), bytes.len() as u64);
    let text = String::from_utf8_lossy(bytes);
    let is_end = at.saturating_add(length) >= line_bytes;
    let text = text.strip_suffix('\r').filter(|_| is_end).unwrap_or(&text);
    Piece {
        text: text.to_owned(),
        at,
        length,
        line_bytes,
    }
}

/// Returns at most so many bytes of the next line, and the length of the whole one; `None` at the end.
fn next_line(reader: &mut dyn BufRead, most: usize) -> io::Result<Option<(Vec<u8>, u64)>> {
    let (mut line, mut length, mut is_there) = (Vec::new(), 0_u64, false);
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(is_there.then_some((line, length)));
        }
        is_there = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let piece = &buffer[..end.unwrap_or(buffer.len())];
        let room = most.saturating_sub(line.len()).min(piece.len());
        line.extend_from_slice(&piece[..room]);
        length = length.saturating_add(piece.len() as u64);
        let used = piece.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(Some((line, length)));
        }
    }
}

/// Returns [`HEX_BYTES`] bytes from this offset on.
pub(super) fn bytes_at(content: &Content, at: u64) -> io::Result<Vec<u8>> {
    let mut window = Vec::new();
    match content {
        Content::Memory(bytes) => {
            let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            Cursor::new(&bytes[from..])
                .take(HEX_BYTES)
                .read_to_end(&mut window)?;
        }
        Content::File { path, .. } => {
            let mut file = File::open(&**path)?;
            file.seek(SeekFrom::Start(at))?;
            file.take(HEX_BYTES).read_to_end(&mut window)?;
        }
    }
    Ok(window)
}

/// Returns [`LINES`] rows of values separated by commas, tabs or semicolons, from this row on, counted from 1; and
/// whether there are more.
pub(super) fn rows_from(
    content: &Content,
    separator: u8,
    first: usize,
) -> io::Result<(Vec<csv::ByteRecord>, bool)> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(open(content)?);
    let rows = reader.byte_records().skip(first.saturating_sub(1));
    let mut rows: Vec<_> = rows
        .take(LINES + 1)
        .collect::<Result<_, _>>()
        .map_err(io::Error::other)?;
    let has_more = rows.len() > LINES;
    rows.truncate(LINES);
    Ok((rows, has_more))
}

/// Returns the whole content; only for small ones.
pub(super) fn whole(content: &Content) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(content)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(bytes: &[u8]) -> Content {
        Content::Memory(bytes.to_vec().into())
    }

    #[test]
    fn a_window_of_lines() {
        let all: Vec<_> = (1..=1200).map(|n| format!("line {n}\r\n")).collect();
        let all = all.concat();
        let found = lines_from(&content(all.as_bytes()), 701).expect("lines");
        let texts: Vec<_> = found.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(
            (texts.len(), texts[0], texts[499]),
            (500, "line 701", "line 1200")
        );
        assert!(!found.has_more);
        assert!(
            lines_from(&content(all.as_bytes()), 700)
                .expect("lines")
                .has_more
        );
        assert_eq!(lines_from(&content(b""), 1).expect("lines").lines.len(), 0);
        assert_eq!(lines_from(&content(b"a"), 2).expect("lines").lines.len(), 0);
    }

    #[test]
    fn a_long_line_is_cut() {
        let long = [vec![b'x'; 1 << 20], b"\nend".to_vec()].concat();
        let found = lines_from(&content(&long), 1).expect("lines");
        let lengths: Vec<_> = found
            .lines
            .iter()
            .map(|line| (line.text.len(), line.is_cut))
            .collect();
        assert_eq!(lengths, [(MAX_LINE_BYTES, true), (3, false)]);
        assert_eq!(found.total, Some(2));
    }

    #[test]
    fn a_long_line_is_read_on_by_whole_characters() {
        let line = format!("x{}", "é".repeat(100_000));
        let all = content(format!("first\n{line}\r\nlast").as_bytes());
        let (mut at, mut read) = (0, String::new());
        loop {
            let piece = piece_of(&all, 2, at).expect("bytes").expect("a line");
            assert_eq!((piece.at, piece.line_bytes), (at, 200_002));
            read += &piece.text;
            at += piece.length;
            if at >= piece.line_bytes {
                break;
            }
        }
        assert_eq!(read, line);
        let inside = piece_of(&all, 2, 2).expect("bytes").expect("a line");
        assert!(inside.at == 3 && inside.text.starts_with('é'));
        assert_eq!(piece_of(&all, 4, 0).expect("bytes"), None);
        let beyond = piece_of(&all, 1, u64::MAX).expect("bytes").expect("a line");
        assert_eq!((beyond.length, beyond.line_bytes), (0, 5));
    }

    #[test]
    fn bytes_beyond_the_end_are_none() {
        assert_eq!(bytes_at(&content(b"abc"), 1).expect("bytes"), b"bc");
        assert_eq!(bytes_at(&content(b"abc"), u64::MAX).expect("bytes"), b"");
    }
}
