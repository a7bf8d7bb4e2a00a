//! Identifiers as newtypes, so that a source's number is never taken for a version's.

use std::fmt;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
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
    /// Names a source for ever; never used again after the source is removed.
    SourceId,
    /// Names one attempt at fetching a source.
    AttemptId,
    /// Names one kept state of a source's file.
    VersionId,
    /// Names the stored bytes that one or more versions share.
    BlobId,
    /// Names one verdict of one verifier on one version, or on one edition.
    VerdictId,
    /// Names one combination of versions of a set's members.
    EditionId,
    /// Names one logged action; grows with time, so it is also the place to resume a stream from.
    EventId,
);
