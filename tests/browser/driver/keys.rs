//! The keys that the tests press, as Chromium takes them.

use serde_json::{Value, json};

/// A key without a character of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Tab,
    Enter,
    /// Marks everything in a field.
    SelectAll,
    Delete,
}

impl Key {
    /// Returns the event of the key going down.
    pub(super) fn down(self) -> Value {
        let (key, code, number, text) = match self {
            Self::Tab => ("Tab", "Tab", 9, ""),
            Self::Enter => ("Enter", "Enter", 13, "\r"),
            Self::SelectAll => ("a", "KeyA", 65, ""),
            Self::Delete => ("Delete", "Delete", 46, ""),
        };
        let kind = if text.is_empty() {
            "rawKeyDown"
        } else {
            "keyDown"
        };
        let mut event = json!({"type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number, "text": text});
        if matches!(self, Self::SelectAll) {
            event["modifiers"] = 2.into();
            event["commands"] = json!(["selectAll"]);
        }
        event
    }
}

/// Returns the event of a character's key going down.
pub(super) fn character(character: char) -> Value {
    let text = character.to_string();
    json!({"type": "keyDown", "key": text, "text": text})
}

/// Returns the event of the same key going up.
pub(super) fn up(mut down: Value) -> Value {
    down["type"] = "keyUp".into();
    down["text"] = "".into();
    down["commands"] = json!([]);
    down
}
