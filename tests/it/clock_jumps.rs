//! A clock that jumps, by hours or years, either way, once or for ever, between passes and in the middle of one: it costs at
//! most one interval, and nothing stays off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use gannet::clock::{Clock, ManualClock, Sleep};
use gannet::domain::SettingsPatch;

use crate::rig::{Gate, Reply, Setup, TestApp, soon};

/// Of each source, in hours.
const INTERVAL: i64 = 6;
const YEAR: i64 = 365 * 24;

/// Opens an app with one source, whose contents are these.
async fn with_source<R: Into<Reply>>(app: Setup, contents: impl IntoIterator<Item = R>) -> TestApp {
    let app = app.source("/x", contents).open().await;
    let patch = SettingsPatch {
        interval: Some(format!("{INTERVAL}h").parse().expect("an interval")),
        ..SettingsPatch::default()
    };
    app.edit(&["x".to_owned()], patch).await.expect("edited");
    app
}

fn turn(app: &TestApp, hours: i64) {
    app.clock.advance(TimeDelta::hours(hours));
}

/// Does a pass and returns how many sources it tried.
async fn pass(app: &TestApp) -> u64 {
    app.pass().await.summary.attempts
}

/// Does a pass each hour until one tries the source; returns how many hours that took.
async fn hours_until_tried(app: &TestApp) -> i64 {
    for hour in 0..=3 * INTERVAL {
        if pass(app).await > 0 {
            return hour;
        }
        turn(app, 1);
    }
    panic!("it is never tried by {}", app.clock.now());
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
            let app = with_source(TestApp::new(), (0..8).map(|n| n.to_string())).await;
            assert_eq!(pass(&app).await, 1);
            // By the wrong clock, for ever or for one pass.
            turn(&app, jump);
            let hours = hours_until_tried(&app).await;
            assert!(hours <= INTERVAL + 1, "{jump} h: {hours} h");
            if back {
                turn(&app, -jump);
                let hours = hours_until_tried(&app).await;
                assert!(hours <= INTERVAL + 1, "{jump} h and back: {hours} h");
            }
            turn(&app, INTERVAL);
            assert_eq!(pass(&app).await, 1, "{jump} h, back: {back}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_in_the_middle_of_a_pass_costs_at_most_one_interval() {
    for jump in [-YEAR, -3, 3, YEAR] {
        for back in [false, true] {
            let gate = Gate::new();
            let slow = Reply::file("content").behind(&gate);
            let then = (0..8).map(|n| Reply::file(n.to_string()));
            let app = with_source(TestApp::new(), [slow].into_iter().chain(then)).await;
            let jumps = async {
                app.origin.arrived(1).await;
                turn(&app, jump);
                gate.open();
            };
            let (tried, ()) = tokio::join!(pass(&app), jumps);
            assert!(tried >= 1, "{jump} h");
            if back {
                turn(&app, -jump);
            }
            let hours = hours_until_tried(&app).await;
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
    let armed = Arc::<AtomicBool>::default();
    let trap = Arc::clone(&armed);
    let treacherous = |hands| Treacherous { hands, armed: trap };
    let app = TestApp::new().at("2027-01-31T12:00:00Z").by(treacherous);
    let app = with_source(app, ["one", "two"]).await;
    let has_begun = AtomicBool::new(false);
    let stays = app.worker.run_forever(&app.stop, &app.progress, |_| {
        // It sleeps next, for the first time.
        let is_first = !has_begun.swap(true, Ordering::SeqCst);
        armed.fetch_or(is_first, Ordering::SeqCst);
    });
    let stops = async {
        app.origin.arrived(2).await;
        app.stop.request();
    };
    // It wakes, and tries the source a year before its time.
    let (stayed, ()) = soon(Box::pin(async { tokio::join!(stays, stops) })).await;
    stayed.expect("the catalogue is where it was");
}
