//! The difference between two versions: hunks of lines, or the unified format that `patch` reads.

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use crate::app::{Comparison, DIFF_PATIENCE};
use crate::domain::{Version, VersionId};
use crate::faces::http::problem::Problem;

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
    pub(super) fn new(old: &Version, new: &Version, comparison: &Comparison) -> Self {
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
                difference.hunks = Some(hunks(old, new));
            }
            Comparison::Bytes(compared) => {
                difference.kind = "bytes";
                difference.same_at_start = Some(compared.prefix);
                difference.same_at_end = Some(compared.suffix);
            }
        }
        difference
    }
}

fn hunks(old: &str, new: &str) -> Vec<Hunk> {
    let diff = TextDiff::configure()
        .timeout(DIFF_PATIENCE)
        .diff_lines(old, new);
    let groups = diff.grouped_ops(CONTEXT).into_iter();
    let hunk = |ops: Vec<similar::DiffOp>| {
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
    groups.filter_map(hunk).collect()
}

/// Returns the unified difference; a problem for contents that are not text.
pub(super) fn unified(
    old: &Version,
    new: &Version,
    comparison: &Comparison,
) -> Result<String, Problem> {
    match comparison {
        Comparison::Same => Ok(String::new()),
        Comparison::Text {
            old: old_text,
            new: new_text,
        } => {
            let diff = TextDiff::configure()
                .timeout(DIFF_PATIENCE)
                .diff_lines(old_text, new_text);
            let titles = (format!("v{}", old.id), format!("v{}", new.id));
            Ok(diff.unified_diff().header(&titles.0, &titles.1).to_string())
        }
        Comparison::Bytes(_) => {
            let detail = format!(
                "v{} and v{} are not both text of at most 16 MiB",
                old.id, new.id
            );
            Err(Problem::new(axum::http::StatusCode::NOT_ACCEPTABLE, detail)
                .hint("ask for application/json"))
        }
    }
}
