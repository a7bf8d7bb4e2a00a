-- Which addresses an attempt asked, and who answered at each: a row for each way that attempts went, however many went it. The checksum is of source and
-- requests, as `interned.rs` computes it.
CREATE TABLE provenance (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- that of a row which was lost never stands for another way
    source_id INTEGER REFERENCES source (id),    -- NULL: of every source whose own address was asked, and led nowhere else; else purged with the source
    checksum  INTEGER NOT NULL,
    requests  TEXT NOT NULL                      -- JSON: who answered; of a source, all its requests
) STRICT;
CREATE INDEX provenance_source ON provenance (source_id, checksum);
-- NULL: nothing was asked, or it was not recorded.
ALTER TABLE attempt ADD COLUMN provenance_id INTEGER;
-- The addresses that a source had before an edit, each up to the last attempt that asked it.
CREATE TABLE former_address (
    source_id  INTEGER NOT NULL REFERENCES source (id),
    attempt_id INTEGER NOT NULL,
    address    TEXT NOT NULL,
    checksum   INTEGER NOT NULL,
    PRIMARY KEY (source_id, attempt_id)
) STRICT, WITHOUT ROWID;
-- The attempt that an event tells of (fetch.…, source.failing and source.recovered), the verdict (verdict.… on a version) or the edition (set.…, and
-- verdict.… on an edition); NULL where there is none, and of events from before this was recorded.
ALTER TABLE event ADD COLUMN about_id INTEGER;
