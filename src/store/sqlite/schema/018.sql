-- The newest edition that a set had when it came to the configuration, or came back to it: the verifiers that judge the set now
-- judged none of those up to this one. 0: it had none.
ALTER TABLE file_set ADD COLUMN past_edition_id INTEGER NOT NULL DEFAULT 0;
