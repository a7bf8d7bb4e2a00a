//! The rates of one day as the catalogue keeps them: a JSON object in one form, whose numbers have the digits that they
//! came with.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Currency;

/// Rates by currency: a JSON object without spaces, sorted by currency, such as `{"GBP":0.8330,"USD":1.0812}`. Equal
/// tables have equal texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateTable(String);

impl RateTable {
    /// Returns the table with these rates, which are JSON numbers.
    pub fn of<'t>(rates: impl IntoIterator<Item = (Currency, &'t str)>) -> Self {
        let sorted: BTreeMap<_, _> = rates.into_iter().collect();
        let mut text = String::from("{");
        for (currency, rate) in sorted {
            let comma = if text.len() > 1 { "," } else { "" };
            let _ = write!(text, "{comma}\"{currency}\":{rate}");
        }
        text.push('}');
        Self(text)
    }

    /// Returns the table whose text this is; `None` for any other text.
    pub fn from_text(text: &str) -> Option<Self> {
        let table = Self(text.to_owned());
        (text.len() >= 2 && Self::of(table.iter()) == table).then_some(table)
    }

    /// Returns the table whose text this is, for a text that [`Self::as_json`] gave. Others may lack rates.
    pub(crate) fn from_checked_text(text: String) -> Self {
        Self(text)
    }

    /// Returns the text, a JSON object.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Returns the rate of a currency, found in the text without reading the others.
    pub fn get(&self, currency: Currency) -> Option<&str> {
        let key = format!("\"{currency}\":");
        let (_, behind) = self.0.split_once(&key)?;
        behind.split([',', '}']).next()
    }

    /// Returns the currencies with their rates, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (Currency, &str)> {
        let inner = self
            .0
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        let pairs = inner.unwrap_or_default().split(',');
        pairs.filter_map(|pair| {
            let (currency, rate) = pair.split_once(':')?;
            Some((currency.trim_matches('"').parse().ok()?, rate))
        })
    }

    /// Returns the number of rates.
    pub fn count(&self) -> usize {
        self.iter().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_digits_and_finds_each_currency() {
        let code = |text: &str| text.parse::<Currency>().expect("a code");
        let table = RateTable::of([
            (code("USD"), "1.0800"),
            (code("BTC"), "7.49e-06"),
            (code("XAU"), "0.00012345678901234567"),
        ]);
        assert_eq!(
            table.as_json(),
            r#"{"BTC":7.49e-06,"USD":1.0800,"XAU":0.00012345678901234567}"#
        );
        assert_eq!(table.get(code("USD")), Some("1.0800"));
        assert_eq!(table.get(code("XAU")), Some("0.00012345678901234567"));
        assert_eq!(table.get(code("EUR")), None);
        assert_eq!(RateTable::from_text(table.as_json()), Some(table.clone()));
        assert_eq!(table.count(), 3);
        let empty = RateTable::of([]);
        assert_eq!((empty.as_json(), empty.count()), ("{}", 0));
        for text in [
            "",
            "{",
            "[]",
            r#"{"USD":1, "XAU":2}"#,
            r#"{"USD":1,"BTC":2}"#,
        ] {
            assert_eq!(RateTable::from_text(text), None, "{text}");
        }
    }
}
