-- Days of dated sources have the setting of their dated source, which is the one source of rates.
DROP INDEX source_rates;
CREATE INDEX source_rates ON source (rates) WHERE rates IS NOT NULL AND day IS NULL;
