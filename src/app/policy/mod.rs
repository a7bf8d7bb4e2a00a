//! The policy in force and the configuration that it came from.

pub(in crate::app) mod adoption;
pub(in crate::app) mod configured;
pub(in crate::app) mod idle;
pub(in crate::app) mod outlook;
pub(in crate::app) mod standing;
pub(in crate::app) mod trouble;
