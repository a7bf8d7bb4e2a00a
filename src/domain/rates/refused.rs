//! Why a file gives no rates, and whether to ask its provider for more.

/// Why a file gives no rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The reason, in words.
    pub why: String,
    /// Whether to ask no more for now.
    pub stop: Option<Stop>,
}

/// Until when a provider that refuses is not asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Until the operator has done this.
    Operator(&'static str),
    /// Until the quota begins anew, with the next month.
    Quota,
}

impl Refused {
    /// Returns a refusal after which the source is asked as ever.
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            stop: None,
        }
    }
}
