//! What a file of another program says of one address, and how its format is told.

use crate::app::NewSource;
use crate::domain::masked;

/// What a file says of one address.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    /// Where it stands, for people: `job 3`, `line 7`.
    pub(crate) place: String,
    /// What it is called or watches there, for people.
    pub(crate) title: String,
    /// The source, or why there can be none.
    pub(crate) source: Result<NewSource, Refused>,
    /// What of it gannet does not do: the source is made without.
    pub(crate) without: Vec<String>,
}

/// An entry that cannot be taken.
#[derive(Debug, PartialEq)]
pub(crate) struct Refused {
    /// Its address, where the file names one, without user name and password.
    pub(crate) address: Option<String>,
    pub(crate) why: String,
}

impl Entry {
    /// Makes it one that cannot be taken.
    pub(crate) fn refuse(&mut self, why: String) {
        self.without.clear();
        self.source = Err(Refused {
            address: self.address().map(masked),
            why,
        });
    }

    /// Returns the address, where the file names one; of an entry that cannot be taken without user name and password.
    pub(crate) fn address(&self) -> Option<&str> {
        match &self.source {
            Ok(source) => Some(&source.address),
            Err(refused) => refused.address.as_deref(),
        }
    }

    /// Hides user names and passwords: what is refused because of them is listed.
    pub(super) fn mask(&mut self) {
        if self.title.contains("//") || self.title.contains('@') {
            self.title = masked(&self.title);
        }
        for word in &mut self.without {
            *word = masked(word);
        }
    }

    pub(super) fn refused(
        place: String,
        title: String,
        address: Option<&str>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            place,
            title,
            source: Err(Refused {
                address: address.map(masked),
                why: why.into(),
            }),
            without: Vec::new(),
        }
    }
}

/// Returns a tag that is like `text`: letters, digits and `-_./` stay, all else becomes `-`. Nothing when nothing is left.
pub(super) fn tag(text: &str) -> Option<String> {
    let kept = |c: char| {
        if c.is_alphanumeric() || "-_./".contains(c) {
            c
        } else {
            '-'
        }
    };
    let tag: String = text.trim().chars().map(kept).take(32).collect();
    let tag = tag.trim_matches('-').to_owned();
    (!tag.is_empty()).then_some(tag)
}

/// Returns the tags that these words become; what they lose by that goes to `without`.
pub(super) fn tags_of<'a>(
    words: impl IntoIterator<Item = &'a str>,
    without: &mut Vec<String>,
) -> Vec<String> {
    let mut tags = Vec::new();
    for word in words
        .into_iter()
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        let made = tag(word);
        match &made {
            None => without.push(format!("its tag `{word}`: no letters or digits")),
            Some(made) if made != word => {
                without.push(format!("its tag `{word}`: `{made}` instead"));
            }
            Some(_) => {}
        }
        tags.extend(made);
    }
    tags
}

/// Returns the tags that a list of words, or one text with commas, names; `name` says what a word of the list is called.
pub(super) fn tags<'a>(
    value: Option<&'a serde_json::Value>,
    name: impl Fn(&'a str) -> &'a str,
    without: &mut Vec<String>,
) -> Vec<String> {
    match value {
        Some(serde_json::Value::Array(words)) => {
            let others = words.iter().filter(|word| !word.is_string());
            without.extend(others.map(|word| format!("its tag {word}: not a text")));
            let words = words.iter().filter_map(serde_json::Value::as_str);
            tags_of(words.map(name), without)
        }
        Some(serde_json::Value::String(names)) => tags_of(names.split(','), without),
        Some(other) if says_something(other) => {
            without.push("its tags: neither a list nor a text".to_owned());
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Returns the keys whose values change what is compared or how it is fetched, in a way that gannet has no setting for.
pub(super) fn left_out<'a>(
    object: &'a serde_json::Map<String, serde_json::Value>,
    known: &[&str],
) -> impl Iterator<Item = String> + use<'a> {
    let known: Vec<String> = known.iter().map(|key| (*key).to_owned()).collect();
    object
        .iter()
        .filter(move |(key, value)| !known.contains(key) && says_something(value))
        .map(|(key, _)| key.clone())
}

pub(super) fn says_something(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(items) => !items.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// Returns header fields of an object of texts; those that are none go to `without`.
pub(super) fn headers(
    value: Option<&serde_json::Value>,
    without: &mut Vec<String>,
) -> Vec<(String, String)> {
    use serde_json::Value;
    let fields = match value {
        Some(Value::Object(fields)) => fields,
        Some(other) if says_something(other) => {
            without.push("its headers: not names and values".to_owned());
            return Vec::new();
        }
        _ => return Vec::new(),
    };
    let mut headers = Vec::new();
    for (name, value) in fields {
        match value {
            Value::String(text) => headers.push((name.clone(), text.clone())),
            Value::Number(number) => headers.push((name.clone(), number.to_string())),
            // The value may be a secret.
            _ => without.push(format!("its header {name}: not a text")),
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_made_of_what_can_stand_in_one() {
        for (text, expected) in [
            ("Price lists", Some("Price-lists")),
            (" a/b ", Some("a/b")),
            ("«»", None),
        ] {
            assert_eq!(tag(text).as_deref(), expected);
        }
    }
}
