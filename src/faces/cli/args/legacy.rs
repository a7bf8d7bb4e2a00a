//! Arguments of the predecessor's commands, which crontabs and scripts still use.

use clap::Args;

use super::values::parse_truth;
use crate::domain::Interval;

/// `add_url` and `set_interval`.
#[derive(Debug, Args)]
pub struct LegacyIntervalArgs {
    /// The address.
    pub address: String,
    /// Whole hours or days.
    pub interval: Interval,
}

/// `url_enabled`.
#[derive(Debug, Args)]
pub struct LegacyEnabledArgs {
    /// The address.
    pub address: String,
    /// True or False
    #[arg(value_name = "True|False", value_parser = parse_truth, action = clap::ArgAction::Set)]
    pub enabled: bool,
}
