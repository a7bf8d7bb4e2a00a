//! Identifiers as newtypes: a source's number cannot be taken for a version's.

use std::fmt;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )+};
}

id!(
    /// The id of a source; never reused after the source is removed.
    SourceId,
    /// The id of an attempt.
    AttemptId,
    /// The id of a version.
    VersionId,
    /// The id of a blob, which versions with equal content share.
    BlobId,
    /// The id of a verdict, on a version or an edition.
    VerdictId,
    /// The id of an edition of a set.
    EditionId,
    /// The id of an event. Ids grow with time, so a stream of events can resume from one.
    EventId,
);
