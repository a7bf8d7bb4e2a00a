//! Plots in block characters: a bar for each attempt or version, the newest on the right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::put;

const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// A bar: its value, none for a failed attempt, and its style.
pub(crate) type Bar = (Option<u64>, Style);

/// Draws bars, given newest first, from the right edge to the left.
pub(crate) fn bars(buffer: &mut Buffer, area: Rect, bars: &[Bar]) {
    let shown = &bars[..bars.len().min(usize::from(area.width))];
    let most = shown
        .iter()
        .filter_map(|(value, _)| *value)
        .max()
        .unwrap_or(0)
        .max(1);
    for (at, (value, style)) in (1_u16..).zip(shown) {
        let x = area.right() - at;
        let Some(value) = value else {
            if area.height > 0 {
                put(buffer, (x, area.bottom() - 1), 1, "×", *style);
            }
            continue;
        };
        let whole = u64::from(area.height) * 8;
        let eighths = (value.saturating_mul(whole) / most).max(1);
        for row in 0..area.height {
            let left = eighths.saturating_sub(u64::from(row) * 8).min(8);
            let symbol = EIGHTHS[usize::try_from(left).unwrap_or(8)];
            if left > 0 {
                put(buffer, (x, area.bottom() - 1 - row), 1, symbol, *style);
            }
        }
    }
}
