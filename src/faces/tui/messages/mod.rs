//! The view of messages: what it holds, what it reads, and where its parts lie.

pub(crate) mod ask;
pub(crate) mod effects;
pub(crate) mod layout;
pub(crate) mod parts;
pub(crate) mod queue_list;
pub(crate) mod view;
