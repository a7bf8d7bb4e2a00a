//! Selectors of sources: id, name, address, `tag:NAME`, or a glob on names and addresses; for removed sources, too.

use super::suggest::{nearest, suggestion};
use crate::app::{App, Error, Result};
use crate::domain::{Address, Pattern, Source, masked};
use crate::store::{RemovedSources, SourceFilter};

impl App {
    /// Returns the selected sources, each once, by name; every source without selectors.
    ///
    /// Each selector must match something. Patterns match present sources only; a removed one is found by its id, or by
    /// a name or an address that no other source has.
    pub async fn sources(&self, selectors: &[String]) -> Result<Vec<Source>> {
        if selectors.is_empty() {
            return Ok(self.ports.store.sources(SourceFilter::default()).await?);
        }
        let mut all = None;
        let mut found: Vec<Source> = Vec::new();
        for selector in selectors {
            if let Some(source) = self.exact(selector).await? {
                found.push(source);
                continue;
            }
            if all.is_none() {
                all = Some(self.ports.store.sources(SourceFilter::default()).await?);
            }
            let kept = all.as_deref().unwrap_or_default();
            let before = found.len();
            if let Some(pattern) = pattern(selector)? {
                found.extend(
                    kept.iter()
                        .filter(|one| pattern.matches(&one.settings))
                        .cloned(),
                );
            }
            if found.len() == before {
                found.extend(self.days_that_match(selector).await?);
            }
            if found.len() == before {
                return Err(self.no_such_source(selector, kept));
            }
        }
        Ok(each_once(found))
    }

    /// Like [`Self::sources`], for use-cases that need present sources: a removed one is an error.
    pub async fn kept_sources(&self, selectors: &[String]) -> Result<Vec<Source>> {
        let sources = self.sources(selectors).await?;
        match sources.iter().find(|source| source.removed_at.is_some()) {
            Some(removed) => Err(Error::not_found(format!(
                "source {} ({}) was removed",
                removed.id, removed.settings.name
            ))
            .hint(format!(
                "`gannet restore {}` brings it back, with its history",
                removed.id
            ))),
            None => Ok(sources),
        }
    }

    /// Returns the selected removed sources, each once, by name; every removed source without selectors. Several may
    /// have one name.
    pub async fn removed_sources(&self, selectors: &[String]) -> Result<Vec<Source>> {
        if selectors.is_empty() {
            return self.all_removed().await;
        }
        let mut all = None;
        let mut found = Vec::new();
        for selector in selectors {
            let before = found.len();
            if let Some(pattern) = pattern(selector)? {
                if all.is_none() {
                    all = Some(self.all_removed().await?);
                }
                let removed = all.as_deref().unwrap_or_default().iter();
                found.extend(
                    removed
                        .filter(|one| pattern.matches(&one.settings))
                        .cloned(),
                );
            }
            if found.len() == before {
                let named = self.removed_called(selector).await?;
                if named.len() > 1 {
                    return Err(several_removed(selector, &named));
                }
                found.extend(named);
            }
            if found.len() == before {
                let shown = masked(selector);
                return Err(
                    Error::not_found(format!("no removed source matches `{shown}`"))
                        .hint("`gannet list --removed` shows them"),
                );
            }
        }
        Ok(each_once(found))
    }

    /// Returns the days that a pattern matches: one that matches a listed source means none.
    async fn days_that_match(&self, selector: &str) -> Result<Vec<Source>> {
        let Some(pattern) = pattern(selector)? else {
            return Ok(Vec::new());
        };
        let mut all = self.sources_and_days().await?;
        all.retain(|one| one.day.is_some() && pattern.matches(&one.settings));
        Ok(all)
    }

    /// Reports whether the text alone names one source.
    pub async fn is_source(&self, text: &str) -> Result<bool> {
        Ok(self.exact(text).await?.is_some())
    }

    /// Returns the one source that the text names: by id, name or address, or by a pattern that only it matches; a
    /// removed one by its id, or by a name or an address that no other source has.
    pub async fn source(&self, selector: &str) -> Result<Source> {
        if let Some(source) = self.exact(selector).await? {
            return Ok(source);
        }
        let kept = self.ports.store.sources(SourceFilter::default()).await?;
        let matching: Vec<_> = match pattern(selector)? {
            Some(pattern) => kept
                .iter()
                .filter(|one| pattern.matches(&one.settings))
                .collect(),
            None => Vec::new(),
        };
        match matching.as_slice() {
            [] => Err(self.no_such_source(selector, &kept)),
            [one] => Ok((*one).clone()),
            several => Err(one_is_needed(selector, several)),
        }
    }

    async fn exact(&self, text: &str) -> Result<Option<Source>> {
        if let Some(source) = self.ports.store.find_source(text).await? {
            return Ok(Some(source));
        }
        let address = normal_address(text);
        if address != text
            && let Some(source) = self.ports.store.find_source(address.as_str()).await?
        {
            return Ok(Some(source));
        }
        let mut removed = self.read(RemovedSources(text.to_owned(), address)).await?;
        if removed.len() > 1 {
            return Err(several_removed(text, &removed));
        }
        Ok(removed.pop())
    }

    /// Returns the removed sources with this id, else those with this name or address.
    async fn removed_called(&self, text: &str) -> Result<Vec<Source>> {
        if let Some(source) = self.ports.store.find_source(text).await?
            && source.removed_at.is_some()
        {
            return Ok(vec![source]);
        }
        self.read(RemovedSources(text.to_owned(), normal_address(text)))
            .await
    }

    async fn all_removed(&self) -> Result<Vec<Source>> {
        let filter = SourceFilter {
            removed: true,
            ..SourceFilter::default()
        };
        let mut sources = self.ports.store.sources(filter).await?;
        sources.retain(|source| source.removed_at.is_some());
        Ok(sources)
    }

    /// Returns the error for a selector without a match, with a suggestion.
    fn no_such_source(&self, selector: &str, kept: &[Source]) -> Error {
        let shown = masked(selector);
        let error = Error::not_found(format!("no source matches `{shown}`"));
        if let Some(set) = selector.strip_prefix("set:")
            && self.set_names().contains(&set.to_owned())
        {
            return error.hint(format!(
                "{shown} is a set; its sources are tag:{}",
                masked(set)
            ));
        }
        if let Some(tag) = selector.strip_prefix("tag:") {
            let tags = kept.iter().flat_map(|source| &source.settings.tags);
            let meant = nearest(tag, tags.map(String::as_str));
            return error.hint(meant.map_or_else(
                || "no source has this tag; `gannet list --json` shows the tags of each".to_owned(),
                |tag| format!("did you mean tag:{tag}?"),
            ));
        }
        let names = kept.iter().map(|source| source.settings.name.as_str());
        error.hint(suggestion(selector, names).unwrap_or_else(|| {
            "`gannet list` shows them; a source is named by id, name, address, glob or tag:NAME"
                .to_owned()
        }))
    }
}

pub(in crate::app) fn each_once(mut sources: Vec<Source>) -> Vec<Source> {
    sources.sort_by(|a, b| a.settings.name.cmp(&b.settings.name).then(a.id.cmp(&b.id)));
    sources.dedup_by_key(|source| source.id);
    sources
}

/// Returns an address in the catalogue's normal form; other text is returned as it is.
fn normal_address(text: &str) -> String {
    Address::parse(text, true).map_or_else(|_| text.to_owned(), |address| address.to_string())
}

/// Parses a selector as a pattern; `None` when it can only be a name or an address.
fn pattern(selector: &str) -> Result<Option<Pattern>> {
    let is_pattern = selector.starts_with("tag:") || selector.contains(['*', '?', '[', '{']);
    let pattern = is_pattern.then(|| selector.parse());
    pattern
        .transpose()
        .map_err(|error: String| Error::invalid(error))
}

/// How many sources a message names before it only counts the rest.
const MAX_NAMED: usize = 5;

fn one_is_needed(selector: &str, several: &[&Source]) -> Error {
    let shown = masked(selector);
    let names = several.iter().map(|source| source.settings.name.as_str());
    let mut listed = names.take(MAX_NAMED).collect::<Vec<_>>().join(", ");
    if several.len() > MAX_NAMED {
        listed.push_str(", …");
    }
    let count = several.len();
    Error::invalid(format!(
        "`{shown}` selects {count} sources, and one is needed"
    ))
    .hint(format!("one of {listed}"))
}

fn several_removed(text: &str, removed: &[Source]) -> Error {
    let ids = removed.iter().map(|source| source.id.to_string());
    Error::invalid(format!(
        "several removed sources were called `{}`",
        masked(text)
    ))
    .hint(format!(
        "name one by its id: {}",
        ids.collect::<Vec<_>>().join(", ")
    ))
}
