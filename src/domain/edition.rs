//! Sets of sources that are judged and published together. An edition is one combination of their members' versions.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};

use super::{Digest, EditionId, NewVerdict, SourceId, VerdictId, VersionId, VersionState};

/// An edition of a set as the store records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// The edition's id.
    pub id: EditionId,
    /// The name of the set.
    pub set: String,
    /// When the combination was made.
    pub at: DateTime<Utc>,
    /// The state that the verdicts on the edition give it.
    pub state: VersionState,
    /// The revision of the policy under which the state was derived; `None` without a policy, or by an older gannet.
    pub policy_revision: Option<i64>,
    /// The digest that identifies the combination ([`combination_key`]).
    pub key: Digest,
    /// The members, ordered by name.
    pub members: Vec<EditionMember>,
}

/// One member of an edition: a source's version, which is one file in the set's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionMember {
    /// The source.
    pub source_id: SourceId,
    /// The source's version.
    pub version_id: VersionId,
    /// The source's name at that time; the file's name too, but for separators.
    pub name: String,
}

/// A verdict on an edition as the store records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionVerdict {
    /// The verdict's id.
    pub id: VerdictId,
    /// The edition that was judged.
    pub edition_id: EditionId,
    /// What was recorded.
    pub verdict: NewVerdict,
    /// Who ran the verifier or gave the verdict.
    pub actor: String,
    /// The edition with the same contents for which the verdict was given first; `None` when that is this edition.
    pub given_on: Option<EditionId>,
}

/// The present state of one member of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetMember {
    /// The source.
    pub source_id: SourceId,
    /// The source's name.
    pub name: String,
    /// The newest version (of a disabled source, the newest good one), with the state by the source's own verifiers.
    pub newest: Option<(VersionId, VersionState)>,
    /// Whether the source is due.
    pub due: bool,
    /// Whether a worker has claimed the source.
    pub claimed: bool,
    /// Failed attempts in a row.
    pub failures: u32,
}

/// Why a set cannot be judged; variants about a member carry its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetBlocked {
    /// The configuration declares the set since the last pass.
    Unseen,
    /// The members are ready since the last pass, in a combination that was not judged yet.
    Unjudged,
    /// The policy in force no longer declares the set.
    Ended,
    /// No member of the set is enabled or has a publishable version.
    Empty,
    /// A member is due, so its newest version may change in a moment.
    Due(String),
    /// A worker has claimed a member.
    Claimed(String),
    /// The last attempt at a member failed.
    Failing(String),
    /// A member has no version yet.
    NoVersion(String),
    /// The newest version of a member could not be published on its own.
    NotGood(String, VersionState),
}

impl fmt::Display for SetBlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unseen => f.write_str("no pass has looked at it yet"),
            Self::Unjudged => f.write_str("the next pass judges it"),
            Self::Ended => f.write_str(
                "no verifier judges it as a set any more; its folder is removed once its members are published at their own paths",
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

/// Returns the combination to judge, ordered by name, once every member is ready; else the first reason to wait.
pub fn ready_to_judge(members: &[SetMember]) -> Result<Vec<EditionMember>, SetBlocked> {
    if members.is_empty() {
        return Err(SetBlocked::Empty);
    }
    let mut combination = members
        .iter()
        .map(|member| {
            let name = || member.name.clone();
            if member.claimed {
                return Err(SetBlocked::Claimed(name()));
            }
            // A failing member is due again sooner or later; the failure is the better reason.
            if member.failures > 0 {
                return Err(SetBlocked::Failing(name()));
            }
            if member.due {
                return Err(SetBlocked::Due(name()));
            }
            match member.newest {
                None => Err(SetBlocked::NoVersion(name())),
                Some((version_id, VersionState::Passed | VersionState::Unverified)) => {
                    Ok(EditionMember {
                        source_id: member.source_id,
                        version_id,
                        name: name(),
                    })
                }
                Some((_, state)) => Err(SetBlocked::NotGood(name(), state)),
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    combination.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(combination)
}

/// Returns the newest versions of a set's members, ready or not; `None` when a member has no version.
pub fn newest_combination(members: &[SetMember]) -> Option<Vec<EditionMember>> {
    let member = |member: &SetMember| {
        let (version_id, _) = member.newest?;
        Some(EditionMember {
            source_id: member.source_id,
            version_id,
            name: member.name.clone(),
        })
    };
    members.iter().map(member).collect()
}

/// Returns the digest that identifies a combination: which versions of which sources, under which names.
pub fn combination_key(members: &[EditionMember]) -> Digest {
    let mut lines: Vec<_> = members
        .iter()
        .map(|member| {
            let (source, version) = (member.source_id, member.version_id);
            // A name holds no line break.
            format!("{source} {version} {}\n", member.name)
        })
        .collect();
    lines.sort();
    Digest::of(lines.concat().as_bytes())
}

/// Returns the digest that identifies the files of an edition: which content has which name.
pub fn files_key<'a>(files: impl IntoIterator<Item = (&'a str, Digest)>) -> Digest {
    let lines = files.into_iter();
    // A name holds no line break.
    let mut lines: Vec<_> = lines
        .map(|(name, digest)| format!("{digest} {name}\n"))
        .collect();
    lines.sort();
    Digest::of(lines.concat().as_bytes())
}

/// The next step for a set whose members are ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetStep {
    /// The combination was judged already.
    Nothing,
    /// Judge the combination as a new edition.
    Judge,
    /// Judge the newest edition, which is undecided, again.
    JudgeAgain(EditionId),
}

/// Returns the next step for the combination `key`, given the newest edition. An undecided edition is judged again
/// only when `again` is set.
pub fn set_step(key: Digest, newest: Option<&Edition>, again: bool) -> SetStep {
    match newest {
        Some(newest) if newest.key == key => match newest.state {
            VersionState::Pending | VersionState::Error if again => SetStep::JudgeAgain(newest.id),
            _ => SetStep::Nothing,
        },
        _ => SetStep::Judge,
    }
}

/// The change that a set's published folder needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetPublication {
    /// None: the folder is up to date.
    Keep,
    /// Publish this edition.
    Publish(EditionId),
    /// No edition may be published: remove the link.
    Withdraw,
}

/// An edition that may be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EditionCandidate {
    /// The edition's id.
    pub id: EditionId,
    /// The state that the verdicts on the edition give it.
    pub state: VersionState,
    /// Whether the version of a member has failed since the edition was judged.
    pub has_failed_member: bool,
}

/// Returns the change that a set's folder needs, given its editions, newest first, and the `published` one.
///
/// Published is the newest edition that passed (or that only advisory verifiers judge) without a member that failed
/// since. A published edition that becomes undecided stays published.
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

/// Returns the file name of each member in a set's folder: the source's name with `_` for each `/` and without leading dots. Fails with the two
/// sources whose file names would be equal, also on file systems that ignore case.
pub fn set_file_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut taken: HashMap<String, &str> = HashMap::new();
    let mut files = Vec::new();
    for name in names {
        // Web servers do not serve a name with a leading dot.
        let file = name.replace('/', "_");
        let file = file.trim_start_matches('.').to_owned();
        if file.is_empty() || file.contains('\0') {
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

    fn member(id: i64, name: &str) -> SetMember {
        SetMember {
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
        let waits = |member: SetMember, expected: SetBlocked| {
            for members in [[good(), member.clone()], [member, good()]] {
                assert_eq!(ready_to_judge(&members), Err(expected.clone()));
            }
        };
        let name = || "data".to_owned();
        let due = SetMember {
            due: true,
            ..data()
        };
        waits(due.clone(), SetBlocked::Due(name()));
        let failing = SetMember { failures: 2, ..due };
        waits(failing, SetBlocked::Failing(name()));
        let claimed = SetMember {
            claimed: true,
            ..data()
        };
        waits(claimed, SetBlocked::Claimed(name()));
        let never = SetMember {
            newest: None,
            ..data()
        };
        waits(never, SetBlocked::NoVersion(name()));
        for state in [Failed, Error, Pending] {
            let newest = Some((VersionId(20), state));
            waits(
                SetMember { newest, ..data() },
                SetBlocked::NotGood(name(), state),
            );
        }
        assert_eq!(ready_to_judge(&[]), Err(SetBlocked::Empty));
    }

    #[test]
    fn a_ready_set_is_its_newest_versions_by_name() {
        let newest = Some((VersionId(21), Unverified));
        let members = [
            member(1, "sums"),
            SetMember {
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
        assert_eq!(
            files(&["./hidden", ".profile"]),
            Ok(vec!["_hidden".to_owned(), "profile".to_owned()])
        );
        assert!(files(&[".."]).is_err());
    }
}
