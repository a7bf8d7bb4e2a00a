//! Looks up an account in the system's list, `/etc/passwd`. Accounts of a directory service are not in it.

use std::path::PathBuf;

/// The name and the home folder of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) home: PathBuf,
}

/// Returns the account that this process runs as, if it is in `/etc/passwd`.
pub(super) fn own() -> Option<Account> {
    of(rustix::process::getuid().as_raw())
}

/// Returns the account with this user id, if it is in `/etc/passwd`.
pub(super) fn of(number: u32) -> Option<Account> {
    let list = std::fs::read_to_string("/etc/passwd").ok()?;
    find(&list, number)
}

fn find(list: &str, number: u32) -> Option<Account> {
    list.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let [name, _, found, _, _, home, ..] = fields[..] else {
            return None;
        };
        let is_own = found.parse() == Ok(number) && !name.is_empty();
        is_own.then(|| Account {
            name: name.to_owned(),
            home: PathBuf::from(home),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_number() {
        let list = "# a comment\nroot:x:0:0:root:/root:/bin/sh\nbroken:x:7\njoe:x:1000:1000:Joe,,,:/home/joe:/bin/sh\n";
        for (number, expected) in [
            (0, Some(("root", "/root"))),
            (1000, Some(("joe", "/home/joe"))),
            (7, None),
            (8, None),
        ] {
            let found = find(list, number);
            let found = found.as_ref().map(|account| {
                let home = account.home.to_str().expect("text");
                (account.name.as_str(), home)
            });
            assert_eq!(found, expected, "{number}");
        }
    }
}
