//! Sources as code: what a file of sources would change, and changing it in one transaction.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

use crate::app::{Added, App, Error, ErrorKind, NewSource, Result};
use crate::domain::{
    Address, Edit, SettingsPatch, Source, SourceId, SourceSettings, candidate_name, free_number,
};
use crate::store::{DamagedSources, SourceChange, SourceFilter, StoreError};

/// What `apply` would do, or did, in order.
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
    /// A source that is not there yet.
    Add(SourceSettings),
    /// A source, and its settings as they are and as they shall be. Only those that differ are written.
    Edit(SourceId, Box<Edit>),
    /// A removed source that had the address, as it was, and its settings as they were and as they shall be: its history goes
    /// on.
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

    /// Returns the sources that would be changed or come back.
    pub fn changed(&self) -> Vec<SourceId> {
        let changed = self.steps.iter().filter_map(|step| match step {
            PlanStep::Edit(id, _) => Some(*id),
            PlanStep::Restore(source, _) => Some(source.id),
            PlanStep::Add(_) | PlanStep::Remove(_) => None,
        });
        changed.collect()
    }

    /// Returns the removed sources that would come back, as they were.
    pub fn restored(&self) -> impl Iterator<Item = &Source> {
        self.steps.iter().filter_map(|step| match step {
            PlanStep::Restore(source, _) => Some(source),
            _ => None,
        })
    }

    /// Tells whether more than half of the sources would go: likelier a file that is cut short than a wish.
    pub fn removes_most(&self) -> bool {
        self.removals() * 2 > self.present
    }

    /// Returns what a file would bring into a catalogue that has no source yet.
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
        let mut names: HashSet<String> = present.iter().map(|s| s.settings.name.clone()).collect();
        let given = entries.iter().filter(|(has_name, _)| *has_name);
        names.extend(given.map(|(_, settings)| settings.name.clone()));
        let known = Known::of(present, &entries)?;
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
                    let edit = Edit {
                        before: source.settings.clone(),
                        after: settings,
                    };
                    plan.steps.push(PlanStep::Edit(source.id, Box::new(edit)));
                }
            } else {
                let before = former.get(&settings.address);
                if !has_name {
                    let own = before.map(|source| &source.settings.name);
                    settings.name = match own.filter(|own| !names.contains(*own)) {
                        Some(own) => own.clone(),
                        None => free_name(&names, &settings),
                    };
                }
                names.insert(settings.name.clone());
                plan.steps.push(match before {
                    Some(source) => restoring(source, settings),
                    None => PlanStep::Add(settings),
                });
            }
        }
        if prune {
            let gone = present
                .iter()
                .filter(|source| !kept.contains(&source.id))
                .cloned();
            plan.steps.extend(gone.map(PlanStep::Remove));
        }
        refuse_names_of_others(&plan, present)?;
        Ok(plan)
    }
}

impl App {
    /// Compares the catalogue with what a file says. A source is the same one when its address is, else when its name
    /// is; what the file does not say of it takes its default. A removed source comes back when its address is in the file.
    /// `prune` removes what the file does not name.
    pub async fn plan(&self, wanted: CheckedSources, prune: bool) -> Result<Plan> {
        // All of them: what is damaged is not what a file does not name, nor is it new.
        let all = SourceFilter {
            damaged: DamagedSources::Refused,
            ..SourceFilter::default()
        };
        let present = self.ports.store.sources(all).await?;
        let former = self.former_of(&present, &wanted).await?;
        Plan::against(&present, &former, wanted, prune)
    }

    /// Returns the removed sources that had the addresses of a file which no source has now.
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

    /// Carries a plan out in one transaction, all of it or nothing. Returns the removed sources that came back, each with
    /// the published path that another source has taken since.
    pub async fn apply(&self, plan: Plan) -> Result<Vec<Added>> {
        let back: Vec<_> = plan.restored().cloned().collect();
        // Removals first: a new source may take the name of one that goes.
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

fn restoring(source: &Source, after: SourceSettings) -> PlanStep {
    let before = source.settings.clone();
    PlanStep::Restore(source.clone(), Box::new(Edit { before, after }))
}

/// The sources that a file wants, each checked as far as that goes without a catalogue.
#[derive(Clone, Debug)]
pub struct CheckedSources(
    /// Whether the file names the source, and what it says of it.
    Vec<(bool, SourceSettings)>,
);

impl CheckedSources {
    /// Returns whether the file wants none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Checks every entry of a file; the error is of the first one that is wrong.
pub fn check_sources(wanted: Vec<NewSource>) -> Result<CheckedSources> {
    let entries = wanted.into_iter().map(|new| {
        let has_name = new.settings.name.is_some();
        Ok((has_name, new.into_settings()?))
    });
    Ok(CheckedSources(entries.collect::<Result<_>>()?))
}

/// The sources that are there, and how the entries of a file find them.
struct Known<'a> {
    by_address: HashMap<&'a str, &'a Source>,
    by_name: HashMap<&'a str, &'a Source>,
    /// Those that some entry has the address of.
    addressed: HashSet<SourceId>,
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
        };
        for (_, settings) in entries {
            if let Some(source) = known.by_address.get(settings.address.as_str())
                && !known.addressed.insert(source.id)
            {
                return Err(two_entries(source));
            }
        }
        Ok(known)
    }

    /// Returns the source that an entry means. An address comes before any entry's name: two sources may swap names.
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
}

fn free_name(taken: &HashSet<String>, settings: &SourceSettings) -> String {
    let is_taken =
        |turn| Ok::<_, Infallible>(taken.contains(candidate_name(settings, turn).as_str()));
    let Ok(turn) = free_number(is_taken);
    candidate_name(settings, turn)
}

/// Refuses a plan that gives away the name of a source which keeps it.
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
