//! A cursor in the text of a document type declaration, and the productions of XML 1.0 that are read there.

use super::refusal::{Parsed, Refusal, wrong};
use crate::domain::{shortened, truncate_line};

/// Characters of the text that an error shows.
const MAX_SHOWN_CHARS: usize = 20;

/// A position in a text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    rest: &'a str,
}

/// Returns whether the character may begin a name (XML 1.0 §2.3, `NameStartChar`).
pub(super) fn begins_name(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}' | '\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// Returns whether the character may be in a name (`NameChar`).
pub(super) fn is_in_name(c: char) -> bool {
    begins_name(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}' | '\u{2040}')
}

/// Returns whether the character may be in a document (§2.2, Char).
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, rest: text }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(super) fn is_at(&self, text: &str) -> bool {
        self.rest.starts_with(text)
    }

    /// Skips this text. Returns whether it was there.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.take(text) {
            Ok(())
        } else {
            self.unexpected(&format!("`{text}`"))
        }
    }

    /// Fails with the expected text and the text found. `…` marks a cut in a longer word.
    pub(super) fn unexpected<T>(&self, expected: &str) -> Parsed<T> {
        if self.rest.is_empty() {
            return wrong(format!("ends where {expected} has to be"));
        }
        let before = &self.text[..self.text.len() - self.rest.len()];
        let cut = if before.is_empty() || before.ends_with(is_space) {
            ""
        } else {
            "…"
        };
        let found = truncate_line(&shortened(self.rest, MAX_SHOWN_CHARS));
        wrong(format!("`{cut}{found}` where {expected} has to be"))
    }

    /// Skips blanks. Returns whether there were any.
    pub(super) fn skip_space(&mut self) -> bool {
        let rest = self.rest.trim_start_matches(is_space);
        let had_some = rest.len() < self.rest.len();
        self.rest = rest;
        had_some
    }

    pub(super) fn space(&mut self) -> Parsed<()> {
        if self.skip_space() {
            Ok(())
        } else {
            self.unexpected("a blank")
        }
    }

    fn up_to(&mut self, end: &str) -> Parsed<&'a str> {
        match self.rest.split_once(end) {
            Some((text, rest)) if text.chars().all(is_char) => {
                self.rest = rest;
                Ok(text)
            }
            Some(_) => wrong("a character that may not be in XML"),
            None => wrong(format!("no `{end}`")),
        }
    }

    fn token(&mut self) -> Parsed<String> {
        let end = self
            .rest
            .find(|c| !is_in_name(c))
            .unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        if token.is_empty() {
            return self.unexpected("a name");
        }
        self.rest = rest;
        Ok(token.to_owned())
    }

    pub(super) fn name(&mut self) -> Parsed<String> {
        if self.rest.starts_with(begins_name) {
            self.token()
        } else {
            self.unexpected("a name")
        }
    }

    fn quoted(&mut self) -> Parsed<&'a str> {
        for quote in ["\"", "'"] {
            if self.take(quote) {
                return self.up_to(quote);
            }
        }
        self.unexpected("a text in quotes")
    }

    /// Reads `SYSTEM 'x'` or `PUBLIC 'x' 'y'`; for a notation, the second text is optional.
    pub(super) fn external_id(&mut self, is_notation: bool) -> Parsed<()> {
        if self.take("SYSTEM") {
            self.space()?;
            return self.quoted().map(drop);
        }
        self.expect("PUBLIC")?;
        self.space()?;
        let is_public =
            |c: char| c.is_ascii_alphanumeric() || " \r\n-'()+,./:=?;!*#@$_%".contains(c);
        if !self.quoted()?.chars().all(is_public) {
            return wrong("a public identifier with a character that may not be in one");
        }
        let had_space = self.skip_space();
        if is_notation && !self.rest.starts_with(['"', '\'']) {
            return Ok(());
        }
        if !had_space {
            return self.unexpected("a blank");
        }
        self.quoted().map(drop)
    }

    /// Reads the rest of a comment.
    pub(super) fn comment(&mut self) -> Parsed<()> {
        self.up_to("--")?;
        self.expect(">")
    }

    /// Reads the rest of a processing instruction.
    pub(super) fn instruction(&mut self) -> Parsed<()> {
        let target = self.name()?;
        if target.eq_ignore_ascii_case("xml") {
            return wrong("an XML declaration that is not at the beginning");
        }
        if !self.is_at("?>") {
            self.space()?;
        }
        self.up_to("?>").map(drop)
    }

    /// Reads the rest of an element's declaration.
    pub(super) fn element(&mut self) -> Parsed<()> {
        self.space()?;
        self.name()?;
        self.space()?;
        if !self.take("EMPTY") && !self.take("ANY") {
            self.expect("(")?;
            self.skip_space();
            if self.take("#PCDATA") {
                self.mixed()?;
            } else {
                self.group(0)?;
                let _ = self.take("?") || self.take("*") || self.take("+");
            }
        }
        self.skip_space();
        self.expect(">")
    }

    /// Reads the rest of `(#PCDATA | a | b)*`.
    fn mixed(&mut self) -> Parsed<()> {
        let mut has_names = false;
        loop {
            self.skip_space();
            if self.take(")") {
                return if self.take("*") || !has_names {
                    Ok(())
                } else {
                    self.unexpected("`*`")
                };
            }
            self.expect("|")?;
            self.skip_space();
            self.name()?;
            has_names = true;
        }
    }

    /// Reads the rest of a group of children, separated only by commas or only by bars.
    fn group(&mut self, depth: usize) -> Parsed<()> {
        if depth > 100 {
            return Err(Refusal::TooMuch("groups are too deep".to_owned()));
        }
        let mut parted_by = None;
        loop {
            self.skip_space();
            if self.take("(") {
                self.group(depth + 1)?;
            } else {
                self.name()?;
            }
            let _ = self.take("?") || self.take("*") || self.take("+");
            self.skip_space();
            if self.take(")") {
                return Ok(());
            }
            let Some(by) = [",", "|"].into_iter().find(|by| self.is_at(by)) else {
                return self.unexpected("`)`");
            };
            if *parted_by.get_or_insert(by) != by {
                return wrong("a group parted by commas and by bars");
            }
            self.expect(by)?;
        }
    }

    /// Reads the rest of an attribute list declaration; adds the entities of its default values to `in_defaults`.
    pub(super) fn attributes(&mut self, in_defaults: &mut Vec<String>) -> Parsed<()> {
        self.space()?;
        self.name()?;
        loop {
            let had_space = self.skip_space();
            if self.take(">") {
                return Ok(());
            }
            if !had_space {
                return self.unexpected("a blank");
            }
            self.name()?;
            self.space()?;
            self.attribute_type()?;
            self.space()?;
            if self.take("#REQUIRED") || self.take("#IMPLIED") {
                continue;
            }
            if self.take("#FIXED") {
                self.space()?;
            }
            let value = self.quoted()?;
            if value.contains('<') {
                return wrong("`<` in the value of an attribute");
            }
            in_defaults.extend(references(value)?);
        }
    }

    fn attribute_type(&mut self) -> Parsed<()> {
        const TYPES: [&str; 8] = [
            "CDATA", "IDREFS", "IDREF", "ID", "ENTITY", "ENTITIES", "NMTOKENS", "NMTOKEN",
        ];
        if TYPES.iter().any(|word| self.take(word)) {
            return Ok(());
        }
        let is_notation = self.take("NOTATION");
        if is_notation {
            self.space()?;
        }
        self.expect("(")?;
        loop {
            self.skip_space();
            if is_notation {
                self.name()?;
            } else {
                self.token()?;
            }
            self.skip_space();
            if self.take(")") {
                return Ok(());
            }
            self.expect("|")?;
        }
    }

    /// Reads the rest of a notation's declaration.
    pub(super) fn notation(&mut self) -> Parsed<()> {
        self.space()?;
        self.name()?;
        self.space()?;
        self.external_id(true)?;
        self.skip_space();
        self.expect(">")
    }

    /// Reads an entity's value, and returns its replacement text (§4.5): character references are replaced, entities
    /// are not.
    pub(super) fn entity_value(&mut self) -> Parsed<String> {
        let value = self.quoted()?;
        if value.contains('%') {
            return wrong(
                "`%` in the value of an entity: parameter entities stand between declarations only",
            );
        }
        references(value)?;
        let mut text = String::with_capacity(value.len());
        let mut rest = value;
        while let Some((before, behind)) = rest.split_once("&#") {
            text.push_str(before);
            let (number, behind) = behind.split_once(';').unwrap_or((behind, ""));
            text.extend(character(number));
            rest = behind;
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// Returns the character of `&#65;` or `&#x41;` by the text between `&#` and `;`.
fn character(number: &str) -> Option<char> {
    let code = match number.strip_prefix('x') {
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u32::from_str_radix(hex, 16)
        }
        None if number.bytes().all(|byte| byte.is_ascii_digit()) => number.parse(),
        _ => return None,
    };
    char::from_u32(code.ok()?).filter(|c| is_char(*c))
}

/// Returns the names of the entities that a text refers to. Fails when a `&` begins no reference.
pub(super) fn references(text: &str) -> Parsed<Vec<String>> {
    let mut names = Vec::new();
    for behind in text.split('&').skip(1) {
        let reference = behind.split_once(';').map(|(reference, _)| reference);
        match reference {
            Some(number) if number.starts_with('#') => {
                if character(&number[1..]).is_none() {
                    return wrong(format!("`&{};` is no character", truncate_line(&number)));
                }
            }
            Some(name) if name.starts_with(begins_name) && name.chars().all(is_in_name) => {
                names.push(name.to_owned());
            }
            _ => return wrong("`&` that begins no reference"),
        }
    }
    Ok(names)
}
