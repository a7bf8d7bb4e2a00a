//! Daily currency rates, as a published file of a provider says them.
//!
//! A provider is one file here: it checks a file and reads its rates in one parse, so that what was judged is what is
//! stored. Numbers keep the digits that they came with; only a conversion to another base computes. Never decides which
//! version of a file counts: publication does.

mod currency;
mod day_rates;
mod ecb;
mod fixer;
mod provider;
mod rate;
mod rate_table;
mod rates_address;
mod refused;

pub use currency::{Currency, CurrencyError};
pub use day_rates::{DayRates, UnknownCurrency};
pub use provider::Provider;
pub use rate::Rate;
pub use rate_table::RateTable;
pub use rates_address::{RatesAddress, RatesWish};
pub use refused::{Refused, Stop};
