//! The providers of rates: a line each here, and a file each beside this one.

use super::{DayRates, RatesAddress, RatesWish, Refused, ecb, fixer};
use crate::domain::size_to_the_byte;
use crate::domain::text_form::{prints_text, reads_text};
use crate::domain::words::words;

words!(
    "a provider of rates":
    /// Who gives rates, and so how the files of a source are read.
    pub enum Provider {
        /// The Fixer API, by apilayer: one JSON document a day.
        Fixer = "fixer",
        /// The European Central Bank: one XML document with many days.
        Ecb = "ecb",
    }
);

prints_text!(Provider);
reads_text!(Provider);

/// The largest file that is read.
const MAX_BYTES: usize = 64 << 20;

impl Provider {
    /// Reads the rates of a file that was fetched from this address, which may hold secrets by name. Checks everything:
    /// that the file is complete, is what the address asks for, and has only positive rates of known currencies.
    ///
    /// # Errors
    ///
    /// Why the file gives no rates.
    pub fn read(self, address: &str, content: &[u8]) -> Result<Vec<DayRates>, Refused> {
        if content.len() > MAX_BYTES {
            let (size, most) = (content.len() as u64, MAX_BYTES as u64);
            let (size, most) = (size_to_the_byte(size), size_to_the_byte(most));
            return Err(Refused::because(format!("{size} is more than {most}")));
        }
        match self {
            Self::Fixer => fixer::read(address, content),
            Self::Ecb => ecb::read(content),
        }
    }

    /// Returns the address of a source that asks the provider for this, below `root` or else below the provider's own
    /// address.
    ///
    /// # Errors
    ///
    /// What the provider does not give.
    pub fn address(self, wish: &RatesWish, root: Option<&str>) -> Result<RatesAddress, String> {
        let root = root.map(|root| root.trim_end_matches('/'));
        match self {
            Self::Fixer => fixer::address(wish, root),
            Self::Ecb => ecb::address(wish, root),
        }
    }

    /// Returns the name of the verifier that judges the files of the provider, which no configured verifier can have.
    pub fn verifier(self) -> String {
        format!("rates:{self}")
    }
}
