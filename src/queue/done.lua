#!lua flags=allow-oom
-- Removes units that are persisted or given up, and lets others take from the queue.
-- KEYS: stream, lease, totals, waiting, bytes, units
-- ARGV: group, queue, lease, then the entries
local function add(key, field, number)
    redis.call('HINCRBY', key, field, string.format('%d', number))
end
local function subtract(messages, length)
    add(KEYS[3], 'messages', -messages)
    add(KEYS[3], 'bytes', -length)
    add(KEYS[4], ARGV[2], -messages)
    add(KEYS[5], ARGV[2], -length)
end
for place = 4, #ARGV do
    local id = ARGV[place]
    local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
    redis.call('XACK', KEYS[1], ARGV[1], id)
    if entry then
        local fields = {}
        for field = 1, #entry[2], 2 do fields[entry[2][field]] = entry[2][field + 1] end
        redis.call('XDEL', KEYS[1], id)
        redis.call('ZREM', KEYS[6], (fields.first or '') .. ' ' .. id .. ' ' .. ARGV[2])
        subtract(tonumber(fields.count) or 0, #(fields.bodies or ''))
    end
end
if redis.call('GET', KEYS[2]) == ARGV[3] then redis.call('DEL', KEYS[2]) end
if redis.call('XLEN', KEYS[1]) == 0 then
    -- Whatever else was put on the stream, nothing waits now.
    subtract(tonumber(redis.call('HGET', KEYS[4], ARGV[2])) or 0, tonumber(redis.call('HGET', KEYS[5], ARGV[2])) or 0)
end
return redis.status_reply('OK')
