//! JSON that is written piece by piece, so that a history with all its output is never in memory as a whole.

use std::io::{self, Write};

use serde::Serialize;

use super::history::{AttemptJson, attempts, version};
use crate::app::History;
use crate::domain::{Verdict, VersionId};

/// The last field of an object with versions.
const VERSIONS: &str = "versions";

/// An object in progress whose last field is a list.
pub(crate) struct OpenList<'a> {
    out: &'a mut dyn Write,
    /// The depth of the object's own braces.
    depth: usize,
    is_empty: bool,
}

impl<'a> OpenList<'a> {
    /// Writes the fields of an object, and begins the list in its last field.
    pub(crate) fn begin(
        out: &'a mut dyn Write,
        fields: &impl Serialize,
        list: &str,
    ) -> io::Result<Self> {
        Self::begin_at(out, 0, fields, list)
    }

    fn begin_at(
        out: &'a mut dyn Write,
        depth: usize,
        fields: &impl Serialize,
        list: &str,
    ) -> io::Result<Self> {
        let object = indented(fields, depth)?;
        let fields = object.trim_end_matches('}').trim_end();
        let comma = if fields.ends_with('{') { "" } else { "," };
        write!(out, "{fields}{comma}")?;
        break_line(out, depth + 1)?;
        write!(out, "\"{list}\": [")?;
        Ok(Self {
            out,
            depth,
            is_empty: true,
        })
    }

    /// Writes the next item of the list.
    pub(crate) fn item(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.separate()?;
        let text = indented(value, self.depth + 2)?;
        self.out.write_all(text.as_bytes())
    }

    /// Begins the next item of the list, an object whose last field is a list too.
    pub(crate) fn open_item(
        &mut self,
        fields: &impl Serialize,
        list: &str,
    ) -> io::Result<OpenList<'_>> {
        self.separate()?;
        OpenList::begin_at(&mut *self.out, self.depth + 2, fields, list)
    }

    /// Ends the list and the object.
    pub(crate) fn end(self) -> io::Result<()> {
        if !self.is_empty {
            break_line(self.out, self.depth + 1)?;
        }
        self.out.write_all(b"]")?;
        break_line(self.out, self.depth)?;
        self.out.write_all(b"}")
    }

    fn separate(&mut self) -> io::Result<()> {
        if !self.is_empty {
            self.out.write_all(b",")?;
        }
        self.is_empty = false;
        break_line(self.out, self.depth + 2)
    }
}

/// Writes an object of these fields and a history: attempts, and versions with verdicts, read one at a time.
pub(crate) async fn write_history<E: From<io::Error>>(
    out: &mut dyn Write,
    fields: &impl Serialize,
    history: &History,
    verdicts: impl AsyncFn(VersionId) -> Result<Vec<Verdict>, E>,
) -> Result<(), E> {
    #[derive(Serialize)]
    struct Head<'a, F> {
        #[serde(flatten)]
        fields: &'a F,
        attempts: Vec<AttemptJson<'a>>,
    }
    let head = Head {
        fields,
        attempts: attempts(history),
    };
    let list = OpenList::begin(out, &head, VERSIONS)?;
    write_versions(list, history, verdicts).await?;
    Ok(out.write_all(b"\n")?)
}

/// Writes an item of these fields and the versions of a history, read one at a time.
pub(crate) async fn write_versions_of<E: From<io::Error>>(
    list: &mut OpenList<'_>,
    fields: &impl Serialize,
    history: &History,
    verdicts: impl AsyncFn(VersionId) -> Result<Vec<Verdict>, E>,
) -> Result<(), E> {
    let item = list.open_item(fields, VERSIONS)?;
    write_versions(item, history, verdicts).await
}

async fn write_versions<E: From<io::Error>>(
    mut list: OpenList<'_>,
    history: &History,
    verdicts: impl AsyncFn(VersionId) -> Result<Vec<Verdict>, E>,
) -> Result<(), E> {
    for (one, known) in &history.versions {
        let said = if known.is_empty() {
            Vec::new()
        } else {
            verdicts(one.id).await?
        };
        list.item(&version(history, one, &said))?;
    }
    Ok(list.end()?)
}

/// Returns a value's JSON, indented for this depth. JSON strings hold no line breaks.
fn indented(value: &impl Serialize, depth: usize) -> io::Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    Ok(text.replace('\n', &format!("\n{}", "  ".repeat(depth))))
}

fn break_line(out: &mut dyn Write, depth: usize) -> io::Result<()> {
    write!(out, "\n{}", "  ".repeat(depth))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pieces_are_what_the_whole_would_be() {
        let nothing = json!({});
        let line_break = json!({"text": "a\n}", "list": [{"b": [1, 2]}, []]});
        for fields in [&nothing, &line_break] {
            for items in [&[][..], &[json!(1), line_break.clone()]] {
                let mut whole = fields.clone();
                whole["z"] = json!([{"name": "x", "z": items}, {"z": items}]);
                let mut out = Vec::new();
                let mut list = OpenList::begin(&mut out, fields, "z").expect("a buffer");
                for head in [json!({"name": "x"}), json!({})] {
                    let mut inner = list.open_item(&head, "z").expect("a buffer");
                    for item in items {
                        inner.item(item).expect("a buffer");
                    }
                    inner.end().expect("a buffer");
                }
                list.end().expect("a buffer");
                let expected = serde_json::to_string_pretty(&whole).expect("JSON");
                assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
            }
        }
    }
}
