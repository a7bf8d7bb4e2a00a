-- Of a verdict that counts for a version or an edition because one with the same contents was given it: which one. Null where it was
-- given on this one.
ALTER TABLE verdict ADD COLUMN given_on INTEGER;
ALTER TABLE edition_verdict ADD COLUMN given_on INTEGER;
