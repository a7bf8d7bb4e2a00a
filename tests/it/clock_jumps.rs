//! A clock that jumps, by hours or years, either way, once or for ever, between passes and in the middle of one: it costs at
//! most one interval, and nothing stays off.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gannet::clock::{Clock, ManualClock, Sleep};
use gannet::config::{Config, FetchConfig};
use gannet::worker::{Progress, Selection, Stop, Worker};

use crate::net_rig::at;
use crate::origin::{Gate, Origin, Reply};
use crate::rig::{bare_config, hourly, open_app};

/// Long enough for any machine: only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Of each source, in hours.
const INTERVAL: i64 = 6;
const YEAR: i64 = 365 * 24;

struct House {
    clock: ManualClock,
    worker: Worker,
}

impl House {
    async fn with_source(folder: &Path, origin: &Origin) -> Self {
        let clock = ManualClock::new(at("2026-01-31T12:00:00Z"));
        Self::by(folder, origin, clock.clone(), clock).await
    }

    /// Opens a store with one source, by a clock with these hands.
    async fn by(
        folder: &Path,
        origin: &Origin,
        clock: impl Clock + 'static,
        hands: ManualClock,
    ) -> Self {
        let config = Config {
            fetch: FetchConfig {
                ca_files: vec![origin.ca_file().to_owned()],
                read_timeout: PATIENCE,
                max_tries: 1,
                ..FetchConfig::default()
            },
            ..bare_config(folder)
        };
        let app = open_app(config, clock);
        let mut source = hourly("x", origin.url("/x"));
        source.settings.interval = Some(format!("{INTERVAL}h").parse().expect("an interval"));
        app.add(vec![source]).await.expect("added");
        Self {
            clock: hands,
            worker: Worker::new(app),
        }
    }

    /// Does a pass and returns how many sources it tried.
    async fn pass(&self) -> u64 {
        let (stop, progress) = (Stop::default(), Progress::default());
        let pass = self.worker.pass(Selection::Due, &stop, &progress);
        let report = tokio::time::timeout(PATIENCE, pass).await.expect("it ends");
        assert!(report.error.is_none(), "{:?}", report.error);
        report.summary.attempts
    }

    fn turn(&self, hours: i64) {
        self.clock.advance(TimeDelta::hours(hours));
    }

    /// Does a pass each hour until one tries the source; returns how many hours that took.
    async fn hours_until_tried(&self) -> i64 {
        for hour in 0..=3 * INTERVAL {
            if self.pass().await > 0 {
                return hour;
            }
            self.turn(1);
        }
        panic!("it is never tried by {}", self.clock.now());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_between_passes_costs_at_most_one_interval() {
    for jump in [
        -80 * YEAR,
        -YEAR,
        -100,
        -2,
        -1,
        1,
        2,
        5,
        23,
        100,
        YEAR,
        80 * YEAR,
    ] {
        for back in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let origin = Origin::start(true);
            origin.on("/x", (0..8).map(|n| Reply::file(n.to_string())));
            let house = House::with_source(folder.path(), &origin).await;
            assert_eq!(house.pass().await, 1);
            // By the wrong clock, for ever or for one pass.
            house.turn(jump);
            let hours = house.hours_until_tried().await;
            assert!(hours <= INTERVAL + 1, "{jump} h: {hours} h");
            if back {
                house.turn(-jump);
                let hours = house.hours_until_tried().await;
                assert!(hours <= INTERVAL + 1, "{jump} h and back: {hours} h");
            }
            house.turn(INTERVAL);
            assert_eq!(house.pass().await, 1, "{jump} h, back: {back}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_in_the_middle_of_a_pass_costs_at_most_one_interval() {
    for jump in [-YEAR, -3, 3, YEAR] {
        for back in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let origin = Origin::start(true);
            let gate = Gate::new();
            let slow = Reply::file("content").behind(&gate);
            origin.on(
                "/x",
                [slow]
                    .into_iter()
                    .chain((0..8).map(|n| Reply::file(n.to_string()))),
            );
            let house = House::with_source(folder.path(), &origin).await;
            let jumps = async {
                origin.arrived(1).await;
                house.turn(jump);
                gate.open();
            };
            let (tried, ()) = tokio::join!(house.pass(), jumps);
            assert!(tried >= 1, "{jump} h");
            if back {
                house.turn(-jump);
            }
            let hours = house.hours_until_tried().await;
            assert!(hours <= INTERVAL + 1, "{jump} h, back: {back}: {hours} h");
        }
    }
}

/// Sets its hands back by a year when somebody begins to sleep after it was armed.
#[derive(Clone)]
struct Treacherous {
    hands: ManualClock,
    armed: Arc<AtomicBool>,
}

impl Clock for Treacherous {
    fn now(&self) -> DateTime<Utc> {
        self.hands.now()
    }

    fn sleep_until(&self, time: DateTime<Utc>) -> Sleep {
        let sleep = self.hands.sleep_until(time);
        if self.armed.swap(false, Ordering::SeqCst) {
            self.hands.advance(TimeDelta::hours(-YEAR));
        }
        sleep
    }
}

/// A worker that stays sleeps between its passes: a clock that is set back meanwhile must not make it sleep for as long.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stays_wakes_when_the_clock_was_set_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    origin.on("/x", ["one", "two"].map(Reply::file));
    let clock = Treacherous {
        hands: ManualClock::new(at("2027-01-31T12:00:00Z")),
        armed: Arc::default(),
    };
    let hands = clock.hands.clone();
    let armed = Arc::clone(&clock.armed);
    let house = House::by(folder.path(), &origin, clock, hands).await;
    let (stop, progress) = (Stop::default(), Progress::default());
    let has_begun = AtomicBool::new(false);
    let stays = house.worker.run_forever(&stop, &progress, |_| {
        // It sleeps next, for the first time.
        let is_first = !has_begun.swap(true, Ordering::SeqCst);
        armed.fetch_or(is_first, Ordering::SeqCst);
    });
    let stops = async {
        origin.arrived(2).await;
        stop.request();
    };
    let both = async { tokio::join!(stays, stops) };
    let (stayed, ()) = tokio::time::timeout(PATIENCE, both)
        .await
        .expect("it wakes, and tries the source a year before its time");
    stayed.expect("the catalogue is where it was");
}
