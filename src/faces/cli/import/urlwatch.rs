//! Reads the jobs of urlwatch and webchanges: YAML documents, or one list of jobs.

use serde_json::{Map, Value};

use super::entry::{ImportEntry, headers, left_out, says_something, tags};
use crate::domain::SettingsPatch;

/// Keys that do not affect the fetch, or that are read here.
const KNOWN: [&str; 12] = [
    "url",
    "name",
    "kind",
    "headers",
    "tags",
    "enabled",
    "note",
    "user_visible_url",
    "index_number",
    "guid",
    "max_tries",
    "compared_versions",
];

pub(super) fn read(text: &str) -> Result<Vec<ImportEntry>, String> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| {
        // Further lines of the error repeat the file, which may hold a secret.
        let error = error.to_string();
        let why = error.lines().next().unwrap_or_default();
        format!("not YAML jobs of urlwatch or webchanges: {why}")
    })?;
    let jobs = documents.into_iter().flat_map(|document| match document {
        Value::Array(jobs) => jobs,
        Value::Null => Vec::new(),
        other => vec![other],
    });
    Ok(jobs
        .enumerate()
        .map(|(at, job)| entry(format!("job {}", at + 1), job))
        .collect())
}

fn entry(place: String, job: Value) -> ImportEntry {
    let Value::Object(job) = job else {
        let why = "not a job: expected keys and values";
        return ImportEntry::refused(place, String::new(), None, why);
    };
    let text = |key: &str| job.get(key).and_then(Value::as_str).map(str::to_owned);
    let title = ["name", "url", "navigate", "command"]
        .into_iter()
        .find_map(text)
        .unwrap_or_default();
    if let Some(why) = refusal(&job) {
        let address = text("url").or_else(|| text("navigate"));
        return ImportEntry::refused(place, title, address.as_deref(), why);
    }
    let Some(address) = text("url") else {
        return ImportEntry::refused(place, title, None, "it has no `url`");
    };
    let mut without: Vec<_> = left_out(&job, &KNOWN).collect();
    if job
        .get("name")
        .is_some_and(|name| says_something(name) && !name.is_string())
    {
        without.push("its name: not a text".to_owned());
    }
    let settings = SettingsPatch {
        name: text("name"),
        tags: Some(tags(job.get("tags"), |word| word, &mut without)),
        headers: Some(headers(job.get("headers"), &mut without)),
        enabled: Some(job.get("enabled") != Some(&Value::Bool(false))),
        ..SettingsPatch::default()
    };
    ImportEntry::taken(place, title, &address, settings, without)
}

/// Returns why gannet cannot do a job.
fn refusal(job: &Map<String, Value>) -> Option<&'static str> {
    let has = |key: &str| job.get(key).is_some_and(says_something);
    let method = job.get("method").and_then(Value::as_str);
    if has("command") {
        Some("it runs a command: gannet fetches addresses")
    } else if has("navigate") || has("use_browser") {
        Some("it needs a browser: gannet fetches files as a server sends them")
    } else if has("data") || method.is_some_and(|method| !method.eq_ignore_ascii_case("GET")) {
        Some("it sends data: gannet asks by GET only")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::cli::import::entry::line_of;

    const JOBS: &str = r#"
name: "Prices"
url: https://example.org/prices.csv
headers:
  Accept-Language: de
  X-Version: 2
tags: [daily, "price list"]
filter:
  - css: table
---
kind: url
url: "https://example.org/b"
enabled: false
---
name: disk
command: df -h
---
navigate: https://example.org/app
---
url: https://example.org/form
data: {a: 1}
---
- url: https://example.org/list
---
just text
"#;

    #[test]
    fn jobs_are_taken_as_far_as_gannet_does_the_same() {
        let entries = read(JOBS).expect("jobs");
        let told: Vec<_> = entries.iter().map(line_of).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        job 1: https://example.org/prices.csv Some("Prices") ["daily", "price-list"] [("Accept-Language", "de"), ("X-Version", "2")] without ["filter", "its tag `price list`: `price-list` instead"]
        job 2: https://example.org/b None [] [] off without []
        job 3: disk: None: it runs a command: gannet fetches addresses
        job 4: https://example.org/app: Some("https://example.org/app"): it needs a browser: gannet fetches files as a server sends them
        job 5: https://example.org/form: Some("https://example.org/form"): it sends data: gannet asks by GET only
        job 6: https://example.org/list None [] [] without []
        job 7: : None: not a job: expected keys and values
        "#);
    }

    #[test]
    fn what_is_no_yaml_is_refused() {
        assert!(read("a: [1, 2").is_err());
        assert_eq!(read("").expect("nothing").len(), 0);
    }
}
