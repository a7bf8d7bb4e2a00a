//! The sample that `notify test` sends: a change of each kind that the notifier wants, as real ones look.

use chrono::{DateTime, Utc};

use super::change::Change;
use super::message::CONFIGURATION;
use crate::domain::{ChangeKind, SourceId, VersionId};

const SAMPLE: &str = "a sample, sent by `gannet notify test`";

/// Returns a made-up change of each of these kinds.
pub(in crate::app) fn sample_changes(on: &[ChangeKind], at: DateTime<Utc>) -> Vec<Change> {
    on.iter().map(|kind| sample(*kind, at)).collect()
}

fn sample(kind: ChangeKind, at: DateTime<Utc>) -> Change {
    use ChangeKind::{
        Changed, ConfigRejected, Failing, GoodAgain, PublishFailed, Recovered, SetFailed,
        SetPublished, VersionFailed, Withdrawn,
    };
    let (subject, is_source) = match kind {
        SetFailed | SetPublished => ("set example", false),
        ConfigRejected => (CONFIGURATION, false),
        Failing | VersionFailed | Withdrawn | PublishFailed | Recovered | GoodAgain | Changed => {
            ("example", true)
        }
    };
    let detail = match kind {
        Failing => format!("404 Not Found ({SAMPLE})"),
        Recovered => format!("after 3 failed attempts ({SAMPLE})"),
        VersionFailed | SetFailed => format!("schema: line 3: no number ({SAMPLE})"),
        Withdrawn => format!("failed by schema: line 3: no number ({SAMPLE})"),
        PublishFailed => format!("permission denied ({SAMPLE})"),
        ConfigRejected => {
            format!("line 7: unknown key; the configuration before stays in force ({SAMPLE})")
        }
        GoodAgain | SetPublished | Changed => SAMPLE.to_owned(),
    };
    let has_version = matches!(
        kind,
        VersionFailed | Withdrawn | PublishFailed | GoodAgain | Changed
    );
    Change {
        source_id: is_source.then_some(SourceId(0)),
        address: is_source.then(|| "https://example.org/prices.csv".to_owned()),
        since: Some(at),
        failures: u32::from(kind == Failing),
        detail: Some(detail),
        version_id: has_version.then_some(VersionId(0)),
        difference: (kind == Changed).then(|| "@@ -2 +2 @@\n-bolt,2.40\n+bolt,2.50".to_owned()),
        ..Change::new(kind, subject.to_owned())
    }
}
