//! The question for published pictures, and its answer.

use crate::domain::{Picture, SourceId};

/// Asks for the published files that passed one of these verifiers, all of which are `image` rules.
#[derive(Clone, Debug)]
pub struct PicturesQuery {
    /// The names of the verifiers.
    pub verifiers: Vec<String>,
    /// Which pictures.
    pub which: WhichPictures,
}

/// Which of the published pictures are asked for.
#[derive(Clone, Debug)]
pub enum WhichPictures {
    /// That of this source.
    Of(SourceId),
    /// Those behind a place, by the name of the published file.
    After {
        /// The place; `None` for the beginning.
        after: Option<PicturePlace>,
        /// At most so many.
        limit: usize,
    },
}

/// The place of a picture in the order of all: the name of its published file, and its source.
pub type PicturePlace = (String, SourceId);

/// Published pictures, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PicturePage {
    /// The pictures.
    pub pictures: Vec<Picture>,
    /// How many there are before these.
    pub before: u64,
    /// How many there are in all; 0 when the page is empty.
    pub total: u64,
    /// The place of the last one, when others follow.
    pub next: Option<PicturePlace>,
}
