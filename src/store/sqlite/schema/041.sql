-- The Redis servers on which messages were put that may wait there still.
CREATE TABLE queue_server (
    address TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
