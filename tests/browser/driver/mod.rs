//! Drives Chromium as a person does, by its `DevTools` protocol: looks for parts of a page by role and name, clicks, and types.
//!
//! It waits for conditions, never for a time. The browser ends with the test, or with the process of the test.

mod axe;
mod browser;
mod chromium;
mod keys;
mod link;

pub(crate) use browser::Browser;
pub(crate) use keys::Key;
pub(crate) use link::started;
