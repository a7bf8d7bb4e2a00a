//! Keeps the panic of a library inside of a judgement: it is no verdict on the content, and prints nothing.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use super::source::{Trouble, cannot};
use crate::domain::truncate_line;

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a rule; when it panics, it could not judge.
pub(super) fn guarded<T>(rule: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    static HOOK: Once = Once::new();
    HOOK.call_once(be_silent_when_guarded);
    let before = IS_GUARDED.replace(true);
    let found = catch_unwind(AssertUnwindSafe(rule));
    IS_GUARDED.set(before);
    found.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let text = truncate_line(&text.unwrap_or("no message"));
        cannot(format!("the reader broke down over it: {text}"))
    })
}

/// Puts a hook before the one in force, which goes on telling of all other panics.
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
        ] as [fn() -> Result<(), Trouble>; 2]
        {
            let found = guarded(panics);
            assert!(
                matches!(&found, Err(Trouble::Cannot(why)) if why.ends_with("over it: a decoder's own mistake")),
                "{found:?}"
            );
        }
        assert!(!IS_GUARDED.get());
    }
}
