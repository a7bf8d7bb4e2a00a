-- Currency rates: for each day what each published version said first, with the digits that came. The newest row of a day that is not
-- withdrawn is in force; the checksum is of the columns between id and checksum, as `interned.rs` computes it.
CREATE TABLE rate_day (
    id           INTEGER PRIMARY KEY,
    source_id    INTEGER NOT NULL REFERENCES source (id),
    day          TEXT NOT NULL, -- 2026-11-27
    base         TEXT NOT NULL,
    rates        TEXT NOT NULL, -- a JSON object, sorted by currency
    version_id   INTEGER NOT NULL REFERENCES version (id),
    known_at     INTEGER NOT NULL, -- when the version was published
    withdrawn_at INTEGER, -- when the version was withdrawn
    checksum     INTEGER NOT NULL
) STRICT;
CREATE INDEX rate_day_source ON rate_day (source_id, day, known_at, withdrawn_at);
CREATE INDEX rate_day_version ON rate_day (version_id);
-- The setting by which a source is one of rates, in a column as the others that SQL asks about, and an index that finds those sources.
ALTER TABLE source ADD COLUMN rates ANY AS (CASE WHEN iif(json_valid(settings), json_type(settings), '') = 'object'
    THEN settings ->> 'rates' END);
CREATE INDEX source_rates ON source (rates) WHERE rates IS NOT NULL;
