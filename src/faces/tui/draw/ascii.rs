//! The screen in 7-bit ASCII, for terminals and locales without Unicode.

use ratatui::buffer::Buffer;

/// Replaces every character that is not ASCII by one that is.
pub(crate) fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if !symbol.is_ascii() {
            match symbol.chars().next() {
                // A letter with diacritics becomes the plain letter.
                Some(letter) if letter.is_ascii() => cell.set_char(letter),
                other => cell.set_symbol(other.map_or("?", ascii)),
            };
        }
    }
}

fn ascii(character: char) -> &'static str {
    match character {
        '─' | '–' | '−' | '▃' | '▂' => "-",
        '│' => "|",
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' => "+",
        '█' => "#",
        '▇' | '▆' => "@",
        '▅' | '▄' | '○' => "o",
        '▁' => "_",
        '░' | '◌' | '·' => ".",
        '●' => "*",
        '×' => "x",
        '…' => "~",
        '↓' => "v",
        '↑' => "^",
        '▸' => ">",
        _ => "?",
    }
}
