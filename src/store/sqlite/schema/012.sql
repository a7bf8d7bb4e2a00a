-- What shows that a row was damaged. `digest` is that of the version's content, which its blob has to have too. `checksum` is
-- of what places the row: id, source, ordinal, blob, name and time, each times a weight, the sum modulo 2^31 - 1.
ALTER TABLE version ADD COLUMN digest BLOB CHECK (length(digest) = 32);
ALTER TABLE version ADD COLUMN checksum INTEGER;
UPDATE version SET
    digest = (SELECT b.digest FROM blob b WHERE b.id = version.blob_id),
    checksum = (id % 2147483647 * 1103515245 % 2147483647
        + source_id % 2147483647 * 1812433253 % 2147483647
        + ordinal % 2147483647 * 1566083941 % 2147483647
        + blob_id % 2147483647 * 1597334677 % 2147483647
        + name_id % 2147483647 * 1664525 % 2147483647
        + fetched_at % 2147483647 * 69069 % 2147483647) % 2147483647;

-- A removed source is found by its name and its address, too.
CREATE INDEX source_removed_name ON source (name) WHERE removed_at IS NOT NULL;
CREATE INDEX source_removed_address ON source (address) WHERE removed_at IS NOT NULL;
