-- What shows that the row of a verdict was damaged: a sum of what decides, modulo 2^31 - 1, as that of versions. It is of the verdict's own
-- id, of what it is on, of verifier, fingerprint and actor, of when it was reached, of the word of its outcome, and of what it was given on.
-- A row that is damaged already stays without one: it fits no checksum.
ALTER TABLE verdict ADD COLUMN checksum INTEGER;
ALTER TABLE edition_verdict ADD COLUMN checksum INTEGER;
UPDATE OR IGNORE verdict SET
    checksum = (id % 2147483647 * 1103515245 % 2147483647
        + version_id % 2147483647 * 1812433253 % 2147483647
        + verifier_id % 2147483647 * 1566083941 % 2147483647
        + fingerprint_id % 2147483647 * 1597334677 % 2147483647
        + actor_id % 2147483647 * 1664525 % 2147483647
        + started_at % 2147483647 * 69069 % 2147483647
        + 48271 * CASE outcome WHEN 'passed' THEN 1 WHEN 'failed' THEN 2 WHEN 'error' THEN 3 WHEN 'pending' THEN 4 ELSE 0 END
        + coalesce(given_on, -1) % 2147483647 * 16807 % 2147483647) % 2147483647
    WHERE (typeof(version_id), typeof(verifier_id), typeof(fingerprint_id), typeof(actor_id), typeof(outcome), typeof(detail), typeof(output),
            typeof(started_at), typeof(duration_ms))
            = ('integer', 'integer', 'integer', 'integer', 'text', 'text', 'text', 'integer', 'integer')
        AND typeof(exit_code) IN ('integer', 'null') AND typeof(given_on) IN ('integer', 'null');
UPDATE OR IGNORE edition_verdict SET
    checksum = (id % 2147483647 * 1103515245 % 2147483647
        + edition_id % 2147483647 * 1812433253 % 2147483647
        + verifier_id % 2147483647 * 1566083941 % 2147483647
        + fingerprint_id % 2147483647 * 1597334677 % 2147483647
        + actor_id % 2147483647 * 1664525 % 2147483647
        + started_at % 2147483647 * 69069 % 2147483647
        + 48271 * CASE outcome WHEN 'passed' THEN 1 WHEN 'failed' THEN 2 WHEN 'error' THEN 3 WHEN 'pending' THEN 4 ELSE 0 END
        + coalesce(given_on, -1) % 2147483647 * 16807 % 2147483647) % 2147483647
    WHERE (typeof(edition_id), typeof(verifier_id), typeof(fingerprint_id), typeof(actor_id), typeof(outcome), typeof(detail), typeof(output),
            typeof(started_at), typeof(duration_ms))
            = ('integer', 'integer', 'integer', 'integer', 'text', 'text', 'text', 'integer', 'integer')
        AND typeof(exit_code) IN ('integer', 'null') AND typeof(given_on) IN ('integer', 'null');

-- Which bytes somebody outside refused: each refusal once more, apart from its verdict and from the version or the edition that it is on, so
-- that it is known of when one of those rows is gone or says something else. Rows are added with the verdict, and go with a purge.
CREATE TABLE refusal (
    verdict_id  INTEGER PRIMARY KEY,
    version_id  INTEGER NOT NULL,
    source_id   INTEGER NOT NULL,
    digest      BLOB NOT NULL,
    verifier_id INTEGER NOT NULL
) STRICT;
CREATE INDEX refusal_digest ON refusal (source_id, digest);
CREATE INDEX refusal_version ON refusal (version_id);
CREATE TABLE edition_refusal (
    verdict_id  INTEGER PRIMARY KEY,
    edition_id  INTEGER NOT NULL,
    set_name    TEXT NOT NULL,
    contents    TEXT NOT NULL, -- the digests of the members' versions, in their order
    verifier_id INTEGER NOT NULL
) STRICT;
CREATE INDEX edition_refusal_set ON edition_refusal (set_name);
CREATE INDEX edition_refusal_edition ON edition_refusal (edition_id);

INSERT OR IGNORE INTO refusal (verdict_id, version_id, source_id, digest, verifier_id)
SELECT d.id, d.version_id, v.source_id, v.digest, d.verifier_id
FROM verdict d JOIN definition p ON p.fingerprint_id = d.fingerprint_id JOIN version v ON v.id = d.version_id
WHERE d.outcome = 'failed' AND (p.value = '{"outside":true}' OR instr(p.value, '"definition":{"external":true}') > 0)
    AND d.checksum IS NOT NULL AND typeof(v.source_id) = 'integer' AND typeof(v.digest) = 'blob';
INSERT OR IGNORE INTO edition_refusal (verdict_id, edition_id, set_name, contents, verifier_id)
SELECT d.id, d.edition_id, e.set_name,
    (SELECT group_concat(hex(v.digest), '' ORDER BY v.digest) FROM edition_member m JOIN version v ON v.id = m.version_id
     WHERE m.edition_id = e.id), d.verifier_id
FROM edition_verdict d JOIN definition p ON p.fingerprint_id = d.fingerprint_id JOIN edition e ON e.id = d.edition_id
WHERE d.outcome = 'failed' AND (p.value = '{"outside":true}' OR instr(p.value, '"definition":{"external":true}') > 0)
    AND d.checksum IS NOT NULL AND typeof(e.set_name) = 'text';
