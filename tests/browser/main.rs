//! The pages in a real browser: Chromium without a window, over a running `gannet serve` and a scripted origin on loopback.
//!
//! A machine without Chromium leaves these tests out, and says so. Nothing here leaves loopback.

#[path = "../rig/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other tests use more of it")]
mod rig;

mod driver;
mod stage;

mod keyboard;
mod live;
mod newcomer;
mod no_script;
mod pages;
