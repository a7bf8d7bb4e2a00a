//! The JSON of currency rates, whose numbers have the digits that they came with.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::object::json_object;
use super::times::precise;
use crate::app::RatesAnswer;
use crate::domain::{Currency, VersionId};

/// The rates of a day.
#[derive(Serialize, ToSchema)]
#[schema(as = Rates)]
pub(crate) struct RatesJson<'a> {
    /// Such as `2026-11-27`.
    date: String,
    /// The currency whose unit is valued.
    base: &'a str,
    /// How many units of each currency one unit of the base is worth.
    #[schema(value_type = std::collections::BTreeMap<String, f64>)]
    rates: &'a RawValue,
    /// Who gave the rates.
    provider: &'static str,
    /// The version of a file that gave these rates first.
    version: VersionId,
    /// When that version was fetched.
    retrieved_at: String,
}

impl<'a> RatesJson<'a> {
    pub(crate) fn new(answer: &'a RatesAnswer) -> Self {
        Self {
            date: answer.rates.date.to_string(),
            base: answer.rates.base.as_str(),
            rates: raw(answer.rates.rates.as_json()),
            provider: answer.provider.as_str(),
            version: answer.version,
            retrieved_at: precise(answer.retrieved_at),
        }
    }
}

json_object! {
    /// The rate of one currency on one day.
    #[schema(as = Rate)]
    pub(crate) struct RateJson<'a> {
        /// Such as `2026-11-27`.
        date: String,
        /// The currency whose unit is valued.
        base: &'a str,
        /// The currency.
        currency: String,
        /// How many units of the currency one unit of the base is worth.
        #[schema(value_type = f64)]
        rate: &'a RawValue,
        /// Who gave the rate.
        provider: &'static str,
        /// The version of a file that gave the rates of this day first.
        version: VersionId,
        /// When that version was fetched.
        retrieved_at: String,
        /// Whether other rates were in force for the day before.
        corrected: bool,
    }
}

impl<'a> RateJson<'a> {
    /// Returns the rates of a day, one for each currency.
    pub(crate) fn of(answer: &'a RatesAnswer) -> impl Iterator<Item = Self> {
        let rates = answer.rates.rates.iter();
        rates.map(move |(currency, rate)| Self::new(answer, currency, rate))
    }

    fn new(answer: &'a RatesAnswer, currency: Currency, rate: &'a str) -> Self {
        Self {
            date: answer.rates.date.to_string(),
            base: answer.rates.base.as_str(),
            currency: currency.to_string(),
            rate: raw(rate),
            provider: answer.provider.as_str(),
            version: answer.version,
            retrieved_at: precise(answer.retrieved_at),
            corrected: answer.is_correction,
        }
    }

    /// Returns the values of the fields as texts: CSV has the same digits.
    pub(crate) fn texts(&self) -> [String; 8] {
        [
            self.date.clone(),
            self.base.to_owned(),
            self.currency.clone(),
            self.rate.get().to_owned(),
            self.provider.to_owned(),
            self.version.to_string(),
            self.retrieved_at.clone(),
            self.corrected.to_string(),
        ]
    }
}

/// Returns a text that is JSON as such; null for any other text, which only damage could leave.
fn raw(text: &str) -> &RawValue {
    serde_json::from_str(text).unwrap_or(RawValue::NULL)
}
