//! When a process is killed: at moments that are scattered all over what it does.

use std::process::Child;
use std::time::Duration;

use crate::rig::Numbers;

/// Falls all over a run, however slow the machine is, and becomes meanwhile.
pub(crate) struct Knife {
    /// About as long as a run takes.
    span: Duration,
    numbers: Numbers,
}

impl Knife {
    /// Begins with the time that a run takes which nobody kills.
    pub(crate) fn of(span: Duration) -> Self {
        Self {
            span,
            numbers: Numbers(1),
        }
    }

    pub(crate) fn falls_on(&mut self, child: &mut Child) {
        let share = u32::try_from(self.numbers.below(1000)).expect("small");
        // Not a wait for anything: the moment at which the knife falls.
        std::thread::sleep(self.span * share / 1000);
        let ended = child.try_wait().expect("a child").is_some();
        self.span = if ended {
            self.span * 4 / 5
        } else {
            self.span * 5 / 4
        };
        child.kill().expect("killed, or ended by itself");
        child.wait().expect("it ended");
    }
}
