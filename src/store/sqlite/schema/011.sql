-- When a source's newest version was known to be good last: written, or read back.
ALTER TABLE source_state ADD COLUMN checked_at INTEGER;
