//! The rates of one day, and their conversion to another base.

use chrono::NaiveDate;

use super::{Currency, Rate, RateTable};

/// The rates of one day: how many units of each currency one unit of the base is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRates {
    /// The day.
    pub date: NaiveDate,
    /// The currency whose unit is valued.
    pub base: Currency,
    /// The rates.
    pub rates: RateTable,
}

/// A currency without a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no rate of {currency} for {date}")]
pub struct UnknownCurrency {
    /// The currency.
    pub currency: Currency,
    /// The day.
    pub date: NaiveDate,
}

impl DayRates {
    /// Returns the rate of a currency with the digits that it came with; that of the base is `1` where none came.
    pub fn rate_of(&self, currency: Currency) -> Option<&str> {
        let of_base = (currency == self.base).then_some("1");
        self.rates.get(currency).or(of_base)
    }

    /// Returns the rates of one unit of `base`, by default of the recorded base: of these `symbols`, or of all.
    ///
    /// Rates that are not converted keep their digits. A conversion divides through the recorded base and rounds to 12
    /// significant digits, half to even; it has a rate of the recorded base, too.
    ///
    /// # Errors
    ///
    /// A base or symbol without a rate.
    pub fn shown(
        &self,
        base: Option<Currency>,
        symbols: Option<&[Currency]>,
    ) -> Result<Self, UnknownCurrency> {
        let unknown = |currency| UnknownCurrency {
            currency,
            date: self.date,
        };
        let mut rates: Vec<(Currency, &str)> = match symbols {
            None => self.rates.iter().collect(),
            Some(symbols) => {
                let rate = |&one: &Currency| Ok((one, self.rate_of(one).ok_or(unknown(one))?));
                symbols.iter().map(rate).collect::<Result<_, _>>()?
            }
        };
        let base = base.unwrap_or(self.base);
        if base == self.base {
            let rates = RateTable::of(rates);
            return Ok(Self { rates, ..*self });
        }
        if symbols.is_none() && self.rates.get(self.base).is_none() {
            rates.push((self.base, "1"));
        }
        let divisor = self.rate_of(base).ok_or(unknown(base))?;
        let divisor = Rate::parse(divisor).map_err(|_| unknown(base))?;
        let mut converted = Vec::with_capacity(rates.len());
        for (currency, rate) in rates {
            let rate = Rate::parse(rate).map_err(|_| unknown(currency))?;
            converted.push((currency, rate.divided_by(divisor)));
        }
        let converted = converted.iter().map(|(one, rate)| (*one, rate.as_str()));
        Ok(Self {
            base,
            rates: RateTable::of(converted),
            ..*self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Currency {
        text.parse().expect("a code")
    }

    fn day() -> DayRates {
        DayRates {
            date: NaiveDate::from_ymd_opt(2026, 11, 27).expect("a day"),
            base: Currency::EUR,
            rates: RateTable::of([
                (code("USD"), "1.2500"),
                (code("GBP"), "0.80"),
                (code("JPY"), "1e2"),
            ]),
        }
    }

    #[test]
    fn rates_are_shown_as_they_came_or_converted_through_the_base() {
        let all = [
            (None, None, r#"{"GBP":0.80,"JPY":1e2,"USD":1.2500}"#),
            (
                Some("EUR"),
                Some(vec!["USD", "EUR"]),
                r#"{"EUR":1,"USD":1.2500}"#,
            ),
            (
                Some("USD"),
                None,
                r#"{"EUR":0.8,"GBP":0.64,"JPY":80,"USD":1}"#,
            ),
            (Some("USD"), Some(vec!["EUR"]), r#"{"EUR":0.8}"#),
            (None, Some(vec![]), "{}"),
        ];
        for (base, symbols, expected) in all {
            let base = base.map(code);
            let symbols: Option<Vec<_>> =
                symbols.map(|symbols: Vec<&str>| symbols.into_iter().map(code).collect());
            let shown = day().shown(base, symbols.as_deref()).expect("rates");
            assert_eq!(shown.rates.as_json(), expected);
            assert_eq!(shown.base, base.unwrap_or(Currency::EUR));
        }
    }

    #[test]
    fn a_currency_without_a_rate_is_named() {
        for (base, symbols) in [(Some(code("XAU")), None), (None, Some([code("XAU")]))] {
            let symbols = symbols.as_ref().map(<[_; 1]>::as_slice);
            let error = day().shown(base, symbols).expect_err("no rate");
            assert_eq!(error.to_string(), "there is no rate of XAU for 2026-11-27");
        }
    }
}
