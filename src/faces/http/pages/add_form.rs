//! The form that adds sources: one with its settings, or several pasted as lines.

use maud::{Markup, html};

use super::elements::alert;
use super::fields::{Fields, FormError};
use super::settings_form::{interval, tags};
use super::visit::Visit;
use crate::domain::{Address, SettingsPatch, SourceId, lines};
use crate::faces::http::api::add_sources;
use crate::faces::remote_words::as_page;
use crate::faces::text::without_comment;

/// The most sources of one form.
const MAX_LINES: usize = 1000;

/// Shows the form.
pub(super) fn add_form(typed: &Fields, error: Option<&FormError>) -> Markup {
    let wrong = error.and_then(|error| error.field);
    let invalid = |name: &str| (wrong == Some(name)).then_some("true");
    let line = |name: &str, label: &str, help: &str, placeholder: &str| {
        let (id, help_id) = (format!("add-{name}"), format!("add-{name}-help"));
        html! {
            div {
                label for=(id) { (label) }
                input id=(id) name=(name) type="text" autocomplete="off" placeholder=(placeholder) value=(typed.text(name)) aria-invalid=[invalid(name)] aria-describedby=(help_id);
                p.help id=(help_id) { (help) }
            }
        }
    };
    html! {
        details.form #add open[error.is_some()] {
            summary { "Add sources" }
            (alert(error))
            form method="post" action="/sources" {
                div.fields {
                    div.wide {
                        label for="add-address" { "Address" }
                        input #add-address name="address" type="text" inputmode="url" placeholder="https://example.org/prices.csv" autocomplete="off" value=(typed.text("address")) aria-invalid=[invalid("address")];
                    }
                    (line("interval", "Interval", "whole hours or days: 1h, 12h, 7d", "1d"))
                    (line("tags", "Tags", "separated by commas", ""))
                    (line("name", "Name", "empty: that of the file", ""))
                    div.wide.checks {
                        label.check { input type="checkbox" name="allow_http" value="on" checked[typed.is_on("allow_http")]; " allow http" }
                    }
                    div.wide {
                        label for="add-lines" { "More, one address a line" }
                        textarea #add-lines name="lines" rows="3" spellcheck="false" placeholder="https://example.org/a.csv 6h" aria-invalid=[invalid("lines")] aria-describedby="add-lines-help" { (typed.text("lines")) }
                        p.help #add-lines-help { "behind an address its own interval; what is given above holds for all others" }
                    }
                }
                button.main type="submit" { "Add" }
            }
        }
    }
}

/// Adds the sources of a form, all or none, and returns their ids.
pub(super) async fn added(visit: &Visit, fields: &Fields) -> Result<Vec<SourceId>, FormError> {
    let (lines, settings): (Vec<_>, Vec<_>) = wanted(fields)?.into_iter().unzip();
    let is_list = lines.len() > 1;
    let added = add_sources(&visit.shared, &visit.caller, settings).await;
    let added = added.map_err(|(at, problem)| {
        let mut error = FormError::from(problem);
        if is_list {
            let line = lines.get(at).copied().unwrap_or_default();
            error.message = format!("line {line}: {}; nothing was added", error.message);
        }
        error
    })?;
    Ok(added.iter().map(|source| source.id).collect())
}

/// Returns the settings of each source of a form, with the number of its line.
fn wanted(fields: &Fields) -> Result<Vec<(usize, SettingsPatch)>, FormError> {
    let typed = fields.typed("interval");
    let common = SettingsPatch {
        interval: typed.map(|text| interval("interval", text)).transpose()?,
        tags: fields.typed("tags").map(tags),
        allow_http: fields.is_on("allow_http").then_some(true),
        ..SettingsPatch::default()
    };
    let name = fields.typed("name").map(str::to_owned);
    let mut wanted = Vec::new();
    if let Some(typed) = fields.typed("address") {
        let settings = SettingsPatch {
            address: Some(address("address", typed)?),
            name,
            ..common.clone()
        };
        wanted.push((1, settings));
    } else if name.is_some() {
        let message = "a name is for one source: give its address above";
        return Err(FormError::of("name", message));
    }
    for (at, line) in lines(fields.text("lines")).enumerate() {
        let settings = of_line(line, &common).map_err(|mut error| {
            error.message = format!("line {}: {}; nothing was added", at + 1, error.message);
            error
        })?;
        wanted.extend(settings.map(|settings| (at + 1, settings)));
    }
    match wanted.len() {
        0 => Err(FormError::of(
            "address",
            "give an address: https://host/path",
        )),
        1..=MAX_LINES => Ok(wanted),
        count => {
            let message = format!("{count} sources: a form takes {MAX_LINES} at most");
            Err(FormError::of("lines", message))
        }
    }
}

/// Returns the settings of a source in a line: an address and maybe an interval; `None` for a line without either.
fn of_line(line: &str, common: &SettingsPatch) -> Result<Option<SettingsPatch>, FormError> {
    let mut words = without_comment(line).split_ascii_whitespace();
    let Some(word) = words.next() else {
        return Ok(None);
    };
    let mut settings = common.clone();
    settings.address = Some(address("lines", word)?);
    if let Some(word) = words.next() {
        settings.interval = Some(interval("lines", word)?);
    }
    match words.next() {
        None => Ok(Some(settings)),
        Some(word) => {
            let message = format!("`{word}`: expected an address and at most an interval");
            Err(FormError::of("lines", message))
        }
    }
}

fn address(field: &'static str, text: &str) -> Result<Address, FormError> {
    // Whether plain HTTP is allowed is checked with the other settings.
    let address = Address::parse(text, true);
    address.map_err(|error| FormError::of(field, as_page(&error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_one_source_or_several_lines() {
        let of = |pairs: &[(&'static str, &str)]| {
            let pairs = pairs.iter().map(|(name, text)| (*name, (*text).to_owned()));
            wanted(&Fields::with(pairs))
        };
        let one = of(&[
            ("address", " https://h/a "),
            ("interval", "6h"),
            ("tags", "eu, x"),
        ]);
        let one = one.expect("a source");
        assert_eq!(one[0].1.tags, Some(vec!["eu".to_owned(), "x".to_owned()]));
        let lines = "https://h/a 1h # mine\r\n\r\nhttps://h/b\r\n";
        let two = of(&[("lines", lines), ("interval", "7d")]).expect("sources");
        let hours = |at: usize| two[at].1.interval.map(crate::domain::Interval::hours);
        assert_eq!((two.len(), hours(0), hours(1)), (2, Some(1), Some(168)));
        for (pairs, field) in [
            (&[][..], "address"),
            (&[("address", "nonsense")], "address"),
            (
                &[("address", "https://h/a"), ("interval", "1y")],
                "interval",
            ),
            (&[("name", "a"), ("lines", "https://h/a")], "name"),
            (&[("lines", "https://h/a 1h 2h")], "lines"),
            (&[("lines", "https://h/a\nhttps://h/b 1y")], "lines"),
        ] {
            let error = of(pairs).expect_err("a refusal");
            assert_eq!(error.field, Some(field), "{error:?}");
        }
    }
}
