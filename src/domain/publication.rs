//! Where a source's file is published, and which version lies there.

use super::credential::is_secret_name;
use super::file_name::{decode_percent, safe_part, segment_name};
use super::{Address, PublishPolicy, VersionId, VersionState};

/// The longest published path, in bytes: far below what systems take, the data folder before it included.
const MAX_PATH_BYTES: usize = 1024;

/// Returns the path below `published/` that `address` asks for: `host/folders/name`, each part safe.
///
/// A query is part of the name, after `@`, since it selects the file. `turn` is 1 at first; from 2 on it makes the
/// path another one by a suffix of the host (`example.org~2/a.csv`), which keeps folders and name as they are. Of a path
/// over 1024 bytes the folders that do not fit are left out.
pub fn candidate_path(address: &Address, turn: u32) -> String {
    let url = address.to_url();
    let mut host = address.host().replace(':', "_").replace(['[', ']'], "");
    host = safe_part(&host).unwrap_or(host);
    if turn > 1 {
        host = format!("{host}~{turn}");
    }
    let name = segment_name(&url);
    let query = shown_query(&url);
    let name = if query.is_empty() {
        name
    } else {
        safe_part(&format!("{name}@{query}")).unwrap_or(name)
    };
    let mut room = MAX_PATH_BYTES.saturating_sub(host.len() + 1 + name.len());
    let mut parts = vec![host];
    let segments: Vec<_> = url
        .path_segments()
        .map(Iterator::collect)
        .unwrap_or_default();
    let folders = segments.len().saturating_sub(1);
    parts.extend(
        segments[..folders]
            .iter()
            .filter_map(|segment| safe_part(&decode_percent(segment)))
            .take_while(|part| {
                let fits = part.len() < room;
                room = room.saturating_sub(part.len() + 1);
                fits
            }),
    );
    parts.push(name);
    parts.join("/")
}

/// Tells whether two published paths cannot stand side by side: the same but for case (some file systems fold it),
/// or one a folder of the other.
pub fn conflicts(one: &str, other: &str) -> bool {
    let one = one.to_lowercase();
    let other = other.to_lowercase();
    let (short, long) = if one.len() <= other.len() {
        (&one, &other)
    } else {
        (&other, &one)
    };
    long.strip_prefix(short.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What has to happen to a source's published file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication {
    /// It is right as it is.
    Keep,
    /// This version takes its place.
    Publish(VersionId),
    /// No version may be published any more: the file goes.
    Withdraw,
}

/// How a published file looks from outside: when one of these has changed, its content may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSeal {
    /// Its length.
    pub size_bytes: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// Which file it is on its file system.
    pub inode: u64,
}

/// Returns what has to happen, given the source's versions and their states, newest first, and the one that is
/// published now.
///
/// Published is the newest version that passed or is unverified; one that could not be judged (again) stays where it
/// is, and goes only when it failed. With [`PublishPolicy::Newest`] it is the newest version, whatever its state.
pub fn publication_for(
    policy: PublishPolicy,
    newest_first: impl IntoIterator<Item = (VersionId, VersionState)>,
    published: Option<VersionId>,
) -> Publication {
    for (version, state) in newest_first {
        let good = match policy {
            PublishPolicy::Newest => true,
            PublishPolicy::Passed => {
                matches!(state, VersionState::Passed | VersionState::Unverified)
            }
        };
        let undecided = matches!(state, VersionState::Pending | VersionState::Error);
        if published == Some(version) && (good || undecided) {
            return Publication::Keep;
        }
        if good {
            return Publication::Publish(version);
        }
    }
    if published.is_some() {
        Publication::Withdraw
    } else {
        Publication::Keep
    }
}

/// Tells whether a file with the contents of a version in this state may be served: one that could not be judged (again) only
/// while it is the one that is published.
pub fn is_servable(policy: PublishPolicy, state: VersionState, is_published: bool) -> bool {
    match state {
        _ if policy == PublishPolicy::Newest => true,
        VersionState::Passed | VersionState::Unverified => true,
        VersionState::Pending | VersionState::Error => is_published,
        VersionState::Failed => false,
    }
}

impl Publication {
    /// Returns what has to happen while what lies at the path may be something else than the recorded file: that is written
    /// again, and what nothing was recorded of goes, where the newest version can be read.
    #[must_use]
    pub fn while_unsure(self, published: Option<VersionId>, is_newest_known: bool) -> Self {
        match (self, published) {
            (Self::Keep, Some(version)) => Self::Publish(version),
            (Self::Keep, None) if is_newest_known => Self::Withdraw,
            (publication, _) => publication,
        }
    }
}

/// Returns the query, decoded, without the parameters that carry secrets: a published path is for everybody.
fn shown_query(url: &url::Url) -> String {
    let parts = url.query().unwrap_or_default().split('&');
    let shown = parts.filter(|part| {
        let name = part.split_once('=').map_or(*part, |(name, _)| name);
        !is_secret_name(&decode_percent(name))
    });
    decode_percent(&shown.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use VersionState::{Error, Failed, Passed, Pending, Unverified};

    #[test]
    fn paths_follow_the_address() {
        for (address, turn, path) in [
            ("https://example.org/a/b.csv", 1, "example.org/a/b.csv"),
            ("https://example.org/", 1, "example.org/index"),
            ("https://example.org:8443/x", 2, "example.org_8443~2/x"),
            (
                "https://example.org/get?id=1&k=a%2Fb",
                1,
                "example.org/get@id=1&k=a_b",
            ),
            (
                "https://example.org/get?id=1&token=abc&x=2&API-Key=${K}",
                1,
                "example.org/get@id=1&x=2",
            ),
            ("https://example.org/get?sig=abc", 1, "example.org/get"),
            (
                "https://example.org/%2e%2e/%2e%2e/etc",
                1,
                "example.org/etc",
            ),
            ("https://[::1]/a", 1, "__1/a"),
        ] {
            let address = Address::parse(address, false).expect("an address");
            assert_eq!(candidate_path(&address, turn), path);
        }
    }

    #[test]
    fn paths_and_their_parts_are_bounded() {
        let host = format!("{0}.{0}.{0}.{0}", "h".repeat(62));
        let address = format!("https://{host}:8443/{}file.csv", "folder-name/".repeat(200));
        let address = Address::parse(&address, false).expect("an address");
        let path = candidate_path(&address, 2);
        assert!((900..=1024).contains(&path.len()), "{}", path.len());
        assert!(path.ends_with("/folder-name/file.csv"), "{path}");
        assert!(path.split('/').all(|part| part.len() <= 255), "{path}");
    }

    #[test]
    fn folders_and_case_conflict_too() {
        assert!(
            conflicts("h/a", "h/a")
                && conflicts("h/A", "h/a")
                && conflicts("h/a", "h/a/b")
                && conflicts("h/a/b", "h/a")
        );
        assert!(!conflicts("h/a", "h/ab") && !conflicts("h/a", "h~2/a"));
    }

    #[test]
    fn publishes_the_newest_good_version() {
        let v = |id| VersionId(id);
        let cases = [
            (
                vec![(3, Passed), (2, Passed)],
                Some(2),
                Publication::Publish(v(3)),
            ),
            (vec![(3, Failed), (2, Passed)], Some(2), Publication::Keep),
            (vec![(3, Pending), (2, Passed)], Some(2), Publication::Keep),
            (vec![(3, Unverified)], None, Publication::Publish(v(3))),
            (
                vec![(3, Failed), (2, Failed)],
                Some(2),
                Publication::Withdraw,
            ),
            (
                vec![(3, Failed), (2, Failed), (1, Passed)],
                Some(2),
                Publication::Publish(v(1)),
            ),
            (vec![(2, Error)], Some(2), Publication::Keep),
            (vec![(2, Failed)], None, Publication::Keep),
            (vec![], None, Publication::Keep),
        ];
        for (versions, published, expected) in cases {
            let states = versions.iter().map(|(id, state)| (v(*id), *state));
            assert_eq!(
                publication_for(PublishPolicy::Passed, states, published.map(v)),
                expected,
                "{versions:?}"
            );
        }
        assert_eq!(
            publication_for(PublishPolicy::Newest, [(v(2), Failed)], Some(v(1))),
            Publication::Publish(v(2))
        );
    }

    #[test]
    fn what_may_be_something_else_is_written_again_or_goes() {
        let (one, two) = (VersionId(1), VersionId(2));
        for (publication, published, is_known, expected) in [
            (
                Publication::Keep,
                Some(one),
                true,
                Publication::Publish(one),
            ),
            (
                Publication::Keep,
                Some(one),
                false,
                Publication::Publish(one),
            ),
            (Publication::Keep, None, true, Publication::Withdraw),
            (Publication::Keep, None, false, Publication::Keep),
            (
                Publication::Publish(two),
                Some(one),
                true,
                Publication::Publish(two),
            ),
            (
                Publication::Withdraw,
                Some(one),
                true,
                Publication::Withdraw,
            ),
        ] {
            let found = publication.while_unsure(published, is_known);
            assert_eq!(found, expected, "{publication:?} {published:?}");
        }
    }

    #[test]
    fn what_failed_is_not_served_and_what_is_undecided_only_where_it_is_published() {
        for (state, elsewhere, published) in [
            (Passed, true, true),
            (Unverified, true, true),
            (Pending, false, true),
            (Error, false, true),
            (Failed, false, false),
        ] {
            let passed = PublishPolicy::Passed;
            assert_eq!(is_servable(passed, state, false), elsewhere, "{state}");
            assert_eq!(is_servable(passed, state, true), published, "{state}");
            assert!(is_servable(PublishPolicy::Newest, state, false), "{state}");
        }
    }
}
