//! How verifiers and notifiers select sources: by tag, or by a glob on name and address.

use std::fmt;
use std::str::FromStr;

use globset::{Glob, GlobMatcher};

use super::masked::masked;
use super::text_form::{prints_text, reads_text};
use super::{Provider, SourceSettings};

/// A selection of sources: `tag:NAME`, or a glob on name and address. `Display` prints the text that was parsed.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    selection: Selection,
}

/// The facts of a source that patterns match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceKey<'a> {
    /// The source's name.
    pub name: &'a str,
    /// The source's address.
    pub address: &'a str,
    /// The source's tags.
    pub tags: &'a [String],
    /// Whose currency rates its files hold.
    pub rates: Option<Provider>,
}

impl<'a> SourceKey<'a> {
    /// Returns the facts of these settings.
    pub fn of(settings: &'a SourceSettings) -> Self {
        Self {
            name: &settings.name,
            address: settings.address.as_str(),
            tags: &settings.tags,
            rates: settings.rates,
        }
    }
}

#[derive(Clone, Debug)]
enum Selection {
    Tag(String),
    Glob(GlobMatcher),
    Rates(Provider),
}

impl Pattern {
    /// Returns what selects the sources of a provider's rates. No text is parsed as this.
    pub fn of_rates(provider: Provider) -> Self {
        Self {
            text: provider.verifier(),
            selection: Selection::Rates(provider),
        }
    }

    /// Returns whether the pattern selects the source with these settings.
    pub fn matches(&self, settings: &SourceSettings) -> bool {
        self.selects(&SourceKey::of(settings))
    }

    /// Returns whether the pattern selects this source.
    pub fn selects(&self, source: &SourceKey<'_>) -> bool {
        match &self.selection {
            Selection::Tag(tag) => source.tags.contains(tag),
            Selection::Glob(glob) => glob.is_match(source.name) || glob.is_match(source.address),
            Selection::Rates(provider) => source.rates == Some(*provider),
        }
    }

    /// Returns the tag of a `tag:NAME` pattern.
    pub fn tag(&self) -> Option<&str> {
        match &self.selection {
            Selection::Tag(tag) => Some(tag),
            Selection::Glob(_) | Selection::Rates(_) => None,
        }
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let selection = match text.strip_prefix("tag:") {
            Some("") => return Err("`tag:` needs a tag after it".to_owned()),
            Some(tag) => Selection::Tag(tag.to_owned()),
            None if text.is_empty() => return Err("an empty glob matches nothing".to_owned()),
            None => match Glob::new(text) {
                Ok(glob) => Selection::Glob(glob.compile_matcher()),
                Err(error) => {
                    let shown = masked(text);
                    return Err(format!("`{shown}` is not a glob: {}", error.kind()));
                }
            },
        };
        Ok(Self {
            text: text.to_owned(),
            selection,
        })
    }
}

prints_text!(Pattern);
reads_text!(Pattern);

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}
