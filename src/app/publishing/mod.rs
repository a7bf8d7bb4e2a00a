//! Published files: bringing them in line with the catalogue, looking at them, and taking them away.

pub(in crate::app) mod look;
pub(in crate::app) mod other_contents;
pub(in crate::app) mod publish;
pub(in crate::app) mod stray;
pub(in crate::app) mod unservable;
pub(in crate::app) mod withdraw;
