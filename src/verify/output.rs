//! The output of a program: head and tail of each stream, made safe to show.
//!
//! Never holds more than [`KEPT_BYTES`] of a stream.

use std::collections::VecDeque;
use std::fmt::Write as _;

use crate::domain::{OMITTED, shortened};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes of one stream that are held: half from the head, half from the tail.
pub(super) const KEPT_BYTES: usize = 64 << 10;
const HALF: usize = KEPT_BYTES / 2;
const MAX_LINE_CHARS: usize = 200;

/// One stream: whole when it is short, else head and tail.
#[derive(Default)]
pub(super) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total_bytes: u64,
}

impl Capture {
    /// Reads to the end of the stream, or to a read error.
    pub(super) async fn drain(&mut self, stream: Option<impl AsyncRead + Unpin>) {
        let Some(mut stream) = stream else { return };
        let mut buffer = vec![0; 16 << 10];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            self.push(&buffer[..count]);
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.total_bytes += bytes.len() as u64;
        let (head, rest) = bytes.split_at(bytes.len().min(HALF - self.head.len()));
        self.head.extend_from_slice(head);
        // Only the end of a piece longer than the tail is held.
        let rest = &rest[rest.len().saturating_sub(HALF)..];
        let over = (self.tail.len() + rest.len()).saturating_sub(HALF);
        self.tail.drain(..over);
        self.tail.extend(rest);
    }

    /// Returns the held text, with a line that counts the omitted bytes.
    pub(super) fn text(&self) -> String {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        let omitted = self.total_bytes - (self.head.len() + tail.len()) as u64;
        if omitted == 0 {
            return printable(&[&self.head[..], &tail].concat());
        }
        let (head, tail) = (printable(&self.head), printable(&tail));
        format!("{head}\n[… {omitted} {OMITTED}]\n{tail}")
    }
}

/// Returns both streams as one text, under headings when neither is empty.
pub(super) fn joined(stdout: &Capture, stderr: &Capture) -> String {
    let (stdout, stderr) = (stdout.text(), stderr.text());
    if stderr.is_empty() {
        return stdout;
    }
    if stdout.is_empty() {
        return stderr;
    }
    let newline = if stdout.ends_with('\n') { "" } else { "\n" };
    let mut text = format!("--- stdout ---\n{stdout}{newline}");
    let _ = write!(text, "--- stderr ---\n{stderr}");
    text
}

/// Returns the last line that is not blank, of stderr or else of stdout, shortened.
pub(super) fn last_line(stdout: &Capture, stderr: &Capture) -> Option<String> {
    [stderr, stdout].into_iter().find_map(|stream| {
        let text = stream.text();
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
        Some(shortened(line, MAX_LINE_CHARS))
    })
}

/// Words that identify a line which reports a problem.
const BAD_WORDS: [&str; 14] = [
    "fail",
    "error",
    "invalid",
    "bad",
    "wrong",
    "mismatch",
    "missing",
    "corrupt",
    "damaged",
    "not ok",
    "unexpected",
    "expected",
    "cannot",
    "fatal",
];
/// Begins a Python traceback, whose last line states the error.
const TRACEBACK: &str = "Traceback (most recent call last)";

/// Returns the line that explains a failure, shortened, with the number of other lines: the last one of a Python
/// traceback, else the first with one of [`BAD_WORDS`], else the first. Stdout comes before stderr.
pub(super) fn significant_line(stdout: &Capture, stderr: &Capture) -> Option<String> {
    let (stdout, stderr) = (stdout.text(), stderr.text());
    let lines = stdout.lines().chain(stderr.lines()).map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let is_telling = |line: &&&str| {
        let line = line.to_lowercase();
        !line.ends_with(": ok") && BAD_WORDS.iter().any(|word| line.contains(word))
    };
    let line = if stderr.contains(TRACEBACK) {
        lines.last()?
    } else {
        lines.iter().find(is_telling).or(lines.first())?
    };
    let short = shortened(line, MAX_LINE_CHARS);
    Some(match lines.len() - 1 {
        0 => short,
        1 => format!("{short} (+1 line)"),
        more => format!("{short} (+{more} lines)"),
    })
}

/// Decodes UTF-8. Invalid bytes, control characters other than newline and tab, and bidirectional marks become U+FFFD.
pub(super) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let unsafe_to_show = |c: char| {
        let control = c.is_control() && !matches!(c, '\n' | '\t');
        control || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.replace(unsafe_to_show, "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(pieces: &[&[u8]]) -> Capture {
        let mut capture = Capture::default();
        for piece in pieces {
            capture.push(piece);
        }
        capture
    }

    #[test]
    fn short_output_is_kept_whole() {
        let half = vec![b'x'; HALF];
        let both = [&half[..], &half[..]].concat();
        for pieces in [
            &[&both[..]][..],
            &[&half, &half],
            &[&both[..10], &both[10..]],
        ] {
            assert_eq!(capture(pieces).text().as_bytes(), both);
        }
        // A character that straddles the middle stays whole.
        let text = format!("{}é{}", "x".repeat(HALF - 1), "y");
        assert_eq!(capture(&[text.as_bytes()]).text(), text);
    }

    #[test]
    fn of_long_output_head_and_tail_are_kept() {
        let (head, middle, tail) = (vec![b'h'; HALF], vec![b'#'; 3 * HALF], vec![b't'; HALF]);
        let whole = [&head[..], &middle, &tail].concat();
        for size in [1000, HALF - 1, HALF + 1, whole.len()] {
            let text = capture(&whole.chunks(size).collect::<Vec<_>>()).text();
            assert!(
                text.contains(&format!("[… {} bytes omitted …]", 3 * HALF)),
                "{size}"
            );
            assert!(
                text.starts_with('h') && text.ends_with('t') && !text.contains('#'),
                "{size}"
            );
        }
    }

    #[test]
    fn what_could_harm_a_terminal_is_replaced() {
        let text = capture(&[b"a\x1b[31m\tb\r\nc\xFF\x00d\xc2\x9be\xe2\x80\xaef"]).text();
        assert_eq!(
            text,
            "a\u{FFFD}[31m\tb\nc\u{FFFD}\u{FFFD}d\u{FFFD}e\u{FFFD}f"
        );
    }

    #[test]
    fn the_last_line_is_of_stderr_or_else_of_stdout() {
        let (stdout, nothing) = (capture(&[b"one\ntwo \n\n"]), capture(&[b" \n"]));
        assert_eq!(last_line(&stdout, &nothing).as_deref(), Some("two"));
        assert_eq!(
            last_line(&stdout, &capture(&[b"bad"])).as_deref(),
            Some("bad")
        );
        assert_eq!(last_line(&nothing, &nothing), None);
        let long = last_line(&capture(&["é".repeat(500).as_bytes()]), &nothing).expect("a line");
        assert_eq!(long.chars().count(), MAX_LINE_CHARS + 1);
    }

    #[test]
    fn the_line_that_says_what_failed_is_found() {
        for (stdout, stderr, expected) in [
            ("", "", None),
            ("row 3 is odd\n", "", Some("row 3 is odd")),
            (
                "row 3 is odd\nrow 4 is odd\n",
                "",
                Some("row 3 is odd (+1 line)"),
            ),
            (
                "app.bin: OK\napp.tar: FAILED\n",
                "sha256sum: WARNING: 1 computed checksum did NOT match\n",
                Some("app.tar: FAILED (+2 lines)"),
            ),
            (
                "checking failures: OK\nline 3: bad price\n",
                "",
                Some("line 3: bad price (+1 line)"),
            ),
            (
                "",
                "check: line 3: oops\nsummary\n",
                Some("check: line 3: oops (+1 line)"),
            ),
            (
                "reading\n",
                "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no price\n",
                Some("ValueError: no price (+3 lines)"),
            ),
            (" \n\n", "\nonly this\n", Some("only this")),
        ] {
            let found = significant_line(
                &capture(&[stdout.as_bytes()]),
                &capture(&[stderr.as_bytes()]),
            );
            assert_eq!(found.as_deref(), expected, "{stdout}{stderr}");
        }
    }

    #[test]
    fn streams_are_named_when_both_spoke() {
        let (out, err, none) = (capture(&[b"a"]), capture(&[b"b"]), Capture::default());
        assert_eq!(joined(&out, &none), "a");
        assert_eq!(joined(&none, &err), "b");
        assert_eq!(joined(&out, &err), "--- stdout ---\na\n--- stderr ---\nb");
    }
}
