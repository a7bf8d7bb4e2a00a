//! Published files: publishing them, looking at them, and removing them.

pub(in crate::app) mod file_check;
pub(in crate::app) mod other_contents;
pub(in crate::app) mod pictures;
pub(in crate::app) mod publish;
pub(in crate::app) mod stray;
pub(in crate::app) mod unservable;
pub(in crate::app) mod withdraw;
