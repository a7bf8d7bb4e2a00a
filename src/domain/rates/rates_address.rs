//! What the source of a provider's rates is to ask for, and the address that follows from it.

use super::Currency;

/// What a source of rates is to ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RatesWish {
    /// The currency whose unit is valued; by default the provider's.
    pub base: Option<Currency>,
    /// The currencies; all when empty.
    pub symbols: Vec<Currency>,
    /// Whether to ask for all days that the provider has, where one file has them.
    pub is_whole_history: bool,
    /// Whether the key goes into a header instead of the address.
    pub key_in_header: bool,
}

/// The address of a source of rates, and its headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RatesAddress {
    /// The address, with secrets by name.
    pub address: String,
    /// The headers, with secrets by name.
    pub headers: Vec<(String, String)>,
}
