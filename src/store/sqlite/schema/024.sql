-- What an operator says of a source, but for the name and the address by which it is looked up, stands in one column: what differs from the
-- defaults, in the words of `gannet dump --toml`. A setting that comes later needs no column. What queries go by is computed of it. A row that
-- was damaged stays so: its settings are no JSON, and show what they were.
ALTER TABLE source ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
UPDATE source SET settings = CASE
    WHEN (typeof(interval_hours), typeof(enabled), typeof(allow_private), typeof(allow_http), typeof(allow_empty), typeof(publish))
            = ('integer', 'integer', 'integer', 'integer', 'integer', 'text')
        AND interval_hours > 0 AND typeof(max_size_bytes) IN ('integer', 'null') AND iif(json_valid(tags), json_type(tags), '') = 'array'
        AND iif(json_valid(headers), json_type(headers), '') = 'array'
    THEN json_patch('{}', json_object(
        'interval', CASE WHEN interval_hours = 24 THEN NULL WHEN interval_hours % 24 = 0 THEN (interval_hours / 24) || 'd'
            ELSE interval_hours || 'h' END,
        'enabled', CASE WHEN NOT enabled THEN json('false') END,
        'tags', CASE WHEN tags <> '[]' THEN json(tags) END,
        'allow_private', CASE WHEN allow_private THEN json('true') END,
        'allow_http', CASE WHEN allow_http THEN json('true') END,
        'allow_empty', CASE WHEN allow_empty THEN json('true') END,
        'publish', CASE WHEN publish <> 'passed' THEN publish END,
        'max_size', max_size_bytes || 'B',
        'headers', CASE WHEN headers <> '[]' THEN json((
            SELECT json_group_object(name, json(value)) FROM (
                SELECT j.value ->> 0 AS name,
                    CASE count(*) WHEN 1 THEN json_quote(min(j.value ->> 1)) ELSE json_group_array(j.value ->> 1 ORDER BY j.key) END AS value
                FROM json_each(headers) j GROUP BY 1 ORDER BY 1))) END))
    ELSE 'interval ' || quote(interval_hours) || ', enabled ' || quote(enabled) || ', tags ' || quote(tags) || ', headers ' || quote(headers)
        || ', publish ' || quote(publish) || ', max_size ' || quote(max_size_bytes) || ', allow_private ' || quote(allow_private)
        || ', allow_http ' || quote(allow_http) || ', allow_empty ' || quote(allow_empty)
    END;
ALTER TABLE source DROP COLUMN interval_hours;
ALTER TABLE source DROP COLUMN enabled;
ALTER TABLE source DROP COLUMN tags;
ALTER TABLE source DROP COLUMN headers;
ALTER TABLE source DROP COLUMN allow_private;
ALTER TABLE source DROP COLUMN allow_http;
ALTER TABLE source DROP COLUMN allow_empty;
ALTER TABLE source DROP COLUMN publish;
ALTER TABLE source DROP COLUMN max_size_bytes;
ALTER TABLE source ADD COLUMN interval_hours ANY AS (CASE WHEN json_valid(settings)
    THEN CAST(coalesce(settings ->> 'interval', '1d') AS INTEGER) * iif(coalesce(settings ->> 'interval', '1d') LIKE '%d', 24, 1) END);
ALTER TABLE source ADD COLUMN enabled ANY AS (CASE WHEN json_valid(settings) THEN coalesce(settings ->> 'enabled', 1) END);
ALTER TABLE source ADD COLUMN tags ANY AS (CASE WHEN json_valid(settings) THEN coalesce(settings ->> 'tags', '[]') END);
ALTER TABLE source ADD COLUMN publish ANY AS (CASE WHEN json_valid(settings) THEN coalesce(settings ->> 'publish', 'passed') END);
