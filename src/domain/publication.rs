//! Where a source's file is published, and which version is published.

use super::credential::is_secret_name;
use super::file_name::{decode_percent, safe_part, segment_name};
use super::{Address, PublishPolicy, VersionId, VersionState};

/// The longest published path, in bytes: far below the limits of file systems, the data folder's path included.
const MAX_PATH_BYTES: usize = 1024;

/// Returns the published path for `address`, relative to `published/`: `host/folders/name`, each part safe.
///
/// A query selects the file, so it is part of the name, after `@`. From `choice` 2 on the host gets a suffix
/// (`example.org~2/a.csv`), which makes another path with the same folders and name. Folders that would make the path
/// longer than 1024 bytes are left out.
pub fn candidate_path(address: &Address, choice: u32) -> String {
    let url = address.to_url();
    let mut host = address.host().replace(':', "_").replace(['[', ']'], "");
    host = safe_part(&host).unwrap_or(host);
    if choice > 1 {
        host = format!("{host}~{choice}");
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

/// Returns whether two published paths cannot coexist: equal but for case, or one a folder of the other.
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

/// The change that a source's published file needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication {
    /// None: the file is up to date.
    Keep,
    /// Publish this version.
    Publish(VersionId),
    /// No version may be published: remove the file.
    Withdraw,
}

impl Publication {
    /// Returns the version to publish, if one is.
    pub fn version(self) -> Option<VersionId> {
        match self {
            Self::Publish(version) => Some(version),
            Self::Keep | Self::Withdraw => None,
        }
    }
}

/// The metadata of a published file: after a change of one, the content may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSeal {
    /// The file's length.
    pub size_bytes: u64,
    /// The time of its last modification, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// Its inode number.
    pub inode: u64,
}

/// Returns the change that a published file needs, given the source's versions, newest first, and the `published` one.
///
/// Published is the newest version that passed or is unverified. A published version that becomes undecided stays, and
/// is withdrawn only when it fails. With [`PublishPolicy::Newest`] the newest version is published.
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

/// Returns whether a file with the contents of a version in this state may be served. An undecided version may be
/// served only while it is the published one.
pub fn is_servable(policy: PublishPolicy, state: VersionState, is_published: bool) -> bool {
    match state {
        _ if policy == PublishPolicy::Newest => true,
        VersionState::Passed | VersionState::Unverified => true,
        VersionState::Pending | VersionState::Error => is_published,
        VersionState::Failed => false,
    }
}

impl Publication {
    /// Returns the change needed while the file at the path may differ from its record: a recorded file is written
    /// again, and an unrecorded one is removed, provided that the newest version is readable.
    #[must_use]
    pub fn while_unsure(self, published: Option<VersionId>, is_newest_known: bool) -> Self {
        match (self, published) {
            (Self::Keep, Some(version)) => Self::Publish(version),
            (Self::Keep, None) if is_newest_known => Self::Withdraw,
            (publication, _) => publication,
        }
    }
}

/// Returns the decoded query without parameters that carry secrets, since published paths are visible to everybody.
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
    use Publication::{Keep, Publish, Withdraw};
    use VersionState::{Error, Failed, Passed, Pending, Unverified};

    #[test]
    fn paths_follow_the_address() {
        for (address, choice, path) in [
            ("h.example/a/b.csv", 1, "h.example/a/b.csv"),
            ("h.example/", 1, "h.example/index"),
            ("h.example:8443/x", 2, "h.example_8443~2/x"),
            ("h.example/x?id=1&k=a%2Fb", 1, "h.example/x@id=1&k=a_b"),
            ("h/x?i=1&token=a&x=2&API-Key=${K}", 1, "h/x@i=1&x=2"),
            ("h.example/get?sig=abc", 1, "h.example/get"),
            ("h.example/%2e%2e/%2e%2e/etc", 1, "h.example/etc"),
            ("[::1]/a", 1, "__1/a"),
        ] {
            let address = format!("https://{address}");
            let address = Address::parse(&address, false).expect("an address");
            assert_eq!(candidate_path(&address, choice), path);
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
        let three = [(3, Failed), (2, Failed), (1, Passed)];
        let cases = [
            (&[(3, Passed), (2, Passed)][..], Some(2), Publish(v(3))),
            (&[(3, Failed), (2, Passed)], Some(2), Keep),
            (&[(3, Pending), (2, Passed)], Some(2), Keep),
            (&[(3, Unverified)], None, Publish(v(3))),
            (&[(3, Failed), (2, Failed)], Some(2), Withdraw),
            (&three, Some(2), Publish(v(1))),
            (&[(2, Error)], Some(2), Keep),
            (&[(2, Failed)], None, Keep),
            (&[], None, Keep),
        ];
        for (versions, published, expected) in cases {
            let states = versions.iter().map(|(id, state)| (v(*id), *state));
            let found = publication_for(PublishPolicy::Passed, states, published.map(v));
            assert_eq!(found, expected, "{versions:?}");
        }
        let newest = publication_for(PublishPolicy::Newest, [(v(2), Failed)], Some(v(1)));
        assert_eq!(newest, Publish(v(2)));
    }

    #[test]
    fn what_may_be_something_else_is_written_again_or_goes() {
        let (one, two) = (VersionId(1), VersionId(2));
        for (publication, published, is_known, expected) in [
            (Keep, Some(one), true, Publish(one)),
            (Keep, Some(one), false, Publish(one)),
            (Keep, None, true, Withdraw),
            (Keep, None, false, Keep),
            (Publish(two), Some(one), true, Publish(two)),
            (Withdraw, Some(one), true, Withdraw),
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
