//! Notifications: the messages that notifiers receive of changes, and when.

pub(in crate::app) mod announce;
pub(in crate::app) mod change;
pub(in crate::app) mod message;
pub(in crate::app) mod notify;
pub(in crate::app) mod plan;
pub(in crate::app) mod record;
pub(in crate::app) mod sample;
