//! The JSON of sets: `list --sets` and `show set:NAME`.

use serde::Serialize;
use utoipa::ToSchema;

use super::object::json_object;
use super::times::precise;
use super::verdict::VerdictJson;
use crate::app::SetOverview;
use crate::domain::{
    Edition, EditionId, EditionMember, EditionVerdict, SourceId, VersionId, owing,
};
use crate::faces::set_words::{path, state, waits};
use crate::faces::state_word::StateWord;

json_object! {
    /// One of `list --sets --json`.
    #[schema(as = Set)]
    pub(crate) struct SetJson<'a> {
        name: &'a str,
        verified: Option<&'static str>,
        members: usize,
        waits_for: Option<String>,
        edition_id: Option<EditionId>,
        edition_at: Option<String>,
        published_edition_id: Option<EditionId>,
        published_at: Option<String>,
        published_path: Option<String>,
        publish_error: Option<&'a str>,
        error: Option<&'a str>,
        withdrawn_at: Option<String>,
        withdrawn_because: Option<&'a str>,
        /// The word that `list --sets` shows: `withdrawn` where `verified` is the state of the newest edition alone.
        state: String,
    }
}

impl<'a> SetJson<'a> {
    pub(crate) fn new(one: &'a SetOverview) -> Self {
        let newest = one.newest.as_ref();
        let withdrawn = one.set.withdrawn.as_ref();
        Self {
            name: &one.set.name,
            verified: match newest {
                _ if one.is_damaged => Some(StateWord::Damaged.as_str()),
                newest => newest.map(|edition| edition.state.as_str()),
            },
            members: one.members.len(),
            waits_for: waits(one),
            edition_id: newest.map(|edition| edition.id),
            edition_at: newest.map(|edition| precise(edition.at)),
            published_edition_id: one.set.published,
            published_at: one.set.published_at.map(precise),
            published_path: path(one),
            publish_error: one.set.publish_error.as_deref(),
            error: one.failure.as_deref(),
            withdrawn_at: withdrawn.map(|withdrawal| precise(withdrawal.at)),
            withdrawn_because: withdrawn.map(|withdrawal| withdrawal.because.as_str()),
            state: state(one),
        }
    }
}

/// The whole of `show set:NAME --json`.
#[derive(Serialize, ToSchema)]
#[schema(as = ShownSet)]
pub(crate) struct ShownSetJson<'a> {
    #[serde(flatten)]
    set: SetJson<'a>,
    verifiers: &'a [String],
    /// The verifiers that owe a verdict on the newest edition.
    owed: Vec<&'a str>,
    sources: Vec<MemberJson<'a>>,
    edition: Option<EditionJson<'a>>,
    published: Option<EditionJson<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
struct MemberJson<'a> {
    source_id: SourceId,
    source: &'a str,
    version_id: Option<VersionId>,
    verified: Option<&'static str>,
}

impl<'a> ShownSetJson<'a> {
    /// `verdicts` are those on the newest edition.
    pub(crate) fn new(
        set: &'a SetOverview,
        verifiers: &'a [String],
        verdicts: &'a [EditionVerdict],
    ) -> Self {
        let (newest, published) = (set.newest.as_ref(), set.published.as_ref());
        let said = verdicts.iter().map(|one| &one.verdict);
        let owed = newest.map(|edition| owing(verifiers, edition.state, said));
        let verdicts = verdicts.iter().map(VerdictJson::on_edition).collect();
        let sources = set.members.iter().map(|member| MemberJson {
            source_id: member.source_id,
            source: &member.name,
            version_id: member.newest.map(|newest| newest.0),
            verified: member.newest.map(|newest| newest.1.as_str()),
        });
        Self {
            set: SetJson::new(set),
            verifiers,
            owed: owed.unwrap_or_default(),
            sources: sources.collect(),
            edition: newest.map(|edition| EditionJson::new(edition, Some(verdicts))),
            published: published.map(|edition| EditionJson::new(edition, None)),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Edition)]
struct EditionJson<'a> {
    id: EditionId,
    at: String,
    verified: &'static str,
    /// Under which that state was reached.
    policy_revision: Option<i64>,
    members: Vec<EditionMemberJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdicts: Option<Vec<VerdictJson<'a>>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = EditionMember)]
struct EditionMemberJson<'a> {
    source_id: SourceId,
    source: &'a str,
    version_id: VersionId,
}

impl<'a> EditionJson<'a> {
    fn new(edition: &'a Edition, verdicts: Option<Vec<VerdictJson<'a>>>) -> Self {
        let member = |member: &'a EditionMember| EditionMemberJson {
            source_id: member.source_id,
            source: &member.name,
            version_id: member.version_id,
        };
        Self {
            id: edition.id,
            at: precise(edition.at),
            verified: edition.state.as_str(),
            policy_revision: edition.policy_revision,
            members: edition.members.iter().map(member).collect(),
            verdicts,
        }
    }
}
