//! Why a file gives no rates, and whether to ask its provider for more.

use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveTime, Utc};

/// Why a file gives no rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The reason, in words.
    pub why: String,
    /// Whether to ask no more for now.
    pub stop: Option<Stop>,
}

/// Until when a provider that refuses is not asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Until the operator has done this.
    Operator(&'static str),
    /// Until the quota begins anew, with the next month.
    Quota,
}

impl Refused {
    /// Returns a refusal after which the source is asked as ever.
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            stop: None,
        }
    }
}

impl Stop {
    /// Returns when the provider may be asked again, refused at `now`; `None` until somebody acts. A quota is by month, in UTC.
    pub fn until(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let first = NaiveDate::from_ymd_opt(now.year(), now.month(), 1);
        let next = first.and_then(|first| first.checked_add_months(Months::new(1)));
        match self {
            Self::Operator(_) => None,
            Self::Quota => next.map(|next| next.and_time(NaiveTime::MIN).and_utc()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_begins_anew_with_the_month() {
        for (now, expected) in [
            ("2026-11-28T18:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
            ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ] {
            let until = Stop::Quota.until(now.parse().expect("a time"));
            assert_eq!(until, Some(expected.parse().expect("a time")));
        }
        assert_eq!(Stop::Operator("do it").until(DateTime::UNIX_EPOCH), None);
    }
}
