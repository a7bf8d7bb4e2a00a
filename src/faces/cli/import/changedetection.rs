//! Reads the watches of changedetection.io: `url-watches.json` of a backup, or the object of watches from its API.

use serde_json::{Map, Value};

use super::entry::{ImportEntry, headers, left_out, tags};
use crate::domain::{Interval, SettingsPatch};

/// Keys of a watch that change the compared content, the fetch, or the notifications; other unknown keys are state.
const KEYS_LEFT_OUT: [&str; 13] = [
    "include_filters",
    "subtractive_selectors",
    "trigger_text",
    "ignore_text",
    "extract_text",
    "text_should_not_be_present",
    "filter_text_added",
    "browser_steps",
    "proxy",
    "conditions",
    "css_filter",
    "xpath_filter",
    "notification_urls",
];

pub(super) fn read(text: &str) -> Result<Vec<ImportEntry>, String> {
    let root: Value = serde_json::from_str(text)
        .map_err(|error| format!("not a JSON file of changedetection.io: {error}"))?;
    let watches = root.get("watching").unwrap_or(&root);
    let Value::Object(watches) = watches else {
        return Err("no watches in it: expected `watching`, as in url-watches.json".to_owned());
    };
    let shared = Shared {
        tags: root.pointer("/settings/application/tags"),
        interval: root
            .pointer("/settings/requests/time_between_check")
            .and_then(interval_of),
    };
    Ok(watches
        .values()
        .enumerate()
        .map(|(at, watch)| entry(format!("watch {}", at + 1), watch, &shared))
        .collect())
}

/// The settings that all watches share.
struct Shared<'a> {
    tags: Option<&'a Value>,
    /// The interval of a watch without its own.
    interval: Option<WholeHours>,
}

/// An interval rounded to whole hours, and whether it was exact.
type WholeHours = (Interval, bool);

fn entry(place: String, watch: &Value, shared: &Shared<'_>) -> ImportEntry {
    let Value::Object(watch) = watch else {
        let why = "not a watch: expected an object";
        return ImportEntry::refused(place, String::new(), None, why);
    };
    let text = |key: &str| {
        let text = watch.get(key).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let Some(address) = text("url") else {
        return ImportEntry::refused(place, String::new(), None, "it has no `url`");
    };
    let title = text("title").unwrap_or(address).to_owned();
    if let Some(why) = refusal(watch, address) {
        return ImportEntry::refused(place, title, Some(address), why);
    }
    let mut without: Vec<_> = left_out(watch, &[])
        .filter(|key| KEYS_LEFT_OUT.contains(&key.as_str()))
        .collect();
    let interval = interval(watch).or(shared.interval);
    if let Some((interval, false)) = interval {
        without.push(format!("its interval: every {interval} instead"));
    }
    let settings = SettingsPatch {
        name: text("title").map(str::to_owned),
        interval: interval.map(|(interval, _)| interval),
        tags: Some(tags_of(watch, shared.tags, &mut without)),
        headers: Some(headers(watch.get("headers"), &mut without)),
        enabled: Some(watch.get("paused") != Some(&Value::Bool(true))),
        ..SettingsPatch::default()
    };
    ImportEntry::taken(place, title, address, settings, without)
}

fn refusal(watch: &Map<String, Value>, address: &str) -> Option<&'static str> {
    let text = |key: &str| watch.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("fetch_backend").contains("webdriver") || text("fetch_backend").contains("playwright") {
        Some("it needs a browser: gannet fetches files as a server sends them")
    } else if !matches!(text("method"), "" | "GET") || !text("body").is_empty() {
        Some("it sends data: gannet asks by GET only")
    } else if address.contains("{{") || address.contains("{%") {
        Some("its address is a template")
    } else {
        None
    }
}

/// Returns the names of a watch's tags: by the ids of the file's tags, or literally in older files.
fn tags_of<'a>(
    watch: &'a Map<String, Value>,
    known: Option<&'a Value>,
    without: &mut Vec<String>,
) -> Vec<String> {
    let title = |id: &str| known?.get(id)?.get("title")?.as_str();
    let written = watch.get("tags").or_else(|| watch.get("tag"));
    tags(written, |id| title(id).unwrap_or(id), without)
}

/// Returns the watch's own interval; `None` when it uses the shared one.
fn interval(watch: &Map<String, Value>) -> Option<WholeHours> {
    if watch.get("time_between_check_use_default") == Some(&Value::Bool(true)) {
        return None;
    }
    interval_of(watch.get("time_between_check")?)
}

fn interval_of(parts: &Value) -> Option<WholeHours> {
    const UNITS: [(&str, u64); 5] = [
        ("weeks", 7 * 24 * 3600),
        ("days", 24 * 3600),
        ("hours", 3600),
        ("minutes", 60),
        ("seconds", 1),
    ];
    let parts = parts.as_object()?;
    let seconds: u64 = UNITS
        .iter()
        .filter_map(|(unit, seconds)| {
            let count = parts.get(*unit)?.as_u64()?;
            Some(count.saturating_mul(*seconds))
        })
        .fold(0, u64::saturating_add);
    if seconds == 0 {
        return None;
    }
    let hours = u32::try_from(seconds.div_ceil(3600)).ok()?;
    Some((Interval::from_hours(hours)?, seconds.is_multiple_of(3600)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::cli::import::entry::line_of;

    const FILE: &str = r#"{
      "watching": {
        "1": {"url": "https://example.org/a", "title": "A", "tags": ["t1", "t2"], "paused": true,
              "time_between_check": {"weeks": null, "days": 1, "hours": 2, "minutes": null, "seconds": null},
              "headers": {"Accept": "text/csv"}, "include_filters": ["table"], "last_checked": 17},
        "2": {"url": "https://example.org/b", "title": null, "tag": "x, y z",
              "time_between_check": {"minutes": 5}},
        "3": {"url": "https://example.org/c", "fetch_backend": "html_webdriver"},
        "4": {"url": "https://example.org/{{ now }}"},
        "5": {"url": "https://example.org/d", "method": "POST"},
        "6": {},
        "7": {"url": "https://example.org/e", "time_between_check": {"hours": null, "minutes": null}},
        "8": {"url": "https://example.org/f", "time_between_check_use_default": true, "time_between_check": {"hours": 9}},
        "9": {"url": "https://example.org/g", "notification_urls": ["mailto://joe:sesame@h"]}
      },
      "settings": {"application": {"tags": {"t1": {"title": "Price lists"}}},
                   "requests": {"time_between_check": {"weeks": null, "hours": 3, "minutes": 30}}}
    }"#;

    #[test]
    fn watches_are_taken_as_far_as_gannet_does_the_same() {
        let entries = read(FILE).expect("watches");
        let told: Vec<_> = entries.iter().map(line_of).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        watch 1: https://example.org/a Some("A") every 26h ["Price-lists", "t2"] [("Accept", "text/csv")] off without ["include_filters", "its tag `Price lists`: `Price-lists` instead"]
        watch 2: https://example.org/b None every 1h ["x", "y-z"] [] without ["its interval: every 1h instead", "its tag `y z`: `y-z` instead"]
        watch 3: https://example.org/c: Some("https://example.org/c"): it needs a browser: gannet fetches files as a server sends them
        watch 4: https://example.org/{{ now }}: Some("https://example.org/{{ now }}"): its address is a template
        watch 5: https://example.org/d: Some("https://example.org/d"): it sends data: gannet asks by GET only
        watch 6: : None: it has no `url`
        watch 7: https://example.org/e None every 4h [] [] without ["its interval: every 4h instead"]
        watch 8: https://example.org/f None every 4h [] [] without ["its interval: every 4h instead"]
        watch 9: https://example.org/g None every 4h [] [] without ["notification_urls", "its interval: every 4h instead"]
        "#);
    }

    #[test]
    fn what_has_no_watches_is_refused() {
        for text in ["[]", "{", "{\"watching\": 1}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
