//! The groups of the operations, in the order in which they are shown: by what follows `/api/v1/` in their paths.

use utoipa::Modify;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{OpenApi, PathItem};

/// The groups, each with its description.
const GROUPS: [(&str, &str); 10] = [
    (
        "sources",
        "The addresses that are watched: their settings, attempts and versions, and fetching one now.",
    ),
    (
        "versions",
        "What was kept of a source: contents, differences and verdicts.",
    ),
    (
        "sets",
        "Sources that are judged and published together, with their editions.",
    ),
    (
        "images",
        "The published pictures that passed a verifier of images.",
    ),
    (
        "messages",
        "JSON that is pushed, and read when it is persisted.",
    ),
    (
        "queues",
        "Where messages wait until they are persisted, and how fast they go through.",
    ),
    ("dead-messages", "What could not be persisted."),
    (
        "rates",
        "Currency rates of a day, and over a range of days.",
    ),
    ("events", "What happened, as the log has it."),
    ("summary", "All sources in numbers."),
];

/// Puts each operation into its group.
pub(super) struct Groups;

impl Modify for Groups {
    fn modify(&self, description: &mut OpenApi) {
        let groups = GROUPS.map(|(name, words)| {
            let group = TagBuilder::new().name(name);
            group.description(Some(words)).build()
        });
        description.tags = Some(groups.into());
        for (path, item) in &mut description.paths.paths {
            let rest = path.strip_prefix("/api/v1").unwrap_or(path);
            let rest = rest.trim_start_matches('/');
            let group = rest.split('/').next().unwrap_or_default();
            let PathItem {
                get,
                post,
                patch,
                delete,
                ..
            } = item;
            for operation in [get, post, patch, delete].into_iter().flatten() {
                operation.tags = Some(vec![group.to_owned()]);
            }
        }
    }
}
