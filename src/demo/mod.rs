//! A small HTTPS origin on loopback, in this process, whose files change, break and recover by a script.
//!
//! `gannet demo` watches it, which shows everything in a minute without a network. It never knows of the store or the
//! worker: the caller advances the script and observes gannet's reaction.

mod config;
mod error;
mod origin;
mod script;
mod tls;

pub use config::{CHECK_PRICES_FILE, CHECK_PRICES_SH, config_toml};
pub use error::DemoError;
pub use origin::Demo;
pub use script::{DemoSource, LAST_STEP, step_note};
pub use tls::{Authority, server_config};
