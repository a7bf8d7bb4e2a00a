//! The scripts that the server runs: each looks first whether its database is the catalogue's.

use std::sync::LazyLock;

use redis::{Script, ScriptInvocation};

use super::keys;
use super::redis_queue::RedisQueue;

macro_rules! scripts {
    ($($name:ident = $file:literal,)*) => {
        $(pub(super) static $name: LazyLock<Script> = LazyLock::new(|| owned(include_str!($file)));)*
    };
}

scripts! {
    DONE = "done.lua",
    FACTS = "facts.lua",
    FIND = "find.lua",
    LOOK = "look.lua",
    MEND = "mend.lua",
    PUT = "put.lua",
    TAKE = "take.lua",
    WAITING = "waiting.lua",
}

/// Returns a script that refuses the database of another catalogue. Its first line has its flags.
fn owned(script: &str) -> Script {
    let (flags, rest) = script.split_once('\n').unwrap_or_default();
    Script::new(&format!("{flags}\n{}{rest}", include_str!("owned.lua")))
}

impl RedisQueue {
    /// Returns a call of a script, with its first key and its first argument.
    pub(super) fn call<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        let mut call = script.key(keys::OWNER);
        call.arg(&self.owner);
        call
    }
}
