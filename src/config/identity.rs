//! Who acts: the account and the machine, as events record them. Never a credential.

use crate::domain::Actor;

use super::Environment;

/// The account and the machine of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    user: String,
    host: String,
}

impl Identity {
    /// Returns the process's identity. The account is `USER`, `LOGNAME`, the name in `/etc/passwd`, or the user id.
    pub fn of(environment: &Environment) -> Self {
        let named = ["USER", "LOGNAME"]
            .into_iter()
            .filter_map(|name| environment.get(name)?.to_str().map(printable))
            .find(|name| !name.is_empty());
        Self {
            user: named.unwrap_or_else(account),
            host: host(environment),
        }
    }

    /// Returns the account and the machine: `joe@host`.
    pub fn account(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }

    /// Returns the actor of what a person does through a face: `joe@host by cli`.
    pub fn operator(&self, face: &str) -> Actor {
        Actor(format!("{} by {face}", self.account()))
    }

    /// Returns the actor of what the worker does on its own: `worker@host`.
    pub fn worker(&self) -> Actor {
        Actor(format!("worker@{}", self.host))
    }
}

#[cfg(unix)]
fn account() -> String {
    let number = || format!("uid{}", rustix::process::getuid().as_raw());
    super::account::own().map_or_else(number, |account| printable(&account.name))
}

#[cfg(not(unix))]
fn account() -> String {
    "unknown".to_owned()
}

#[cfg(unix)]
fn host(_environment: &Environment) -> String {
    let uname = rustix::system::uname();
    let name = printable(&uname.nodename().to_string_lossy());
    if name.is_empty() {
        "localhost".to_owned()
    } else {
        name
    }
}

#[cfg(not(unix))]
fn host(environment: &Environment) -> String {
    let name = environment
        .get("COMPUTERNAME")
        .and_then(|name| name.to_str());
    name.map(printable)
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// Removes characters that could break a line of the log.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_user_host_and_face() {
        let joe = Identity::of(&Environment::new(
            [("USER", "jo\ne"), ("LOGNAME", "other")],
            None,
        ));
        assert_eq!(joe.operator("cli").0, format!("joe@{} by cli", joe.host));
        assert_eq!(joe.worker().0, format!("worker@{}", joe.host));
        let logname = Identity::of(&Environment::new([("USER", ""), ("LOGNAME", "ann")], None));
        assert_eq!(logname.user, "ann");
        let nobody = Identity::of(&Environment::default());
        assert!(!nobody.user.is_empty());
    }
}
