//! Sources as code: the changes that a file of sources makes, in one transaction.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

use crate::app::{Added, App, Error, ErrorKind, NewSource, Result};
use crate::domain::{
    Address, Edit, SettingsPatch, Source, SourceId, SourceSettings, candidate_name, free_number,
};
use crate::store::{DamagedSources, SourceChange, SourceFilter, StoreError};

/// The steps that `apply` would take, or took, in order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The steps: additions, changes, returns and removals.
    pub steps: Vec<PlanStep>,
    /// How many sources there are now.
    pub present: usize,
}

/// One step of a plan.
#[derive(Clone, Debug)]
pub enum PlanStep {
    /// A new source.
    Add(SourceSettings),
    /// A source, with its settings before and after. Only different ones are written.
    Edit(SourceId, Box<Edit>),
    /// A removed source with the address, as it was, and its settings before and after: its history continues.
    Restore(Source, Box<Edit>),
    /// A source that the file does not name.
    Remove(Source),
}

impl Plan {
    /// Returns how many sources would be removed.
    pub fn removals(&self) -> usize {
        self.removed().count()
    }

    /// Returns the sources that would be removed.
    pub fn removed(&self) -> impl Iterator<Item = &Source> {
        self.steps.iter().filter_map(|step| match step {
            PlanStep::Remove(source) => Some(source),
            _ => None,
        })
    }

    /// Returns the sources that would be changed or restored.
    pub fn changed(&self) -> Vec<SourceId> {
        let changed = self.steps.iter().filter_map(|step| match step {
            PlanStep::Edit(id, _) => Some(*id),
            PlanStep::Restore(source, _) => Some(source.id),
            PlanStep::Add(_) | PlanStep::Remove(_) => None,
        });
        changed.collect()
    }

    /// Returns the removed sources that would be restored, as they were.
    pub fn restored(&self) -> impl Iterator<Item = &Source> {
        self.steps.iter().filter_map(|step| match step {
            PlanStep::Restore(source, _) => Some(source),
            _ => None,
        })
    }

    /// Reports whether more than half of the sources would be removed: the file may be truncated.
    pub fn removes_most(&self) -> bool {
        self.removals() * 2 > self.present
    }

    /// Returns the plan of a file for a catalogue without sources.
    pub fn of_new(wanted: CheckedSources) -> Result<Self> {
        Self::against(&[], &HashMap::new(), wanted, false)
    }

    fn against(
        present: &[Source],
        former: &HashMap<Address, Source>,
        wanted: CheckedSources,
        prune: bool,
    ) -> Result<Self> {
        let CheckedSources(entries) = wanted;
        let mut known = Known::of(present, &entries)?;
        let mut plan = Self {
            present: present.len(),
            ..Self::default()
        };
        let mut kept = HashSet::new();
        for (has_name, mut settings) in entries {
            if let Some(source) = known.find(has_name, &settings) {
                if !kept.insert(source.id) {
                    return Err(two_entries(source));
                }
                if !has_name {
                    settings.name.clone_from(&source.settings.name);
                }
                if settings != source.settings {
                    let edit = edit_of(source, settings);
                    plan.steps.push(PlanStep::Edit(source.id, edit));
                }
                continue;
            }
            let before = former.get(&settings.address);
            plan.steps.push(known.addition(has_name, settings, before));
        }
        if prune {
            let gone = present.iter().filter(|source| !kept.contains(&source.id));
            plan.steps.extend(gone.cloned().map(PlanStep::Remove));
        }
        refuse_names_of_others(&plan, present)?;
        Ok(plan)
    }
}

impl App {
    /// Compares the catalogue with a file. Entries match sources by address first, then by name; settings missing in
    /// the file get their defaults. A removed source with an address of the file is restored. `prune` removes sources
    /// that the file does not name.
    pub async fn plan(&self, wanted: CheckedSources, prune: bool) -> Result<Plan> {
        // Strict: a damaged source is neither new nor missing in the file.
        let all = SourceFilter {
            damaged: DamagedSources::Refused,
            ..SourceFilter::default()
        };
        let present = self.ports.store.sources(all).await?;
        let former = self.former_of(&present, &wanted).await?;
        Plan::against(&present, &former, wanted, prune)
    }

    /// Returns the removed sources with addresses of the file that no present source has.
    async fn former_of(
        &self,
        present: &[Source],
        wanted: &CheckedSources,
    ) -> Result<HashMap<Address, Source>> {
        let taken: HashSet<_> = present.iter().map(|one| &one.settings.address).collect();
        let wanted = wanted.0.iter().map(|(_, settings)| &settings.address);
        let free: Vec<_> = wanted.filter(|one| !taken.contains(one)).cloned().collect();
        let former = self.formerly(&free).await?;
        let found = free.into_iter().zip(former);
        Ok(found
            .filter_map(|(address, source)| Some((address, source?)))
            .collect())
    }

    /// Carries out a plan in one transaction, all or nothing. Returns the restored sources, each with its former path
    /// if another source has taken that.
    pub async fn apply(&self, plan: Plan) -> Result<Vec<Added>> {
        let back: Vec<_> = plan.restored().cloned().collect();
        // Removals first: a new source may reuse a removed one's name.
        let (removals, others): (Vec<_>, Vec<_>) = plan
            .steps
            .into_iter()
            .partition(|step| matches!(step, PlanStep::Remove(_)));
        let changes = removals
            .into_iter()
            .chain(others)
            .map(|step| match step {
                PlanStep::Add(settings) => SourceChange::Add(settings),
                PlanStep::Edit(id, edit) => {
                    let patch = SettingsPatch::between(&edit.before, &edit.after);
                    SourceChange::Edit(id, patch.into())
                }
                PlanStep::Restore(source, edit) => {
                    let patch = SettingsPatch::between(&edit.before, &edit.after);
                    SourceChange::Restore(source.id, patch.into())
                }
                PlanStep::Remove(source) => SourceChange::Remove {
                    id: source.id,
                    purge: false,
                },
            })
            .collect();
        self.change(changes).await?;
        self.restored(&back).await
    }
}

fn edit_of(source: &Source, after: SourceSettings) -> Box<Edit> {
    let before = source.settings.clone();
    Box::new(Edit { before, after })
}

/// The sources of a file, checked as far as possible without a catalogue.
#[derive(Clone, Debug)]
pub struct CheckedSources(
    /// Whether the file names the source, and its settings.
    Vec<(bool, SourceSettings)>,
);

impl CheckedSources {
    /// Returns whether the file has no sources.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Checks every entry of a file; the error is the first wrong entry's.
pub fn check_sources(wanted: Vec<NewSource>) -> Result<CheckedSources> {
    let entries = wanted.into_iter().map(|new| {
        let has_name = new.settings.name.is_some();
        Ok((has_name, new.into_settings()?))
    });
    Ok(CheckedSources(entries.collect::<Result<_>>()?))
}

/// The existing sources, and how a file's entries match them.
struct Known<'a> {
    by_address: HashMap<&'a str, &'a Source>,
    by_name: HashMap<&'a str, &'a Source>,
    /// Those whose address an entry has.
    addressed: HashSet<SourceId>,
    /// The names of sources, and those that entries give.
    names: HashSet<String>,
}

impl<'a> Known<'a> {
    fn of(present: &'a [Source], entries: &[(bool, SourceSettings)]) -> Result<Self> {
        let by = |key: fn(&'a SourceSettings) -> &'a str| {
            present
                .iter()
                .map(|source| (key(&source.settings), source))
                .collect::<HashMap<_, _>>()
        };
        let mut known = Self {
            by_address: by(|settings| settings.address.as_str()),
            by_name: by(|settings| settings.name.as_str()),
            addressed: HashSet::new(),
            names: present
                .iter()
                .map(|one| one.settings.name.clone())
                .collect(),
        };
        let given = entries.iter().filter(|(has_name, _)| *has_name);
        let given = given.map(|(_, settings)| settings.name.clone());
        known.names.extend(given);
        for (_, settings) in entries {
            if let Some(source) = known.by_address.get(settings.address.as_str())
                && !known.addressed.insert(source.id)
            {
                return Err(two_entries(source));
            }
        }
        Ok(known)
    }

    /// Returns the source that an entry matches. An address precedes any entry's name: two sources may swap names.
    fn find(&self, has_name: bool, settings: &SourceSettings) -> Option<&'a Source> {
        let by_name = || {
            self.by_name
                .get(settings.name.as_str())
                .filter(|source| has_name && !self.addressed.contains(&source.id))
        };
        self.by_address
            .get(settings.address.as_str())
            .or_else(by_name)
            .copied()
    }

    /// Returns the step for an entry without a source: it restores the removed source with its address, or adds one.
    fn addition(
        &mut self,
        has_name: bool,
        mut settings: SourceSettings,
        before: Option<&Source>,
    ) -> PlanStep {
        if !has_name {
            settings.name = self.name_for(&settings, before);
        }
        self.names.insert(settings.name.clone());
        match before {
            Some(source) => PlanStep::Restore(source.clone(), edit_of(source, settings)),
            None => PlanStep::Add(settings),
        }
    }

    /// Returns the name of an entry that gives none: that of the removed source with its address, or else of its file.
    fn name_for(&self, settings: &SourceSettings, before: Option<&Source>) -> String {
        let own = before.map(|source| &source.settings.name);
        if let Some(own) = own.filter(|own| !self.names.contains(*own)) {
            return own.clone();
        }
        let is_taken = |turn| {
            let name = candidate_name(settings, turn);
            Ok::<_, Infallible>(self.names.contains(name.as_str()))
        };
        let Ok(turn) = free_number(is_taken);
        candidate_name(settings, turn)
    }
}

/// Refuses a plan that gives an entry the name of a source which keeps that name.
fn refuse_names_of_others(plan: &Plan, present: &[Source]) -> Result<()> {
    let mut changed = HashSet::new();
    let mut given = HashSet::new();
    for step in &plan.steps {
        match step {
            PlanStep::Add(settings) => given.insert(settings.name.as_str()),
            PlanStep::Restore(_, edit) => given.insert(edit.after.name.as_str()),
            PlanStep::Edit(id, edit) => {
                changed.insert(*id);
                given.insert(edit.after.name.as_str())
            }
            PlanStep::Remove(source) => changed.insert(source.id),
        };
    }
    let keeper = present.iter().find(|source| {
        !changed.contains(&source.id) && given.contains(source.settings.name.as_str())
    });
    match keeper {
        Some(source) => Err(StoreError::Taken {
            what: "name",
            value: source.settings.name.clone(),
            id: source.id,
            name: source.settings.name.clone(),
        }
        .into()),
        None => Ok(()),
    }
}

fn two_entries(source: &Source) -> Error {
    Error::new(
        ErrorKind::Invalid,
        format!(
            "two entries of the file mean source {} ({})",
            source.id, source.settings.name
        ),
    )
    .hint("give each source one entry")
}
