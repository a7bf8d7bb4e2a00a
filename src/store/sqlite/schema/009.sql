-- The mark by which the catalogue knows its archive: one row. `swept_at` is when the archive was last looked through for what
-- is not needed.
CREATE TABLE archive_mark (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    id         TEXT NOT NULL,
    generation INTEGER NOT NULL,
    swept_at   INTEGER
) STRICT;

-- Objects of another catalogue, which this one took over with its archive and keeps.
CREATE TABLE kept_object (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
