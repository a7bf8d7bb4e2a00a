//! An event of the log.

use super::object::json_object;
use super::times::precise;
use crate::domain::{About, AttemptId, EditionId, Event, SourceId, VerdictId, VersionId};

json_object! {
    /// One line of `log --json`.
    #[schema(as = Event)]
    pub(crate) struct EventJson<'a> {
        id: i64,
        at: String,
        actor: &'a str,
        action: &'static str,
        source_id: Option<SourceId>,
        source: Option<&'a str>,
        /// The set that the event is about.
        set: Option<&'a str>,
        version_id: Option<VersionId>,
        detail: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        attempt_id: Option<AttemptId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        verdict_id: Option<VerdictId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        edition_id: Option<EditionId>,
        /// The policy under which a verdict counted or a state changed.
        #[serde(skip_serializing_if = "Option::is_none")]
        policy_revision: Option<i64>,
        /// Whether a person overruled the verifier with the verdict.
        #[serde(skip_serializing_if = "Option::is_none")]
        by_hand: Option<bool>,
    }
}

impl<'a> EventJson<'a> {
    pub(crate) fn new(event: &'a Event) -> Self {
        let about = event.event.about;
        Self {
            id: event.id.0,
            at: precise(event.stamp.at),
            actor: &event.stamp.actor.0,
            action: event.event.action.as_str(),
            source_id: event.event.source_id,
            source: event.source_name.as_deref(),
            set: event.event.set(),
            version_id: event.event.version_id,
            detail: event.event.detail.as_deref(),
            attempt_id: about.and_then(About::attempt),
            verdict_id: about.and_then(About::verdict),
            edition_id: about.and_then(About::edition),
            policy_revision: event.event.policy_revision,
            by_hand: event.event.by_hand,
        }
    }
}
