//! The lines of the help: every key in force with its action, then the meaning of the states of sources and versions.
//!
//! Never draws, and has no styles.

use unicode_width::UnicodeWidthStr as _;

use super::keymap::{Context, Keymap};
use crate::faces::state_word::StateWord;
use crate::faces::text::wrap;

/// The words of the column VERIFIED, as `format::version_state` has them, and their meanings.
const VERIFIED: [(&str, &str); 5] = [
    ("ok", "passed: every verifier that applies passed it"),
    ("FAIL", "failed: a verifier failed it"),
    ("error", "a verifier could not judge it"),
    ("pending", "it waits for a verdict"),
    (
        "unverified",
        "no verifier applies; members of a set are judged with their set",
    ),
];

/// One line of the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HelpLine {
    /// A heading, the keys of an action, or the word of a state; spaces on the further lines of an explanation.
    pub(crate) label: String,
    /// The meaning of the label; empty behind a heading.
    pub(crate) text: String,
    pub(crate) is_heading: bool,
}

/// Returns the help in lines of at most this many columns; a longer explanation continues on the lines below.
pub(crate) fn help_lines(keymap: &Keymap, columns: u16) -> Vec<HelpLine> {
    let columns = usize::from(columns);
    let mut lines = Vec::new();
    let heading = |title: &str| HelpLine {
        label: title.to_owned(),
        text: String::new(),
        is_heading: true,
    };
    for (context, title) in Context::ALL {
        lines.push(heading(title));
        for binding in keymap.bindings_in(context) {
            let (keys, about) = (binding.shown(), binding.action.about());
            explain(&mut lines, &keys, about, columns);
        }
    }
    lines.push(heading("States of sources"));
    for (state, _, word) in StateWord::ALL {
        explain(&mut lines, word, state.meaning(), columns);
    }
    lines.push(heading("Verified: the newest version"));
    for (word, meaning) in VERIFIED {
        explain(&mut lines, word, meaning, columns);
    }
    lines
}

fn explain(lines: &mut Vec<HelpLine>, label: &str, text: &str, columns: usize) {
    let mut label = format!("  {label:<20}");
    let width = label.width();
    for part in wrap(text, columns.saturating_sub(width)) {
        lines.push(HelpLine {
            label: std::mem::replace(&mut label, " ".repeat(width)),
            text: part,
            is_heading: false,
        });
    }
}
