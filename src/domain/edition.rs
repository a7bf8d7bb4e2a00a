//! Sets: sources that are judged and published together. An edition is one combination of their members' versions.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};

use super::{Digest, EditionId, NewVerdict, SourceId, VerdictId, VersionId, VersionState};

/// One combination of versions of a set's members, as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// Which edition.
    pub id: EditionId,
    /// Of which set.
    pub set: String,
    /// When it was put together.
    pub at: DateTime<Utc>,
    /// What its verdicts say.
    pub state: VersionState,
    /// The revision of the policy under which the state was reached; nothing where none was adopted, or when an older gannet recorded it.
    pub policy_revision: Option<i64>,
    /// What tells one combination from another.
    pub key: Digest,
    /// The members, by name.
    pub members: Vec<EditionMember>,
}

/// One file of an edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionMember {
    /// Of which source.
    pub source_id: SourceId,
    /// Which version of it.
    pub version_id: VersionId,
    /// What the source was called then, and its file in the edition but for the separators.
    pub name: String,
}

/// A verdict on an edition as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionVerdict {
    /// Which verdict.
    pub id: VerdictId,
    /// On which edition.
    pub edition_id: EditionId,
    /// What was recorded.
    pub verdict: NewVerdict,
    /// Who ran the verifier or gave the verdict.
    pub actor: String,
    /// The edition with the same contents on which it was given; nothing when that is this one.
    pub given_on: Option<EditionId>,
}

/// Where a member of a set stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberNow {
    /// Which source.
    pub source_id: SourceId,
    /// What it is called.
    pub name: String,
    /// Its newest version, of a disabled source its newest good one, with the state that its own verifiers give it.
    pub newest: Option<(VersionId, VersionState)>,
    /// Whether it is due.
    pub due: bool,
    /// Whether a worker is at it.
    pub claimed: bool,
    /// Failed attempts since the last good one.
    pub failures: u32,
}

/// What keeps a set from being judged; each names the member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// The configuration names it since the last pass.
    Unseen,
    /// Its members stand ready since the last pass, in a combination that was not judged.
    Unjudged,
    /// The policy in force has no such set any more.
    Ended,
    /// The set has no member that is enabled or has a version that could be published.
    Empty,
    /// A member is due, and would be another version in a moment.
    Due(String),
    /// A worker is at a member.
    Claimed(String),
    /// The last attempt at a member failed.
    Failing(String),
    /// A member was never fetched.
    NoVersion(String),
    /// The newest version of a member is not one that could be published by itself.
    NotGood(String, VersionState),
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unseen => f.write_str("no pass has looked at it yet"),
            Self::Unjudged => f.write_str("the next pass judges it"),
            Self::Ended => f.write_str(
                "no verifier judges it as a set any more; its folder goes when its members lie at their own paths",
            ),
            Self::Empty => f.write_str(
                "it has no members: no source with its tag is enabled or has a good version",
            ),
            Self::Due(name) => write!(f, "{name} is due"),
            Self::Claimed(name) => write!(f, "{name} is being fetched"),
            Self::Failing(name) => write!(f, "the last attempt at {name} failed"),
            Self::NoVersion(name) => write!(f, "{name} has no version yet"),
            Self::NotGood(name, state) => write!(f, "the newest version of {name} is {state}"),
        }
    }
}

/// Returns the combination of a set whose members all stand ready, by name; else what it waits for first.
pub fn ready_to_judge(members: &[MemberNow]) -> Result<Vec<EditionMember>, NotReady> {
    if members.is_empty() {
        return Err(NotReady::Empty);
    }
    let mut combination = members
        .iter()
        .map(|member| {
            let name = || member.name.clone();
            if member.claimed {
                return Err(NotReady::Claimed(name()));
            }
            // One that fails is due again sooner or later; that it failed says more.
            if member.failures > 0 {
                return Err(NotReady::Failing(name()));
            }
            if member.due {
                return Err(NotReady::Due(name()));
            }
            match member.newest {
                None => Err(NotReady::NoVersion(name())),
                Some((version_id, VersionState::Passed | VersionState::Unverified)) => {
                    Ok(EditionMember {
                        source_id: member.source_id,
                        version_id,
                        name: name(),
                    })
                }
                Some((_, state)) => Err(NotReady::NotGood(name(), state)),
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    combination.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(combination)
}

/// Returns the newest versions of a set's members, whether they stand ready or not; nothing when one has no version.
pub fn newest_combination(members: &[MemberNow]) -> Option<Vec<EditionMember>> {
    let member = |member: &MemberNow| {
        let (version_id, _) = member.newest?;
        Some(EditionMember {
            source_id: member.source_id,
            version_id,
            name: member.name.clone(),
        })
    };
    members.iter().map(member).collect()
}

/// Returns what tells one combination from another: which versions of which sources, under which names.
pub fn combination_key(members: &[EditionMember]) -> Digest {
    let mut lines: Vec<_> = members
        .iter()
        .map(|member| {
            let (source, version) = (member.source_id, member.version_id);
            // No name has a line break.
            format!("{source} {version} {}\n", member.name)
        })
        .collect();
    lines.sort();
    Digest::of(lines.concat().as_bytes())
}

/// Returns what tells the files of one edition from those of another: which content lies under which name.
pub fn files_key<'a>(files: impl IntoIterator<Item = (&'a str, Digest)>) -> Digest {
    let lines = files.into_iter();
    // No name has a line break.
    let mut lines: Vec<_> = lines
        .map(|(name, digest)| format!("{digest} {name}\n"))
        .collect();
    lines.sort();
    Digest::of(lines.concat().as_bytes())
}

/// What is to be done about a set whose members stand ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetStep {
    /// This combination was judged.
    Nothing,
    /// A new edition is judged.
    Judge,
    /// The newest edition, which is still undecided, is judged again.
    JudgeAgain(EditionId),
}

/// Returns what is to be done about the combination `key`, given the newest edition; one that is undecided is judged again
/// only when `again` says that it is time.
pub fn set_step(key: Digest, newest: Option<&Edition>, again: bool) -> SetStep {
    match newest {
        Some(newest) if newest.key == key => match newest.state {
            VersionState::Pending | VersionState::Error if again => SetStep::JudgeAgain(newest.id),
            _ => SetStep::Nothing,
        },
        _ => SetStep::Judge,
    }
}

/// What has to happen to a set's published folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetPublication {
    /// It is right as it is.
    Keep,
    /// This edition takes its place.
    Publish(EditionId),
    /// No edition may be published any more: the link goes.
    Withdraw,
}

/// An edition as what it may be published by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EditionCandidate {
    /// Which edition.
    pub id: EditionId,
    /// What its own verdicts say.
    pub state: VersionState,
    /// Whether the version of a member has failed since.
    pub has_failed_member: bool,
}

/// Returns what has to happen, given the set's editions, newest first, and the one that is published now.
///
/// Published is the newest edition that passed (or that only advisory verifiers judge) and none of whose members has
/// failed since. One that could not be judged again stays where it is.
pub fn edition_to_publish(
    newest_first: impl IntoIterator<Item = EditionCandidate>,
    published: Option<EditionId>,
) -> SetPublication {
    for edition in newest_first {
        if edition.has_failed_member {
            continue;
        }
        let good = matches!(
            edition.state,
            VersionState::Passed | VersionState::Unverified
        );
        let undecided = matches!(edition.state, VersionState::Pending | VersionState::Error);
        if published == Some(edition.id) && (good || undecided) {
            return SetPublication::Keep;
        }
        if good {
            return SetPublication::Publish(edition.id);
        }
    }
    if published.is_some() {
        SetPublication::Withdraw
    } else {
        SetPublication::Keep
    }
}

/// Returns the file name of each member in a set's folder: the source's name, with `_` for each `/`. The error names two
/// sources whose files would be the same one, on file systems that fold case too.
pub fn set_file_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut taken: HashMap<String, &str> = HashMap::new();
    let mut files = Vec::new();
    for name in names {
        let file = name.replace('/', "_");
        if matches!(file.as_str(), "" | "." | "..") || file.contains('\0') {
            return Err(format!("`{}` cannot be a file's name", name.escape_debug()));
        }
        if let Some(other) = taken.insert(file.to_lowercase(), name) {
            return Err(format!(
                "the files of {other} and {name} would both be {file}"
            ));
        }
        files.push(file);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use VersionState::{Error, Failed, Passed, Pending, Unverified};

    fn member(id: i64, name: &str) -> MemberNow {
        MemberNow {
            source_id: SourceId(id),
            name: name.to_owned(),
            newest: Some((VersionId(id * 10), Passed)),
            due: false,
            claimed: false,
            failures: 0,
        }
    }

    #[test]
    fn a_set_waits_for_every_member() {
        let good = || member(1, "sums");
        let data = || member(2, "data");
        let waits = |member: MemberNow, expected: NotReady| {
            for members in [[good(), member.clone()], [member, good()]] {
                assert_eq!(ready_to_judge(&members), Err(expected.clone()));
            }
        };
        let name = || "data".to_owned();
        let due = MemberNow {
            due: true,
            ..data()
        };
        waits(due.clone(), NotReady::Due(name()));
        let failing = MemberNow { failures: 2, ..due };
        waits(failing, NotReady::Failing(name()));
        let claimed = MemberNow {
            claimed: true,
            ..data()
        };
        waits(claimed, NotReady::Claimed(name()));
        let never = MemberNow {
            newest: None,
            ..data()
        };
        waits(never, NotReady::NoVersion(name()));
        for state in [Failed, Error, Pending] {
            let newest = Some((VersionId(20), state));
            waits(
                MemberNow { newest, ..data() },
                NotReady::NotGood(name(), state),
            );
        }
        assert_eq!(ready_to_judge(&[]), Err(NotReady::Empty));
    }

    #[test]
    fn a_ready_set_is_its_newest_versions_by_name() {
        let newest = Some((VersionId(21), Unverified));
        let members = [
            member(1, "sums"),
            MemberNow {
                newest,
                ..member(2, "data")
            },
        ];
        let ready = ready_to_judge(&members).expect("ready");
        let ids: Vec<_> = ready
            .iter()
            .map(|m| (m.name.as_str(), m.version_id.0))
            .collect();
        assert_eq!(ids, [("data", 21), ("sums", 10)]);
        let mut turned = ready.clone();
        turned.reverse();
        assert_eq!(combination_key(&ready), combination_key(&turned));
        for change in [
            |m: &mut EditionMember| m.version_id = VersionId(22),
            |m: &mut EditionMember| m.source_id = SourceId(9),
            |m: &mut EditionMember| m.name = "other".to_owned(),
        ] {
            let mut other = ready.clone();
            change(&mut other[0]);
            assert_ne!(combination_key(&ready), combination_key(&other));
        }
    }

    #[test]
    fn a_combination_is_judged_once_and_again_while_undecided() {
        let (key, other) = (Digest::of(b"a"), Digest::of(b"b"));
        let edition = |state| Edition {
            id: EditionId(7),
            set: "release".to_owned(),
            at: DateTime::UNIX_EPOCH,
            state,
            policy_revision: None,
            key,
            members: Vec::new(),
        };
        for (state, again, expected) in [
            (Passed, true, SetStep::Nothing),
            (Unverified, true, SetStep::Nothing),
            (Failed, true, SetStep::Nothing),
            (Pending, true, SetStep::JudgeAgain(EditionId(7))),
            (Error, true, SetStep::JudgeAgain(EditionId(7))),
            (Pending, false, SetStep::Nothing),
            (Error, false, SetStep::Nothing),
        ] {
            assert_eq!(
                set_step(key, Some(&edition(state)), again),
                expected,
                "{state}"
            );
            assert_eq!(
                set_step(other, Some(&edition(state)), false),
                SetStep::Judge
            );
        }
        assert_eq!(set_step(key, None, false), SetStep::Judge);
    }

    #[test]
    fn publishes_the_newest_edition_that_is_good_through_and_through() {
        let keep = SetPublication::Keep;
        let publish = |id| SetPublication::Publish(EditionId(id));
        // Editions newest first, `true` when a member has failed since.
        for (editions, published, expected) in [
            (
                vec![(3, Passed, false), (2, Passed, false)],
                Some(2),
                publish(3),
            ),
            (vec![(3, Passed, false)], Some(3), keep),
            (vec![(3, Failed, false), (2, Passed, false)], Some(2), keep),
            (vec![(3, Pending, false), (2, Passed, false)], Some(2), keep),
            (vec![(3, Unverified, false)], None, publish(3)),
            (
                vec![(3, Passed, true), (2, Passed, false)],
                Some(3),
                publish(2),
            ),
            (
                vec![(3, Passed, true), (2, Failed, false)],
                Some(3),
                SetPublication::Withdraw,
            ),
            (vec![(3, Error, false), (2, Passed, false)], Some(3), keep),
            (
                vec![(3, Error, true), (2, Passed, false)],
                Some(3),
                publish(2),
            ),
            (vec![(3, Error, false)], None, keep),
            (vec![(3, Failed, false)], Some(3), SetPublication::Withdraw),
            (vec![], Some(3), SetPublication::Withdraw),
            (vec![], None, keep),
        ] {
            let candidates =
                editions
                    .iter()
                    .map(|(id, state, has_failed_member)| EditionCandidate {
                        id: EditionId(*id),
                        state: *state,
                        has_failed_member: *has_failed_member,
                    });
            let published = published.map(EditionId);
            assert_eq!(
                edition_to_publish(candidates, published),
                expected,
                "{editions:?}"
            );
        }
    }

    #[test]
    fn files_are_called_as_their_sources() {
        let files = |names: &[&str]| set_file_names(names.iter().copied());
        assert_eq!(
            files(&["a/b.csv", "SHA256SUMS"]),
            Ok(vec!["a_b.csv".to_owned(), "SHA256SUMS".to_owned()])
        );
        assert_eq!(
            files(&["a/b", "a_b"]),
            Err("the files of a/b and a_b would both be a_b".to_owned())
        );
        assert_eq!(
            files(&["A", "a"]),
            Err("the files of A and a would both be a".to_owned())
        );
        assert!(files(&[".."]).is_err());
    }
}
