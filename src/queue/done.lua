#!lua flags=allow-oom
-- Removes units that are persisted or given up, and lets others take from the queue.
-- KEYS: owner, stream, lease, totals, waiting, bytes, units, mended
-- ARGV: owner, group, queue, lease, then the entries
local is_odd = false
local function subtract(key, field, number)
    local known = redis.pcall('HGET', key, field)
    local left = (tonumber(known) or 0) - number
    is_odd = is_odd or left < 0
    -- A key of another type is mended too.
    redis.pcall('HSET', key, field, string.format('%d', math.max(left, 0)))
    return left
end
local messages, bytes = 0, 0
for place = 5, #ARGV do
    local id = ARGV[place]
    local entry = redis.call('XRANGE', KEYS[2], id, id)[1]
    redis.call('XACK', KEYS[2], ARGV[2], id)
    if entry then
        local fields = {}
        for field = 1, #entry[2], 2 do fields[entry[2][field]] = entry[2][field + 1] end
        redis.call('XDEL', KEYS[2], id)
        redis.call('ZREM', KEYS[7], (fields.first or '') .. ' ' .. id .. ' ' .. ARGV[3])
        messages = messages + (tonumber(fields.count) or 1)
        bytes = bytes + #(fields.bodies or '')
    end
end
if redis.call('GET', KEYS[3]) == ARGV[4] then redis.call('DEL', KEYS[3]) end
subtract(KEYS[4], 'messages', messages)
subtract(KEYS[4], 'bytes', bytes)
local left = subtract(KEYS[5], ARGV[3], messages) + subtract(KEYS[6], ARGV[3], bytes)
if is_odd or (left ~= 0) == (redis.call('XLEN', KEYS[2]) == 0) then
    -- More or less was on the queue than is counted: to be mended soon.
    redis.call('DEL', KEYS[8])
end
return redis.status_reply('OK')
