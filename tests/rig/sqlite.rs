//! Raw access to the catalogue's file, for tests of damage, of earlier schemas and of what a crash or time leaves. SQLite only: a
//! test that another engine has to pass never comes here. Outside of the tests of SQLite itself, nothing else writes raw SQL.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// Whether a catalogue lies in this data folder.
pub(super) fn is_there(data: &Path) -> bool {
    data.join("gannet.db").exists()
}

/// Opens the catalogue in this data folder, to look at its rows.
pub(crate) fn read(data: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    Connection::open_with_flags(data.join("gannet.db"), flags).expect("the catalogue")
}

fn write(data: &Path) -> Connection {
    Connection::open(data.join("gannet.db")).expect("the catalogue")
}

/// Runs statements by the rules of the schema. Returns how many rows they changed.
#[track_caller]
fn change(data: &Path, statements: &str) -> u64 {
    let sql = write(data);
    let changed = sql.execute_batch(&format!("PRAGMA foreign_keys = OFF; {statements}"));
    changed.unwrap_or_else(|error| panic!("{statements}: {error}"));
    sql.total_changes()
}

/// Copies the catalogue in this data folder, as a backup does while a process has it open.
pub(crate) fn copy(data: &Path, into: &Path) {
    let into = into.display().to_string();
    let copied = read(data).execute("VACUUM INTO ?1", [into]);
    copied.expect("a copy");
}

/// Lets as much time pass as makes every source due, and every look that a pass takes at times: the real program has no other clock.
pub(crate) fn make_all_due(data: &Path) {
    make_fetches_due(data);
    make_looks_due(data);
    make_tidying_due(data);
}

/// Lets as much time pass as makes every source due.
pub(crate) fn make_fetches_due(data: &Path) {
    change(
        data,
        "UPDATE source_state SET next_slot = 0 WHERE typeof(next_slot) = 'integer'",
    );
}

/// Lets a day pass since all published files were looked at.
pub(crate) fn make_looks_due(data: &Path) {
    change(data, "DELETE FROM chore");
}

/// Lets a day pass since the archive was tidied.
pub(crate) fn make_tidying_due(data: &Path) {
    change(data, "UPDATE archive_mark SET swept_at = NULL");
}

/// Lets years pass since the archive was tidied.
pub(crate) fn make_tidying_long_due(data: &Path) {
    change(data, "UPDATE archive_mark SET swept_at = 0");
}

/// Lets as much time pass as makes the next request of every source ask for the whole file.
pub(crate) fn make_whole_due(data: &Path) {
    change(data, "UPDATE source_state SET whole_at = NULL");
}

/// Forgets when the bytes of versions were last seen to be good, as an upgrade does.
pub(crate) fn make_checks_due(data: &Path) {
    change(data, "UPDATE source_state SET checked_at = NULL");
}

/// Moves the time at which the bytes of versions were last seen to be good.
pub(crate) fn move_checks(data: &Path, hours: i64) {
    let ms = hours * 3_600_000;
    change(
        data,
        &format!("UPDATE source_state SET checked_at = checked_at + {ms}"),
    );
}

/// Leaves it open whether published files were written, as a process does that was killed while it wrote them.
pub(crate) fn leave_publications_unsure(data: &Path) {
    change(data, "UPDATE source_state SET publish_unsure = 2");
}

/// Forgets which version of source 1 is published, and notes that one is to be, or does not.
pub(crate) fn forget_what_is_published(data: &Path, is_due: bool) {
    let due = i32::from(is_due);
    let forget = format!(
        "UPDATE source_state SET published_version_id = NULL, publish_due = {due} WHERE source_id = 1"
    );
    assert_eq!(change(data, &forget), 1);
}

/// Forgets the mark of the archive, as a catalogue of before there were marks has none.
pub(crate) fn forget_mark(data: &Path) {
    assert_eq!(change(data, "DELETE FROM archive_mark"), 1);
}

/// Records the files of both members of a set as published at their own paths, due to be published again or unsure, as a process
/// does that was killed after it removed them.
pub(crate) fn record_files_as_published(data: &Path, is_due: bool) {
    let (due, unsure) = if is_due { (1, 1) } else { (0, 2) };
    let record = format!(
        "UPDATE source_state SET published_version_id = version_id, publish_due = {due}, publish_unsure = {unsure}"
    );
    assert_eq!(change(data, &record), 2);
}

/// Records the newest edition of the set as published, as a process leaves it that was killed after it removed the set's link.
pub(crate) fn record_edition_as_published(data: &Path) {
    let record = "UPDATE file_set SET published_edition_id = (SELECT max(id) FROM edition), published_at = withdrawn_at,
         withdrawn_at = NULL, withdrawn_because = NULL";
    assert_eq!(change(data, record), 1);
}

/// Forgets the edition that a set published after a purge, as a process does that was killed before it recorded it.
pub(crate) fn forget_edition_after_purge(data: &Path, purged: &str) {
    let forget = format!(
        "UPDATE file_set SET published_edition_id = NULL, published_at = NULL, withdrawn_at = NULL,
             withdrawn_because = '{purged} was purged'"
    );
    assert_eq!(change(data, &forget), 1);
}

/// Ends every purge where it would be recorded.
pub(crate) fn halt_purges(data: &Path) {
    change(
        data,
        "CREATE TRIGGER halt BEFORE DELETE ON source BEGIN SELECT raise(ABORT, 'halted'); END",
    );
}

/// Forgets with which headers validators were received, of both sources, as an older gannet left them.
pub(crate) fn forget_validators_fields(data: &Path) {
    let forget = "UPDATE source_state SET validators = json_remove(validators, '$.f')";
    assert_eq!(change(data, forget), 2);
}

/// Damages the messages that are on queues: the names in them.
pub(crate) fn ruin_queued_messages(data: &Path) {
    damage(
        data,
        "UPDATE queued_message SET bodies = replace(bodies, 'n', 'm')",
    );
}

/// Damages columns of the oldest messages on queues, so many rows.
pub(crate) fn damage_oldest_queued(data: &Path, rows: usize, set: &str) {
    let oldest = format!("SELECT id FROM queued_message ORDER BY id LIMIT {rows}");
    let statement = format!("UPDATE queued_message SET {set} WHERE id IN ({oldest})");
    assert!(damage(data, &statement) >= rows as u64);
}

/// Counts the rows of a table.
pub(crate) fn count(data: &Path, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    let count = read(data).query_row(&count, [], |row| row.get(0));
    count.expect("a count")
}

/// Counts so many bytes more as waiting on the queues than wait there.
pub(crate) fn add_waiting_bytes(data: &Path, bytes: i64) {
    let add = format!("UPDATE queue SET waiting_bytes = waiting_bytes + {bytes} WHERE id = 1");
    assert_eq!(change(data, &add), 1);
}

/// Keeps every other process from writing until it is dropped.
#[allow(dead_code, reason = "the stress tests use it")]
pub(crate) fn lock(data: &Path) -> Connection {
    let sql = write(data);
    sql.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    sql
}

/// Damages the policy in force, and those before it.
pub(crate) fn ruin_policies(data: &Path) {
    damage(data, "UPDATE policy SET verifiers = '[]'");
}

/// Moves the time at which the messages of a queue were persisted two hours back. Returns how many there are.
pub(crate) fn age_messages(data: &Path, queue: &str) -> u64 {
    damage(
        data,
        &format!(
            "UPDATE message SET persisted_at = persisted_at - 7200000 WHERE queue_id = (SELECT id FROM queue WHERE name = '{queue}')"
        ),
    )
}

/// Deletes the messages of a queue that are persisted, as a consumer does when it keeps them no longer. Returns how many there were.
pub(crate) fn expire_messages(data: &Path, queue: &str) -> u64 {
    change(
        data,
        &format!(
            "DELETE FROM message WHERE queue_id = (SELECT id FROM queue WHERE name = '{queue}')"
        ),
    )
}

/// Lets the keys under which messages were sent expire. Returns how many there are.
pub(crate) fn expire_keys(data: &Path) -> u64 {
    damage(data, "UPDATE message_key SET expires_at = 0")
}

/// Damages the stored bytes of all blobs.
pub(crate) fn ruin_blobs(data: &Path) {
    change(data, "UPDATE blob SET body = zeroblob(length(body))");
}

/// Lets the newest version of a source be longer than all that a pass reads back.
pub(crate) fn lengthen_newest(data: &Path, source: &str) {
    let long = format!(
        "UPDATE blob SET size_bytes = 20 << 30 WHERE id = (SELECT v.blob_id FROM version v JOIN source s ON s.id = v.source_id
             WHERE s.name = '{source}')"
    );
    assert_eq!(change(data, &long), 1);
}

/// Lets files that were recorded by one inode number be those of another: the first of several, where a file has several names.
pub(super) fn rename_inodes(data: &Path, renamed: impl Iterator<Item = (u64, u64)>) {
    let pairs: Vec<_> = renamed.map(|(was, is)| format!("({was}, {is})")).collect();
    let rename = |table: &str, column: &str| {
        format!(
            "UPDATE {table} SET {column} = (SELECT n FROM renamed WHERE w = {column}) WHERE {column} IN (SELECT w FROM renamed);"
        )
    };
    let tables = [
        ("source_state", "published_inode"),
        ("withdrawal", "left_inode"),
        ("left_file", "inode"),
    ];
    let updates: Vec<_> = tables
        .iter()
        .map(|(table, column)| rename(table, column))
        .collect();
    change(
        data,
        &format!(
            "BEGIN; CREATE TEMP TABLE renamed (w INTEGER PRIMARY KEY, n INTEGER); INSERT OR IGNORE INTO renamed VALUES {}; {} COMMIT",
            pairs.join(", "),
            updates.concat()
        ),
    );
}

/// Gives a source a name that is not given any more, and that an older catalogue may have.
pub(crate) fn rename_source(data: &Path, from: &str, to: &str) {
    let sql = write(data);
    add_row_checksum(&sql);
    let renamed = sql.execute(
        "UPDATE source SET name = ?2, checksum = row_checksum(id, ?2, address, settings, published_path, path_key, created_at,
             removed_at, series_id, day) WHERE name = ?1",
        [from, to],
    );
    assert_eq!(renamed, Ok(1));
}

/// Lets the policy come from a process without a configuration file.
pub(crate) fn forget_policy_file(data: &Path) {
    let sql = write(data);
    add_row_checksum(&sql);
    let forgotten = sql.execute(
        "UPDATE policy SET file = NULL, checksum = row_checksum(revision, adopted_at, actor_id, NULL, verifiers)",
        [],
    );
    forgotten.expect("a policy");
}

/// Flips a bit in the middle of the first or the last blob, as it is stored.
pub(crate) fn flip_bit(data: &Path, is_last: bool) {
    let sql = write(data);
    let order = if is_last { "DESC" } else { "ASC" };
    let blob = format!("SELECT id, body FROM blob ORDER BY id {order} LIMIT 1");
    let read = sql.query_row(&blob, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (id, mut body): (i64, Vec<u8>) = read.expect("a blob");
    let middle = body.len() / 2;
    body[middle] ^= 1;
    let set = sql.execute("UPDATE blob SET body = ?2 WHERE id = ?1", (id, body));
    assert_eq!(set, Ok(1));
}

/// Makes a catalogue of the first schema.
pub(crate) fn make_of_schema_1(data: &Path) {
    let sql = write(data);
    sql.execute_batch(include_str!("../../src/store/sqlite/schema/001.sql"))
        .and_then(|()| {
            sql.execute_batch("PRAGMA application_id = 0x67616e74; PRAGMA user_version = 1")
        })
        .expect("the first schema");
}

/// Damages the catalogue in this data folder: runs statements on it while no column has a type, a check, or has to have a value, and
/// none has to name a row that is there. Returns how many rows that changed.
#[track_caller]
pub(crate) fn damage(data: &Path, statements: &str) -> u64 {
    let path = data.join("gannet.db");
    let before = with_schema(&path, |sql| {
        sql.execute_batch(
            "UPDATE sqlite_schema SET sql = replace(replace(replace(sql, 'IS NOT NULL', 'IS_'), ' NOT NULL', ''), 'IS_', 'IS NOT NULL')
                 WHERE type = 'table' AND name NOT LIKE 'sqlite_%';
             UPDATE sqlite_schema SET sql = replace(replace(sql, ') STRICT, WITHOUT', ') WITHOUT'), ') STRICT', ')')
                 WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )
    });
    let sql = write(data);
    let damaged = sql.execute_batch(&format!(
        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; {statements}"
    ));
    damaged.unwrap_or_else(|error| panic!("{statements}: {error}"));
    let changed = sql.total_changes();
    drop(sql);
    with_schema(&path, |sql| {
        for (name, text) in &before {
            let update = "UPDATE sqlite_schema SET sql = ?2 WHERE type = 'table' AND name = ?1";
            sql.execute(update, [name, text])?;
        }
        Ok(())
    });
    changed
}

/// Damages the catalogue in this data folder like [`damage`], while this index stays as it is.
pub(crate) fn damage_beside(data: &Path, index: &str, statements: &str) {
    let path = data.join("gannet.db");
    let definition =
        "SELECT tbl_name, rootpage, sql FROM sqlite_schema WHERE type = 'index' AND name = ?1";
    let columns = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found = read(data).query_row(definition, [index], columns);
    let (table, root, text): (String, i64, String) = found.expect("an index");
    with_schema(&path, |sql| {
        let hide = "DELETE FROM sqlite_schema WHERE name = ?1";
        sql.execute(hide, [index]).map(drop)
    });
    damage(data, statements);
    with_schema(&path, |sql| {
        let show = "INSERT INTO sqlite_schema VALUES ('index', ?1, ?2, ?3, ?4)";
        sql.execute(show, (index, table, root, text)).map(drop)
    });
}

/// Changes the schema as text; returns the tables as they were before.
fn with_schema(
    path: &Path,
    change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Vec<(String, String)> {
    let sql = Connection::open(path).expect("the catalogue");
    let config = rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE;
    sql.set_db_config(config, false).expect("a setting");
    let version: i64 = sql
        .query_row("PRAGMA schema_version", [], |row| row.get(0))
        .expect("a version");
    let tables = {
        let mut tables = sql
            .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .expect("a query");
        let rows = tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let rows = rows.expect("tables").collect::<rusqlite::Result<Vec<_>>>();
        rows.expect("tables")
    };
    sql.execute_batch("PRAGMA writable_schema = ON")
        .expect("a setting");
    change(&sql).expect("a changed schema");
    sql.execute_batch(&format!("PRAGMA schema_version = {}", version + 1))
        .expect("another version");
    tables
}

/// Takes settings that are at their defaults, but for interval, tags and private addresses, back to the columns of schema 23.
const SETTINGS_OF_SCHEMA_23: &str = "CREATE TEMP TABLE old AS
        SELECT id, interval_hours, tags, coalesce(settings ->> 'allow_private', 0) AS allow_private FROM source;
    DROP TABLE queue_server; DROP TABLE rate_day; DROP INDEX source_rates; ALTER TABLE source DROP COLUMN rates;
    ALTER TABLE source DROP COLUMN interval_hours; ALTER TABLE source DROP COLUMN enabled; ALTER TABLE source DROP COLUMN tags;
    ALTER TABLE source DROP COLUMN publish; ALTER TABLE source DROP COLUMN settings;
    DROP INDEX source_day; ALTER TABLE source DROP COLUMN series_id; ALTER TABLE source DROP COLUMN day; DROP INDEX source_state_series;
    ALTER TABLE source DROP COLUMN checksum; ALTER TABLE policy DROP COLUMN checksum;
    ALTER TABLE withdrawal DROP COLUMN was_published; ALTER TABLE withdrawal DROP COLUMN left_size;
    ALTER TABLE withdrawal DROP COLUMN left_mtime; ALTER TABLE withdrawal DROP COLUMN left_inode; DROP TABLE left_file;
    ALTER TABLE source ADD COLUMN interval_hours INTEGER NOT NULL DEFAULT 24; ALTER TABLE source ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE source ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'; ALTER TABLE source ADD COLUMN headers TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE source ADD COLUMN allow_private INTEGER NOT NULL DEFAULT 0; ALTER TABLE source ADD COLUMN allow_http INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE source ADD COLUMN allow_empty INTEGER NOT NULL DEFAULT 0; ALTER TABLE source ADD COLUMN publish TEXT NOT NULL DEFAULT 'passed';
    ALTER TABLE source ADD COLUMN max_size_bytes INTEGER;
    UPDATE source SET (interval_hours, tags, allow_private) = (SELECT interval_hours, tags, allow_private FROM old WHERE old.id = source.id);
    DROP TABLE old; ALTER TABLE event DROP COLUMN by_hand; DROP INDEX source_removed_path; DROP INDEX file_set_published;
    DROP TABLE message_verdict; DROP TABLE message_state; DROP TABLE queue_rate; DROP TABLE message_key; DROP TABLE dead_message; DROP TABLE message; DROP TABLE queued_message; DROP TABLE queue;
    DROP TABLE verifier_link; DROP TABLE service; DROP TABLE session; DROP TABLE person; DROP TABLE token;
    DROP TABLE worker; DROP TABLE pending_object; ALTER TABLE source_state DROP COLUMN recorded_claim; ALTER TABLE source_state ADD COLUMN lease_until INTEGER;
    ALTER TABLE source_state ADD COLUMN etag TEXT; ALTER TABLE source_state ADD COLUMN last_modified TEXT;
    ALTER TABLE source_state ADD COLUMN validators_address TEXT; ALTER TABLE source_state ADD COLUMN validators_fields TEXT;
    UPDATE source_state SET (etag, last_modified, validators_address, validators_fields) =
        (validators ->> 'e', validators ->> 'm', validators ->> 'a', validators ->> 'f');
    ALTER TABLE source_state DROP COLUMN validators;";

/// Takes from a catalogue all that the schemas after 15 added, or they could not add it again.
const BACK_TO_SCHEMA_15: &str = "ALTER TABLE source_state DROP COLUMN withdrawn_at; ALTER TABLE source_state DROP COLUMN withdrawn_because;
    ALTER TABLE file_set DROP COLUMN withdrawn_at; ALTER TABLE file_set DROP COLUMN withdrawn_because;
    ALTER TABLE file_set DROP COLUMN withdrawn_edition_id; ALTER TABLE file_set DROP COLUMN past_edition_id;
    ALTER TABLE verdict DROP COLUMN given_on; ALTER TABLE edition_verdict DROP COLUMN given_on;
    ALTER TABLE verdict DROP COLUMN checksum; ALTER TABLE edition_verdict DROP COLUMN checksum; DROP TABLE refusal; DROP TABLE edition_refusal;
    ALTER TABLE told DROP COLUMN worse_at; DROP TABLE told_set; DROP TABLE told_event; DROP TABLE removed_file;
    DROP INDEX version_failed;
    ALTER TABLE text DROP COLUMN checksum; ALTER TABLE definition DROP COLUMN checksum; ALTER TABLE edition DROP COLUMN checksum;
    DROP TABLE provenance; DROP TABLE former_address; ALTER TABLE attempt DROP COLUMN provenance_id; ALTER TABLE event DROP COLUMN about_id;
    PRAGMA user_version = 15";

/// Takes from a catalogue all that the schemas after 5 added.
const BACK_TO_SCHEMA_5: &str = "DROP INDEX version_failed; DROP INDEX source_removed_name; DROP INDEX source_removed_address;
    ALTER TABLE version DROP COLUMN last_modified_text; ALTER TABLE version DROP COLUMN digest; ALTER TABLE version DROP COLUMN checksum;
    ALTER TABLE source_state DROP COLUMN checked_at; ALTER TABLE notifier DROP COLUMN announced_id; DROP TABLE archive_mark; DROP TABLE kept_object; DROP TABLE judging_death;
    ALTER TABLE source_state DROP COLUMN validators_address; ALTER TABLE source_state DROP COLUMN validators_fields; ALTER TABLE source_state DROP COLUMN whole_at;
    DROP TABLE withdrawal; DROP TABLE chore; DROP INDEX source_state_unsure;
    ALTER TABLE source_state DROP COLUMN publish_error; ALTER TABLE source_state DROP COLUMN publish_unsure;
    ALTER TABLE source_state DROP COLUMN published_size; ALTER TABLE source_state DROP COLUMN published_mtime;
    ALTER TABLE source_state DROP COLUMN published_inode; ALTER TABLE file_set DROP COLUMN publish_error;
    ALTER TABLE set_member DROP COLUMN kept_version_id;
    ALTER TABLE source_state DROP COLUMN withdrawn_at; ALTER TABLE source_state DROP COLUMN withdrawn_because;
    ALTER TABLE file_set DROP COLUMN withdrawn_at; ALTER TABLE file_set DROP COLUMN withdrawn_because;
    ALTER TABLE file_set DROP COLUMN withdrawn_edition_id;
    ALTER TABLE file_set DROP COLUMN past_edition_id;
    ALTER TABLE verdict DROP COLUMN given_on; ALTER TABLE edition_verdict DROP COLUMN given_on;
    ALTER TABLE verdict DROP COLUMN checksum; ALTER TABLE edition_verdict DROP COLUMN checksum; DROP TABLE refusal; DROP TABLE edition_refusal;
    DROP TABLE told_set; DROP TABLE told_event; ALTER TABLE told DROP COLUMN worse_at; DROP TABLE removed_file;
    ALTER TABLE text DROP COLUMN checksum; ALTER TABLE definition DROP COLUMN checksum; ALTER TABLE edition DROP COLUMN checksum;
    DROP TABLE provenance; DROP TABLE former_address; ALTER TABLE attempt DROP COLUMN provenance_id; ALTER TABLE event DROP COLUMN about_id;
    PRAGMA user_version = 5";

/// Takes the catalogue in this data folder, whose settings are at their defaults but for interval, tags and private addresses, back
/// to schema 15.
pub(crate) fn take_back_to_schema_15(data: &Path) {
    let sql = take_back(data, BACK_TO_SCHEMA_15);
    update_versions(&sql, include_str!("../../src/store/sqlite/schema/012.sql"));
}

/// Takes it back to schema 5 likewise.
pub(crate) fn take_back_to_schema_5(data: &Path) {
    take_back(data, BACK_TO_SCHEMA_5);
}

fn take_back(data: &Path, back: &str) -> Connection {
    let sql = write(data);
    let taken = sql.execute_batch(&format!("{SETTINGS_OF_SCHEMA_23} {back}"));
    taken.expect("the schema before");
    sql
}

/// Gives a connection the checksum of rows as the catalogue computes it: FNV-1a of the kind, the bytes and the length of each value.
fn add_row_checksum(sql: &Connection) {
    use rusqlite::functions::FunctionFlags;
    use rusqlite::types::ValueRef;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let checksum = |values: &rusqlite::functions::Context<'_>| {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for value in (0..values.len()).map(|index| values.get_raw(index)) {
            let bytes = match value {
                ValueRef::Null => Vec::new(),
                ValueRef::Integer(number) => number.to_le_bytes().to_vec(),
                ValueRef::Real(number) => number.to_le_bytes().to_vec(),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
            };
            let length = (bytes.len() as u64).to_le_bytes();
            for byte in [value.data_type() as u8]
                .into_iter()
                .chain(bytes)
                .chain(length)
            {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Ok(hash.cast_signed())
    };
    sql.create_scalar_function("row_checksum", -1, flags, checksum)
        .expect("a function");
}

/// Gives versions the checksum of their rows that this migration introduced.
fn update_versions(sql: &Connection, migration: &str) {
    let update = migration
        .split_inclusive(';')
        .find(|statement| statement.contains("version SET"))
        .expect("a migration that changes checksums");
    sql.execute_batch(update).expect("checksums");
}
