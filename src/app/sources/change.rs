//! Adds, changes and removes sources.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use super::additions::checked;
use super::purge::Remains;
use super::settings::{check_host, checked_patch, refuse_literal_secrets};
use crate::app::{App, Error, ErrorKind, NewSource, Refusal, Result};
use crate::domain::{
    Address, SettingsPatch, Source, SourceId, SourceSettings, candidate_name, candidate_path,
    free_number, masked,
};
use crate::store::{
    Changed, Edited, Fact, FreeName, SourceChange, SourceFilter, SourcesQuery, StoreError,
};

/// From so many new sources on, the taken names are read at once.
const MANY: usize = 32;

/// A source that was added.
#[derive(Clone, Debug)]
pub struct Added {
    /// The source as it is now.
    pub source: Source,
    /// The path that the address suggests, when another source has it and this one got another.
    pub wanted_path: Option<String>,
}

/// Unneeded stored files that were moved to the trash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discarded {
    /// How many were moved.
    pub moved: usize,
    /// How many could not be moved: passes retry.
    pub kept: usize,
    /// Why the first of those could not be moved.
    pub why: String,
}

/// Changes that were recorded.
#[derive(Default)]
pub(in crate::app) struct Recorded {
    done: Vec<Changed>,
    pub(in crate::app) discarded: Discarded,
    pub(in crate::app) remains: Vec<Remains>,
}

impl App {
    /// Adds sources, all or none. A taken address or given name is an error that names the other source.
    pub async fn add(&self, new: Vec<NewSource>) -> Result<Vec<Added>> {
        let mut changes = Vec::with_capacity(new.len());
        let mut names = TakenNames::of(self, new.len()).await?;
        let given: Vec<_> = new
            .iter()
            .map(|source| source.settings.name.is_some())
            .collect();
        let mut all = Vec::with_capacity(new.len());
        for checked in checked(new) {
            let settings = checked.map_err(|refusal| refused(refusal, &all))?;
            all.push(settings);
        }
        for (mut settings, given) in all.into_iter().zip(given) {
            if !given {
                settings.name = names.free(self, &settings).await?;
            }
            names.take(&settings.name);
            changes.push(SourceChange::Add(settings));
        }
        let ids = self.change(changes).await?;
        let sources = self.by_ids(ids).await?;
        Ok(sources
            .into_iter()
            .map(|source| {
                let wanted = candidate_path(&source.settings.address, 1);
                Added {
                    wanted_path: (wanted != source.published_path).then_some(wanted),
                    source,
                }
            })
            .collect())
    }

    /// Changes the selected sources, all or none, and returns each result. Writes only the patch's settings; an
    /// unchanged source gets no event. Refuses a new address that seems to contain a secret.
    pub async fn edit(&self, selectors: &[String], patch: SettingsPatch) -> Result<Vec<Edited>> {
        let sources = self.kept_sources(some(selectors)?).await?;
        if let Some(address) = &patch.address
            && sources
                .iter()
                .any(|source| source.settings.address != *address)
        {
            refuse_literal_secrets(address)?;
        }
        self.edit_sources(sources, patch).await
    }

    /// The same, but accepts an address that seems to contain a secret.
    pub async fn edit_literally(
        &self,
        selectors: &[String],
        patch: SettingsPatch,
    ) -> Result<Vec<Edited>> {
        let sources = self.kept_sources(some(selectors)?).await?;
        self.edit_sources(sources, patch).await
    }

    /// Changes one source, unless its settings are no longer those that its editor saw.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Changed`] then. Like [`App::edit`] refuses a new address that seems to contain a secret.
    pub async fn edit_seen(&self, seen: &Source, patch: SettingsPatch) -> Result<Option<Edited>> {
        if let Some(address) = &patch.address {
            refuse_literal_secrets(address)?;
        }
        let patch = checked_patch(patch)?;
        check_edited_host(&seen.settings, &patch)?;
        let settings = Box::new(seen.settings.clone());
        let edit = SourceChange::EditSeen(seen.id, Arc::new(patch), settings);
        Ok(self.change_edits(vec![edit]).await?.pop())
    }

    async fn edit_sources(
        &self,
        sources: Vec<Source>,
        patch: SettingsPatch,
    ) -> Result<Vec<Edited>> {
        if sources.len() > 1 && (patch.name.is_some() || patch.address.is_some()) {
            return Err(Error::invalid(format!(
                "{} sources cannot share one name or address: select one",
                sources.len()
            )));
        }
        let patch = Arc::new(checked_patch(patch)?);
        for source in &sources {
            check_edited_host(&source.settings, &patch)?;
        }
        let edits = sources
            .iter()
            .map(|source| SourceChange::Edit(source.id, Arc::clone(&patch)))
            .collect();
        // Frees their memory: the results are as many again.
        drop(sources);
        self.change_edits(edits).await
    }

    /// Records edits, or the taking back of edits, and returns each result.
    pub(in crate::app) async fn change_edits(
        &self,
        edits: Vec<SourceChange>,
    ) -> Result<Vec<Edited>> {
        let done = self.record_changes(edits).await?;
        Ok(done
            .into_iter()
            .filter_map(|changed| changed.edited.map(|edited| *edited))
            .collect())
    }

    /// Makes the next request for each of these sources unconditional.
    pub async fn ask_whole(&self, ids: &[SourceId]) -> Result<()> {
        for id in self.with_days(ids.to_vec()).await? {
            self.record(Fact::ForgetValidators(id)).await?;
        }
        Ok(())
    }

    /// Restores removed sources with their published files, all or none. Returns them as they are now, each with its
    /// former path if another source has taken that.
    ///
    /// # Errors
    ///
    /// A conflict when another source has taken the name or the address.
    pub async fn restore(&self, selectors: &[String]) -> Result<Vec<Added>> {
        let sources = self.removed_sources(selectors).await?;
        refuse_namesakes(&sources)?;
        let changes = sources
            .iter()
            .map(|source| SourceChange::Restore(source.id, Arc::default()));
        let done = self.record_changes(changes.collect()).await;
        let done = done.map_err(|error| way_to_restore(error, &sources))?;
        for change in done {
            self.settle_recorded(change.source_id).await?;
        }
        self.restored(&sources).await
    }

    /// Returns restored sources as they are now, each with its former path if another source has taken that.
    pub(in crate::app) async fn restored(&self, before: &[Source]) -> Result<Vec<Added>> {
        let paths: HashMap<_, _> = before
            .iter()
            .map(|source| (source.id, &source.published_path))
            .collect();
        let ids = before.iter().map(|source| source.id).collect();
        let restored = self.by_ids(ids).await?;
        let moved = |now: &Source| {
            let path = paths
                .get(&now.id)
                .filter(|path| ***path != now.published_path);
            path.map(|path| (*path).clone())
        };
        Ok(restored
            .into_iter()
            .map(|source| Added {
                wanted_path: moved(&source),
                source,
            })
            .collect())
    }

    /// Returns for each address, in order, the source with it that was removed last; `None` for the address of a
    /// present source. Adding such an address would begin a second history of the same file.
    pub async fn formerly(&self, addresses: &[Address]) -> Result<Vec<Option<Source>>> {
        let addresses = addresses.iter().map(ToString::to_string).collect();
        let former = SourcesQuery::Former(addresses);
        self.read(former).await
    }

    /// Records the changes, then updates the files.
    pub(in crate::app) async fn change(&self, changes: Vec<SourceChange>) -> Result<Vec<SourceId>> {
        let done = self.record_changes(changes).await?;
        Ok(done.into_iter().map(|change| change.source_id).collect())
    }

    async fn record_changes(&self, changes: Vec<SourceChange>) -> Result<Vec<Changed>> {
        Ok(self.record_and_discard(changes).await?.done)
    }

    pub(in crate::app) async fn record_and_discard(
        &self,
        changes: Vec<SourceChange>,
    ) -> Result<Recorded> {
        if changes.is_empty() {
            return Ok(Recorded::default());
        }
        // A source tagged now then enters the sets of an edited configuration.
        let standing = self.policy_standing().await?;
        let purged = purged_by(&changes);
        // A process that may not publish does not withdraw either: a restored source then still has its file. Purged
        // bytes go in any case.
        let withdraws = standing.is_in_force() || !purged.is_empty();
        let mut purge = self.begin_purge(purged, &changes).await?;
        self.join_archive().await?;
        // Held over both, so that no other process publishes meanwhile what is withdrawn here.
        let lock = self.lock_published().await?;
        self.erase_before_purge(&purge, &lock).await;
        let done = self.change_or_purge(changes, &mut purge).await?;
        // The change is recorded, whatever happens to the files: passes look for leftovers.
        if withdraws && let Err(error) = self.withdraw_left(true, &lock).await {
            tracing::warn!("{error}: left to the next pass");
        }
        let objects = done.iter().flat_map(|change| change.objects.clone());
        let discarded = self.discard_objects(objects.collect()).await;
        drop(lock);
        if standing.is_in_force() {
            self.judge_sets_after(&mut purge).await;
            self.settle_after_change(&done).await;
        }
        Ok(Recorded {
            done,
            discarded,
            remains: self.end_purge(purge).await,
        })
    }

    /// Moves objects that no blob names to the trash. The catalogue keeps the names of any that cannot be moved.
    pub(in crate::app) async fn discard_objects(&self, objects: Vec<String>) -> Discarded {
        let (now, all) = (self.now(), objects.len());
        let tried = self.with_archive(move |archive| {
            let (mut done, mut moved) = (Discarded::default(), Vec::new());
            for object in objects {
                match archive.objects().discard(&object, now) {
                    Ok(()) => moved.push(object),
                    Err(error) => {
                        tracing::warn!("{error}: left to the next pass");
                        if done.kept == 0 {
                            done.why = error.to_string();
                        }
                        done.kept += 1;
                    }
                }
            }
            done.moved = moved.len();
            Ok((done, moved))
        });
        let (done, moved) = tried.await.unwrap_or_else(|error| {
            tracing::warn!("{error}");
            let done = Discarded {
                moved: 0,
                kept: all,
                why: error.message,
            };
            (done, Vec::new())
        });
        if !moved.is_empty()
            && let Err(error) = self.record(Fact::ObjectsGone(moved)).await
        {
            tracing::warn!("{error}: left to the next pass");
        }
        done
    }

    /// Moves an object to the trash that no blob names.
    pub(crate) async fn discard_object(&self, object: &str) -> Result<()> {
        let (name, now) = (object.to_owned(), self.now());
        self.with_archive(move |archive| archive.objects().discard(&name, now))
            .await?;
        tracing::warn!("object {object} is named by no blob: moved to the trash");
        self.record(Fact::ObjectsGone(vec![object.to_owned()]))
            .await
    }

    /// Deletes an object that a worker of this process made, and that was certainly not recorded: its content is known,
    /// or was refused.
    pub(crate) async fn delete_object(&self, object: String) -> Result<()> {
        let name = object.clone();
        self.with_archive(move |archive| archive.objects().delete(&name))
            .await?;
        self.record(Fact::ObjectsGone(vec![object])).await
    }

    /// Updates files after a change: a new rule of publishing applies at once, and members that entered or left a set
    /// move. Earlier failures of the changed sources are retried. The next pass does the rest; [`App::unpublished_of`]
    /// has the reasons.
    async fn settle_after_change(&self, done: &[Changed]) {
        let changed: Vec<_> = done.iter().map(|change| change.source_id).collect();
        let failed_before = self.unpublished_of(&changed).await.unwrap_or_default();
        self.settle_untried().await;
        for one in failed_before {
            let again = match (one.source_id, one.set) {
                (Some(source), _) => self.settle(source).await,
                (None, Some(set)) => self.settle_set(&set).await.map(drop),
                (None, None) => Ok(()),
            };
            if let Err(error) = again {
                tracing::warn!("{error}: left to the next pass");
            }
        }
    }

    /// Updates all files and folders of sets except earlier failures. The next pass does the rest.
    pub(in crate::app) async fn settle_untried(&self) {
        for settled in [self.settle_all(false).await, self.settle_sets(false).await] {
            if let Ok(Some((_, error))) | Err(error) = settled {
                tracing::warn!("{error}: left to the next pass");
            }
        }
    }

    /// Returns the sources with these ids, in the order of the ids.
    async fn by_ids(&self, ids: Vec<SourceId>) -> Result<Vec<Source>> {
        let filter = SourceFilter {
            ids: Some(ids.clone()),
            ..SourceFilter::default()
        };
        let mut sources = self.ports.store.sources(filter).await?;
        let order: std::collections::HashMap<_, _> = ids
            .into_iter()
            .enumerate()
            .map(|(at, id)| (id, at))
            .collect();
        sources.sort_by_key(|source| order.get(&source.id).copied());
        Ok(sources)
    }
}

/// Returns the sources that these changes purge.
fn purged_by(changes: &[SourceChange]) -> Vec<SourceId> {
    let purged = changes.iter().filter_map(|change| match change {
        SourceChange::Remove { id, purge: true } => Some(*id),
        _ => None,
    });
    purged.collect()
}

/// Returns why no source of a list is added: the one after `before` is refused.
fn refused(refusal: Refusal, before: &[SourceSettings]) -> Error {
    match refusal {
        Refusal::Invalid(error) => error,
        Refusal::Repeated { what, first } => Error::new(
            ErrorKind::Conflict,
            format!(
                "two of them have the {what} of {}",
                masked(before[first].address.as_str())
            ),
        )
        .hint("give each source once"),
        Refusal::Taken { .. } | Refusal::Former { .. } => {
            unreachable!("a list alone knows no other source")
        }
    }
}

/// Refuses to restore two removed sources that have the same address or name.
fn refuse_namesakes(sources: &[Source]) -> Result<()> {
    let mut seen = HashMap::new();
    for source in sources {
        let Source { id, settings, .. } = source;
        for (what, value) in [
            ("address", settings.address.as_str()),
            ("name", settings.name.as_str()),
        ] {
            if let Some(other) = seen.insert((what, value), *id) {
                let message = format!(
                    "sources {other} and {id} both had the {what} {value}: only one of them can come back"
                );
                let hint = "name them by their ids; `gannet list --removed` shows them";
                return Err(Error::new(ErrorKind::Conflict, message).hint(hint));
            }
        }
    }
    Ok(())
}

/// Adds how a removed source can be restored although another one has its name or its address.
fn way_to_restore(error: Error, sources: &[Source]) -> Error {
    let below = error.source.as_ref();
    let Some(StoreError::Taken {
        what, value, id, ..
    }) = below.and_then(|below| below.downcast_ref::<StoreError>())
    else {
        return error;
    };
    let is_meant = |source: &&Source| match *what {
        "name" => source.settings.name == *value,
        _ => source.settings.address.as_str() == value,
    };
    let Some(removed) = sources.iter().find(is_meant).map(|source| source.id) else {
        return error;
    };
    let way = match *what {
        "name" => format!("`gannet edit {id} --name OTHER` frees the name"),
        _ => format!("`gannet remove {id}` frees the address"),
    };
    let (what, id) = (*what, *id);
    let message = format!("source {removed} cannot come back: its {what} is taken by source {id}");
    Error { message, ..error }.hint(format!("{way}; then `gannet restore {removed}`"))
}

/// Refuses an empty selection: a change never applies to everything by default.
pub(in crate::app) fn some(selectors: &[String]) -> Result<&[String]> {
    if selectors.is_empty() {
        return Err(Error::invalid("no source given")
            .hint("name one by id, name, address, glob or tag:NAME; '*' is all"));
    }
    Ok(selectors)
}

/// Taken names: all of them when many sources are added, else only those of the batch.
struct TakenNames {
    known: HashSet<String>,
    complete: bool,
}

impl TakenNames {
    async fn of(app: &App, new: usize) -> Result<Self> {
        let complete = new >= MANY;
        let sources = if complete {
            app.ports.store.sources(SourceFilter::with_days()).await?
        } else {
            Vec::new()
        };
        Ok(Self {
            known: sources
                .into_iter()
                .map(|source| source.settings.name)
                .collect(),
            complete,
        })
    }

    fn take(&mut self, name: &str) {
        self.known.insert(name.to_owned());
    }

    /// Returns a free name that suits the source.
    async fn free(&self, app: &App, settings: &SourceSettings) -> Result<String> {
        if !self.complete {
            let (settings, others) = (settings.clone(), self.known.clone());
            return app.read(FreeName(settings, others)).await;
        }
        let is_taken =
            |turn| Ok::<_, Infallible>(self.known.contains(&candidate_name(settings, turn)));
        let Ok(turn) = free_number(is_taken);
        Ok(candidate_name(settings, turn))
    }
}

/// Refuses a patch that sets a host which every fetch would refuse; other patches pass.
fn check_edited_host(old: &SourceSettings, patch: &SettingsPatch) -> Result<()> {
    let address = patch.address.as_ref().unwrap_or(&old.address);
    let allow_private = patch.allow_private.unwrap_or(old.allow_private);
    if *address == old.address && allow_private == old.allow_private {
        return Ok(());
    }
    check_host(address, allow_private)
}
