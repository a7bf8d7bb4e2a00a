//! `sha256` with a companion: the content has the digest that another source's list gives for the file.
//!
//! Only a list that was fetched, or found unchanged, after the content was can fail the content: an older one may lack
//! its digest.

use std::io::{BufRead as _, BufReader};

use super::input::{PIECE_BYTES, RecordLimit, RuleFailure, RuleInput, RuleResult, bad, cannot};
use super::sums::{DigestLine, is_something_else, last_part, printed, read_line, without_dot};
use super::sums_text;
use crate::domain::{Content, Digest, decode_percent, truncate_line};
use crate::verify::{Companion, VersionFacts};

const MAX_LINE_BYTES: usize = 1 << 20;

/// Passes the content that the list names.
pub(super) fn judge(input: &RuleInput) -> RuleResult {
    let list = input.context.companion.as_ref();
    let list: &Companion = list.map_err(|why| RuleFailure::Cannot(why.clone()))?;
    let found = Digest::of_reader(&mut input.open()?)?;
    let facts = input.facts()?;
    let names = FileNames::of(facts);
    let mut against = None;
    for content in &list.lists {
        let wrong = match look_up(list, content, &names, input)? {
            None => format!("{} does not list `{}`", list.name, names.shown()),
            Some(Listed { digest, .. }) if digest == found => {
                return Ok(format!("{found}, as {} says", list.name));
            }
            Some(Listed { digest, .. }) => {
                format!("is {found}, not {digest} as {} says", list.name)
            }
        };
        against.get_or_insert(wrong);
    }
    let against = against.unwrap_or_else(|| format!("{} is not at hand", list.name));
    if list.checked_at >= facts.fetched_at {
        return bad(against);
    }
    cannot(format!(
        "{against}; judged again when {} has been fetched anew",
        list.name
    ))
}

/// How well a listed name fits the judged file, the best last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The last part of the listed name is the file's name.
    LastPart,
    /// The listed folders are also the last ones of the address.
    Folders,
    /// The listed name is the file's name, or the list is one bare digest.
    Exact,
}

struct Listed {
    fit: Fit,
    digest: Digest,
}

/// Reads the list line by line, and returns the entry that fits best.
fn look_up(
    list: &Companion,
    content: &Content,
    names: &FileNames,
    input: &RuleInput,
) -> Result<Option<Listed>, RuleFailure> {
    let cannot_read =
        |error: std::io::Error| RuleFailure::Cannot(format!("cannot read {}: {error}", list.name));
    let stream = input.open_other(content).map_err(cannot_read)?;
    let stream = sums_text::plain(stream).map_err(cannot_read)?;
    let bounded = RecordLimit::new(stream, MAX_LINE_BYTES, "line");
    let mut reader = BufReader::with_capacity(PIECE_BYTES, bounded);
    let mut line = Vec::new();
    let mut lines = Lines::default();
    while reader.read_until(b'\n', &mut line).map_err(cannot_read)? > 0 {
        reader.get_mut().done();
        lines.add(line.strip_suffix(b"\n").unwrap_or(&line), names, list)?;
        line.clear();
    }
    lines.conclude(names, list)
}

#[derive(Default)]
struct Lines {
    entries: u64,
    /// The last digest without a name.
    bare: Option<Digest>,
    best: Option<Listed>,
    /// The first line that is neither an entry nor another known form.
    unread: Option<String>,
    is_signature: bool,
}

impl Lines {
    fn add(&mut self, text: &[u8], names: &FileNames, list: &Companion) -> Result<(), RuleFailure> {
        if text.starts_with(b"-----BEGIN PGP SIGNATURE") {
            self.is_signature = true;
        } else if let Some(entry) = read_line(text) {
            self.entries += 1;
            if entry.name.is_none() {
                self.bare = Some(entry.digest);
            }
            if let Some(fit) = names.fit(&entry) {
                self.best = better(self.best.take(), fit, &entry, list)?;
            }
        } else if !self.is_signature && !is_something_else(text) {
            self.unread
                .get_or_insert_with(|| truncate_line(&printed(text)));
        }
        Ok(())
    }

    /// Returns the entry that fits best; `None` when the list has none for the file.
    fn conclude(self, names: &FileNames, list: &Companion) -> Result<Option<Listed>, RuleFailure> {
        match (self.entries, self.bare) {
            (0, _) => cannot(format!("{} lists no SHA-256 digest", list.name)),
            (1, Some(digest)) => Ok(Some(Listed {
                fit: Fit::Exact,
                digest,
            })),
            _ if self.best.is_some() => Ok(self.best),
            // The file may belong to a digest without a name, or be listed in an unreadable line.
            (_, Some(_)) => cannot(format!(
                "{} does not list `{}`, but several digests without file names",
                list.name,
                names.shown()
            )),
            _ => match self.unread {
                Some(line) => cannot(format!(
                    "{} does not list `{}`, but has an unreadable line: `{line}`",
                    list.name,
                    names.shown()
                )),
                None => Ok(None),
            },
        }
    }
}

/// Returns the entry that fits better; two that fit equally well must have the same digest.
fn better(
    best: Option<Listed>,
    fit: Fit,
    entry: &DigestLine,
    list: &Companion,
) -> Result<Option<Listed>, RuleFailure> {
    let digest = entry.digest;
    match best {
        Some(best) if best.fit > fit => Ok(Some(best)),
        Some(best) if best.fit == fit && best.digest != digest => {
            let name = entry.name.as_deref().map(printed).unwrap_or_default();
            cannot(format!(
                "{} lists more than one digest that could be meant, the second for `{}`",
                list.name,
                truncate_line(&name)
            ))
        }
        _ => Ok(Some(Listed { fit, digest })),
    }
}

/// Names under which a list may hold the judged file.
struct FileNames {
    /// The version's file name, and the last part of the address.
    names: Vec<Vec<u8>>,
    path: Vec<u8>,
}

impl FileNames {
    fn of(facts: &VersionFacts) -> Self {
        let path = path_of(&facts.address).into_bytes();
        let mut names = vec![facts.name.clone().into_bytes()];
        let last = last_part(&path);
        if !last.is_empty() && last != names[0] {
            names.push(last.to_vec());
        }
        Self { names, path }
    }

    /// Returns how well a listed name fits: unchanged, else without trailing blanks, else with the separators of
    /// Windows.
    fn fit(&self, entry: &DigestLine) -> Option<Fit> {
        let name = entry.name.as_deref()?;
        let slashes = |byte: &u8| if *byte == b'\\' { b'/' } else { *byte };
        let trimmed = name.trim_ascii_end();
        self.fit_name(name)
            .or_else(|| self.fit_name(trimmed))
            .or_else(|| self.fit_name(&trimmed.iter().map(slashes).collect::<Vec<_>>()))
    }

    fn fit_name(&self, name: &[u8]) -> Option<Fit> {
        if self.names.iter().any(|own| own == name) {
            return Some(Fit::Exact);
        }
        let name = without_dot(name);
        let folders = self.path.strip_suffix(name);
        if folders.is_some_and(|before| before.ends_with(b"/")) {
            return Some(Fit::Folders);
        }
        let last = last_part(name);
        let is_own = self.names.iter().any(|own| own == last);
        is_own.then_some(Fit::LastPart)
    }

    fn shown(&self) -> String {
        let names: Vec<_> = self.names.iter().map(|name| printed(name)).collect();
        truncate_line(&names.join("` or `"))
    }
}

/// Returns the decoded path of an address. The address is not parsed any further: it may hold `${NAME}` anywhere.
fn path_of(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let path = address.split_once("://").map_or(address, |(_, rest)| rest);
    decode_percent(path.find('/').map_or("", |at| &path[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Builtin, Sha256Rule};
    use crate::domain::VerdictOutcome::{self, Error, Failed, Passed};
    use crate::verify::builtin::tests::{Fixture, memory};

    const GOOD: &[u8] = b"good";

    fn hex(content: &[u8]) -> String {
        Digest::of(content).to_hex()
    }

    fn judged(list: &str, later_ms: i64) -> (VerdictOutcome, String) {
        let rule = Builtin::Sha256(Sha256Rule::Companion("SHA256SUMS".to_owned()));
        Fixture::beside(list.as_bytes(), later_ms).judged(&rule, GOOD)
    }

    #[test]
    fn several_digests_without_names_say_nothing() {
        let (good, other) = (hex(GOOD), hex(b"other"));
        let unnamed = "several digests without file names";
        for (list, outcome, expected) in [
            (format!("{good}\n{good}\n"), Error, unnamed),
            (format!("{good}\n{other}\n"), Error, unnamed),
            (format!("{other}\n{good}\n"), Error, unnamed),
            (format!("{good}  -\n{other}  a\n"), Error, unnamed),
            (format!("{other}\n{good}  prices.csv\n"), Passed, ""),
            (
                format!("{good}\n{other}  prices.csv\n"),
                Failed,
                "not sha256:",
            ),
        ] {
            let (found, detail) = judged(&list, 0);
            assert_eq!(found, outcome, "{list}: {detail}");
            assert!(detail.contains(expected), "{list}: {detail}");
        }
    }

    /// The judged file is `prices.csv`, at `https://example.org/files/p%20x.csv`.
    #[test]
    fn the_listed_digest_decides() {
        let (good, other) = (hex(GOOD), hex(b"other"));
        let passing = [
            format!("{other}  a\n{good} *prices.csv"),
            format!("SHA256 (prices.csv) = {good}\n"),
            format!("{good}  p x.csv\n"),
            format!("{good}  ./p x.csv\n"),
            format!("{good}  far/away/prices.csv\n"),
            good.clone(),
            format!("\u{FEFF}{good}  prices.csv\n{other}  b\n"),
            format!("{good}  -\n"),
            format!("{other}  a\n{good} *dist\\prices.csv\r\n"),
            format!("{other}  a\n{good}  prices.csv  \n"),
            format!("SHA256(prices.csv)= {good}\n"),
            format!("# of today\n\n{good}\n"),
            // The better name wins, in any order.
            format!("{other}  old/p x.csv\n{good}  files/p x.csv\n{other}  new/p x.csv\n"),
            format!("{good}  prices.csv\n{other}  files/p x.csv\n"),
            format!("{good}  a/prices.csv\n{good}  b/prices.csv\n"),
        ];
        let passing = passing.map(|list| (list, Passed, ""));
        let (neither, unlisted) = ("not sha256:", "does not list");
        let both_unlisted = "SHA256SUMS does not list `prices.csv` or `p x.csv`";
        let both_digests = format!("is sha256:{good}, not sha256:{other} as SHA256SUMS says");
        let (unreadable, none) = (
            "an unreadable line: `prices.csv: sha256 is",
            "lists no SHA-256 digest",
        );
        let signature =
            "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAdFiEE\n=x\n-----END PGP SIGNATURE-----\n";
        let line = |digest: &str, name: &str| format!("{digest}  {name}\n");
        let two = |digest: &str, name: &str, other: &str, rest: &str| {
            line(digest, name) + &line(other, rest)
        };
        let others = [
            (line(&good, "prices.csv"), Passed, "as SHA256SUMS says"),
            (line(&other, "-"), Failed, neither),
            (
                format!("SHA2-256 (prices.csv) = {other}\n"),
                Failed,
                neither,
            ),
            (
                line(&other, "a") + &format!("prices.csv: sha256 is {good}\n"),
                Error,
                unreadable,
            ),
            (line(&other, "a") + signature, Failed, unlisted),
            (
                two(&other, "prices.csv", &good, "files/p x.csv"),
                Failed,
                neither,
            ),
            (line(&good, "a"), Failed, both_unlisted),
            (line(&good, "prices.csv.sig"), Failed, unlisted),
            (line(&other, "prices.csv"), Failed, &*both_digests),
            (other.clone(), Failed, neither),
            (
                two(&good, "a/prices.csv", &other, "b/prices.csv"),
                Error,
                "the second for `b/prices.csv`",
            ),
            (String::new(), Error, none),
            ("<html>not found</html>".to_owned(), Error, none),
            ("x".repeat(2 << 20), Error, "a line is longer than 1 MiB"),
        ];
        for (list, outcome, expected) in passing.into_iter().chain(others) {
            let (found, detail) = judged(&list, 0);
            assert_eq!(found, outcome, "{list}: {detail}");
            assert!(detail.contains(expected), "{list}: {detail}");
        }
    }

    #[test]
    fn a_list_may_be_utf_16() {
        let rule = Builtin::Sha256(Sha256Rule::Companion("SHA256SUMS".to_owned()));
        for (content, outcome) in [(GOOD, Passed), (&b"other"[..], Failed)] {
            let list = format!("\u{FEFF}{}  prices.csv\r\n", hex(content));
            for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                let bytes: Vec<u8> = list.encode_utf16().flat_map(to_bytes).collect();
                let (found, detail) = Fixture::beside(&bytes, 0).judged(&rule, GOOD);
                assert_eq!(found, outcome, "{detail}");
            }
        }
    }

    #[test]
    fn an_older_list_says_nothing_against_it() {
        let (good, other) = (hex(GOOD), hex(b"other"));
        assert_eq!(judged(&format!("{good}  prices.csv"), -1).0, Passed);
        for list in [
            format!("{other}  prices.csv"),
            format!("{good}  another"),
            other,
        ] {
            let (outcome, detail) = judged(&list, -1);
            assert_eq!(outcome, Error, "{detail}");
            assert!(
                detail.ends_with("judged again when SHA256SUMS has been fetched anew"),
                "{detail}"
            );
            assert_eq!(judged(&list, 0).0, Failed);
        }
    }

    #[test]
    fn one_of_the_lists_of_its_time_is_enough() {
        let rule = Builtin::Sha256(Sha256Rule::Companion("SHA256SUMS".to_owned()));
        let (good, other) = (hex(GOOD), hex(b"other"));
        let (good, other) = (
            format!("{good}  prices.csv"),
            format!("{other}  prices.csv"),
        );
        for (newer, older, outcome) in [
            (&good, &other, Passed),
            (&other, &good, Passed),
            (&other, &other, Failed),
        ] {
            let mut known = Fixture::beside(newer.as_bytes(), 0);
            if let Ok(companion) = &mut known.context.companion {
                companion.lists.push(memory(older.as_bytes()));
            }
            assert_eq!(known.judged(&rule, GOOD).0, outcome, "{newer} {older}");
        }
    }

    #[test]
    fn without_a_list_nothing_is_said() {
        let mut known = Fixture::default();
        known.context.companion = Err("there is no source `SHA256SUMS`".to_owned());
        let (outcome, detail) = known.judged(
            &Builtin::Sha256(Sha256Rule::Companion("SHA256SUMS".to_owned())),
            GOOD,
        );
        assert_eq!(outcome, Error);
        assert_eq!(detail, "could not judge: there is no source `SHA256SUMS`");
    }

    #[test]
    fn the_path_is_that_of_the_address() {
        for (address, path) in [
            ("https://example.org/a/b%20c?x=/y", "/a/b c"),
            ("https://example.org", ""),
            ("https://example.org/${KEY}/x#/z", "/${KEY}/x"),
        ] {
            assert_eq!(path_of(address), path);
        }
    }
}
