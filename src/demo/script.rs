//! The demo's script: its files, and the origin's response for each of them at each step.
//!
//! A step stands for an hour. All content is fixed or derived from the step, so every run of the demo is the same.

use bytes::Bytes;

use crate::domain::Interval;

/// The last step with a change; later steps answer like this one.
pub const LAST_STEP: u32 = 3;

/// A file at the demo's origin, with the settings of its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoSource {
    /// The path, relative to the origin's address, without a leading slash.
    pub path: &'static str,
    /// The source's name.
    pub name: &'static str,
    /// The source's interval.
    pub interval: Interval,
    /// The source's tags.
    pub tags: &'static [&'static str],
    /// What happens to the file, in a sentence.
    pub note: &'static str,
}

/// Returns the sources of the demo.
pub(super) fn sources() -> Vec<DemoSource> {
    let source = |path, tags, note| DemoSource {
        path,
        name: path,
        interval: Interval::from_hours(1).expect("an hour is in range"),
        tags,
        note,
    };
    vec![
        source(
            "prices.csv",
            &["prices"],
            "changes every hour; the second time with a negative and a missing price",
        ),
        source(
            "countries.json",
            &[],
            "never changes: the server answers 304",
        ),
        source("rates.json", &[], "is cut in the middle, then good again"),
        source(
            "status.txt",
            &[],
            "is replaced by an error page under status 200 for a while",
        ),
        source("blocklist.csv", &[], "is gone for a while: 404"),
        source("firmware.bin", &[], "300 KiB, of which a few bytes change"),
        source("chart.png", &[], "a picture, which changes the third time"),
    ]
}

/// Returns a sentence on the changes of `step`.
pub fn step_note(step: u32) -> &'static str {
    match step {
        0 | 1 => "Every file is there, and good.",
        2 => {
            "prices.csv has a negative and a missing price, rates.json is cut in the middle, status.txt is an error page \
             under status 200, and blocklist.csv is gone."
        }
        3 => {
            "All is good again, with new prices, rates and status, another chart, and a few other bytes in firmware.bin."
        }
        _ => "Nothing changed.",
    }
}

/// The origin's response for one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scripted {
    /// 200, or 304 if the client has the content.
    File {
        /// The content.
        body: Bytes,
        /// The `Content-Type` field.
        media_type: &'static str,
        /// The step with which the content appears: gives `Last-Modified`.
        since_step: u32,
    },
    /// 404.
    Missing,
}

/// Returns the response for `path` (with its leading slash) at `step`.
pub(super) fn answer(path: &str, step: u32) -> Scripted {
    let step = step.clamp(1, LAST_STEP);
    let text = |since_step, media_type, body: &'static str| Scripted::File {
        body: Bytes::from_static(body.as_bytes()),
        media_type,
        since_step,
    };
    match (path, step) {
        ("/prices.csv", 1) => text(1, CSV, include_str!("../../assets/demo/prices-1.csv")),
        ("/prices.csv", 2) => text(2, CSV, include_str!("../../assets/demo/prices-2.csv")),
        ("/prices.csv", _) => text(3, CSV, include_str!("../../assets/demo/prices-3.csv")),
        ("/countries.json", _) => text(1, JSON, include_str!("../../assets/demo/countries.json")),
        ("/rates.json", 1) => text(1, JSON, include_str!("../../assets/demo/rates-1.json")),
        ("/rates.json", 2) => text(2, JSON, include_str!("../../assets/demo/rates-2.json")),
        ("/rates.json", _) => text(3, JSON, include_str!("../../assets/demo/rates-3.json")),
        ("/status.txt", 1) => text(1, TEXT, include_str!("../../assets/demo/status-1.txt")),
        ("/status.txt", 2) => text(2, HTML, include_str!("../../assets/demo/status-2.html")),
        ("/status.txt", _) => text(3, TEXT, include_str!("../../assets/demo/status-3.txt")),
        ("/blocklist.csv", 1 | 3) => text(1, CSV, include_str!("../../assets/demo/blocklist.csv")),
        ("/firmware.bin", step) => Scripted::File {
            body: firmware(step),
            media_type: "application/octet-stream",
            since_step: if step < 3 { 1 } else { 3 },
        },
        ("/chart.png", 1 | 2) => chart(1, include_bytes!("../../assets/demo/chart-1.png")),
        ("/chart.png", _) => chart(3, include_bytes!("../../assets/demo/chart-2.png")),
        _ => Scripted::Missing,
    }
}

fn chart(since_step: u32, body: &'static [u8]) -> Scripted {
    Scripted::File {
        body: Bytes::from_static(body),
        media_type: "image/png",
        since_step,
    }
}

const CSV: &str = "text/csv; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

const FIRMWARE_BYTES: usize = 300 << 10;

/// Returns incompressible bytes, a few of which differ from step 3 on: stored small only as a delta.
fn firmware(step: u32) -> Bytes {
    let mut bytes = Vec::with_capacity(FIRMWARE_BYTES);
    // xorshift64 (Marsaglia 2003): looks random, and is equal on every machine.
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    while bytes.len() < FIRMWARE_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    let version: &[u8] = if step < 3 { b"FW 1.4.1" } else { b"FW 1.4.2" };
    bytes[..version.len()].copy_from_slice(version);
    Bytes::from(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(path: &str, step: u32) -> Bytes {
        match answer(path, step) {
            Scripted::File { body, .. } => body,
            Scripted::Missing => panic!("{path} is missing at step {step}"),
        }
    }

    #[test]
    fn every_source_is_there_and_good_at_the_first_and_last_step() {
        for source in sources() {
            for step in [0, 1, LAST_STEP, LAST_STEP + 1] {
                let body = body(&format!("/{}", source.path), step);
                assert!(!body.is_empty(), "{}", source.path);
                assert!(!body.starts_with(b"<!DOCTYPE"), "{}", source.path);
                let is_json = std::path::Path::new(source.path)
                    .extension()
                    .is_some_and(|extension| extension == "json");
                if is_json {
                    serde_json::from_slice::<serde_json::Value>(&body).expect("JSON");
                }
            }
        }
    }

    #[test]
    fn what_breaks_at_step_2_does() {
        let rates = body("/rates.json", 2);
        assert!(serde_json::from_slice::<serde_json::Value>(&rates).is_err());
        assert!(body("/status.txt", 2).starts_with(b"<!DOCTYPE html>"));
        assert_eq!(answer("/blocklist.csv", 2), Scripted::Missing);
        let prices = String::from_utf8(body("/prices.csv", 2).to_vec()).expect("text");
        assert!(prices.contains(",-5.05,") && prices.contains(",,EUR"));
    }

    #[test]
    fn content_changes_exactly_when_its_time_does() {
        let steps = 1..LAST_STEP;
        for source in sources() {
            for step in steps.clone() {
                let path = format!("/{}", source.path);
                let (
                    Scripted::File {
                        body: one,
                        since_step: since_one,
                        ..
                    },
                    Scripted::File {
                        body: two,
                        since_step: since_two,
                        ..
                    },
                ) = (answer(&path, step), answer(&path, step + 1))
                else {
                    continue;
                };
                assert_eq!(one == two, since_one == since_two, "{path} at {step}");
                assert!(since_two <= step + 1);
            }
        }
    }

    #[test]
    fn firmware_is_of_its_size() {
        assert_eq!(firmware(1).len(), FIRMWARE_BYTES);
        let differing = firmware(1)
            .iter()
            .zip(firmware(3).iter())
            .filter(|(one, other)| one != other)
            .count();
        assert_eq!(differing, 1);
    }
}
