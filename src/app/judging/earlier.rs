//! Counts verdicts by earlier programs or definitions of verifiers, for people to see.
//!
//! Judges nothing: `verify --stale` does. Reads every version asked about, which takes too long for a pass.

use std::collections::{BTreeSet, HashMap};

use crate::app::{App, PolicyNext, Result};
use crate::config::VerifierKind;
use crate::domain::{Fingerprint, newest_by_verifier};
use crate::store::{JudgedOrder, VerdictsOnEdition};

/// The present fingerprints of the verifiers that gannet runs itself, by name.
type Judges = HashMap<String, String>;

impl App {
    /// Returns one line with how many versions and sets have verdicts by earlier programs or definitions, and the
    /// remedy: for the selected sources, or for all sources and sets. `None` when there are none, or when this process
    /// would not judge.
    pub async fn earlier_judges(&self, selectors: &[String]) -> Result<Option<String>> {
        if self.configured().policy.is_empty() {
            return Ok(None);
        }
        let next = self.policy_outlook().await?;
        if !matches!(next.next(), PolicyNext::Keep | PolicyNext::Adopt(_)) {
            return Ok(None);
        }
        let judges = self.readable_judges().await;
        let mut names = BTreeSet::new();
        let versions = self
            .count_judged_earlier(selectors, &judges, &mut names)
            .await?;
        let sets = if selectors.is_empty() {
            self.sets_judged_earlier(&judges, &mut names).await?
        } else {
            Vec::new()
        };
        let mut subjects = match versions {
            0 => Vec::new(),
            1 => vec!["1 version".to_owned()],
            _ => vec![format!("{versions} versions")],
        };
        subjects.extend(sets.iter().map(|set| format!("the set {set}")));
        if subjects.is_empty() {
            return Ok(None);
        }
        let names: Vec<_> = names.into_iter().collect();
        let again = ["gannet verify --stale"].into_iter();
        let again: Vec<_> = again.chain(selectors.iter().map(String::as_str)).collect();
        Ok(Some(format!(
            "judged by an earlier program or definition of {}: {}; `{}` judges again",
            names.join(", "),
            subjects.join(", "),
            again.join(" ")
        )))
    }

    /// Returns the present fingerprints, except those of programs that this account cannot read.
    async fn readable_judges(&self) -> Judges {
        let mut judges = Judges::new();
        for verifier in &self.configured().verifiers {
            if matches!(verifier.kind(), VerifierKind::External { .. }) {
                continue;
            }
            let now = verifier.identify().await;
            if now.names_every_file() {
                judges.insert(verifier.name().to_owned(), now.hex);
            }
        }
        judges
    }

    async fn count_judged_earlier(
        &self,
        selectors: &[String],
        judges: &Judges,
        names: &mut BTreeSet<String>,
    ) -> Result<u64> {
        let sources = self.stale_sources(selectors).await?;
        let only = (!selectors.is_empty()).then(|| sources.keys().copied().collect());
        let mut count = 0;
        self.each_judged(only, JudgedOrder::OldestFirst, |version| {
            let Some(source) = sources.get(&version.source_id) else {
                return;
            };
            let verifiers = self.verifiers_for(&source.settings).into_iter();
            let earlier = verifiers.filter(|verifier| {
                let last = version.last.get(verifier.name());
                is_earlier(
                    last.map(|last| &last.fingerprint),
                    judges.get(verifier.name()),
                )
            });
            let earlier: Vec<_> = earlier.map(|one| one.name().to_owned()).collect();
            count += u64::from(!earlier.is_empty());
            names.extend(earlier);
        })
        .await?;
        Ok(count)
    }

    /// Returns the sets whose newest edition has an earlier verdict.
    async fn sets_judged_earlier(
        &self,
        judges: &Judges,
        names: &mut BTreeSet<String>,
    ) -> Result<Vec<String>> {
        let mut sets = Vec::new();
        for edition in self.newest_editions().await? {
            let verdicts = self.read(VerdictsOnEdition(edition.id)).await?;
            let last = newest_by_verifier(verdicts.iter().map(|one| &one.verdict));
            let verifiers = self.verifiers_of_set(&edition.set).into_iter();
            let earlier = verifiers.filter(|verifier| {
                let last = last.get(verifier.name()).map(|last| &last.fingerprint.hex);
                is_earlier(last, judges.get(verifier.name()))
            });
            let earlier: Vec<_> = earlier.map(|one| one.name().to_owned()).collect();
            if !earlier.is_empty() {
                sets.push(edition.set);
            }
            names.extend(earlier);
        }
        Ok(sets)
    }
}

/// Reports whether the last verdict has another fingerprint than the present one, and is not by hand.
fn is_earlier(last: Option<&String>, now: Option<&String>) -> bool {
    match (last, now) {
        (Some(last), Some(now)) => last != now && *last != Fingerprint::overruled().hex,
        _ => false,
    }
}
