//! The reason why a document type declaration is refused.

/// Why a declaration is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The declaration is not well-formed.
    Bad(String),
    /// Reading the declaration would take too much memory or time.
    TooMuch(String),
}

pub(super) type Parsed<T> = Result<T, Refusal>;

pub(super) fn wrong<T>(why: impl Into<String>) -> Parsed<T> {
    Err(Refusal::Bad(why.into()))
}
