//! The styles of a view in every theme, in few bytes: a letter stands for a cell's styles in all four themes, and each
//! line of the screen is printed as runs of letters.

use std::fmt::Write as _;

use ratatui::style::{Color, Style};

use super::*;

const THEMES: [&str; 4] = ["dark", "light", "sixteen", "mono"];

fn themes() -> [Theme; 4] {
    [
        Theme::of(ThemeChoice::Dark, true, true),
        Theme::of(ThemeChoice::Light, true, true),
        Theme::of(ThemeChoice::Auto, true, false),
        Theme::of(ThemeChoice::Auto, false, false),
    ]
}

/// The style of a cell in each theme.
type Looks = [Style; 4];

/// Prints the looks of a view at these sizes, then the place of each. The text must be the same in each theme, and no
/// cell may have a background.
pub(super) fn styles(model: &mut Model, sizes: &[(u16, u16)]) -> String {
    let mut legend: Vec<Looks> = Vec::new();
    let mut maps = String::new();
    for size in sizes {
        let _ = writeln!(maps, "\n{} x {}", size.0, size.1);
        let buffers = themes().map(|theme| drawn(model, *size, &theme));
        let lines = (0..size.1).map(|y| runs(&buffers, y, &mut legend));
        let lines: Vec<String> = lines.collect();
        for same in lines.chunk_by(|one, other| one == other) {
            let times = if same.len() > 1 {
                format!("{} times ", same.len())
            } else {
                String::new()
            };
            let _ = writeln!(maps, "{times}{}", same[0]);
        }
    }
    let mut text = String::new();
    for (at, looks) in legend.iter().enumerate() {
        let words = THEMES
            .iter()
            .zip(looks)
            .map(|(theme, style)| format!("{theme} {}", words(*style)));
        let _ = writeln!(
            text,
            "{}: {}",
            letter(at),
            words.collect::<Vec<_>>().join(", ")
        );
    }
    text + &maps
}

fn drawn(model: &mut Model, size: (u16, u16), theme: &Theme) -> Buffer {
    update(model, Msg::Resize(size.0, size.1));
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    draw(model, theme, &mut buffer);
    buffer
}

/// Returns one line of the screen: `12a3b` is twelve cells like a, then three like b.
fn runs(buffers: &[Buffer; 4], y: u16, legend: &mut Vec<Looks>) -> String {
    let cells = (0..buffers[0].area.width).map(|x| {
        let cells = buffers.each_ref().map(|buffer| &buffer[(x, y)]);
        for cell in cells {
            assert_eq!(cell.bg, Color::Reset, "a background at {x}, {y}");
            assert_eq!(
                cell.symbol(),
                cells[0].symbol(),
                "other text in a theme at {x}, {y}"
            );
        }
        let looks = cells.map(ratatui::buffer::Cell::style);
        legend
            .iter()
            .position(|known| *known == looks)
            .unwrap_or_else(|| {
                legend.push(looks);
                legend.len() - 1
            })
    });
    let cells: Vec<usize> = cells.collect();
    let mut text = String::new();
    for run in cells.chunk_by(|one, other| one == other) {
        let _ = write!(text, "{}{}", run.len(), letter(run[0]));
    }
    text
}

fn letter(at: usize) -> char {
    ('a'..='z')
        .chain('A'..='Z')
        .nth(at)
        .expect("few looks in one view")
}

fn words(style: Style) -> String {
    let colour = style.fg.unwrap_or_default();
    if style.add_modifier.is_empty() {
        format!("{colour}")
    } else {
        format!("{colour} {:?}", style.add_modifier)
    }
}
