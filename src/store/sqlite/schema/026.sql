-- Whether a file that is still to be removed was recorded as published: then a folder above it that is missing is away with it. And how it
-- looked. What was to be removed and was not there is kept, by its looks alone, so that it is known when it comes back.
ALTER TABLE withdrawal ADD COLUMN was_published INTEGER NOT NULL DEFAULT 1;
ALTER TABLE withdrawal ADD COLUMN left_size INTEGER;
ALTER TABLE withdrawal ADD COLUMN left_mtime INTEGER;
ALTER TABLE withdrawal ADD COLUMN left_inode INTEGER;
CREATE TABLE left_file (
    path        TEXT PRIMARY KEY,
    size_bytes  INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    inode       INTEGER NOT NULL
) STRICT;

-- From now on how a file looked goes with the record that it is published: where only that is gone, it was lost.
UPDATE OR IGNORE source_state SET published_size = NULL, published_mtime = NULL, published_inode = NULL WHERE published_version_id IS NULL;
