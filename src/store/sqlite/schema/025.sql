-- What shows that a row was damaged whose values decide: a checksum of them, as `interned.rs` computes it. Of names and fingerprints of verifiers, which
-- are texts; of what a fingerprint stands for; of editions. A row that is damaged already stays without one: it fits no checksum.
ALTER TABLE text ADD COLUMN checksum INTEGER;
UPDATE OR IGNORE text SET checksum = row_checksum(id, value) WHERE typeof(value) = 'text';

-- Every fingerprint of a verdict has its row from now on, an empty one where nobody knows what it stands for: one that is missing is lost.
ALTER TABLE definition ADD COLUMN checksum INTEGER;
INSERT OR IGNORE INTO definition (fingerprint_id, value)
SELECT d.fingerprint_id, '' FROM (SELECT fingerprint_id FROM verdict UNION SELECT fingerprint_id FROM edition_verdict) d
JOIN text t ON t.id = d.fingerprint_id;
UPDATE OR IGNORE definition SET checksum = row_checksum(fingerprint_id, value) WHERE typeof(value) = 'text';

ALTER TABLE edition ADD COLUMN checksum INTEGER;
UPDATE OR IGNORE edition SET checksum = row_checksum(id, set_name, at, state, key, policy_revision)
WHERE (typeof(set_name), typeof(at), typeof(state), typeof(key)) = ('text', 'integer', 'text', 'blob')
    AND typeof(policy_revision) IN ('integer', 'null');

-- Settings that are no object are damaged: nothing goes by the defaults then.
ALTER TABLE source DROP COLUMN interval_hours;
ALTER TABLE source DROP COLUMN enabled;
ALTER TABLE source DROP COLUMN tags;
ALTER TABLE source DROP COLUMN publish;
ALTER TABLE source ADD COLUMN interval_hours ANY AS (CASE WHEN iif(json_valid(settings), json_type(settings), '') = 'object'
    THEN CAST(coalesce(settings ->> 'interval', '1d') AS INTEGER) * iif(coalesce(settings ->> 'interval', '1d') LIKE '%d', 24, 1) END);
ALTER TABLE source ADD COLUMN enabled ANY AS (CASE WHEN iif(json_valid(settings), json_type(settings), '') = 'object'
    THEN coalesce(settings ->> 'enabled', 1) END);
ALTER TABLE source ADD COLUMN tags ANY AS (CASE WHEN iif(json_valid(settings), json_type(settings), '') = 'object'
    THEN coalesce(settings ->> 'tags', '[]') END);
ALTER TABLE source ADD COLUMN publish ANY AS (CASE WHEN iif(json_valid(settings), json_type(settings), '') = 'object'
    THEN coalesce(settings ->> 'publish', 'passed') END);
