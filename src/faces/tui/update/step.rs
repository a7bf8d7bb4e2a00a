//! How far a key moves: the cursor of a list, or a content.

use crate::faces::tui::viewer::Viewer;

/// The distance that a key moves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    By(isize),
    Top,
    Bottom,
}

impl Step {
    /// Returns the place to which a cursor goes; the last one is `last`.
    pub(super) fn from(self, at: usize, last: usize) -> usize {
        match self {
            Self::By(lines) => at.saturating_add_signed(lines).min(last),
            Self::Top => 0,
            Self::Bottom => last,
        }
    }

    /// Scrolls a content in a page of this height.
    pub(super) fn scroll(self, viewer: &mut Viewer, height: usize) {
        match self {
            Self::By(lines) if lines < 0 => viewer.up(lines.unsigned_abs()),
            Self::By(lines) => viewer.down(lines.unsigned_abs()),
            Self::Top => viewer.go_to_top(),
            Self::Bottom => viewer.go_to_bottom(height),
        }
    }
}
