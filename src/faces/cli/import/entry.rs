//! One entry of another program's file: the source that it becomes, and the parts that gannet does not support.

use serde_json::{Map, Value};

use crate::app::NewSource;
use crate::domain::{SettingsPatch, masked};

/// One entry of a file.
#[derive(Debug, PartialEq)]
pub(crate) struct ImportEntry {
    /// Its position, for people: `job 3`, `line 7`.
    pub(crate) place: String,
    /// Its name or address in the file, for people.
    pub(crate) title: String,
    /// The source, or why the entry is refused.
    pub(crate) source: Result<NewSource, Refused>,
    /// The parts of the entry that the source leaves out.
    pub(crate) without: Vec<String>,
}

/// Why an entry is refused.
#[derive(Debug, PartialEq)]
pub(crate) struct Refused {
    /// The entry's address without user name and password, if there is one.
    pub(crate) address: Option<String>,
    pub(crate) why: String,
}

impl ImportEntry {
    /// Refuses the entry.
    pub(crate) fn refuse(&mut self, why: String) {
        self.without.clear();
        self.source = Err(Refused {
            address: self.address().map(masked),
            why,
        });
    }

    /// Returns the address, if there is one; that of a refused entry without user name and password.
    pub(crate) fn address(&self) -> Option<&str> {
        match &self.source {
            Ok(source) => Some(&source.address),
            Err(refused) => refused.address.as_deref(),
        }
    }

    /// Masks user names and passwords, since refused entries are listed.
    pub(super) fn mask(&mut self) {
        if self.title.contains("//") || self.title.contains('@') {
            self.title = masked(&self.title);
        }
        for word in &mut self.without {
            *word = masked(word);
        }
    }

    /// Returns an entry that becomes a source.
    pub(super) fn taken(
        place: String,
        title: String,
        address: &str,
        settings: SettingsPatch,
        without: Vec<String>,
    ) -> Self {
        let source = NewSource {
            settings,
            ..NewSource::at(address)
        };
        Self {
            place,
            title,
            source: Ok(source),
            without,
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

/// Returns a tag made of `text`: letters, digits and `-_./` stay, others become `-`. `None` when nothing is left.
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

/// Returns the tags made of these words; records words that changed in `without`.
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

/// Returns the tags in a list of words, or in one text with commas; `name` returns the name of a word in the list.
pub(super) fn tags<'a>(
    value: Option<&'a Value>,
    name: impl Fn(&'a str) -> &'a str,
    without: &mut Vec<String>,
) -> Vec<String> {
    match value {
        Some(Value::Array(words)) => {
            let others = words.iter().filter(|word| !word.is_string());
            without.extend(others.map(|word| format!("its tag {word}: not a text")));
            let words = words.iter().filter_map(Value::as_str);
            tags_of(words.map(name), without)
        }
        Some(Value::String(names)) => tags_of(names.split(','), without),
        Some(other) if says_something(other) => {
            without.push("its tags: neither a list nor a text".to_owned());
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Returns the keys that change the compared content or the fetch in ways that gannet has no setting for.
pub(super) fn left_out<'a>(
    object: &'a Map<String, Value>,
    known: &[&str],
) -> impl Iterator<Item = String> + use<'a> {
    let known: Vec<String> = known.iter().map(|key| (*key).to_owned()).collect();
    object
        .iter()
        .filter(move |(key, value)| !known.contains(key) && says_something(value))
        .map(|(key, _)| key.clone())
}

pub(super) fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(items) => !items.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// Returns the header fields in an object of texts; records other values in `without`.
pub(super) fn headers(value: Option<&Value>, without: &mut Vec<String>) -> Vec<(String, String)> {
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
            // The value is left out: it may be a secret.
            _ => without.push(format!("its header {name}: not a text")),
        }
    }
    headers
}

/// Returns an entry in one line.
#[cfg(test)]
pub(super) fn line_of(entry: &ImportEntry) -> String {
    let (place, without) = (&entry.place, &entry.without);
    let source = match &entry.source {
        Ok(source) => source,
        Err(Refused { address, why }) => {
            return format!("{place}: {}: {address:?}: {why}", entry.title);
        }
    };
    let settings = &source.settings;
    let interval = settings.interval.map(|one| format!(" every {one}"));
    let off = if settings.enabled == Some(false) {
        " off"
    } else {
        ""
    };
    format!(
        "{place}: {} {:?}{} {:?} {:?}{off} without {without:?}",
        source.address,
        settings.name,
        interval.unwrap_or_default(),
        settings.tags.as_deref().unwrap_or_default(),
        settings.headers.as_deref().unwrap_or_default(),
    )
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
