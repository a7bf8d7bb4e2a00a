//! The policy of the catalogue, as this process may use it: whether its configuration is the one that the policy came from,
//! adopting what that says, and reading the configuration again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::configured::{Configured, FileState, is_same_file};
use super::{App, Error, Result};
use crate::config::{Config, ConfigError};
use crate::domain::{Action, AdoptedPolicy, NewEvent, PolicyChanges, PolicyStep, policy_step};
use crate::store::{PolicyAdoption, StoreError};

/// Reads the configuration again, by the same flags and environment as before.
pub type ReadConfig = Arc<dyn Fn() -> std::result::Result<Config, ConfigError> + Send + Sync>;

/// Adoptions are tried so often when other processes adopt at the same moment.
const ADOPTION_TRIES: u32 = 5;

/// A policy that this process put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// Its revision.
    pub revision: i64,
    /// The configuration file that it came from, for people.
    pub file: String,
    /// What tells it from the policy before.
    pub changes: PolicyChanges,
}

impl std::fmt::Display for Adoption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            revision,
            file,
            changes,
        } = self;
        write!(f, "policy {revision} adopted from {file}: {changes}")
    }
}

/// Whether this process may judge, publish and change sets.
#[derive(Debug)]
pub enum PolicyStanding {
    /// It may: the policy came from its configuration, which was adopted just now when it had changed.
    InForce(Option<Adoption>),
    /// It may not: the policy came from another file. The error names both files and the way on.
    Foreign(Error),
}

impl PolicyStanding {
    /// Returns whether this process may judge, publish and change sets.
    pub fn is_in_force(&self) -> bool {
        matches!(self, Self::InForce(_))
    }
}

impl App {
    /// Returns the policy in force; nothing while none was adopted.
    pub async fn policy_in_force(&self) -> Result<Option<AdoptedPolicy>> {
        Ok(self.store.policy().await?)
    }

    /// Returns whether the policy came from the configuration file of this process.
    pub fn is_policy_of_own_file(&self, policy: &AdoptedPolicy) -> bool {
        let file = policy.file.as_deref().map(Path::new);
        is_same_file(self.configured().path(), file)
    }

    /// Returns whether this process may use the policy in force. Reads a changed configuration file again, and adopts the edits
    /// of the file that the policy came from.
    pub async fn policy_standing(&self) -> Result<PolicyStanding> {
        self.read_config_if_changed().await?;
        let mut is_fresh = false;
        for _ in 0..ADOPTION_TRIES {
            let configured = self.configured();
            let in_force = self.store.policy().await?;
            let is_same = in_force
                .as_ref()
                .is_some_and(|policy| self.is_policy_of_own_file(policy));
            match policy_step(in_force.as_ref(), &configured.policy, is_same) {
                PolicyStep::Keep => return Ok(PolicyStanding::InForce(None)),
                // What this process read before may be older than what another one adopted since.
                PolicyStep::Adopt if !is_fresh => {
                    self.read_config_to_adopt().await?;
                    is_fresh = true;
                }
                PolicyStep::Refuse => {
                    let file = in_force.as_ref().and_then(|policy| policy.file.as_deref());
                    return Ok(PolicyStanding::Foreign(foreign(configured.path(), file)));
                }
                PolicyStep::Adopt => {
                    if let Some(adoption) = self.adopt(&configured, in_force.as_ref()).await? {
                        return Ok(PolicyStanding::InForce(Some(adoption)));
                    }
                    is_fresh = false;
                }
            }
        }
        Err(Error::from(StoreError::OtherPolicy).hint("try again"))
    }

    /// Returns an error unless this process may judge, publish and change sets.
    pub(super) async fn require_policy(&self) -> Result<()> {
        match self.policy_standing().await? {
            PolicyStanding::InForce(_) => Ok(()),
            PolicyStanding::Foreign(error) => Err(error),
        }
    }

    /// Puts in force what this process's configuration says, whichever file the policy came from before.
    ///
    /// # Errors
    ///
    /// Refused without a configuration file: nothing would say which verifiers count from then on.
    pub async fn adopt_policy(&self) -> Result<Adoption> {
        let configured = self.configured();
        if configured.path().is_none() {
            return Err(Error::invalid("there is no configuration file to adopt")
                .hint("name one: `gannet --config FILE config adopt`"));
        }
        for _ in 0..ADOPTION_TRIES {
            let in_force = self.store.policy().await?;
            if let Some(adoption) = self.adopt(&configured, in_force.as_ref()).await? {
                return Ok(adoption);
            }
        }
        Err(Error::from(StoreError::OtherPolicy).hint("try again"))
    }

    /// Returns nothing when another process was first.
    async fn adopt(
        &self,
        configured: &Configured,
        in_force: Option<&AdoptedPolicy>,
    ) -> Result<Option<Adoption>> {
        let file = configured.path().map(|path| path.display().to_string());
        let adoption = PolicyAdoption {
            policy: configured.policy.clone(),
            file: file.clone(),
            replaces: in_force.map_or(0, |adopted| adopted.revision),
        };
        match self.store.adopt_policy(adoption, self.stamp()).await {
            Ok((revision, changes)) => Ok(Some(Adoption {
                revision,
                file: file.unwrap_or_else(|| "no file".to_owned()),
                changes,
            })),
            Err(StoreError::OtherPolicy) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Has the configuration read again before the next pass, changed file or not: secrets and schemas may have changed beside
    /// it.
    pub fn want_reload(&self) {
        self.wants_reload.store(true, Ordering::Relaxed);
    }

    async fn read_config_if_changed(&self) -> Result<()> {
        let configured = self.configured();
        if self.wants_reload.swap(false, Ordering::Relaxed) {
            let state = FileState::of(configured.path());
            return self.read_config(state).await;
        }
        match configured.changed_file() {
            Some(state) => self.read_config(state).await,
            None => Ok(()),
        }
    }

    /// Reads the configuration once more before it is adopted.
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

    /// Exchanges the configuration for the one that is read now. One that cannot be used leaves the one before in force, and
    /// is an event.
    async fn read_config(&self, state: FileState) -> Result<()> {
        let before = self.configured();
        let problem = match self.read_anew(&before).await {
            None => return Ok(()),
            Some(Ok(config)) => {
                self.exchange(Configured::read_as(config, state));
                return self
                    .note_config(Action::ConfigReloaded, before.path(), None)
                    .await;
            }
            Some(Err(problem)) => problem,
        };
        tracing::error!("the configuration before stays in force: {problem}");
        // Said once for each state of the file.
        self.exchange(Configured::read_as(Arc::clone(&before.config), state));
        self.note_config(Action::ConfigRejected, before.path(), Some(problem))
            .await
    }

    /// Returns the configuration as its file says it now, or why that cannot be used; nothing for who does not read it again.
    async fn read_anew(
        &self,
        before: &Configured,
    ) -> Option<std::result::Result<Arc<Config>, String>> {
        let read = self.read_config.clone()?;
        let read = tokio::task::spawn_blocking(move || read()).await;
        Some(match read {
            Ok(Ok(config)) if is_same_file(config.config_file.as_deref(), before.path()) => {
                Ok(keep_folders(config, before))
            }
            Ok(Ok(_)) => Err("the configuration file is gone".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        })
    }

    async fn note_config(
        &self,
        action: Action,
        file: Option<&Path>,
        problem: Option<String>,
    ) -> Result<()> {
        let file = file.map_or_else(String::new, |file| file.display().to_string());
        let event = NewEvent {
            action,
            source_id: None,
            version_id: None,
            detail: Some(problem.unwrap_or(file)),
        };
        self.store.record_event(event, self.stamp()).await?;
        Ok(())
    }
}

/// A process keeps the folders that it was started with.
fn keep_folders(config: Config, before: &Configured) -> Arc<Config> {
    let Config {
        data_dir, log_dir, ..
    } = &*before.config;
    Arc::new(Config {
        data_dir: data_dir.clone(),
        log_dir: log_dir.clone(),
        ..config
    })
}

fn foreign(own: Option<&Path>, other: Option<&str>) -> Error {
    let own_words = own.map_or_else(
        || "this process has no configuration file".to_owned(),
        |own| format!("this process uses {}", own.display()),
    );
    let other = other.unwrap_or("a process without a configuration file");
    let message = format!(
        "the verifiers and sets of this catalogue come from {other}, but {own_words}: nothing is judged or published, and no set is changed"
    );
    let file = own.map_or_else(|| "FILE".to_owned(), |own| own.display().to_string());
    Error::invalid(message).hint(format!(
        "use `--config {other}`, or put the other configuration in force with `gannet --config {file} config adopt`"
    ))
}
