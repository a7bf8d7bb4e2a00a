-- Objects that no blob names: from before a worker writes the file until the blob is recorded, and from the end of the blob until the file
-- is in the trash.
CREATE TABLE pending_object (
    name   TEXT PRIMARY KEY, -- in objects/
    worker TEXT, -- the worker that makes it; NULL: nothing needs it
    at     INTEGER NOT NULL -- since when
) STRICT;
