-- What stands for the fields that validators were asked with; NULL: not known, and believed once more.
ALTER TABLE source_state ADD COLUMN validators_fields TEXT;
