//! Characters that cannot be seen in a text: one list for addresses and for names of files.

/// Returns whether a character shows as nothing, or as a space that is none in ASCII: controls, byte order mark, joiners,
/// direction marks, fillers (Unicode's `Cf` and the like), no-break and other wide or narrow spaces.
pub(super) fn is_invisible(c: char) -> bool {
    is_formatting(c) || (c.is_whitespace() && c != ' ')
}

/// Returns whether a character shows as nothing and takes no room.
pub(super) fn is_formatting(c: char) -> bool {
    matches!(c,
        '\u{00}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}
