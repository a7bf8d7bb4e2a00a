//! The form with the settings of a source, and the settings that its fields stand for.

use axum::http::StatusCode;
use maud::{Markup, html};

use super::elements::alert;
use super::fields::{Fields, FormError};
use crate::domain::{
    Address, Interval, IntervalError, Provider, PublishPolicy, Source, SourceSettings, exact_size,
    lines, parse_number, parse_size,
};
use crate::faces::http::api::settings_tag;
use crate::faces::remote_words::as_page;

/// Returns the fields as they show the present settings.
pub(super) fn present(settings: &SourceSettings) -> Fields {
    let switch = |is_on: bool| if is_on { "on" } else { "" }.to_owned();
    let headers = settings.headers.iter();
    let headers = headers.map(|(name, value)| format!("{name}: {value}"));
    Fields::with([
        ("seen", settings_tag(settings)),
        ("name", settings.name.clone()),
        ("address", settings.address.to_string()),
        ("interval", settings.interval.to_string()),
        ("tags", settings.tags.join(", ")),
        ("headers", headers.collect::<Vec<_>>().join("\n")),
        ("user", settings.user.clone().unwrap_or_default()),
        (
            "max_size",
            settings.max_size_bytes.map(exact_size).unwrap_or_default(),
        ),
        ("days", number(settings.days)),
        ("final_after", number(settings.final_after)),
        ("publish", settings.publish.as_str().to_owned()),
        (
            "rates",
            settings.rates.map_or("", Provider::as_str).to_owned(),
        ),
        ("allow_http", switch(settings.allow_http)),
        ("allow_empty", switch(settings.allow_empty)),
        ("allow_private", switch(settings.allow_private)),
    ])
}

/// Returns the settings that a form gives to a source, or the field to correct.
pub(super) fn wanted(
    present: &SourceSettings,
    fields: &Fields,
) -> Result<SourceSettings, FormError> {
    let address = Address::parse(fields.text("address"), true);
    let address = address.map_err(|error| FormError::of("address", as_page(&error.to_string())))?;
    let publish: Result<PublishPolicy, _> = fields.text("publish").parse();
    Ok(SourceSettings {
        name: fields.text("name").to_owned(),
        address,
        interval: interval("interval", fields.text("interval"))?,
        enabled: present.enabled,
        tags: tags(fields.text("tags")),
        // A permission that was given on the machine itself can only be taken away here.
        allow_private: present.allow_private && fields.is_on("allow_private"),
        allow_http: fields.is_on("allow_http"),
        allow_empty: fields.is_on("allow_empty"),
        publish: publish.map_err(|error| FormError::of("publish", error))?,
        max_size_bytes: match fields.typed("max_size") {
            None => None,
            Some(text) => Some(parse_size(text).map_err(|error| FormError::of("max_size", error))?),
        },
        rates: fields
            .typed("rates")
            .map(str::parse)
            .transpose()
            .map_err(|error| FormError::of("rates", error))?,
        days: days(fields, "days")?,
        final_after: days(fields, "final_after")?,
        user: fields.typed("user").map(str::to_owned),
        headers: headers(fields.text("headers"))?,
    })
}

fn number(days: Option<u32>) -> String {
    days.map(|days| days.to_string()).unwrap_or_default()
}

/// Reads a number of days; `None` for the default.
fn days(fields: &Fields, field: &'static str) -> Result<Option<u32>, FormError> {
    let read = |text| {
        let number = parse_number(text);
        number.ok_or_else(|| FormError::of(field, format!("`{text}` is not a number of days")))
    };
    fields.typed(field).map(read).transpose()
}

pub(super) fn interval(field: &'static str, text: &str) -> Result<Interval, FormError> {
    let interval = text.parse();
    interval.map_err(|error: IntervalError| FormError::of(field, error.to_string()))
}

pub(super) fn tags(text: &str) -> Vec<String> {
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Reads headers: `Name: value`, one a line.
fn headers(text: &str) -> Result<Vec<(String, String)>, FormError> {
    let lines = lines(text).map(str::trim).filter(|line| !line.is_empty());
    let header = |line: &str| match line.split_once(':') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(FormError::of(
            "headers",
            "a header is `Name: value`, one a line",
        )),
    };
    lines.map(header).collect()
}

/// Shows the form with these fields.
pub(super) fn settings_form(source: &Source, typed: &Fields, error: Option<&FormError>) -> Markup {
    let wrong = error.and_then(|error| error.field);
    let line = |name: &str, label: &str, help: &str, class: &str| {
        let (id, help_id) = (format!("set-{name}"), format!("set-{name}-help"));
        html! {
            div.(class) {
                label for=(id) { (label) }
                input id=(id) name=(name) type="text" autocomplete="off" value=(typed.text(name)) aria-invalid=[(wrong == Some(name)).then_some("true")] aria-describedby=[(!help.is_empty()).then_some(&help_id)];
                @if !help.is_empty() { p.help id=(help_id) { (help) } }
            }
        }
    };
    let switch = |name: &str, label: &str| {
        html! { label.check { input type="checkbox" name=(name) value="on" checked[typed.is_on(name)]; " " (label) } }
    };
    html! {
        details.form #edit open[error.is_some()] {
            summary { "Edit the settings" }
            (alert(error))
            @if error.is_some_and(|error| error.status == StatusCode::PRECONDITION_FAILED) {
                p { a href={ "/sources/" (source.id) } { "Show the present settings" } }
            }
            form method="post" action={ "/sources/" (source.id) "/edit" } {
                input type="hidden" name="seen" value=(typed.text("seen"));
                div.fields {
                    (line("name", "Name", "", ""))
                    (line("interval", "Interval", "whole hours or days: 1h, 12h, 7d", ""))
                    (line("tags", "Tags", "separated by commas", ""))
                    @if source.settings.allow_private {
                        div.wide {
                            label for="set-address" { "Address" }
                            input #set-address name="address" type="text" readonly value=(typed.text("address")) aria-invalid=[(wrong == Some("address")).then_some("true")] aria-describedby="set-address-help";
                            p.help #set-address-help { "may be private, so it is changed on the machine itself: " code { "gannet edit " (source.id) " --address URL" } }
                        }
                    } @else { (line("address", "Address", "", "wide")) }
                    (line("user", "User", "NAME:${PASSWORD}, the password by the name of a secret", ""))
                    div {
                        label for="set-publish" { "Publish" }
                        select #set-publish name="publish" {
                            @for policy in PublishPolicy::ALL {
                                option value=(policy) selected[typed.text("publish") == policy.as_str()] { (policy) }
                            }
                        }
                    }
                    div {
                        label for="set-rates" { "Rates" }
                        select #set-rates name="rates" {
                            option value="" selected[typed.text("rates").is_empty()] { "none" }
                            @for provider in Provider::ALL {
                                option value=(provider) selected[typed.text("rates") == provider.as_str()] { (provider) }
                            }
                        }
                    }
                    (line("max_size", "Max size", "empty: the default; 256MiB", ""))
                    @if source.settings.address.is_dated() {
                        (line("days", "Days", "how many days to ask for; empty: 10", ""))
                        (line("final_after", "Final after", "days until a day is asked for no more; empty: 3", ""))
                    }
                    div.wide {
                        label for="set-headers" { "Headers" }
                        textarea #set-headers name="headers" rows="2" spellcheck="false" aria-invalid=[(wrong == Some("headers")).then_some("true")] aria-describedby="set-headers-help" { (typed.text("headers")) }
                        p.help #set-headers-help { "Name: value, one a line" }
                    }
                    div.wide.checks {
                        (switch("allow_http", "allow http"))
                        (switch("allow_empty", "allow empty files"))
                        @if source.settings.allow_private { (switch("allow_private", "allow private addresses")) }
                    }
                }
                button.main type="submit" { "Save" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_form_shows_is_what_it_saves() {
        let mut settings = SourceSettings::sample("prices");
        settings.tags = vec!["eu".to_owned(), "daily".to_owned()];
        settings.headers = vec![("Accept".to_owned(), "text/csv; q=1".to_owned())];
        settings.max_size_bytes = Some(3 << 20);
        settings.allow_private = true;
        let found = wanted(&settings, &present(&settings)).expect("settings");
        assert_eq!(found, settings);
        settings.allow_private = false;
        let asked = Fields::with([("allow_private", "on".to_owned())]);
        assert!(wanted(&settings, &asked).is_err_and(|error| error.field == Some("address")));
    }
}
