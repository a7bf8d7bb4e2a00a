//! Reads a built-in rule with its parameters.

use std::ops::Range;
use std::time::Duration;

use super::{Builtin, CsvRule, ImageFormat, ImageRule, JsonRule, Percent, Schema, SizeRule};
use crate::config::document::{Field, Section};
use crate::config::duration::parse_long_duration;
use crate::config::paths::Paths;
use crate::domain::{Digest, parse_size};

/// Every rule, with the keys that it takes.
const RULES: [(&str, &[&str]); 9] = [
    ("utf8", &[]),
    ("json", &["schema", "format", "duplicates"]),
    (
        "csv",
        &[
            "delimiter",
            "header",
            "columns",
            "min_rows",
            "max_rows",
            "min_rows_of_last",
        ],
    ),
    ("xml", &[]),
    ("image", &["formats", "max_pixels"]),
    ("sha256", &["digest", "companion"]),
    ("size", &["min", "max", "min_of_last", "max_of_last"]),
    ("fresh", &["max_age"]),
    ("not-html", &[]),
];
const EXPECTED: &str = "utf8, json, csv, xml, image, sha256, size, fresh or not-html";

/// Returns the keys that only rules take.
pub(in crate::config) fn keys() -> Vec<&'static str> {
    RULES.iter().flat_map(|(_, keys)| *keys).copied().collect()
}

/// Reads `builtin` and its parameters; notes what is wrong. Nothing when there is no `builtin`, too.
pub(in crate::config) fn read(section: &mut Section<'_>, paths: Paths<'_>) -> Option<Builtin> {
    let builtin = section.text("builtin");
    let at = match &builtin {
        Some(builtin) => builtin.span.clone(),
        None => section.span().clone(),
    };
    // Every key is asked for, whatever the rule, so that none is ever an unknown one.
    let json = read_json(section, paths);
    let csv = read_csv(section, &at);
    let image = read_image(section);
    let digest = section.parsed("digest", |text| {
        text.parse::<Digest>().map_err(|error| error.to_string())
    });
    let companion = section.parsed("companion", parse_companion);
    let size = read_size(section);
    let max_age = section.parsed("max_age", parse_long_duration);
    let builtin = builtin?;
    let fine = no_stray_keys(section, builtin.value);
    let rule = match builtin.value {
        "utf8" => Some(Builtin::Utf8),
        "json" => json.map(Builtin::Json),
        "csv" => csv.map(Builtin::Csv),
        "xml" => Some(Builtin::Xml),
        "image" => image.map(Builtin::Image),
        "sha256" => pinned(section, &at, digest, companion),
        "size" => bounds(section, &at, size?),
        "fresh" => fresh(section, &at, max_age),
        "not-html" => Some(Builtin::NotHtml),
        other => {
            section.problem(
                &at,
                format!(
                    "`verifier.builtin`: `{}` is not a rule: expected {EXPECTED}",
                    other.escape_debug()
                ),
            );
            None
        }
    };
    rule.filter(|_| fine)
}

/// Tells whether no key of another rule is there.
fn no_stray_keys(section: &Section<'_>, rule: &str) -> bool {
    let Some((_, own)) = RULES.iter().find(|(name, _)| *name == rule) else {
        return true;
    };
    let mut stray = keys();
    stray.retain(|key| !own.contains(key));
    section.refuse(&stray, "with this builtin")
}

/// Tells whether a key that is there has been read too.
fn is_whole<T>(section: &Section<'_>, key: &str, read: Option<&T>) -> bool {
    read.is_some() || !section.has(key)
}

fn read_json(section: &mut Section<'_>, paths: Paths<'_>) -> Option<JsonRule> {
    let schema = section.text("schema");
    let formats = section.switch("format");
    let unique_keys = section.parsed("duplicates", parse_duplicates);
    let whole = is_whole(section, "schema", schema.as_ref())
        && is_whole(section, "format", formats.as_ref())
        && is_whole(section, "duplicates", unique_keys.as_ref());
    let schema = match schema {
        Some(file) => Some(read_schema(section, &file, paths, formats == Some(true))?),
        None if formats.is_some() && !section.has("schema") => {
            let at = section.span().clone();
            section.problem(&at, "`verifier.format` means nothing without `schema`");
            return None;
        }
        None => None,
    };
    whole.then(|| JsonRule {
        schema,
        unique_keys: unique_keys.is_some_and(|field| field.value),
    })
}

/// Reads whether keys have to be unique.
fn parse_duplicates(text: &str) -> Result<bool, String> {
    match text {
        "allow" => Ok(false),
        "refuse" => Ok(true),
        other => Err(format!(
            r#"`{}` is neither "allow" nor "refuse""#,
            other.escape_debug()
        )),
    }
}

fn read_schema(
    section: &Section<'_>,
    file: &Field<&str>,
    paths: Paths<'_>,
    asserts_formats: bool,
) -> Option<Schema> {
    paths
        .resolve(file.value)
        .and_then(|path| Schema::read(&path, asserts_formats))
        .map_err(|why| {
            let message = format!(
                "`verifier.schema`: cannot use `{}`: {why}; give the path of a JSON Schema that refers to no other file",
                file.value.escape_debug()
            );
            section.problem(&file.span, message);
        })
        .ok()
}

fn read_csv(section: &mut Section<'_>, at: &Range<usize>) -> Option<CsvRule> {
    let default = CsvRule::default();
    let delimiter = section.parsed("delimiter", parse_delimiter);
    let header = section.texts("header");
    let columns = section.number("columns", 1..=1_000_000);
    let min_rows = section.number("min_rows", 1..=u32::MAX);
    let max_rows = section.number("max_rows", 1..=u32::MAX);
    let share = section.parsed("min_rows_of_last", str::parse::<Percent>);
    let whole = is_whole(section, "delimiter", delimiter.as_ref())
        && is_whole(section, "header", header.as_ref())
        && is_whole(section, "columns", columns.as_ref())
        && is_whole(section, "min_rows", min_rows.as_ref())
        && is_whole(section, "max_rows", max_rows.as_ref())
        && is_whole(section, "min_rows_of_last", share.as_ref());
    let header_fits = check_header(section, header.as_ref(), columns);
    let bounds_fit = no_less(section, at, ("min_rows", min_rows), ("max_rows", max_rows));
    (whole && header_fits && bounds_fit).then(|| CsvRule {
        delimiter: delimiter.map_or(default.delimiter, |field| field.value),
        header: header.map(|field| texts_of(&field)),
        columns,
        min_rows,
        max_rows,
        min_rows_of_last: share.map(|field| field.value),
    })
}

fn texts_of(field: &Field<Vec<Field<&str>>>) -> Vec<String> {
    let texts = field.value.iter().map(|item| item.value.to_owned());
    texts.collect()
}

fn check_header(
    section: &Section<'_>,
    header: Option<&Field<Vec<Field<&str>>>>,
    columns: Option<u32>,
) -> bool {
    let Some(header) = header else { return true };
    let count = header.value.len();
    let message = if count == 0 {
        r#"`verifier.header`: empty; give the texts of the first row, such as ["id", "price"]"#
            .to_owned()
    } else if columns.is_some_and(|columns| columns as usize != count) {
        format!("`verifier.header` has {count} columns, which `verifier.columns` contradicts")
    } else {
        return true;
    };
    section.problem(&header.span, message);
    false
}

fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte @ (b'\t' | b' '..=b'~')] if *byte != b'"' => Ok(*byte),
        _ => Err(format!(
            r#"`{}` is not a delimiter: give one ASCII character that is not a quote, such as "," ";" or "\t""#,
            text.escape_debug()
        )),
    }
}

fn read_image(section: &mut Section<'_>) -> Option<ImageRule> {
    let default = ImageRule::default();
    let formats = section.texts("formats");
    let max_pixels = section.number("max_pixels", 1..=u32::MAX);
    let whole = is_whole(section, "formats", formats.as_ref())
        && is_whole(section, "max_pixels", max_pixels.as_ref());
    let formats = match &formats {
        Some(formats) => read_formats(section, formats)?,
        None => default.formats,
    };
    whole.then(|| ImageRule {
        formats,
        max_pixels: max_pixels.map_or(default.max_pixels, u64::from),
    })
}

fn read_formats(
    section: &Section<'_>,
    formats: &Field<Vec<Field<&str>>>,
) -> Option<Vec<ImageFormat>> {
    let all = ImageFormat::ALL.map(ImageFormat::as_str).join(", ");
    let read = |item: &Field<&str>| {
        let format = item.value.parse::<ImageFormat>();
        format
            .map_err(|error| section.problem(&item.span, format!("`verifier.formats`: {error}")))
            .ok()
    };
    if formats.value.is_empty() {
        let message = format!("`verifier.formats`: allows nothing; give some of {all}");
        section.problem(&formats.span, message);
        return None;
    }
    // Every name is read, so that every bad one is told.
    let read: Vec<_> = formats.value.iter().map(read).collect();
    let mut read = read.into_iter().collect::<Option<Vec<_>>>()?;
    // In one order, so that another order is no other judge.
    read.sort_by_key(|format| format.as_str());
    read.dedup();
    Some(read)
}

fn parse_companion(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(format!(
            "`{}` names no source: give the name or the address of the source that lists digests",
            text.escape_debug()
        ));
    }
    Ok(text.to_owned())
}

fn pinned(
    section: &Section<'_>,
    at: &Range<usize>,
    digest: Option<Field<Digest>>,
    companion: Option<Field<String>>,
) -> Option<Builtin> {
    if section.has("digest") == section.has("companion") {
        section.problem(at, "`verifier.builtin`: sha256 needs either `digest`, `sha256:` and 64 hexadecimal digits, or `companion`, the source that lists digests");
        return None;
    }
    digest
        .map(|digest| Builtin::Sha256(digest.value))
        .or_else(|| companion.map(|companion| Builtin::Companion(companion.value)))
}

fn read_size(section: &mut Section<'_>) -> Option<SizeRule> {
    let min = section.parsed("min", parse_size);
    let max = section.parsed("max", parse_size);
    let min_of_last = section.parsed("min_of_last", str::parse::<Percent>);
    let max_of_last = section.parsed("max_of_last", str::parse::<Percent>);
    let whole = is_whole(section, "min", min.as_ref())
        && is_whole(section, "max", max.as_ref())
        && is_whole(section, "min_of_last", min_of_last.as_ref())
        && is_whole(section, "max_of_last", max_of_last.as_ref());
    whole.then(|| SizeRule {
        min: min.map(|field| field.value),
        max: max.map(|field| field.value),
        min_of_last: min_of_last.map(|field| field.value),
        max_of_last: max_of_last.map(|field| field.value),
    })
}

fn bounds(section: &Section<'_>, at: &Range<usize>, rule: SizeRule) -> Option<Builtin> {
    if rule == SizeRule::default() {
        section.problem(at, r#"`verifier.builtin`: size needs `min`, `max`, `min_of_last` or `max_of_last`, such as min = "10B", max = "1MiB", min_of_last = "50%""#);
        return None;
    }
    let bytes = no_less(section, at, ("min", rule.min), ("max", rule.max));
    let shares = no_less(
        section,
        at,
        ("min_of_last", rule.min_of_last),
        ("max_of_last", rule.max_of_last),
    );
    (bytes && shares).then_some(Builtin::Size(rule))
}

/// Tells whether the most is no less than the least.
fn no_less<T: PartialOrd>(
    section: &Section<'_>,
    at: &Range<usize>,
    (least_key, least): (&str, Option<T>),
    (most_key, most): (&str, Option<T>),
) -> bool {
    let crossed = least.zip(most).is_some_and(|(least, most)| least > most);
    if crossed {
        let message = format!(
            "`verifier.{least_key}` is more than `verifier.{most_key}`: no content could pass"
        );
        section.problem(at, message);
    }
    !crossed
}

fn fresh(
    section: &Section<'_>,
    at: &Range<usize>,
    max_age: Option<Field<Duration>>,
) -> Option<Builtin> {
    if !section.has("max_age") {
        section.problem(
            at,
            r#"`verifier.builtin`: fresh needs `max_age`, such as max_age = "3d""#,
        );
    }
    max_age.map(|max_age| Builtin::Fresh(max_age.value))
}
