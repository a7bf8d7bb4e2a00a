//! The built-in rules with their parameters.

use crate::domain::Digest;

/// A rule of gannet's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// Well-formed UTF-8.
    Utf8,
    /// One well-formed JSON text (RFC 8259).
    Json,
    /// A length within bounds, in bytes, both inclusive.
    Size {
        /// Least.
        min: Option<u64>,
        /// Most.
        max: Option<u64>,
    },
    /// Exactly this content.
    Sha256(Digest),
    /// Not an HTML page, such as an error page under 200.
    NotHtml,
}
