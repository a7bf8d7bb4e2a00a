//! The alert rules of Prometheus and the dashboard of Grafana name metrics that the HTTP service has.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::{deployed, has, path_of, yaml};
use crate::rig::{left_out, said};

/// The metrics of the HTTP service, with their labels. Histograms have `_bucket`, `_sum` and `_count` behind their names, and the label `le`.
const METRICS: &[(&str, &[&str])] = &[
    ("gannet_sources", &["state"]),
    ("gannet_sources_watched", &[]),
    ("gannet_sources_due", &[]),
    ("gannet_sets_failing", &[]),
    ("gannet_sets_pending", &[]),
    ("gannet_attempts_total", &["outcome", "error_kind"]),
    ("gannet_attempt_duration_seconds", &["le"]),
    ("gannet_verdicts_total", &["outcome"]),
    ("gannet_pass_duration_seconds", &["le"]),
    ("gannet_last_pass_timestamp_seconds", &[]),
    ("gannet_config_rejected", &[]),
    ("gannet_http_certificate_expires_timestamp_seconds", &[]),
    ("gannet_store_bytes", &[]),
    ("gannet_queue_server_up", &[]),
    ("gannet_queue_messages", &["queue"]),
    ("gannet_queue_oldest_age_seconds", &["queue"]),
    ("gannet_queue_dead_messages", &["queue"]),
    ("gannet_websocket_clients", &[]),
    ("gannet_http_requests_total", &["route", "status"]),
    ("gannet_http_request_duration_seconds", &["le", "route"]),
];

/// The states that `gannet_sources` tells apart, as in the manual.
const STATES: &[&str] = &[
    "down",
    "fail",
    "error",
    "set-fail",
    "unpublished",
    "damaged",
];

/// Returns the words that follow this one: up to a character that is none of a name.
fn names_from<'a>(text: &'a str, begin: &str) -> Vec<&'a str> {
    let is_within = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = text.match_indices(begin);
    let names = starts.filter(|(at, _)| !text[..*at].ends_with(is_within));
    let names = names.map(|(at, _)| {
        let rest = &text[at..];
        &rest[..rest.find(|c| !is_within(c)).unwrap_or(rest.len())]
    });
    names.collect()
}

/// Checks the metrics that an expression names, and their labels.
fn check_expression(expression: &str) {
    let named = names_from(expression, "gannet_");
    assert!(!named.is_empty(), "{expression}");
    let mut labels = BTreeSet::new();
    for name in named {
        let ends = ["_bucket", "_sum", "_count"];
        let base = ends.iter().find_map(|end| name.strip_suffix(end));
        let metric = METRICS.iter().find(|(metric, known)| match base {
            Some(base) => *metric == base && known.contains(&"le"),
            None => *metric == name && !known.contains(&"le"),
        });
        let (_, known) = metric.unwrap_or_else(|| panic!("{name} in {expression}"));
        labels.extend(known.iter().copied());
    }
    let matchers = expression
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next());
    let matched = matchers
        .flat_map(|all| all.split(','))
        .filter_map(|one| one.split(['=', '!']).next());
    let grouped = expression
        .split("by (")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let grouped = grouped.flat_map(|all| all.split(','));
    for label in matched.chain(grouped).map(str::trim) {
        assert!(labels.contains(label), "{label} in {expression}");
    }
    for states in expression.split("state=~\"").skip(1) {
        let states = states.split('"').next().unwrap_or_default();
        assert!(
            states.split('|').all(|state| STATES.contains(&state)),
            "{states}"
        );
    }
}

#[test]
fn a_wrong_metric_or_label_is_found() {
    check_expression("sum by (le, route) (rate(gannet_http_request_duration_seconds_bucket[1h]))");
    for wrong in [
        "gannet_fetches_total",
        "gannet_attempt_duration_seconds",
        "gannet_store_bytes_sum",
        "gannet_sources{outcome=\"x\"}",
        "gannet_sources{state=~\"down|broken\"}",
        "sum by (kind) (gannet_attempts_total)",
    ] {
        assert!(
            std::panic::catch_unwind(|| check_expression(wrong)).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn the_dashboard_of_grafana_shows_metrics_that_there_are() {
    let dashboard: Value = serde_json::from_str(&deployed("grafana.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut shown = String::new();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].to_string()), "{panel}");
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            check_expression(expression);
            shown.push_str(expression);
        }
    }
    for (metric, _) in METRICS {
        assert!(shown.contains(metric), "{metric} is on the dashboard");
    }
}

#[test]
fn the_alert_rules_name_metrics_that_there_are() {
    let path = path_of("assets/deploy/prometheus-alerts.yml");
    if let Some(rules) = yaml(&path) {
        let rules = rules["groups"][0]["rules"]
            .as_array()
            .expect("rules")
            .clone();
        assert!(rules.len() > 5, "{rules:?}");
        for rule in &rules {
            check_expression(rule["expr"].as_str().expect("an expression"));
            let summary = rule["annotations"]["summary"].as_str();
            assert!(rule["alert"].is_string() && summary.is_some(), "{rule}");
        }
    } else {
        left_out(
            "the expressions of the alert rules",
            "Python's yaml is not there",
        );
    }
    if has("promtool", "--version", "promtool check rules") {
        let checked = Command::new("promtool")
            .args(["check", "rules"])
            .arg(&path)
            .output();
        let checked = said(&checked.expect("promtool runs"));
        assert_eq!(checked.code, Some(0), "{checked:#?}");
    }
}
