-- The validators of a source's last response as one value, the JSON of what there is of them: `e` (ETag), `m` (Last-Modified), `a` (the
-- address that gave them) and `f` (the fields that were sent). NULL: none. A row that is damaged already, of which no column can be written then, stays
-- as it is. The column is no new one: SQLite adds none to a table with a damaged row.
ALTER TABLE source_state RENAME COLUMN etag TO validators;
UPDATE source_state SET validators = json_patch('{}', json_object(
        'e', validators, 'm', last_modified, 'a', validators_address, 'f', validators_fields))
WHERE (validators IS NOT NULL OR last_modified IS NOT NULL)
    AND (typeof(host), typeof(next_slot), typeof(active), typeof(fence), typeof(failures), typeof(requests), typeof(publish_due), typeof(publish_unsure))
        = ('text', 'integer', 'integer', 'integer', 'integer', 'integer', 'integer', 'integer')
    AND NOT EXISTS (SELECT 1 FROM json_each(json_array(typeof(validators), typeof(last_modified), typeof(validators_address),
            typeof(validators_fields), typeof(lease_owner), typeof(last_outcome), typeof(publish_error), typeof(withdrawn_because)))
        WHERE value NOT IN ('text', 'null'))
    AND NOT EXISTS (SELECT 1 FROM json_each(json_array(typeof(last_attempt_at), typeof(version_id), typeof(published_version_id), typeof(whole_at),
            typeof(checked_at), typeof(published_size), typeof(published_mtime), typeof(published_inode), typeof(withdrawn_at), typeof(recorded_claim)))
        WHERE value NOT IN ('integer', 'null'));
ALTER TABLE source_state DROP COLUMN last_modified;
ALTER TABLE source_state DROP COLUMN validators_address;
ALTER TABLE source_state DROP COLUMN validators_fields;
