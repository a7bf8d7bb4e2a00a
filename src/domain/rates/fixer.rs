//! The Fixer API: <https://apilayer.com/marketplace/fixer-api>, <https://fixer.io/documentation>.
//!
//! A day is one document. Failures come under status 200, with `"success": false`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::{Currency, DayRates, Rate, RateTable, RatesAddress, RatesWish, Refused, Stop};
use crate::domain::{Day, check_json, clean_line, shortened};

/// The API, which takes the key in the address, and its other form, which takes the key in a header.
const API: &str = "https://data.fixer.io/api";
const API_WITH_HEADER: &str = "https://api.apilayer.com/fixer";
/// The key by the name of its secret.
const KEY: &str = "${FIXER_ACCESS_KEY}";

const NEW_KEY: &str =
    "put the access key of your account into the secrets file, then enable the source again";
const ACCOUNT: &str = "make the account at the provider active again, then enable the source again";
const ADDRESS: &str = "correct the address of the source: the provider has nothing there";

/// The document of a day.
#[derive(Deserialize)]
struct Answer<'a> {
    success: bool,
    #[serde(borrow, default)]
    date: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    base: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    rates: Option<BTreeMap<Cow<'a, str>, &'a RawValue>>,
    #[serde(borrow, default)]
    error: Option<Problem<'a>>,
}

#[derive(Deserialize)]
struct Problem<'a> {
    code: Option<i64>,
    #[serde(borrow, rename = "type", default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    info: Option<Cow<'a, str>>,
}

/// What an address asks for.
struct Asked {
    /// `None` for the newest.
    date: Option<NaiveDate>,
    base: Currency,
    /// `None` for all.
    symbols: Option<BTreeSet<Currency>>,
}

/// Returns the address of one day for each: `{date}` stands for the day.
pub(super) fn address(wish: &RatesWish, root: Option<&str>) -> Result<RatesAddress, String> {
    if wish.is_whole_history {
        return Err("Fixer has one file a day: `gannet rates ingest` gets earlier days".to_owned());
    }
    let own = if wish.key_in_header {
        API_WITH_HEADER
    } else {
        API
    };
    let mut query = Vec::new();
    if !wish.key_in_header {
        query.push(format!("access_key={KEY}"));
    }
    query.extend(wish.base.map(|base| format!("base={base}")));
    if !wish.symbols.is_empty() {
        let symbols: Vec<_> = wish.symbols.iter().map(Currency::as_str).collect();
        query.push(format!("symbols={}", symbols.join(",")));
    }
    let mark = if query.is_empty() { "" } else { "?" };
    let header = wish
        .key_in_header
        .then(|| ("apikey".to_owned(), KEY.to_owned()));
    Ok(RatesAddress {
        address: format!("{}/{{date}}{mark}{}", root.unwrap_or(own), query.join("&")),
        headers: header.into_iter().collect(),
    })
}

pub(super) fn read(address: &str, content: &[u8]) -> Result<Vec<DayRates>, Refused> {
    let asked = Asked::by(address)?;
    let text = std::str::from_utf8(content);
    let text = text.map_err(|error| Refused::because(format!("it is not UTF-8: {error}")))?;
    check_json(text).map_err(|flaw| Refused::because(format!("it is not JSON: {flaw}")))?;
    let answer: Answer<'_> = serde_json::from_str(text)
        .map_err(|error| Refused::because(format!("it is no answer of Fixer: {error}")))?;
    if !answer.success {
        return Err(answer.error.map_or_else(
            || Refused::because("the provider answered that it failed, and not why"),
            Problem::refused,
        ));
    }
    answer
        .rates_of(&asked)
        .map(|day| vec![day])
        .map_err(Refused::because)
}

impl Problem<'_> {
    /// Returns the refusal, with what to do about it.
    fn refused(self) -> Refused {
        let code = self
            .code
            .map_or("without a code".to_owned(), |code| code.to_string());
        let words =
            |text: Option<Cow<'_, str>>| text.map(|text| shortened(&clean_line(&text), 300));
        let kind = words(self.kind).map_or_else(String::new, |kind| format!(" ({kind})"));
        let info = words(self.info).map_or_else(String::new, |info| format!(": {info}"));
        Refused {
            why: format!("the provider answered with error {code}{kind}{info}"),
            stop: match self.code {
                Some(101) => Some(Stop::Operator(NEW_KEY)),
                Some(102) => Some(Stop::Operator(ACCOUNT)),
                Some(103) => Some(Stop::Operator(ADDRESS)),
                Some(104) => Some(Stop::Quota),
                _ => None,
            },
        }
    }
}

impl Answer<'_> {
    fn rates_of(&self, asked: &Asked) -> Result<DayRates, String> {
        let date = self.date.as_deref().ok_or("it has no `date`")?;
        let date: Day = date.parse().map_err(|error| format!("its date: {error}"))?;
        let date = date.date();
        if let Some(day) = asked.date.filter(|day| *day != date) {
            return Err(format!("its date is {date}, and {day} was asked for"));
        }
        let base = self.base.as_deref().ok_or("it has no `base`")?;
        let base: Currency = base.parse().map_err(|error| format!("its base: {error}"))?;
        if base != asked.base {
            return Err(format!(
                "its base is {base}, and {} was asked for",
                asked.base
            ));
        }
        let given = self.rates.as_ref().ok_or("it has no `rates`")?;
        let mut rates = BTreeMap::new();
        for (code, rate) in given {
            let currency: Currency = code
                .parse()
                .map_err(|error| format!("its rates: {error}"))?;
            if !currency.is_known() {
                return Err(format!("`{currency}` in its rates is no known currency"));
            }
            Rate::parse(rate.get()).map_err(|why| format!("its rate of {currency} {why}"))?;
            rates.insert(currency, rate.get());
        }
        asked.check(&rates.keys().copied().collect())?;
        Ok(DayRates {
            date,
            base,
            rates: RateTable::of(rates),
        })
    }
}

impl Asked {
    /// Reads what an address asks for: the day in its path, `base` (EUR by default) and `symbols`.
    fn by(address: &str) -> Result<Self, Refused> {
        let url = Url::parse(address);
        let url = url.map_err(|error| Refused::because(format!("its address: {error}")))?;
        let date = url
            .path_segments()
            .and_then(|mut parts| parts.find_map(|part| Some(part.parse::<Day>().ok()?.date())));
        let (mut base, mut symbols) = (Currency::EUR, None);
        let currency = |text: &str| {
            let read = text.trim().parse::<Currency>();
            read.map_err(|error| {
                Refused::because(format!("its address asks for what is none: {error}"))
            })
        };
        for (name, value) in url.query_pairs() {
            match &*name {
                "base" if !value.is_empty() => base = currency(&value)?,
                "symbols" if !value.is_empty() => {
                    symbols = Some(value.split(',').map(currency).collect::<Result<_, _>>()?);
                }
                _ => {}
            }
        }
        Ok(Self {
            date,
            base,
            symbols,
        })
    }

    /// Checks that exactly the rates are there that were asked for.
    fn check(&self, given: &BTreeSet<Currency>) -> Result<(), String> {
        if given.is_empty() {
            return Err("it has no rates".to_owned());
        }
        let Some(symbols) = &self.symbols else {
            return Ok(());
        };
        let list = |ones: Vec<&Currency>| {
            let ones: Vec<_> = ones.into_iter().map(Currency::as_str).collect();
            ones.join(", ")
        };
        let missing: Vec<_> = symbols.difference(given).collect();
        if !missing.is_empty() {
            return Err(format!(
                "it has no rate of {}, asked for by the address",
                list(missing)
            ));
        }
        let extra: Vec<_> = given.difference(symbols).collect();
        if !extra.is_empty() {
            return Err(format!(
                "it has rates of {}, not asked for by the address",
                list(extra)
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: &str =
        "https://data.fixer.io/api/2026-11-27?access_key=${FIXER_ACCESS_KEY}&base=EUR";

    fn answer(rates: &str) -> String {
        format!(
            r#"{{"success":true,"timestamp":1,"historical":true,"base":"EUR","date":"2026-11-27","rates":{rates}}}"#
        )
    }

    #[test]
    fn an_address_asks_for_what_is_wished() {
        let all = RatesWish::default();
        let some = RatesWish {
            base: Some(Currency::EUR),
            symbols: ["USD", "GBP"]
                .map(|code| code.parse().expect("a code"))
                .to_vec(),
            ..RatesWish::default()
        };
        let with_header = |wish: &RatesWish| RatesWish {
            key_in_header: true,
            ..wish.clone()
        };
        let header = [("apikey".to_owned(), KEY.to_owned())];
        for (wish, root, expected, headers) in [
            (
                all.clone(),
                None,
                "https://data.fixer.io/api/{date}?access_key=${FIXER_ACCESS_KEY}",
                &[][..],
            ),
            (
                some.clone(),
                Some("https://mirror.example/f"),
                "https://mirror.example/f/{date}?access_key=${FIXER_ACCESS_KEY}&base=EUR&symbols=USD,GBP",
                &[],
            ),
            (
                with_header(&all),
                None,
                "https://api.apilayer.com/fixer/{date}",
                &header,
            ),
            (
                with_header(&some),
                None,
                "https://api.apilayer.com/fixer/{date}?base=EUR&symbols=USD,GBP",
                &header,
            ),
        ] {
            let found = address(&wish, root).expect("an address");
            assert_eq!(
                (found.address.as_str(), &found.headers[..]),
                (expected, headers)
            );
        }
        let whole = RatesWish {
            is_whole_history: true,
            ..RatesWish::default()
        };
        address(&whole, None).expect_err("one file a day");
    }

    #[test]
    fn the_rates_of_a_day_keep_their_digits() {
        let rates =
            r#"{"USD":1.0800,"BTC":7.49e-06,"JPY":166,"EUR":1,"XAU":0.00012345678901234567}"#;
        let read = super::read(DAY, answer(rates).as_bytes()).expect("rates");
        let [day] = &read[..] else { panic!("{read:?}") };
        assert_eq!(
            (day.date.to_string().as_str(), day.base),
            ("2026-11-27", Currency::EUR)
        );
        assert_eq!(
            day.rates.as_json(),
            r#"{"BTC":7.49e-06,"EUR":1,"JPY":166,"USD":1.0800,"XAU":0.00012345678901234567}"#
        );
        let latest = "https://data.fixer.io/api/latest?symbols=USD,%20GBP";
        let two = answer(r#"{"USD":1.08,"GBP":0.83}"#);
        super::read(latest, two.as_bytes()).expect("rates of whatever day");
    }

    #[test]
    fn what_was_not_asked_for_is_refused() {
        let good = answer(r#"{"USD":1.08,"GBP":0.83}"#);
        for (address, content, why) in [
            (
                "https://h/api/2026-11-26",
                good.clone(),
                "2026-11-27, and 2026-11-26 was asked for",
            ),
            (
                "https://h/api/2026-11-27?base=USD",
                good.clone(),
                "base is EUR, and USD was asked for",
            ),
            (
                "https://h/api/2026-11-27?base=usd",
                good.clone(),
                "`usd` is not a currency",
            ),
            (
                "https://h/api/latest?symbols=USD,GBP,JPY,CHF",
                good.clone(),
                "no rate of CHF, JPY, asked",
            ),
            (
                "https://h/api/latest?symbols=USD",
                good.clone(),
                "rates of GBP, not asked",
            ),
            (
                DAY,
                good.replace("2026-11-27", "2026-11-31"),
                "`2026-11-31` is not a date",
            ),
            (
                DAY,
                good.replace("2026-11-27", "2026-1-27"),
                "`2026-1-27` is not a date",
            ),
            (DAY, good.replace("\"EUR\"", "1"), "no answer of Fixer"),
            (
                DAY,
                good.replace("\"base\"", "\"basis\""),
                "it has no `base`",
            ),
            (
                DAY,
                good.replace("\"rates\"", "\"quotes\""),
                "it has no `rates`",
            ),
            (
                DAY,
                good.replace("\"success\":true,", ""),
                "missing field `success`",
            ),
            (DAY, good[..good.len() - 9].to_owned(), "it is not JSON"),
            (DAY, answer("{}"), "it has no rates"),
            (
                DAY,
                answer(r#"{"USD":0}"#),
                "its rate of USD is 0, which is not positive",
            ),
            (
                DAY,
                answer(r#"{"USD":-1}"#),
                "its rate of USD is -1, which is not positive",
            ),
            (DAY, answer(r#"{"USD":"1.08"}"#), "which is no number"),
            (DAY, answer(r#"{"USD":null}"#), "which is no number"),
            (DAY, answer(r#"{"USD":1e999}"#), "out of range"),
            (DAY, answer(r#"{"USD":1,"USD":2}"#), "twice"),
            (DAY, answer(r#"{"usd":1}"#), "`usd` is not a currency"),
            (
                DAY,
                answer(r#"{"ABC":1}"#),
                "`ABC` in its rates is no known currency",
            ),
            (DAY, "<html>".to_owned(), "it is not JSON"),
            (DAY, "[]".to_owned(), "no answer of Fixer"),
            (DAY, String::new(), "it is not JSON"),
        ] {
            let refused = super::read(address, content.as_bytes()).expect_err(why);
            assert!(refused.why.contains(why), "{why}: {refused:?}");
            assert_eq!(refused.stop, None);
        }
        let refused = super::read(DAY, b"\xFF").expect_err("no text");
        assert!(refused.why.contains("not UTF-8"), "{refused:?}");
    }

    #[test]
    fn a_failure_is_shown_with_what_to_do() {
        let fails = |code: i64| {
            let text = format!(
                r#"{{"success":false,"error":{{"code":{code},"type":"some_type","info":"Some\nwords."}}}}"#
            );
            super::read(DAY, text.as_bytes()).expect_err("a failure")
        };
        assert_eq!(
            fails(104).why,
            "the provider answered with error 104 (some_type): Some words."
        );
        for (code, stop) in [
            (101, Some(Stop::Operator(NEW_KEY))),
            (102, Some(Stop::Operator(ACCOUNT))),
            (103, Some(Stop::Operator(ADDRESS))),
            (104, Some(Stop::Quota)),
            (105, None),
            (202, None),
        ] {
            assert_eq!(fails(code).stop, stop, "{code}");
        }
        for (text, why) in [
            (r#"{"success":false}"#, "not why"),
            (r#"{"success":false,"error":{}}"#, "error without a code"),
        ] {
            let refused = super::read(DAY, text.as_bytes()).expect_err(text);
            assert!(refused.why.contains(why), "{refused:?}");
        }
    }
}
