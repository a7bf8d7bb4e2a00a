//! A verdict on a version or an edition.

use serde::Serialize;

use super::object::json_object;
use super::times::{milliseconds, precise};
use crate::app::{SetAside, VerdictOn, VerdictSubject};
use crate::domain::{
    EditionId, EditionVerdict, MessageVerdict, NewVerdict, SourceId, Verdict, VerdictId, VersionId,
};

json_object! {
    /// One verdict.
    #[schema(as = Verdict)]
    pub(crate) struct VerdictJson<'a> {
        verifier: &'a str,
        fingerprint: &'a str,
        /// A command's arguments as configured; `{path}` stands for the path of the copy.
        argv: Option<Vec<String>>,
        outcome: &'static str,
        detail: &'a str,
        exit_code: Option<i32>,
        output: &'a str,
        started_at: String,
        duration_ms: u64,
        actor: &'a str,
        /// The id of the version, or of the edition of a set, with the same contents for which it was given first;
        /// null when that is this one.
        given_on: Option<i64>,
        /// Whether a person overruled the verifier.
        by_hand: bool,
    } and {
        /// The id, which the log names.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<VerdictId>,
    }
}

impl<'a> VerdictJson<'a> {
    pub(crate) fn recorded(verdict: &'a Verdict) -> Self {
        let given_on = verdict.given_on.map(|id| id.0);
        Self {
            id: Some(verdict.id),
            ..Self::given_on(&verdict.verdict, &verdict.actor, given_on)
        }
    }

    pub(crate) fn on_edition(verdict: &'a EditionVerdict) -> Self {
        let given_on = verdict.given_on.map(|id| id.0);
        Self {
            id: Some(verdict.id),
            ..Self::given_on(&verdict.verdict, &verdict.actor, given_on)
        }
    }

    pub(crate) fn on_message(verdict: &'a MessageVerdict) -> Self {
        Self {
            id: Some(verdict.id),
            ..Self::new(&verdict.verdict, &verdict.actor)
        }
    }

    fn given_on(verdict: &'a NewVerdict, actor: &'a str, given_on: Option<i64>) -> Self {
        Self {
            given_on,
            ..Self::new(verdict, actor)
        }
    }

    pub(crate) fn new(verdict: &'a NewVerdict, actor: &'a str) -> Self {
        Self {
            id: None,
            verifier: &verdict.verifier,
            fingerprint: &verdict.fingerprint.hex,
            argv: argv_of(&verdict.fingerprint.definition),
            outcome: verdict.judgement.outcome.as_str(),
            detail: &verdict.judgement.detail,
            exit_code: verdict.judgement.exit_code,
            output: &verdict.judgement.output,
            started_at: precise(verdict.started_at),
            duration_ms: milliseconds(verdict.duration),
            actor,
            given_on: None,
            by_hand: verdict.is_by_hand(),
        }
    }
}

/// Returns a command's arguments, from the verifier's definition; `None` for another kind of verifier.
fn argv_of(definition: &str) -> Option<Vec<String>> {
    let definition: serde_json::Value = serde_json::from_str(definition).ok()?;
    serde_json::from_value(definition.pointer("/definition/command")?.clone()).ok()
}

/// A verdict by hand that no longer counts.
#[derive(Serialize)]
pub(crate) struct SetAsideJson<'a> {
    #[serde(flatten)]
    verdict: VerdictJson<'a>,
    /// The ids of the versions, or editions, on which it counted.
    on: &'a [i64],
}

/// Returns verdicts by hand that no longer count.
pub(crate) fn set_aside_json(set_aside: &[SetAside]) -> Vec<SetAsideJson<'_>> {
    let set_aside = set_aside.iter();
    set_aside
        .map(|one| SetAsideJson {
            verdict: VerdictJson::new(&one.verdict, &one.actor),
            on: &one.on,
        })
        .collect()
}

json_object! {
    /// One of `verdicts --json`.
    pub(crate) struct VerdictOnJson<'a> {
        source_id: Option<SourceId>,
        source: Option<&'a str>,
        version_id: Option<VersionId>,
        digest: Option<String>,
        set: Option<&'a str>,
        edition_id: Option<EditionId>,
    } and {
        #[serde(flatten)]
        verdict: VerdictJson<'a>,
        /// The definition that the fingerprint identifies.
        definition: serde_json::Value,
    }
}

impl<'a> VerdictOnJson<'a> {
    pub(crate) fn new(one: &'a VerdictOn) -> Self {
        let definition = &one.verdict.fingerprint.definition;
        let mut object = Self {
            source_id: None,
            source: None,
            version_id: None,
            digest: None,
            set: None,
            edition_id: None,
            verdict: VerdictJson::given_on(&one.verdict, &one.actor, one.given_on),
            definition: serde_json::from_str(definition).unwrap_or_default(),
        };
        match &one.on {
            VerdictSubject::Version {
                id,
                digest,
                source_id,
                source_name,
            } => {
                object.version_id = Some(*id);
                object.digest = Some(digest.to_string());
                object.source_id = Some(*source_id);
                object.source = Some(source_name);
            }
            VerdictSubject::Edition { id, set } => {
                object.edition_id = Some(*id);
                object.set = Some(set);
            }
        }
        object
    }
}
