//! What faces show of sets.

use std::path::PathBuf;

use crate::app::{App, ErrorKind, Result};
use crate::domain::{
    Edition, EditionId, EditionVerdict, PolicyVerifier, SetBlocked, SetMember, Source,
    VersionState, combination_key, deciding_verdicts, owing, ready_to_judge,
};
use crate::store::{
    Condition, DamagedRow, EditionWithId, EventFilter, FileSet, FileSets, NewestEdition,
    SetMembers, StoreError, VerdictsOnEdition,
};

/// A set and its state.
#[derive(Clone, Debug)]
pub struct SetOverview {
    /// The set: its name and publication.
    pub set: FileSet,
    /// Its members by name; disabled ones without a good version are left out.
    pub members: Vec<SetMember>,
    /// Why it cannot be judged yet.
    pub waits: Option<SetBlocked>,
    /// The verifiers that owe a verdict on its newest edition.
    pub owing: Vec<String>,
    /// Why its newest edition failed or could not be judged, or which of its rows is damaged.
    pub failure: Option<String>,
    /// Whether one of its rows is damaged, whose information is missing here.
    pub is_damaged: bool,
    /// Its newest edition.
    pub newest: Option<Edition>,
    /// The edition that readers see.
    pub published: Option<Edition>,
    /// The link to its folder.
    pub path: PathBuf,
    /// Whether the link exists; one of an unpublished set goes with the next pass that may remove it.
    pub is_linked: bool,
}

/// A set whose newest edition waits for a verdict.
#[derive(Clone, Debug)]
pub struct WaitingSet {
    /// The name of the set.
    pub name: String,
    /// Its newest edition.
    pub edition: EditionId,
    /// The verifiers that owe a verdict on it.
    pub owing: Vec<String>,
}

/// The published folder of a set.
#[derive(Clone, Debug)]
pub struct SetFolder {
    /// The set: its name and publication.
    pub set: FileSet,
    /// The link to its folder.
    pub path: PathBuf,
    /// Whether the link exists; one of an unpublished set goes with the next pass that may remove it.
    pub is_linked: bool,
}

impl App {
    /// Returns the published folder of every recorded set, by name.
    pub async fn set_folders(&self) -> Result<Vec<SetFolder>> {
        let sets = self.read(FileSets).await?.into_iter();
        let folder = |set: FileSet| SetFolder {
            path: self.ports.archive.sets().link(&set.name),
            is_linked: self.ports.archive.sets().is_linked(&set.name),
            set,
        };
        Ok(sets.map(folder).collect())
    }

    /// Returns every set, by name.
    pub async fn sets(&self) -> Result<Vec<SetOverview>> {
        let mut sets = Vec::new();
        for set in self.sets_known().await? {
            sets.push(self.overview(set).await?);
        }
        Ok(sets)
    }

    /// Returns a set, and the verdicts on its newest edition, oldest first.
    pub async fn set(&self, name: &str) -> Result<(SetOverview, Vec<EditionVerdict>)> {
        let set = self.known_set(name).await?;
        let overview = self.overview(set).await?;
        let verdicts = match &overview.newest {
            Some(edition) => self.read(VerdictsOnEdition(edition.id)).await?,
            None => Vec::new(),
        };
        Ok((overview, verdicts))
    }

    /// Returns the name of a present or past set, as it stands in events: those of an ended set remain.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::app::ErrorKind::NotFound) when neither a set nor an event has this name.
    pub async fn set_in_log(&self, name: &str) -> Result<String> {
        let any = EventFilter {
            set: Some(name.to_owned()),
            limit: 1,
            ..EventFilter::default()
        };
        if self.events(any).await?.is_empty() {
            self.set(name).await?;
        }
        Ok(name.to_owned())
    }

    async fn overview(&self, set: FileSet) -> Result<SetOverview> {
        let mut damage = None;
        let members = self.read(SetMembers(set.name.clone(), self.now())).await;
        let members = self.sound(members, &mut damage)?;
        let members = members.unwrap_or_default();
        let published = match set.published {
            Some(id) => self.sound(self.edition_on_record(id).await, &mut damage)?,
            None => None,
        };
        let recorded = self.read(FileSets).await?;
        let is_seen = recorded.iter().any(|one| one.name == set.name);
        let newest = self.read(NewestEdition(set.name.clone())).await;
        let newest = self.sound(newest, &mut damage)?.flatten();
        let owing = self.waiting_set(&set).await;
        let owing = self.sound(owing, &mut damage)?.flatten();
        let failure = self.why_set_fails(&set).await;
        let failure = self.sound(failure, &mut damage)?.flatten();
        let waits = match (&damage, is_seen) {
            _ if !set.configured => Some(SetBlocked::Ended),
            (_, false) => Some(SetBlocked::Unseen),
            (Some(_), _) => None,
            (None, _) => why_unjudged(&members, newest.as_ref()),
        };
        Ok(SetOverview {
            waits,
            owing: owing.map(|waiting| waiting.owing).unwrap_or_default(),
            is_damaged: damage.is_some(),
            failure: damage.or(failure),
            newest,
            published,
            path: self.ports.archive.sets().link(&set.name),
            is_linked: self.ports.archive.sets().is_linked(&set.name),
            members,
            set,
        })
    }

    /// Returns the result; damage is noted and gives `None`, and the first one is also stored in `damage`.
    fn sound<T>(&self, found: Result<T>, damage: &mut Option<String>) -> Result<Option<T>> {
        if let Err(error) = &found
            && error.kind == ErrorKind::Damaged
        {
            damage.get_or_insert_with(|| error.message.clone());
        }
        self.unless_damaged(found)
    }

    /// Returns an edition that another row names.
    async fn edition_on_record(&self, id: EditionId) -> Result<Edition> {
        match self.ports.store.read(EditionWithId(id)).await {
            Err(StoreError::Missing { .. }) => Err(StoreError::DamagedRow(Box::new(DamagedRow {
                table: "edition",
                id: id.to_string(),
                source: None,
                reason: "it is missing".to_owned(),
            }))
            .into()),
            found => Ok(found?),
        }
    }

    /// Returns the sets whose newest edition failed or could not be judged, each with the reason.
    pub async fn failing_sets(&self) -> Result<Vec<(String, String)>> {
        let mut failing = Vec::new();
        for set in self.read(FileSets).await? {
            let why = self.why_set_fails(&set).await;
            let why = self.unless_damaged(why)?.flatten();
            failing.extend(why.map(|why| (set.name, why)));
        }
        Ok(failing)
    }

    /// Returns the sets whose newest edition waits for a verdict.
    pub async fn waiting_sets(&self) -> Result<Vec<WaitingSet>> {
        let mut waiting = Vec::new();
        for set in self.read(FileSets).await? {
            let found = self.waiting_set(&set).await;
            waiting.extend(self.unless_damaged(found)?.flatten());
        }
        Ok(waiting)
    }

    async fn waiting_set(&self, set: &FileSet) -> Result<Option<WaitingSet>> {
        let name = &set.name;
        if !set.configured || set.problem.is_some() {
            return Ok(None);
        }
        let newest = self.read(NewestEdition(name.clone())).await?;
        let Some(newest) = newest.filter(|one| one.state == VersionState::Pending) else {
            return Ok(None);
        };
        if !self.read(Condition::HasMembers(name.clone())).await? {
            return Ok(None);
        }
        let verifiers = self.verifier_names_of_set(name).await?;
        let verdicts = self.read(VerdictsOnEdition(newest.id)).await?;
        let said = verdicts.iter().map(|one| &one.verdict);
        let owing = owing(&verifiers, newest.state, said).into_iter();
        Ok(Some(WaitingSet {
            name: name.clone(),
            edition: newest.id,
            owing: owing.map(str::to_owned).collect(),
        }))
    }

    /// Returns the failing sets if any of these sources is in one.
    pub async fn failing_sets_of(
        &self,
        sources: impl IntoIterator<Item = &Source>,
    ) -> Result<Vec<(String, String)>> {
        if sources.into_iter().any(|source| source.state.set_fails) {
            return self.failing_sets().await;
        }
        Ok(Vec::new())
    }

    /// Returns why the set of a source fails; `None` when it does not.
    pub async fn set_failure(&self, source: &Source) -> Result<Option<String>> {
        let failing = self.failing_sets_of([source]).await?;
        Ok(failure_among(source, &failing).map(str::to_owned))
    }

    async fn why_set_fails(&self, set: &FileSet) -> Result<Option<String>> {
        if !set.configured || set.problem.is_some() {
            return Ok(set.problem.clone().filter(|_| set.configured));
        }
        let Some(edition) = self.read(NewestEdition(set.name.clone())).await? else {
            return Ok(None);
        };
        let word = match edition.state {
            VersionState::Failed => "failed",
            VersionState::Error => "could not be judged",
            _ if set.is_withdrawn() => "withdrawn",
            _ => return Ok(None),
        };
        let has_members = Condition::HasMembers(set.name.clone());
        if !self.read(has_members).await? {
            return Ok(None);
        }
        if let Some(withdrawn) = set.withdrawn.as_ref().filter(|_| word == "withdrawn") {
            return Ok(Some(format!("{word}: {}", withdrawn.because)));
        }
        let verdicts = self.read(VerdictsOnEdition(edition.id)).await?;
        let newest_first = verdicts.iter().rev().map(|one| &one.verdict);
        let deciding = deciding_verdicts(edition.state, newest_first).map(|verdict| {
            match (verdict.judge_words(), verdict.judgement.reason()) {
                // A verdict from outside may lack a reason.
                (judge, "") => format!(" by {judge}"),
                (judge, reason) => format!(" by {judge}: {reason}"),
            }
        });
        let deciding: Vec<_> = deciding.collect();
        Ok(Some(format!("{word}{}", deciding.join(";"))))
    }

    /// Returns the names of the verifiers in force that judge a set.
    pub async fn verifier_names_of_set(&self, name: &str) -> Result<Vec<String>> {
        let policy = self.policy_to_show().await?;
        let judging = policy.judging_set(name);
        Ok(judging.map(|verifier| verifier.name.clone()).collect())
    }

    /// Returns whether gannet runs any of these verifiers of the policy in force itself: the verdicts of external ones are
    /// given by others.
    pub async fn runs_any_of(&self, names: &[String]) -> Result<bool> {
        let policy = self.policy_to_show().await?;
        let is_run = |one: &PolicyVerifier| one.kind != "external" && names.contains(&one.name);
        Ok(policy.verifiers.iter().any(is_run))
    }

    /// Returns the recorded sets, and newly configured ones if this process's configuration is in force.
    pub(in crate::app) async fn sets_known(&self) -> Result<Vec<FileSet>> {
        let mut sets = self.read(FileSets).await?;
        let is_own = self.policy_from_elsewhere().await?.is_none();
        for name in self.set_names().into_iter().filter(|_| is_own) {
            if !sets.iter().any(|set| set.name == name) {
                sets.push(FileSet {
                    name,
                    configured: true,
                    problem: None,
                    publish_error: None,
                    published: None,
                    published_at: None,
                    withdrawn: None,
                });
            }
        }
        sets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(sets)
    }
}

/// Returns why the newest combination of a set's members has not been judged.
fn why_unjudged(members: &[SetMember], newest: Option<&Edition>) -> Option<SetBlocked> {
    match ready_to_judge(members) {
        Err(reason) => Some(reason),
        Ok(now) => {
            let is_judged = newest.map(|one| one.key) == Some(combination_key(&now));
            (!is_judged).then_some(SetBlocked::Unjudged)
        }
    }
}

/// Returns why the set of a source fails, from the failing sets and their reasons.
pub fn failure_among<'a>(source: &Source, failing: &'a [(String, String)]) -> Option<&'a str> {
    let is_own = |name: &str| source.state.sets().any(|set| set == name);
    let mut named = failing.iter().filter(|(name, _)| is_own(name));
    named.next().map(|(_, why)| why.as_str())
}
