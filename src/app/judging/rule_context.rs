//! Input of the built-in rules beyond the judged version; read only for rules that need it.

use super::companion::is_usable_list;
use crate::app::{App, Result};
use crate::config::{Builtin, PreviousNeed};
use crate::domain::{SourceId, Version};
use crate::store::{LastGoodAttempt, VersionQuery, VersionsQuery};
use crate::verify::{Companion, Previous, RuleContext, Verifier, VersionFacts};

/// How many versions of a list a version is compared with.
const MOST_LISTS: usize = 8;

impl App {
    /// Returns further input for a verifier. A read failure is stored as `Err` in its field; the rule then reports
    /// *error*.
    pub(in crate::app) async fn rule_context(
        &self,
        verifier: &Verifier,
        facts: &VersionFacts,
    ) -> RuleContext {
        let mut context = RuleContext::default();
        let Some(rule) = verifier.rule() else {
            return context;
        };
        if rule.needs_previous() > PreviousNeed::Nothing {
            context.previous = self
                .previous(rule, facts)
                .await
                .map_err(|error| format!("cannot read the last good version: {error}"));
        }
        if let Some(name) = rule.companion() {
            context.companion = match self.companion(name, facts).await {
                Ok(found) => found,
                Err(error) => Err(format!("cannot read `{name}`: {error}")),
            };
        }
        context
    }

    /// Returns the newest good version before the judged one.
    async fn previous(&self, rule: &Builtin, facts: &VersionFacts) -> Result<Option<Previous>> {
        let before = VersionQuery::GoodBefore(facts.version_id);
        let Some(version) = self.ports.store.find_version(before).await? else {
            return Ok(None);
        };
        let content = match rule.needs_previous() {
            PreviousNeed::Content => Some(self.content(&version).await?),
            PreviousNeed::Size | PreviousNeed::Nothing => None,
        };
        Ok(Some(Previous {
            size_bytes: version.size_bytes,
            content,
        }))
    }

    /// Returns the versions of the digest list that apply to the judged version, or why there are none.
    async fn companion(
        &self,
        name: &str,
        facts: &VersionFacts,
    ) -> Result<std::result::Result<Companion, String>> {
        let found = self.ports.store.find_source(name).await?;
        // A removed source is still found by its id.
        let source = match found.filter(|source| source.removed_at.is_none()) {
            None => return Ok(Err(format!("there is no source `{name}`"))),
            Some(source) if source.id == facts.source_id => {
                return Ok(Err(format!("`{name}` is the judged source itself")));
            }
            Some(source) => source,
        };
        // In this order, a list fetched in between looks older than it is, which leaves the file undecided.
        let checked_at = self.read(LastGoodAttempt(source.id)).await?;
        let versions = self.versions_in_force(source.id, facts).await?;
        let Some(checked_at) = checked_at.filter(|_| !versions.is_empty()) else {
            return Ok(Err(format!("`{name}` has no version that could say")));
        };
        let good = || versions.iter().filter(|version| is_usable_list(version));
        let Some(newest) = good().next() else {
            let state = versions[0].state;
            return Ok(Err(format!("`{name}` is {state} itself")));
        };
        let mut lists = Vec::new();
        for version in good() {
            lists.push(self.content(version).await?);
        }
        Ok(Ok(Companion {
            name: source.settings.name,
            newest: newest.id,
            lists,
            checked_at,
        }))
    }

    /// Returns the versions of the list's source, newest first, that apply to the judged version: the newest alone,
    /// unless the judged version has a successor.
    ///
    /// An old version is judged by the lists of its time: today's list does not name old files.
    pub(in crate::app) async fn versions_in_force(
        &self,
        other: SourceId,
        facts: &VersionFacts,
    ) -> Result<Vec<Version>> {
        let after = VersionQuery::After(facts.version_id);
        let Some(next) = self.ports.store.find_version(after).await? else {
            let newest = VersionQuery::newest_of(other);
            let newest = self.ports.store.find_version(newest).await?;
            return Ok(newest.into_iter().collect());
        };
        let in_force = VersionsQuery::InForce {
            source: other,
            from: facts.fetched_at,
            until: next.fetched_at,
            limit: MOST_LISTS,
        };
        Ok(self.ports.store.versions(in_force).await?)
    }
}
