//! Sources as code: what a file of sources would change, and changing it in one transaction.

use std::collections::{HashMap, HashSet};

use super::settings::{ENDLESS, candidate_names, differences};
use super::{App, Error, ErrorKind, NewSource, Result};
use crate::domain::{Source, SourceSettings};
use crate::store::{SourceChange, SourceFilter};

/// What `apply` would do, or did, in order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The steps: additions, changes and removals.
    pub steps: Vec<PlanStep>,
}

/// One step of a plan.
#[derive(Clone, Debug)]
pub enum PlanStep {
    /// A source that is not there yet.
    Add(SourceSettings),
    /// A source with its new settings, and the changes in words: `interval 1d -> 1h`.
    Edit(Source, Vec<String>),
    /// A source that the file does not name.
    Remove(Source),
}

impl App {
    /// Compares the catalogue with what a file says. A source is the same one when its address is, else when its name
    /// is; what the file does not say of it takes its default. `prune` removes what the file does not name.
    pub async fn plan(&self, wanted: Vec<NewSource>, prune: bool) -> Result<Plan> {
        let present = self.store.sources(SourceFilter::default()).await?;
        let by_address: HashMap<_, _> = present
            .iter()
            .map(|s| (s.settings.address.as_str(), s))
            .collect();
        let by_name: HashMap<_, _> = present
            .iter()
            .map(|s| (s.settings.name.as_str(), s))
            .collect();
        let mut names: HashSet<String> = present.iter().map(|s| s.settings.name.clone()).collect();
        names.extend(wanted.iter().filter_map(|new| new.name.clone()));
        let mut plan = Plan::default();
        let mut kept = HashSet::new();
        for new in wanted {
            let has_name = new.name.is_some();
            let mut settings = new.into_settings()?;
            let known = by_address
                .get(settings.address.as_str())
                .or_else(|| by_name.get(settings.name.as_str()).filter(|_| has_name));
            if let Some(source) = known {
                if !kept.insert(source.id) {
                    return Err(two_entries(source));
                }
                if !has_name {
                    settings.name.clone_from(&source.settings.name);
                }
                let changes = differences(&source.settings, &settings);
                if !changes.is_empty() {
                    plan.steps.push(PlanStep::Edit(
                        Source {
                            settings,
                            ..(*source).clone()
                        },
                        changes,
                    ));
                }
            } else {
                if !has_name {
                    settings.name = free_name(&names, &settings);
                }
                names.insert(settings.name.clone());
                plan.steps.push(PlanStep::Add(settings));
            }
        }
        if prune {
            let gone = present
                .iter()
                .filter(|source| !kept.contains(&source.id))
                .cloned();
            plan.steps.extend(gone.map(PlanStep::Remove));
        }
        Ok(plan)
    }

    /// Carries a plan out in one transaction: all of it or nothing.
    pub async fn apply(&self, plan: &Plan) -> Result<()> {
        // Removals first: a new source may take the name of one that goes.
        let (removals, others): (Vec<_>, Vec<_>) = plan
            .steps
            .iter()
            .cloned()
            .partition(|step| matches!(step, PlanStep::Remove(_)));
        let changes = removals
            .into_iter()
            .chain(others)
            .map(|step| match step {
                PlanStep::Add(settings) => SourceChange::Add(settings),
                PlanStep::Edit(source, changes) => {
                    SourceChange::Edit(source.id, source.settings, changes.join("; "))
                }
                PlanStep::Remove(source) => SourceChange::Remove {
                    id: source.id,
                    purge: false,
                },
            })
            .collect();
        self.change(changes).await.map(drop)
    }
}

fn free_name(taken: &HashSet<String>, settings: &SourceSettings) -> String {
    candidate_names(settings)
        .find(|name| !taken.contains(name))
        .expect(ENDLESS)
}

fn two_entries(source: &Source) -> Error {
    Error::new(
        ErrorKind::Invalid,
        format!(
            "two entries of the file mean source {} ({})",
            source.id, source.settings.name
        ),
    )
    .hint("one has its address and another its name: give each source one entry")
}
