-- Which address gave the validators (half a digest of it): they are sent to no other.
ALTER TABLE source_state ADD COLUMN validators_address TEXT;
-- When the whole file was last received, and not only said to be unchanged.
ALTER TABLE source_state ADD COLUMN whole_at INTEGER;
UPDATE source_state SET whole_at = (SELECT fetched_at FROM version WHERE id = source_state.version_id);
