//! Waiting for other processes and tasks: patiently, and without keeping a core busy.

use std::time::{Duration, Instant};

/// Long enough for any machine: only a test that fails waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks: as long as a look takes, within these bounds. It may take a process.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(50)];

/// Waits until another process has done something: it may have ended instead, which fails the test.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    seen(what, || is_so().then_some(()));
}

/// Waits likewise until there is something to be seen, and returns it.
#[track_caller]
pub(crate) fn seen<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        let looks = Instant::now();
        if let Some(value) = look() {
            return value;
        }
        assert!(begun.elapsed() < PATIENCE, "not seen: {what}");
        std::thread::sleep(looks.elapsed().clamp(PAUSES[0], PAUSES[1]));
    }
}

/// Waits for what comes on any machine.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("what is waited for comes")
}

/// Waits until a file, or what lies in a folder, is as it is to be.
pub(crate) async fn comes(is_so: impl Fn() -> bool) {
    soon(async {
        while !is_so() {
            tokio::time::sleep(PAUSES[0]).await;
        }
    })
    .await;
}
