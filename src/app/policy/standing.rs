//! Whether this process may use the catalogue's policy: compares its configuration's file with the policy's, adopts
//! changes of the same file, and reads the file again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::adoption::Adoption;
use super::configured::{Configured, FileState, is_same_file};
use crate::app::{App, Error, Result};
use crate::config::Config;
use crate::domain::{Action, AdoptedPolicy, NewEvent, Policy, PolicyStep, policy_step};
use crate::store::{Condition, Fact, PolicyAdoption, PolicyInForce, PolicyRevision, StoreError};

/// How often an adoption is retried when other processes adopt at the same moment.
const ADOPTION_TRIES: u32 = 5;

/// Whether this process may judge, publish and change sets.
#[derive(Debug)]
pub enum PolicyStanding {
    /// Allowed: the policy came from its configuration, which was adopted just now if it had changed.
    InForce(Option<Adoption>),
    /// Not allowed: the policy came from another file. The error names both files and the remedy.
    Foreign(Error),
    /// Not allowed, and neither is fetching: the configuration is missing, broken or emptied, and its replacement may
    /// lead to other hosts with other secrets. A file without verifiers counts as emptied: it may be half written and
    /// lack its proxy, too. The error names the reason and the remedy.
    Unusable(Error),
}

impl PolicyStanding {
    /// Returns whether this process may judge, publish and change sets.
    pub fn is_in_force(&self) -> bool {
        matches!(self, Self::InForce(_))
    }
}

/// The beginning of the error for a process that may not fetch; the cause follows.
pub(in crate::app) const UNUSABLE: &str = "the configuration of this catalogue cannot be used: ";
/// The end of that error.
pub(in crate::app) const NOTHING_IS_DONE: &str = ": nothing is fetched, judged or published";
/// The end of the problem for a process that continues with its former configuration.
pub const BEFORE_STAYS: &str = "; the configuration before stays in force";

impl App {
    /// Returns the policy in force; `None` before the first adoption.
    pub async fn policy_in_force(&self) -> Result<Option<AdoptedPolicy>> {
        self.read(PolicyInForce).await
    }

    /// Returns the verifiers and sets in force; before the first adoption, those of this process.
    pub async fn policy_to_show(&self) -> Result<Policy> {
        Ok(self.policy_or_own(self.read(PolicyInForce).await?))
    }

    /// Returns the verifiers and sets of the policy in force; those of this process while there is none.
    pub(in crate::app) fn policy_or_own(&self, in_force: Option<AdoptedPolicy>) -> Policy {
        in_force.map_or_else(|| (*self.configured().policy).clone(), |known| known.policy)
    }

    /// Returns the policy in force if it came from another configuration file than this process's.
    pub(in crate::app) async fn policy_from_elsewhere(&self) -> Result<Option<AdoptedPolicy>> {
        let in_force = self.read(PolicyInForce).await?;
        let elsewhere = in_force.filter(|known| !self.is_policy_of_own_file(known));
        let configured = &self.configured().policy;
        // Two policies without verifiers do not differ.
        let differs = |known: &AdoptedPolicy| !(known.policy.is_empty() && configured.is_empty());
        Ok(elsewhere.filter(differs))
    }

    /// Returns whether the policy came from the configuration file of this process.
    pub fn is_policy_of_own_file(&self, policy: &AdoptedPolicy) -> bool {
        let file = policy.file.as_deref().map(Path::new);
        is_same_file(self.configured().path(), file)
    }

    /// Returns whether this process may use the policy in force. Reads a changed configuration file again, and adopts
    /// edits of the policy's own file.
    pub async fn policy_standing(&self) -> Result<PolicyStanding> {
        let standing = self.decide_standing().await?;
        self.keep_trouble(&standing);
        Ok(standing)
    }

    async fn decide_standing(&self) -> Result<PolicyStanding> {
        self.read_config_if_changed().await?;
        if let Err(error) = self.require_configuration() {
            return Ok(PolicyStanding::Unusable(error));
        }
        let mut is_fresh = false;
        for _ in 0..ADOPTION_TRIES {
            if let Some(standing) = self.standing_or_retry(&mut is_fresh).await? {
                return Ok(standing);
            }
        }
        Err(Error::from(StoreError::OtherPolicy).hint("try again"))
    }

    /// Returns whether this process may use the policy in force; `None` when that must be decided again: the
    /// configuration was read again just now (then it `is_fresh`), or another process adopted one.
    async fn standing_or_retry(&self, is_fresh: &mut bool) -> Result<Option<PolicyStanding>> {
        let configured = self.configured();
        let in_force = self.read(PolicyInForce).await?;
        let policy = in_force.as_ref();
        let is_same = policy.is_some_and(|policy| self.is_policy_of_own_file(policy));
        let was_fresh = std::mem::replace(is_fresh, true);
        Ok(match policy_step(policy, &configured.policy, is_same) {
            PolicyStep::Keep => Some(PolicyStanding::InForce(None)),
            // Another process may have adopted a newer file than this one has read.
            PolicyStep::Adopt | PolicyStep::Confirm if !was_fresh => {
                self.read_config_to_adopt().await?;
                None
            }
            // An operator may have put another file in force, which a process without a given file follows.
            PolicyStep::Refuse if !was_fresh => {
                if let Err(error) = self.read_config_to_adopt().await {
                    tracing::warn!("{error}");
                }
                None
            }
            PolicyStep::Refuse => Some(PolicyStanding::Foreign(foreign(&configured, policy))),
            PolicyStep::Confirm => Some(PolicyStanding::Unusable(emptied(&configured, policy))),
            PolicyStep::Adopt => {
                if let Err(error) = must_be_found_again(&configured) {
                    return Ok(Some(PolicyStanding::Foreign(error)));
                }
                *is_fresh = false;
                let replaces = in_force.map_or(0, |known| known.revision);
                let adoption = self.adopt(&configured, replaces).await?;
                adoption.map(|adoption| PolicyStanding::InForce(Some(adoption)))
            }
        })
    }

    /// Returns whether the policy in force matches this process's configuration file as it is now. Changes nothing: the
    /// next pass reads an edited file.
    pub(in crate::app) async fn is_configuration_in_force(&self) -> bool {
        let configured = self.configured();
        if configured.config.unusable.is_some() || configured.rejected.is_some() {
            return false;
        }
        // Unknown when the policy's row is damaged.
        let Ok(in_force) = self.ports.store.read(PolicyInForce).await else {
            return false;
        };
        let is_same = in_force
            .as_ref()
            .is_some_and(|policy| self.is_policy_of_own_file(policy));
        policy_step(in_force.as_ref(), &configured.policy, is_same) == PolicyStep::Keep
    }

    /// Returns an error when the catalogue's configuration cannot be used.
    fn require_configuration(&self) -> Result<()> {
        match &self.configured().config.unusable {
            None => Ok(()),
            Some(why) => Err(Error::invalid(format!("{UNUSABLE}{why}{NOTHING_IS_DONE}"))
                .hint("mend it, or name another: `gannet --config FILE config adopt`")),
        }
    }

    /// Returns, in words for people, the configuration that a pass needs to update published files; `None` when this
    /// process may publish.
    pub async fn publishing_needs(&self, standing: &PolicyStanding) -> Option<String> {
        match standing {
            PolicyStanding::InForce(_) => None,
            PolicyStanding::Foreign(_) => {
                let elsewhere = self.policy_from_elsewhere().await.ok().flatten();
                let file = elsewhere.and_then(|known| known.file);
                Some(file.unwrap_or_else(|| "a configuration that is in force".to_owned()))
            }
            PolicyStanding::Unusable(_) => Some("a configuration that can be used".to_owned()),
        }
    }

    /// Fails unless this process may judge, publish and change sets; begins such work.
    pub(in crate::app) async fn require_policy(&self) -> Result<()> {
        match self.policy_standing().await? {
            PolicyStanding::InForce(_) => self.join_archive().await,
            PolicyStanding::Foreign(error) | PolicyStanding::Unusable(error) => Err(error),
        }
    }

    /// Adopts this process's configuration, whichever file the policy came from, even when the policy's row is damaged;
    /// `None` when it is in force already.
    ///
    /// # Errors
    ///
    /// Refused without a configuration file, which would leave no verifiers, and with one that other processes could
    /// not find, such as a pipe.
    pub async fn adopt_policy(&self) -> Result<Option<Adoption>> {
        let configured = self.configured();
        if configured.path().is_none() {
            self.require_configuration()?;
            return Err(Error::invalid("there is no configuration file to adopt")
                .hint("name one: `gannet --config FILE config adopt`"));
        }
        must_be_found_again(&configured)?;
        for _ in 0..ADOPTION_TRIES {
            let in_force = match self.ports.store.read(PolicyInForce).await {
                // The default file may not be the one that the damaged row names.
                Err(error) if error.is_damage() && !configured.config.origins.is_file_named => {
                    return Err(Error::from(error).hint(
                        "name the configuration to put in force: `gannet --config FILE config adopt`",
                    ));
                }
                Err(error) if error.is_damage() => None,
                in_force => in_force?,
            };
            let is_in_force = |known: &AdoptedPolicy| {
                known.policy == *configured.policy && self.is_policy_of_own_file(known)
            };
            if in_force.as_ref().is_some_and(is_in_force) {
                self.record_usable().await?;
                return Ok(None);
            }
            let replaces = match in_force {
                Some(known) => known.revision,
                None => self.read(PolicyRevision).await?,
            };
            if let Some(adoption) = self.adopt(&configured, replaces).await? {
                return Ok(Some(adoption));
            }
        }
        Err(Error::from(StoreError::OtherPolicy).hint("try again"))
    }

    /// Replaces the revision `replaces` (0 for none) by the policy of `configured`; returns `None` when another process
    /// was first. The files of removed sets move to their own paths.
    async fn adopt(&self, configured: &Configured, replaces: i64) -> Result<Option<Adoption>> {
        self.join_archive().await?;
        let file = configured.path().map(|path| path.display().to_string());
        let adoption = PolicyAdoption {
            policy: (*configured.policy).clone(),
            file: file.clone(),
            replaces,
        };
        // A damaged row does not show what counted before.
        let before = self.ports.store.read(PolicyInForce).await.ok().flatten();
        let before = before.map(|known| known.policy);
        match self.ports.store.adopt_policy(adoption, self.stamp()).await {
            Ok((revision, changes)) => {
                if !changes.ended_sets().is_empty() {
                    self.settle_untried().await;
                }
                let now = &configured.policy;
                let unasked = self.unasked_by(&[], now).await?;
                Ok(Some(Adoption {
                    revision,
                    file: file.unwrap_or_else(|| "no file".to_owned()),
                    ended: self.ended_refusals(&changes, before.as_ref(), now).await?,
                    changes,
                    unasked: unasked.sources.len(),
                    has_versions: self.read(Condition::AnyVersion).await?,
                    is_judged_again: false,
                }))
            }
            Err(StoreError::OtherPolicy) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Has the next pass read the configuration again even if its file is unchanged: secrets and schemas may have
    /// changed.
    pub fn want_reload(&self) {
        self.ports.wants_reload.store(true, Ordering::Relaxed);
    }

    /// Reads the configuration again if its file has changed, or on request. Adopts nothing.
    pub async fn read_config_if_changed(&self) -> Result<()> {
        let configured = self.configured();
        if configured.config.unusable.is_some() {
            let state = FileState::of(configured.path());
            if let Some(Ok(config)) = self.read_anew(&configured).await {
                self.exchange(Configured::read_as(config, state));
            }
            return Ok(());
        }
        if self.ports.wants_reload.swap(false, Ordering::Relaxed) {
            let state = FileState::of(configured.path());
            return self.read_config(state).await;
        }
        match configured.changed_file() {
            Some(state) => self.read_config(state).await,
            None => Ok(()),
        }
    }

    /// Reads the configuration again before it is adopted.
    async fn read_config_to_adopt(&self) -> Result<()> {
        let before = self.configured();
        let state = FileState::of(before.path());
        match self.read_anew(&before).await {
            Some(Ok(config)) => self.exchange(Configured::read_as(config, state)),
            Some(Err(problem)) => return Err(Error::invalid(problem)),
            None => {}
        }
        Ok(())
    }

    /// Replaces the configuration by a new reading. An unusable one leaves the former in force and is recorded as an
    /// event.
    async fn read_config(&self, state: FileState) -> Result<()> {
        let before = self.configured();
        let problem = match self.read_anew(&before).await {
            None => return Ok(()),
            Some(Ok(config)) => {
                let file = config.config_file.clone();
                self.exchange(Configured::read_as(config, state));
                let (action, file) = (Action::ConfigReloaded, file.unwrap_or_default());
                return self.log_config(action, file.display().to_string()).await;
            }
            Some(Err(problem)) => problem,
        };
        let problem = format!("{problem}{BEFORE_STAYS}");
        tracing::error!("{problem}");
        // Reported once for each state of the file.
        self.exchange(Configured::outdated(
            Arc::clone(&before.config),
            state,
            problem.clone(),
        ));
        self.log_config(Action::ConfigRejected, problem.clone())
            .await?;
        self.report_rejected(problem);
        // The next process may be the one that reads a usable file.
        self.record(Fact::ConfigUnusable).await
    }

    /// Returns the configuration as its file is now, or why it cannot be used; `None` when this process does not read
    /// it again: it only reads the catalogue, or reads from a pipe.
    async fn read_anew(
        &self,
        before: &Configured,
    ) -> Option<std::result::Result<Arc<Config>, String>> {
        let read = self.ports.read_config.clone()?;
        if before.is_read_once {
            return None;
        }
        if FileState::of(before.path()) == FileState::Special {
            return Some(Err(format!("{} is no file", shown(before.path()))));
        }
        let read = tokio::task::spawn_blocking(move || read()).await;
        Some(match read {
            Ok(Ok(config)) => match &config.unusable {
                Some(why) => Err(why.clone()),
                None if config.config_file.is_none() && before.path().is_some() => {
                    Err(format!("{} is gone", shown(before.path())))
                }
                None => Ok(keep_places(config, before)),
            },
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        })
    }

    /// Records why a pass does not judge: once, until another event about the configuration.
    pub(crate) async fn record_refusal(&self, why: &Error) -> Result<()> {
        let event = NewEvent::of(Action::ConfigRejected).detail(why.to_string());
        self.record(Fact::ConfigRejected(event)).await
    }

    /// The same for an unusable configuration, until it is usable again.
    pub(crate) async fn record_unusable(&self, why: &Error) -> Result<()> {
        self.record_refusal(why).await?;
        self.record(Fact::ConfigUnusable).await
    }

    /// Records that the configuration is usable, if the last record is that it was not. Nothing while this process
    /// keeps an earlier one, since its file is unusable.
    pub(crate) async fn record_usable(&self) -> Result<()> {
        let configured = self.configured();
        if configured.rejected.is_some() {
            return Ok(());
        }
        let file = configured.path().unwrap_or(Path::new(""));
        let event = NewEvent::of(Action::ConfigReloaded).detail(file.display().to_string());
        self.record(Fact::ConfigUsable(event)).await
    }

    async fn log_config(&self, action: Action, detail: String) -> Result<()> {
        let event = NewEvent::of(action).detail(detail);
        self.record(Fact::Event(event)).await
    }
}

/// A process keeps the places that it was started with.
fn keep_places(config: Config, before: &Configured) -> Arc<Config> {
    let Config {
        data_dir,
        log_dir,
        storage,
        ..
    } = &*before.config;
    Arc::new(Config {
        data_dir: data_dir.clone(),
        log_dir: log_dir.clone(),
        storage: storage.clone(),
        ..config
    })
}

/// Refuses a configuration that other processes could not find by the catalogue's record.
pub(in crate::app) fn must_be_found_again(configured: &Configured) -> Result<()> {
    let why = if configured.is_read_once {
        "is no file that can be read again"
    } else if configured
        .path()
        .is_some_and(|path| path.to_str().is_none())
    {
        "has a name that is not UTF-8"
    } else {
        return Ok(());
    };
    let message = format!(
        "{} {why}, so its verifiers and sets cannot be put in force: nothing is judged or published by them",
        shown(configured.path())
    );
    Err(Error::invalid(message).hint("put the configuration in a file of its own"))
}

pub(in crate::app) fn emptied(configured: &Configured, in_force: Option<&AdoptedPolicy>) -> Error {
    let known = in_force.iter().flat_map(|known| &known.policy.verifiers);
    let names: Vec<_> = known.map(|verifier| verifier.name.as_str()).collect();
    let names = names.join(", ");
    let Some(file) = configured.path().map(Path::display) else {
        let message = format!(
            "this process has no configuration file, and so no verifier, but the catalogue's policy has {names}{NOTHING_IS_DONE}"
        );
        return Error::invalid(message).hint(
            "put the configuration that has them in force: `gannet --config FILE config adopt`",
        );
    };
    let message = format!(
        "{file} has no verifier any more, but the catalogue's policy has {names}{NOTHING_IS_DONE}"
    );
    Error::invalid(message).hint(format!(
        "if every version is to be published as it comes: `gannet --config {file} config adopt`"
    ))
}

pub(in crate::app) fn foreign(configured: &Configured, in_force: Option<&AdoptedPolicy>) -> Error {
    let own_words = match configured.path() {
        None => "this process has no configuration file".to_owned(),
        Some(own) => format!("this process uses {}", own.display()),
    };
    let is_same = in_force.is_some_and(|known| known.policy == *configured.policy);
    let same = if is_same { ", which says the same" } else { "" };
    let other = in_force.and_then(|known| known.file.as_deref());
    let from = other.unwrap_or("a process without a configuration file");
    let message = format!(
        "the verifiers and sets of this catalogue come from {from}, but {own_words}{same}: nothing is judged or published, and no set is changed"
    );
    let file = match configured.path() {
        None => "FILE".to_owned(),
        own => shown(own),
    };
    Error::invalid(message).hint(match other {
        Some(other) => format!(
            "use `--config {other}`, or put the other configuration in force with `gannet --config {file} config adopt`"
        ),
        None => format!("put a configuration in force: `gannet --config {file} config adopt`"),
    })
}

fn shown(path: Option<&Path>) -> String {
    path.map_or_else(
        || "the configuration".to_owned(),
        |path| path.display().to_string(),
    )
}
