//! The euro foreign exchange reference rates of the European Central Bank:
//! <https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/>.
//!
//! One document has the rates of one day, of 90 days, or of all since 1999; the base is the euro.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use xml::attribute::OwnedAttribute;
use xml::reader::{EventReader, XmlEvent};

use super::{Currency, DayRates, Rate, RateTable, RatesAddress, RatesWish, Refused};
use crate::domain::Day;

const FOLDER: &str = "https://www.ecb.europa.eu/stats/eurofxref";
const LAST_90_DAYS: &str = "eurofxref-hist-90d.xml";
const ALL_DAYS: &str = "eurofxref-hist.xml";

/// The most days of a document: a century.
const MAX_DAYS: usize = 40_000;

/// The days read so far.
type Days = BTreeMap<NaiveDate, BTreeMap<Currency, String>>;

/// Returns the address of the file with the last 90 days, or with all days since 1999.
pub(super) fn address(wish: &RatesWish, root: Option<&str>) -> Result<RatesAddress, String> {
    let is_of_euro = wish.base.is_none_or(|base| base == Currency::EUR);
    if !is_of_euro || !wish.symbols.is_empty() {
        let why = "the file of the European Central Bank has all its currencies, and the base EUR: choose when you read its rates";
        return Err(why.to_owned());
    }
    if wish.key_in_header {
        return Err("the European Central Bank takes no key".to_owned());
    }
    let file = if wish.is_whole_history {
        ALL_DAYS
    } else {
        LAST_90_DAYS
    };
    Ok(RatesAddress {
        address: format!("{}/{file}", root.unwrap_or(FOLDER)),
        headers: Vec::new(),
    })
}

pub(super) fn read(content: &[u8]) -> Result<Vec<DayRates>, Refused> {
    let days = days_of(content).map_err(Refused::because)?;
    if days.is_empty() {
        return Err(Refused::because("it has no day"));
    }
    if let Some((day, _)) = days.iter().find(|(_, rates)| rates.is_empty()) {
        return Err(Refused::because(format!("it has no rates for {day}")));
    }
    let day = |(date, rates): (NaiveDate, BTreeMap<Currency, String>)| DayRates {
        date,
        base: Currency::EUR,
        rates: RateTable::of(rates.iter().map(|(one, rate)| (*one, rate.as_str()))),
    };
    Ok(days.into_iter().map(day).collect())
}

fn days_of(content: &[u8]) -> Result<Days, String> {
    let mut days = Days::new();
    let mut day = None;
    let mut is_first = true;
    for event in EventReader::new(content) {
        match event.map_err(|error| format!("it is not well-formed XML: {error}"))? {
            XmlEvent::StartElement { name, .. } if is_first && name.local_name != "Envelope" => {
                let name = name.local_name;
                return Err(format!("its outermost element is `{name}`, not `Envelope`"));
            }
            XmlEvent::StartElement {
                name, attributes, ..
            } => {
                is_first = false;
                if name.local_name == "Cube" {
                    read_cube(&attributes, &mut day, &mut days)?;
                }
            }
            _ => {}
        }
    }
    Ok(days)
}

/// Reads one element: that of a day, in which the following rates are, or that of a rate.
fn read_cube(
    attributes: &[OwnedAttribute],
    day: &mut Option<NaiveDate>,
    days: &mut Days,
) -> Result<(), String> {
    let value = |name: &str| {
        let found = attributes.iter().find(|one| one.name.local_name == name);
        found.map(|one| one.value.as_str())
    };
    if let Some(time) = value("time") {
        let date = time
            .parse::<Day>()
            .map_err(|error| format!("its day: {error}"))?
            .date();
        if days.len() == MAX_DAYS {
            return Err(format!("it has more than {MAX_DAYS} days"));
        }
        if days.insert(date, BTreeMap::new()).is_some() {
            return Err(format!("it has {date} twice"));
        }
        *day = Some(date);
    }
    let (Some(code), Some(rate)) = (value("currency"), value("rate")) else {
        return Ok(());
    };
    let day = day.ok_or("it has a rate before any day")?;
    let currency: Currency = code
        .parse()
        .map_err(|error| format!("for {day}, {error}"))?;
    if !currency.is_known() {
        return Err(format!("for {day}, `{currency}` is no known currency"));
    }
    Rate::parse(rate).map_err(|why| format!("for {day}, the rate of {currency} {why}"))?;
    let rates = days.entry(day).or_default();
    if rates.insert(currency, rate.to_owned()).is_some() {
        return Err(format!("for {day}, it has {currency} twice"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(days: &str) -> String {
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject><gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender><Cube>{days}</Cube></gesmes:Envelope>"#
        )
    }

    fn refusal(content: &str) -> String {
        super::read(content.as_bytes()).expect_err(content).why
    }

    #[test]
    fn every_day_is_read_oldest_first() {
        let text = document(
            r#"<Cube time="2026-11-27"><Cube currency="USD" rate="1.0810"/><Cube currency="JPY" rate="166.15"/></Cube>
               <Cube time="2026-11-26"><Cube currency="USD" rate="1.0799"/></Cube>"#,
        );
        let days = super::read(text.as_bytes()).expect("rates");
        let days: Vec<_> = days
            .iter()
            .map(|day| (day.date.to_string(), day.base, day.rates.as_json()))
            .collect();
        assert_eq!(
            days,
            [
                ("2026-11-26".to_owned(), Currency::EUR, r#"{"USD":1.0799}"#),
                (
                    "2026-11-27".to_owned(),
                    Currency::EUR,
                    r#"{"JPY":166.15,"USD":1.0810}"#
                ),
            ]
        );
        for cut in (0..text.len()).step_by(7) {
            super::read(&text.as_bytes()[..cut]).expect_err("a document that is cut off");
        }
    }

    #[test]
    fn an_address_is_that_of_one_of_two_files() {
        let mut wish = RatesWish::default();
        let found = address(&wish, None).expect("an address").address;
        assert_eq!(
            found,
            "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml"
        );
        wish.is_whole_history = true;
        let found = address(&wish, Some("http://h:1"))
            .expect("an address")
            .address;
        assert_eq!(found, "http://h:1/eurofxref-hist.xml");
        wish.base = Some(Currency::EUR);
        address(&wish, None).expect("the base that it has");
        wish.base = "USD".parse().ok();
        address(&wish, None).expect_err("another base");
    }

    #[test]
    fn other_documents_are_refused() {
        let day = |rates: &str| document(&format!(r#"<Cube time="2026-11-27">{rates}</Cube>"#));
        for (content, why) in [
            (document(""), "it has no day"),
            (day(""), "no rates for 2026-11-27"),
            (
                day(r#"<Cube currency="USD" rate="N/A"/>"#),
                "rate of USD is `N/A`, which is no number",
            ),
            (day(r#"<Cube currency="USD" rate="0"/>"#), "not positive"),
            (
                day(r#"<Cube currency="usd" rate="1"/>"#),
                "`usd` is not a currency",
            ),
            (
                day(r#"<Cube currency="ABC" rate="1"/>"#),
                "`ABC` is no known currency",
            ),
            (
                day(r#"<Cube currency="USD" rate="1"/><Cube currency="USD" rate="1"/>"#),
                "USD twice",
            ),
            (
                document(r#"<Cube time="2026-11-27"/><Cube time="2026-11-27"/>"#),
                "2026-11-27 twice",
            ),
            (
                document(r#"<Cube time="yesterday"/>"#),
                "its day: `yesterday` is not a date",
            ),
            (
                document(r#"<Cube currency="USD" rate="1"/>"#),
                "before any day",
            ),
            ("<html></html>".to_owned(), "outermost element is `html`"),
            ("{}".to_owned(), "not well-formed"),
            (String::new(), "not well-formed"),
        ] {
            let refused = refusal(&content);
            assert!(refused.contains(why), "{why}: {refused}");
        }
    }
}
