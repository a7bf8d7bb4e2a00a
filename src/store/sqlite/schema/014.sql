-- The version that consumers saw of a source when it entered the set: it stays at the source's own path until an edition of the
-- set that holds the source is published. NULL: nothing of it is published but with the set.
ALTER TABLE set_member ADD COLUMN kept_version_id INTEGER;
