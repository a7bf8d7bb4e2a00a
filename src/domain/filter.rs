//! The filter of sources: words separated by blanks, all of which must match. One language for every face.
//!
//! Never looks facts up: the caller has those that the filter asks for.

use std::fmt;
use std::str::FromStr;

pub use self::facts::FilterFacts;
use self::word::Word;
pub use self::word::filter_keys;

mod facts;
#[cfg(test)]
mod tests;
mod word;

/// The most bytes of a filter.
const MAX_BYTES: usize = 4096;
/// The most words of a filter.
const MAX_WORDS: usize = 64;

/// A filter of sources. The empty one matches every source. `Display` prints the text that was parsed.
///
/// A `!` before a word negates it; double quotes keep blanks within a word, and `""` there is a quote. Words:
///
/// | word | matches sources |
/// | --- | --- |
/// | `tag:NAME` | with a tag of this name |
/// | `state:WORD` | in this state; several separated by commas |
/// | `host:NAME` | whose address has this host |
/// | `verifier:NAME` | that a verifier of this name judges |
/// | `set:NAME` | published by a set of this name |
/// | `of:NAME` | that are days of the dated source of this name |
/// | `interval:1d` | with this interval; `<` `<=` `>` `>=` compare |
/// | `changed:2d` | whose newest version is at most this old; `<` `<=` `>` `>=` compare |
/// | `due:2h` | due within this time; `due:now` |
/// | `is:failing` | with a problem; also `is:due`, `is:off`, `is:published`, `is:unjudged` |
/// | `~REGEX` | whose name or address holds a match of the regular expression |
/// | `*.csv` | whose name or address is matched by the glob: a word with `*`, `?` or `[` |
/// | any other | whose name or address holds the text, in any case |
///
/// Every NAME may be a glob.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    text: String,
    words: Vec<Word>,
}

impl Filter {
    /// Returns whether the filter has no words.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Returns whether the source with these facts matches every word.
    pub fn matches(&self, facts: &FilterFacts<'_>) -> bool {
        self.words.iter().all(|word| word.matches(facts))
    }

    /// Returns the filter that matches what both match.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        if !self.text.is_empty() && !other.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(&other.text);
        self.words.extend_from_slice(&other.words);
        self
    }

    /// Returns whether a word asks for the verifiers of a source.
    pub fn asks_verifiers(&self) -> bool {
        self.words.iter().any(Word::asks_verifiers)
    }

    /// Returns whether a word asks for the time of the newest version.
    pub fn asks_changes(&self) -> bool {
        self.words.iter().any(Word::asks_changes)
    }

    /// Returns whether a word asks for problems.
    pub fn asks_failing(&self) -> bool {
        self.words.iter().any(Word::asks_failing)
    }

    /// Returns whether a word asks for published versions that were never judged.
    pub fn asks_unjudged(&self) -> bool {
        self.words.iter().any(Word::asks_unjudged)
    }

    /// Returns whether a word asks for days of dated sources, which other lists do not have.
    pub fn asks_days(&self) -> bool {
        self.words.iter().any(Word::asks_days)
    }

    /// Returns whether a word asks for removed sources.
    pub fn asks_removed(&self) -> bool {
        self.words.iter().any(Word::asks_removed)
    }
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("the filter is longer than {MAX_BYTES} bytes"));
        }
        let words = split(text)?;
        if words.len() > MAX_WORDS {
            return Err(format!("the filter has more than {MAX_WORDS} words"));
        }
        let words: Result<_, _> = words.iter().map(|word| Word::parse(word)).collect();
        Ok(Self {
            text: text.to_owned(),
            words: words?,
        })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Filter {}

/// Splits a filter at the blanks outside of quotes, and removes the quotes.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.next_if_eq(&'"').is_some() => {
                word.get_or_insert_default().push('"');
            }
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !is_quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if is_quoted {
        let last = word::shown(words.last().map_or("", String::as_str));
        return Err(format!("{last}: expected a closing quote"));
    }
    Ok(words)
}
