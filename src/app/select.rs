//! How operators name sources: id, name, address, `tag:NAME`, or a glob on names and addresses.

use globset::GlobBuilder;

use super::{App, Error, Result};
use crate::domain::{Address, Source, masked};
use crate::store::SourceFilter;

impl App {
    /// Returns the sources that the selectors name, each once, by name; every source when there are none.
    ///
    /// Each selector must match something; a removed source is only found by its id.
    pub async fn sources(&self, selectors: &[String]) -> Result<Vec<Source>> {
        if selectors.is_empty() {
            return Ok(self.store.sources(SourceFilter::default()).await?);
        }
        let mut all = None;
        let mut found: Vec<Source> = Vec::new();
        for selector in selectors {
            if let Some(source) = self.exact(selector).await? {
                found.push(source);
                continue;
            }
            let pattern = Pattern::of(selector)?.ok_or_else(|| no_such_source(selector))?;
            if all.is_none() {
                all = Some(self.store.sources(SourceFilter::default()).await?);
            }
            let before = found.len();
            found.extend(
                all.iter()
                    .flatten()
                    .filter(|source| pattern.matches(source))
                    .cloned(),
            );
            if found.len() == before {
                return Err(no_such_source(selector));
            }
        }
        found.sort_by(|a, b| a.settings.name.cmp(&b.settings.name).then(a.id.cmp(&b.id)));
        found.dedup_by_key(|source| source.id);
        Ok(found)
    }

    /// Like [`Self::sources`], for what only a source that is still kept up can do: a removed one is an error.
    pub async fn kept_sources(&self, selectors: &[String]) -> Result<Vec<Source>> {
        let sources = self.sources(selectors).await?;
        match sources.iter().find(|source| source.removed_at.is_some()) {
            Some(removed) => Err(Error::not_found(format!(
                "source {} ({}) was removed",
                removed.id, removed.settings.name
            ))
            .hint("`gannet add` its address again; what was kept of it stays readable by its id")),
            None => Ok(sources),
        }
    }

    /// Tells whether the text names one source by itself.
    pub async fn is_source(&self, text: &str) -> Result<bool> {
        Ok(self.exact(text).await?.is_some())
    }

    /// Returns the one source that the text names; a removed one by its id.
    pub async fn source(&self, selector: &str) -> Result<Source> {
        self.exact(selector)
            .await?
            .ok_or_else(|| no_such_source(selector))
    }

    async fn exact(&self, text: &str) -> Result<Option<Source>> {
        if let Some(source) = self.store.find_source(text).await? {
            return Ok(Some(source));
        }
        match Address::parse(text, true) {
            Ok(address) if address.as_str() != text => {
                Ok(self.store.find_source(address.as_str()).await?)
            }
            _ => Ok(None),
        }
    }
}

enum Pattern {
    Tag(String),
    Glob(globset::GlobMatcher),
}

impl Pattern {
    fn of(selector: &str) -> Result<Option<Self>> {
        if let Some(tag) = selector.strip_prefix("tag:") {
            return Ok(Some(Self::Tag(tag.to_owned())));
        }
        if !selector.contains(['*', '?', '[', '{']) {
            return Ok(None);
        }
        let glob = GlobBuilder::new(selector).build().map_err(|error| {
            let shown = masked(selector);
            Error::invalid(format!("`{shown}` is not a glob: {}", error.kind()))
        })?;
        Ok(Some(Self::Glob(glob.compile_matcher())))
    }

    fn matches(&self, source: &Source) -> bool {
        match self {
            Self::Tag(tag) => source.settings.tags.contains(tag),
            Self::Glob(glob) => {
                glob.is_match(&source.settings.name)
                    || glob.is_match(source.settings.address.as_str())
            }
        }
    }
}

fn no_such_source(selector: &str) -> Error {
    Error::not_found(format!("no source matches `{}`", masked(selector)))
        .hint("`gannet list` shows them; a source is named by id, name, address, glob or tag:NAME")
}
