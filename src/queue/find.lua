#!lua flags=no-writes
-- Returns the queue and the entry of the last unit that begins with an id or before it; nil where there is none.
-- KEYS: owner, units
-- ARGV: owner, the end of the range of units, prefix of streams
local unit = redis.call('ZRANGE', KEYS[2], ARGV[2], '-', 'BYLEX', 'REV', 'LIMIT', 0, 1)[1]
local id, queue = string.match(unit or '', '^%S+ (%S+) (%S+)$')
local entry = id and redis.call('XRANGE', ARGV[3] .. queue, id, id)[1]
return entry and { queue, entry } or false
