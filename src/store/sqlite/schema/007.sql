-- How often a process was killed in the middle of judging a version by its own rules, since one last came to its end.
CREATE TABLE judging_death (
    version_id INTEGER PRIMARY KEY REFERENCES version (id) ON DELETE CASCADE,
    deaths     INTEGER NOT NULL
) STRICT;
