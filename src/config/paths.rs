//! Paths in a configuration: relative to the configuration's folder, or after `~/` to the account's home.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Environment, account};

/// The folders from which paths start.
#[derive(Clone, Copy)]
pub(super) struct Paths<'a> {
    /// The folder of the configuration file.
    pub(super) folder: &'a Path,
    /// The home for `~` in paths of the policy; `None` if the owner's account is not listed.
    pub(super) owner_home: Option<&'a Path>,
    pub(super) environment: &'a Environment,
}

impl Paths<'_> {
    /// Returns the path for `text`, or why there is none.
    pub(super) fn resolve(&self, text: &str) -> Result<PathBuf, String> {
        if text.is_empty() {
            return Err("expected a path, found nothing in the quotes".to_owned());
        }
        Ok(self.folder.join(expand(Path::new(text), self.environment)?))
    }

    /// Returns the path for `text` in the policy, which must be the same for every reader of the file: `~` is the home
    /// of the file's owner, whatever `HOME` is.
    pub(super) fn resolve_for_all(&self, text: &str) -> Result<PathBuf, String> {
        match (self.owner_home, Path::new(text).strip_prefix("~")) {
            (Some(home), Ok(rest)) => Ok(home.join(rest)),
            _ => self.resolve(text),
        }
    }
}

/// Returns the home of a file's owner, from the system's list of accounts. A file owned by root may serve other
/// accounts: `~` is then the home of the reading account.
pub(super) fn home_of_owner(file: &Path) -> Option<PathBuf> {
    let owner = std::fs::metadata(file).ok()?.uid();
    let owner = account::of(owner).filter(|_| owner != 0);
    owner.or_else(account::own).map(|account| account.home)
}

/// Replaces a leading `~` by the account's home.
pub(super) fn expand(path: &Path, environment: &Environment) -> Result<PathBuf, String> {
    let mut parts = path.components();
    let first = parts.next().map(|part| part.as_os_str().to_string_lossy());
    match first.as_deref() {
        Some("~") => {
            let of_account = || account::own().map(|account| account.home);
            let home = environment.path("HOME").or_else(of_account);
            let home = home
                .ok_or_else(|| format!("`{}`: this account has no home folder", path.display()))?;
            Ok(home.join(parts.as_path()))
        }
        Some(other) if other.starts_with('~') => Err(format!(
            "`{}`: only `~/` stands for a home folder; write the other one out, or `./{}` for a folder of that name",
            path.display(),
            path.display()
        )),
        _ => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_and_nothing_else_is() {
        let environment = Environment::new([("HOME", "/home/joe")], None);
        let paths = Paths {
            folder: Path::new("/etc/gannet"),
            owner_home: None,
            environment: &environment,
        };
        for (text, expected) in [
            ("~/data", Ok("/home/joe/data")),
            ("~", Ok("/home/joe")),
            ("data", Ok("/etc/gannet/data")),
            ("./~joe", Ok("/etc/gannet/./~joe")),
            ("a/~/b", Ok("/etc/gannet/a/~/b")),
            ("/a~", Ok("/a~")),
            ("~joe/data", Err("only `~/` stands for a home folder")),
        ] {
            match (paths.resolve(text), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, Path::new(expected), "{text}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn what_is_part_of_the_policy_is_one_path_for_every_account() {
        for home in ["/home/joe", "/root"] {
            let environment = Environment::new([("HOME", home)], None);
            let of_owner = |owner_home| Paths {
                folder: Path::new("/etc/gannet"),
                owner_home,
                environment: &environment,
            };
            let joes = of_owner(Some(Path::new("/home/joe")));
            for (text, expected) in [
                ("~/check", "/home/joe/check"),
                ("~", "/home/joe/"),
                ("bin/check", "/etc/gannet/bin/check"),
                ("/bin/check", "/bin/check"),
            ] {
                let found = joes.resolve_for_all(text).expect("a path");
                assert_eq!(found, Path::new(expected), "{text}, HOME={home}");
            }
            let found = of_owner(None).resolve_for_all("~/check").expect("a path");
            assert_eq!(found, Path::new(home).join("check"));
            let error = joes.resolve_for_all("~ann/check").expect_err("no path");
            assert!(error.contains("only `~/` stands for a home folder"));
        }
    }
}
