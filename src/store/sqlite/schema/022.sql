-- When a notifier was told last of something worse about a source or a set: what is better and was told since holds nothing worse back.
ALTER TABLE told ADD COLUMN worse_at INTEGER;
ALTER TABLE told_set ADD COLUMN worse_at INTEGER;
UPDATE told SET worse_at = told_at;
UPDATE told_set SET worse_at = told_at;
