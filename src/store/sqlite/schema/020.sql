-- The checksum of a version is of its state, too: a number for the word, times a weight. A row that is damaged already, of which no
-- column can be written then, stays as it is: its checksum does not fit.
UPDATE OR IGNORE version SET
    checksum = (checksum + 48271 * CASE state
        WHEN 'pending' THEN 1 WHEN 'passed' THEN 2 WHEN 'failed' THEN 3 WHEN 'error' THEN 4 WHEN 'unverified' THEN 5 ELSE 0 END) % 2147483647
    WHERE checksum BETWEEN 0 AND 2147483646
        AND (typeof(source_id), typeof(ordinal), typeof(blob_id), typeof(name_id), typeof(fetched_at), typeof(state), typeof(checksum))
            = ('integer', 'integer', 'integer', 'integer', 'integer', 'text', 'integer')
        AND typeof(digest) IN ('blob', 'null') AND typeof(last_modified_text) IN ('text', 'null')
        AND typeof(media_type_id) IN ('integer', 'null') AND typeof(last_modified) IN ('integer', 'null')
        AND typeof(policy_revision) IN ('integer', 'null');
