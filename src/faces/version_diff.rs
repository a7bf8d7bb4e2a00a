//! The difference of two versions as lines to scroll through, unified or side by side.

use similar::{Change, ChangeTag, DiffOp, TextDiff};

use crate::app::{COMPARED_BY_LINES, Comparison, DIFF_PATIENCE};
use crate::domain::{Version, format_size};
use crate::faces::text::clean_line;

/// Lines of unchanged text around each change.
const CONTEXT: usize = 3;
/// Most lines of a difference; a larger one is cut and ends with a remark.
const MAX_LINES: usize = 100_000;
/// Most characters of a line; the rest is cut: two columns show no more.
const MAX_WIDTH: usize = 2000;

/// One line of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    /// The number of the line, from 1.
    pub(crate) number: usize,
    pub(crate) text: String,
}

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DiffLine {
    /// The line numbers of the hunk that follows, or another remark.
    Head(String),
    /// A line that is the same in both versions.
    Same(Side, Side),
    /// A removed line and the added one in its place; one of the two may be missing.
    Changed(Option<Side>, Option<Side>),
}

/// A difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Diff {
    pub(crate) lines: Vec<DiffLine>,
    pub(crate) added: usize,
    pub(crate) removed: usize,
}

impl Diff {
    /// Computes the difference. Blocks, for large texts up to ten seconds.
    pub(crate) fn of(comparison: &Comparison, old: &Version, new: &Version) -> Self {
        match comparison {
            Comparison::Same => Self::remarks(["both have the same content".to_owned()]),
            Comparison::Text { old, new } => Self::of_texts(old, new),
            Comparison::Bytes(compared) => {
                let side = |one: &Version| {
                    let size = format_size(one.size_bytes);
                    format!("v{}: {size}, {}", one.id, one.digest)
                };
                let [start, end] = [compared.prefix, compared.suffix].map(format_size);
                Self::remarks([
                    format!("compared as bytes: not both are {COMPARED_BY_LINES}"),
                    side(old),
                    side(new),
                    format!("first difference at offset {}", compared.prefix),
                    format!("{start} at the start and {end} at the end are the same"),
                ])
            }
        }
    }

    fn remarks(lines: impl IntoIterator<Item = String>) -> Self {
        Self {
            lines: lines.into_iter().map(DiffLine::Head).collect(),
            ..Self::default()
        }
    }

    fn of_texts(old: &str, new: &str) -> Self {
        let text_diff = TextDiff::configure()
            .timeout(DIFF_PATIENCE)
            .diff_lines(old, new);
        let mut diff = Self::default();
        for group in text_diff.grouped_ops(CONTEXT) {
            let Some((first, last)) = group.first().zip(group.last()) else {
                continue;
            };
            diff.lines.push(DiffLine::Head(format!(
                "lines {}-{} -> {}-{}",
                first.old_range().start + 1,
                last.old_range().end,
                first.new_range().start + 1,
                last.new_range().end
            )));
            for op in &group {
                if !matches!(op, DiffOp::Equal { .. }) {
                    diff.removed += op.old_range().len();
                    diff.added += op.new_range().len();
                }
                diff.extend(text_diff.iter_changes(op));
            }
            if diff.lines.len() > MAX_LINES {
                diff.lines.truncate(MAX_LINES);
                diff.lines.push(DiffLine::Head(
                    "more was cut: `gannet diff` prints all".to_owned(),
                ));
                break;
            }
        }
        diff
    }

    /// Appends the lines of one operation: unchanged ones, or removed and added ones. Of very many, the first.
    fn extend<'a>(&mut self, changes: impl Iterator<Item = Change<&'a str>>) {
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        for change in changes {
            let side = |index: Option<usize>| Side {
                number: index.map_or(0, |index| index + 1),
                text: shown(change.value()),
            };
            match change.tag() {
                ChangeTag::Equal => self.lines.push(DiffLine::Same(
                    side(change.old_index()),
                    side(change.new_index()),
                )),
                ChangeTag::Delete if removed.len() <= MAX_LINES => {
                    removed.push(side(change.old_index()));
                }
                ChangeTag::Insert if added.len() <= MAX_LINES => {
                    added.push(side(change.new_index()));
                }
                ChangeTag::Delete | ChangeTag::Insert => {}
            }
        }
        self.pair(removed, added);
    }

    fn pair(&mut self, removed: Vec<Side>, added: Vec<Side>) {
        let (mut removed, mut added) = (removed.into_iter(), added.into_iter());
        loop {
            let pair = (removed.next(), added.next());
            if pair == (None, None) {
                return;
            }
            self.lines.push(DiffLine::Changed(pair.0, pair.1));
        }
    }
}

fn shown(line: &str) -> String {
    let line: String = line
        .trim_end_matches(['\n', '\r'])
        .chars()
        .take(MAX_WIDTH)
        .collect();
    clean_line(&line).replace('\t', "    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_lines_the_first_are_kept_and_all_are_counted() {
        let many = "x\n".repeat(3 * MAX_LINES);
        let diff = Diff::of_texts("a\nb\n", &many);
        assert_eq!((diff.added, diff.removed), (3 * MAX_LINES, 2));
        assert_eq!(diff.lines.len(), MAX_LINES + 1);
        let last = diff.lines.last();
        assert!(
            matches!(last, Some(DiffLine::Head(words)) if words.starts_with("more was cut")),
            "{last:?}"
        );
    }

    #[test]
    fn pairs_what_took_the_place_of_what() {
        let diff = Diff::of_texts("a\nb\nc\n", "a\nB\nB2\nc\n");
        assert_eq!((diff.added, diff.removed), (2, 1));
        let kinds: Vec<_> = diff
            .lines
            .iter()
            .map(|line| match line {
                DiffLine::Head(text) => text.clone(),
                DiffLine::Same(old, new) => format!("{}={} {}", old.number, new.number, new.text),
                DiffLine::Changed(old, new) => format!(
                    "{}>{}",
                    old.as_ref().map_or("", |side| &side.text),
                    new.as_ref().map_or("", |side| &side.text)
                ),
            })
            .collect();
        assert_eq!(kinds, ["lines 1-3 -> 1-4", "1=1 a", "b>B", ">B2", "3=4 c"]);
    }
}
