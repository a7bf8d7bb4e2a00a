-- What each verifier that judged was: its definition as JSON, under the fingerprint that is its digest.
CREATE TABLE definition (
    fingerprint_id INTEGER PRIMARY KEY REFERENCES text (id),
    value          TEXT NOT NULL
) STRICT;

-- Promises of a verdict, of which few are still open.
CREATE INDEX verdict_promise ON verdict (version_id) WHERE outcome = 'pending';
