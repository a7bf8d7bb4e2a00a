//! The tables of verdicts and refusals: versions, editions and messages have the same kind of tables, each its own.

use crate::store::judged::Judged;

impl Judged {
    pub(super) fn id(self) -> i64 {
        match self {
            Self::Version(id) => id.0,
            Self::Edition(id) => id.0,
        }
    }

    pub(super) fn tables(self) -> Tables {
        match self {
            Self::Version(_) => OF_VERSIONS,
            Self::Edition(_) => OF_EDITIONS,
        }
    }
}

/// The table of verdicts, and the table with the second records of refusals.
#[derive(Clone, Copy)]
pub(super) struct Tables {
    pub(super) verdicts: &'static str,
    refusals: Option<&'static str>,
    /// The column of both that names the subject.
    pub(super) on: &'static str,
}

pub(super) const OF_VERSIONS: Tables = Tables {
    verdicts: "verdict",
    refusals: Some("refusal"),
    on: "version_id",
};

pub(super) const OF_EDITIONS: Tables = Tables {
    verdicts: "edition_verdict",
    refusals: Some("edition_refusal"),
    on: "edition_id",
};

/// Nobody outside judges messages, so that none is refused.
pub(super) const OF_MESSAGES: Tables = Tables {
    verdicts: "message_verdict",
    refusals: None,
    on: "message_id",
};

impl Tables {
    /// The table of refusals.
    pub(super) fn refusals(self) -> &'static str {
        self.refusals.expect("versions and editions can be refused")
    }

    /// The checksum of a row `d`, as computed in `schema/023.sql`.
    fn checksum(self) -> String {
        let Self { on, .. } = self;
        format!(
            "(d.id % 2147483647 * 1103515245 % 2147483647 + d.{on} % 2147483647 * 1812433253 % 2147483647
             + d.verifier_id % 2147483647 * 1566083941 % 2147483647 + d.fingerprint_id % 2147483647 * 1597334677 % 2147483647
             + d.actor_id % 2147483647 * 1664525 % 2147483647 + d.started_at % 2147483647 * 69069 % 2147483647
             + 48271 * CASE d.outcome WHEN 'passed' THEN 1 WHEN 'failed' THEN 2 WHEN 'error' THEN 3 WHEN 'pending' THEN 4 ELSE 0 END
             + coalesce(d.given_on, -1) % 2147483647 * 16807 % 2147483647) % 2147483647"
        )
    }

    /// Whether a row `d` fits its checksum: a column for [`read_fit`].
    pub(super) fn fits(self) -> String {
        format!("coalesce(d.checksum = {}, 0) AS checksum", self.checksum())
    }

    /// The id of the next verdict. A lost row's id is not reused while its refusal is recorded, and absurd ids of
    /// damaged rows are ignored.
    fn next_id(self) -> String {
        let Self { verdicts, .. } = self;
        let refused = self.refusals.map(|refusals| {
            format!("coalesce((SELECT max(verdict_id) FROM {refusals} WHERE verdict_id < {MOST_IDS}), 0)")
        });
        let refused = refused.as_deref().unwrap_or("0");
        format!(
            "(SELECT max(coalesce((SELECT max(id) FROM {verdicts} WHERE id < {MOST_IDS}), 0), {refused}) + 1)"
        )
    }

    /// Inserts the row given by `values`, expressions for these columns: the subject, the columns of [`GIVEN`], and
    /// what the verdict was given on.
    pub(super) fn insert(self, values: &str) -> String {
        let Self { verdicts, on, .. } = self;
        let (next, checksum) = (self.next_id(), self.checksum());
        format!(
            "INSERT INTO {verdicts} (id, {on}, {GIVEN}, given_on, checksum)
             SELECT d.id, d.{on}, d.verifier_id, d.fingerprint_id, d.actor_id, d.outcome, d.detail, d.exit_code, d.output, d.started_at,
                 d.duration_ms, d.given_on, {checksum}
             FROM (SELECT {next} AS id, {values}) d"
        )
    }
}

/// Ids stay below this number.
const MOST_IDS: i64 = 1 << 53;

/// The columns of a verdict that a repetition copies.
pub(super) const GIVEN: &str = "verifier_id, fingerprint_id, actor_id, outcome, detail, exit_code, output, started_at, duration_ms";
