-- Dated sources, whose address holds `{date}`, and their days. `series_id` is the dated source, also in its own row; `day` is NULL there. The checksum covers
-- both; a row that is damaged already stays so. In an older catalogue `{date}` was an odd part of a query: it stays the address that it was.
ALTER TABLE source ADD COLUMN series_id INTEGER REFERENCES source (id);
ALTER TABLE source ADD COLUMN day TEXT;
UPDATE OR IGNORE source SET checksum = NULL
WHERE checksum IS NOT row_checksum(id, name, address, settings, published_path, path_key, created_at, removed_at);
UPDATE OR IGNORE source SET address = replace(replace(replace(address, '${date}', char(1)), '{date}', '%7Bdate%7D'), char(1), '${date}')
WHERE checksum IS NOT NULL AND instr(replace(address, '${date}', ''), '{date}');
UPDATE OR IGNORE source SET checksum = row_checksum(id, name, address, settings, published_path, path_key, created_at, removed_at, series_id, day)
WHERE checksum IS NOT NULL;
CREATE UNIQUE INDEX source_day ON source (series_id, day) WHERE series_id IS NOT NULL;
CREATE INDEX source_state_series ON source_state (next_slot) WHERE active = 2;
