//! The difference between two versions: hunks of lines, or the unified format that `patch` reads.

use std::io::{self, Write};

use axum::http::StatusCode;
use serde::Serialize;
use similar::{ChangeTag, DiffOp, TextDiff};

use crate::app::{COMPARED_BY_LINES, Comparison, DIFF_PATIENCE};
use crate::domain::{Version, VersionId, format_size};
use crate::faces::http::large_answer::MAX_ANSWER_BYTES;
use crate::faces::http::problem::Problem;

/// The most lines of hunks as JSON, each of which is an object.
const MAX_LINES: usize = 100_000;
/// The lines of context around a change.
const CONTEXT: usize = 3;

/// The difference between two versions.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Difference {
    old: VersionId,
    new: VersionId,
    /// `same`, `text` or `bytes`.
    kind: &'static str,
    /// Of texts.
    hunks: Option<Vec<Hunk>>,
    /// Of other contents: how many bytes at the start, and at the end, are the same.
    same_at_start: Option<u64>,
    same_at_end: Option<u64>,
}

/// Changed lines with those around them.
#[derive(Serialize, utoipa::ToSchema)]
struct Hunk {
    /// The first line of the old text, from 1.
    old_start: usize,
    /// The first line of the new text, from 1.
    new_start: usize,
    lines: Vec<Line>,
}

/// A line of either text or of both.
#[derive(Serialize, utoipa::ToSchema)]
struct Line {
    /// `-` for a line of the old text, `+` of the new one, a blank of both.
    change: char,
    text: String,
}

impl Difference {
    /// A difference of too many lines is a problem.
    pub(super) fn new(
        old: &Version,
        new: &Version,
        comparison: &Comparison,
    ) -> Result<Self, Problem> {
        let mut difference = Self {
            old: old.id,
            new: new.id,
            kind: "same",
            hunks: None,
            same_at_start: None,
            same_at_end: None,
        };
        match comparison {
            Comparison::Same => difference.hunks = Some(Vec::new()),
            Comparison::Text { old, new } => {
                difference.kind = "text";
                difference.hunks = Some(hunks(old, new)?);
            }
            Comparison::Bytes(compared) => {
                difference.kind = "bytes";
                difference.same_at_start = Some(compared.prefix);
                difference.same_at_end = Some(compared.suffix);
            }
        }
        Ok(difference)
    }

    /// Returns the JSON; one that is too long for an answer is a problem.
    pub(super) fn as_json(&self) -> Result<Vec<u8>, Problem> {
        let mut json = Bounded::default();
        let written = serde_json::to_writer(&mut json, self);
        // Only for want of room does writing to memory fail.
        written.map_err(|_| too_long("ask for text/plain"))?;
        json.0.push(b'\n');
        Ok(json.0)
    }
}

/// Bytes up to the length of an answer.
#[derive(Default)]
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_ANSWER_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_long(hint: &str) -> Problem {
    let detail = format!(
        "the difference is longer than {}",
        format_size(MAX_ANSWER_BYTES as u64)
    );
    Problem::new(StatusCode::NOT_ACCEPTABLE, detail).hint(hint.to_owned())
}

fn hunks(old: &str, new: &str) -> Result<Vec<Hunk>, Problem> {
    let diff = TextDiff::configure()
        .timeout(DIFF_PATIENCE)
        .diff_lines(old, new);
    let groups = diff.grouped_ops(CONTEXT);
    let count: usize = groups.iter().flatten().map(lines_of).sum();
    if count > MAX_LINES {
        let detail = format!("the difference has {count} lines; in JSON {MAX_LINES} at most");
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, detail).hint("ask for text/plain"));
    }
    let hunk = |ops: Vec<DiffOp>| {
        let first = ops.first()?;
        let lines = ops.iter().flat_map(|op| diff.iter_changes(op));
        let line = |change: similar::Change<&str>| Line {
            change: match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            },
            text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
        };
        Some(Hunk {
            old_start: first.old_range().start + 1,
            new_start: first.new_range().start + 1,
            lines: lines.map(line).collect(),
        })
    };
    Ok(groups.into_iter().filter_map(hunk).collect())
}

/// Returns the lines of a hunk that an operation takes.
fn lines_of(op: &DiffOp) -> usize {
    match op {
        DiffOp::Equal { len, .. } => *len,
        op => op.old_range().len() + op.new_range().len(),
    }
}

/// Returns the unified difference; a problem for contents that are not text.
pub(super) fn unified(
    old: &Version,
    new: &Version,
    comparison: &Comparison,
) -> Result<Vec<u8>, Problem> {
    match comparison {
        Comparison::Same => Ok(Vec::new()),
        Comparison::Text {
            old: old_text,
            new: new_text,
        } => {
            let diff = TextDiff::configure()
                .timeout(DIFF_PATIENCE)
                .diff_lines(old_text, new_text);
            let titles = (format!("v{}", old.id), format!("v{}", new.id));
            let mut text = Bounded::default();
            let mut lines = diff.unified_diff();
            let written = write!(text, "{}", lines.header(&titles.0, &titles.1));
            written.map_err(|_| too_long("GET both contents, and compare them with diff"))?;
            Ok(text.0)
        }
        Comparison::Bytes(_) => {
            let (old, new) = (old.id, new.id);
            let detail = format!("v{old} and v{new} are not both {COMPARED_BY_LINES}");
            Err(Problem::new(StatusCode::NOT_ACCEPTABLE, detail).hint("ask for application/json"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_of_too_many_lines_is_refused_with_their_number() {
        let many = "x\n".repeat(MAX_LINES);
        let few = hunks("a\n", &many[2..]).map_err(|_| ()).expect("hunks");
        assert_eq!(few[0].lines.len(), MAX_LINES);
        let refused = hunks("a\n", &many).err().expect("a refusal");
        assert_eq!(refused.status(), StatusCode::NOT_ACCEPTABLE);
    }
}
