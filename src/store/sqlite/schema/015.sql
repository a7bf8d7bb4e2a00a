-- What a server sent as Last-Modified where that is no time, for which `last_modified` has room. NULL in nearly all rows.
ALTER TABLE version ADD COLUMN last_modified_text TEXT;
