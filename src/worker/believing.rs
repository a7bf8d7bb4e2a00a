//! Whether a server may say "unchanged": only when the newest version's bytes are known to be good here.
//!
//! Bytes rot unseen while a server says 304. So a request goes with validators only when the bytes of the newest version were
//! seen to match their digest within the last 24 hours, or do so now. Otherwise the whole file is asked for, which shows by
//! itself whether the stored bytes are good, and heals them. That its objects lie in place is looked at every time.
//!
//! A pass reads back [`MOST_BYTES`] of content at most, so that it ends in time. A version that is longer than what is left of that is
//! asked for whole, and leaves the rest to the shorter ones after it. Of a catalogue whose newest versions were never read back
//! (an earlier gannet made it) the first passes read as much as they may, and fetch the rest whole, each source once, within
//! the bounds that hold for every fetch.

use chrono::{DateTime, TimeDelta, Utc};

use super::pipeline::Pipeline;
use super::read_back::Bytes;
use crate::domain::{CLOCK_TOLERANCE, Claim, NewestVersion};

/// How long bytes that were read back count as good.
const GOOD_FOR: TimeDelta = TimeDelta::hours(24);

impl Pipeline {
    /// Returns what is known of the bytes that "unchanged" would leave a source with. Reads them when they are due to be checked.
    pub(super) async fn newest_bytes(&self, claim: &Claim, now: DateTime<Utc>) -> Bytes {
        let Some(newest) = claim.newest.as_ref() else {
            return Bytes::Unknown;
        };
        let archive = &self.app.archive;
        if let Some(object) = newest.objects.iter().find(|one| !archive.has_object(one)) {
            let (version, name) = (newest.id, &object.name);
            tracing::warn!(
                "version {version}: its object {name} is not as it was: asked for whole"
            );
            return Bytes::Damaged;
        }
        if is_recent(claim.checked_at, now) {
            Bytes::Trusted
        } else if self.read_budget.take(newest.size_bytes) {
            self.read_back(newest).await
        } else {
            Bytes::Unknown
        }
    }

    async fn read_back(&self, newest: &NewestVersion) -> Bytes {
        let read = async {
            let version = self.version(newest.id).await?;
            self.app.content(&version).await
        };
        match read.await {
            Ok(_) => Bytes::Checked,
            Err(error) => {
                tracing::warn!("version {}: {error}: asked for whole", newest.id);
                Bytes::Damaged
            }
        }
    }
}

/// Tells whether bytes that were seen to be good then still count as good. A time that lies ahead is one of a clock that was wrong.
fn is_recent(checked_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    checked_at.is_some_and(|at| now - at <= GOOD_FOR && at - now <= CLOCK_TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_as_good_for_a_day_by_a_clock_that_goes_right() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let hours = TimeDelta::hours;
        for (age, expected) in [
            (hours(0), true),
            (hours(23), true),
            (hours(24), true),
            (hours(24) + TimeDelta::milliseconds(1), false),
            (hours(25), false),
            (hours(24 * 365), false),
            (-CLOCK_TOLERANCE, true),
            (-CLOCK_TOLERANCE - TimeDelta::milliseconds(1), false),
            (-hours(24), false),
            (-hours(24 * 365), false),
        ] {
            assert_eq!(is_recent(Some(now - age), now), expected, "{age}");
        }
        assert!(!is_recent(None, now), "never checked");
    }
}
