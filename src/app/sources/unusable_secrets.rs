//! Secrets that sources name but that have no usable value in this process.

use std::collections::BTreeMap;

use crate::app::{App, Result};
use crate::domain::{Source, Template};

/// How many sources a line names; the rest are counted.
const SHOWN: usize = 3;

impl App {
    /// Returns a line for each secret, named by a source's address, header or user, that has no value here or too short
    /// a one: the sources, the name, and the reason.
    pub async fn unusable_secrets(&self) -> Result<Vec<String>> {
        Ok(self.unusable_secrets_among(&self.sources(&[]).await?))
    }

    /// Returns such lines for these sources.
    pub fn unusable_secrets_among(&self, sources: &[Source]) -> Vec<String> {
        let config = self.config();
        let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for source in sources {
            let texts = source.settings.secret_texts();
            let mut names: Vec<_> = texts.flat_map(|text| Template(text).names()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let users = users.entry(name.to_owned()).or_default();
                users.push(source.settings.name.clone());
            }
        }
        let line = |(name, users): (String, Vec<String>)| {
            let why = config.secrets.problem(&name)?;
            Some(format!("{}: ${{{name}}} {why}", listed(&users)))
        };
        users.into_iter().filter_map(line).collect()
    }
}

fn listed(sources: &[String]) -> String {
    let noun = if sources.len() == 1 {
        "source"
    } else {
        "sources"
    };
    let shown = sources[..sources.len().min(SHOWN)].join(", ");
    match sources.len().saturating_sub(SHOWN) {
        0 => format!("{noun} {shown}"),
        more => format!("{noun} {shown} and {more} more"),
    }
}
