//! Published files that passed an `image` verifier: a page of them, or that of one source.
//!
//! The verdicts decide, and they hold what the rule found. No content is read.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::failure::Outcome;
use super::row::{Columns, int, to_json};
use super::select::{Damage, Select};
use super::statements::Statements as _;
use crate::domain::{Action, Digest, Fingerprint, Picture, SourceId, VersionId, picture_name};
use crate::store::picture_query::{PicturePage, PicturesQuery, WhichPictures};
use crate::store::query::FirstWithFile;

/// The file's name in a published path: what follows the last `/`.
macro_rules! file_name {
    () => {
        "substr(s.published_path, length(rtrim(s.published_path, replace(s.published_path, '/', ''))) + 1)"
    };
}

impl Select<PicturePage> for PicturesQuery {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<PicturePage> {
        let verifiers = to_json(&self.verifiers);
        let mut page = PicturePage::default();
        let (which, (file, id), limit) = match &self.which {
            WhichPictures::Of(source) => ("s.id = ?3 + 1", (String::new(), source.0 - 1), 1),
            WhichPictures::After { after, limit } => {
                let place = after.clone().unwrap_or((String::new(), SourceId(0)));
                ("?3 IS NOT NULL", (place.0, place.1.0), *limit)
            }
        };
        let query = format!("{SERVED} AND {which}{PICTURES}");
        let published = Action::Published.as_str();
        let by_hand = Fingerprint::overruled().hex;
        let params = params![verifiers, file, id, int(limit + 1), published, by_hand];
        let mut found = sql.sound("source", &query, params, damaged, |columns| {
            let picture = read(columns)?;
            (page.total, page.before) = (columns.count()?, columns.count()?);
            Ok(picture)
        })?;
        if found.len() > limit {
            found.truncate(limit);
            let last = found.last();
            page.next = last.map(|one| (one.file_name.clone(), one.source_id));
        }
        let names: Vec<_> = found.iter().map(|one| one.file_name.as_str()).collect();
        let firsts = first_with(sql, &names)?;
        for picture in &mut found {
            let (file, source) = (&picture.file_name, picture.source_id);
            let is_first = firsts.get(file) == Some(&source);
            picture.name = picture_name(file, source, is_first);
        }
        page.pictures = found;
        Ok(page)
    }
}

impl Select<Option<SourceId>> for FirstWithFile {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<SourceId>> {
        let end = format!("/{}", self.0);
        Ok(sql.first(FIRST, [end], |row| row.get(0).map(SourceId))?)
    }
}

/// Returns the source that was added first with each of these names of files.
fn first_with(sql: &Connection, names: &[&str]) -> Outcome<HashMap<String, SourceId>> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sql.all(FIRSTS, [to_json(&names)], |row| {
        Ok((row.get(0)?, SourceId(row.get(1)?)))
    })?;
    Ok(rows.into_iter().collect())
}

fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Picture> {
    Ok(Picture {
        name: String::new(),
        source_id: SourceId(columns.get()?),
        file_name: columns.get()?,
        source: columns.get()?,
        version_id: VersionId(columns.get()?),
        digest: Digest(columns.get()?),
        size_bytes: columns.count()?,
        facts: columns.word()?,
        published_at: columns.optional_time()?,
    })
}

// A file's name has no slash.
const FIRST: &str = "SELECT s.id FROM source s WHERE substr(s.published_path, -length(?1)) = ?1 ORDER BY s.id LIMIT 1";

const FIRSTS: &str = concat!(
    "SELECT f.file, min(f.id) FROM (SELECT s.id AS id, ",
    file_name!(),
    " AS file FROM source s) f
     WHERE f.file IN (SELECT value FROM json_each(?1)) GROUP BY f.file"
);

// The version that consumers see: at the source's own path, or in the published edition of its set.
const SERVED: &str = concat!(
    "WITH served AS (SELECT s.id AS id, ",
    file_name!(),
    " AS file, coalesce(t.published_version_id,
            (SELECT m.version_id FROM edition_member m CROSS JOIN file_set f ON f.published_edition_id = m.edition_id
             WHERE m.source_id = s.id)) AS shown
        FROM source s CROSS JOIN source_state t ON t.source_id = s.id WHERE s.removed_at IS NULL"
);

// A verdict counts while it is the verifier's newest. One by hand does not: nobody looked at the bytes.
const PICTURES: &str = "),
    judged AS MATERIALIZED (SELECT id, file, shown,
            (SELECT d.detail FROM verdict d WHERE d.version_id = shown AND d.outcome = 'passed'
                 AND d.detail GLOB '[a-z]*, [0-9]* × [0-9]* pixels'
                 AND d.fingerprint_id NOT IN (SELECT w.id FROM text w WHERE w.value = ?6)
                 AND d.verifier_id IN (SELECT w.id FROM text w WHERE w.value IN (SELECT value FROM json_each(?1)))
                 AND NOT EXISTS (SELECT 1 FROM verdict n WHERE n.version_id = d.version_id AND n.verifier_id = d.verifier_id
                     AND n.id > d.id)
             ORDER BY d.id DESC LIMIT 1) AS detail
        FROM served WHERE shown IS NOT NULL),
    pictured AS MATERIALIZED (SELECT id, file, shown, detail FROM judged WHERE detail IS NOT NULL),
    page AS MATERIALIZED (SELECT id, file, shown, detail FROM pictured WHERE (file, id) > (?2, ?3)
        ORDER BY file, id LIMIT ?4)
    SELECT p.id, p.file, s.name, p.shown, v.digest, b.size_bytes, p.detail,
        coalesce((SELECT max(e.at) FROM event e WHERE e.source_id = p.id AND e.version_id = p.shown
                AND e.action_id = (SELECT w.id FROM text w WHERE w.value = ?5)),
            (SELECT f.published_at FROM edition_member m CROSS JOIN file_set f ON f.published_edition_id = m.edition_id
             WHERE m.source_id = p.id)),
        (SELECT count(*) FROM pictured), (SELECT count(*) FROM pictured WHERE (file, id) <= (?2, ?3))
    FROM page p CROSS JOIN source s ON s.id = p.id CROSS JOIN version v ON v.id = p.shown
        CROSS JOIN blob b ON b.id = v.blob_id
    ORDER BY p.file, p.id";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn verdicts_events_and_versions_are_found_by_index() {
        let query = format!("{SERVED} AND s.id = ?3 + 1{PICTURES}");
        let scans = [
            "SCAN d", "SCAN n", "SCAN e", "SCAN v", "SCAN b", "SCAN m", "SCAN s",
        ];
        assert_plan(&query, &["verdict_version", "event_source"], &scans);
    }

    #[test]
    fn the_name_of_a_file_is_what_follows_the_last_slash() {
        let sql = Connection::open_in_memory().expect("memory");
        for (path, expected) in [
            ("h.example/a/logo.png", "logo.png"),
            ("h/h/h", "h"),
            ("h/logo.png/logo.png", "logo.png"),
            ("h~2/x@id=1&k=a_b", "x@id=1&k=a_b"),
            ("zürich/ä ö.png", "ä ö.png"),
        ] {
            let query = concat!(
                "SELECT ",
                file_name!(),
                " FROM (SELECT ?1 AS published_path) s"
            );
            let found: String = sql
                .query_row(query, [path], |row| row.get(0))
                .expect("a name");
            assert_eq!(found, expected, "{path}");
        }
    }
}
