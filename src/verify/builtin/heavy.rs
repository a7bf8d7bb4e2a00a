//! Limits the process to one memory-heavy judgement at a time.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use super::input::{RuleFailure, go_on};

static TURN: Mutex<()> = Mutex::new(());
/// Pause between two attempts to get the turn.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until no other heavy judgement runs. The guard holds back others until dropped. Fails once `stop` is set.
pub(super) fn alone(stop: &AtomicBool) -> Result<MutexGuard<'static, ()>, RuleFailure> {
    loop {
        go_on(stop)?;
        match TURN.try_lock() {
            Ok(turn) => return Ok(turn),
            // The lock protects no data that a panic could leave half written.
            Err(TryLockError::Poisoned(poisoned)) => return Ok(PoisonError::into_inner(poisoned)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;
    use std::sync::{Arc, mpsc};

    #[test]
    fn the_next_one_waits_for_its_turn_or_gives_up() {
        let turn = alone(&AtomicBool::new(false)).expect("a turn");
        let stop = Arc::new(AtomicBool::new(false));
        let (told, heard) = mpsc::channel();
        let other = {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || told.send(alone(&stop).map(drop).is_ok()))
        };
        assert!(heard.try_recv().is_err(), "two at a time");
        stop.store(true, Ordering::Relaxed);
        assert_eq!(heard.recv(), Ok(false));
        other.join().expect("no panic").expect("told");
        drop(turn);
        drop(alone(&AtomicBool::new(false)).expect("the next turn"));
    }
}
