//! Why a declaration cannot be taken.

/// Why a declaration cannot be taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is not well-formed.
    Bad(String),
    /// It takes too much to find out.
    TooMuch(String),
}

pub(super) type Read<T> = Result<T, Refusal>;

pub(super) fn wrong<T>(why: impl Into<String>) -> Read<T> {
    Err(Refusal::Bad(why.into()))
}
