//! The built-in rules. Large content is read in pieces; never changes anything.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::html;
use crate::config::Builtin;
use crate::domain::{Content, Digest, Digester, Judgement, VerdictOutcome, format_size};

const PIECE_BYTES: usize = 64 << 10;
/// A UTF-8 sequence is at most this long.
const MAX_SEQUENCE: usize = 4;

/// What a rule found: good, or bad and why.
type Finding = Result<String, String>;

/// Judges the content by a rule. Blocks; once `stop` is set it gives up at its next read.
pub(super) fn judge(rule: &Builtin, content: &Content, stop: &Arc<AtomicBool>) -> Judgement {
    let open = || Source::open(content, stop);
    let found = match rule {
        Builtin::Utf8 => open().and_then(|mut source| utf8(&mut source)),
        Builtin::Json => open().and_then(|mut source| match utf8(&mut source)? {
            Ok(_) => json(open()?),
            bad => Ok(bad),
        }),
        Builtin::Size { min, max } => Ok(size(content.size_bytes(), *min, *max)),
        Builtin::Sha256(expected) => open().and_then(|mut source| sha256(&mut source, *expected)),
        Builtin::NotHtml => open().and_then(not_html),
    };
    let (outcome, detail) = match found {
        Ok(Ok(detail)) => (VerdictOutcome::Passed, detail),
        Ok(Err(detail)) => (VerdictOutcome::Failed, detail),
        Err(error) => (
            VerdictOutcome::Error,
            format!("could not judge: cannot read the content: {error}"),
        ),
    };
    Judgement {
        outcome,
        detail,
        exit_code: None,
        output: String::new(),
    }
}

/// The content as a stream that can be stopped.
struct Source {
    reader: Box<dyn Read>,
    stop: Arc<AtomicBool>,
}

impl Source {
    fn open(content: &Content, stop: &Arc<AtomicBool>) -> io::Result<Self> {
        let reader: Box<dyn Read> = match content {
            Content::Memory(bytes) => Box::new(Cursor::<Bytes>::new(bytes.clone())),
            Content::File { path, .. } => Box::new(File::open(path.as_ref())?),
        };
        Ok(Self {
            reader,
            stop: Arc::clone(stop),
        })
    }

    /// Hands every piece to `take`, until it has an answer.
    fn pieces<T>(&mut self, mut take: impl FnMut(&[u8]) -> Option<T>) -> io::Result<Option<T>> {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let count = match self.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if let Some(answer) = take(&buffer[..count]) {
                return Ok(Some(answer));
            }
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "stopped"));
        }
        self.reader.read(buffer)
    }
}

/// UTF-8 as of RFC 3629.
fn utf8(source: &mut Source) -> io::Result<Finding> {
    let mut check = Utf8Check::default();
    let bad = source
        .pieces(|piece| check.push(piece))?
        .or_else(|| check.finish());
    Ok(match bad {
        None => Ok("well-formed UTF-8".to_owned()),
        Some(offset) => Err(format!(
            "not UTF-8: the byte at offset {offset} begins no character"
        )),
    })
}

/// Checks UTF-8 that arrives in pieces.
#[derive(Default)]
struct Utf8Check {
    /// The offset of what comes next, `pending` included in what came.
    offset: u64,
    /// The beginning of a sequence that the last piece did not finish.
    pending: Vec<u8>,
}

impl Utf8Check {
    /// Takes the next piece; gives the offset of the first bad byte.
    fn push(&mut self, mut piece: &[u8]) -> Option<u64> {
        // The few bytes that finish a pending sequence are checked together with it.
        while !self.pending.is_empty() && !piece.is_empty() {
            self.pending.push(piece[0]);
            piece = &piece[1..];
            self.offset += 1;
            match std::str::from_utf8(&self.pending) {
                Ok(_) => self.pending.clear(),
                Err(error) if error.error_len().is_none() && self.pending.len() < MAX_SEQUENCE => {}
                Err(_) => return self.finish(),
            }
        }
        match std::str::from_utf8(piece) {
            Ok(_) => {}
            Err(error) if error.error_len().is_some() => {
                return Some(self.offset + error.valid_up_to() as u64);
            }
            Err(error) => self
                .pending
                .extend_from_slice(&piece[error.valid_up_to()..]),
        }
        self.offset += piece.len() as u64;
        None
    }

    /// Gives the offset of a sequence that never ended.
    fn finish(&self) -> Option<u64> {
        (!self.pending.is_empty()).then(|| self.offset - self.pending.len() as u64)
    }
}

/// One JSON text (RFC 8259), with nothing after it. The caller has checked that it is UTF-8.
fn json(source: Source) -> io::Result<Finding> {
    let mut reader =
        serde_json::Deserializer::from_reader(BufReader::with_capacity(PIECE_BYTES, source));
    let read = serde::Deserialize::deserialize(&mut reader).and_then(|IgnoredAny| reader.end());
    match read {
        Ok(()) => Ok(Ok("well-formed JSON".to_owned())),
        Err(error) if error.is_io() => Err(error.into()),
        Err(error) => Ok(Err(format!("not JSON: {error}"))),
    }
}

fn size(bytes: u64, min: Option<u64>, max: Option<u64>) -> Finding {
    match (min, max) {
        (Some(min), _) if bytes < min => {
            Err(format!("{} is less than {}", exact(bytes), exact(min)))
        }
        (_, Some(max)) if bytes > max => {
            Err(format!("{} is more than {}", exact(bytes), exact(max)))
        }
        _ => Ok(exact(bytes)),
    }
}

/// Prints a size to the byte, and for people when it is large.
fn exact(bytes: u64) -> String {
    let short = format_size(bytes);
    if short.ends_with(" B") {
        short
    } else {
        format!("{bytes} B ({short})")
    }
}

fn sha256(source: &mut Source, expected: Digest) -> io::Result<Finding> {
    let mut digester = Digester::default();
    source.pieces(|piece| {
        digester.update(piece);
        None::<()>
    })?;
    let found = digester.finish();
    Ok(if found == expected {
        Ok(found.to_string())
    } else {
        Err(format!("is {found}, not {expected}"))
    })
}

fn not_html(source: Source) -> io::Result<Finding> {
    let mut window = Vec::new();
    source
        .take(html::WINDOW_BYTES as u64)
        .read_to_end(&mut window)?;
    Ok(match html::html_start(&window) {
        None => Ok("not an HTML page".to_owned()),
        Some(start) => Err(format!("an HTML page: begins with {start}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;

    fn memory(bytes: &[u8]) -> Content {
        Content::Memory(Bytes::copy_from_slice(bytes))
    }

    fn file(bytes: &[u8]) -> Content {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(bytes).expect("room");
        let path = Arc::new(file.into_temp_path());
        Content::File {
            path,
            size_bytes: bytes.len() as u64,
        }
    }

    /// Judges the same bytes in memory and in a file: both must agree.
    fn judged(rule: &Builtin, bytes: &[u8]) -> (VerdictOutcome, String) {
        let stop = Arc::default();
        let judgement = judge(rule, &memory(bytes), &stop);
        assert_eq!(judgement, judge(rule, &file(bytes), &stop));
        (judgement.outcome, judgement.detail)
    }

    fn assert_passes(rule: &Builtin, bytes: &[u8]) {
        let (outcome, detail) = judged(rule, bytes);
        assert_eq!(outcome, VerdictOutcome::Passed, "{detail}");
    }

    fn assert_fails(rule: &Builtin, bytes: &[u8], expected: &str) {
        let (outcome, detail) = judged(rule, bytes);
        assert_eq!(outcome, VerdictOutcome::Failed, "{detail}");
        assert!(detail.contains(expected), "{detail}");
    }

    #[test]
    fn utf8_names_the_first_bad_byte() {
        for good in ["", "a", "é€😀", &"é".repeat(100_000)] {
            assert_passes(&Builtin::Utf8, good.as_bytes());
        }
        for (bad, offset) in [
            (&b"ab\xFFc"[..], 2),
            (b"\xC3", 0),
            (b"a\xE2\x82", 1),
            (b"\xC0\xAF", 0),
            (b"\xED\xA0\x80", 0),
            (b"\xF4\x90\x80\x80", 0),
        ] {
            assert_fails(&Builtin::Utf8, bad, &format!("offset {offset} "));
        }
        // A character that straddles two pieces, whole and broken.
        let mut text = vec![b'x'; PIECE_BYTES - 1];
        text.extend("😀".as_bytes());
        assert_passes(&Builtin::Utf8, &text);
        text[PIECE_BYTES + 1] = b'x';
        assert_fails(
            &Builtin::Utf8,
            &text,
            &format!("offset {} ", PIECE_BYTES - 1),
        );
    }

    proptest! {
        #[test]
        fn utf8_in_pieces_agrees_with_the_whole(
            pieces in prop::collection::vec(prop_oneof![
                "\\PC{0,4}".prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..3),
                prop::sample::select(vec![vec![0xE2], vec![0x82], vec![0xAC], vec![0xF0, 0x9F], vec![0x98, 0x80]]),
            ], 0..8)
        ) {
            let whole = pieces.concat();
            let expected = std::str::from_utf8(&whole).err().map(|error| error.valid_up_to() as u64);
            let mut check = Utf8Check::default();
            let found = pieces.iter().find_map(|piece| check.push(piece)).or_else(|| check.finish());
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn json_is_one_text() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        for good in [
            "{}",
            " [1, 2.5e-3, \"\\u00e9\", null] \n",
            "3",
            "\"x\"",
            &deep,
        ] {
            assert_passes(&Builtin::Json, good.as_bytes());
        }
        for (bad, place) in [
            ("", "EOF"),
            ("  \n", "EOF"),
            ("{\"a\": 1,\n \"b\" 2}", "line 2 column 6"),
            ("{} {}", "trailing characters at line 1 column 4"),
            ("[1,]", "line 1 column 4"),
            ("{\"a\": 1", "EOF"),
            ("NaN", "line 1"),
            ("01", "line 1"),
            ("'x'", "line 1"),
            ("\"a\nb\"", "control character"),
            ("<html>", "line 1 column 1"),
            ("\u{FEFF}{}", "line 1 column 1"),
        ] {
            assert_fails(&Builtin::Json, bad.as_bytes(), place);
        }
        assert_fails(
            &Builtin::Json,
            b"\"\xFF\"",
            "not UTF-8: the byte at offset 1",
        );
    }

    #[test]
    fn size_is_within_bounds() {
        let rule = |min, max| Builtin::Size { min, max };
        for (min, max) in [(Some(3), None), (None, Some(3)), (Some(3), Some(3))] {
            assert_passes(&rule(min, max), b"abc");
        }
        assert_fails(&rule(Some(4), None), b"abc", "3 B is less than 4 B");
        assert_fails(&rule(None, Some(2)), b"abc", "3 B is more than 2 B");
        assert_fails(
            &rule(Some(1 << 20), None),
            b"",
            "0 B is less than 1048576 B (1.0 MiB)",
        );
    }

    #[test]
    fn sha256_is_of_the_bytes() {
        let rule = Builtin::Sha256(Digest::of(b"abc"));
        assert_passes(&rule, b"abc");
        assert_fails(&rule, b"abd", &Digest::of(b"abd").to_string());
    }

    #[test]
    fn not_html_looks_at_the_beginning() {
        assert_passes(&Builtin::NotHtml, b"a,b\n");
        assert_fails(
            &Builtin::NotHtml,
            b"\n<!DOCTYPE html><title>404",
            "begins with <!doctype html",
        );
    }

    #[test]
    fn content_that_cannot_be_read_is_not_judged() {
        let content = file(b"{}");
        std::fs::remove_file(content.as_file().expect("a file")).expect("a removal");
        for rule in [
            Builtin::Utf8,
            Builtin::Json,
            Builtin::NotHtml,
            Builtin::Sha256(Digest::of(b"")),
        ] {
            assert_eq!(
                judge(&rule, &content, &Arc::default()).outcome,
                VerdictOutcome::Error
            );
        }
        let stopped = Arc::new(AtomicBool::new(true));
        assert_eq!(
            judge(&Builtin::Json, &memory(b"{}"), &stopped).outcome,
            VerdictOutcome::Error
        );
    }
}
