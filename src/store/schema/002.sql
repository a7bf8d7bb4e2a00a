-- What each verifier that judged was: its definition as JSON, under the fingerprint that is its digest.
CREATE TABLE definition (
    fingerprint_id INTEGER PRIMARY KEY REFERENCES text (id),
    value          TEXT NOT NULL
) STRICT;
