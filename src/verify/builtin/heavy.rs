//! One heavy judgement at a time in the process: several at once would take several times the memory.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use super::source::{Trouble, go_on};

static TURN: Mutex<()> = Mutex::new(());
/// How long to wait before looking again whether anybody still waits for the judgement.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until no other heavy judgement is under way; keeps the others waiting until what it returns is dropped.
pub(super) fn alone(stop: &AtomicBool) -> Result<MutexGuard<'static, ()>, Trouble> {
    loop {
        go_on(stop)?;
        match TURN.try_lock() {
            Ok(turn) => return Ok(turn),
            // It guards nothing that a panic could leave half done.
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
