//! Texts in which `${NAME}` stands for a secret.

/// A text in which each `${NAME}` stands for a value. A `${` without a closing brace is literal text.
#[derive(Clone, Copy, Debug)]
pub struct Template<'a>(pub &'a str);

impl<'a> Template<'a> {
    /// Wraps a text; `None` when a `${` is not followed by letters, digits or `_`, and `}`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_name = |name: &str| !name.is_empty() && name.chars().all(is_part);
        let is_sound = Self(text).names().all(is_name);
        (is_sound && Self(text).names().count() == text.matches("${").count()).then_some(Self(text))
    }

    /// Returns the names, in order of appearance.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        let parts = std::iter::successors(split(self.0), |(_, _, after)| split(after));
        parts.map(|(_, name, _)| name)
    }

    /// Returns the name when the text is a single `${NAME}`.
    pub fn whole_name(self) -> Option<&'a str> {
        split(self.0).and_then(|(before, name, after)| {
            (before.is_empty() && after.is_empty()).then_some(name)
        })
    }

    /// Returns the text with each name replaced by its value, or the first error of `value`.
    pub fn expand<E>(
        self,
        mut value: impl FnMut(&'a str) -> Result<String, E>,
    ) -> Result<String, E> {
        let (mut expanded, mut rest) = (String::with_capacity(self.0.len()), self.0);
        while let Some((before, name, after)) = split(rest) {
            expanded = expanded + before + &value(name)?;
            rest = after;
        }
        Ok(expanded + rest)
    }

    /// Returns the text with each name replaced by `value` of it.
    pub fn fill(self, value: impl Fn(&'a str) -> &'a str) -> String {
        let Ok(filled) =
            self.expand(|name| Ok::<_, std::convert::Infallible>(value(name).to_owned()));
        filled
    }
}

/// Splits a text at its first `${NAME}` into the text before, the name, and the rest.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_values() {
        for (text, names, filled, is_sound) in [
            ("a$b{c}", "", "a$b{c}", true),
            ("a${A_1}b${B}${B}", "A_1 B B", "a1b11", true),
            ("a${A}b${B", "A", "a1b${B", false),
            ("${}", "", "1", false),
            ("${a b}c}", "a b", "1c}", false),
            ("${A${B}", "A${B", "1", false),
        ] {
            let template = Template(text);
            assert_eq!(template.names().collect::<Vec<_>>().join(" "), names);
            assert_eq!(template.fill(|_| "1"), filled);
            assert_eq!(Template::parse(text).is_some(), is_sound, "{text}");
        }
        for (text, whole) in [("${A}", Some("A")), ("${A}/", None), ("x${A}", None)] {
            assert_eq!(Template(text).whole_name(), whole);
        }
    }
}
