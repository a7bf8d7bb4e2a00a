//! Judges sets: the newest versions of all members together.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::report::SetsReport;
use crate::app::judging::judge::{SetAside, facts_of, set_aside};
use crate::app::judging::step::Step;
use crate::app::{App, Ask, Error, ErrorKind, Result};
use crate::archive::FileLock;
use crate::domain::{
    Edition, EditionId, EditionMember, EditionVerdict, Judgement, NewVerdict, Scope,
    SetPublication, SetStep, Source, SourceId, VerdictId, VersionState, Weight, combination_key,
    newest_by_verifier, ready_to_judge, set_file_names, set_step,
};
use crate::store::{
    EditionRefusals, EditionWithId, Fact, FileSets, NeededRows, NewEdition, NewestAmongUnreadable,
    NewestEdition, NewestKey, Seen, SetMembers, SetsQuery, SourceFilter, SourcesInManySets,
    StoreError, VerdictsOnEdition,
};
use crate::verify::{SetFile, SetFiles, Verifier};

/// The result of judging an edition.
#[derive(Clone, Debug)]
pub struct VerifiedSet {
    /// The edition, with its new state.
    pub edition: Edition,
    /// The verdicts, in the order of the configuration.
    pub verdicts: Vec<NewVerdict>,
    /// Why the set cannot have a newer edition yet.
    pub waits: Option<String>,
    /// Verdicts by hand that these verdicts replaced.
    pub set_aside: Vec<SetAside>,
}

/// The files to judge, or why there are none.
type Files = std::result::Result<SetFiles, String>;

impl App {
    /// Returns the names of the configured sets, each once, in order.
    pub fn set_names(&self) -> Vec<String> {
        let configured = self.configured();
        let names = configured.policy.sets().into_iter();
        names.map(str::to_owned).collect()
    }

    /// Returns the verifiers that judge a set, in the order of the configuration.
    pub(in crate::app) fn verifiers_of_set(&self, name: &str) -> Vec<Arc<Verifier>> {
        self.configured()
            .verifiers
            .iter()
            .filter(|verifier| matches!(verifier.scope(), Scope::Set { tag } if tag == name))
            .cloned()
            .collect()
    }

    /// Judges every set with a new ready combination, and undecided ones with `again` or when a member is in `asked`;
    /// publishes editions that passed. One set's trouble does not stop the others.
    pub(crate) async fn judge_sets(&self, again: bool, asked: &[SourceId]) -> Result<SetsReport> {
        let mut report = SetsReport::default();
        let names = self.set_names();
        if names.is_empty() {
            return Ok(report);
        }
        let _lock = match self.lock_sets().await {
            Err(busy) if busy.is_busy() => {
                report.failures.push(format!("sets are left alone: {busy}"));
                return Ok(report);
            }
            lock => lock?,
        };
        let problems = self.set_problems().await?;
        self.record_problems(&problems).await?;
        let asked_for = self.read(SetsQuery::Of(asked.to_vec())).await?;
        for name in names {
            if let Some(problem) = problems.get(&name) {
                // Not in every pass of a long-lived worker.
                if again || !asked.is_empty() {
                    report.failed += 1;
                    report.failures.push(format!("set {name}: {problem}"));
                }
                continue;
            }
            let again = again || asked_for.contains(&name);
            let judged = self.judge_set(&name, again, &mut report).await;
            report.keep_error(&name, judged)?;
        }
        Ok(report)
    }

    /// Judges these sets if they have a new ready combination, and publishes editions that passed.
    pub(in crate::app) async fn judge_sets_now(&self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let _lock = self.lock_sets().await?;
        let problems = self.set_problems().await?;
        let known = self.set_names();
        let judged = names
            .iter()
            .filter(|name| known.contains(name) && !problems.contains_key(*name));
        for name in judged {
            self.judge_set(name, false, &mut SetsReport::default())
                .await?;
        }
        Ok(())
    }

    /// Returns the newest edition of each set that has one.
    pub(in crate::app) async fn newest_editions(&self) -> Result<Vec<Edition>> {
        let mut editions = Vec::new();
        for set in self.read(FileSets).await? {
            let newest = self.read(NewestEdition(set.name)).await;
            editions.extend(self.unless_damaged(newest)?.flatten());
        }
        Ok(editions)
    }

    /// Records the state of each set whose newest edition is now an older one that has another state or waits for a
    /// verdict of its own: the set changed without a new verdict.
    pub(in crate::app) async fn record_older_editions(&self, before: Vec<Edition>) -> Result<()> {
        if before.is_empty() {
            return Ok(());
        }
        let now = self.newest_editions().await?;
        for was in before {
            let is_news =
                |now: &Edition| now.state != was.state || now.state == VersionState::Pending;
            let is_older = |now: &&Edition| now.set == was.set && now.id < was.id && is_news(now);
            if let Some(older) = now.iter().find(is_older) {
                self.record(Fact::EditionState(older.id)).await?;
            }
        }
        Ok(())
    }

    /// Returns, by set, why it cannot be judged at all.
    pub(in crate::app) async fn set_problems(&self) -> Result<BTreeMap<String, String>> {
        let mut problems = BTreeMap::new();
        for (source, sets) in self.read(SourcesInManySets).await? {
            let problem = format!(
                "{source} is in the sets {} at once, and can be in one only",
                sets.join(" and ")
            );
            for set in sets {
                problems.entry(set).or_insert_with(|| problem.clone());
            }
        }
        Ok(problems)
    }

    /// Stores the problems of sets, and reports each once.
    async fn record_problems(&self, problems: &BTreeMap<String, String>) -> Result<()> {
        for set in self.read(FileSets).await? {
            let problem = problems.get(&set.name).cloned();
            if set.problem != problem {
                let set = set.name;
                self.record(Fact::SetProblem { set, problem }).await?;
            }
        }
        Ok(())
    }

    async fn judge_set(&self, name: &str, again: bool, report: &mut SetsReport) -> Result<()> {
        let Some(required) = self.judge_as_required(name, again).await? else {
            return Ok(());
        };
        report.add_failures(name, &required.verdicts, Weight::Required);
        match required.edition.state {
            _ if required.verdicts.is_empty() => {}
            VersionState::Failed | VersionState::Error => report.failed += 1,
            VersionState::Pending => report.awaiting += 1,
            VersionState::Passed | VersionState::Unverified => {}
        }
        let published = self.settle_recorded_set(name).await?;
        report.published += u64::from(matches!(published, Some(SetPublication::Publish(_))));
        // Advisory verifiers delay nothing.
        if self
            .verifiers_of_set(name)
            .iter()
            .any(|one| one.weight() == Weight::Advisory)
        {
            let ask = Ask::Undecided(Weight::Advisory);
            let advisory = self.judge_edition(required.edition, ask).await?;
            report.add_failures(name, &advisory.verdicts, Weight::Advisory);
        }
        Ok(())
    }

    /// Judges a set's ready combination by its required verifiers; `None` when the set waits, or all verdicts are
    /// there.
    async fn judge_as_required(&self, name: &str, again: bool) -> Result<Option<VerifiedSet>> {
        let members = self.read(SetMembers(name.to_owned(), self.now())).await?;
        let combination = match ready_to_judge(&members) {
            Ok(combination) => combination,
            Err(reason) => {
                tracing::debug!("set {name} waits: {reason}");
                return Ok(None);
            }
        };
        let newest = match self.ports.store.read(NewestEdition(name.to_owned())).await {
            // Another combination replaces it; this one may be refused.
            Err(error) if error.is_damage() => {
                let key = self.read(NewestKey(name.to_owned())).await?;
                if key == Some(combination_key(&combination)) {
                    return Err(error.into());
                }
                None
            }
            newest => newest?,
        };
        let ask = Ask::Undecided(Weight::Required);
        let judged = match set_step(combination_key(&combination), newest.as_ref(), again) {
            SetStep::Nothing => return Ok(None),
            SetStep::Judge => self.judge_combination(name, combination, ask).await?,
            SetStep::JudgeAgain(id) => {
                let edition = self.read(EditionWithId(id)).await?;
                self.judge_edition(edition, ask).await?
            }
        };
        Ok(Some(judged))
    }

    /// Judges a new combination and records the edition with its verdicts, so that a killed worker leaves nothing
    /// half-done. Refusals of the same contents under other names count, too.
    pub(in crate::app) async fn judge_combination(
        &self,
        name: &str,
        members: Vec<EditionMember>,
        ask: Ask,
    ) -> Result<VerifiedSet> {
        let needed = NeededRows::MembersOf(name.to_owned());
        self.ports.store.refuse_lost(needed).await?;
        let versions = members.iter().map(|member| member.version_id).collect();
        let refusals = self
            .read(EditionRefusals(name.to_owned(), versions))
            .await?;
        let last = refusals.iter().map(|one| one.id).max();
        let seen = self.seen(last.unwrap_or(VerdictId(0)));
        let said: Vec<_> = refusals.iter().map(|one| one.verdict.clone()).collect();
        let asked = self.ask_about_set(name, &members, &said, ask).await?;
        let edition = NewEdition {
            set: name.to_owned(),
            members,
            verdicts: asked,
            seen,
        };
        let (edition, counted) = self
            .ports
            .store
            .record_edition(edition, self.stamp())
            .await?;
        let refusals = refusals.iter();
        let refusals = refusals.map(|one| (&one.verdict, one.actor.as_str()));
        let others = counted.ended.into_iter().map(SetAside::from);
        Ok(VerifiedSet {
            set_aside: set_aside(edition.id.0, refusals, &counted.verdicts, others),
            verdicts: self.with_refusals(name, said, counted.verdicts),
            edition,
            waits: None,
        })
    }

    /// Puts the refusals that decide before the verdicts: those by required verifiers that were not asked otherwise.
    fn with_refusals(
        &self,
        set: &str,
        mut refusals: Vec<NewVerdict>,
        verdicts: Vec<NewVerdict>,
    ) -> Vec<NewVerdict> {
        let verifiers = self.verifiers_of_set(set);
        refusals.retain(|refusal| {
            let is_asked = verdicts.iter().any(|one| one.verifier == refusal.verifier);
            let decides = |one: &Arc<Verifier>| {
                one.name() == refusal.verifier && one.weight() == Weight::Required
            };
            !is_asked && verifiers.iter().any(decides)
        });
        refusals.extend(verdicts);
        refusals
    }

    /// Judges a recorded edition, and records the verdicts.
    pub(in crate::app) async fn judge_edition(
        &self,
        edition: Edition,
        ask: Ask,
    ) -> Result<VerifiedSet> {
        let (earlier, seen) = self.earlier_edition_verdicts(edition.id, ask).await?;
        let said: Vec<_> = earlier.iter().map(|one| one.verdict.clone()).collect();
        let mut verdicts = self
            .ask_about_set(&edition.set, &edition.members, &said, ask)
            .await?;
        let (mut edition, mut ended) = (edition, Vec::new());
        let is_undecided = matches!(edition.state, VersionState::Pending | VersionState::Error);
        // Even without verdicts: the set of counting verdicts may have changed.
        if !verdicts.is_empty() || is_undecided || !matches!(ask, Ask::Undecided(_)) {
            let counted = self
                .ports
                .store
                .record_verdicts(edition.id, verdicts, seen, self.stamp())
                .await?;
            (edition.state, verdicts) = (counted.state, counted.verdicts);
            ended = counted.ended;
        }
        let earlier = earlier.iter().map(|one| (&one.verdict, one.actor.as_str()));
        let others = ended.into_iter().map(SetAside::from);
        Ok(VerifiedSet {
            set_aside: set_aside(edition.id.0, earlier, &verdicts, others),
            edition,
            verdicts,
            waits: None,
        })
    }

    /// Returns the verdicts on an edition, oldest first. When one of them is unreadable, every verifier is asked or
    /// waited for again.
    async fn earlier_edition_verdicts(
        &self,
        edition: EditionId,
        ask: Ask,
    ) -> Result<(Vec<EditionVerdict>, Seen)> {
        let store = &self.ports.store;
        let unreadable = match ask {
            Ask::Again => store.read(NewestAmongUnreadable(edition.into())).await?,
            _ => None,
        };
        let earlier = match unreadable {
            Some(_) => Vec::new(),
            None => store.read(VerdictsOnEdition(edition)).await?,
        };
        let newest = earlier.last().map_or(VerdictId(0), |verdict| verdict.id);
        let mut seen = self.seen(unreadable.unwrap_or(newest));
        seen.is_anew = unreadable.is_some();
        Ok((earlier, seen))
    }

    /// Asks the verifiers of a set that are due. The files are read when the first verifier needs them.
    async fn ask_about_set(
        &self,
        name: &str,
        members: &[EditionMember],
        earlier: &[NewVerdict],
        ask: Ask,
    ) -> Result<Vec<NewVerdict>> {
        let newest = newest_by_verifier(earlier);
        let mut files: Option<Files> = None;
        let mut verdicts = Vec::new();
        for verifier in self.verifiers_of_set(name) {
            let last = newest.get(verifier.name()).copied();
            let verdict = match self.next_step(&verifier, last, ask) {
                Step::Nothing => continue,
                Step::Decide(judgement) => self.verdict_without_run(&verifier, judgement).await,
                Step::Run => {
                    let files = match &files {
                        Some(files) => files,
                        None => files.insert(self.files_of_set(name, members).await?),
                    };
                    match files {
                        Ok(files) => self.run_on_set(&verifier, files).await,
                        Err(why) => {
                            self.verdict_without_run(&verifier, Judgement::error(why))
                                .await
                        }
                    }
                }
            };
            verdicts.push(verdict);
        }
        self.redacted_by_members(verdicts, members).await
    }

    async fn files_of_set(&self, name: &str, members: &[EditionMember]) -> Result<Files> {
        let names = match set_file_names(members.iter().map(|member| member.name.as_str())) {
            Ok(names) => names,
            Err(why) => return Ok(Err(why)),
        };
        let filter = SourceFilter {
            removed: true,
            ids: Some(members.iter().map(|member| member.source_id).collect()),
            ..SourceFilter::default()
        };
        let sources: BTreeMap<_, _> = self
            .ports
            .store
            .sources(filter)
            .await?
            .into_iter()
            .map(|source| (source.id, source))
            .collect();
        let mut files = Vec::with_capacity(members.len());
        for (member, file) in members.iter().zip(names) {
            let source = sources.get(&member.source_id);
            match self.file_of_member(member, source, file).await? {
                Ok(file) => files.push(file),
                // The edition could not be judged; that is retried once an hour.
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(SetFiles {
            name: name.to_owned(),
            files,
        }))
    }

    /// Returns a member's file, or how it is damaged.
    async fn file_of_member(
        &self,
        member: &EditionMember,
        source: Option<&Source>,
        file: String,
    ) -> Result<std::result::Result<SetFile, String>> {
        let name = &member.name;
        let version = match self.ports.store.find_version(member.version_id).await {
            Err(error @ StoreError::Damaged { .. }) => return Ok(Err(format!("{name}: {error}"))),
            version => version?,
        };
        let (Some(version), Some(source)) = (version, source) else {
            return Err(Error::not_found(format!("{name} was purged")));
        };
        let content = match self.content(&version).await {
            Err(error) if error.kind == ErrorKind::Damaged => {
                return Ok(Err(format!("{name}: {error}")));
            }
            content => content?,
        };
        let mut facts = facts_of(source, &version);
        facts.source_name.clone_from(name);
        Ok(Ok(SetFile {
            file,
            content,
            facts,
        }))
    }

    async fn run_on_set(&self, verifier: &Arc<Verifier>, files: &SetFiles) -> NewVerdict {
        let _permit = self.judging_permit(true).await;
        let run = self.begin_run(verifier).await;
        let judgement = verifier
            .judge_set(
                &run.fingerprint,
                files,
                self.ports.archive.machine().temp_dir(),
            )
            .await;
        run.finish(judgement)
    }

    /// Waits for the lock on judging sets, which one process holds at a time: no set is judged twice, and each edition
    /// builds on the one before.
    pub(in crate::app) async fn lock_sets(&self) -> Result<FileLock> {
        self.with_archive(|archive| archive.machine().lock_sets())
            .await
    }
}
