//! Checks whether new sources can be added: one reason for each of a list.

use std::collections::HashMap;

use crate::app::{App, Error, NewSource, Result};
use crate::domain::{Source, SourceId, SourceSettings};
use crate::store::SourcesQuery;

/// Why a new source of a list cannot be added.
#[derive(Debug)]
pub enum Refusal {
    /// Its settings are invalid.
    Invalid(Error),
    /// An earlier source of the list has the same name or address.
    Repeated {
        /// `address` or `name`.
        what: &'static str,
        /// The place of that source in the list, from 0.
        first: usize,
    },
    /// An existing source has the same name or address.
    Taken {
        /// `address` or `name`.
        what: &'static str,
        /// That source.
        id: SourceId,
        /// Its name.
        name: String,
    },
    /// A removed source had the address: adding it again would begin a second history of the same file.
    Former {
        /// That source.
        id: SourceId,
        /// Its name.
        name: String,
    },
}

/// Returns for each new source why it cannot be added, judged by the list alone; `None` when it can.
pub fn refusals_of(new: &[NewSource]) -> Vec<Option<Refusal>> {
    checked(new.iter().cloned())
        .map(std::result::Result::err)
        .collect()
}

/// Checks each new source against those before it in the list. Returns its settings, with the file's name for one
/// without a name, or why it cannot be added.
pub(in crate::app) fn checked(
    new: impl IntoIterator<Item = NewSource>,
) -> impl Iterator<Item = std::result::Result<SourceSettings, Refusal>> {
    let mut seen = HashMap::new();
    let mut once = move |what: &'static str, value: &str, at| {
        let first = *seen.entry((what, value.to_owned())).or_insert(at);
        if first == at {
            Ok(())
        } else {
            Err(Refusal::Repeated { what, first })
        }
    };
    new.into_iter().enumerate().map(move |(at, new)| {
        let is_named = new.settings.name.is_some();
        let settings = new.into_settings().map_err(Refusal::Invalid)?;
        once("address", settings.address.as_str(), at)?;
        if is_named {
            once("name", &settings.name, at)?;
        }
        Ok(settings)
    })
}

impl App {
    /// Returns for each new source why it cannot, or should not, be added; `None` when it can.
    pub async fn refusals(&self, new: &[NewSource]) -> Result<Vec<Option<Refusal>>> {
        let (mut addresses, mut refusals) = (Vec::new(), Vec::new());
        for checked in checked(new.iter().cloned()) {
            // The address of a refused source is not looked up.
            let address = checked
                .as_ref()
                .map(|settings| settings.address.to_string());
            addresses.push(address.unwrap_or_default());
            refusals.push(checked.err());
        }
        let name = |new: &NewSource| new.settings.name.clone().unwrap_or_default();
        let names = new.iter().map(name);
        let with_address = SourcesQuery::Called(addresses.clone());
        let with_name = SourcesQuery::Called(names.collect());
        let with_address = self.read(with_address).await?;
        let with_name = self.read(with_name).await?;
        let former = self.read(SourcesQuery::Former(addresses)).await?;
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
        let new = |address: &str, name: Option<&str>| {
            let mut new = NewSource::at(address);
            new.settings.name = name.map(str::to_owned);
            new
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
