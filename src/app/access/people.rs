//! People: added, changed, and found by their password.

use secrecy::SecretString;

use crate::app::sources::suggest::no_such_name;
use crate::app::{App, Error, ErrorKind, Result};
use crate::domain::{MAX_ACCESS_NAME, Person, Role, is_access_name, masked};
use crate::store::{People, PersonChange, PersonNamed};

impl App {
    /// Adds a person who may sign in.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a bad name or password, [`ErrorKind::Conflict`] for a name that somebody has.
    pub async fn add_person(&self, name: &str, role: Role, password: SecretString) -> Result<()> {
        self.check_new_person(name).await?;
        let password_hash = self.password_hash(password).await?;
        let add = PersonChange::Add {
            role,
            password_hash,
        };
        if self.change_person(name, add).await? {
            return Ok(());
        }
        Err(taken(name))
    }

    /// Refuses a name that a new person cannot have, or that somebody has.
    pub async fn check_new_person(&self, name: &str) -> Result<()> {
        check_name(name, "a person")?;
        if self.people().await?.iter().any(|one| one.name == name) {
            return Err(taken(name));
        }
        Ok(())
    }

    /// Sets another password, and ends the person's sessions.
    pub async fn set_password(&self, name: &str, password: SecretString) -> Result<()> {
        self.person(name).await?;
        let hash = self.password_hash(password).await?;
        self.change_existing(name, PersonChange::Password(hash))
            .await
    }

    /// Gives a person another role, which holds from their next request on.
    pub async fn set_role(&self, name: &str, role: Role) -> Result<()> {
        self.change_existing(name, PersonChange::Role(role)).await
    }

    /// Keeps a person from signing in, and ends their sessions.
    pub async fn disable_person(&self, name: &str) -> Result<()> {
        self.change_existing(name, PersonChange::Disabled(true))
            .await
    }

    /// Lets a disabled person sign in again.
    pub async fn enable_person(&self, name: &str) -> Result<()> {
        self.change_existing(name, PersonChange::Disabled(false))
            .await
    }

    /// Returns all people by name, disabled ones included.
    pub async fn people(&self) -> Result<Vec<Person>> {
        self.read(People).await
    }

    /// Returns the person of this name. The error for an unknown name suggests the nearest.
    pub async fn person(&self, name: &str) -> Result<Person> {
        match self.read(PersonNamed(name.to_owned())).await? {
            Some(known) => Ok(known.person),
            None => Err(self.no_such_person(name).await),
        }
    }

    /// Reports whether anybody may sign in.
    pub async fn has_people(&self) -> Result<bool> {
        Ok(self.people().await?.iter().any(|one| !one.disabled))
    }

    /// Returns the person of this name and password. `None` for an unknown or disabled name and for a wrong password, after
    /// the same work; a person whose row is damaged counts as unknown, and the row is noted.
    pub async fn person_by_password(
        &self,
        name: &str,
        password: SecretString,
    ) -> Result<Option<Person>> {
        let found = self.read(PersonNamed(name.to_owned())).await;
        let known = self.unless_damaged(found)?.flatten();
        let known = known.filter(|known| !known.person.disabled);
        let (person, hash) = known
            .map(|known| (known.person, known.password_hash))
            .unzip();
        let fits = self.fits_password(password, hash).await?;
        Ok(person.filter(|_| fits))
    }

    async fn change_existing(&self, name: &str, change: PersonChange) -> Result<()> {
        if self.change_person(name, change).await? {
            return Ok(());
        }
        Err(self.no_such_person(name).await)
    }

    async fn change_person(&self, name: &str, change: PersonChange) -> Result<bool> {
        let changed = self
            .ports
            .store
            .change_person(name.to_owned(), change, self.stamp());
        Ok(changed.await?)
    }

    async fn no_such_person(&self, name: &str) -> Error {
        match self.people().await {
            Ok(people) => {
                let names = people.iter().map(|one| one.name.as_str());
                no_such_name("person", name, names, "`gannet user list` shows all")
            }
            Err(error) => error,
        }
    }
}

fn taken(name: &str) -> Error {
    let message = format!("there is a person called {name} already");
    Error::new(ErrorKind::Conflict, message).hint(format!(
        "`gannet user passwd {name}` sets another password, `gannet user role {name} ROLE` another role"
    ))
}

/// Refuses a name that a person or token cannot have.
pub fn check_name(name: &str, of: &str) -> Result<()> {
    if is_access_name(name) {
        return Ok(());
    }
    let shown = masked(name);
    let shown = shown.escape_debug();
    Err(Error::invalid(format!(
        "`{shown}` cannot be the name of {of}: it takes 1 to {MAX_ACCESS_NAME} of the characters a-z 0-9 . _ -, the first a letter or digit"
    )))
}
