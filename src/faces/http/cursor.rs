//! The place in an ordered list after which the next page begins: the sort key and the id of the last item.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::problem::Problem;

/// A place in an ordered list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cursor {
    pub(super) key: String,
    pub(super) id: i64,
}

impl Cursor {
    /// Reads the text that [`Cursor::text`] made.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let read = bytes.and_then(|bytes| serde_json::from_slice::<(String, i64)>(&bytes).ok());
        match read {
            Some((key, id)) => Ok(Self { key, id }),
            None => Err(Problem::invalid("`after` is no `next` of an earlier page")),
        }
    }

    pub(super) fn text(&self) -> String {
        let pair = serde_json::to_vec(&(&self.key, self.id)).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(pair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_back() {
        for key in ["", "prices", "zürich\n\"{"] {
            let cursor = Cursor {
                key: key.to_owned(),
                id: 7,
            };
            assert_eq!(Cursor::read(&cursor.text()).ok(), Some(cursor));
        }
        for text in ["", "?", "AAAA", "W10"] {
            assert!(Cursor::read(text).is_err(), "{text}");
        }
    }
}
