//! Turns the panic of a library into a rule failure, without printing anything.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use super::input::{RuleFailure, cannot};
use crate::domain::truncate_line;

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a rule; a panic becomes [`RuleFailure::Cannot`].
pub(super) fn guarded<T>(rule: impl FnOnce() -> Result<T, RuleFailure>) -> Result<T, RuleFailure> {
    static HOOK: Once = Once::new();
    HOOK.call_once(be_silent_when_guarded);
    let before = IS_GUARDED.replace(true);
    let found = catch_unwind(AssertUnwindSafe(rule));
    IS_GUARDED.set(before);
    found.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let text = truncate_line(&text.unwrap_or("no message"));
        cannot(format!("the reader panicked: {text}"))
    })
}

/// Installs a panic hook that ignores guarded panics and passes all others to the hook before.
fn be_silent_when_guarded() {
    let others = take_hook();
    set_hook(Box::new(move |panic| {
        if !IS_GUARDED.get() {
            others(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_no_verdict() {
        for panics in [
            || panic!("a decoder's own mistake"),
            || panic!("a decoder's own {}", "mistake"),
        ] as [fn() -> Result<(), RuleFailure>; 2]
        {
            let found = guarded(panics);
            assert!(
                matches!(&found, Err(RuleFailure::Cannot(why)) if why.ends_with("panicked: a decoder's own mistake")),
                "{found:?}"
            );
        }
        assert!(!IS_GUARDED.get());
    }
}
