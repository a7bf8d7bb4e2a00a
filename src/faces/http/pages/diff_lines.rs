//! Draws the lines of a difference: one below the other, or side by side.

use std::ops::Range;

use maud::{Markup, html};

use super::diff_words::marked_pair;
use super::elements::text;
use crate::faces::version_diff::{DiffLine, Side};

/// Draws a window of a difference. Each change leads to the next one; the last of the window to the window behind it.
pub(super) fn drawn(
    lines: &[DiffLine],
    window: Range<usize>,
    is_split: bool,
    later: &str,
) -> Markup {
    let range = window.start.min(lines.len())..window.end.min(lines.len());
    let heads = Heads {
        last: lines[range.clone()]
            .iter()
            .filter(|line| is_change(line))
            .count(),
        later: (range.end < lines.len()).then_some(later),
    };
    if is_split {
        split(&lines[range], &heads)
    } else {
        unified(&lines[range], &heads)
    }
}

/// The heads of changes in a window.
struct Heads<'a> {
    /// The number of the last one, from 1.
    last: usize,
    /// The address of the window behind this one.
    later: Option<&'a str>,
}

impl Heads<'_> {
    /// Draws the head of the change with this number, or a remark.
    fn row(&self, number: usize, words: &str, is_change: bool) -> Markup {
        let next = format!("#change-{}", number + 1);
        let next = if number < self.last {
            Some(next.as_str())
        } else {
            self.later
        };
        // The dashboard's words are for terminals.
        let words = if is_change {
            words.replace("->", "→").replace('-', "–")
        } else {
            words.to_owned()
        };
        html! {
            tr.head id=[is_change.then(|| format!("change-{number}"))] {
                td colspan="4" {
                    (text(&words))
                    @if let Some(next) = next.filter(|_| is_change) { a.next href=(next) { "next change" } }
                }
            }
        }
    }
}

fn is_change(line: &DiffLine) -> bool {
    matches!(line, DiffLine::Head(words) if words.starts_with("lines "))
}

/// Returns each line with the number of the change that it belongs to, from 1.
fn numbered(lines: &[DiffLine]) -> impl Iterator<Item = (usize, &DiffLine)> {
    let mut number = 0;
    lines.iter().map(move |line| {
        number += usize::from(is_change(line));
        (number, line)
    })
}

fn unified(lines: &[DiffLine], heads: &Heads<'_>) -> Markup {
    html! {
        table.diff { tbody {
            @for block in blocks(lines) {
                @match block {
                    Block::Head(number, words, is_change) => (heads.row(number, words, is_change)),
                    Block::Same(old, new) => tr { td.line { (old.number) } td.line { (new.number) } td.sign { " " } td { code { (new.text) } } },
                    Block::Changed(pairs) => {
                        @let marked = pairs.iter().map(|(old, new)| marked(old.as_ref(), new.as_ref())).collect::<Vec<_>>();
                        @for ((old, _), (shown, _)) in pairs.iter().zip(&marked) {
                            @if let Some(old) = old { tr.removed { td.line { (old.number) } td.line {} td.sign { "−" } td { code { (shown) } } } }
                        }
                        @for ((_, new), (_, shown)) in pairs.iter().zip(&marked) {
                            @if let Some(new) = new { tr.added { td.line {} td.line { (new.number) } td.sign { "+" } td { code { (shown) } } } }
                        }
                    },
                }
            }
        } }
    }
}

fn split(lines: &[DiffLine], heads: &Heads<'_>) -> Markup {
    let side = |side: Option<&Side>, shown: &Markup, class: &str, sign: &str| {
        html! {
            @match side {
                Some(side) => { td.line.(class) { (side.number) } td.side.(class) { span.sign { (sign) } code { (shown) } } },
                None => { td.line.none {} td.side.none {} },
            }
        }
    };
    html! {
        table.diff.split { tbody {
            @for (number, line) in numbered(lines) {
                @match line {
                    DiffLine::Head(words) => (heads.row(number, words, is_change(line))),
                    DiffLine::Same(old, new) => tr {
                        td.line { (old.number) } td.side { span.sign { " " } code { (old.text) } }
                        td.line { (new.number) } td.side { span.sign { " " } code { (new.text) } }
                    },
                    DiffLine::Changed(old, new) => {
                        @let (old_shown, new_shown) = marked(old.as_ref(), new.as_ref());
                        tr { (side(old.as_ref(), &old_shown, "removed", "−")) (side(new.as_ref(), &new_shown, "added", "+")) }
                    },
                }
            }
        } }
    }
}

fn marked(old: Option<&Side>, new: Option<&Side>) -> (Markup, Markup) {
    match (old, new) {
        (Some(old), Some(new)) => marked_pair(&old.text, &new.text),
        (old, new) => {
            let plain = |side: Option<&Side>| html! { @if let Some(side) = side { (side.text) } };
            (plain(old), plain(new))
        }
    }
}

/// A removed line and the one in its place; one of the two may be missing.
type Pair = (Option<Side>, Option<Side>);

/// Lines of a unified difference that belong together.
enum Block<'a> {
    /// The number of a change and its words, or a remark.
    Head(usize, &'a str, bool),
    Same(&'a Side, &'a Side),
    Changed(Vec<Pair>),
}

/// Gathers changed lines that follow each other: removed ones are shown before added ones.
fn blocks(lines: &[DiffLine]) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    for (number, line) in numbered(lines) {
        match line {
            DiffLine::Head(words) => {
                blocks.push(Block::Head(number, words, is_change(line)));
            }
            DiffLine::Same(old, new) => blocks.push(Block::Same(old, new)),
            DiffLine::Changed(old, new) => {
                let pair = (old.clone(), new.clone());
                match blocks.last_mut() {
                    Some(Block::Changed(pairs)) => pairs.push(pair),
                    _ => blocks.push(Block::Changed(vec![pair])),
                }
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_leads_to_the_next_one() {
        let side = |number| Side {
            number,
            text: "x".to_owned(),
        };
        let lines: Vec<_> = (1..=3)
            .flat_map(|at| {
                [
                    DiffLine::Head(format!("lines {at}-1 -> 1-1")),
                    DiffLine::Changed(Some(side(at)), None),
                ]
            })
            .collect();
        for is_split in [false, true] {
            let shown = drawn(&lines, 0..4, is_split, "/later").into_string();
            assert!(shown.contains("lines 1–1 → 1–1"), "{shown}");
            for expected in [
                "id=\"change-1\"",
                "href=\"#change-2\"",
                "id=\"change-2\"",
                "href=\"/later\"",
            ] {
                assert!(shown.contains(expected), "{expected}: {shown}");
            }
            assert!(!shown.contains("change-3"), "{shown}");
            let last = drawn(&lines, 4..8, is_split, "/later").into_string();
            assert!(
                last.contains("change-1") && !last.contains("next change"),
                "{last}"
            );
            let beyond = drawn(&lines, 100..200, is_split, "/later").into_string();
            assert!(!beyond.contains("<td"), "{beyond}");
        }
        let remark = DiffLine::Head("both have the same content".to_owned());
        let shown = drawn(&[remark], 0..9, false, "/later").into_string();
        assert!(shown.contains("same content") && !shown.contains("next change"));
    }
}
