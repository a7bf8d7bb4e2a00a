-- What a notifier knows of a set: the edition that it was told has failed, and when it was told of the set last.
CREATE TABLE told_set (
    notifier_id INTEGER NOT NULL REFERENCES notifier (id),
    set_name    TEXT NOT NULL,
    edition_id  INTEGER,
    told_at     INTEGER,
    PRIMARY KEY (notifier_id, set_name)
) STRICT, WITHOUT ROWID;

-- What a notifier was told of single events, the last of each kind about each subject, and the event that waits until it is
-- not quiet any more.
CREATE TABLE told_event (
    notifier_id   INTEGER NOT NULL REFERENCES notifier (id),
    kind          TEXT NOT NULL,
    subject       TEXT NOT NULL, -- the id of a source, or `set NAME`
    told_at       INTEGER NOT NULL,
    held_event_id INTEGER,
    PRIMARY KEY (notifier_id, kind, subject)
) STRICT, WITHOUT ROWID;

-- That a set stands failed is known: notifiers were told of it by the event.
INSERT INTO told_set (notifier_id, set_name, edition_id)
SELECT n.id, e.set_name, e.id FROM notifier n CROSS JOIN file_set f
    CROSS JOIN edition e ON e.id = (SELECT max(id) FROM edition WHERE set_name = f.name)
WHERE e.state = 'failed';

-- The version that consumers saw of a source at its own path when it was removed. It comes back there with the source, also
-- while a set that the source is in waits for an edition that has it.
CREATE TABLE removed_file (
    source_id  INTEGER PRIMARY KEY REFERENCES source (id),
    version_id INTEGER NOT NULL
) STRICT;
