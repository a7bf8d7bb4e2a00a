-- Under which claim an attempt was recorded last: row_checksum(fence, worker). The same attempt that comes again is not another one.
ALTER TABLE source_state ADD COLUMN recorded_claim INTEGER;
