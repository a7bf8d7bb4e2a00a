//! CSV (RFC 4180) from objects whose fields are single values.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::faces::text::clean;

/// Writes a header and a row for each object, with the JSON's fields; lists are joined by spaces, null is empty.
pub(crate) fn write<T: Serialize>(
    out: &mut dyn Write,
    fields: &[&str],
    objects: impl IntoIterator<Item = T>,
) -> io::Result<()> {
    write_header(out, fields)?;
    for object in objects {
        write_row(out, fields, object)?;
    }
    Ok(())
}

/// Writes the names of the fields.
pub(crate) fn write_header(out: &mut dyn Write, fields: &[&str]) -> io::Result<()> {
    write_record(out, fields.iter().map(|field| (*field).to_owned()))
}

/// Writes the row of one object.
pub(crate) fn write_row(
    out: &mut dyn Write,
    fields: &[&str],
    object: impl Serialize,
) -> io::Result<()> {
    let value = serde_json::to_value(object)?;
    write_record(out, fields.iter().map(|field| plain(&value[*field])))
}

/// Writes one row of values without names.
pub(crate) fn write_values(
    out: &mut dyn Write,
    values: impl Iterator<Item = Value>,
) -> io::Result<()> {
    write_record(out, values.map(|value| plain(&value)))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        // CSV is also read on terminals.
        Value::String(text) => clean(text).into_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Writes one record through a buffer: the crate's errors hide a closed pipe.
fn write_record(out: &mut dyn Write, fields: impl Iterator<Item = String>) -> io::Result<()> {
    let mut builder = csv::WriterBuilder::new();
    let mut record = builder
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    record.write_record(fields)?;
    out.write_all(&record.into_inner().map_err(io::Error::other)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_needs_it() {
        let object = serde_json::json!({
            "id": 1, "name": "a \"b\", c\nd", "tags": ["x", "y"], "last": null, "enabled": true
        });
        let mut out = Vec::new();
        write(
            &mut out,
            &["id", "name", "tags", "last", "enabled"],
            [object],
        )
        .expect("a buffer");
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            "id,name,tags,last,enabled\r\n1,\"a \"\"b\"\", c d\",x y,,true\r\n"
        );
    }
}
