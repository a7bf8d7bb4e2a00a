//! Whether new sources can be added: why not, for each of a list by itself.

use std::collections::HashMap;

use super::{App, Error, NewSource, Result};
use crate::domain::{Source, SourceId};

/// Why one of several new sources cannot be added.
#[derive(Debug)]
pub enum Refusal {
    /// What was given of it is wrong.
    Invalid(Error),
    /// An earlier one of the list has the same.
    Repeated {
        /// `address` or `name`.
        what: &'static str,
        /// The place of that one in the list, from 0.
        first: usize,
    },
    /// A source has the same.
    Taken {
        /// `address` or `name`.
        what: &'static str,
        /// That source.
        id: SourceId,
        /// Its name.
        name: String,
    },
    /// A removed source had the address: adding it would begin a second history of the same file.
    Former {
        /// That source.
        id: SourceId,
        /// Its name.
        name: String,
    },
}

/// Returns for each new source why it could not be added, as far as the list alone says; nothing for one that could be.
pub fn refusals_of(new: &[NewSource]) -> Vec<Option<Refusal>> {
    let mut seen = HashMap::new();
    let mut once = |what: &'static str, value: &str, at| {
        let first = *seen.entry((what, value.to_owned())).or_insert(at);
        (first != at).then_some(Refusal::Repeated { what, first })
    };
    let refusal = |(at, new): (usize, &NewSource)| match new.clone().into_settings() {
        Err(error) => Some(Refusal::Invalid(error)),
        Ok(settings) => once("address", settings.address.as_str(), at)
            .or_else(|| once("name", new.name.as_deref()?, at)),
    };
    new.iter().enumerate().map(refusal).collect()
}

impl App {
    /// Returns for each new source why it could not be added, or should not be; nothing for one that can be.
    pub async fn refusals(&self, new: &[NewSource]) -> Result<Vec<Option<Refusal>>> {
        let mut refusals = refusals_of(new);
        let address_of = |new: &NewSource| {
            let settings = new.clone().into_settings();
            // What is no address is refused already.
            settings.map_or_else(|_| String::new(), |settings| settings.address.to_string())
        };
        let addresses: Vec<_> = new.iter().map(address_of).collect();
        let names = new.iter().map(|new| new.name.clone().unwrap_or_default());
        let with_address = self.store.find_sources(addresses.clone()).await?;
        let with_name = self.store.find_sources(names.collect()).await?;
        let former = self.store.former_sources(addresses).await?;
        for (at, refusal) in refusals.iter_mut().enumerate() {
            if refusal.is_none() {
                *refusal = taken("address", with_address[at].as_ref())
                    .or_else(|| former[at].as_ref().map(formerly))
                    .or_else(|| taken("name", with_name[at].as_ref()));
            }
        }
        Ok(refusals)
    }
}

fn taken(what: &'static str, by: Option<&Source>) -> Option<Refusal> {
    by.map(|source| Refusal::Taken {
        what,
        id: source.id,
        name: source.settings.name.clone(),
    })
}

fn formerly(source: &Source) -> Refusal {
    Refusal::Former {
        id: source.id,
        name: source.settings.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_says_twice_is_refused_by_its_first_place() {
        let new = |address: &str, name: Option<&str>| NewSource {
            address: address.to_owned(),
            name: name.map(str::to_owned),
            ..NewSource::default()
        };
        let refusals = refusals_of(&[
            new("https://example.org/a", None),
            new("https://example.org/b", Some("x")),
            new("HTTPS://EXAMPLE.ORG:443/a#part", None),
            new("https://example.org/c", Some("x")),
            new("nonsense", None),
            new("nonsense", None),
            new("https://example.org/d", None),
        ]);
        let said: Vec<_> = refusals
            .iter()
            .map(|refusal| match refusal {
                None => "good".to_owned(),
                Some(Refusal::Repeated { what, first }) => format!("{what} of {first}"),
                Some(Refusal::Invalid(_)) => "invalid".to_owned(),
                Some(other) => panic!("{other:?}"),
            })
            .collect();
        let expected = [
            "good",
            "good",
            "address of 0",
            "name of 1",
            "invalid",
            "invalid",
            "good",
        ];
        assert_eq!(said, expected);
    }
}
